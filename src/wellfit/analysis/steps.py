"""The step between neighboring values that accuracies can have, of which nothing but the numbers is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isfinite, lcm, ulp
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["step_of"]


def step_of(scores: Iterable[Any]) -> float:
    """The step between neighboring values that some accuracies can have.

    It is one example of the smallest test set of which all of them are shares, as far as they are known: to their last
    decimal place, to the resolution of float32, or in full precision. Where a test set cannot be told, it is that
    resolution. Numbers in full precision that are no shares, such as means over folds, have no step to speak of.

    Example: 35 and 34 of 36; two places; and 0.91 as float32.
      >>> step_of([0.91, 0.9]), step_of([1.0]), round(1 / step_of([0.9722222222222222, 0.9444444444444444]))
      (0.01, 1.0, 36)
      >>> step_of([0.9100000262260437, 0.8999999761581421])
      0.01
    """
    values = [value for one in scores if isfinite(value := float(one))]
    short = _of_float32(values)
    step = _last_place(short or values)
    if step <= _FULL and not short:
        return _one_example(values) or step
    within = step / 2
    if short and step < _SHORT:  # more places than float32 has; they may stand for fewer
        spacing = float(np.spacing(np.float32(max(map(abs, values)))))
        step, within = max(step, spacing), _ROUNDINGS * spacing
    return step if step > _COARSE else max(_rounded_share(short or values, within) or step, step)


_FULL: Final = 1e-9  # nobody writes as many decimal places
_SHORT: Final = 0.9e-6  # float32 keeps six places of a share
_COARSE: Final = 2e-3  # of two places or fewer, too many are shares of a small test set by chance
_ROUNDINGS: Final = 4.0  # of float32, in an accuracy that is a mean over batches
_BY_CHANCE: Final = 0.01  # expected number of test sets that fit numbers that are no shares
_MOST_EXAMPLES: Final = 1_000_000  # of larger test sets, shares cannot be told from other numbers


def _last_place(values: Sequence[float]) -> float:
    """The last decimal place of numbers as they are written, at most 1."""
    places = (Decimal(repr(one)).normalize().as_tuple().exponent for one in values)
    return float(10.0 ** min((place for place in places if isinstance(place, int)), default=0))


def _of_float32(values: Sequence[float]) -> list[float]:
    """The shortest decimals of numbers that all come from float32, or from percentages in it; else none."""
    for scale in (1, 100):
        found: list[float] = []
        for value in values:
            given = value * scale
            near = np.float32(given)
            short = Decimal(str(near))
            exact = 0.0 if scale == 1 else 2 * ulp(given)
            if abs(float(near) - given) > exact and float(short / scale) != value:
                break
            found.append(float(short / scale))
        else:
            return found
    return []


def _rounded_share(values: Sequence[float], within: float) -> float | None:
    """One over the least number of examples of which all rounded values are shares, unless that may be chance."""
    different = np.unique(np.asarray(values, dtype=np.float64))
    most = min(int(0.25 / within), _MOST_EXAMPLES)
    fitting: NDArray[np.float64] = np.arange(1.0, most + 1)
    for value in different:
        counts = value * fitting
        fitting = fitting[np.abs(np.rint(counts) - counts) <= within * fitting * (1 + 1e-6)]
    if not len(fitting):
        return None
    examples, k = float(fitting[0]), len(different)
    by_chance = examples ** (k + 1) * (2 * within) ** k / (k + 1)
    return 1 / examples if by_chance < _BY_CHANCE else None


def _one_example(values: Sequence[float]) -> float | None:
    """One over the least number of examples of which all values are shares, up to two roundings; None if of none."""
    examples = 1
    for value in values:
        share = Fraction(value).limit_denominator(_MOST_EXAMPLES)
        examples = lcm(examples, share.denominator)
        if examples > _MOST_EXAMPLES or abs(float(share) - value) > 2 * ulp(value):
            return None
    return 1 / examples
