"""``--quick``: a study shrunk to about a minute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wellfit.base import Recipe, SearchSpec
from wellfit.spec.overlay import swept_names, without_variants
from wellfit.spec.reading import read_table
from wellfit.spec.source import Source
from wellfit.spec.tables import DataSpec, Quick, StudySpec

__all__ = ["quickened"]

TRIALS: Final = 10
"""Configurations that a quick search tries at most."""


def quickened(raw: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """A study with fewer epochs, seeds, values per sweep and configurations to try, and a share of the training data.

    All numbers of epochs shrink in proportion, so that a variant with twice the epochs still has twice the epochs.

    Args:
      raw: the study's tables.
      source: of the tables.

    Example:
      >>> raw = {"train": {"epochs": 30}, "variants": {"long": {"epochs": 60}}}
      >>> quick = quickened({**raw, "sweeps": {"a": {"l2": [1, 2, 3, 4, 5]}}}, Source("example"))
      >>> quick["train"], quick["variants"], quick["sweeps"]
      ({'epochs': 3, 'seeds': 2}, {'long': {'epochs': 6}}, {'a': {'l2': [1, 3, 5]}})
    """
    limits = read_table(Quick, raw.get("quick", {}), source, ("quick",))
    train, data = raw.get("train", {}), raw.get("data", {})
    epochs, seeds = train.get("epochs", Recipe.epochs), train.get("seeds", len(StudySpec.seeds))
    ratio = min(1.0, limits.epochs / epochs)
    quick = {
        **raw,
        "data": {**data, "train_share": min(data.get("train_share", DataSpec.train_share), limits.train_share)},
        "train": {
            **_fewer_epochs({"epochs": epochs, **train}, ratio),
            "seeds": seeds[: limits.seeds] if isinstance(seeds, list) else min(seeds, limits.seeds),
        },
        "variants": {name: _fewer_epochs(changes, ratio) for name, changes in raw.get("variants", {}).items()},
        "sweeps": {name: _fewer_values(lists, ratio, limits.values) for name, lists in raw.get("sweeps", {}).items()},
    }
    if "search" in raw:
        search = raw["search"]
        trials = min(search.get("trials", SearchSpec.trials), TRIALS)
        quick["search"] = {**search, "trials": trials, "batch": min(search.get("batch", SearchSpec.batch), trials)}
    if "title" in raw:
        quick["title"] = f"{raw['title']} (quick)"
    return without_variants(quick, swept_names(raw, source) - swept_names(quick, source))


def _fewer_epochs(changes: Mapping[str, Any], ratio: float) -> dict[str, Any]:
    fewer = {"epochs": max(1, round(changes["epochs"] * ratio))} if "epochs" in changes else {}
    return {**changes, **fewer}


def _fewer_values(lists: Mapping[str, list[Any]], ratio: float, most: int) -> dict[str, list[Any]]:
    """The first and the last value of each list and evenly spaced ones between; epochs shrink first."""
    kept = dict(lists)
    if "epochs" in kept:
        kept["epochs"] = list(dict.fromkeys(max(1, round(value * ratio)) for value in kept["epochs"]))
    for key, values in kept.items():
        if (last := len(values) - 1) >= most:
            kept[key] = [values[round(i * last / (most - 1))] for i in range(most)]
    return kept
