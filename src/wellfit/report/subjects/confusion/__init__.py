"""Confusion matrices: numbers, figures and template."""
