"""Further tests of two variants, each of one source of chance: the seeds on these images, or the images of one seed.

``comparisons.paired_comparison`` counts both and gives the verdicts. These say more where they are asked for what they
answer: the tests over seeds speak of this very test set, McNemar's of the two very networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import PairedDifference
from wellfit.analysis.crossed import t_quantile
from wellfit.base import FloatArray
from wellfit.errors import DataError

__all__ = ["corrected_resampled_t", "mcnemar", "paired_t", "probability_better", "sign_flip"]

_EXACT: Final = 20  # seeds whose 2**20 signs are all tried
_DRAWS: Final = 2**16  # of signs, where there are more seeds


def paired_t(differences: Sequence[float]) -> float | None:
    """The two-sided p-value of Student's paired t test over seeds: could chance of the seeds alone bring this mean?

    Assumes differences independent and near normal. On these test images: a difference that holds for other images
    too is for ``comparisons.paired_comparison`` to find. Source: Student (1908), "The probable error of a mean".

    Args:
      differences: of a score, one a seed.

    Returns:
      The p-value; None with fewer than two seeds; where all differences are equal, 1 if they are 0, otherwise 0.

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
    """The exact two-sided p-value of a permutation test over seeds: the share of signs that give as large a mean.

    If the two variants do not differ, exchanging them within a seed changes nothing, so that every choice of signs is
    as probable as the one observed. All ``2**S`` are tried up to 20 seeds; beyond, 65,535 random ones and the observed.
    The smallest value is ``2 / 2**S``: five seeds never come below 0.0625, six may reach 0.03125.

    Assumes differences that are symmetric about 0 if there is no difference, and nothing of their form. On these test
    images, as ``paired_t``. Source: Fisher (1935), "The design of experiments", ch. 21; Phipson & Smyth (2010), Stat.
    Appl. Genet. Mol. Biol. 9:39, for counting the observed among the random ones.

    Args:
      differences: of a score, one a seed.
      seed: of the random signs; the same seed gives the same number.

    Returns:
      The p-value; None without any seed.

    Raises:
      DataError: a difference is NaN or infinite.

    Example: of the eight sign patterns, the observed one and its opposite are the most extreme.
      >>> sign_flip([0.01, 0.02, 0.03])
      0.25
    """
    d = _finite(differences)  # (S,)
    if not len(d):
        return None
    observed = abs(float(d.sum())) - 1e-9 * float(np.abs(d).sum())  # sums that are equal but for rounding are equal
    if len(d) <= _EXACT:
        sums = np.zeros(1)
        for one in d:
            sums = np.concatenate([sums + one, sums - one])  # at the end (2**S,)
    else:
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(_DRAWS - 1, len(d)))  # (draws, S)
        sums = np.append(signs @ d, d.sum())  # (draws + 1,)
    return float(np.mean(np.abs(sums) >= observed))


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """The exact two-sided p-value of McNemar's test of two networks: of the images on which one alone is right.

    If both are equally good, each of these is as probably won by the one as by the other: twice the smaller binomial
    tail, 1 at most. With the networks of one seed it says whether these two differ on new images, and nothing of other
    seeds: a variant that is lucky in one seed passes it.

    Assumes images drawn independently. Source: McNemar (1947), Psychometrika 12:153-157; Dietterich (1998), Neural
    Computation 10:1895-1923.

    Args:
      first, second: correctness of two networks on the same images.  # bool (M,), (M,)

    Raises:
      DataError: not two rows of truth values of equal length.

    Example: the first alone is right on five images, the second alone on none: ``2 / 2**5``.
      >>> mcnemar(np.ones(9, dtype=bool), np.arange(9) >= 5)
      0.0625
    """
    from scipy.special import bdtr

    first, second = np.asarray(first), np.asarray(second)
    if first.ndim != 1 or first.shape != second.shape or not (first.dtype == second.dtype == np.bool_):
        raise DataError(f"McNemar's test of {first.dtype} {first.shape} and {second.dtype} {second.shape}; give one "
                        "truth value an image, of two networks on the same images")  # fmt: skip
    won, lost = int(np.sum(first & ~second)), int(np.sum(~first & second))
    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5))) if won + lost else 1.0


