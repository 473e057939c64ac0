"""The ranking of a study: numbers, figures and template."""
