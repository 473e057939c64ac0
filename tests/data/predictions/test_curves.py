"""Learning curves of runs that others trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from predictions import LABELS, all_runs
from wellfit.data.predictions.arrays import given_arrays
from wellfit.data.predictions.curves import epoch_metric, epoch_rows, histories_of, run_history, stored_history
from wellfit.errors import DataError
from wellfit.judging import judge

GIVEN = given_arrays(LABELS, all_runs(1))
CURVES = pd.DataFrame(
    [("l2", 0, epoch, metric, split, 1.0 / (1 + epoch))
     for epoch in (0, 1, 2) for metric in ("loss", "acc") for split in ("train", "val")],
    columns=["variant", "seed", "epoch", "metric", "split", "value"],
)  # fmt: skip


def test_epochs_count_from_one_and_gaps_are_nan(tmp_path: Path):
    CURVES[CURVES["metric"] == "loss"].to_csv(tmp_path / "curves.csv", index=False)
    for curves in (CURVES, tmp_path / "curves.csv"):
        (history,) = histories_of(curves, GIVEN, "curves").values()
        np.testing.assert_allclose(history["validation_loss"], [1, 1 / 2, 1 / 3])
        assert np.isnan(history["weight_norm"]).all()
    late = CURVES[CURVES["epoch"] == 2]
    assert np.isnan(histories_of(late, GIVEN, "curves")["l2", 0]["train_loss"]).tolist() == [True, False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "'l2', seed 4 is no run that is judged"),
        ({"seed": "x"}, "is not a number"),
        ({"seed": 0.5}, "row 0 .from 0.: 0.5, 0 or 1.0 is not a number, or seed or epoch is no whole one"),
        ({"epoch": 1.5}, "seed or epoch is no whole one"),
        ({"epoch": np.float32(1.5)}, "seed or epoch is no whole one"),
        ({"metric": "lr"}, "metric 'lr' of split 'train'; give loss or accuracy"),
        ({"epoch": -1}, "epoch -1; number the epochs"),
        ({"epoch": 1}, "epoch 1 of 'l2', seed 0 has two values of loss, train"),
    ],
)
def test_curves_that_cannot_be_are_one_line(change: dict[str, object], message: str):
    frame = CURVES.astype(object)
    for column, value in change.items():
        frame.loc[0, column] = value
    with pytest.raises(DataError, match=message):
        histories_of(frame, GIVEN, "curves")


def test_other_forms_are_one_line():
    with pytest.raises(DataError, match="of type list; give a DataFrame"):
        histories_of([], GIVEN, "curves")
    with pytest.raises(DataError, match="has no column split"):
        histories_of(CURVES.drop(columns="split"), GIVEN, "curves")
    with pytest.raises(DataError, match="curves: has 2 columns seed; keep one of them"):
        histories_of(pd.concat([CURVES, CURVES[["seed"]]], axis=1), GIVEN, "curves")


def test_one_run_in_every_form():
    expected = {"train_loss": [0.9, 0.5], "validation_accuracy": [0.6, np.nan]}
    rows = [(0, "loss", "train", 0.9), (1, "loss", "train", 0.5), (0, "accuracy", "val", 0.6)]
    frame = pd.DataFrame(rows, columns=["epoch", "metric", "split", "value"])
    mapping = {"loss": [0.9, 0.5], "val_acc": np.array([0.6, np.nan]), "lr": 0.1}
    for curves in (rows, frame, mapping):
        history = run_history(curves, "c")
        for name, values in expected.items():
            np.testing.assert_array_equal(history[name], values)
    assert len(run_history([], "c")) == len(run_history({}, "c")) == 0


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({"los": [1.0]}, "c: 'los', none of which is a loss or accuracy; name them loss"),
        ({"loss": 1.0}, "c: 'loss' has no value for each epoch; give rows"),
        ({"loss": "ab"}, "c: 'loss' has no value for each epoch"),
        ({"loss": [1.0], "val_loss": [1.0, 2.0]}, "c: 'loss' has 1 values, but 'val_loss' has 2"),
        ({"loss": [None]}, "c, 'loss': 1 is not a whole number, or None no number"),
        ({"acc": [1.0], "accuracy": [1.0]}, "c, 'accuracy': epoch 1 has two values of accuracy, train; keep one"),
        ([(1, "loss", "train")], "c: of type list, or a row without four values"),
        ("curves.csv", "c: of type str, or a row"),
        (3, "c: of type int, or a row"),
        ([(0.5, "loss", "train", 1.0)], "c, row 0 .from 0.: 0.5 is not a whole number"),
        ([(-1, "loss", "train", 1.0)], "epoch -1; number the epochs from 0 or 1"),
        (pd.DataFrame({"epoch": [1], "metric": ["loss"], "value": [1.0]}), "c: has no column split"),
    ],
)
def test_one_run_that_cannot_be_is_one_line(curves: object, message: str):
    with pytest.raises(DataError, match=message):
        run_history(curves, "c")


def test_names_of_metrics():
    known = {
        "loss": ("loss", "train"),
        "val_loss": ("loss", "validation"),
        "Train/Acc": ("accuracy", "train"),
        "valid.accuracy_epoch": ("accuracy", "validation"),
        "val_binary_accuracy": ("accuracy", "validation"),
        **dict.fromkeys(("", "lr", "train_loss_step", "val", "epoch", "loss_val", "test_loss", "top_k_accuracy")),
    }
    assert {name: epoch_metric(name) for name in known} == known
    assert epoch_rows(3, {"acc": 1, "accuracy": 2, "f1": 3}) == [(3, "accuracy", "train", 1.0)]


def test_stored_curves_must_have_one_length():
    history = stored_history({"train_loss": np.array([1, 2]), "validation_loss": np.array([np.nan, 1.0])}, "a.0.npz")
    np.testing.assert_array_equal(history["validation_loss"], [np.nan, 1.0])
    for wrong in (np.zeros(3), np.zeros((2, 1)), np.array(["a", "b"])):
        with pytest.raises(DataError, match=r"a.0.npz: train_loss, validation_loss of shapes .*; give one number per"):
            stored_history({"train_loss": np.zeros(2), "validation_loss": wrong}, "a.0.npz")


def test_curves_follow_runs_that_are_numbered_anew():
    """With --unpaired, the seeds of a variant become 0, 1, ..."""
    runs = {"a": {5: LABELS, 7: LABELS}, "b": {1: LABELS, 2: LABELS}}
    curves = {7: [0.7], 5: [0.5]}
    frame = pd.DataFrame(
        [("a", seed, 1, "loss", "train", value) for seed, (value,) in curves.items()],
        columns=["variant", "seed", "epoch", "metric", "split", "value"],
    )
    history = judge(LABELS, runs, unpaired=True, curves=frame).history()
    assert history.set_index("seed")["train_loss"].to_dict() == {0: 0.5, 1: 0.7}
