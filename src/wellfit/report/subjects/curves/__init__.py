"""The learning curves: loss, accuracy and generalization gap by epoch."""
