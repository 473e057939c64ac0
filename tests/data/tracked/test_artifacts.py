"""Predictions among the artifacts of tracked runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tracked import LABELS, predictions
from wellfit.data.predictions.runs import GivenRuns
from wellfit.data.tracked.artifacts import read_artifacts
from wellfit.data.tracked.runs import Tracked, TrackedRun
from wellfit.errors import DataError

NAMED = [("l2", 3), ("l2", 4)]


def runs(folder: Path, *names: Sequence[str]) -> list[TrackedRun]:
    """Two runs with artifacts of these names."""
    found = []
    for at, of in enumerate(names):
        artifacts = {}
        for name in of:
            file = folder / str(at) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if name == "labels.npz":
                np.savez(file, labels=LABELS)
            else:
                np.savez(file, probabilities=predictions("0", 3 + at), **({} if "labels.npz" in of else {"y": LABELS}))
            artifacts[name] = file
        found.append(TrackedRun(f"run {at}", artifacts=artifacts))
    return found


def read(of: Sequence[TrackedRun], tracked: Tracked = Tracked(), keep: object = None) -> tuple[GivenRuns, str] | None:  # noqa: B008
    return read_artifacts(of, NAMED, tracked, "here", keep=keep)


@pytest.mark.parametrize(
    "names",
    [["pred.npz"], ["val_pred.npz", "test_pred.npz"], ["pred.npz", "train_pred.npz"], ["pred.npz", "labels.npz"]],
)
def test_predictions_of_the_test_set_are_found(tmp_path: Path, names: list[str]):
    found = read(runs(tmp_path, names, names), keep=object())
    assert found is not None
    given, name = found
    assert name == ("test_pred.npz" if "test_pred.npz" in names else "pred.npz")
    assert given.variants == {"l2": (3, 4)}
    np.testing.assert_array_equal(given.runs[1].values(), predictions("0", 4))
    np.testing.assert_array_equal(given.labels, LABELS)


def test_the_user_can_choose(tmp_path: Path):
    of = runs(tmp_path, ["val_pred.npz"], ["val_pred.npz"])
    assert read(of) is None
    found = read(of, Tracked(artifact="val_pred.npz"))
    assert found is not None
    assert found[1] == "val_pred.npz"
    assert read(runs(tmp_path / "b", ["pred.npz"], ["pred.npz"]), Tracked(accuracy="acc")) is None
    assert read(runs(tmp_path / "c", [], [])) is None


@pytest.mark.parametrize(
    ("names", "tracked", "message"),
    [
        (
            [["a_pred.npz", "b_pred.npz"]] * 2,
            Tracked(),
            "artifacts 'a_pred.npz', 'b_pred.npz' could each be the predictions",
        ),
        ([["pred.npz"], []], Tracked(), "run 1: has no artifact 'pred.npz', which 1 of 2 runs have"),
        ([["pred.npz"]] * 2, Tracked(artifact="p.npz"), r"as the artifact 'p.npz' \(there are: pred.npz\)"),
    ],
)
def test_artifacts_that_cannot_be_are_one_line(
    tmp_path: Path, names: list[list[str]], tracked: Tracked, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(runs(tmp_path, *names), tracked)


def test_other_labels_are_one_line(tmp_path: Path):
    of = runs(tmp_path, ["pred.npz", "labels.npz"], ["pred.npz", "labels.npz"])
    np.savez(tmp_path / "1" / "labels.npz", labels=LABELS[::-1])
    with pytest.raises(DataError, match=r"1/labels.npz: other labels than .*0/labels.npz"):
        read(of)


def test_curves_and_settings_in_archives_are_kept(tmp_path: Path):
    of = runs(tmp_path, ["pred.npz"], ["pred.npz"])
    for at, run in enumerate(of):
        np.savez(run.artifacts["pred.npz"], probabilities=predictions("0", 3 + at), y=LABELS,
                 train_loss=np.array([2.0, 1.0]), settings=np.array('{"lr": 0.5}'))  # fmt: skip
    found = read(of, keep=object())
    assert found is not None
    assert found[0].histories["l2", 4]["train_loss"].tolist() == [2.0, 1.0]
    assert found[0].settings["l2"] == {"lr": 0.5}
