"""The ranking: every variant's mean with its seeds and its interval, best first."""
