"""Audits of data and splits: problems that would bias a comparison, found before training.

Each check takes the sets and yields findings; ``audit`` runs them all.
"""

from wellfit.data.audits.checks import audit

__all__ = ["audit"]
