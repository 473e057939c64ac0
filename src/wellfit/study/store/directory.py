"""An open study directory: what is read from it and saved to it."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import HISTORY_COLUMNS, Finding, FloatArray, History, IntArray, RunRecord, RunSpec
from wellfit.errors import StoreUnreadableError
from wellfit.study.identity import merged
from wellfit.study.spec import recipe_from
from wellfit.study.store import checkpoints
from wellfit.study.store.database import Database
from wellfit.study.store.files import pack, unpack, write_file
from wellfit.study.store.lock import Lock, is_locked

__all__ = ["Store"]

SECONDS_KEPT: Final = 5.0  # of running time that may be lost with a process, so that not every epoch waits for the disk
_RUN: Final = "variant, seed, recipe, state, epochs, readout_epoch, trajectory, seconds, scores"
_STATISTICS: Final = ("mean", "variance")  # of batch normalization: kept with the weights, not trained


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
          provenance: where this process's runs come from; joins what is stored when the first of them is saved.
        """
        with self._database.transaction():
            stored = self.study()
            self._database.put("study", merged(stored, resolved) if stored else resolved)
            if not stored:
                self._database.put("created", _now())
            if not self.finished():
                self._database.put("provenance", dict(provenance))
        self._provenance = provenance if self.finished() else {}

    def is_begun(self) -> bool:
        """Whether the store holds a study; a process that was killed at once may leave one that does not."""
        return not self._database.blank and bool(self.study())

    def study(self) -> dict[str, Any]:
        """The study in its ``resolved`` form, with every variant and seed that was ever asked for."""
        study: dict[str, Any] = self._database.get("study", {})
        return study

    def provenance(self) -> dict[str, str]:
        """Where the runs come from; a fact that changed between saved runs has all its values, joined by "; then ".

        Every opening of the test set is told in it, too.
        """
        opened = self.test_opened()
        return self._saved_provenance() | ({"test set opened": opened} if opened else {})

    def _saved_provenance(self) -> dict[str, str]:
        provenance: dict[str, str] = self._database.get("provenance", {})
        return provenance

    def created(self) -> str:
        """When the study was begun, ISO 8601, UTC."""
        return str(self._database.get("created", ""))

    def test_opened(self) -> str | None:
        """When the test set was opened: every time, joined by ", "; or None."""
        opened: str | None = self._database.get("test_opened", None)
        return opened

    def mark_test_opened(self) -> None:
        """Record that the test set is opened now, after the times before."""
        with self._database.transaction():
            before = self.test_opened()
            self._database.put("test_opened", f"{before}, {_now()}" if before else _now())

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
        """The runs that were trained, as (variant, seed), however they ended."""
        return set(self._database.rows("SELECT variant, seed FROM runs"))

    def save(
        self,
        records: Sequence[RunRecord],
        probabilities: Mapping[tuple[str, int], FloatArray] | None = None,
        tests: Mapping[tuple[str, int], tuple[float, float]] | None = None,
    ) -> None:
        """Save runs, all or none of them.

        Args:
          records: the runs.
          probabilities: (variant, seed) -> test probabilities, float32, of runs that were tested.  # (M, K)
          tests: (variant, seed) -> test accuracy and loss, of the same runs.

        Raises:
          StoreError: the disk is full or the directory not writable; what was saved before is kept.
        """
        weights = {_key(r): self._write("weights", _key(r), r.weights) for r in records}
        tested = {run: self._write("test", run, {"probabilities": p}) for run, p in (probabilities or {}).items()}
        with self._database.transaction():
            for record in records:
                self._save_run(record, weights[_key(record)])
            for run, (accuracy, loss) in (tests or {}).items():
                self._save_test(run, accuracy, loss, tested[run])
            self._save_seconds()
            if self._provenance:
                self._database.put("provenance", _joined(self._saved_provenance(), self._provenance))
        self._provenance = {}

    def save_test(self, variant: str, seed: int, probabilities: FloatArray, accuracy: float, loss: float) -> None:
        """Save how a run that is in the store does on the test set.

        Args:
          variant, seed: the run.
          probabilities: float32.  # (M, K)
          accuracy, loss: over the test set.

        Raises:
          StoreError: as ``save``.
        """
        sha256 = self._write("test", (variant, seed), {"probabilities": probabilities})
        with self._database.transaction():
            self._save_test((variant, seed), accuracy, loss, sha256)

    def records(self) -> list[RunRecord]:
        """Every run that was trained, in the study's order; without weights, which ``weights`` reads."""
        with self._database.transaction("DEFERRED"):  # one moment, whatever another process writes
            rows = self._database.rows(f"SELECT {_RUN} FROM runs")
            columns = ", ".join(HISTORY_COLUMNS)
            epochs = self._database.rows(f"SELECT variant, seed, {columns} FROM epochs ORDER BY variant, seed, epoch")
            study = self.study()
        by_run: dict[tuple[str, int], list[tuple[float | None, ...]]] = {row[:2]: [] for row in rows}
        for variant, seed, *values in epochs:
            by_run[variant, seed].append(tuple(values))
        records = {row[:2]: _record(row, by_run[row[:2]]) for row in rows}
        order = [(variant, seed) for variant in study["variants"] for seed in study["seeds"]]
        return [records[run] for run in order if run in records]

    def tests(self) -> dict[tuple[str, int], tuple[float, float]]:
        """Test accuracy and loss of every run that was tested."""
        rows = self._database.rows(
            "SELECT variant, seed, test_accuracy, test_loss FROM runs WHERE test_sha256 IS NOT NULL"
        )
        return {(variant, seed): (_number(accuracy), _number(loss)) for variant, seed, accuracy, loss in rows}

    def weights(self, variant: str, seed: int) -> dict[str, FloatArray]:
        """A run's weights at its readout; KeyError for a run that is not in the store."""
        return self._read("weights", (variant, seed))

    def probabilities(self, variant: str, seed: int) -> FloatArray:
        """A run's test probabilities, float32; KeyError for a run that was not tested.  # (M, K)."""
        return self._read("test", (variant, seed))["probabilities"]

    def parameters(self, variant: str) -> int:
        """How many trainable numbers a variant's model has; 0 before its first run."""
        rows = self._database.rows("SELECT max(parameters) FROM runs WHERE variant = ?", variant)
        return int(rows[0][0] or 0)

    # --- Findings and test labels

    def save_findings(self, findings: Sequence[Finding]) -> None:
        """Save what the checks of data and split found, in place of what was saved before."""
        rows = [(f.code, f.level, f.message, f.fix) for f in findings]
        with self._database.transaction():
            self._database.execute("DELETE FROM findings")
            self._database.execute_many("INSERT INTO findings (code, level, message, fix) VALUES (?, ?, ?, ?)", rows)

    def findings(self) -> tuple[Finding, ...]:
        """The findings that were saved, in order."""
        rows = self._database.rows("SELECT code, level, message, fix FROM findings ORDER BY position")
        return tuple(Finding(*row) for row in rows)

    def save_labels(self, labels: IntArray, classes: Sequence[str]) -> None:
        """Save the test labels and class names, so that a report needs nothing but the store.

        Args:
          labels: of the test examples.  # (M,)
          classes: the name of every class.
        """
        content = pack({"labels": labels})
        write_file(self.directory / "test" / "labels.npz", content)
        with self._database.transaction():
            self._database.put("labels", hashlib.sha256(content).hexdigest())
            self._database.put("classes", list(classes))

    def labels(self) -> tuple[IntArray, tuple[str, ...]]:
        """The test labels and the class names; empty before they were saved.  # (M,)."""
        sha256 = self._database.get("labels", None)
        labels = self._load("test/labels.npz", sha256)["labels"] if sha256 else np.zeros(0, np.int32)
        return labels, tuple(self._database.get("classes", ()))

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

    def load_checkpoint(self, name: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """A population's last checkpoint, or None where there is none or it is damaged: it then starts anew."""
        return checkpoints.load(self._checkpoint(name))

    def drop_checkpoint(self, name: str) -> None:
        """Remove a population's checkpoint, if there is one."""
        with contextlib.suppress(OSError):  # one that stays is not wrong, only useless
            self._checkpoint(name).unlink(missing_ok=True)

    def _checkpoint(self, name: str) -> Path:
        return self.directory / "checkpoints" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}{checkpoints.SUFFIX}"

    # --- The database and the files

    def _save_seconds(self) -> None:
        self._database.put("seconds", self.seconds())
        self._seconds, self._seconds_saved = 0.0, time.monotonic()

    def _save_run(self, record: RunRecord, sha256: str) -> None:
        variant, seed = run = _key(record)
        parameters = sum(a.size for name, a in record.weights.items() if name.rsplit("/")[-1] not in _STATISTICS)
        recipe = json.dumps(asdict(record.spec.recipe))
        ended = (record.state, int(record.epochs), int(record.readout_epoch), record.trajectory, float(record.seconds))
        scores = json.dumps({metric: float(value) for metric, value in record.scores.items()})
        self._database.execute(
            f"INSERT OR REPLACE INTO runs ({_RUN}, parameters, weights_sha256, finished) VALUES ({'?, ' * 11}?)",
            (*run, recipe, *ended, scores, parameters, sha256, _now()),
        )
        self._database.execute("DELETE FROM epochs WHERE variant = ? AND seed = ?", run)
        columns = np.stack([record.history[name] for name in HISTORY_COLUMNS], axis=1)  # (epochs, columns)
        self._database.execute_many(
            f"INSERT INTO epochs VALUES (?, ?, ?{', ?' * len(HISTORY_COLUMNS)})",
            [(variant, seed, epoch, *row) for epoch, row in enumerate(columns.tolist(), start=1)],
        )

    def _save_test(self, run: tuple[str, int], accuracy: float, loss: float, sha256: str) -> None:
        changed = self._database.execute(
            "UPDATE runs SET test_accuracy = ?, test_loss = ?, test_sha256 = ? WHERE variant = ? AND seed = ?",
            (float(accuracy), float(loss), sha256, *run),
        )
        if not changed:
            raise KeyError(run)

    def _write(self, folder: str, run: tuple[str, int], arrays: Mapping[str, FloatArray]) -> str:
        content = pack(arrays)
        write_file(self.directory / folder / "{}.{}.npz".format(*run), content)
        return hashlib.sha256(content).hexdigest()

    def _read(self, folder: str, run: tuple[str, int]) -> dict[str, FloatArray]:
        rows = self._database.rows(f"SELECT {folder}_sha256 FROM runs WHERE variant = ? AND seed = ?", *run)
        if not rows or rows[0][0] is None:
            raise KeyError(run)
        return self._load("{}/{}.{}.npz".format(folder, *run), rows[0][0])

    def _load(self, name: str, sha256: str) -> dict[str, NDArray[Any]]:
        path = self.directory / name
        try:
            content = path.read_bytes()
        except OSError as error:
            mend = "restore it, or run with --fresh"
            raise StoreUnreadableError(f"{path}: cannot be read: {error.strerror}; {mend}") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreUnreadableError(f"{path}: damaged: not the file that was saved; restore it, or run with --fresh")
        return unpack(content)


def _key(record: RunRecord) -> tuple[str, int]:
    return record.spec.variant, record.spec.seed


def _record(row: tuple[Any, ...], epochs: list[tuple[float | None, ...]]) -> RunRecord:
    variant, seed, recipe, state, count, readout_epoch, trajectory, seconds, scores = row
    columns = np.array(epochs, float).reshape(-1, len(HISTORY_COLUMNS))  # (epochs, columns); SQLite keeps NaN as NULL
    history = History({name: columns[:, i] for i, name in enumerate(HISTORY_COLUMNS)})
    spec = RunSpec(variant, seed, recipe_from(json.loads(recipe)))
    return RunRecord(spec, state, count, readout_epoch, history, json.loads(scores), {}, _number(seconds), trajectory)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _joined(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Provenance of runs saved before and now."""
    joined = dict(before)
    for fact, value in now.items():
        values = before[fact].split("; then ") if fact in before else []
        joined[fact] = "; then ".join([*values, *([] if value in values else [value])])
    return joined


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
