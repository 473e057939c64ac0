"""Looking at a study again and again while seeds are added: a level for each look, so that all of them keep theirs."""

from __future__ import annotations

from functools import lru_cache
from math import exp, log, sqrt
from typing import Final, NamedTuple

import numpy as np

from wellfit.base import FloatArray
from wellfit.errors import DataError, StudyFileError

__all__ = ["Look", "nominal_level", "over_all_looks"]

_SMALLEST_P: Final = 1e-30  # further out the integration is not to be trusted, and no test set supports such a claim


class Look(NamedTuple):
    """One of the looks at a study that ends as soon as it is decided, or with the last look.

    Args:
      number: which look this is, from 1.
      seeds: how many seeds there are at every look, fixed before the first.

    Example: the second of four looks, at 10 seeds.
      >>> Look(2, (5, 10, 15, 20)).number
      2
    """

    number: int
    seeds: tuple[int, ...]


def nominal_level(look: Look, alpha: float = 0.05) -> float:
    """The level at which this look is tested, so that the chance of a false alarm at any of the looks is ``alpha``.

    Group-sequential boundaries for the spending function ``alpha * t``: after the share t of the planned seeds, that
    share of the permitted chance is spent. With ``Z_k`` the normal score of the k-th look and ``t_k`` its share of the
    seeds, ``B_k = Z_k sqrt(t_k)`` has independent increments; the boundary of each look is found, one after the other,
    by integrating over those paths that have crossed none before. Against O'Brien and Fleming's form of spending, which
    decides almost nothing at 5 seeds, this ends a study with a plain difference in half the seeds, for little power.

    Assumes that the looks were fixed beforehand. The same test images at every look make the looks more alike than the
    boundaries take them to be, which only lowers the rate. Tests of few seeds are Student's and not normal; the p-value
    at each look is compared all the same (the "significance level approach"), and ``docs/statistics.md`` shows by
    simulation that the level holds.

    Source: Lan & DeMets (1983), Biometrika 70:659-663; Kim & DeMets (1987), Biometrika 74:149-154, for the form of
    spending; Armitage, McPherson & Rowe (1969), JRSS A 132:235-244, for the integration; Jennison & Turnbull (2000),
    "Group sequential methods", ch. 3.3 and 7.

    Args:
      look: which look of which.
      alpha: the chance of a false alarm, two-sided, over all looks.

    Raises:
      StudyFileError: looks that are not at ever more seeds, a number that is none of them, or ``alpha`` not in (0, 1).

    Example: the last of five equal looks tests at 2.3 %, and not at 5 %.
      >>> [round(nominal_level(Look(k, (4, 8, 12, 16, 20))), 4) for k in range(1, 6)]
      [0.01, 0.0127, 0.0159, 0.0193, 0.0229]
    """
    if not look.seeds or look.seeds[0] < 2 or any(b <= a for a, b in zip(look.seeds, look.seeds[1:], strict=False)):
        raise StudyFileError(f"looks at {look.seeds} seeds; give rising numbers of seeds, the first 2 or more")
    if not 1 <= look.number <= len(look.seeds):
        raise StudyFileError(f"look {look.number} of {len(look.seeds)}; looks are fixed beforehand and count from 1")
    if not 0 < alpha < 1:
        raise StudyFileError(f"an alpha of {alpha}; give a share between 0 and 1, such as 0.05")
    return _level(tuple(seeds / look.seeds[-1] for seeds in look.seeds[: look.number]), alpha)


def over_all_looks(p_value: float | None, look: Look) -> float | None:
    """A look's p-value, adjusted for all looks: the smallest ``alpha`` with which this look would call it significant.

    It may be given to ``comparisons.holm`` and compared with the level like any p-value: at every look the chance of
    any false alarm among the comparisons then stays at the level over all looks, because the boundary of a look only
    rises with ``alpha`` (Maurer & Bretz 2013, Stat. Biopharm. Res. 5:311-320).

    Assumes what ``nominal_level`` assumes.

    Args:
      p_value: of this look alone, two-sided; None stays None.
      look: which look of which.

    Returns:
      The adjusted value; 1 where it would exceed one half, which no one asks for.

    Raises:
      DataError: not a number between 0 and 1.
      StudyFileError: as ``nominal_level``.

    Example: at the first of four looks a quarter of ``alpha`` is spent.
      >>> round(over_all_looks(0.01, Look(1, (5, 10, 15, 20))), 6)
      0.04
    """
    from scipy.optimize import brentq

    if p_value is None:
        return None
    if not 0 <= p_value <= 1:
        raise DataError(f"a p-value of {p_value}; p-values lie between 0 and 1")
    if nominal_level(look, 0.5) <= p_value:
        return 1.0
    p_value = max(p_value, _SMALLEST_P)
    # The level of a look is at most all that is spent by then, and at least what it alone spends.
    before, now = ([0, *look.seeds][i] / look.seeds[-1] for i in (look.number - 1, look.number))
    if before == 0:
        return p_value / now
    low, high = log(p_value / now) - 1e-6, min(log(p_value / (now - before)) + 1e-6, log(0.5))
    return exp(brentq(lambda a: log(nominal_level(look, exp(a)) / p_value), low, high, xtol=1e-10))


@lru_cache(maxsize=256)
def _level(shares: tuple[float, ...], alpha: float) -> float:
    """The nominal level of the last of the looks at these shares of the seeds."""
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri

    x, w = _gauss_legendre()  # (128,), (128,)
    # Of B_k among the paths that go on; the density times the weights of integration.
    nodes: FloatArray = np.zeros(1)
    density: FloatArray = np.ones(1)
    before = 0.0
    for share in shares:
        sd, spend = sqrt(share - before), alpha * (share - before)
        # As above, the level lies between what is spent here and what is spent so far.
        low, high = (-sqrt(share) * float(ndtri(p / 2)) for p in (alpha * share * (1 + 1e-6), spend * (1 - 1e-6)))
        b = brentq(_overspent, low, high, args=(nodes, density, sd, spend), xtol=1e-12)
        steps = np.exp(-0.5 * ((b * x[:, None] - nodes) / sd) ** 2) / (sd * sqrt(2 * np.pi))  # (128, nodes)
        nodes, density, before = b * x, b * w * (steps @ density), share  # (128,), (128,)
    return 2 * float(ndtr(-b / sqrt(before)))


@lru_cache(maxsize=1)
def _gauss_legendre() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on [-1, 1]; they take longer to find than all that is done with them."""
    return np.polynomial.legendre.leggauss(128)


def _overspent(b: float, start: FloatArray, paths: FloatArray, sd: float, spend: float) -> float:
    """By how much more than ``spend`` a boundary at ``b`` lets the paths from ``start`` cross it, in shares of it."""
    from scipy.special import ndtr

    return float(paths @ (ndtr((-b - start) / sd) + ndtr((start - b) / sd))) / spend - 1
