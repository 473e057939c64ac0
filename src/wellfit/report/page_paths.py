"""What the page says of sweeps: a path by one setting, a map where two are crossed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wellfit.details import SweepGrid, SweepPath
from wellfit.report import wording

__all__ = ["GridCell", "GridPanel", "PathPanel", "grid_panel", "path_panel"]


@dataclass(frozen=True)
class PathPanel:
    """A path in words, with its table."""

    key: str
    held: str
    said: tuple[str, ...]
    marks: tuple[tuple[str, str], ...]  # the stroke of a line in the chart, and what it stands for
    rows: tuple[tuple[str, ...], ...]  # value, variant, training, validation, test, zero weights
    shows_zeros: bool


@dataclass(frozen=True)
class GridCell:
    """One crossing: its variant, its percent, the strength of its tint, whether it is the chosen one."""

    variant: str
    text: str
    strength: int
    chosen: bool


@dataclass(frozen=True)
class GridPanel:
    """A map: the settings that are crossed, what is shown, and the cells by row."""

    keys: tuple[str, str]
    held: str
    metric: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[GridCell, ...]], ...]


def path_panel(path: SweepPath) -> PathPanel:
    """Write down what a path shows.

    Args:
      path: of a sweep over one number.

    Returns:
      Sentences on the chosen value, and a row for every value.
    """
    zeros = path.zeros
    shows = bool(np.any(np.nan_to_num(zeros) > 0))
    rows = []
    for at, variant in enumerate(path.variants):
        numbers = [_accuracy(path, split, at) for split in ("train", "validation", "test")]
        rows.append(
            (_value(float(path.values[at])), variant, *numbers, *([_percent(float(zeros[at]))] if shows else []))
        )
    return PathPanel(path.key, _held(path.held), tuple(_said(path)), _marks(path), tuple(rows), shows)


def grid_panel(grid: SweepGrid) -> GridPanel:
    """Write down a map: test accuracy where there is one, validation accuracy before.

    Args:
      grid: of a sweep that crosses two settings.

    Returns:
      Its cells; the tint runs from the lowest to the highest.
    """
    tested = bool(np.isfinite(grid.metrics.get("test_accuracy", np.array(np.nan))).any())
    metric = "test_accuracy" if tested else "validation_accuracy"
    values = grid.metrics[metric]  # (R, C)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    rows = []
    for r, row in enumerate(grid.rows):
        cells = []
        for c, variant in enumerate(grid.variants[r]):
            value = float(values[r, c])
            strength = round(100 * (value - low) / ((high - low) or 1.0)) if math.isfinite(value) else 0
            cells.append(GridCell(variant, _percent(value), strength, (r, c) == grid.chosen))
        rows.append((_value(row), tuple(cells)))
    return GridPanel(
        grid.keys, _held(grid.held), wording.METRICS[metric], tuple(map(_value, grid.columns)), tuple(rows)
    )


def _marks(path: SweepPath) -> tuple[tuple[str, str], ...]:
    chosen = (("upright", "chosen by validation"),) if path.chosen is not None else ()
    simpler = (("upright dashed", "within one standard error"),) if path.one_standard_error is not None else ()
    beside = (("bar dotted", f"test accuracy of {path.baseline}"),) if "test_accuracy" in path.reference else ()
    return (*chosen, *simpler, *beside)


def _said(path: SweepPath) -> list[str]:
    if path.chosen is None:
        return ["No value is chosen before two seeds have finished."]
    said = [
        f"{path.key} = {_value(float(path.values[path.chosen]))} has the highest validation accuracy "
        f"({_accuracy(path, 'validation', path.chosen)}); its test accuracy is {_accuracy(path, 'test', path.chosen)}."
    ]
    if path.one_standard_error is not None and path.one_standard_error != path.chosen:
        furthest = _value(float(path.values[path.one_standard_error]))
        said.append(f"Up to {path.key} = {furthest} it stays within one standard error.")
    if path.at_edge is not None:
        side = "lowest" if path.at_edge == "low" else "highest"
        said.append(f"It is the {side} value that was tried: the best may lie beyond it.")
    return said


def _accuracy(path: SweepPath, split: str, at: int) -> str:
    return _percent(float(path.metrics[f"{split}_accuracy"][0][at]))


def _percent(value: float) -> str:
    return wording.percent(value)


def _held(held: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {_value(value)}" for key, value in held.items())


def _value(value: Any) -> str:
    return f"{value:.4g}".replace("e-0", "e-") if isinstance(value, float) else str(value)
