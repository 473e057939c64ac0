"""Paths and grids in plain sentences: what validation chose, what the test set then said, and where the sweep ends."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from wellfit.analysis.paths import DIRECTION, OF_THE_DATA
from wellfit.base import FloatArray, Sentence, SweepGrid, SweepPath

__all__ = ["setting", "tell_grid", "tell_path"]


def tell_path(path: SweepPath) -> tuple[Sentence, ...]:
    """A path in sentences. The choice is validation's; the test accuracy is told of what was chosen, and never chooses.

    Args:
      path: from ``sweep_paths``.

    Returns:
      The choice, beside the variant without it; the one-standard-error choice; the test accuracy of both; a warning
      where the choice is the sweep's edge; the weights that are zero. One sentence where nothing can be chosen.

    Example:
      >>> values, nothing = np.array([0.1, 1.0]), np.full(2, np.nan)
      >>> known = {"validation_accuracy": (np.array([0.88, 0.89]), nothing, nothing)}
      >>> path = SweepPath("l2", values, ("a", "b"), False, known, 1, None, nothing, None, None)
      >>> tell_path(path)[0].text
      'Of 2 values of l2 from 0.1 to 1, validation accuracy is highest at 1: 89.0 %.'
    """
    span = f"{len(path.values)} values of {path.key} from {path.values[0]:g} to {path.values[-1]:g}{_with(path.held)}"
    if path.key in OF_THE_DATA:
        return _ends(path, span)
    if path.chosen is None:
        return (Sentence(f"Of {span}, none can be chosen yet: that takes two finished seeds of one."),)
    chosen = _percent(path, "validation_accuracy", path.chosen)
    beside = _beside(path)
    told = [
        Sentence(
            f"Of {span}, validation accuracy is highest at {path.values[path.chosen]:g}: {chosen}{beside}.",
            tuple(_source(v, "validation_accuracy") for v in (*path.variants, *([path.baseline] if beside else []))),
        ),
        *_one_standard_error(path),
        *_tested(path),
    ]
    return (*told, *_edge(path), *_zeros(path))


def tell_grid(grid: SweepGrid) -> tuple[Sentence, ...]:
    """A grid in sentences: the combination that validation prefers, and its test accuracy.

    Args:
      grid: from ``sweep_grids``.

    Returns:
      One or two sentences.
    """
    rows, columns = len(grid.rows), len(grid.columns)
    names = [name for row in grid.variants for name in row]
    span = f"{rows * columns} combinations of {grid.keys[0]} and {grid.keys[1]}{_with(grid.held)}"
    if grid.chosen is None:
        return (Sentence(f"Of {span}, none is chosen."),)
    row, column = grid.chosen
    best = f"{setting(grid.keys[0], grid.rows[row])}, {setting(grid.keys[1], grid.columns[column])}"
    reached = 100 * grid.metrics["validation_accuracy"][row, column]
    told = [
        Sentence(
            f"Of {span}, validation accuracy is highest with {best}: {reached:.1f} %.",
            tuple(_source(name, "validation_accuracy") for name in names),
        )
    ]
    test = float(grid.metrics["test_accuracy"][row, column]) if "test_accuracy" in grid.metrics else math.nan
    if math.isfinite(test):
        source = (_source(grid.variants[row][column], "test_accuracy"),)
        told.append(Sentence(f"Its test accuracy is {100 * test:.1f} %.", source))
    return tuple(told)


def setting(key: str, value: object) -> str:
    """A setting as a study file has it.

    Example:
      >>> setting("l2", 1e-4), setting("model.batch_norm", True), setting("model.hidden", (64, 32))
      ('l2 = 0.0001', 'model.batch_norm = true', 'model.hidden = [64, 32]')
    """
    if isinstance(value, tuple):
        return f"{key} = [{', '.join(map(str, value))}]"
    if isinstance(value, bool):
        return f"{key} = {str(value).lower()}"
    return f"{key} = {value:g}" if isinstance(value, float) else f"{key} = {value}"


# --- Parts ------------------------------------------------------------------------------------------------------------


def _source(variant: str | None, metric: str) -> str:
    return f"variants[{variant}].mean.{metric}"


def _with(held: Mapping[str, object]) -> str:
    """What else the whole sweep has, short: a table of three settings or more by its name."""
    tables: dict[str, list[str]] = {}
    for key, value in held.items():
        tables.setdefault(key.split(".")[0], []).append(setting(key, value))
    said = [", ".join(parts) if len(parts) < 3 else name.replace("_", " ") for name, parts in tables.items()]
    return f" with {', '.join(said)}" if said else ""


def _range(mean: float, low: float, high: float) -> str:
    """A share in percent with its interval, as the study's conclusion writes it."""
    return f"{100 * mean:.1f} %" + (f" [{100 * low:.1f}, {100 * high:.1f}]" if math.isfinite(low) else "")


