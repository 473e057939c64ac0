"""The paths of a study: numbers, figures and template."""
