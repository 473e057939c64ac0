"""The data of a study: numbers, figures and template."""
