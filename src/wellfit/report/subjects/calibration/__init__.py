"""Calibration: reliability diagrams, and scores of the probabilities."""
