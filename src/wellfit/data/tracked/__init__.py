"""Runs as other programs keep them: trackers, loggers and searches. One module a program, and what they share."""