def probability_better(differences: Sequence[float], margin: float = 0.0) -> float | None:
    """The probability that on a new seed the difference exceeds ``margin``, on these test images.

    The next difference d' is predicted by Student's t: ``(d' - mean) / (sd * sqrt(1 + 1 / S))`` has ``t(S - 1)``. It
    is about one further run of each, and not about the mean: of two variants of equal means each is better half the
    time. ``probability_better([-d for d in differences], margin)`` is that of worse, and what is left that of
    practically equivalent.

    Assumes differences independent and near normal. Source: Geisser (1993), "Predictive inference", ch. 2; Benavoli et
    al. (2017), JMLR 18(77):1-36, for the region of practical equivalence.

    Args:
      differences: of a score, one a seed.
      margin: what is to be exceeded.

    Returns:
      A probability; None with fewer than two seeds; 0, 0.5 or 1 where all differences are equal.

    Raises:
      DataError: a difference is NaN or infinite.

    Example: a mean of 0.02, a standard deviation of 0.01: ``t = 0.02 / (0.01 * sqrt(4 / 3)) = 1.73``.
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


def corrected_resampled_t(differences: Sequence[float], train_size: int, test_size: int) -> PairedDifference:
    """Two variants compared by cross-validation or repeated splits, whose training sets overlap.

    The folds' differences are not independent, so that the plain t test finds far too much. The corrected variance of
    their mean is ``(1 / k + test_size / train_size) * sd**2``, with k - 1 degrees of freedom.

    Assumes differences near normal, and that two folds' are correlated by ``test_size / (test_size + train_size)``.
    Source: Nadeau & Bengio (2003), "Inference for the generalization error", Machine Learning 52:239-281; Bouckaert &
    Frank (2004), PAKDD, for repeated cross-validation.

    Args:
      differences: of a score, one a fold; of all repetitions together.
      train_size, test_size: how many examples each fold trained on and was judged on.

    Returns:
      The difference, its 95 % and 90 % intervals and the two-sided p-value, all but the first None with one fold.

    Raises:
      DataError: no difference, one that is NaN or infinite, or a size below 1.

    Example: three folds of three: the variance is ``1 / 3 + 1 / 2`` of the spread and not a third of it.
      >>> found = corrected_resampled_t([0.01, 0.02, 0.03], train_size=200, test_size=100)
      >>> round(found.difference, 2), round(found.p_value, 3)
      (0.02, 0.16)
    """
    from scipy.special import stdtr

    d = _finite(differences)  # (k,)
    if not len(d) or min(train_size, test_size) < 1:
        raise DataError(f"{len(d)} folds of {train_size} training and {test_size} test examples; give one of each or "
                        "more")  # fmt: skip
    mean, k = float(d.mean()), len(d)
    if k < 2:
        return PairedDifference(mean, None, None, None)
    error = _standard_error(d) * sqrt(1 + k * test_size / train_size)
    half, half90 = (t_quantile(k - 1, alpha) * error for alpha in (0.05, 0.10))
    p = 2 * float(stdtr(k - 1, -abs(mean) / error)) if error > 0 else float(mean == 0)
    return PairedDifference(mean, (mean - half, mean + half), (mean - half90, mean + half90), p)


def _standard_error(d: FloatArray) -> float:
    """Of the mean; 0 where the differences are equal but for rounding."""
    sd = float(d.std(ddof=1))
    return sd / sqrt(len(d)) if sd > 1e-12 * float(np.abs(d).max()) else 0.0


def _finite(differences: Sequence[float]) -> NDArray[Any]:
    d = np.asarray(differences, dtype=np.float64)  # (S,)
    if d.ndim != 1 or not np.isfinite(d).all():
        raise DataError("differences that hold NaN or infinity, or are not one number a seed; leave diverged runs out")
    return d
