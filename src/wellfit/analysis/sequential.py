"""Group-sequential testing: a significance level for each of several planned interim analyses of a growing study."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import exp, log, sqrt
from typing import Final, NamedTuple

import numpy as np

from wellfit.base import FloatArray
from wellfit.errors import DataError, StudyFileError

__all__ = ["InterimAnalysis", "nominal_level", "over_all_analyses"]

_SMALLEST_P: Final = 1e-30  # the integration is unreliable beyond this, and no test set supports such a claim


class InterimAnalysis(NamedTuple):
    """One of the planned analyses of a study that stops as soon as every comparison is decided.

    Args:
      number: the position of this analysis in the plan, from 1.
      seeds: the number of seeds at each analysis, fixed before the first one.

    Example: the second of four analyses, at 10 seeds.
      >>> InterimAnalysis(2, (5, 10, 15, 20)).number
      2
    """

    number: int
    seeds: tuple[int, ...]


def nominal_level(interim: InterimAnalysis, alpha: float = 0.05) -> float:
    """The level of one interim analysis, such that the chance of a false positive over all of them is ``alpha``.

    The boundaries belong to the linear spending function ``alpha * t``: once the share t of the planned seeds is in,
    that share of ``alpha`` is spent. With ``Z_k`` the normal score at analysis k and ``t_k`` its share of the seeds,
    ``B_k = Z_k sqrt(t_k)`` has independent increments. The boundaries are computed in order, by integrating over the
    paths that have crossed none so far. O'Brien-Fleming spending would decide almost nothing at 5 seeds; linear
    spending ends a study with a clear difference after half of the seeds, at little cost in power.

    Assumes that the analyses were planned in advance. All of them use the same test examples, which makes them more
    alike than the boundaries assume and only lowers the error rate. With few seeds the tests are Student's rather than
    normal; their p-values are compared with the same levels (the "significance level approach"). The simulations in
    ``docs/statistics.md`` show that the overall level holds.

    Source: Lan & DeMets (1983), Biometrika 70:659-663; Kim & DeMets (1987), Biometrika 74:149-154, for the spending
    function; Armitage, McPherson & Rowe (1969), JRSS A 132:235-244, for the integration; Jennison & Turnbull (2000),
    "Group sequential methods", ch. 3.3 and 7.

    Args:
      interim: the analysis and its plan.
      alpha: the two-sided error rate over all analyses.

    Raises:
      StudyFileError: the seeds do not increase, the plan has no analysis of this number, or ``alpha`` is not in (0, 1).

    Example: the last of five equally spaced analyses tests at 2.3 % instead of 5 %.
      >>> [round(nominal_level(InterimAnalysis(k, (4, 8, 12, 16, 20))), 4) for k in range(1, 6)]
      [0.01, 0.0127, 0.0159, 0.0193, 0.0229]
    """
    seeds = interim.seeds
    if not seeds or seeds[0] < 2 or any(b <= a for a, b in pairwise(seeds)):
        raise StudyFileError(
            f"interim analyses at {seeds} seeds: give increasing numbers of seeds, the first 2 or more"
        )
    if not 1 <= interim.number <= len(seeds):
        raise StudyFileError(
            f"interim analysis {interim.number} of {len(seeds)}: choose a number from 1 to {len(seeds)}"
        )
    if not 0 < alpha < 1:
        raise StudyFileError(f"alpha = {alpha}: give a number between 0 and 1, for example 0.05")
    return _level(tuple(count / seeds[-1] for count in seeds[: interim.number]), alpha)


def over_all_analyses(p_value: float | None, interim: InterimAnalysis) -> float | None:
    """A p-value adjusted for all planned analyses: the smallest ``alpha`` at which this analysis is significant.

    The adjusted value can be passed to ``comparisons.holm`` and compared with the overall level like any p-value. The
    family-wise error rate then holds over all comparisons and analyses, because the boundary of each analysis only
    rises with ``alpha`` (Maurer & Bretz 2013, Stat. Biopharm. Res. 5:311-320).

    Makes the same assumptions as ``nominal_level``.

    Args:
      p_value: two-sided, of this analysis alone; None stays None.
      interim: the analysis and its plan.

    Returns:
      The adjusted value; 1 if it would exceed 0.5.

    Raises:
      DataError: ``p_value`` is not between 0 and 1.
      StudyFileError: as ``nominal_level``.

    Example: a quarter of ``alpha`` is spent at the first of four analyses.
      >>> round(over_all_analyses(0.01, InterimAnalysis(1, (5, 10, 15, 20))), 6)
      0.04
    """
    from scipy.optimize import brentq

    if p_value is None:
        return None
    if not 0 <= p_value <= 1:
        raise DataError(f"p-value {p_value}: p-values are between 0 and 1")
    if nominal_level(interim, 0.5) <= p_value:
        return 1.0
    p_value = max(p_value, _SMALLEST_P)
    # The level of an analysis is at least what it spends itself and at most everything spent so far.
    before, now = ([0, *interim.seeds][i] / interim.seeds[-1] for i in (interim.number - 1, interim.number))
    if before == 0:
        return p_value / now
    low, high = log(p_value / now) - 1e-6, min(log(p_value / (now - before)) + 1e-6, log(0.5))
    return exp(brentq(lambda a: log(nominal_level(interim, exp(a)) / p_value), low, high, xtol=1e-10))


@lru_cache(maxsize=256)
def _level(shares: tuple[float, ...], alpha: float) -> float:
    """The nominal level of the last analysis, given every analysis's share of the seeds."""
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri

    x, w = _gauss_legendre()  # (128,), (128,)
    # Values of B_k on the paths that continue, and their density times the integration weights.
    nodes: FloatArray = np.zeros(1)
    density: FloatArray = np.ones(1)
    before = 0.0
    for share in shares:
        sd, spend = sqrt(share - before), alpha * (share - before)
        # As above: between what this analysis spends and everything spent so far.
        low, high = (-sqrt(share) * float(ndtri(p / 2)) for p in (alpha * share * (1 + 1e-6), spend * (1 - 1e-6)))
        b = brentq(_overspent, low, high, args=(nodes, density, sd, spend), xtol=1e-12)
        steps = np.exp(-0.5 * ((b * x[:, None] - nodes) / sd) ** 2) / (sd * sqrt(2 * np.pi))  # (128, nodes)
        nodes, density, before = b * x, b * w * (steps @ density), share  # (128,), (128,)
    return 2 * float(ndtr(-b / sqrt(before)))


@lru_cache(maxsize=1)
def _gauss_legendre() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on [-1, 1]; computing them takes longer than using them."""
    return np.polynomial.legendre.leggauss(128)


def _overspent(b: float, start: FloatArray, paths: FloatArray, sd: float, spend: float) -> float:
    """Relative excess over ``spend`` of the probability that paths from ``start`` cross a boundary at ``b``."""
    from scipy.special import ndtr

    return float(paths @ (ndtr((-b - start) / sd) + ndtr((start - b) / sd))) / spend - 1
