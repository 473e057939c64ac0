"""Runs and their histories."""

from __future__ import annotations

import pickle
from typing import get_args

import numpy as np
import pytest

from wellfit.base import HISTORY_COLUMNS, FloatArray, History, Recipe, RunRecord, RunSpec, RunState


def history() -> tuple[dict[str, FloatArray], History]:
    columns: dict[str, FloatArray] = {"validation_loss": np.array([0.9, 0.7, 0.8]), "penalty": np.zeros(3)}
    return columns, History(columns)


def test_a_history_is_as_long_as_its_columns() -> None:
    columns, of_run = history()
    assert len(of_run) == 3
    assert of_run["validation_loss"] is columns["validation_loss"]
    assert len(History({})) == 0


def test_an_unknown_column_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="accuracy"):
        history()[1]["accuracy"]


def test_a_history_keeps_its_own_columns() -> None:
    columns, of_run = history()
    del columns["penalty"]
    assert list(of_run.columns) == ["validation_loss", "penalty"]
    with pytest.raises(TypeError):
        of_run.columns["penalty"] = np.ones(3)  # type: ignore[index]


def test_the_names_that_stores_contain_do_not_change() -> None:
    """Columns are stored by position, and states by name: old studies must still be read."""
    assert HISTORY_COLUMNS == (
        "running_loss",
        "running_accuracy",
        "train_loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
        "penalty",
        "weight_norm",
        "gradient_norm",
        "small_weights",
        "dead_units",
        "learning_rate",
    )
    assert get_args(RunState) == ("finished", "stopped", "diverged", "pending")


def test_a_history_can_be_pickled() -> None:
    columns, of_run = history()
    again = pickle.loads(pickle.dumps(of_run))
    assert list(again.columns) == list(columns)
    assert again["validation_loss"].tolist() == [0.9, 0.7, 0.8]
    with pytest.raises(TypeError):
        again.columns["penalty"] = np.ones(3)


@pytest.mark.parametrize(
    ("state", "readout", "usable"),
    [
        ("finished", 3, True),
        ("stopped", 2, True),
        ("diverged", 0, False),
        ("diverged", 2, False),
        ("finished", 0, False),
    ],
)
def test_only_networks_that_were_read_and_did_not_diverge_can_predict(
    state: RunState, readout: int, usable: bool
) -> None:
    run = RunRecord(RunSpec("l2", 0, Recipe()), state, 3, readout, History({}), {}, {}, 1.0, "l2.0")
    assert run.usable is usable
