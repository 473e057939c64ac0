"""The two-way bootstrap: seeds and test images drawn again, with replacement, each for itself."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval, checked_alpha
from wellfit.base import FloatArray, IntArray
from wellfit.errors import DataError

__all__ = ["Bootstrap", "two_way_bootstrap"]

_CHUNK: Final = 2**22  # numbers held at once: 32 MiB


class Bootstrap(NamedTuple):
    """The mean of the scores, its percentile interval, and the two-sided p-value of a mean of 0; None with one seed."""

    mean: float
    interval: Interval | None
    p_value: float | None


def two_way_bootstrap(scores: NDArray[Any], level: float = 0.95, draws: int = 2000, seed: int = 0) -> Bootstrap:
    """The mean over seeds and images, with the interval in which most means of redrawn seeds and redrawn images lie.

    Each draw takes S seeds and n images with replacement, independently of each other (the pigeonhole bootstrap), and
    the mean of what they cross in. The interval runs from the ``alpha / 2`` to the ``1 - alpha / 2`` quantile of these
    means; the p-value is ``2 min(1 + #{mean <= 0}, 1 + #{mean >= 0}) / (draws + 1)``, 1 at most.

    Images whose scores are the same with every seed are alike, so that their numbers, and not they, are drawn: exactly
    the same distribution, at a cost that hardly grows with n where scores are right or wrong.

    Assumes nothing of the form of the scores, but many seeds: from few it takes their spread too small, by
    ``(S - 1) / S``, and knows no t quantile. Where the seeds bring most of the chance it covers the truth in far fewer
    than ``level`` of the studies; ``docs/statistics.md`` has the rates. ``intervals.two_way_interval`` is therefore the
    default, and this the second opinion that assumes no normal distribution.

    Source: Owen (2007), "The pigeonhole bootstrap", Ann. Appl. Stat. 1:386-411; Davison & Hinkley (1997), "Bootstrap
    methods and their application", ch. 4, for the p-value.

    Args:
      scores: one row a seed, one column an image; bool, or any real number such as a paired difference.  # (S, n)
      level: the share of such intervals that are to hold the true mean.
      draws: how often seeds and images are drawn again.
      seed: of the draws; the same seed gives the same numbers.

    Raises:
      DataError: not an array of at least one seed and two images, it holds NaN or infinity, or fewer than 100 draws.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: every image is right with every seed but the last, which is wrong with one of three.
      >>> scores = np.ones((3, 50), dtype=bool)
      >>> scores[2, 49] = False
      >>> mean, (low, high), _ = two_way_bootstrap(scores)
      >>> round(mean, 4), round(low, 4), high
      (0.9933, 0.96, 1.0)
    """
    scores = np.asarray(scores)
    alpha = checked_alpha(level)
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise DataError(f"scores shaped {scores.shape}; give one row a seed and one column a test image, two or more")
    if not np.isfinite(scores).all():
        raise DataError("scores that hold NaN or infinity; leave diverged runs out")
    if draws < 100:
        raise DataError(f"{draws} draws of the bootstrap; give 100 or more, 2000 for an interval at 95 %")
    mean = float(scores.mean())
    if len(scores) < 2:
        return Bootstrap(mean, None, None)
    means = _redrawn_means(scores, draws, seed)  # (draws,)
    low, high = np.quantile(means, [alpha / 2, 1 - alpha / 2])
    # A mean that is 0 but for rounding is 0.
    least = 1e-12 * float(np.abs(scores).max())
    tail = min(int(np.sum(means <= least)), int(np.sum(means >= -least)))
    return Bootstrap(mean, (float(low), float(high)), min(1.0, 2 * (1 + tail) / (draws + 1)))


def _redrawn_means(scores: NDArray[Any], draws: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    S, n = scores.shape
    patterns, counts = _alike(scores)  # (S, P), (P,)
    chunk = max(1, _CHUNK // len(counts))
    means = []
    for done in range(0, draws, chunk):
        now = min(chunk, draws - done)
        seeds = rng.multinomial(S, np.full(S, 1 / S), size=now)  # (now, S)
        images = rng.multinomial(n, counts / n, size=now)  # (now, P)
        means.append(np.sum((seeds @ patterns) * images, axis=1) / (S * n))  # (now,)
    redrawn: FloatArray = np.concatenate(means)  # (draws,)
    return redrawn


def _alike(scores: NDArray[Any]) -> tuple[FloatArray, IntArray]:
    """The columns that differ, and how often each is there."""
    ordered = scores[:, np.lexsort(scores)]  # (S, n), equal columns side by side
    first = np.concatenate([[True], (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)])  # (n,)
    starts = np.flatnonzero(first)  # (P,)
    return ordered[:, starts].astype(np.float64), np.diff(starts, append=scores.shape[1])
