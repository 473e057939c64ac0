"""The calibration of a study: numbers, figures and template."""
