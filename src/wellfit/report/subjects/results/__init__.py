"""The results of a study: numbers, figures and template."""
