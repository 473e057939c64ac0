"""Readers of what runs that others trained predicted: probabilities, classes, or accuracies alone."""
