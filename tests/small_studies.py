"""Small studies and data that train in moments, and the command line, for several tests."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellfit import cli
from wellfit.api import make_dataset
from wellfit.base import Column, Dataset
from wellfit.data.splits import dataset_hash
from wellfit.spec.study import StudySpec, study_from_mapping

NOWHERE = Path("nowhere")
"""A study directory that does not exist, for sessions that only plan."""


def points() -> Dataset:
    """Two overlapping clouds: 100 training and 30 test examples."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 130)  # (130,)
    x = generator.normal(y[:, None], 2.0, (130, 4)).astype(np.float32)  # (130, 4)
    return make_dataset(x[:100], y[:100], x[100:], y[100:], name="points")


def unsplit(count: int = 130) -> Dataset:
    """The same 130 points, or fewer, without a test set of their own."""
    given = points()
    x, y = np.concatenate([given.x_train, given.x_test]), np.concatenate([given.y_train, given.y_test])
    return make_dataset(x[:count], y[:count], name="points")


def small(epochs: int, seeds: Any = 2, folds: int = 1, **variants: Any) -> StudySpec:
    """Two logistic regressions, for ``points``; with one fold, so that all seeds train together."""
    return study_from_mapping(
        {
            "data": {"name": "points", "scale": "standardize", "folds": folds},
            "model": {"kind": "logistic"},
            "train": {"epochs": epochs, "batch_size": 32, "seeds": seeds, "learning_rate": 0.05},
            "variants": {"plain": {}, "l2": {"l2": 0.1}, **variants},
        }
    )


def few_points() -> Dataset:
    """Three overlapping clouds: 200 training and 60 test examples."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, 260)  # (260,)
    x = generator.normal(y[:, None], 2.0, (260, 5)).astype(np.float32)  # (260, 5)
    return make_dataset(x[:200], y[:200], x[200:], y[200:], name="points")


def perceptrons(
    variants: dict[str, Any], seeds: int = 2, data: dict[str, Any] | None = None, **train: Any
) -> StudySpec:
    """Networks with one hidden layer, for ``few_points``; with one fold, so that all seeds train together."""
    return study_from_mapping(
        {
            "data": {"name": "points", "scale": "standardize", "folds": 1, **(data or {})},
            "model": {"hidden": [8]},
            "train": {"epochs": 3, "batch_size": 32, "seeds": seeds, **train},
            "variants": variants,
        }
    )


def clouds() -> Dataset:
    """Three overlapping clouds."""
    generator = np.random.default_rng(5)
    y = generator.integers(0, 3, 260)  # (260,)
    x = generator.normal(y[:, None], 2.0, (260, 6)).astype(np.float32)  # (260, 6)
    return make_dataset(x[:200], y[:200], x[200:], y[200:], name="clouds")


def command(*arguments: str | Path) -> tuple[int, str, str]:
    """The command: its exit status, and what it prints."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["wellfit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()


def messy() -> Dataset:
    """A table with numbers, categories, missing values and a constant column: 160 training and 40 test examples."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 200).astype(np.int32)  # (200,)
    age = generator.normal(40 + 10 * y, 8)
    city = (y + generator.integers(0, 2, 200)) % 3
    x = np.stack([age, city, np.ones(200), generator.normal(y, 1.0)], axis=1).astype(np.float32)  # (200, 4)
    x[generator.random(x.shape) < 0.1] = np.nan
    x[:, 2] = 1
    x[195, 1] = 3  # a category that only the test set has
    columns = (Column("age"), Column("city", ("Bern", "Oslo", "Rome", "Wien")), Column("planet"), Column("height"))
    facts = (("label column", "Churn, the last of 5 columns"), ("rows dropped", "2 without a label"))
    return Dataset(
        name="people", x_train=x[:160], y_train=y[:160], x_test=x[160:], y_test=y[160:], classes=("no", "yes"),
        pixel_max=None, title="people", source="people.csv", hash=dataset_hash(x[:160], y[:160], x[160:], y[160:]),
        columns=columns, facts=facts,
    )  # fmt: skip
