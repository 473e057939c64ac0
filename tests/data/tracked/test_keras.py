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
