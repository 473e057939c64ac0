"""The curves of a study: numbers, figures and template."""
