"""Numbers, names and comparisons as phrases of a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from wellfit.analysis.intervals import t_interval
from wellfit.base import Comparison, Ranked, VariantSummary
from wellfit.narrative.metrics import amount, change, change_bounds, points

__all__ = [
    "FEW",
    "Separation",
    "counted",
    "difference_with_interval",
    "further_seeds_sentence",
    "leader_accuracy",
    "listed",
    "mean_percent",
    "mean_points",
    "points",
    "runs_of",
    "separation",
    "several",
    "telling",
]

FEW: Final = 3
"""Names that a sentence lists before it counts the rest; a single one more is listed too."""


# --- Numbers ----------------------------------------------------------------------------------------------------------


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


def telling(interval: tuple[float, float] | None) -> bool:
    """Whether an interval of a difference tells anything: one of 100 points or more, as of two seeds, does not.

    Example:
      >>> telling((-0.02, 0.03)), telling((-1.0, 1.0)), telling(None)
      (True, False, False)
    """
    return interval is not None and min(interval[1], 1.0) - max(interval[0], -1.0) < 1


def difference_with_interval(c: Comparison, surviving: bool = False) -> str:
    """A comparison's difference with its interval, clipped to possible differences of shares.

    If the interval excludes 0 and the comparison is undecided all the same, the reason follows: the p-value after
    correction for the number of comparisons.

    Args:
      surviving: whether diverged runs were left out, which the text then says.

    Example:
      >>> c = Comparison("a", "b", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> difference_with_interval(c), difference_with_interval(c, surviving=True)
      ('+0.6 points [0.2, 1.0]', '+0.6 points [0.2, 1.0], surviving runs')
    """
    text = change(c.difference, c.metric, signed=True)
    if c.interval is not None and telling(c.interval):
        text += f" {change_bounds(c.interval, c.metric)}"
        if c.verdict == "undecided" and not c.interval[0] <= 0 <= c.interval[1] and c.p_adjusted is not None:
            text += f", adjusted p = {c.p_adjusted:.2g}"
    return f"{text}, surviving runs" if surviving else text


class Separation(NamedTuple):
    """The other variants of a ranking, seen from its leader.

    Args:
      behind: those that share no letter with it.
      alike: those that share one.
      ahead: of those behind, the ones whose verdict says better: over common seeds, while the means are over all runs.
    """

    behind: tuple[str, ...]
    alike: tuple[str, ...]
    ahead: tuple[str, ...]


def separation(leader: str, ranking: Sequence[Ranked], comparisons: Sequence[Comparison]) -> Separation:
    """The other variants of a ranking, by their letters alone.

    Args:
      leader: a variant in the ranking.
      ranking: with letters.
      comparisons: all that the study made.

    Example:
      >>> separation("a", [Ranked("a", 0.9, "a"), Ranked("b", 0.8, "ab"), Ranked("c", 0.5, "b")], [])
      Separation(behind=('c',), alike=('b',), ahead=())
    """
    letters = {r.variant: set(r.letters.split(",") if "," in r.letters else r.letters) for r in ranking}
    others = [r.variant for r in ranking if r.variant != leader]
    ahead = {c.variant for c in comparisons if (c.against, c.verdict) == (leader, "better")}
    ahead |= {c.against for c in comparisons if (c.variant, c.verdict) == (leader, "worse")}
    apart = [v for v in others if not letters[v] & letters[leader]]
    return Separation(
        tuple(v for v in apart if v not in ahead),
        tuple(v for v in others if v not in apart),
        tuple(v for v in apart if v in ahead),
    )


def leader_accuracy(
    leader: Ranked,
    ranking: Sequence[Ranked],
    expected: float | None,
    variant: VariantSummary | None = None,
    metric: str = "test_accuracy",
) -> str:
    """The leader's mean; over its surviving runs if others diverged; and what to expect if luck made part of it.

    Args:
      leader: the first in the ranking.
      ranking: all of it.
      expected: what to expect of the first, see ``rankings.expected_of_leader``.
      variant: the leader.
      metric: what the ranking is about.

    Example:
      >>> ranking = [Ranked("a", 0.9, "a"), Ranked("b", 0.89, "a"), Ranked("c", 0.88, "a")]
      >>> leader_accuracy(ranking[0], ranking, 0.893), leader_accuracy(ranking[0], ranking, 0.9)
      ('90.00 % (the best of 3; expect about 89.3 % on new data)', '90.00 %')
    """
    text = amount(leader.mean, metric)
    if variant is not None and (diverged := sum(run.state == "diverged" for run in variant.runs)):
        text += f" in surviving runs ({diverged} of {len(variant.runs)} diverged)"
    if expected is not None and abs(leader.mean - expected) >= 0.0005:
        text += f" (the best of {len(ranking)}; expect about {amount(expected, metric, 1)} on new data)"
    return text


def further_seeds_sentence(needed: Mapping[str, int | None], elsewhere: bool = False, known: bool = True) -> str:
    """Whether further seeds may decide, and how to add them without more false claims.

    Args:
      needed: undecided variant -> the number of seeds that would probably suffice, or None if no number would.
      elsewhere: whether others train the seeds.
      known: whether the test examples are known.

    Example:
      >>> further_seeds_sentence({"l2": 12, "l1": None})[:58]
      'More seeds may decide l2: --until-decided adds them in pla'
      >>> further_seeds_sentence({"l2": None})
      'More seeds alone are unlikely to decide l2; that would take more test examples.'
    """
    likely = several([name for name, n in needed.items() if n is not None])
    unlikely = several([name for name, n in needed.items() if n is None])
    if not likely:
        more = "; that would take more test examples" if known else ""
        return f"More seeds alone are unlikely to decide {unlikely}{more}."
    rest = f" More seeds alone are unlikely to decide {unlikely}." if unlikely else ""
    how = "--until-decided adds them in planned interim analyses, which keep false claims at 5 %"
    if elsewhere:
        how = "judge them in looks that were planned before (--look), which keeps false claims at 5 %"
    return f"More seeds may decide {likely}: {how}.{rest}"
