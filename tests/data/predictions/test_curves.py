"""Learning curves of runs that others trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from predictions import LABELS, all_runs
from wellfit.data.predictions.arrays import given_arrays
from wellfit.data.predictions.curves import histories_of
from wellfit.errors import DataError

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
        ({"seed": "x"}, "is no number"),
        ({"seed": 0.5}, "row 0 .from 0.: 0.5, 0 or 1.0 is no number, or seed or epoch is no whole one"),
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
