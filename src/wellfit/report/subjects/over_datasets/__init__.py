"""Variants over several data sets: the figure."""
