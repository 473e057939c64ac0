"""``--quick``: a study made small enough for a minute or so, before it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.base import Recipe
from wellfit.spec.overlay import forget_questions, swept_names, table_of
from wellfit.spec.source import Source

__all__ = ["quickened"]


def quickened(raw: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """What ``--quick`` leaves of a study: fewer epochs, seeds and values of a sweep, and a share of the training data.

    Every number of epochs shrinks as that of the base recipe does, so that a variant of twice as many keeps them.

    Args:
      raw: the study's tables, not yet checked.
      source: where they stand.

    Raises:
      UnknownNameError, StudyFileError: something is wrong with [quick], or with a sweep.

    Example:
      >>> raw = {"train": {"epochs": 30}, "variants": {"long": {"epochs": 60}}}
      >>> quick = quickened({**raw, "sweeps": {"a": {"l2": [1, 2, 3, 4, 5]}}}, Source("example"))
      >>> quick["train"], quick["variants"], quick["sweeps"]
      ({'epochs': 3, 'seeds': 2}, {'long': {'epochs': 6}}, {'a': {'l2': [1, 3, 5]}})
    """
    from wellfit.spec.complaints import check
    from wellfit.spec.schema import QuickTable

    table = check(QuickTable, raw.get("quick", {}), source, ("quick",))
    train, data = table_of(raw, "train"), table_of(raw, "data")
    epochs = train.get("epochs", Recipe().epochs)
    ratio = min(1.0, table.epochs / epochs) if isinstance(epochs, int) and epochs > 0 else 1.0
    variants = {name: _fewer_epochs(changes, ratio) for name, changes in table_of(raw, "variants").items()}
    share = min(data.get("train_share", 1.0), table.train_share, key=_number)
    fewer = {
        "data": {**data, "train_share": share},
        "train": {**_fewer_epochs({"epochs": epochs, **train}, ratio), "seeds": _fewer(train.get("seeds", 5), table)},
        "variants": variants,
        "sweeps": {name: _fewer_values(lists, ratio, table.values) for name, lists in table_of(raw, "sweeps").items()},
    }
    fitting = {key: made for key, made in fewer.items() if isinstance(raw.get(key, {}), dict) and (made or key in raw)}
    quick = {**raw, **fitting}
    if isinstance(raw.get("title"), str):
        quick["title"] = f"{raw['title']} (quick)"
    gone = swept_names(raw, source) - swept_names(quick, source)
    quick["published"] = {name: row for name, row in table_of(raw, "published").items() if name not in gone}
    forget_questions(quick, gone)
    return quick


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0.0


def _fewer(seeds: Any, table: Any) -> Any:
    return seeds[: table.seeds] if isinstance(seeds, list) else min(seeds, table.seeds, key=_number)


def _fewer_epochs(changes: Any, ratio: float) -> Any:
    epochs = changes.get("epochs") if isinstance(changes, dict) else None
    if type(epochs) is not int or epochs <= 0:  # true is no number of epochs
        return changes
    return {**changes, "epochs": max(1, round(epochs * ratio))}


def _fewer_values(lists: Any, ratio: float, most: int) -> Any:
    """The first and the last value of every list, and as many between, evenly; epochs are shrunk first."""
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
