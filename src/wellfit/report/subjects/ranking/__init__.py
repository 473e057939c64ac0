"""The ranking: every variant's accuracy with its seeds and its interval, best first."""
