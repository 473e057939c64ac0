"""Numbers, names and comparisons as phrases of a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from wellfit.analysis.intervals import t_interval
from wellfit.base import Comparison, Ranked

__all__ = [
    "FEW",
    "counted",
    "difference_with_interval",
    "further_seeds_sentence",
    "listed",
    "mean_percent",
    "mean_points",
    "points",
    "runs_of",
    "separation",
    "several",
]

FEW: Final = 3
"""Names that a sentence lists before it counts the rest; a single one more is listed too."""


# --- Numbers ----------------------------------------------------------------------------------------------------------


def points(difference: float, signed: bool = False) -> str:
    """A difference of accuracies in percentage points: one decimal, or two if below 0.1.

    For sentences, which must also print on terminals without Unicode; tables have two decimals and a true minus sign.

    Args:
      difference: as a fraction of 1.
      signed: whether a positive difference gets a plus sign.

    Example:
      >>> points(0.0061, signed=True), points(-0.0123), points(0.0004), points(0.0)
      ('+0.6', '-1.2', '0.04', '0.0')
    """
    value = 100 * difference
    decimals = 1 if abs(value) >= 0.1 or value == 0 else 2
    value = round(value, decimals) + 0.0  # + 0.0 turns -0.0 into 0.0
    return f"{value:{'+' if signed and value > 0 else ''}.{decimals}f}"


def mean_points(values: Iterable[float]) -> str:
    """The mean of fractions in percentage points, with its 95 % t interval for three seeds or more.

    Example:
      >>> mean_points([0.07, 0.08, 0.075]), mean_points([0.07])
      ('7.5 points [6.3, 8.7]', '7.0 points')
    """
    numbers = list(values)
    interval = t_interval(numbers) if len(numbers) > 2 else None  # with two seeds it is too wide to be useful
    bounds = "" if interval is None else f" [{points(interval[0])}, {points(interval[1])}]"
    return f"{points(float(np.mean(numbers)))} points{bounds}"


def mean_percent(values: Iterable[float]) -> str:
    """The mean of accuracies in percent, with its 95 % t interval, clipped to [0, 100], for three seeds or more.

    Example:
      >>> mean_percent([0.12, 0.1, 0.11]), mean_percent([1.0])
      ('11.0 % [8.5, 13.5]', '100.0 %')
    """
    numbers = list(values)
    interval = t_interval(numbers) if len(numbers) > 2 else None
    bounds = "" if interval is None else f" [{100 * max(interval[0], 0):.1f}, {100 * min(interval[1], 1):.1f}]"
    return f"{100 * float(np.mean(numbers)):.1f} %{bounds}"


def runs_of(some: int, total: int) -> str:
    """How many of the runs.

    Example:
      >>> runs_of(2, 3), runs_of(1, 1)
      ('2 of 3 runs', '1 of 1 run')
    """
    return f"{some} of {counted(total, 'run')}"


def counted(n: int, noun: str) -> str:
    """A number and its noun.

    Example:
      >>> counted(1, "seed"), counted(10_000, "test example")
      ('1 seed', '10,000 test examples')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


# --- Names ------------------------------------------------------------------------------------------------------------


def listed(names: Sequence[str], conjunction: str = "and") -> str:
    """All names, as a sentence lists them.

    Example:
      >>> listed(["l2"]), listed(["l1", "l2", "dropout"]), listed(["l1", "l2"], "or")
      ('l2', 'l1, l2 and dropout', 'l1 or l2')
    """
    return f" {conjunction} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def several(names: Sequence[str], conjunction: str = "and") -> str:
    """All of a few names, or the first of many and the number of the others.

    Example:
      >>> several(["a", "b", "c", "d"]), several(["a", "b", "c", "d", "e"])
      ('a, b, c and d', 'a, b, c and 2 others')
    """
    return listed(names if len(names) <= FEW + 1 else [*names[:FEW], f"{len(names) - FEW} others"], conjunction)


# --- Comparisons ------------------------------------------------------------------------------------------------------


def difference_with_interval(c: Comparison) -> str:
    """A comparison's difference with its interval, clipped to possible differences of accuracies.

    If the interval excludes 0 and the comparison is undecided all the same, the reason follows: the p-value after
    Holm's correction.

    Example:
      >>> difference_with_interval(Comparison("a", "b", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better"))
      '+0.6 points [0.2, 1.0]'
    """
    difference = f"{points(c.difference, signed=True)} points"
    if c.interval is None:
        return difference
    low, high = max(c.interval[0], -1.0), min(c.interval[1], 1.0)
    bounds = f"[{points(low)}, {points(high)}]"
    if c.verdict == "undecided" and not low <= 0 <= high and c.p_adjusted is not None:
        bounds += f", p = {c.p_adjusted:.2g} after Holm's correction"
    return f"{difference} {bounds}"


def separation(
    leader: str, ranking: Sequence[Ranked], comparisons: Sequence[Comparison]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The other variants of a ranking: those separated from the leader, and those that are not.

    The letters ask more questions than the verdicts do, so any pair that a verdict separates counts as separated.

    Args:
      leader: a variant in the ranking.
      ranking: with letters.
      comparisons: all that the study made.

    Example:
      >>> separation("a", [Ranked("a", 0.9, "a"), Ranked("b", 0.8, "ab"), Ranked("c", 0.5, "b")], [])
      (('c',), ('b',))
    """
    letters = {r.variant: set(r.letters.split(",") if "," in r.letters else r.letters) for r in ranking}
    decided = {frozenset((c.variant, c.against)) for c in comparisons if c.verdict in ("better", "worse")}
    others = [r.variant for r in ranking if r.variant != leader]
    alike = [v for v in others if letters[v] & letters[leader] and frozenset((v, leader)) not in decided]
    return tuple(v for v in others if v not in alike), tuple(alike)


def further_seeds_sentence(needed: Mapping[str, int | None]) -> str:
    """How many further seeds would probably decide.

    Args:
      needed: undecided variant -> the number of seeds, or None if no number would suffice.

    Example:
      >>> further_seeds_sentence({"l2": 12, "l1": None})[:67]
      'Further seeds that would probably suffice, if fixed in advance: 12 '
      >>> further_seeds_sentence({"l2": None})
      'More seeds alone are unlikely to decide l2; that would take more test examples.'
    """
    known = sorted((n, name) for name, n in needed.items() if n is not None)
    unlikely = several([name for name, n in needed.items() if n is None])
    if not known:
        return f"More seeds alone are unlikely to decide {unlikely}; that would take more test examples."
    shown = known if len(known) <= FEW + 1 else known[:FEW]
    numbers = ", ".join(f"{n} for {name}" for n, name in shown)
    if len(shown) < len(known):
        numbers += f", and up to {known[-1][0]} for {len(known) - len(shown)} others"
    rest = f"; more seeds alone are unlikely to decide {unlikely}" if unlikely else ""
    return f"Further seeds that would probably suffice, if fixed in advance: {numbers}{rest}."
