"""Sweeps as paths and grids: variants of a study that differ in one number, or in two settings that cross.

They are recognized by their complete recipes, whether written as a sweep or one by one. What is chosen on a path is
chosen by validation scores; test scores are only reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np

from wellfit.analysis.selection import ValidationSet, best_by_validation, one_standard_error
from wellfit.analysis.settings import (
    DATA_SETTINGS,
    DIRECTION,
    ZERO_IS_NONE,
    FlatRecipe,
    flat_recipes,
    is_number,
)
from wellfit.base import FloatArray, StudySummary, SweepGrid, SweepPath, VariantSummary

__all__ = ["chosen_by_validation", "sweep_grids", "sweep_paths"]

_SHARES: Final = ("dropout", "label_smoothing", "label_noise", "momentum", "average.decay", "augmentation.")
_METRICS: Final = (
    *(f"{split}_{what}" for split in ("train", "validation", "test") for what in ("accuracy", "loss")),
    "generalization_gap",
)


# --- How variants differ ----------------------------------------------------------------------------------------------


def _varying(flat: Mapping[str, FlatRecipe]) -> list[str]:
    """The keys in which any two variants differ, in the order of the recipes."""
    keys = dict.fromkeys(key for recipe in flat.values() for key in recipe)
    return [key for key in keys if len({recipe.get(key) for recipe in flat.values()}) > 1]


def _groups(flat: Mapping[str, FlatRecipe], keys: Sequence[str], varying: Sequence[str]) -> list[list[str]]:
    """The variants that differ in these keys only, group by group."""
    others = [key for key in varying if key not in keys]
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, recipe in flat.items():
        groups.setdefault(tuple(recipe.get(key) for key in others), []).append(name)
    return list(groups.values())


def _held(flat: Mapping[str, FlatRecipe], name: str, keys: Sequence[str], varying: Sequence[str]) -> dict[str, Any]:
    """What a variant changes besides these keys, compared with the first variant."""
    first = next(iter(flat.values()))
    changed = [key for key in varying if key not in keys and flat[name].get(key) != first.get(key)]
    return {key: flat[name][key] for key in changed if key in flat[name]}


def chosen_by_validation(key: str) -> bool:
    """Whether validation scores may choose the value of a setting: not of the data, nor of a rule that reads them.

    Example:
      >>> chosen_by_validation("l2"), chosen_by_validation("examples"), chosen_by_validation("early_stopping.patience")
      (True, False, False)
    """
    return key not in DATA_SETTINGS and key.split(".", maxsplit=1)[0] != "early_stopping"


# --- One number -------------------------------------------------------------------------------------------------------


def sweep_paths(summary: StudySummary, zeros: Mapping[str, float] | None = None) -> tuple[SweepPath, ...]:
    """Every sweep over one number: at least three variants that differ in nothing else.

    The value is chosen by mean validation accuracy over the seeds. The one-standard-error rule takes the most
    regularized value whose mean is at least that of the chosen one minus its standard error, ``sd / sqrt(S)`` over S
    seeds, with the variance that shared validation examples add. Both use validation scores only. No value of an
    early-stopping rule is chosen: the rule itself chose each run's epoch by its validation score. Source: Breiman,
    Friedman, Olshen & Stone (1984), "Classification and regression trees", section 3.4.3; Hastie, Tibshirani & Friedman
    (2009), "The elements of statistical learning", section 7.10; ``lambda.1se`` of glmnet, Friedman, Hastie &
    Tibshirani (2010), J. Stat. Softw. 33(1).

    Args:
      summary: the study, in any state.
      zeros: variant -> fraction of its kernel weights that are exactly zero, if known.

    Returns:
      The paths, in the order of the keys in a recipe, without the rows and columns of ``sweep_grids``.
    """
    flat = flat_recipes(summary)
    varying = _varying(flat)
    crossed = [{name for row in grid.variants for name in row} for grid in sweep_grids(summary) if _numeric(grid)]
    variants = {v.name: v for v in summary.variants}
    paths = []
    for key in varying:
        for group in _groups(flat, [key], varying):
            points, reference = _points(key, group, flat, summary.variants[0].name)
            if len(points) >= 2 and len(points) + (reference in group) >= 3:
                held = _held(flat, next(iter(points.values())), [key], varying)
                path = _path(key, points, variants, reference, held, zeros or {}, ValidationSet.of(summary))
                if not any(crossing.issuperset(path.variants) for crossing in crossed):
                    paths.append(path)
    return tuple(paths)


def _points(key: str, group: Sequence[str], flat: Mapping[str, FlatRecipe], first: str) -> tuple[dict[float, str], str]:
    """The points of a path, ascending, and the reference variant beside it (empty if there is none)."""
    named: dict[float, str] = {}
    for name in group:
        value: Any = flat[name].get(key)
        if is_number(value) and named.get(value, first) == first:
            named[value] = name  # of two equal ones, the one in the sweep
    points = dict(sorted(named.items()))
    beside = "" if first in points.values() else first
    if 0 in points and (key in ZERO_IS_NONE or _logarithmic(key, points)):
        beside = points.pop(0)
    return points, beside


def _logarithmic(key: str, values: Iterable[float]) -> bool:
    """Whether the values other than 0 span more than a decade; fractions of 1 are always linear."""
    other = [value for value in values if value != 0]
    return bool(other) and not key.startswith(_SHARES) and min(other) > 0 and max(other) > 10 * min(other)


def _path(
    key: str,
    points: Mapping[float, str],
    variants: Mapping[str, VariantSummary],
    reference: str,
    held: Mapping[str, Any],
    zeros: Mapping[str, float],
    validation: ValidationSet,
) -> SweepPath:
    values = np.array(list(points), np.float64)  # (P,)
    names = tuple(points.values())
    on_path = [variants[name] for name in names]
    chosen = best_by_validation(on_path) if chosen_by_validation(key) else None
    direction = DIRECTION.get(key)
    simpler = None
    if chosen is not None and direction is not None:
        simpler = one_standard_error(direction * values, on_path, chosen, validation)
    edges = {0: "low", len(names) - 1: "high"}
    return SweepPath(
        key=key,
        values=values,
        variants=names,
        logarithmic=_logarithmic(key, points) and bool(values.min() > 0),
        metrics={metric: _column(on_path, metric) for metric in _METRICS},
        chosen=chosen,
        one_standard_error=simpler,
        zeros=np.array([zeros.get(name, np.nan) for name in names], np.float64),  # (P,)
        at_edge=edges.get(chosen) if chosen is not None and values[chosen] != 0 else None,
        baseline=reference or None,
        reference={metric: _bounds(variants[reference], metric) for metric in _METRICS} if reference else {},
        held=held,
    )


def _column(variants: Sequence[VariantSummary], metric: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    mean, low, high = np.array([_bounds(v, metric) for v in variants], np.float64).T  # (P,) each
    return mean, low, high


def _bounds(variant: VariantSummary, metric: str) -> tuple[float, float, float]:
    """Mean and interval; NaN if missing."""
    low, high = variant.interval.get(metric) or (np.nan, np.nan)
    return variant.mean.get(metric, np.nan), low, high


# --- Two settings -----------------------------------------------------------------------------------------------------


def sweep_grids(summary: StudySummary) -> tuple[SweepGrid, ...]:
    """Every sweep that crosses two settings: all combinations of at least two values of each, not counting 0 and none.

    Returns:
      The grids, in the order of their keys in a recipe. For numbers, the full table that remains after repeatedly
      dropping the row or column with the most gaps; for other settings, only tables without gaps.
    """
    flat = flat_recipes(summary)
    varying = _varying(flat)
    variants = {v.name: v for v in summary.variants}
    grids = []
    for keys in combinations(varying, 2):
        for group in _groups(flat, keys, varying):
            cells: dict[tuple[Any, Any], str] = {}
            for name in sorted(
                group, key=lambda name: name != summary.variants[0].name
            ):  # the first variant gives way to others
                cells[flat[name].get(keys[0]), flat[name].get(keys[1])] = name
            rows, columns = _full_table(cells, summary.variants[0].name)
            if min(_steps(rows), _steps(columns)) >= 2:
                names = tuple(tuple(cells[row, column] for column in columns) for row in rows)
                grids.append(_grid(keys, rows, columns, names, variants, _held(flat, names[0][0], keys, varying)))
    return tuple(grids)


def _steps(values: Sequence[Any]) -> int:
    """How many values there are besides 0 and none."""
    return sum(value is not None and (value != 0 or isinstance(value, bool)) for value in values)


def _full_table(cells: Mapping[tuple[Any, Any], str], first: str) -> tuple[list[Any], list[Any]]:
    """Rows and columns of a table without gaps."""
    if not all(is_number(row) and is_number(column) for row, column in cells):
        given = [place for place, name in cells.items() if name != first]
        rows, columns = (list(dict.fromkeys(place[axis] for place in given)) for axis in (0, 1))
        rows, columns = (sorted(v) if all(map(is_number, v)) else v for v in (rows, columns))
        return (rows, columns) if len(given) == len(rows) * len(columns) else ([], [])
    rows, columns = (sorted({place[axis] for place in cells}) for axis in (0, 1))
    while rows and columns:
        gaps_in_rows = [sum((row, column) not in cells for column in columns) / len(columns) for row in rows]
        gaps_in_columns = [sum((row, column) not in cells for row in rows) / len(rows) for column in columns]
        if not any(gaps_in_rows):
            break
        worst_row, worst_column = max(gaps_in_rows), max(gaps_in_columns)
        if worst_row >= worst_column:
            del rows[gaps_in_rows.index(worst_row)]
        else:
            del columns[gaps_in_columns.index(worst_column)]
    return rows, columns


def _grid(
    keys: tuple[str, str],
    rows: Sequence[Any],
    columns: Sequence[Any],
    names: tuple[tuple[str, ...], ...],
    variants: Mapping[str, VariantSummary],
    held: Mapping[str, Any],
) -> SweepGrid:
    fair = all(map(chosen_by_validation, keys))
    place = best_by_validation([variants[name] for row in names for name in row]) if fair else None
    means = {m: np.array([[variants[n].mean.get(m, np.nan) for n in row] for row in names]) for m in _METRICS}
    chosen = None if place is None else divmod(place, len(columns))
    return SweepGrid(keys, tuple(rows), tuple(columns), names, means, chosen, held)


def _numeric(grid: SweepGrid) -> bool:
    return all(map(is_number, (*grid.rows, *grid.columns)))
