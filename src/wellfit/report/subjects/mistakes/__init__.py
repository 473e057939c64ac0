"""Misclassified images: numbers, figures, section."""
