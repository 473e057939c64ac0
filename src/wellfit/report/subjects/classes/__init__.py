"""The classes of a study: numbers, figures and template."""
