"""Numbers, names and comparisons as the sentences of a report say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from wellfit.base import Comparison, Ranked

__all__ = ["FEW", "bounded", "counted", "further", "listed", "peers", "points", "several"]

FEW: Final = 3
"""Names that a sentence lists before it counts the others; one more is listed too."""


def points(difference: float, signed: bool = False) -> str:
    """A difference of accuracies in percentage points: one decimal, two where it is below 0.1.

    For sentences, which are also read on terminals of any encoding; tables have two decimals and a true minus sign.

    Args:
      difference: as a share of 1.
      signed: whether a positive one shows its sign.

    Example:
      >>> points(0.0061, signed=True), points(-0.0123), points(0.0004), points(0.0)
      ('+0.6', '-1.2', '0.04', '0.0')
    """
    value = 100 * difference
    decimals = 1 if abs(value) >= 0.1 or value == 0 else 2
    value = round(value, decimals) + 0.0  # + 0.0 makes -0.0 a plain 0
    return f"{value:{'+' if signed and value > 0 else ''}.{decimals}f}"


def bounded(c: Comparison) -> str:
    """A comparison's difference with its interval, cut to what differences of accuracies can be.

    Where an interval without 0 is undecided all the same, the reason follows: the p-value after Holm's correction.

    Example:
      >>> bounded(Comparison("a", "b", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better"))
      '+0.6 points [0.2, 1.0]'
    """
    told = f"{points(c.difference, signed=True)} points"
    if c.interval is None:
        return told
    low, high = max(c.interval[0], -1.0), min(c.interval[1], 1.0)
    told += f" [{points(low)}, {points(high)}]"
    if c.verdict == "undecided" and not low <= 0 <= high and c.p_adjusted is not None:
        told += f", p = {c.p_adjusted:.2g} after Holm's correction"
    return told


def peers(
    leader: str, ranking: Sequence[Ranked], compared: Sequence[Comparison]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The others of a ranking, those that are told apart from the leader and those that are not.

    The letters ask more questions than the verdicts do: what a verdict tells apart stays so.

    Args:
      leader: a variant of the ranking.
      ranking: with letters.
      compared: what the study compared.

    Example:
      >>> peers("a", [Ranked("a", 0.9, "a"), Ranked("b", 0.8, "ab"), Ranked("c", 0.5, "b")], [])
      (('c',), ('b',))
    """
    letters = {r.variant: set(_columns(r.letters)) for r in ranking}
    decided = {frozenset((c.variant, c.against)) for c in compared if c.verdict in ("better", "worse")}
    others = [r.variant for r in ranking if r.variant != leader]
    alike = [v for v in others if letters[v] & letters[leader] and frozenset((v, leader)) not in decided]
    return tuple(v for v in others if v not in alike), tuple(alike)


def _columns(letters: str) -> list[str]:
    return letters.split(",") if "," in letters else list(letters)


def further(needed: Mapping[str, int | None]) -> str:
    """How many further seeds would probably decide, in words.

    Args:
      needed: what is undecided -> the number, or None where none would do.

    Example:
      >>> further({"l2": 12, "l1": None})
      'If fixed beforehand, further seeds would probably decide: 12 for l2; more seeds alone would hardly decide l1.'
      >>> further({"l2": None})
      'More seeds alone would hardly decide l2: that takes more test images.'
    """
    known = sorted((n, name) for name, n in needed.items() if n is not None)
    hardly = several([name for name, n in needed.items() if n is None])
    if not known:
        return f"More seeds alone would hardly decide {hardly}: that takes more test images."
    shown = known if len(known) <= FEW + 1 else known[:FEW]
    told = ", ".join(f"{n} for {name}" for n, name in shown)
    if len(shown) < len(known):
        told += f", and up to {known[-1][0]} for {len(known) - len(shown)} others"
    rest = f"; more seeds alone would hardly decide {hardly}" if hardly else ""
    return f"If fixed beforehand, further seeds would probably decide: {told}{rest}."


def listed(names: Sequence[str]) -> str:
    """Words as a sentence lists them.

    Example:
      >>> listed(["l2"]), listed(["l1", "l2", "dropout"])
      ('l2', 'l1, l2 and dropout')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def several(names: Sequence[str]) -> str:
    """Names as a sentence lists them: all of a few, the first of many and how many others.

    Example:
      >>> several(["a", "b", "c", "d"]), several(["a", "b", "c", "d", "e"])
      ('a, b, c and d', 'a, b, c and 2 others')
    """
    return listed(names if len(names) <= FEW + 1 else [*names[:FEW], f"{len(names) - FEW} others"])


def counted(n: int, noun: str) -> str:
    """A number and its noun.

    Example:
      >>> counted(1, "seed"), counted(10_000, "test example")
      ('1 seed', '10,000 test examples')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
