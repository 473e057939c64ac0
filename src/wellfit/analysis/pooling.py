"""The seeds' variances of many comparisons, each known from a few seeds, estimated together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from wellfit.analysis.crossed import VarianceComponents
from wellfit.base import FloatArray

__all__ = ["LEAST_SEEDS", "moderated", "pooled", "prior_df"]

LEAST_SEEDS: Final = 5
"""Variances from fewer seeds are left as they are."""

_CAUTION: Final = 3.0  # by which the estimated degrees of freedom are divided
_LEFT_OUT: Final = 3  # comparisons that do not count for the cap
_PER_COMPARISON: Final = 0.5  # degrees of freedom that each of the others is worth
_OWN: Final = 2.0  # a comparison borrows at most this many times what it has
_LEAST: Final = 0.02  # smaller ratios count as this, so that one of exactly 0 does not decide about all


def pooled(components: Sequence[VarianceComponents]) -> tuple[VarianceComponents, ...]:
    """Variance components whose ``seed`` is moderated by those of the other comparisons of the study.

    With five seeds a variance is known to within a factor of three, and Student's t pays for that. Comparisons of one
    study usually vary alike from seed to seed, relative to the variance that their examples explain: the ratios
    ``seed / overlap`` are moderated, see ``moderated``. Fewer than four comparisons, those of fewer than five seeds,
    and those whose variants never disagree within a seed, are left as they are.

    Args:
      components: of all comparisons of the study, except those of identical variants.

    Example: five comparisons; the last, which varied more, keeps most of its excess.
      >>> spread = (2e-6, 2e-6, 2e-6, 2e-6, 6e-6)
      >>> study = [VarianceComponents(0.0, 5, 100, seed, 2e-6, 2e-6, 2e-6, 99, 4) for seed in spread]
      >>> [(round(1e6 * c.seed, 1), c.seed_df) for c in pooled(study)[3:]]
      [(2.3, 5.0), (5.5, 5.0)]
    """
    fit = [i for i, c in enumerate(components) if c.seeds >= LEAST_SEEDS and c.overlap > 0]
    ratios = np.array([components[i].seed / components[i].overlap for i in fit])  # (J,)
    df = np.array([components[i].seed_df for i in fit], dtype=np.float64)  # (J,)
    found = list(components)
    for i, ratio, more in zip(fit, *moderated(ratios, df), strict=True):
        found[i] = components[i]._replace(seed=float(ratio) * components[i].overlap, seed_df=float(more))
    return tuple(found)


def moderated(variances: FloatArray, df: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Variances shrunk towards a common value, with their degrees of freedom, by cautious empirical Bayes.

    The true variances are taken as ``v0 d0 / chi2(d0)``; ``v0`` and ``d0`` follow from the mean and the variance of the
    logarithms. A variance v with d degrees of freedom becomes ``(d' v0 + d v) / (d' + d)`` with ``d' + d``, where

        d' = min(d0 / 3, (number of variances - 3) / 2, 2 d).

    The caps keep the level of a study where one variant, or half of them, or the one that all are compared with, varies
    15 times as much as the others: with ``d0`` in full, variances of one shared variant would count as independent, and
    one that is small by chance would pass for a usual one. With ``min(d0 / 3, number of variances)``, 4 and 18
    comparisons of five seeds err in 6.6 % of studies at a nominal 5 % (``docs/statistics.md``).

    Source: Smyth (2004), Stat. Appl. Genet. Mol. Biol. 3:3, for ``v0`` and ``d0``; the caps are ours.

    Args:
      variances: at least 0; on the last axis those that belong together.  # (..., J)
      df: their degrees of freedom, of the same shape.

    Example: five variances that differ by no more than chance.
      >>> [x.round(1).tolist() for x in moderated(np.array([1.0, 2.0, 2.0, 2.0, 3.0]), np.full(5, 4.0))]
      [[1.3, 2.1, 2.1, 2.1, 2.9], [5.0, 5.0, 5.0, 5.0, 5.0]]
    """
    from scipy.special import digamma, polygamma

    J = np.shape(variances)[-1]
    if J <= _LEFT_OUT:
        return variances, df
    least = _LEAST * np.median(variances, axis=-1, keepdims=True)
    logs = np.log(np.maximum(variances, np.maximum(least, np.finfo(float).tiny))) - digamma(df / 2) + np.log(df / 2)
    center = logs.mean(axis=-1, keepdims=True)
    excess = np.sum((logs - center) ** 2, axis=-1, keepdims=True) / (J - 1)
    excess = excess - polygamma(1, df / 2).mean(axis=-1, keepdims=True)
    alike = excess <= 0
    half = _trigamma_inverse(np.where(alike, 1.0, excess))  # d0 / 2
    typical = np.exp(center + np.where(alike, 0.0, digamma(half) - np.log(half)))  # v0
    prior = np.minimum(np.where(alike, np.inf, 2 * half) / _CAUTION, prior_df(J, df))  # d'
    return (prior * typical + df * variances) / (prior + df), df + prior


def prior_df(comparisons: int, df: Any) -> Any:
    """The most degrees of freedom that a variance may borrow from the others, see ``moderated``.

    Args:
      comparisons: of the study.
      df: its own; a number or an array.

    Example: one of 18 comparisons of five seeds, and one of three.
      >>> float(prior_df(18, 4)), float(prior_df(3, 4))
      (7.5, 0.0)
    """
    return np.minimum(_PER_COMPARISON * max(comparisons - _LEFT_OUT, 0), _OWN * df)


def _trigamma_inverse(x: Any) -> Any:
    """The y at which the trigamma function is x > 0, by Newton's method on its reciprocal."""
    from scipy.special import polygamma

    y = 0.5 + 1 / x
    for _ in range(30):
        value = polygamma(1, y)
        y = y + value * (1 - value / x) / polygamma(2, y)
    return y
