"""Lightning's CSVLogger."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tracked import EXPECTED, FIXTURES, epochs, write_lightning
from wellfit.data.tracked.lightning import read_lightning
from wellfit.data.tracked.read import read_runs
from wellfit.data.tracked.runs import Tracked
from wellfit.errors import DataError

LOGS = FIXTURES / "lightning_logs"


def check(folder: Path) -> None:
    found = read_runs([folder])
    assert {(run.variant, run.seed): run.accuracy for run in found.runs} == EXPECTED
    history = found.histories["l2=0.01", 5]
    np.testing.assert_allclose(history["validation_accuracy"], [of["val_acc"] for _, of in epochs("0.01", 5)])
    np.testing.assert_allclose(history["train_loss"], [of["train_loss"] for _, of in epochs("0.01", 5)])
    assert found.settings["l2=0"] == {"l2": "0", "optimizer/name": "adam", "optimizer/lr": "0.001"}


def test_a_folder_of_versions():
    pytest.importorskip("yaml")
    check(LOGS)


def test_what_lightning_writes_today_is_read(tmp_path: Path):
    pytest.importorskip("lightning")
    write_lightning(tmp_path / "lightning_logs")
    check(tmp_path / "lightning_logs")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty, as where a run ended before its first epoch; remove its folder"),
     (b"epoch step val_acc\n0 0 0.5\n", "has no columns epoch and step, .*; repair it, or move it")],
)  # fmt: skip
def test_a_damaged_run_is_not_left_out_in_silence(tmp_path: Path, content: bytes, message: str):
    shutil.copytree(LOGS, tmp_path / "logs")
    next((tmp_path / "logs").rglob("metrics.csv")).write_bytes(content)
    with pytest.raises(DataError, match=f"metrics.csv: {message}"):
        read_lightning(tmp_path / "logs")


def test_runs_that_logged_nothing_are_said(tmp_path: Path):
    shutil.copytree(LOGS, tmp_path / "logs")
    first = next((tmp_path / "logs").rglob("metrics.csv"))
    first.unlink()
    assert (first.parent / "hparams.yaml").is_file()
    assert (
        "Left out: runs without metrics.csv, which ended before their first epoch (1)."
        in read_lightning(tmp_path / "logs").notes
    )


def test_the_number_of_a_version_is_no_seed_unless_said(tmp_path: Path):
    for name, version in (("a", 0), ("a", 1), ("b", 0), ("b", 1)):
        (tmp_path / name / f"version_{version}").mkdir(parents=True)
        shutil.copy(LOGS / "version_0" / "metrics.csv", tmp_path / name / f"version_{version}")
    with pytest.raises(DataError, match="no setting is called seed or random_state"):
        read_runs([tmp_path])
    found = read_runs([tmp_path], tracked=Tracked(seed="version", by=("folder",)))
    assert found.variants == {"a": (0, 1), "b": (0, 1)}


def test_folders_can_say_variant_and_seed(tmp_path: Path):
    for seed in (7, 8):
        shutil.copytree(LOGS / "version_0", tmp_path / "plain" / f"seed-{seed}")
    assert read_runs([tmp_path]).variants == {"plain": (7, 8)}


def test_a_folder_without_logs_is_one_line(tmp_path: Path):
    with pytest.raises(DataError, match=r"no metrics.csv of Lightning in it; give the folder lightning_logs"):
        read_lightning(tmp_path)
