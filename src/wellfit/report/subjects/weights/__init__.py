"""The weights of a study: numbers, figures and template."""
