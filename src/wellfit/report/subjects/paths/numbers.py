"""The lines of a path, and the rows of its table; the cells of a grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from wellfit.base import StudySummary, SweepGrid, SweepPath
from wellfit.narrative.sweeps import describe_path
from wellfit.report import wording
from wellfit.report.parts import Cell

__all__ = ["STROKES", "GridCell", "Stroke", "grid_metric", "grid_table", "has_zeros",
           "path_marks", "path_reference", "path_sentences", "path_strokes", "path_table", "value_text"]  # fmt: skip

SPLITS: Final = ("train", "validation", "test")


class Stroke(NamedTuple):
    """A line of the figure: its label, the role of its color, its dashes and gaps in multiples of its width."""

    label: str
    role: str
    dash: tuple[int, ...] = ()


STROKES: Final[Mapping[str, Stroke]] = {
    "validation": Stroke("validation", "s1"),
    "test": Stroke("test", "s2", (5, 1, 1, 1)),
    "train": Stroke("training", "s0", (3, 2)),
    "chosen": Stroke("chosen on validation", "muted"),
    "simpler": Stroke("within one standard error", "muted", (4, 2)),
    "reference": Stroke("validation", "muted", (1, 2)),  # of the variant outside the sweep
}
"""Every line of a path: its splits, its marked values, and the variant outside the sweep."""


class GridCell(NamedTuple):
    """A combination: its accuracy, its tint from 0 to 100, whether validation chose it, and all of it in words."""

    text: str
    strength: int
    chosen: bool
    full: str


def path_marks(path: SweepPath) -> dict[str, int]:
    """The marked values: ``"chosen"``, and ``"simpler"`` if the one-standard-error rule allows another value.

    Returns:
      Name in `STROKES` -> position of the value.
    """
    marks = {} if path.chosen is None else {"chosen": path.chosen}
    if path.one_standard_error is not None and path.one_standard_error != path.chosen:
        marks["simpler"] = path.one_standard_error
    return marks


def path_reference(path: SweepPath, metric: str = "accuracy") -> float | None:
    """The validation metric of the variant outside the sweep; None if there is none.

    Args:
      metric: ``"accuracy"`` or ``"loss"``.
    """
    value = path.reference.get(f"validation_{metric}", (math.nan,))[0]
    return value if path.baseline is not None and math.isfinite(value) else None


def path_strokes(path: SweepPath) -> dict[str, Stroke]:
    """The lines that the accuracy figure has, with their labels: for its key."""
    known = [split for split in SPLITS if np.isfinite(path.metrics[f"{split}_accuracy"][0]).any()]
    strokes = {name: STROKES[name] for name in (*known, *path_marks(path))}
    if path_reference(path) is not None:
        stroke = STROKES["reference"]
        strokes["reference"] = stroke._replace(label=f"{stroke.label} of {path.baseline}")
    return strokes


def path_sentences(path: SweepPath) -> tuple[str, ...]:
    """What the path shows, in sentences."""
    return tuple(sentence.text for sentence in describe_path(path))


def has_zeros(path: SweepPath) -> bool:
    """Whether any weight is exactly zero somewhere along the path."""
    return bool(np.any(np.nan_to_num(path.zeros) > 0))


def path_table(path: SweepPath) -> dict[str, Any]:
    """What the page's table of a path shows.

    Returns:
      ``rows``: value, variant, accuracies in the order of `SPLITS`, share of zero weights; ``held``: the settings that
      all of its variants share, as text; ``key``, ``shows_zeros``, ``shows_intervals``.
    """
    rows = tuple(
        (
            value_text(float(path.values[at])),
            variant,
            tuple(_cell(path, split, at) for split in SPLITS),
            wording.percent(float(path.zeros[at])),
        )
        for at, variant in enumerate(path.variants)
    )
    return {
        "key": path.key,
        "held": _held(path.held),
        "rows": rows,
        "shows_zeros": has_zeros(path),
        "shows_intervals": any(cell.interval for _, _, cells, _ in rows for cell in cells),
    }


def grid_metric(grid: SweepGrid) -> str:
    """Test accuracy if any combination has one, validation accuracy before."""
    tested = np.isfinite(grid.metrics.get("test_accuracy", np.array(np.nan))).any()
    return "test_accuracy" if tested else "validation_accuracy"


def grid_table(grid: SweepGrid, summary: StudySummary) -> dict[str, Any]:
    """What the page's table of a grid shows; the tint runs from the lowest accuracy to the highest.

    Args:
      summary: for the intervals of its variants.
    """
    metric = grid_metric(grid)
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
        rows.append((value_text(row), tuple(cells)))
    return {
        "crossed": grid.keys,
        "held": _held(grid.held),
        "metric": wording.METRICS[metric],
        "columns": tuple(map(value_text, grid.columns)),
        "rows": tuple(rows),
        "chosen": grid.chosen is not None,
        "shows_intervals": any(bounds.get(name) for names in grid.variants for name in names),
    }


def value_text(value: Any) -> str:
    """A value of a sweep, short.

    Example:
      >>> [value_text(value) for value in (1e-4, 30000.0, (64, 32), None)]
      ['0.0001', '30,000', '64-32', 'none']
    """
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    if value is None:
        return "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.0f}" if abs(value) >= 1000 and value == round(value) else f"{value:g}"
    return str(value)


def _cell(path: SweepPath, split: str, at: int) -> Cell:
    mean, low, high = (float(column[at]) for column in path.metrics[f"{split}_accuracy"])
    return Cell(wording.percent(mean), wording.interval((low, high)), mean if math.isfinite(mean) else None)


def _held(held: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value_text(value)}" for key, value in held.items())
