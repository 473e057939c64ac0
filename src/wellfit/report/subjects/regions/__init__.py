"""The regions of a study: numbers, figures and template."""
