"""What is shown of two studies side by side: A is the first, B the second, differences are B minus A."""

from __future__ import annotations

import re
from typing import Final

from wellfit.base import Comparison, StudySummary
from wellfit.narrative.metrics import is_loss, within
from wellfit.narrative.phrases import telling
from wellfit.report import wording
from wellfit.report.parts import Table
from wellfit.study.side_by_side import SideBySide

__all__ = ["difference_table", "headline", "lists", "notes", "pair_table", "place", "verdict_of"]

LISTED: Final = 6
"""Variants that the headline names; of more it says how many."""


def place(summary: StudySummary) -> str:
    """One of the studies in a line: where it is, its data, its seeds, its state."""
    seeds = wording.count(len(summary.seeds), "seed")
    return f"{summary.directory} ({summary.name} on {summary.data}, {seeds}, {summary.state})"


def headline(found: SideBySide) -> str:
    """What the comparisons show, in one or two sentences."""
    by_verdict: dict[str, list[str]] = {}
    for c in found.comparisons:
        by_verdict.setdefault(verdict_of(found, c).rstrip("*"), []).append(c.variant)
    told = []
    for word in ("better", "worse", "equivalent", "identical"):
        if names := by_verdict.get(word):
            to = {"better": "than A", "worse": "than A"}.get(word, "to A")
            told.append(f"B is {word} {to} with {_named(names)}.")
    undecided = by_verdict.get("undecided", [])
    if undecided and told:
        told.append(f"{wording.count(len(undecided), 'variant')} {'is' if len(undecided) == 1 else 'are'} undecided.")
    elif undecided:
        told.append(f"No difference in {wording.compared(found.first)} is certain: "
                    f"{wording.count(len(undecided), 'variant')} compared, "
                    f"{'which is' if len(undecided) == 1 else 'all'} undecided.")  # fmt: skip
    return " ".join(told)


def notes(found: SideBySide) -> tuple[str, ...]:
    """How to read the table: how the studies are compared, and what a verdict takes."""
    lower = " Lower is better." if is_loss(found.first.compared) else ""
    rule = (
        f"Differences are B minus A.{lower} Verdicts: p below 0.05, adjusted for all comparisons here (each interval "
        f"covers one comparison, unadjusted), or equivalent within {within(found.margin, found.first.compared)}."
    )
    star = "* Only runs that did not diverge are compared." if found.survivors else ""
    return tuple(text for text in (*found.how, rule, star) if text)


def pair_table(found: SideBySide) -> Table:
    """Every variant of both: the compared metric in each, the difference, and the verdict on B."""
    name = wording.capitalized(wording.compared(found.first))
    headings = ("Variant", "B is", "B minus A", "95 % interval", "Adjusted p", f"{name}, A", "95 % interval",
                "B", "95 % interval")  # fmt: skip
    return Table(headings, tuple(_row(found, c) for c in found.comparisons), text=2)


def lists(found: SideBySide) -> tuple[str, ...]:
    """Sentences on the variants that only one of the studies has."""
    sides = (("A", found.only_first), ("B", found.only_second))
    return tuple(f"Only {side} has results of: {', '.join(names)}." for side, names in sides if names)


def difference_table(found: SideBySide) -> Table:
    """Settings and facts in which the studies differ."""
    rows = tuple((key, *map(_short, values)) for key, values in found.differences.items())
    return Table(("What differs", "A", "B"), rows, text=3)


def verdict_of(found: SideBySide, c: Comparison) -> str:
    """The verdict on B, with a star if diverged runs were left out."""
    word = "identical" if c.identical else c.verdict
    return f"{word}*" if c.variant in found.survivors else word


# --- Parts ------------------------------------------------------------------------------------------------------------


def _named(names: list[str]) -> str:
    if len(names) > LISTED:
        return f"{len(names)} variants"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _short(value: str) -> str:
    """A value without quotation marks, and of a hash its first digits."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1", value.strip('"'))


def _row(found: SideBySide, c: Comparison) -> tuple[str, ...]:
    cells: list[str] = []
    for summary in (found.first, found.second):
        variant = next(v for v in summary.variants if v.name == c.variant)
        cells += [
            wording.amount(variant.mean.get(c.metric), c.metric),
            wording.bounds(variant.interval.get(c.metric), c.metric) or wording.NOTHING,
        ]
    difference, bounds = wording.difference(c.difference, c.interval if telling(c.interval) else None, c.metric)
    p = wording.p_value(c.p_adjusted)
    return c.variant, verdict_of(found, c), difference, bounds or wording.NOTHING, p, *cells
