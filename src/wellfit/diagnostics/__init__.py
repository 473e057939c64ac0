"""Checks of training that raise findings."""
