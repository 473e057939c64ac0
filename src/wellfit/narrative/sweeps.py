"""Paths and grids in sentences: what validation chose, the test accuracy of that choice, and where the sweep ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from wellfit.analysis.paths import chosen_by_validation
from wellfit.analysis.settings import DATA_SETTINGS, DIRECTION
from wellfit.base import FloatArray, Sentence, SweepGrid, SweepPath
from wellfit.narrative.options import setting_text

__all__ = ["describe_grid", "describe_path"]


def describe_path(path: SweepPath) -> tuple[Sentence, ...]:
    """A path in sentences. Validation makes the choice; the test accuracy of the choice is only reported.

    Returns:
      The choice, compared with the variant without the setting; the choice by one standard error; the test accuracy of
      both; a warning if the choice is at the edge of the sweep; the fraction of zero weights. A single sentence if
      nothing can be chosen.

    Example:
      >>> values, nothing = np.array([0.1, 1.0]), np.full(2, np.nan)
      >>> known = {"validation_accuracy": (np.array([0.88, 0.89]), nothing, nothing)}
      >>> path = SweepPath("l2", values, ("a", "b"), False, known, 1, None, nothing, None, None)
      >>> describe_path(path)[0].text
      'Of the 2 values of l2 from 0.1 to 1, validation accuracy is highest at 1: 89.0 %.'
    """
    span = f"the {len(path.values)} values of {path.key} from {path.values[0]:g} to {path.values[-1]:g}"
    span += _held_settings(path.held)
    if path.key in DATA_SETTINGS:
        return _end_to_end(path, span)
    if not chosen_by_validation(path.key):
        text = f"Of {span}, none is chosen: validation chose the epoch of each run, so its scores cannot compare them."
        return (Sentence(text), *_end_to_end(path, span, ("test_accuracy",)))
    if path.chosen is None:
        return (Sentence(f"Of {span}, none can be chosen yet, because no value has two finished seeds."),)
    accuracy = _percent(path, "validation_accuracy", path.chosen)
    reference = _reference(path)
    choice = Sentence(
        f"Of {span}, validation accuracy is highest at {path.values[path.chosen]:g}: {accuracy}{reference}.",
        tuple(_source(v, "validation_accuracy") for v in (*path.variants, *([path.baseline] if reference else []))),
    )
    return (choice, *_one_standard_error(path), *_test_accuracy(path), *_edge(path), *_zeros(path))


def describe_grid(grid: SweepGrid) -> tuple[Sentence, ...]:
    """A grid in sentences: the combination that validation prefers, and its test accuracy.

    Example:
      >>> grid = SweepGrid(("l2", "dropout"), (0.1,), (0.2, 0.5), (("a", "b"),), {}, None, {})
      >>> describe_grid(grid)[0].text
      'Of the 2 combinations of l2 and dropout, none is chosen.'
    """
    rows, columns = len(grid.rows), len(grid.columns)
    span = f"the {rows * columns} combinations of {grid.keys[0]} and {grid.keys[1]}{_held_settings(grid.held)}"
    if grid.chosen is None:
        return (Sentence(f"Of {span}, none is chosen."),)
    row, column = grid.chosen
    best = f"{setting_text(grid.keys[0], grid.rows[row])}, {setting_text(grid.keys[1], grid.columns[column])}"
    accuracy = 100 * grid.metrics["validation_accuracy"][row, column]
    names = [name for cells in grid.variants for name in cells]
    choice = Sentence(
        f"Of {span}, validation accuracy is highest with {best}: {accuracy:.1f} %.",
        tuple(_source(name, "validation_accuracy") for name in names),
    )
    test = float(grid.metrics["test_accuracy"][row, column]) if "test_accuracy" in grid.metrics else math.nan
    if not math.isfinite(test):
        return (choice,)
    source = (_source(grid.variants[row][column], "test_accuracy"),)
    return (choice, Sentence(f"Its test accuracy is {100 * test:.1f} %.", source))


# --- Parts ------------------------------------------------------------------------------------------------------------


def _source(variant: str | None, metric: str) -> str:
    return f"variants[{variant}].mean.{metric}"


def _held_settings(held: Mapping[str, object]) -> str:
    """What the whole sweep has in common, short: a table of three settings or more by its name."""
    tables: dict[str, list[str]] = {}
    for key, value in held.items():
        tables.setdefault(key.split(".")[0], []).append(setting_text(key, value))
    texts = [", ".join(parts) if len(parts) < 3 else name.replace("_", " ") for name, parts in tables.items()]
    return f" with {', '.join(texts)}" if texts else ""


def _range(mean: float, low: float, high: float) -> str:
    """A fraction in percent with its interval."""
    return f"{100 * mean:.1f} %" + (f" [{100 * low:.1f}, {100 * high:.1f}]" if math.isfinite(low) else "")


def _metric(path: SweepPath, metric: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    missing: FloatArray = np.full(len(path.values), np.nan)
    return path.metrics.get(metric, (missing, missing, missing))


def _percent(path: SweepPath, metric: str, at: int) -> str:
    mean, low, high = (float(column[at]) for column in _metric(path, metric))
    return _range(mean, low, high)


def _reference(path: SweepPath) -> str:
    """The variant without the setting; empty if it has no score."""
    mean, low, high = path.reference.get("validation_accuracy", (math.nan, math.nan, math.nan))
    return f" ({path.baseline}: {_range(mean, low, high)})" if path.baseline and math.isfinite(mean) else ""


def _one_standard_error(path: SweepPath) -> list[Sentence]:
    if path.one_standard_error is None or path.chosen is None:
        return []
    simpler = path.one_standard_error
    sources = tuple(_source(path.variants[i], "validation_accuracy") for i in (path.chosen, simpler))
    if simpler == path.chosen:
        return [Sentence("No stronger regularization is within one standard error of it.", sources[:1])]
    accuracy = _percent(path, "validation_accuracy", simpler)
    text = f"The strongest regularization within one standard error of it is at {path.values[simpler]:g}: {accuracy}."
    return [Sentence(text, sources)]


def _test_accuracy(path: SweepPath) -> list[Sentence]:
    """Test accuracy of the choices, if the test set was opened."""
    positions = dict.fromkeys(i for i in (path.chosen, path.one_standard_error) if i is not None)
    tested = [i for i in positions if math.isfinite(_metric(path, "test_accuracy")[0][i])]
    if not tested:
        return []
    accuracies = " and ".join(f"{_percent(path, 'test_accuracy', i)} at {path.values[i]:g}" for i in tested)
    sources = tuple(_source(path.variants[i], "test_accuracy") for i in tested)
    return [Sentence(f"Test accuracy is {accuracies}.", sources)]


def _edge(path: SweepPath) -> list[Sentence]:
    """A warning if the best value is the last of the sweep; nothing is weaker than none, if that was tried."""
    if path.at_edge is None or path.chosen is None:
        return []
    last, beyond = {"low": ("smallest", "smaller"), "high": ("largest", "larger")}[path.at_edge]
    source = _source(path.variants[path.chosen], "validation_accuracy")
    if _none_is_no_worse(path):
        text = f"This is the {last} value in the sweep, and {path.baseline}, without it, scored at least as high."
        return [Sentence(text, (source, _source(path.baseline, "validation_accuracy")))]
    text = f"This is the {last} value in the sweep; {beyond} values were not tried and may do better."
    return [Sentence(text, (source,))]


def _none_is_no_worse(path: SweepPath) -> bool:
    """Whether the weakest regularization was chosen and the variant without it has no lower validation accuracy."""
    none = path.reference.get("validation_accuracy")
    weakest = {1: "low", -1: "high"}.get(DIRECTION.get(path.key, 0))
    if none is None or path.chosen is None or path.at_edge is None or path.at_edge != weakest or path.held:
        return False
    return none[0] >= float(_metric(path, "validation_accuracy")[0][path.chosen])


def _zeros(path: SweepPath) -> list[Sentence]:
    """The fraction of weights that are exactly zero along the path, if any are."""
    known = np.isfinite(path.zeros)
    if path.chosen is None or not known[path.chosen] or path.zeros[known].max() == 0:
        return []
    low, high = np.flatnonzero(known)[[0, -1]]
    ends = " to ".join(f"{100 * path.zeros[i]:.1f} % at {path.values[i]:g}" for i in (low, high))
    chosen = f"{100 * path.zeros[path.chosen]:.1f} % of the weights"
    text = f"At the chosen value, {chosen} are exactly zero; along the path, the share goes from {ends}."
    return [Sentence(text, (f"details.paths[{path.key}].zeros",))]


def _end_to_end(
    path: SweepPath, span: str, metrics: Sequence[str] = ("test_accuracy", "validation_accuracy")
) -> tuple[Sentence, ...]:
    """The effect of a data setting on test accuracy, or on validation accuracy before the test set is opened."""
    for metric in metrics:
        known = np.flatnonzero(np.isfinite(_metric(path, metric)[0]))
        if len(known) >= 2:
            ends = (known[0], known[-1])
            values = " to ".join(f"{_percent(path, metric, i)} at {path.values[i]:g}" for i in ends)
            sources = tuple(_source(path.variants[i], metric) for i in ends)
            return (Sentence(f"Over {span}, {metric.replace('_', ' ')} goes from {values}.", sources),)
    return ()
