"""Further tests of two variants that account for one source of variation: seeds on these images, or images of one seed.

``comparisons.paired_comparison`` accounts for both and gives the verdicts. The tests here answer narrower questions:
those over seeds are about this very test set, McNemar's test is about two particular networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray
from wellfit.errors import DataError

__all__ = ["mcnemar", "paired_t", "probability_better", "sign_flip"]

_EXACT: Final = 20  # seeds up to which all 2**S sign patterns are enumerated
_DRAWS: Final = 2**16  # random sign patterns beyond that
_BLOCK: Final = 2**19  # signs drawn at once: with the choices behind them, 8 MiB


def paired_t(differences: Sequence[float]) -> float | None:
    """The two-sided p-value of Student's paired t test over seeds.

    Applies to these test images; whether a difference holds for other images is for ``comparisons.paired_comparison``.

    Assumes independent, nearly normal differences. Source: Student (1908), "The probable error of a mean".

    Args:
      differences: of a score, one per seed.  # (S,)

    Returns:
      The p-value; None with fewer than two seeds; if all differences are equal, 1 if they are 0 and otherwise 0.

    Raises:
      DataError: a difference is NaN or infinite.

    Example: ``t = mean / (sd / sqrt(3)) = 3.46`` with 2 degrees of freedom.
      >>> round(paired_t([0.01, 0.02, 0.03]), 4)
      0.0742
    """
    from scipy.special import stdtr

    d = _finite(differences)  # (S,)
    if len(d) < 2:
        return None
    mean, error = float(d.mean()), _standard_error(d)
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return 2 * float(stdtr(len(d) - 1, -abs(mean) / error))


def sign_flip(differences: Sequence[float], seed: int = 0) -> float | None:
    """The exact two-sided p-value of a sign-flip permutation test over seeds.

    If the two variants do not differ, swapping them within a seed changes nothing, so every sign pattern is as probable
    as the observed one. All ``2**S`` are enumerated up to 20 seeds; beyond, 65,535 random ones and the observed one.
    The smallest possible value is ``2 / 2**S``: five seeds cannot go below 0.0625, six can reach 0.03125.

    Assumes differences that are symmetric about 0 if the variants do not differ. Applies to these test images, as
    ``paired_t`` does. Source: Fisher (1935), "The design of experiments", ch. 21; Phipson & Smyth (2010), Stat. Appl.
    Genet. Mol. Biol. 9:39, for counting the observed pattern among the random ones.

    Args:
      differences: of a score, one per seed.  # (S,)
      seed: of the random sign patterns.

    Returns:
      The p-value; None without seeds.

    Raises:
      DataError: a difference is NaN or infinite.

    Example: of the eight sign patterns, the observed one and its opposite are the most extreme.
      >>> sign_flip([0.01, 0.02, 0.03])
      0.25
    """
    d = _finite(differences)  # (S,)
    if not len(d):
        return None
    observed = abs(float(d.sum())) - 1e-9 * float(np.abs(d).sum())  # sums that differ by rounding only are equal
    if len(d) <= _EXACT:
        sums = np.zeros(1)
        for one in d:
            sums = np.concatenate([sums + one, sums - one])  # at the end (2**S,)
    else:
        random, rows = np.random.default_rng(seed), 4 * max(1, _BLOCK // 4 // len(d))  # whole words of 4 bytes
        sizes = (min(rows, _DRAWS - 1 - begin) for begin in range(0, _DRAWS - 1, rows))
        positive = [_random_bits(random, size, len(d)) @ d for size in sizes]  # (size,) each
        sums = np.append(2 * np.concatenate(positive) - d.sum(), d.sum())  # (draws + 1,)
    return float(np.mean(np.abs(sums) >= observed))


def _random_bits(random: np.random.Generator, rows: int, columns: int) -> FloatArray:
    """Zeros and ones, eight from each random byte.  # (rows, columns)"""
    drawn = random.integers(0, 256, (rows, -(-columns // 8)), dtype=np.uint8)
    return np.unpackbits(drawn, axis=1, count=columns).astype(np.float64)


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """The exact two-sided p-value of McNemar's test of two networks, from the images that only one of them gets right.

    If both are equally good, either wins each of these images with probability 1/2: twice the smaller binomial tail,
    at most 1. With the networks of one seed this is about whether these two networks differ on new images. It says
    nothing about other seeds: a variant that is lucky with one seed passes.

    Assumes images drawn independently. Source: McNemar (1947), Psychometrika 12:153-157; Dietterich (1998), Neural
    Computation 10:1895-1923.

    Args:
      first, second: correctness of two networks on the same images.  # bool (M,), (M,)

    Raises:
      DataError: not two boolean vectors of equal length.

    Example: only the first is right on five images, only the second on none: ``2 / 2**5``.
      >>> mcnemar(np.ones(9, dtype=bool), np.arange(9) >= 5)
      0.0625
    """
    from scipy.special import bdtr

    first, second = np.asarray(first), np.asarray(second)
    if first.ndim != 1 or first.shape != second.shape or not (first.dtype == second.dtype == np.bool_):
        raise DataError(f"McNemar's test of {first.dtype} {first.shape} and {second.dtype} {second.shape}; pass one "
                        "boolean per image for two networks on the same images")  # fmt: skip
    won, lost = int(np.sum(first & ~second)), int(np.sum(~first & second))
    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5))) if won + lost else 1.0


def probability_better(differences: Sequence[float], margin: float = 0.0) -> float | None:
    """The predictive probability that the difference exceeds ``margin`` with a new seed, on these test images.

    The next difference d' follows Student's t: ``(d' - mean) / (sd * sqrt(1 + 1 / S))`` has ``t(S - 1)``. This is about
    one further run of each variant, not about the means: of two variants with equal means each is better half the time.
    ``probability_better([-d for d in differences], margin)`` is the probability of worse; the remainder is that of
    practical equivalence.

    Assumes independent, nearly normal differences. Source: Geisser (1993), "Predictive inference", ch. 2; Benavoli et
    al. (2017), JMLR 18(77):1-36, for the region of practical equivalence.

    Args:
      differences: of a score, one per seed.  # (S,)
      margin: the difference to exceed.

    Returns:
      A probability; None with fewer than two seeds; 0, 0.5 or 1 if all differences are equal.

    Raises:
      DataError: a difference is NaN or infinite.

    Example: mean 0.02, standard deviation 0.01: ``t = 0.02 / (0.01 * sqrt(4 / 3)) = 1.73``.
      >>> round(probability_better([0.01, 0.02, 0.03]), 3)
      0.887
    """
    from scipy.special import stdtr

    d = _finite(differences)  # (S,)
    if len(d) < 2:
        return None
    beyond = float(d.mean()) - margin
    error = _standard_error(d) * sqrt(len(d) + 1)
    if error == 0:
        return float((np.sign(beyond) + 1) / 2)
    return float(stdtr(len(d) - 1, beyond / error))


def _standard_error(d: FloatArray) -> float:
    """Of the mean; 0 if the differences are equal up to rounding."""
    sd = float(d.std(ddof=1))
    return sd / sqrt(len(d)) if sd > 1e-12 * float(np.abs(d).max()) else 0.0


def _finite(differences: Sequence[float]) -> NDArray[Any]:
    d = np.asarray(differences, dtype=np.float64)  # (S,)
    if d.ndim != 1 or not np.isfinite(d).all():
        raise DataError("the differences contain NaN or infinity, or are not one number per seed; leave out diverged "
                        "runs")  # fmt: skip
    return d
