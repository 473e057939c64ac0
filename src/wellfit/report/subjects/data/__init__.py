"""The data: numbers, figures, section, and the preview before training."""
