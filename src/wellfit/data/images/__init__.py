"""Folders of images: which files belong to which class and set, how they are decoded, resized and stacked."""
