"""Log folders, as TensorBoard's own reader reads them: while a study trains, afterwards, and continued."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from permissions import enforced
from small_studies import points, small
from wellfit.base import HISTORY_COLUMNS
from wellfit.engine.train import Epoch
from wellfit.errors import StoreError, StoreUnreadableError, StudyFileError
from wellfit.interop import tensorboard
from wellfit.interop.tensorboard import EVENTS, MARK, TAGS, LogFolder, export_tensorboard
from wellfit.spec.study import StudySpec
from wellfit.store import open_existing
from wellfit.study.interrupts import Interrupted
from wellfit.study.run import run_study
from wellfit.study.session import Session

pytest.importorskip("tensorboardX")
reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def read(folder: Path) -> Any:
    """The events of a run, all of them."""
    read = reader.EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
    return read.Reload()


def train(spec: StudySpec, out: Path, logs: Path, watch: Callable[[Epoch], None] | None = None, **how: Any) -> None:
    session = Session(spec, points(), out, **how)
    folder = LogFolder(logs, session)

    def after_epoch(epoch: Epoch) -> None:
        folder.after_epoch(epoch)
        if watch is not None:
            watch(epoch)

    run_study(session, on_plan=lambda _: folder.begin(session), on_epoch=after_epoch)
    folder.finish(out)


def check(out: Path, logs: Path) -> None:
    """Every number of the store is in the log folder, once."""
    with open_existing(out) as store:
        records, tests = store.runs.records(), store.runs.test_scores()
        assert sorted(p.parent.relative_to(logs) for p in logs.rglob(EVENTS) if p.parent != logs) == sorted(
            Path(r.spec.variant, f"seed-{r.spec.seed}") for r in records
        )
        for record in records:
            variant, seed = record.spec.variant, record.spec.seed
            events = read(logs / variant / f"seed-{seed}")
            for name in HISTORY_COLUMNS:
                shown = events.Scalars(TAGS[name])
                assert [event.step for event in shown] == list(range(1, record.epochs + 1))
                np.testing.assert_array_equal(
                    np.float32([event.value for event in shown]), record.history[name].astype(np.float32)
                )
            for name, counts in store.runs.histograms(variant, seed).items():
                shown = events.Histograms(name) if counts.any() else []
                assert [event.step for event in shown] == (np.flatnonzero(counts.any(axis=1)) + 1).tolist()
                for event in shown:
                    of_epoch = counts[event.step - 1]
                    assert event.histogram_value.num == of_epoch.sum()
                    np.testing.assert_array_equal(np.trim_zeros(event.histogram_value.bucket), np.trim_zeros(of_epoch))
            if (variant, seed) in tests:
                ((accuracy,), (loss,)) = events.Scalars("test/accuracy"), events.Scalars("test/loss")
                assert (accuracy.step, accuracy.value) == (
                    record.readout_epoch, pytest.approx(tests[variant, seed][0])
                )  # fmt: skip
                assert loss.value == pytest.approx(tests[variant, seed][1])


def plugin_data(folder: Path) -> dict[str, Any]:
    """What the hyperparameters dashboard reads: tag -> message."""
    from tensorboard.plugins.hparams import plugin_data_pb2

    contents = read(folder).summary_metadata
    return {
        tag.removeprefix("_hparams_/"): plugin_data_pb2.HParamsPluginData.FromString(of.plugin_data.content)
        for tag, of in contents.items()
        if tag.startswith("_hparams_/")
    }


def test_a_study_is_logged_while_it_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "_SECONDS", 0.0)
    out, logs = tmp_path / "study", tmp_path / "logs"
    seen: list[int] = []

    def watch(epoch: Epoch) -> None:
        seen.append(len(read(logs / "l2" / "seed-1").Scalars("loss/train")))

    train(small(epochs=3), out, logs, watch)
    assert seen == [1, 2, 3]
    check(out, logs)
    begin = plugin_data(logs / "l2" / "seed-1")
    assert begin["session_start_info"].session_start_info.group_name == "l2"
    assert begin["session_start_info"].session_start_info.hparams["l2"].number_value == 0.1
    assert begin["session_end_info"].session_end_info.status == 1
    whole = plugin_data(logs)["experiment"].experiment
    assert {info.name for info in whole.hparam_infos} >= {"variant", "l2", "learning_rate"}
    (text,) = read(logs).Tensors("conclusion/text_summary")
    assert "Test accuracy" in text.tensor_proto.string_val[0].decode()


def test_more_seeds_and_epochs_and_another_command_double_nothing(tmp_path: Path) -> None:
    out, logs = tmp_path / "study", tmp_path / "study" / "tensorboard"
    for spec in (small(epochs=2), small(epochs=2), small(epochs=2, seeds=3), small(epochs=4, seeds=3)):
        train(spec, out, logs)
        check(out, logs)
    export_tensorboard(out, logs)
    check(out, logs)
    train(small(epochs=2, seeds=1), out, logs, fresh=True)
    check(out, logs)  # what is gone from the study is gone from the folder


def test_a_study_that_was_interrupted_is_logged_from_its_first_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "_SECONDS", 0.0)
    monkeypatch.setattr("wellfit.study.run.CHECKPOINT_SECONDS", -1.0)
    out, logs = tmp_path / "study", tmp_path / "logs"

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise Interrupted("now")

    with pytest.raises(Interrupted):
        train(small(epochs=4), out, logs, stop)
    assert len(read(logs / "plain" / "seed-0").Scalars("loss/train")) == 2
    train(small(epochs=4), out, logs)
    check(out, logs)


def test_a_diverged_run_has_failed(tmp_path: Path) -> None:
    out, logs = tmp_path / "study", tmp_path / "logs"
    with np.errstate(all="ignore"):
        train(small(epochs=3, seeds=1, wild={"learning_rate": 1e38, "optimizer": "sgd"}), out, logs)
    check(out, logs)
    assert plugin_data(logs / "wild" / "seed-0")["session_end_info"].session_end_info.status == 2
    assert not np.isfinite(read(logs / "wild" / "seed-0").Scalars("loss/train")[-1].value)


def test_a_disk_that_is_full_ends_the_updates_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "_SECONDS", 0.0)
    out, logs = tmp_path / "study", tmp_path / "logs"
    real, full = Path.mkdir, [True]

    def mkdir(self: Path, *args: Any, **kwargs: Any) -> None:
        if full[0] and self.name == "seed-0":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(StoreError, match="No space left on device"):
        train(small(epochs=2), out, logs)
    full[0] = False
    export_tensorboard(out, logs)
    check(out, logs)


def refused(out: Path, logs: Path, error: type[Exception], words: str) -> None:
    """A log folder is refused before anything is trained or written, and as an export too."""
    before = sorted(logs.rglob("*")) if logs.is_dir() else None
    with pytest.raises(error, match=words):
        LogFolder(logs, Session(small(epochs=1), points(), out))
    assert before is None or before == sorted(logs.rglob("*"))


def test_what_cannot_be_a_log_folder(tmp_path: Path) -> None:
    out, logs = tmp_path / "study", tmp_path / "logs"
    (tmp_path / "file").write_text("mine")
    refused(out, tmp_path / "file", StoreError, "file: a file, not a folder; choose another folder for TensorBoard")
    refused(
        out, tmp_path / "file" / "logs", StoreError, "cannot be made, because .*file is not a folder; choose another"
    )
    refused(out, out, StoreError, r"study: holds the study itself; choose another folder, such as .*tensorboard$")
    refused(out, out / "test" / "logs", StoreError, "holds the study itself")
    logs.mkdir()
    (logs / MARK).write_text("[]")
    refused(out, logs, StoreError, r"wellfit\.json: not written by wellfit, and stays as it is; choose another folder")
    (logs / MARK).write_text(json.dumps({"study": "other", "place": "/there"}))
    refused(out, logs, StoreError, "logs: shows the study 'other' in /there, not this one; choose another folder, or")
    (logs / MARK).unlink()
    (logs / "notes.txt").write_text("mine")
    (logs / "l2" / "seed-0").mkdir(parents=True)
    (logs / "l2" / "seed-0" / "events.out.tfevents.1.host").write_bytes(b"theirs")
    refused(out, logs, StoreError, r"tfevents\.1\.host: not written by wellfit, and stays as it is; choose another")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("study/logs", r"study/logs: a link, which may lead out of the study directory; delete the link, or choose"),
        ("study/logs/l2", "logs/l2: a link, but runs are written to folders and files; delete the link, or choose an"),
        ("study/logs/l2/seed-0", "seed-0: a link, but runs are written to folders and files"),
        (f"study/logs/l2/seed-9/{EVENTS}", "wellfit: a link, but runs are written to folders and files"),
        (f"study/logs/{EVENTS}", "wellfit: a link, but runs are written to folders and files"),
        (f"study/logs/{MARK}", r"wellfit\.json: cannot be read: a link, not a plain file; choose another folder"),
    ],
)
def test_links_where_runs_are_written_are_refused(at: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    link = tmp_path / at
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "victim")
    refused(tmp_path / "study", tmp_path / "study" / "logs", StoreError, words)
    assert not list((tmp_path / "victim").iterdir())


def test_other_links_stay_and_so_does_what_they_lead_to(tmp_path: Path) -> None:
    logs, mine = tmp_path / "logs", tmp_path / "mine" / "seed-0"
    for folder in (logs, mine):
        folder.mkdir(parents=True)
    for name in (EVENTS, "events.out.tfevents.1.host"):
        (mine / name).write_bytes(b"mine")
    (logs / "others").symlink_to(mine.parent)
    (tmp_path / "chosen").symlink_to(logs)
    train(small(epochs=1, seeds=1), tmp_path / "study", tmp_path / "chosen")
    assert (logs / "plain" / "seed-0" / EVENTS).is_file()
    assert sorted(path.read_bytes() for path in (logs / "others" / "seed-0").iterdir()) == [b"mine", b"mine"]


def test_a_hostile_mark_is_one_line(tmp_path: Path) -> None:
    mark = tmp_path / "logs" / MARK
    mark.parent.mkdir()
    os.mkfifo(mark)
    refused(tmp_path / "study", mark.parent, StoreError, "cannot be read: not a plain file; choose another folder")
    mark.unlink()
    mark.write_text("[" * 60_000)
    refused(tmp_path / "study", mark.parent, StoreError, "not written by wellfit, and stays as it is")
    mark.write_text("[" * 100_000)
    refused(tmp_path / "study", mark.parent, StoreError, "cannot be read: 100,000 bytes, more than 65,536; choose")
    mark.write_text(json.dumps({"study": "a\nb", "place": "\x1b[2J"}))
    refused(tmp_path / "study", mark.parent, StoreError, r"shows the study 'a\\nb' in \\x1b\[2J, not this one")


def test_a_run_that_ended_costs_nothing_more(tmp_path: Path) -> None:
    """Only histograms of epochs that are not written yet are asked for."""
    session = Session(small(epochs=9, seeds=1), points(), tmp_path / "study")
    folder = LogFolder(tmp_path / "logs", session)
    folder.begin(session)
    asked: list[int] = []

    def after(number: int) -> None:
        row = np.zeros(len(HISTORY_COLUMNS))
        runs = {("plain", 0): [row] * number, ("l2", 0): [row] * min(number, 2)}  # l2 ends after two epochs

        def histograms(begin: int) -> Any:
            asked.append(begin)
            return {run: {} for run in runs}

        folder.after_epoch(Epoch(number, 9, 0, 1, 1.0, Any, Any, lambda: runs, histograms))  # type: ignore[arg-type]

    for number in (1, 2, 3, 4, 4):
        after(number)
    assert asked == [1, 2, 3, 4]
    assert len(read(tmp_path / "logs" / "plain" / "seed-0").Scalars("loss/train")) == 4
    assert len(read(tmp_path / "logs" / "l2" / "seed-0").Scalars("loss/train")) == 2


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "notes.txt").write_text("mine")
    train(small(epochs=1, seeds=1), tmp_path / "study", logs)
    assert (logs / "notes.txt").read_text() == "mine"


def test_a_folder_that_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with enforced():
        refused(tmp_path / "study", tmp_path / "closed" / "logs", StoreError, "cannot be written: no permission for ")


def test_a_study_in_a_temporary_directory_is_known_by_its_settings(tmp_path: Path) -> None:
    sessions = [Session(small(epochs=n), points(), tmp_path / str(at)) for at, n in enumerate((1, 1, 2))]
    LogFolder(tmp_path / "logs", sessions[0], temporary=True).begin(sessions[0])
    LogFolder(tmp_path / "logs", sessions[1], temporary=True)
    with pytest.raises(StoreError, match=r"shows the study 'study' in a temporary directory .*, not this one"):
        LogFolder(tmp_path / "logs", sessions[2], temporary=True)


def test_a_study_with_nothing_finished(tmp_path: Path) -> None:
    out, logs = tmp_path / "study", tmp_path / "logs"

    def stop(epoch: Epoch) -> None:
        raise Interrupted("now")

    with pytest.raises(Interrupted):
        train(small(epochs=2), out, logs, stop)
    with pytest.raises(StudyFileError, match=r"no run of the study in .* has finished; run it first"):
        export_tensorboard(out, logs)
    with pytest.raises(StoreUnreadableError, match="no such directory; wellfit run makes one"):
        export_tensorboard(tmp_path / "none", logs)
