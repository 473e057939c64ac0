"""A small study in which a run stops early and another diverges, with an average and batch normalization."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from wellfit.spec.study import StudySpec, study_from_mapping

STUDY = {
    "data": {"name": "clouds", "scale": "standardize"},
    "model": {"hidden": [8]},
    "train": {"epochs": 12, "batch_size": 32, "seeds": 2},
    "variants": {
        "plain": {},
        "stopping": {"early_stopping": {"patience": 1, "restore_best_weights": True}, "learning_rate": 0.1},
        "ema": {"average": {"kind": "ema", "decay": 0.9}},
        "normed": {"model": {"batch_norm": True}},
        "wild": {"optimizer": "sgd", "learning_rate": 1e30},
    },
}


def study(**train: Any) -> StudySpec:
    return study_from_mapping({**STUDY, "train": {**STUDY["train"], **train}})


def change(directory: Path, statement: str, *values: Any) -> None:
    """Change the database behind wellfit's back."""
    with contextlib.closing(sqlite3.connect(directory / "study.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount
