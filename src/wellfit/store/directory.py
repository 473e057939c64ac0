"""An open study directory: what is read from it and saved to it."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Finding, FloatArray, History, IntArray, RunRecord
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.spec.identity import merged
from wellfit.store import checkpoints, contents, ends, facts, progress, runs
from wellfit.store.database import Database
from wellfit.store.files import read_file, settle, stage_arrays, sweep, unpack, write_arrays
from wellfit.store.lock import Lock, is_locked

__all__ = ["Store"]

SECONDS_KEPT: Final = 5.0  # of running time that may be lost with a process, so that not every epoch waits for the disk


class Store:
    """An open study directory. Get one from ``create_or_open`` or ``open_existing``, and use it in a ``with`` block.

    Args:
      directory: the study directory.
      database: its database.
      lock: the lock, where the store is open for writing.
    """

    def __init__(self, directory: Path, database: Database, lock: Lock | None = None) -> None:
        self.directory = directory
        self._database = database
        self._lock = lock
        self._seconds = 0.0  # not yet in the database
        self._seconds_saved = time.monotonic()
        self._provenance: Mapping[str, str] = {}  # of this process, until its first run is saved
        self._feed = progress.Feed(directory / progress.FILE)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Save what is pending, and give the lock back."""
        try:
            if self._lock is not None and self._seconds:
                with self._database.transaction():
                    self._save_seconds()
        finally:
            self._database.close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    # --- The study

    def begin(self, resolved: Mapping[str, Any], provenance: Mapping[str, str]) -> None:
        """Take a study in: make it the store's, or add its new variants and seeds to those that are stored.

        Args:
          resolved: the study, as ``spec.resolved`` gives it, without conflict.
          provenance: where this process's work comes from; joins what is stored when the first of it is saved.
        """
        with self._database.transaction():
            stored = self.study()
            self._database.put("study", merged(stored, resolved) if stored else resolved)
            if not stored:
                self._database.put("created", facts.now())
            begun = self.epochs_asked() or bool(self.checkpoint_files())
            if not begun:
                self._database.put("provenance", dict(provenance))
        self._provenance = provenance if begun else {}
        ends.sweep_ends(self.directory, self._database)  # of a process that was killed

    def is_begun(self) -> bool:
        """Whether the store holds a study; a process that was killed at once may leave one that does not."""
        return not self._database.blank and bool(self.study())

    def study(self) -> dict[str, Any]:
        """The study in its ``resolved`` form, with every variant and seed that was ever asked for."""
        return facts.read_study(self._database)

    def trained(self) -> dict[str, Any]:
        """The study, with no more epochs anywhere than its runs were trained for: what a continued study may ask for.

        A study that was asked for more epochs, and stopped before any of its runs had them, can be called back.
        """
        return facts.trained_part(self.study(), self.epochs_asked())

    def note(self, key: str, value: Any) -> None:
        """Remember a fact of the study under a name of its own: plain data that JSON can hold."""
        with self._database.transaction():
            facts.write_note(self._database, key, value)

    def noted(self, key: str) -> Any:
        """A fact that ``note`` remembers; None where there is none."""
        return self.notes().get(key)

    def notes(self) -> dict[str, Any]:
        """Every fact that ``note`` remembers, by its key."""
        return facts.read_notes(self._database)

    def provenance(self) -> dict[str, str]:
        """Where the runs come from; a fact that changed between saved runs has all its values, joined by "; then ".

        Every opening of the test set is told in it, too.
        """
        opened = self.test_opened()
        return facts.read_provenance(self._database) | ({"test set opened": opened} if opened else {})

    def test_opened(self) -> str | None:
        """When the test set was opened: every time, joined by ", "; or None."""
        return facts.read_test_opened(self._database)

    def mark_test_opened(self) -> None:
        """Record that the test set is opened now, after the times before."""
        with self._database.transaction():
            before = self.test_opened()
            self._database.put("test_opened", f"{before}, {facts.now()}" if before else facts.now())

    def seconds(self) -> float:
        """The time spent in training so far."""
        return float(self._database.get("seconds", 0.0)) + self._seconds

    def add_seconds(self, seconds: float) -> None:
        """Count time spent in training; on the disk within seconds, and whenever runs are saved."""
        self._seconds += seconds
        if time.monotonic() - self._seconds_saved > SECONDS_KEPT:
            with self._database.transaction():
                self._save_seconds()

    def is_running(self) -> bool:
        """Whether a living process, this one included, is at work in the directory."""
        return self._lock is not None or is_locked(self.directory / "lock")

    # --- Runs

    def finished(self) -> set[tuple[str, int]]:
        """The runs that were trained, as (variant, seed), however they ended; not those that are outgrown."""
        return self.epochs_asked().keys() - self.outgrown()

    def outgrown(self) -> set[tuple[str, int]]:
        """Runs that were trained for fewer epochs than the study has by now: they are to go on, and are pending."""
        return runs.outgrown(self._database)

    def epochs_asked(self) -> dict[tuple[str, int], int]:
        """Every run that was trained, outgrown or not, and the epochs that its recipe asked for."""
        return runs.epochs_asked(self._database)

    def save(
        self,
        records: Sequence[RunRecord],
        probabilities: Mapping[tuple[str, int], FloatArray] | None = None,
        tests: Mapping[tuple[str, int], tuple[float, float]] | None = None,
        ended: Iterable[tuple[str, Mapping[str, NDArray[Any]], Mapping[str, Any]]] = (),
    ) -> None:
        """Save runs, all or none of them. Those that take the place of others are pending while files are replaced.

        Args:
          records: the runs.
          probabilities: (variant, seed) -> test probabilities, float32, of runs that were tested.  # (M, K)
          tests: (variant, seed) -> test accuracy and loss, of the same runs.
          ended: where their trajectories ended: names, arrays and facts, in place of their last ends; see
            ``store.ends`` for what they cost.

        Raises:
          StoreError: the disk is full or the directory not writable; what was saved before is kept.
        """
        by_run = {runs.run_of(record): record for record in records}
        try:  # all that takes room, before anything is replaced
            weights = {run: self._stage("weights", run, record.weights) for run, record in by_run.items()}
            tested = {run: self._stage("test", run, {"probabilities": p}) for run, p in (probabilities or {}).items()}
            told = {name: ends.write_end(self.directory, name, arrays, of) for name, arrays, of in ended}
            if again := self.epochs_asked().keys() & by_run.keys():
                with self._database.transaction():  # a row never names files that are not its own
                    runs.delete_runs(self._database, again)
            for folder, staged in zip(runs.RUN_FOLDERS, (weights, tested), strict=True):
                for run in staged:
                    settle(self.directory / runs.file_of(folder, run))
        except StoreError:
            sweep(self.directory / folder for folder in runs.RUN_FOLDERS)
            ends.sweep_ends(self.directory, self._database)
            raise
        with self._database.transaction():
            ends.put_ends(self._database, told)
            for run, record in by_run.items():
                runs.insert_run(self._database, record, weights[run])
            for run, (accuracy, loss) in (tests or {}).items():
                runs.insert_test(self._database, run, accuracy, loss, tested[run])
            self._save_seconds()
            self._save_provenance()
        self._provenance = {}
        if told:
            ends.sweep_ends(self.directory, self._database)

    def save_test(self, variant: str, seed: int, probabilities: FloatArray, accuracy: float, loss: float) -> None:
        """Save how a run that is in the store does on the test set.

        Args:
          variant, seed: the run.
          probabilities: float32.  # (M, K)
          accuracy, loss: over the test set.

        Raises:
          StoreError: as ``save``.
        """
        sha256 = write_arrays(self.directory / runs.file_of("test", (variant, seed)), {"probabilities": probabilities})
        with self._database.transaction():
            runs.insert_test(self._database, (variant, seed), accuracy, loss, sha256)
            self._save_provenance()
        self._provenance = {}

    def records(self) -> list[RunRecord]:
        """Every run that was trained, in the study's order; without weights, which ``weights`` reads.

        Runs that are outgrown are left out.
        """
        return runs.read_records(self._database)

    def tests(self) -> dict[tuple[str, int], tuple[float, float]]:
        """Test accuracy and loss of every run that was tested; of none that is outgrown."""
        return runs.read_tests(self._database)

    def weights(self, variant: str, seed: int) -> dict[str, FloatArray]:
        """A run's weights at its readout; KeyError for a run that is not in the store."""
        return self._read("weights", (variant, seed))

    def probabilities(self, variant: str, seed: int) -> FloatArray:
        """A run's test probabilities, float32; KeyError for a run that was not tested.  # (M, K)."""
        return self._read("test", (variant, seed))["probabilities"]

    def parameters(self, variant: str) -> int:
        """How many trainable numbers a variant's model has; 0 before its first run."""
        return runs.trainable(self._database, variant)

    # --- The directory as a whole

    def files(self) -> dict[str, str]:
        """Every file that the database names: its name in the directory -> its SHA-256."""
        return contents.files(self._database)

    def damage(self) -> list[str]:
        """What is wrong with the database itself, in words; nothing where it is whole."""
        return contents.damage(self._database)

    def checkpoint_files(self) -> set[str]:
        """The names in the directory of all checkpoints, of this study or left over."""
        found = (self.directory / "checkpoints").glob(f"*{checkpoints.SUFFIX}")
        return {path.relative_to(self.directory).as_posix() for path in found}

    def damaged_checkpoints(self) -> set[str]:
        """Those of ``checkpoint_files`` that are damaged: their runs would begin anew."""
        return {file for file in self.checkpoint_files() if checkpoints.load(self.directory / file) is None}

    def take_over(self, others: Sequence[tuple[Store, Collection[tuple[str, int]]]]) -> None:
        """Fill this store, which has no runs, with the runs and the facts of others of the same study, bit by bit.

        The store is whole when it returns, not before. The findings are left to ``save_findings``.

        Args:
          others: open stores, each with the runs to take from it; those of an earlier one are not in a later one.

        Raises:
          StoreUnreadableError: a file of the others is missing or damaged.
          StoreError: as ``save``.
        """
        parts = [(store.directory, store._database, of_store) for store, of_store in others]
        contents.copy_all(parts, self.directory, self._database)

    # --- Findings and test labels

    def save_findings(self, findings: Sequence[Finding]) -> None:
        """Save what the checks of data and split found, in place of what was saved before."""
        with self._database.transaction():
            facts.replace_findings(self._database, findings)

    def findings(self) -> tuple[Finding, ...]:
        """The findings that were saved, in order."""
        return facts.read_findings(self._database)

    def save_labels(self, labels: IntArray, classes: Sequence[str]) -> None:
        """Save the test labels and class names, so that a report needs nothing but the store.

        Args:
          labels: of the test examples.  # (M,)
          classes: the name of every class.
        """
        sha256 = write_arrays(self.directory / contents.LABELS, {"labels": labels})
        with self._database.transaction():
            self._database.put("labels", sha256)
            self._database.put("classes", list(classes))

    def labels(self) -> tuple[IntArray, tuple[str, ...]]:
        """The test labels and the class names; empty before they were saved.  # (M,)."""
        sha256 = self._database.get("labels", None)
        labels = self._load(contents.LABELS, sha256)["labels"] if sha256 else np.zeros(0, np.int32)
        return labels, tuple(self._database.get("classes", ()))

    # --- Keepsakes

    def save_keepsakes(self, arrays: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> None:
        """Save what is kept of the data for reports, in place of what was kept before.

        Args:
          arrays: name -> array, of NumPy's own numbers.
          told: plain data that JSON can hold.

        Raises:
          StoreError: as ``save``.
        """
        sha256 = stage_arrays(self.directory / contents.KEEPSAKES, arrays)
        with self._database.transaction():
            self._database.drop("keepsakes")  # a row never names a file that is not its own
        settle(self.directory / contents.KEEPSAKES)
        with self._database.transaction():
            self._database.put("keepsakes", {"sha256": sha256, "facts": dict(told)})

    def keepsakes(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """What was kept, arrays and facts; None where there is nothing, or another process is about to replace it.

        A damaged file counts as nothing too: keepsakes are computed anew when the study is run again.
        """
        kept = self._database.get("keepsakes", None)
        if kept is None:
            return None
        with contextlib.suppress(StoreUnreadableError):
            return self._load(contents.KEEPSAKES, kept["sha256"]), kept["facts"]
        return None

    # --- Ends of trajectories

    def end_facts(self) -> dict[str, dict[str, Any]]:
        """What is known of every trajectory's end whose file is there, by the trajectory's name."""
        return ends.read_facts(self.directory, self._database)

    def load_end(self, told: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """The arrays of an end; StoreUnreadableError where its file is damaged."""
        return ends.load_end(self.directory, told)

    # --- Checkpoints

    def save_checkpoint(self, name: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """Save a population at work, in place of its last checkpoint.

        Args:
          name: of the population.
          arrays: its state.
          meta: plain data that JSON can hold; NaN and infinities come back.

        Raises:
          StoreError: as ``save``; the last checkpoint is kept.
        """
        checkpoints.save(self._checkpoint(name), arrays, meta)
        if self._provenance:  # another process may end what this one began
            with self._database.transaction():
                self._save_provenance()
            self._provenance = {}

    def load_checkpoint(self, name: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """A population's last checkpoint, or None where there is none or it is damaged: it then starts anew."""
        return checkpoints.load(self._checkpoint(name))

    def drop_checkpoint(self, name: str) -> None:
        """Remove a population's checkpoint, if there is one."""
        with contextlib.suppress(OSError):  # one that stays is not wrong, only useless
            self._checkpoint(name).unlink(missing_ok=True)

    def drop_checkpoints(self) -> None:
        """Remove all checkpoints, also those that a killed process left, where no run is left that could need one."""
        study = self.study()
        if len(self.finished()) == len(study["variants"]) * len(study["seeds"]):
            for file in self.checkpoint_files():
                with contextlib.suppress(OSError):
                    (self.directory / file).unlink(missing_ok=True)

    def _checkpoint(self, name: str) -> Path:
        return self.directory / "checkpoints" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}{checkpoints.SUFFIX}"

    # --- Progress

    def save_progress(self, rows: Callable[[], Mapping[tuple[str, int], Sequence[FloatArray]]]) -> None:
        """Let other processes see the epochs of a population at work; see ``store.progress`` for what it costs."""
        self._feed.tell(rows)

    def progress(self) -> dict[tuple[str, int], History]:
        """The epochs so far of runs at work, or interrupted; read it before ``records``, which knows better."""
        return progress.read(self.directory / progress.FILE)

    def drop_progress(self) -> None:
        """Forget the progress of a population whose runs are saved."""
        self._feed.drop()

    # --- The database and the files

    def _save_seconds(self) -> None:
        self._database.put("seconds", self.seconds())
        self._seconds, self._seconds_saved = 0.0, time.monotonic()

    def _save_provenance(self) -> None:
        if self._provenance:
            self._database.put("provenance", facts.joined(facts.read_provenance(self._database), self._provenance))

    def _stage(self, folder: runs.Folder, run: runs.Run, arrays: Mapping[str, FloatArray]) -> str:
        return stage_arrays(self.directory / runs.file_of(folder, run), arrays)

    def _read(self, folder: runs.Folder, run: runs.Run) -> dict[str, FloatArray]:
        return self._load(runs.file_of(folder, run), runs.sha256_of(self._database, folder, run))

    def _load(self, name: str, sha256: str) -> dict[str, NDArray[Any]]:
        return unpack(read_file(self.directory / name, sha256))
