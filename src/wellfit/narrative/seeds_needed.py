"""How many seeds a comparison takes, in sentences, before anything is trained."""

from __future__ import annotations

from typing import Final

from wellfit.analysis.seeds_needed import MOST_SEEDS, PowerCurve
from wellfit.narrative.phrases import counted

__all__ = ["power_sentences"]

_NEAR: Final = 1.1
"""Times the limit: from here on, more seeds lower it by less than a tenth."""


def power_sentences(curve: PowerCurve) -> tuple[str, ...]:
    """The power of the planned seeds, what would suffice, where more seeds cannot help, and what all that rests on.

    Example:
      >>> from wellfit.analysis.seeds_needed import power_curve
      >>> for text in power_sentences(power_curve(0.88, 0.003, 10_000))[:2]:
      ...     print(text[:90])
      With 5 seeds and 10,000 test examples, a true difference of 0.30 points is recognized with
      No number of seeds decides 0.30 points with 80 % power: with 10,000 test examples, only di
    """
    return _planned(curve), _needed(curve), *_limit(curve), _assumed(curve)


def _planned(curve: PowerCurve) -> str:
    design = f"With {counted(curve.seeds, 'seed')} and {curve.examples:,} test examples"
    if curve.seeds < 2:
        return f"{design}, nothing is decided: comparing variants takes at least two seeds."
    among = "" if curve.comparisons == 1 else f", as one of {curve.comparisons} comparisons"
    reach = "no difference" if curve.planned.difference >= 1 else f"differences of {_points(curve.planned.difference)}"
    return (
        f"{design}, a true difference of {_points(curve.difference)} is recognized with a probability of "
        f"{100 * curve.planned.power:.0f} %{among}; {100 * curve.probability:.0f} % power is reached for {reach}"
        f"{'' if curve.planned.difference >= 1 else ' or more'}."
    )


def _needed(curve: PowerCurve) -> str:
    wanted = f"{_points(curve.difference)} with {100 * curve.probability:.0f} % power"
    if curve.needed is not None:
        return f"Deciding {wanted} takes {counted(curve.needed, 'seed')}."
    if curve.endless.power >= curve.probability:
        return f"Deciding {wanted} takes more than {MOST_SEEDS:,} seeds."
    return (
        f"No number of seeds decides {wanted}: with {curve.examples:,} test examples, only differences of "
        f"{_points(curve.endless.difference)} or more can be decided."
    )


def _limit(curve: PowerCurve) -> list[str]:
    """Where more seeds cannot help."""
    close = [row for row in curve.rows if row.difference <= _NEAR * curve.endless.difference]
    limit = _points(curve.endless.difference)
    if not close:
        return [f"More seeds lower the smallest decidable difference, to {limit} at best; then the test set limits it."]
    return [
        f"With {close[0].seeds:.0f} seeds the smallest decidable difference, {_points(close[0].difference)}, is within "
        f"a tenth of its limit, {limit}; below that only more test examples help."
    ]


def _assumed(curve: PowerCurve) -> str:
    return (
        f"Assumed: with one seed, exactly one of two variants is right on {100 * curve.disagreement:.2f} % of the "
        f"examples, on {100 * curve.disagreement * curve.lasting:.2f} % with every seed; a variant's accuracy has a "
        f"standard deviation of {_points(curve.seed_sd)} over the seeds."
    )


def _points(difference: float) -> str:
    """Two decimals, since designs differ by less than a tenth of a point."""
    return f"{100 * difference:.2f} points"
