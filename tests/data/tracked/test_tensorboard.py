"""TensorBoard's log folders."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tracked import EXPECTED, FIXTURES, epochs, write_split_events, write_tensorboard
from wellfit.data.tracked import tensorboard
from wellfit.data.tracked.read import read_runs
from wellfit.data.tracked.records import record
from wellfit.data.tracked.tensorboard import read_tensorboard
from wellfit.errors import DataError

pytest.importorskip("tensorboardX")
EVENTS = FIXTURES / "events"


def check(folder: Path) -> None:
    found = read_runs([folder])
    assert {(run.variant, run.seed): run.accuracy for run in found.runs} == EXPECTED
    history = found.histories["l2=0.01", 4]
    np.testing.assert_allclose(
        history["validation_loss"][:4], [of["val_loss"] for _, of in epochs("0.01", 4)], rtol=1e-6
    )
    np.testing.assert_allclose(history["train_loss"][:4], [of["train_loss"] for _, of in epochs("0.01", 4)], rtol=1e-6)


def test_hyperparameters_say_variant_and_seed():
    check(EVENTS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("hparams", [True, False])
def test_what_pytorch_writes_today_is_read(tmp_path: Path, hparams: bool):
    pytest.importorskip("torch.utils.tensorboard")
    write_tensorboard(tmp_path, hparams=hparams)
    check(tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_tensors_in_a_folder_for_each_split(tmp_path: Path):
    pytest.importorskip("tensorboard")
    write_split_events(tmp_path)
    check(tmp_path)


def test_our_own_log_folder_comes_back(tmp_path: Path, finished_study: Path):
    from wellfit.interop.tensorboard import export_tensorboard
    from wellfit.store import open_existing

    export_tensorboard(finished_study, tmp_path / "logs")
    found = read_runs([tmp_path / "logs"])
    with open_existing(finished_study) as store:
        scores = store.runs.test_scores()
    assert {(run.variant, run.seed) for run in found.runs} == set(scores)


def test_one_event_file(tmp_path: Path):
    (file,) = (EVENTS / "run0").glob("events*")
    (run,) = read_tensorboard(file).runs
    assert run.metrics["test/acc"] == 0.81


def test_what_holds_nothing_or_is_damaged_is_one_line(tmp_path: Path):
    file = tmp_path / "events.out.tfevents.1.x"
    file.write_bytes(record(b"\xff\xff"))
    with pytest.raises(DataError, match=r"a record is no event .*; replace the file"):
        read_tensorboard(tmp_path)
    file.write_bytes(b"")
    with pytest.raises(DataError, match="no scalars in its event files; log the test accuracy of each run"):
        read_tensorboard(tmp_path)
    from tensorboardX.proto import event_pb2

    event = event_pb2.Event()
    value = event.summary.value.add(tag="_hparams_/session_start_info")
    value.metadata.plugin_data.plugin_name, value.metadata.plugin_data.content = "hparams", b"\xff"
    file.write_bytes(record(event.SerializeToString()))
    with pytest.raises(DataError, match="its hyperparameters cannot be read"):
        read_tensorboard(tmp_path)


def test_without_tensorboardx_the_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tensorboardX.proto", None)
    with pytest.raises(DataError, match=r'needs tensorboardX, .*pip install "wellfit\[tensorboard\]"'):
        read_tensorboard(EVENTS)


def test_folders_named_by_their_time_are_runs_unless_they_hold_hyperparameters(tmp_path: Path):
    from tensorboardX.proto import event_pb2, plugin_hparams_pb2

    def write(folder: Path, accuracy: float, hparams: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        event = event_pb2.Event(step=1)
        event.summary.value.add(tag="test/acc", simple_value=accuracy)
        if hparams:
            data = plugin_hparams_pb2.HParamsPluginData()
            data.session_start_info.hparams["lr"].number_value = 3.0
            value = event.summary.value.add(tag="_hparams_/session_start_info")
            value.metadata.plugin_data.plugin_name = "hparams"
            value.metadata.plugin_data.content = data.SerializeToString()
        (folder / "events.out.tfevents.1.x").write_bytes(record(event.SerializeToString()))

    for at in (1, 2):
        write(tmp_path / "a" / "l2" / f"170000000{at}", at / 4)
    found = read_tensorboard(tmp_path / "a").runs
    assert [run.metrics["test/acc"] for run in found] == [0.25, 0.5]
    write(tmp_path / "b" / "l2", 0.75)
    write(tmp_path / "b" / "l2" / "1700000003", 0.5)
    assert len(read_tensorboard(tmp_path / "b").runs) == 2
    write(tmp_path / "b" / "l2" / "1700000003", 0.5, hparams=True)
    (run,) = read_tensorboard(tmp_path / "b").runs
    assert run.params == {"lr": "3"}


def test_too_many_numbers_are_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tensorboard, "_MOST_POINTS", 3)
    with pytest.raises(DataError, match=r"more than 3 numbers; log fewer steps, or .*WELLFIT_LIMITS=2"):
        read_tensorboard(EVENTS)
