"""Runs in a study's database: a row each, and a row for every epoch of theirs.

What writes here is called in a transaction, and after the files that the rows name are in place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from wellfit.base import HISTORY_COLUMNS, History, RunRecord, RunSpec
from wellfit.spec.variants import recipe_from
from wellfit.store.database import Database
from wellfit.store.facts import now, read_study

__all__ = [
    "RUN_FOLDERS",
    "Run",
    "delete_runs",
    "epochs_asked",
    "file_of",
    "insert_run",
    "insert_test",
    "outgrown",
    "read_records",
    "read_tests",
    "run_of",
    "sha256_of",
    "trainable",
]

Run: TypeAlias = tuple[str, int]
"""Variant and seed."""

Folder: TypeAlias = Literal["weights", "test"]
RUN_FOLDERS: Final[tuple[Folder, ...]] = ("weights", "test")
"""Where a run has a file each: its weights, and its test probabilities."""

_COLUMNS: Final = "variant, seed, recipe, state, epochs, readout_epoch, trajectory, seconds, scores"
_STATISTICS: Final = ("mean", "variance")  # of batch normalization: kept with the weights, not trained


def run_of(record: RunRecord) -> Run:
    """Which run a record is of."""
    return record.spec.variant, record.spec.seed


def file_of(folder: Folder, run: Run) -> str:
    """The name in the directory of a run's weights, or of its test probabilities.

    Example:
      >>> file_of("weights", ("l2", 0))
      'weights/l2.0.npz'
    """
    variant, seed = run
    return f"{folder}/{variant}.{seed}.npz"


def sha256_of(database: Database, folder: Folder, run: Run) -> str:
    """The SHA-256 of that file; KeyError where the database names none."""
    rows = database.rows(f"SELECT {folder}_sha256 FROM runs WHERE variant = ? AND seed = ?", *run)
    if not rows or rows[0][0] is None:
        raise KeyError(run)
    return str(rows[0][0])


def epochs_asked(database: Database) -> dict[Run, int]:
    """Every run that was trained, outgrown or not, and the epochs that its recipe asked for."""
    rows = database.rows("SELECT variant, seed, recipe FROM runs")
    return {(variant, seed): int(json.loads(recipe)["epochs"]) for variant, seed, recipe in rows}


def outgrown(database: Database) -> set[Run]:
    """Runs that were trained for fewer epochs than the study has by now."""
    asked = {name: variant["recipe"]["epochs"] for name, variant in read_study(database).get("variants", {}).items()}
    return {run for run, epochs in epochs_asked(database).items() if epochs < asked.get(run[0], 0)}


def trainable(database: Database, variant: str) -> int:
    """How many trainable numbers a variant's model has; 0 before its first run."""
    rows = database.rows("SELECT max(parameters) FROM runs WHERE variant = ?", variant)
    return int(rows[0][0] or 0)


def read_records(database: Database) -> list[RunRecord]:
    """Every run that was trained and is not outgrown, in the study's order, without weights."""
    with database.transaction("DEFERRED"):  # one moment, whatever another process writes
        rows = database.rows(f"SELECT {_COLUMNS} FROM runs")
        columns = ", ".join(HISTORY_COLUMNS)
        epochs = database.rows(f"SELECT variant, seed, {columns} FROM epochs ORDER BY variant, seed, epoch")
        study, pending = read_study(database), outgrown(database)
    by_run: dict[Run, list[tuple[float | None, ...]]] = {row[:2]: [] for row in rows}
    for variant, seed, *values in epochs:
        by_run[variant, seed].append(tuple(values))
    records = {row[:2]: _record(row, by_run[row[:2]]) for row in rows}
    order = [(variant, seed) for variant in study["variants"] for seed in study["seeds"]]
    return [records[run] for run in order if run in records and run not in pending]


def _record(row: tuple[Any, ...], epochs: list[tuple[float | None, ...]]) -> RunRecord:
    variant, seed, recipe, state, count, readout_epoch, trajectory, seconds, scores = row
    columns = np.array(epochs, float).reshape(-1, len(HISTORY_COLUMNS))  # (epochs, columns); SQLite keeps NaN as NULL
    history = History({name: columns[:, i] for i, name in enumerate(HISTORY_COLUMNS)})
    spec = RunSpec(variant, seed, recipe_from(json.loads(recipe)))
    return RunRecord(spec, state, count, readout_epoch, history, json.loads(scores), {}, _number(seconds), trajectory)


def read_tests(database: Database) -> dict[Run, tuple[float, float]]:
    """Test accuracy and loss of every run that was tested and is not outgrown."""
    rows = database.rows("SELECT variant, seed, test_accuracy, test_loss FROM runs WHERE test_sha256 IS NOT NULL")
    pending = outgrown(database)
    tests = {(variant, seed): (_number(accuracy), _number(loss)) for variant, seed, accuracy, loss in rows}
    return {run: scores for run, scores in tests.items() if run not in pending}


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def insert_run(database: Database, record: RunRecord, sha256: str) -> None:
    """Add a run and its epochs, or put them in the place of those that are there.

    Args:
      database: the study's.
      record: of the run.
      sha256: of its weights' file.
    """
    variant, seed = run = run_of(record)
    parameters = sum(a.size for name, a in record.weights.items() if name.rsplit("/")[-1] not in _STATISTICS)
    recipe = json.dumps(asdict(record.spec.recipe))
    ended = (record.state, int(record.epochs), int(record.readout_epoch), record.trajectory, float(record.seconds))
    scores = json.dumps({metric: float(value) for metric, value in record.scores.items()})
    database.execute(
        f"INSERT OR REPLACE INTO runs ({_COLUMNS}, parameters, weights_sha256, finished) VALUES ({'?, ' * 11}?)",
        (*run, recipe, *ended, scores, parameters, sha256, now()),
    )
    database.execute("DELETE FROM epochs WHERE variant = ? AND seed = ?", run)
    columns = np.stack([record.history[name] for name in HISTORY_COLUMNS], axis=1)  # (epochs, columns)
    database.execute_many(
        f"INSERT INTO epochs VALUES (?, ?, ?{', ?' * len(HISTORY_COLUMNS)})",
        [(variant, seed, epoch, *row) for epoch, row in enumerate(columns.tolist(), start=1)],
    )


def insert_test(database: Database, run: Run, accuracy: float, loss: float, sha256: str) -> None:
    """Add how a run does on the test set; KeyError for a run that is not there.

    Args:
      database: the study's.
      run: which.
      accuracy, loss: over the test set.
      sha256: of the file of its test probabilities.
    """
    changed = database.execute(
        "UPDATE runs SET test_accuracy = ?, test_loss = ?, test_sha256 = ? WHERE variant = ? AND seed = ?",
        (float(accuracy), float(loss), sha256, *run),
    )
    if not changed:
        raise KeyError(run)


def delete_runs(database: Database, runs: Iterable[Run]) -> None:
    """Forget runs and their epochs."""
    for run in runs:
        database.execute("DELETE FROM epochs WHERE variant = ? AND seed = ?", run)
        database.execute("DELETE FROM runs WHERE variant = ? AND seed = ?", run)