def _known(path: SweepPath, metric: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    nothing: FloatArray = np.full(len(path.values), np.nan)
    return path.metrics.get(metric, (nothing, nothing, nothing))


def _percent(path: SweepPath, metric: str, at: int) -> str:
    mean, low, high = (float(column[at]) for column in _known(path, metric))
    return _range(mean, low, high)


def _beside(path: SweepPath) -> str:
    """The variant beside the path; empty where it has no score."""
    mean, low, high = path.reference.get("validation_accuracy", (math.nan, math.nan, math.nan))
    return f" ({path.baseline}: {_range(mean, low, high)})" if path.baseline and math.isfinite(mean) else ""


def _one_standard_error(path: SweepPath) -> list[Sentence]:
    if path.one_standard_error is None or path.chosen is None:
        return []
    simpler = path.one_standard_error
    sources = tuple(_source(path.variants[i], "validation_accuracy") for i in (path.chosen, simpler))
    if simpler == path.chosen:
        return [Sentence("No value that regularizes more is within one standard error of it.", sources[:1])]
    return [Sentence(f"The value that regularizes most within one standard error of it is {path.values[simpler]:g}: "
                     f"{_percent(path, 'validation_accuracy', simpler)}.", sources)]  # fmt: skip


def _tested(path: SweepPath) -> list[Sentence]:
    """Test accuracy of the choices, where the test set was opened."""
    positions = dict.fromkeys(i for i in (path.chosen, path.one_standard_error) if i is not None)
    tested = [i for i in positions if math.isfinite(_known(path, "test_accuracy")[0][i])]
    if not tested:
        return []
    said = " and ".join(f"{_percent(path, 'test_accuracy', i)} at {path.values[i]:g}" for i in tested)
    sources = tuple(_source(path.variants[i], "test_accuracy") for i in tested)
    return [Sentence(f"Test accuracy is {said}.", sources)]


def _edge(path: SweepPath) -> list[Sentence]:
    """A warning where the sweep ends at its best value; none is smaller than none, where that was tried."""
    if path.at_edge is None or path.chosen is None:
        return []
    end, way = {"low": ("smallest", "smaller"), "high": ("largest", "larger")}[path.at_edge]
    source = _source(path.variants[path.chosen], "validation_accuracy")
    if _none_is_no_worse(path):
        text = f"That is the {end} value of the sweep, and {path.baseline}, without it, scored no lower."
        return [Sentence(text, (source, _source(path.baseline, "validation_accuracy")))]
    return [Sentence(f"That is the {end} value of the sweep: {way} ones may do better, and were not tried.", (source,))]


def _none_is_no_worse(path: SweepPath) -> bool:
    """Whether the weakest regularization of a sweep was chosen, and none at all is as good in validation accuracy."""
    none = path.reference.get("validation_accuracy")
    weakest = {1: "low", -1: "high"}.get(DIRECTION.get(path.key, 0))
    if none is None or path.chosen is None or path.at_edge is None or path.at_edge != weakest or path.held:
        return False
    return none[0] >= float(_known(path, "validation_accuracy")[0][path.chosen])


def _zeros(path: SweepPath) -> list[Sentence]:
    """How many weights are zero along the path; nothing where none are."""
    known = np.isfinite(path.zeros)
    if path.chosen is None or not known[path.chosen] or path.zeros[known].max() == 0:
        return []
    low, high = np.flatnonzero(known)[[0, -1]]
    ends = f"{_share(path.zeros[low])} at {path.values[low]:g} to {_share(path.zeros[high])} at {path.values[high]:g}"
    text = f"Of its weights {_share(path.zeros[path.chosen])} are exactly zero; along the path, from {ends}."
    return [Sentence(text, (f"details.paths[{path.key}].zeros",))]


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"


def _ends(path: SweepPath, span: str) -> tuple[Sentence, ...]:
    """What the data's own numbers do to test accuracy, or to validation accuracy before the test set is opened."""
    for metric, words in (("test_accuracy", "test accuracy"), ("validation_accuracy", "validation accuracy")):
        known = np.flatnonzero(np.isfinite(_known(path, metric)[0]))
        if len(known) >= 2:
            first, last = known[0], known[-1]
            ends = " to ".join(f"{_percent(path, metric, i)} at {path.values[i]:g}" for i in (first, last))
            sources = tuple(_source(path.variants[i], metric) for i in (first, last))
            return (Sentence(f"Over {span}, {words} goes from {ends}.", sources),)
    return ()
