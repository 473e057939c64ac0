"""Sweeps: the accuracy along one number, and the grid of two crossed settings."""
