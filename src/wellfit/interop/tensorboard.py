"""A study as a log folder of TensorBoard: a run in ``VARIANT/seed-S``, with one event file that is replaced or grows.

Every run has the metrics and the histograms of its weights by epoch, its settings as hyperparameters, and its test
results; the folder itself has the conclusion.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from wellfit import __version__
from wellfit.base import HISTORY_COLUMNS, FloatArray, Recipe, RunRecord, StudySummary
from wellfit.base.histograms import Histograms
from wellfit.engine.train import Epoch
from wellfit.errors import StoreError, StudyFileError, printable
from wellfit.files import form_of, read_plain, replacing, write_errors
from wellfit.interop import tensorboard_events as events
from wellfit.interop.tensorboard_texts import conclusion_text, run_settings
from wellfit.store import Store, open_existing
from wellfit.store.names import FOLDERS
from wellfit.study.elsewhere import refuse_elsewhere
from wellfit.study.session import Session
from wellfit.study.summarize import summary_of

__all__ = ["EVENTS", "TAGS", "LogFolder", "Shown", "check_log_folder", "export_tensorboard"]

EVENTS: Final = "events.out.tfevents.0.wellfit"
"""The name of every event file; its end is ours, and TensorBoard asks for the middle."""

MARK: Final = "wellfit.json"
"""The file that says which study a log folder shows."""

TAGS: Final = {
    "running_loss": "loss/running",
    "running_accuracy": "accuracy/running",
    "train_loss": "loss/train",
    "train_accuracy": "accuracy/train",
    "validation_loss": "loss/validation",
    "validation_accuracy": "accuracy/validation",
    "penalty": "weights/penalty",
    "weight_norm": "weights/norm",
    "gradient_norm": "training/gradient_norm",
    "small_weights": "weights/small",
    "dead_units": "training/dead_units",
    "learning_rate": "training/learning_rate",
}
"""Metric of an epoch -> its tag: TensorBoard groups tags by what precedes the slash."""

_TESTED: Final = ("test/accuracy", "test/loss")
_METRICS: Final = (*_TESTED, "accuracy/validation", "loss/validation", "accuracy/train", "loss/train")
_MOST_BYTES: Final = 2**16  # of the mark, which has a name and a path
_SECONDS: Final = 1.0  # between two writes while a study trains
_FIX: Final = "free disk space, fix the permissions, or choose another folder"
_NO_LINK: Final = "delete the link, or choose another folder"

Run = tuple[str, int]


@dataclass(frozen=True)
class Shown:
    """Which study a log folder shows: those that differ never share one.

    Args:
      study: its name.
      place: its directory; of a study in a temporary directory, a hash of its settings.
    """

    study: str
    place: str

    @classmethod
    def of(cls, session: Session, temporary: bool) -> Shown:
        """The study of a session."""
        if not temporary:
            return cls(session.spec.name, str(session.directory.resolve()))
        settings = {key: value for key, value in session.resolved.items() if key != "seeds"}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()
        return cls(session.spec.name, f"a temporary directory ({digest[:12]})")


def check_log_folder(folder: Path, shown: Shown, variants: Collection[str]) -> None:
    """Refuse a log folder that cannot be used, before anything is trained or written.

    Args:
      folder: the folder, which need not exist.
      shown: the study that is to be shown there.
      variants: of the study.

    Raises:
      WellfitError: tensorboardX is not installed.
      StoreError: it is no folder, shows another study, has links or event files of another program in the place of our
        files, is a part of a study directory or a link in it, or cannot be written.
    """
    events.messages()
    with write_errors(folder, _FIX):
        if (form := form_of(folder)) not in (None, "a folder"):
            raise StoreError(f"{folder}: {form}, not a folder; choose another folder for TensorBoard")
        own = Path(shown.place)
        for path in (folder.absolute(), *folder.absolute().parents):
            if path.is_symlink() and path.parent.resolve().is_relative_to(own):
                raise StoreError(f"{path}: a link, which may lead out of the study directory; {_NO_LINK}")
        at = folder.resolve()
        if at == own or any(at.is_relative_to(own / name) for name in FOLDERS):
            raise StoreError(f"{folder}: holds the study itself; choose another folder, such as {own / 'tensorboard'}")
        _check_mark(folder, shown)
        _refuse_links(folder, variants)
        for path in (*_below(folder, "*tfevents*"), *_below(folder, "*/seed-*/*tfevents*")):
            if path.name != EVENTS:
                raise StoreError(f"{path}: not written by wellfit, and stays as it is; choose another folder")
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        if not there.is_dir():
            raise StoreError(f"{folder}: cannot be made, because {there} is not a folder; choose another folder")
        if not os.access(there, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise StoreError(f"{folder}: cannot be written: no permission for {there}; {_FIX}")


def _check_mark(folder: Path, shown: Shown) -> None:
    """Refuse a folder that shows another study."""
    if not os.path.lexists(path := folder / MARK):
        return
    try:
        found = json.loads(read_plain(path, _MOST_BYTES).decode())
        before = Shown(str(found["study"]), str(found["place"]))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}; choose another folder") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise StoreError(f"{path}: not written by wellfit, and stays as it is; choose another folder") from None
    if before != shown:
        of = f"the study {printable(repr(before.study))} in {printable(before.place)}"
        raise StoreError(f"{folder}: shows {of}, not this one; choose another folder, or delete this one")


def _refuse_links(folder: Path, variants: Collection[str]) -> None:
    """Refuse links where runs of these variants are written, since what is written would end up elsewhere."""
    of_variants = [folder / name for name in variants]
    of_runs = [path for of in of_variants if not of.is_symlink() for path in of.glob("seed-*")]
    for path in (*of_variants, *of_runs, *(of / EVENTS for of in (folder, *of_runs))):
        if path.is_symlink():
            raise StoreError(f"{path}: a link, but runs are written to folders and files; {_NO_LINK}")


def _below(folder: Path, pattern: str) -> Iterator[Path]:
    """What matches a pattern in a folder itself, not in what its links lead to, nor such a link."""
    for path in folder.glob(pattern):
        parts = path.relative_to(folder).parts
        if not any(folder.joinpath(*parts[:n]).is_symlink() for n in range(1, len(parts) + 1)):
            yield path


class LogFolder:
    """The log folder of a study in training. A full disk ends its updates, not the training; ``finish`` tells.

    Args:
      folder: the folder; it is created by ``begin``.
      session: the study.
      temporary: whether the study directory is.

    Raises:
      WellfitError: as for ``check_log_folder``.
    """

    def __init__(self, folder: Path, session: Session, *, temporary: bool = False) -> None:
        self.folder = folder
        self._shown = Shown.of(session, temporary)
        self._written: dict[Run, int] = {}  # epochs in each run's file
        self._recipes: dict[str, Recipe] = {}
        self._settings: dict[str, dict[str, float | bool | str]] = {}
        self._last = -_SECONDS
        self._broken = False
        check_log_folder(folder, self._shown, session.recipes)

    def begin(self, session: Session) -> None:
        """Create the folder, before training and once the study directory is open."""
        self._recipes |= session.recipes
        self._settings = run_settings(self._recipes)
        _begin(self.folder, self._shown, self._settings)

    def after_epoch(self, epoch: Epoch) -> None:
        """Write the epochs that are new, once a second and after the last one."""
        now = time.monotonic()
        if self._broken or (epoch.active and now - self._last < _SECONDS):
            return
        self._last = now
        new = {
            run: of_run
            for run, of_run in epoch.rows().items()
            if run[0] in self._settings and len(of_run) > self._written.get(run, 0)
        }
        if not new:
            return
        begin = min(self._written.get(run, 0) for run in new) + 1  # not that of a run that ended early
        histograms = epoch.histograms(begin)
        try:
            for run, of_run in new.items():
                self._append(run, of_run, histograms[run], begin)
        except OSError:
            self._broken = True

    def _append(self, run: Run, rows: Sequence[FloatArray], histograms: Histograms, begin: int) -> None:
        known, now = self._written.get(run, 0), time.time()
        path = _run_folder(self.folder, run) / EVENTS
        numbers = range(known + 1, len(rows) + 1)
        records = [_epoch(rows[n - 1], {key: of[n - begin] for key, of in histograms.items()}, n, now) for n in numbers]
        content = b"".join(record for of_epoch in records for record in of_epoch)
        if known:
            with open(path, "ab") as file:
                file.write(content)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, durable=False) as temporary:
                temporary.write_bytes(_head(run, self._settings[run[0]], now) + content)
        self._written[run] = len(rows)

    def finish(self, directory: Path) -> None:
        """Add what is known at the end: test results, the conclusion, and the runs that an earlier command trained.

        Raises:
          StoreError: a file cannot be written.
        """
        written = {} if self._broken else self._written
        with open_existing(directory) as store:
            _write_study(store, summary_of(store), self.folder, self._shown, written)


def export_tensorboard(directory: Path, folder: Path) -> int:
    """Write the log folder of a study that was trained before; runs that are there already are replaced.

    Args:
      directory: the study directory.
      folder: the log folder.

    Returns:
      The number of runs.

    Raises:
      WellfitError: as for ``check_log_folder``.
      StudyFileError: no run has finished.
      StoreUnreadableError: there is no study in the directory, or it is damaged.
    """
    with open_existing(directory) as store:
        summary = summary_of(store)
        refuse_elsewhere(summary)
        shown = Shown(summary.name, str(directory.resolve()))
        check_log_folder(folder, shown, [variant.name for variant in summary.variants])
        if not store.runs.finished():
            raise StudyFileError(f"no run of the study in {directory} has finished; run it first")
        return _write_study(store, summary, folder, shown, {})


def _write_study(store: Store, summary: StudySummary, folder: Path, shown: Shown, written: Mapping[Run, int]) -> int:
    """Write every run of a store, or only its end where its epochs are written, and the conclusion."""
    records, tests = store.runs.records(), store.runs.test_scores()
    recipes = {record.spec.variant: record.spec.recipe for record in records}
    settings = run_settings(recipes)
    with write_errors(folder, _FIX):
        _refuse_links(folder, recipes)  # of earlier commands too
        _remove_others(folder, {(record.spec.variant, record.spec.seed) for record in records})
        for record in records:
            run = record.spec.variant, record.spec.seed
            path = _run_folder(folder, run) / EVENTS
            now = time.time()
            end = b"".join(_end(record, tests.get(run), now))
            if written.get(run) == record.epochs and path.is_file():
                with open(path, "ab") as file:
                    file.write(end)
                continue
            content = _whole(record, store.runs.histograms(*run), settings[run[0]], now)
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, durable=False) as temporary:
                temporary.write_bytes(content + end)
        _begin(folder, shown, settings, conclusion_text(summary))
    return len(records)


def _begin(folder: Path, shown: Shown, settings: Mapping[str, Mapping[str, Any]], conclusion: str = "") -> None:
    """Write what concerns all runs: the folder's mark, which settings and metrics to compare, and the conclusion."""
    now = time.time()
    values = {name: [of[name] for of in settings.values() if name in of] for of in settings.values() for name in of}
    records = [events.first_event(now), events.event(events.experiment(values, _METRICS), 0, now)]
    records += [events.event(events.text("conclusion", conclusion), 0, now)] if conclusion else []
    with write_errors(folder, _FIX):
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / MARK, durable=False) as temporary:
            temporary.write_text(
                json.dumps({**asdict(shown), "wellfit": __version__}, indent=2) + "\n", encoding="utf-8"
            )
        with replacing(folder / EVENTS, durable=False) as temporary:
            temporary.write_bytes(b"".join(records))


