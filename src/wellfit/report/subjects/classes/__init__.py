"""Recall, precision and F1 by class: numbers, figure, section."""
