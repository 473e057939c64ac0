"""The mistakes of a study: numbers, figures and template."""
