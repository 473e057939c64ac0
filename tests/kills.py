"""A small study that can be killed at any moment, and the outcome that is compared; for tests and benchmarks.

Usage: python kills.py DIRECTORY  trains the study there with a checkpoint after every epoch, and prints "training"
after each.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

import stores
import wellfit
from wellfit.spec.study import StudySpec, study_from_mapping

EPOCHS: Final = 30
TICKS: Final = 4 * EPOCHS + 1
"""How often it prints "training": for every epoch of both programs with both folds, and when the test set is opened."""

TIMES: Final = ("seconds", "finished")
"""The columns of a run that depend on the clock."""


def study() -> StudySpec:
    """Two programs with everything that has a state: dropout, batch normalization, early stopping, averaging."""
    return study_from_mapping(
        {
            "name": "killed",
            "data": {"name": "digits"},
            "model": {"hidden": [16]},
            "train": {"epochs": EPOCHS, "batch_size": 128, "seeds": 2},
            "variants": {
                "dropout": {"dropout": 0.3},
                "stopping": {"early_stopping": {"patience": 1, "restore_best_weights": True}, "learning_rate": 0.02},
                "ema": {"average": {"kind": "ema", "decay": 0.9}},
                "normed": {"model": {"batch_norm": True}},
            },
        }
    )


def train(directory: Path) -> None:
    """Train the study, or continue it."""
    from wellfit.data.catalog import load_dataset
    from wellfit.study import run
    from wellfit.study.session import Session

    def say(_: run.Progress) -> None:
        sys.stdout.write("training\n")
        sys.stdout.flush()

    vars(run)["CHECKPOINT_SECONDS"] = 0.0
    run.run_study(Session(study(), load_dataset("digits"), directory), on_progress=say)


def start(directory: Path, epochs: int = 1) -> subprocess.Popen[str]:
    """Train in another process; returns after so many epochs, or when it has finished."""
    places = [str(Path(__file__).parent), str(Path(wellfit.__file__).parents[1])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, str(Path(__file__)), str(directory)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(epochs):
        process.stdout.readline()
    return process


def kill(directory: Path, epochs: int, seconds: float) -> bool:
    """Train, and kill -9 the process so many seconds after so many epochs; whether it was still running."""
    with start(directory, epochs) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def outcome(directory: Path) -> dict[str, Any]:
    """The outcome of a study without times: its tables, and hashes of the arrays in its files."""
    columns = [row[1] for row in stores.rows(directory, "PRAGMA table_info(runs)") if row[1] not in TIMES]
    tables = {
        "runs": f"SELECT {', '.join(columns)} FROM runs ORDER BY variant, seed",
        "epochs": "SELECT * FROM epochs ORDER BY variant, seed, epoch",
        "findings": "SELECT * FROM findings ORDER BY position",
        "study": "SELECT key, value FROM study WHERE key NOT IN ('seconds', 'created', 'provenance', 'test_opened')"
        " ORDER BY key",
    }
    files = {}
    for path in sorted(directory.glob("*/*.npz")):
        with np.load(path) as archive:
            arrays = b"".join(name.encode() + archive[name].tobytes() for name in archive.files)
        files[path.relative_to(directory).as_posix()] = hashlib.sha256(arrays).hexdigest()
    found = {name: stores.rows(directory, query) for name, query in tables.items()}
    facts = {key: json.loads(value) for key, value in found["study"]}
    for fact in facts.values():
        if isinstance(fact, dict):
            fact.pop("seconds", None)  # of a final state
    return {**found, "study": facts, "files": files}


if __name__ == "__main__":
    train(Path(sys.argv[1]))