def _remove_others(folder: Path, runs: set[Run]) -> None:
    """Remove the event files of runs that the study has no more, after ``--fresh`` say."""
    kept = {_run_folder(folder, run) / EVENTS for run in runs}
    for path in list(_below(folder, f"*/seed-*/{EVENTS}")):
        if path not in kept:
            path.unlink(missing_ok=True)
            for empty in (path.parent, path.parent.parent):
                if not any(empty.iterdir()):
                    empty.rmdir()


def _run_folder(folder: Path, run: Run) -> Path:
    return folder / run[0] / f"seed-{run[1]}"


def _whole(record: RunRecord, histograms: Histograms, settings: Mapping[str, Any], now: float) -> bytes:
    """The events of a run up to its last epoch, spread over the time that it trained."""
    began = now - record.seconds if record.seconds >= 0 else now  # unknown times are NaN
    columns = [record.history[name] for name in HISTORY_COLUMNS]
    parts = [_head((record.spec.variant, record.spec.seed), settings, began)]
    for number in range(1, record.epochs + 1):
        at = began + (now - began) * number / record.epochs
        row = [column[number - 1] for column in columns]
        parts += _epoch(row, {name: counts[number - 1] for name, counts in histograms.items()}, number, at)
    return b"".join(parts)


def _head(run: Run, settings: Mapping[str, Any], began: float) -> bytes:
    """The beginning of a run's file: its settings."""
    start = events.session_start(settings, run[0], began)
    return events.first_event(began) + events.event(start, 0, began)


def _epoch(row: Sequence[float] | FloatArray, counts: Mapping[str, Any], number: int, at: float) -> Iterator[bytes]:
    """The metrics and histograms of an epoch."""
    for name, value in zip(HISTORY_COLUMNS, row, strict=True):
        yield events.event(events.scalar(TAGS[name], value), number, at)
    for name, of_array in counts.items():
        if of_array.any():
            yield events.event(events.histogram(name, of_array), number, at)


def _end(record: RunRecord, tested: tuple[float, float] | None, now: float) -> Iterator[bytes]:
    """Test results, at the epoch whose weights were tested, and how the run ended."""
    for tag, value in zip(_TESTED, tested or (), strict=False):
        yield events.event(events.scalar(tag, value), record.readout_epoch, now)
    yield events.event(events.session_end(record.state == "diverged", now), 0, now)
