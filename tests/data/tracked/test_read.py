"""Whose files a path leads to, and the runs in them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from predictions import accuracy_frame, archives, long_frame
from tracked import FIXTURES
from wellfit.data.tracked.read import curves_of, is_tracked, kind_of, read_runs
from wellfit.data.tracked.runs import Tracked
from wellfit.errors import DataError

KERAS = FIXTURES / "keras" / "csv"


def test_kinds(tmp_path: Path):
    assert kind_of("https://mlflow.example.org") == "mlflow"
    assert (
        kind_of(FIXTURES / "lightning_logs")
        == kind_of(FIXTURES / "lightning_logs/version_0/metrics.csv")
        == "lightning"
    )
    assert kind_of(FIXTURES / "events") == "tensorboard"
    assert kind_of(KERAS) == kind_of(KERAS.parent) == kind_of(KERAS / "units=2.0.csv") == "keras"
    assert kind_of(tmp_path / "gone") is None
    assert kind_of(archives(tmp_path / "runs")) is None


def test_predictions_are_read_as_before(tmp_path: Path):
    folder = tmp_path / "tables"
    folder.mkdir()
    long_frame().to_csv(folder / "long.csv", index=False)
    (folder / "config.json").write_text("{}")
    assert kind_of(folder) is None
    accuracy_frame().to_csv(tmp_path / "a.csv", index=False)
    assert len(read_runs([tmp_path / "a.csv"]).runs) == 9
    assert read_runs([str(archives(tmp_path / "runs"))]).notes == ()


def test_several_paths_of_a_kind_are_read_together(tmp_path: Path):
    for seed in (0, 1):
        shutil.copytree(FIXTURES / "lightning_logs" / "version_0", tmp_path / f"a{seed}" / f"plain.{seed}")
    assert read_runs([tmp_path / "a0", tmp_path / "a1"]).variants == {"plain": (0, 1)}


@pytest.mark.parametrize(
    ("paths", "more", "message"),
    [
        ([KERAS, FIXTURES / "events"], {}, r"events: tensorboard beside keras \(.*\); judge one kind at a time"),
        ([KERAS], {"tracked": Tracked(experiment="x")}, "--experiment is for MLflow and Optuna; leave it out"),
        ([KERAS], {"tracked": Tracked(artifact="x")}, "--artifact is for MLflow; leave it out"),
        ([KERAS], {"tracked": Tracked(accuracy="val_accuracy"), "softmax": True},
         "holds no predictions, so --labels, --classes and --softmax have no use here"),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_one_line(paths: list[Path], more: dict[str, object], message: str):
    with pytest.raises(DataError, match=message):
        read_runs(paths, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tracked", "option"), [(Tracked(seed="s"), "--seed-param"), (Tracked(percent=True), "--percent")]
)
def test_options_of_trackers_are_refused_for_predictions(tmp_path: Path, tracked: Tracked, option: str):
    with pytest.raises(DataError, match=f"holds predictions or accuracies; {option} is for what trackers keep"):
        read_runs([archives(tmp_path / "runs")], tracked=tracked)


def test_curves_of_a_logger_beside_predictions(tmp_path: Path):
    p = np.eye(2)[[0, 1, 1, 0]]
    for name in ("units=2.0", "units=2.1", "units=8.0", "units=8.1"):
        np.savez(tmp_path / f"{name}.npz", probabilities=p, labels=np.array([0, 1, 1, 1]))
    given = read_runs([tmp_path])
    found = curves_of(KERAS, given, "--curves")
    assert set(found) == {(run.variant, run.seed) for run in given.runs}
    assert len(found["units=2", 0]) == 3
    (tmp_path / "units=8.1.npz").unlink()
    with pytest.raises(DataError, match="'units=8', seed 1 is no run that is judged; leave it out"):
        curves_of(KERAS, read_runs([tmp_path]), "--curves")


def test_curves_of_a_tracker_are_read_as_its_runs_are(tmp_path: Path):
    logs = FIXTURES / "lightning_logs"
    of_lightning = read_runs([logs])
    name = next(iter(of_lightning.settings.values()))
    tracked = Tracked(seed="version", by=tuple(name))
    given = read_runs([logs], tracked=tracked)
    assert set(curves_of(logs, given, "--curves", tracked)) == {(run.variant, run.seed) for run in given.runs}
    with pytest.raises(DataError, match="is no run that is judged"):
        curves_of(logs, given, "--curves")
    (tmp_path / "p").mkdir()
    p = np.eye(2)[[0, 1, 1, 0]]
    for run in given.runs:
        np.savez(tmp_path / "p" / f"{run.variant}.{run.seed}.npz", probabilities=p, labels=np.array([0, 1, 1, 1]))
    predicted = read_runs([tmp_path / "p"], tracked=tracked, of_curves=is_tracked(logs))
    assert len(curves_of(logs, predicted, "--curves", tracked)) == len(given.runs)
    with pytest.raises(DataError, match="--percent is for what trackers keep"):
        read_runs([tmp_path / "p"], tracked=Tracked(percent=True), of_curves=True)
    shutil.copytree(logs, tmp_path / "twice" / "a")
    shutil.copytree(logs, tmp_path / "twice" / "b")
    with pytest.raises(DataError, match=r"is there twice, here and in .*with --by"):
        curves_of(tmp_path / "twice", given, "--curves", tracked)


def test_what_is_said_of_runs_is_not_asked_of_curves_whose_names_say_all():
    given = read_runs([KERAS], tracked=Tracked(accuracy="val_accuracy"))
    assert len(curves_of(KERAS, given, "--curves", Tracked(seed="s", by=("lr",)))) == 4


def test_a_folder_that_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\); check its permissions"):
        kind_of(tmp_path)
