"""The median with an interval that holds whatever the distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binom

from wellfit.base import IntArray

__all__ = ["Middle", "median_interval"]


class Middle(NamedTuple):
    """A median with the interval between two order statistics, and how often such intervals hold the true median."""

    median: float
    low: float
    high: float
    coverage: float


def median_interval(values: Sequence[float] | IntArray, confidence: float = 0.95) -> Middle:
    """The median and the narrowest interval between two order statistics that holds the true one often enough.

    Of an even number of values the median is the lower of the two in the middle, which is one of them: an epoch at
    which a run can be stopped, say. Infinity stands for "later than that".

    ``P(x_(k) <= median <= x_(n+1-k)) = 1 - 2 P(Binomial(n, 1/2) < k)``, whatever the distribution. Of fewer than six
    values no interval reaches 95 %: then it is from the least to the greatest, and ``coverage`` says what that is
    worth, 94 % of five and 75 % of three.

    Assumes independent values. Source: Thompson (1936), Ann. Math. Stat. 7:122-128; Conover (1999), section 3.2.

    Args:
      values: at least one.
      confidence: how often it is to hold the median.

    Example:
      >>> median_interval([7, 9, 8, 12, 8])
      Middle(median=8.0, low=7.0, high=12.0, coverage=0.9375)
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))  # (n,)
    n = len(ordered)
    reached = [k for k in range(1, (n + 1) // 2 + 1) if 1 - 2 * float(binom.cdf(k - 1, n, 0.5)) >= confidence]
    k = max(reached, default=1)
    coverage = max(0.0, 1 - 2 * float(binom.cdf(k - 1, n, 0.5)))
    return Middle(float(ordered[(n - 1) // 2]), float(ordered[k - 1]), float(ordered[n - k]), coverage)
