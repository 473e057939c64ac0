"""``--quick``: a study shrunk to about a minute, before it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.base import Recipe
from wellfit.spec.overlay import drop_questions, swept_names, table_of
from wellfit.spec.reading import read_table
from wellfit.spec.source import Source
from wellfit.spec.tables import DataSpec, Quick, StudySpec

__all__ = ["quickened"]


def quickened(raw: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """A study with fewer epochs, seeds and values per sweep, and a share of the training data.

    All numbers of epochs shrink in proportion, so that a variant with twice the epochs still has twice the epochs.

    Args:
      raw: the study's tables, not yet checked.
      source: of the tables.

    Raises:
      StudyFileError: a mistake in [quick], or a sweep without values.

    Example:
      >>> raw = {"train": {"epochs": 30}, "variants": {"long": {"epochs": 60}}}
      >>> quick = quickened({**raw, "sweeps": {"a": {"l2": [1, 2, 3, 4, 5]}}}, Source("example"))
      >>> quick["train"], quick["variants"], quick["sweeps"]
      ({'epochs': 3, 'seeds': 2}, {'long': {'epochs': 6}}, {'a': {'l2': [1, 3, 5]}})
    """
    limits = read_table(Quick, raw.get("quick", {}), source, ("quick",))
    train, data = table_of(raw, "train"), table_of(raw, "data")
    epochs = train.get("epochs", Recipe().epochs)
    ratio = min(1.0, limits.epochs / epochs) if isinstance(epochs, int) and epochs > 0 else 1.0
    seeds = _fewer(train.get("seeds", len(StudySpec.seeds)), limits.seeds)
    share = min(data.get("train_share", DataSpec.train_share), limits.train_share, key=_number)
    sweeps = {name: _fewer_values(lists, ratio, limits.values) for name, lists in table_of(raw, "sweeps").items()}
    fewer = {
        "data": {**data, "train_share": share},
        "train": {**_fewer_epochs({"epochs": epochs, **train}, ratio), "seeds": seeds},
        "variants": {name: _fewer_epochs(changes, ratio) for name, changes in table_of(raw, "variants").items()},
        "sweeps": sweeps,
    }
    # tables that are malformed stay as they are and are reported later; empty ones are not added
    quick = {**raw, **{k: v for k, v in fewer.items() if isinstance(raw.get(k, {}), dict) and (v or k in raw)}}
    if isinstance(raw.get("title"), str):
        quick["title"] = f"{raw['title']} (quick)"
    gone = swept_names(raw, source) - swept_names(quick, source)
    quick["published"] = {name: row for name, row in table_of(raw, "published").items() if name not in gone}
    drop_questions(quick, gone)
    return quick


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0.0


def _fewer(seeds: Any, most: int) -> Any:
    return seeds[:most] if isinstance(seeds, list) else min(seeds, most, key=_number)


def _fewer_epochs(changes: Any, ratio: float) -> Any:
    epochs = changes.get("epochs") if isinstance(changes, dict) else None
    if type(epochs) is not int or epochs <= 0:  # True is an int, but not a number of epochs
        return changes
    return {**changes, "epochs": max(1, round(epochs * ratio))}


def _fewer_values(lists: Any, ratio: float, most: int) -> Any:
    """The first and the last value of each list and evenly spaced ones between; epochs shrink first."""
    if not isinstance(lists, dict):
        return lists
    kept = {}
    for key, values in lists.items():
        kept[key] = values
        if isinstance(values, list) and key == "epochs":
            kept[key] = list(dict.fromkeys(_fewer_epochs({"epochs": value}, ratio)["epochs"] for value in values))
        if isinstance(values, list) and (last := len(kept[key]) - 1) >= most:
            kept[key] = [kept[key][round(i * last / (most - 1))] for i in range(most)]
    return kept
