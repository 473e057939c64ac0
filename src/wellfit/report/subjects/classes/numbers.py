"""Recall, precision and F1 of every class as text, and the gain in recall over the first variant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from wellfit.base import ClassTable, FloatArray, StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.numbers import of_variants

__all__ = ["ClassPanel", "ClassRow", "Gain", "class_panels", "class_rows", "gain_rows", "hardest"]


MOST_ROWS: Final = 5000
"""Of all tables of a page together; a row and its gain take about 280 bytes, so that those of up to 166 variants stay
below 1.5 MB."""

FEWEST: Final = 30
"""Classes that are shown of any number of variants."""


@dataclass(frozen=True)
class Gain:
    """The gain in recall of one class, in percentage points.

    Args:
      text: with one decimal.
      interval: its 95 % interval, likewise; empty if there is none.
      kind: ``"up"`` or ``"down"`` where the interval excludes zero, ``"open"`` otherwise.
      strength: of the tint, 0 to 100.
      full: variant, class, and the numbers with two decimals.
    """

    text: str
    interval: str
    kind: str
    strength: int
    full: str


@dataclass(frozen=True)
class ClassRow:
    """One class in the table of a variant; shares in percent."""

    name: str
    support: str
    recall: str
    interval: str
    precision: str
    f1: str
    gain: Gain | None


@dataclass(frozen=True)
class ClassPanel:
    """The table of a variant: its position, its name, its rows."""

    index: int
    name: str
    rows: tuple[ClassRow, ...]


def class_panels(summary: StudySummary, details: StudyDetails) -> tuple[ClassPanel, ...]:
    """A table of every class for every tested variant."""
    tables = of_variants(summary, details.by_class)
    return tuple(ClassPanel(index, name, class_rows(table, summary.classes)) for index, name, table in tables)


def class_rows(table: ClassTable, classes: Sequence[str]) -> tuple[ClassRow, ...]:
    """A row for every class, in the order of the labels."""
    return tuple(
        ClassRow(
            name=name,
            support=f"{int(table.support[k]):,}",
            recall=wording.percent(float(table.recall[k]), ""),
            interval=wording.interval((float(table.recall_low[k]), float(table.recall_high[k]))),
            precision=wording.percent(float(table.precision[k]), ""),
            f1=wording.percent(float(table.f1[k]), ""),
            gain=None if table.gain is None else _gain(table, table.gain, k, name),
        )
        for k, name in enumerate(classes)
    )


def hardest(tables: Sequence[ClassTable]) -> list[int]:
    """The classes whose rows a page has room for: those with the lowest recall, on average over the variants.

    Args:
      tables: of the variants, one at least.

    Returns:
      Their positions, ascending; all of them unless there are very many.
    """
    recall = np.mean([table.recall for table in tables], axis=0)  # (K,)
    room = max(FEWEST, MOST_ROWS // len(tables))
    return sorted(np.argsort(recall, kind="stable")[:room].tolist())


def gain_rows(panels: Sequence[ClassPanel]) -> tuple[tuple[int, str, tuple[Gain, ...]], ...]:
    """Position and name of every variant but the first, and its gain in each class."""
    gains = ((panel.index, panel.name, tuple(row.gain for row in panel.rows if row.gain)) for panel in panels)
    return tuple(row for row in gains if row[2])


def _gain(table: ClassTable, gains: FloatArray, k: int, name: str) -> Gain:
    value = float(gains[k])
    if not math.isfinite(value):
        return Gain(wording.NOTHING, "", "open", 0, f"{table.variant}, {name}: {wording.NOTHING}")
    low, high = (math.nan if bound is None else float(bound[k]) for bound in (table.gain_low, table.gain_high))
    kind = "up" if low > 0 else "down" if high < 0 else "open"
    interval, exact = (wording.interval((low, high), digits=digits, signed=True) for digits in (1, 2))
    text = wording.number(100 * value, 1, signed=True) if abs(value) >= 0.0005 else "0"
    full = f"{table.variant}, {name}: {wording.points(value, signed=True)} points {exact}".rstrip()
    return Gain(text, interval, kind, min(100, round(1000 * abs(value))), full)
