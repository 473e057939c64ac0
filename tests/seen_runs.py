"""Variants made of curves, as the checks of training see them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from wellfit.base import History, Recipe, RunState, RunSummary
from wellfit.diagnostics.observations import TrainedVariant

FLAT = {"train_accuracy": 0.9, "validation_accuracy": 0.88, "running_accuracy": 0.89, "train_loss": 0.3}


def history(**columns: Any) -> History:
    """A run: the columns that are given, at least one of them a curve; the others are constant, as is a number."""
    epochs = max(np.size(column) for column in columns.values())
    return History({name: np.broadcast_to(value, epochs).astype(float) for name, value in (FLAT | columns).items()})


def row(seed: int, **known: Any) -> RunSummary:
    """A run as in a summary; values that are not given are None."""
    names = ("epochs", "readout_epoch", "best_epoch", "overfit_onset", "seconds")
    scores = [f"{split}_{what}" for split in ("train", "validation", "test") for what in ("accuracy", "loss")]
    return RunSummary(**{"seed": seed, "state": "finished", **dict.fromkeys([*names, *scores]), **known})


def variant(
    name: str,
    runs: Sequence[History],
    recipe: Recipe | None = None,
    states: Sequence[RunState] = (),
    rows: Mapping[int, RunSummary] | None = None,
) -> TrainedVariant:
    """A variant whose runs finished, unless states are given."""
    ended = states or ["finished"] * len(runs)
    return TrainedVariant(name, recipe or Recipe(), dict(enumerate(runs)), dict(enumerate(ended)), rows or {})


def fixes(text: str) -> list[str]:
    """The settings in a fix, as the shell passes them to ``wellfit run``: copied from the first --set to the end."""
    _, option, copied = text.partition("--set ")
    return [after for before, after in pairwise(shlex.split(option + copied)) if before == "--set"]
