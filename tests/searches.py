"""Small studies with a search, for several tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from small_studies import few_points
from wellfit.base import Dataset
from wellfit.spec.study import StudySpec, study_from_mapping
from wellfit.study.session import Session

L2 = {"low": 1e-5, "high": 1e-1, "log": True}
RATE = {"low": 1e-3, "high": 1e-1, "log": True}


def searching(seeds: Any = 2, epochs: int = 4, space: Any = None, folds: int = 5, **search: Any) -> StudySpec:
    """A perceptron on ``few_points`` with a search of eight configurations in batches of four, halved at 1 and 2."""
    return study_from_mapping(
        {
            "data": {"name": "points", "scale": "standardize", "folds": folds},
            "model": {"hidden": [8]},
            "train": {"epochs": epochs, "batch_size": 32, "seeds": seeds},
            "variants": {"baseline": {}},
            "search": {
                "trials": 8,
                "batch": 4,
                "halving": 2,
                "space": space or {"l2": L2, "learning_rate": RATE},
                **search,
            },
        }
    )


def session(directory: Path, data: Dataset | None = None, **how: Any) -> Session:
    """The session of such a study."""
    return Session(searching(**how), data or few_points(), directory)
