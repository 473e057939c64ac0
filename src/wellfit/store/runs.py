"""The runs in a study directory: a row for each run and each of its epochs, and two files for each run.

A run's files are in place before the row that names them and their checksums is committed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from wellfit.base import HISTORY_COLUMNS, FloatArray, History, IntArray, Recipe, RunRecord, RunSpec, RunState
from wellfit.base.histograms import Histograms
from wellfit.spec.variants import recipe_from
from wellfit.store.arrays import Arrays, as_written, is_damaged, pack, read_arrays, stage
from wellfit.store.database import Database
from wellfit.store.final_states import FinalState, FinalStates
from wellfit.store.histograms import histograms_among, weights_among, with_histograms
from wellfit.store.metadata import Metadata, now
from wellfit.store.names import file_named
from wellfit.store.tested import Tested, Validated

__all__ = ["RUN_FOLDERS", "JudgedRun", "Run", "Runs", "file_of"]

Run: TypeAlias = tuple[str, int]
"""Variant and seed."""

Folder: TypeAlias = Literal["weights", "test"]
RUN_FOLDERS: Final[tuple[Folder, ...]] = ("weights", "test")
"""The folders with one file per run.

``weights``: its weights and their histograms by epoch. ``test``: its test probabilities, and whether it classified each
validation example correctly.
"""

_COLUMNS: Final = "variant, seed, recipe, state, epochs, readout_epoch, trajectory, seconds, scores"
_NO_RECIPE: Final = "null"  # of a run that was trained elsewhere; it has no weights either
_STATISTICS: Final = ("mean", "variance")  # of batch normalization: kept with the weights, not trained


def file_of(folder: Folder, run: Run) -> str:
    """The name in the directory of a run's file in one of ``RUN_FOLDERS``.

    Example:
      >>> file_of("weights", ("l2", 0))
      'weights/l2.0.npz'
    """
    variant, seed = run
    return f"{folder}/{variant}.{seed}.npz"


class JudgedRun(NamedTuple):
    """A run that was trained elsewhere.

    Args:
      variant, seed: the run.
      arrays: ``"probabilities"``, float, or ``"predicted"``, the classes, and ``"rows"`` if it judged only some of the
        test examples; empty if only its accuracy is known.  # (m, K) or (m,), (m,)
      accuracy, loss: over the test examples that it judged; the loss is None without probabilities.
      history: its epochs, as far as they are known.
    """

    variant: str
    seed: int
    arrays: Arrays
    accuracy: float
    loss: float | None = None
    history: History = History({})


@dataclass(frozen=True)
class Runs:
    """The runs in a study directory. A run is outgrown when the study by now asks for more epochs than it has."""

    directory: Path
    database: Database
    metadata: Metadata
    final_states: FinalStates

    # --- Which runs there are

    def epochs_asked(self) -> dict[Run, int]:
        """The number of epochs that the recipe of every trained run requested, outgrown runs included."""
        rows = self.database.rows("SELECT variant, seed, recipe FROM runs")
        with self.database.reading("the recipe of a run"):
            return {
                (v, seed): 0 if recipe == _NO_RECIPE else int(json.loads(recipe)["epochs"]) for v, seed, recipe in rows
            }

    def outgrown(self) -> set[Run]:
        """The runs that need more epochs."""
        variants = self.metadata.study().get("variants", {})
        wanted = {name: variant["recipe"]["epochs"] for name, variant in variants.items() if "recipe" in variant}
        return {run for run, epochs in self.epochs_asked().items() if epochs < wanted.get(run[0], 0)}

    def finished(self) -> set[Run]:
        """The runs that were trained, whether they converged, stopped or diverged; not the outgrown ones."""
        return self.epochs_asked().keys() - self.outgrown()

    def is_complete(self) -> bool:
        """Whether every run of the study is finished."""
        study = self.metadata.study()
        if study.get("elsewhere"):
            return True
        return len(self.finished()) == len(study["variants"]) * len(study["seeds"])

    def trained_study(self) -> dict[str, Any]:
        """The study with no more epochs than its runs were trained for, in ``resolved`` form.

        It is what a continued study must not fall below: one that asked for more epochs can be called back before any
        run has them.
        """
        study = self.metadata.study()
        if study.get("elsewhere") or study.get("search"):  # a search is for its number of epochs alone
            return study
        most: dict[str, int] = {}
        for (variant, _), epochs in self.epochs_asked().items():
            most[variant] = max(epochs, most.get(variant, 0))
        as_base = [most.get(name, 0) for name, v in study["variants"].items() if "epochs" not in v["changes"]]
        study["base"]["epochs"] = min(study["base"]["epochs"], max(as_base, default=0) or 1)
        for name, variant in study["variants"].items():
            variant["recipe"]["epochs"] = min(variant["recipe"]["epochs"], most.get(name, 1))
        return study

    # --- Reading

    def records(self) -> list[RunRecord]:
        """The finished runs in the order of the study, without their weights."""
        with self.database.transaction("DEFERRED"):  # one consistent state, even while another process writes
            rows = self.database.rows(f"SELECT {_COLUMNS} FROM runs")
            study, outgrown = self.metadata.study(), self.outgrown()
            columns = ", ".join(HISTORY_COLUMNS)
            query = f"SELECT variant, seed, {columns} FROM epochs ORDER BY variant, seed, epoch"
            records: dict[Run, RunRecord] = {}
            known: dict[str, Recipe] = {}
            with closing(self.database.each(query)) as epochs, self.database.reading("the rows of the runs"):
                of_run = {row[:2]: row for row in rows}
                for run, of in groupby(epochs, lambda epoch: epoch[:2]):  # rows take ten times the memory of arrays
                    if run not in of_run:
                        raise ValueError("there are epochs of no run")
                    records[run] = _record(of_run[run], [epoch[2:] for epoch in of], known)
                records |= {run: _record(row, [], known) for run, row in of_run.items() if run not in records}
        order = [(variant, seed) for variant in study["variants"] for seed in study["seeds"]]
        return [records[run] for run in order if run in records and run not in outgrown]

    def test_scores(self) -> dict[Run, tuple[float, float]]:
        """Test accuracy and test loss of every finished run that was evaluated on the test set; NaN where unknown."""
        query = (
            "SELECT variant, seed, test_accuracy, test_loss FROM runs "
            "WHERE test_sha256 IS NOT NULL OR test_accuracy IS NOT NULL"
        )
        rows, outgrown = self.database.rows(query), self.outgrown()
        with self.database.reading("the test scores of the runs"):
            scores = {(variant, seed): (_number(accuracy), _number(loss)) for variant, seed, accuracy, loss in rows}
        return {run: of_run for run, of_run in scores.items() if run not in outgrown}

    def weights(self, variant: str, seed: int) -> dict[str, FloatArray]:
        """A run's weights at its readout; KeyError for a run that is not in the directory."""
        with as_written(file_named(self.directory, file_of("weights", (variant, seed)))):
            return weights_among(self._arrays("weights", (variant, seed)))

    def histograms(self, variant: str, seed: int) -> Histograms:
        """The histograms of a run's weights after every epoch, which are in the file of its weights.

        Empty if there are none: earlier versions did not keep them.

        Raises:
          KeyError: there is no such run.
          StoreUnreadableError: the file cannot be read, is damaged, or has counts that cannot be of this run.
        """
        rows = self.database.rows("SELECT count(*) FROM epochs WHERE variant = ? AND seed = ?", variant, seed)
        with as_written(file_named(self.directory, file_of("weights", (variant, seed)))):
            return histograms_among(self._arrays("weights", (variant, seed)), int(rows[0][0]))

    def tested(self, variant: str, seed: int) -> Tested:
        """A run's test probabilities and its answers to validation examples; KeyError for a run that was not tested."""
        arrays = self._arrays("test", (variant, seed))
        return Tested.unpacked(arrays, len(self.database.get("classes", ())) if "predicted" in arrays else 0)

    def _arrays(self, folder: Folder, run: Run) -> dict[str, FloatArray]:
        rows = self.database.rows(f"SELECT {folder}_sha256 FROM runs WHERE variant = ? AND seed = ?", *run)
        if not rows or not rows[0][0]:
            raise KeyError(run)
        return read_arrays(file_named(self.directory, file_of(folder, run)), rows[0][0])

    def parameters(self, variant: str) -> int:
        """The number of trainable parameters of a variant's model; 0 before its first run."""
        rows = self.database.rows("SELECT max(parameters) FROM runs WHERE variant = ?", variant)
        return int(rows[0][0] or 0)

    def files(self) -> dict[str, str]:
        """Name in the directory -> SHA-256, of the files in ``RUN_FOLDERS``.

        Raises:
          StoreUnreadableError: a variant has a name that no file can have.
        """
        rows = self.database.rows("SELECT variant, seed, weights_sha256, test_sha256 FROM runs ORDER BY variant, seed")
        names = {
            file_of(folder, (variant, seed)): sha256
            for variant, seed, *both in rows
            for folder, sha256 in zip(RUN_FOLDERS, both, strict=True)
            if sha256
        }
        for name in names:
            file_named(self.directory, name)
        return names

    def damaged(self) -> set[Run]:
        """The runs with a file that is missing, or not the one that was saved; training repeats them.

        Raises:
          StoreUnreadableError: a file is there, but cannot be read.
        """
        rows = self.database.rows("SELECT variant, seed, weights_sha256, test_sha256 FROM runs")
        return {
            (variant, seed)
            for variant, seed, *both in rows
            for folder, sha256 in zip(RUN_FOLDERS, both, strict=True)
            if sha256 and is_damaged(file_named(self.directory, file_of(folder, (variant, seed))), sha256)
        }

    def _is_there(self, run: Run) -> bool:
        return bool(self.database.rows("SELECT 1 FROM runs WHERE variant = ? AND seed = ?", *run))

    # --- Writing

    def save(
        self,
        records: Sequence[RunRecord],
        probabilities: Mapping[Run, FloatArray] | None = None,
        scores: Mapping[Run, tuple[float, float]] | None = None,
        final_states: Iterable[FinalState] = (),
    ) -> None:
        """Save runs, all or none of them. Runs that are replaced are pending while their files are replaced.

        Args:
          records: the runs.
          probabilities: (variant, seed) -> test probabilities, float32, of runs that were tested.  # (M, K)
          scores: (variant, seed) -> test accuracy and test loss of the same runs.
          final_states: of the runs' trajectories.

        Raises:
          StoreError: the disk is full or the directory is not writable; everything saved so far is kept.
        """
        by_run = {(record.spec.variant, record.spec.seed): record for record in records}
        tested = probabilities or {}
        with ExitStack() as stack:  # nothing is replaced before everything is on the disk
            weights = {run: self._stage(stack, "weights", run, with_histograms(r)) for run, r in by_run.items()}
            tests = {run: self._stage(stack, "test", run, {"probabilities": p}) for run, p in tested.items()}
            descriptions = self.final_states.stage(stack, final_states)
            if again := {run for run in by_run if self._is_there(run)}:
                with self.database.transaction():  # a row never names a file with another content
                    self._delete(again)
        with self.metadata.saving_work():
            replaced = self.final_states.put(descriptions)
            for run, record in by_run.items():
                self._insert(record, weights[run])
            for run, (accuracy, loss) in (scores or {}).items():
                self._insert_test(run, accuracy, loss, tests[run])
        self.final_states.remove(replaced)

    def save_test(
        self,
        variant: str,
        seed: int,
        probabilities: FloatArray,
        accuracy: float,
        loss: float,
        rows: IntArray | None = None,
        validated: Validated | None = None,
    ) -> None:
        """Save the test results of a run that is in the directory.

        Args:
          variant, seed: the run.
          probabilities: float32.  # (m, K)
          accuracy, loss: over the test set.
          rows: of the test examples that it was judged on, if these are not all.  # (m,)
          validated: its answers to the validation examples.

        Raises:
          StoreError: the disk is full or the directory is not writable; everything saved so far is kept.
        """
        run = (variant, seed)
        with ExitStack() as stack:
            judged = {} if rows is None else {"rows": rows.astype(np.int64)}
            answers = {} if validated is None else validated.packed()
            sha256 = self._stage(stack, "test", run, {"probabilities": probabilities, **judged, **answers})
        with self.metadata.saving_work():
            self._insert_test(run, accuracy, loss, sha256)

    def save_judged(self, runs: Iterable[JudgedRun]) -> None:
        """Save runs that were trained elsewhere, all or none of them; the arrays of one at a time are in memory.

        The directory is new: nothing waits until the files are on the disk.

        Raises:
          StoreError: the disk is full or the directory is not writable.
        """
        rows: list[tuple[JudgedRun, str | None]] = []
        with ExitStack() as stack:
            for run in runs:
                sha256 = (
                    self._stage(stack, "test", (run.variant, run.seed), run.arrays, durable=False)
                    if run.arrays
                    else None
                )
                rows.append((run._replace(arrays={}), sha256))
        with self.metadata.saving_work():
            for run, sha256 in rows:
                self.database.execute(
                    f"INSERT INTO runs ({_COLUMNS}, parameters, weights_sha256, finished, test_accuracy, test_loss, "
                    f"test_sha256) VALUES ({'?, ' * 14}?)",
                    (
                        *(
                            run.variant,
                            run.seed,
                            _NO_RECIPE,
                            "finished",
                            len(run.history),
                            0,
                            "",
                            0.0,
                            "{}",
                            0,
                            "",
                            now(),
                        ),
                        *(float(run.accuracy), None if run.loss is None else float(run.loss), sha256),
                    ),
                )
                self._insert_epochs(run.variant, run.seed, run.history)

    def _stage(self, stack: ExitStack, folder: Folder, run: Run, arrays: Arrays, *, durable: bool = True) -> str:
        return stage(stack, file_named(self.directory, file_of(folder, run)), pack(arrays), durable=durable)

    def _insert(self, record: RunRecord, sha256: str) -> None:
        """Insert the rows of a run and its epochs; the SHA-256 is that of its file in ``weights``."""
        variant, seed = record.spec.variant, record.spec.seed
        parameters = sum(a.size for name, a in record.weights.items() if name.rsplit("/")[-1] not in _STATISTICS)
        recipe = json.dumps(asdict(record.spec.recipe))
        end = (record.state, int(record.epochs), int(record.readout_epoch), record.trajectory, float(record.seconds))
        scores = json.dumps({metric: float(value) for metric, value in record.scores.items()})
        self.database.execute(
            f"INSERT INTO runs ({_COLUMNS}, parameters, weights_sha256, finished) VALUES ({'?, ' * 11}?)",
            (variant, seed, recipe, *end, scores, parameters, sha256, now()),
        )
        self._insert_epochs(variant, seed, record.history)

    def _insert_epochs(self, variant: str, seed: int, history: History) -> None:
        if not len(history):
            return
        columns = np.stack([history[name] for name in HISTORY_COLUMNS], axis=1)  # (epochs, columns)
        self.database.execute_many(
            f"INSERT INTO epochs VALUES (?, ?, ?{', ?' * len(HISTORY_COLUMNS)})",
            [(variant, seed, epoch, *row) for epoch, row in enumerate(columns.tolist(), start=1)],
        )

    def _insert_test(self, run: Run, accuracy: float, loss: float, sha256: str) -> None:
        """Add test results to the row of a run; the SHA-256 is that of its file in ``test``."""
        changed = self.database.execute(
            "UPDATE runs SET test_accuracy = ?, test_loss = ?, test_sha256 = ? WHERE variant = ? AND seed = ?",
            (float(accuracy), float(loss), sha256, *run),
        )
        if not changed:
            raise KeyError(run)

    def _delete(self, runs: Iterable[Run]) -> None:
        """Delete the rows of runs and their epochs."""
        for run in runs:
            self.database.execute("DELETE FROM epochs WHERE variant = ? AND seed = ?", run)
            self.database.execute("DELETE FROM runs WHERE variant = ? AND seed = ?", run)


def _record(row: tuple[Any, ...], epochs: list[tuple[float | None, ...]], recipes: dict[str, Recipe]) -> RunRecord:
    """A run from its row and its epochs'; runs with the same recipe share it."""
    variant, seed, recipe, state, count, readout_epoch, trajectory, seconds, scores = row
    if state not in get_args(RunState):
        raise ValueError(f"state {state!r}")
    if not 0 <= readout_epoch <= count:
        raise ValueError(f"read at epoch {readout_epoch} of {count}")
    columns = np.array(epochs, float).reshape(-1, len(HISTORY_COLUMNS))  # (epochs, columns)
    history = History({name: columns[:, i] for i, name in enumerate(HISTORY_COLUMNS)})
    if recipe not in recipes:
        recipes[recipe] = Recipe() if recipe == _NO_RECIPE else recipe_from(json.loads(recipe))
    spec = RunSpec(variant, seed, recipes[recipe])
    measured = {metric: float(value) for metric, value in json.loads(scores).items()}
    return RunRecord(spec, state, count, readout_epoch, history, measured, {}, _number(seconds), str(trajectory))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
