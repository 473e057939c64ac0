"""The findings of the checks."""
