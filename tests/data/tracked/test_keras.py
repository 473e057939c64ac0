"""Keras's CSVLogger and History."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tracked import FIXTURES, write_keras
from wellfit.data.tracked.keras import is_keras, may_be_run, read_keras
from wellfit.data.tracked.read import kind_of, read_runs
from wellfit.data.tracked.runs import Tracked
from wellfit.errors import DataError

CSV, HISTORY = FIXTURES / "keras" / "csv", FIXTURES / "keras" / "history"


def test_both_forms_say_the_same():
    given = [read_runs([folder], tracked=Tracked(accuracy="val_accuracy")) for folder in (CSV, HISTORY)]
    for found in given:
        assert found.variants == {"units=2": (0, 1), "units=8": (0, 1)}
        last = json.loads((HISTORY / "units=8.1.json").read_text())
        assert found.runs[-1].accuracy == last["val_accuracy"][-1]
        history = found.histories["units=8", 1]
        np.testing.assert_allclose(history["validation_loss"], last["val_loss"], rtol=1e-12)
        np.testing.assert_allclose(history["train_accuracy"], last["accuracy"], rtol=1e-12)
        assert any("Keras's means over each epoch" in note for note in found.notes)


def test_what_keras_writes_today_is_read(tmp_path: Path):
    pytest.importorskip("keras")
    import jax

    with jax.numpy_rank_promotion("allow"):
        write_keras(tmp_path)
    assert len(read_runs([tmp_path / "csv"], tracked=Tracked(accuracy="val_accuracy")).runs) == 4


def test_validation_is_not_taken_for_the_test(tmp_path: Path):
    with pytest.raises(
        DataError, match="say with --accuracy NAME which is; one of validation is not the test accuracy"
    ):
        read_runs([CSV])
    file = tmp_path / "l2" / "seed3.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"history": {"val_loss": [2, 1]}, "test_accuracy": 0.75, "epoch": [0, 1]}))
    found = read_runs([tmp_path])
    assert [(run.variant, run.seed, run.accuracy) for run in found.runs] == [("l2", 3, 0.75)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("units=2.5.csv", b""),
        ("units=2.5.csv", b"# resumed\nepoch,val_accuracy\n0,0.5\n"),
        ("units=2.5.csv", "epoch,val_accuracy\n0,0.5\n".encode("utf-16")),
        ("units=2.5.csv", b"epocb,val_accuracy\n0,0.5\n"),
        ("units=2.5.json", b'{"val_accuracy": [0.5, null]}'),
        ("units=2.5.json", b'{"val_accuracy": [[0.5], [0.6]]}'),
    ],
)
def test_a_damaged_run_is_not_left_out_in_silence(tmp_path: Path, name: str, content: bytes):
    shutil.copytree(CSV, tmp_path / "runs")
    (tmp_path / "runs" / name).write_bytes(content)
    with pytest.raises(
        DataError, match=rf"{name}: is named like a run, but holds no log of CSVLogger.*; repair it, or"
    ):
        read_runs([tmp_path / "runs"], tracked=Tracked(accuracy="val_accuracy"))


def test_other_files_may_lie_beside_the_runs(tmp_path: Path):
    shutil.copytree(CSV, tmp_path / "runs")
    for name in ("slurm-1234.5.log", "train.2024.log", "requirements.0.txt", "predictions.0.csv", "notes-v1.2.txt"):
        (tmp_path / "runs" / name).write_text("learning rate halved\n")
    (tmp_path / "runs" / "units=2.0.json").write_text('{"units": 2}')  # settings beside the log of the same run
    (tmp_path / "runs" / "README.txt").symlink_to(tmp_path / "gone")
    found = read_runs([tmp_path / "runs"], tracked=Tracked(accuracy="val_accuracy"))
    assert len(found.runs) == 4
    left = "notes-v1.2.txt, predictions.0.csv, requirements.0.txt, and 2 more."
    assert f"Not read, since no log of CSVLogger and no History: {left}" in found.notes
    assert "Not looked into: 1 links that lead nowhere, pipes or devices." in found.notes


def test_a_history_beside_tables_is_a_run_too(tmp_path: Path):
    shutil.copytree(CSV, tmp_path / "runs")
    (tmp_path / "runs" / "units=8.1.csv").unlink()
    shutil.copy(HISTORY / "units=8.1.json", tmp_path / "runs")
    found = read_runs([tmp_path / "runs"], tracked=Tracked(accuracy="val_accuracy"))
    assert found.variants == {"units=2": (0, 1), "units=8": (0, 1)}


def test_a_diverged_run_is_not_judged_by_its_last_good_epoch(tmp_path: Path):
    for seed, last in enumerate(("0.8", "nan")):
        lines = f"epoch,accuracy,loss,val_accuracy,val_loss\n0,.5,.5,.9,.5\n1,.1,{last},{last},{last}\n"
        (tmp_path / f"a.{seed}.csv").write_text(lines)
    with pytest.raises(
        DataError, match=r"a.1.csv: val_accuracy nan is not between 0 and 1; leave the run out if it div"
    ):
        read_runs([tmp_path], tracked=Tracked(accuracy="val_accuracy"))


@pytest.mark.parametrize(
    ("epochs", "message"),
    [("0 1 2 0 1", "line 5: epoch 0 follows epoch 2"), ("0 1 1", "line 4: epoch 1 follows epoch 1"),
     ("0 x 2", "line 3: epoch is not a whole number"), ("0 NA 2", "line 3: no epoch")],
)  # fmt: skip
def test_epochs_that_begin_anew_repeat_or_are_none_are_refused(tmp_path: Path, epochs: str, message: str):
    lines = "".join(f"{epoch},0.{at + 1}\n" for at, epoch in enumerate(epochs.split()))
    (tmp_path / "a.0.csv").write_text(f"epoch,val_accuracy\n{lines}")
    with pytest.raises(DataError, match=message):
        read_keras(tmp_path / "a.0.csv")


def test_one_file_and_other_endings(tmp_path: Path):
    shutil.copy(CSV / "units=2.0.csv", tmp_path / "units=2.0.log")
    assert is_keras(tmp_path / "units=2.0.log")
    (run,) = read_keras(tmp_path / "units=2.0.log").runs
    assert run.named == ("units=2", 0)
    assert set(run.metrics) == {"train_accuracy", "train_loss", "val_accuracy", "val_loss"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("history.json", "{}", "history.json: a name without variant and seed; name each file VARIANT.SEED.csv"),
        ("l2.0.json", "[1]", "no History of Keras; write it with json.dump"),
        ("l2.0.json", '{"loss": [1, "x"]}', "'loss' holds more than numbers; .*float"),
        ("l2.0.json", '{"loss": []}', "holds no numbers"),
        ("l2.0.json", "{", "no JSON"),
    ],
)
def test_files_that_are_no_history_are_one_line(tmp_path: Path, name: str, text: str, message: str):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_keras(tmp_path / name)


def test_a_pickled_history_is_refused_with_the_line_that_writes_json(tmp_path: Path):
    (tmp_path / "l2.0.pkl").write_bytes(b"\x80\x04.")
    for path in (tmp_path, tmp_path / "l2.0.pkl"):
        with pytest.raises(
            DataError, match=r"is a pickled file.*json\.dump\(history\.history, open\('VARIANT.SEED.json"
        ):
            read_runs([path])


def test_other_json_is_no_history(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps({"lr": 0.1, "layers": ["a", "b"], "name": "x"}))
    assert kind_of(tmp_path) is None
    shutil.copy(HISTORY / "units=8.1.json", tmp_path / "plain.1.json")
    assert kind_of(tmp_path) == "keras"
    assert [run.named for run in read_keras(tmp_path).runs] == [("plain", 1)]
    for text in ('{"test_accuracy": 0.5}', '{"history": {}}', "{"):
        (tmp_path / "config.json").write_text(text)
        assert may_be_run(tmp_path / "config.json")
    (tmp_path / "config.json").write_text("[1]")
    assert not may_be_run(tmp_path / "config.json")
