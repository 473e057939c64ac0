"""Confusion matrices: numbers, figures, section."""
