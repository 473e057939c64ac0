"""An open study directory: what is read from it and saved to it."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
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
from wellfit.study.store import checkpoints, contents, ends, progress
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
                self._database.put("created", _now())
            begun = self.epochs_asked() or any((self.directory / "checkpoints").glob(f"*{checkpoints.SUFFIX}"))
            if not begun:
                self._database.put("provenance", dict(provenance))
        self._provenance = provenance if begun else {}

    def is_begun(self) -> bool:
        """Whether the store holds a study; a process that was killed at once may leave one that does not."""
        return not self._database.blank and bool(self.study())

    def study(self) -> dict[str, Any]:
        """The study in its ``resolved`` form, with every variant and seed that was ever asked for."""
        study: dict[str, Any] = self._database.get("study", {})
        return study

    def trained(self) -> dict[str, Any]:
        """The study, with no more epochs anywhere than its runs were trained for: what a continued study may ask for.

        A study that was asked for more epochs, and stopped before any of its runs had them, can be called back.
        """
        study, most = self.study(), dict[str, int]()
        for (variant, _), epochs in self.epochs_asked().items():
            most[variant] = max(epochs, most.get(variant, 0))
        base = max(
            (most.get(name, 0) for name, v in study["variants"].items() if "epochs" not in v["changes"]), default=0
        )
        study["base"]["epochs"] = min(study["base"]["epochs"], max(base, 1))
        for name, variant in study["variants"].items():
            variant["recipe"]["epochs"] = min(variant["recipe"]["epochs"], most.get(name, 1))
        return study

    def note(self, key: str, value: Any) -> None:
        """Remember a fact of the study under a name of its own: plain data that JSON can hold."""
        with self._database.transaction():
            self._database.put(f"note: {key}", value)

    def noted(self, key: str) -> Any:
        """A fact that ``note`` remembers; None where there is none."""
        return self._database.get(f"note: {key}", None)

    def notes(self) -> dict[str, Any]:
        """Every fact that ``note`` remembers, by its key."""
        return contents.notes(self._database)

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
        """The runs that were trained, as (variant, seed), however they ended; not those that are outgrown."""
        return self.epochs_asked().keys() - self.outgrown()

    def outgrown(self) -> set[tuple[str, int]]:
        """Runs that were trained for fewer epochs than the study has by now: they are to go on, and are pending."""
        asked = {name: variant["recipe"]["epochs"] for name, variant in self.study().get("variants", {}).items()}
        return {run for run, epochs in self.epochs_asked().items() if epochs < asked.get(run[0], 0)}

    def epochs_asked(self) -> dict[tuple[str, int], int]:
        """Every run that was trained, outgrown or not, and the epochs that its recipe asked for."""
        rows = self._database.rows("SELECT variant, seed, recipe FROM runs")
        return {(variant, seed): int(json.loads(recipe)["epochs"]) for variant, seed, recipe in rows}

    def save(
        self,
        records: Sequence[RunRecord],
        probabilities: Mapping[tuple[str, int], FloatArray] | None = None,
        tests: Mapping[tuple[str, int], tuple[float, float]] | None = None,
    ) -> None:
        """Save runs, all or none of them. Those that take the place of others are pending while files are replaced.

        Args:
          records: the runs.
          probabilities: (variant, seed) -> test probabilities, float32, of runs that were tested.  # (M, K)
          tests: (variant, seed) -> test accuracy and loss, of the same runs.

        Raises:
          StoreError: the disk is full or the directory not writable; what was saved before is kept.
        """
        if again := self.epochs_asked().keys() & {_key(r) for r in records}:
            with self._database.transaction():  # a row never names files that are not its own
                self._database.execute_many("DELETE FROM epochs WHERE variant = ? AND seed = ?", again)
                self._database.execute_many("DELETE FROM runs WHERE variant = ? AND seed = ?", again)
        weights = {_key(r): self._write("weights", _key(r), r.weights) for r in records}
        tested = {run: self._write("test", run, {"probabilities": p}) for run, p in (probabilities or {}).items()}
        with self._database.transaction():
            for record in records:
                self._save_run(record, weights[_key(record)])
            for run, (accuracy, loss) in (tests or {}).items():
                self._save_test(run, accuracy, loss, tested[run])
            self._save_seconds()
            self._save_provenance()
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
            self._save_provenance()
        self._provenance = {}

    def records(self) -> list[RunRecord]:
        """Every run that was trained, in the study's order; without weights, which ``weights`` reads.

        Runs that are outgrown are left out.
        """
        with self._database.transaction("DEFERRED"):  # one moment, whatever another process writes
            rows = self._database.rows(f"SELECT {_RUN} FROM runs")
            columns = ", ".join(HISTORY_COLUMNS)
            epochs = self._database.rows(f"SELECT variant, seed, {columns} FROM epochs ORDER BY variant, seed, epoch")
            study, outgrown = self.study(), self.outgrown()
        by_run: dict[tuple[str, int], list[tuple[float | None, ...]]] = {row[:2]: [] for row in rows}
        for variant, seed, *values in epochs:
            by_run[variant, seed].append(tuple(values))
        records = {row[:2]: _record(row, by_run[row[:2]]) for row in rows}
        order = [(variant, seed) for variant in study["variants"] for seed in study["seeds"]]
        return [records[run] for run in order if run in records and run not in outgrown]

    def tests(self) -> dict[tuple[str, int], tuple[float, float]]:
        """Test accuracy and loss of every run that was tested; of none that is outgrown."""
        rows = self._database.rows(
            "SELECT variant, seed, test_accuracy, test_loss FROM runs WHERE test_sha256 IS NOT NULL"
        )
        outgrown = self.outgrown()
        tests = {(variant, seed): (_number(accuracy), _number(loss)) for variant, seed, accuracy, loss in rows}
        return {run: scores for run, scores in tests.items() if run not in outgrown}

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

    def take_over(self, others: Sequence[tuple[Store, Collection[tuple[str, int]]]]) -> None:
        """Fill this store, which has no runs, with the runs and the facts of others of the same study, bit by bit.

        The store is whole when it returns, not before. The findings are left to ``save_findings``.

        Args:
          others: open stores, each with the runs to take from it; those of an earlier one are not in a later one.

        Raises:
          StoreUnreadableError: a file of the others is missing or damaged.
          StoreError: as ``save``.
        """
        with self._database.transaction():
            for store, runs in others:
                contents.copy_rows(store._database, self._database, runs)
            for key, value in contents.facts_together([store._database for store, _ in others]).items():
                self._database.put(key, value)
            joined: dict[str, str] = {}
            for store, _ in others:
                joined = _joined(joined, store._saved_provenance())
            self._database.put("provenance", joined)
        sources = {(name, sha256): store for store, _ in reversed(others) for name, sha256 in store.files().items()}
        for name, sha256 in self.files().items():
            source = sources[name, sha256]
            if not name.startswith(f"{ends.FOLDER}/") or (source.directory / name).exists():  # one may do without ends
                write_file(self.directory / name, source._content(name, sha256))

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

    # --- Keepsakes

    def save_keepsakes(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Save what is kept of the data for reports, in place of what was kept before.

        Args:
          arrays: name -> array, of NumPy's own numbers.
          facts: plain data that JSON can hold.

        Raises:
          StoreError: as ``save``.
        """
        content = pack(arrays)
        write_file(self.directory / contents.KEEPSAKES, content)
        with self._database.transaction():
            self._database.put("keepsakes", {"sha256": hashlib.sha256(content).hexdigest(), "facts": dict(facts)})

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

    def save_end(self, name: str, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Save where a trajectory ended, in place of its last end; see ``store.ends`` for what it costs."""
        ends.save_end(self.directory, self._database, name, arrays, facts)

    def end_facts(self) -> dict[str, dict[str, Any]]:
        """What is known of every trajectory's end whose file is there, by the trajectory's name."""
        return ends.read_facts(self.directory, self._database)

    def load_end(self, facts: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """The arrays of an end; StoreUnreadableError where its file is damaged."""
        return ends.load_end(self.directory, facts)

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
            self._database.put("provenance", _joined(self._saved_provenance(), self._provenance))

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
        return unpack(self._content(name, sha256))

    def _content(self, name: str, sha256: str) -> bytes:
        path = self.directory / name
        try:
            content = path.read_bytes()
        except OSError as error:
            mend = "restore it, or run with --fresh"
            raise StoreUnreadableError(f"{path}: cannot be read: {error.strerror}; {mend}") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreUnreadableError(f"{path}: damaged: not the file that was saved; restore it, or run with --fresh")
        return content


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
        joined[fact] = "; then ".join(dict.fromkeys([*values, *value.split("; then ")]))
    return joined


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
