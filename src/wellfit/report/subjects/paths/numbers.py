"""What the page says of sweeps: a path by one setting, a map where two are crossed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from wellfit.base import StudySummary, SweepGrid, SweepPath
from wellfit.narrative.sweeps import describe_path
from wellfit.report import wording
from wellfit.report.subjects.paths.strokes import PATH_STROKES, path_marks, path_reference
from wellfit.report.subjects.results.numbers import Cell

__all__ = ["GridCell", "GridPanel", "KeyStroke", "PathPanel", "PathRow", "grid_panel", "path_panel"]

SPLITS: Final = ("train", "validation", "test")


@dataclass(frozen=True)
class KeyStroke:
    """A line of the figure as its key shows it: what it stands for, its color's role, its dashes in widths."""

    said: str
    role: str
    dash: tuple[int, ...]
    upright: bool


@dataclass(frozen=True)
class PathRow:
    """One value of a path: its variant, its accuracies in the order of `SPLITS`, and the zero weights."""

    value: str
    variant: str
    cells: tuple[Cell, ...]
    zeros: str


@dataclass(frozen=True)
class PathPanel:
    """A path in words, with its table and the key of its figure."""

    key: str
    held: str
    said: tuple[str, ...]
    strokes: tuple[KeyStroke, ...]
    rows: tuple[PathRow, ...]
    shows_zeros: bool
    shows_intervals: bool


@dataclass(frozen=True)
class GridCell:
    """One crossing: its percent, the strength of its tint, whether it is the chosen one, and all of it in words."""

    text: str
    strength: int
    chosen: bool
    full: str


@dataclass(frozen=True)
class GridPanel:
    """A map: the settings that are crossed, what is shown, and the cells by row."""

    keys: tuple[str, str]
    held: str
    metric: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[GridCell, ...]], ...]
    chosen: bool
    shows_intervals: bool


def path_panel(path: SweepPath) -> PathPanel:
    """Write down what a path shows.

    Args:
      path: of a sweep over one number.

    Returns:
      The sentences of the figure's alt text, and a row for every value.
    """
    rows = tuple(
        PathRow(
            _value(float(path.values[at])),
            variant,
            tuple(_cell(path, split, at) for split in SPLITS),
            wording.percent(float(path.zeros[at])),
        )
        for at, variant in enumerate(path.variants)
    )
    return PathPanel(
        key=path.key,
        held=_held(path.held),
        said=tuple(sentence.text for sentence in describe_path(path)),
        strokes=_strokes(path),
        rows=rows,
        shows_zeros=bool(np.any(np.nan_to_num(path.zeros) > 0)),
        shows_intervals=any(cell.interval for row in rows for cell in row.cells),
    )


def grid_panel(grid: SweepGrid, summary: StudySummary) -> GridPanel:
    """Write down a map: test accuracy where there is one, validation accuracy before.

    Args:
      grid: of a sweep that crosses two settings.
      summary: the study, which knows the intervals of its variants.

    Returns:
      Its cells; the tint runs from the lowest to the highest.
    """
    tested = bool(np.isfinite(grid.metrics.get("test_accuracy", np.array(np.nan))).any())
    metric = "test_accuracy" if tested else "validation_accuracy"
    values = grid.metrics[metric]  # (R, C)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    bounds = {v.name: wording.interval(v.interval.get(metric)) for v in summary.variants}
    rows = []
    for r, row in enumerate(grid.rows):
        cells = []
        for c, variant in enumerate(grid.variants[r]):
            value = float(values[r, c])
            strength = round(100 * (value - low) / ((high - low) or 1.0)) if math.isfinite(value) else 0
            text = wording.percent(value)
            full = f"{variant}: {text} {bounds.get(variant, '')}".rstrip()
            cells.append(GridCell(text, strength, (r, c) == grid.chosen, full))
        rows.append((_value(row), tuple(cells)))
    return GridPanel(
        keys=grid.keys,
        held=_held(grid.held),
        metric=wording.METRICS[metric],
        columns=tuple(map(_value, grid.columns)),
        rows=tuple(rows),
        chosen=grid.chosen is not None,
        shows_intervals=any(bounds.get(name) for line in grid.variants for name in line),
    )


def _strokes(path: SweepPath) -> tuple[KeyStroke, ...]:
    """The lines that the figure has; of those of the splits, the ones with a number."""
    known = [split for split in SPLITS if np.isfinite(path.metrics[f"{split}_accuracy"][0]).any()]
    beside = ["reference"] if path_reference(path) is not None else []
    said = {"reference": f"{PATH_STROKES['reference'].said} of {path.baseline}"}
    marks = path_marks(path)
    return tuple(
        KeyStroke(said.get(name, stroke.said), stroke.role, stroke.dash, name in marks)
        for name in (*known, *marks, *beside)
        for stroke in [PATH_STROKES[name]]
    )


def _cell(path: SweepPath, split: str, at: int) -> Cell:
    mean, low, high = (float(column[at]) for column in path.metrics[f"{split}_accuracy"])
    return Cell(wording.percent(mean), wording.interval((low, high)), mean if math.isfinite(mean) else None)


def _held(held: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {_value(value)}" for key, value in held.items())


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
