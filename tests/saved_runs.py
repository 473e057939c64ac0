"""A small study whose runs tests save without training, alone or in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wellfit
from wellfit.base import HISTORY_COLUMNS, History, RunRecord, RunSpec
from wellfit.spec.study import StudySpec, load_study, recipes, resolved
from wellfit.store import Store, create_or_open

STUDY = load_study("lab5", seeds=3)
PROVENANCE = {"jax": "1", "data hash": "aa", "split hash": "bb"}
_SOURCE = str(Path(wellfit.__file__).parents[1])
posix = pytest.mark.skipif(os.name != "posix", reason="signals and rights of POSIX")


def opened(directory: Path, study: StudySpec = STUDY, **facts: str) -> Store:
    """Open a directory for writing, with other facts in the provenance."""
    return create_or_open(directory, resolved(study), provenance={**PROVENANCE, **facts})


def record(variant: str = "l2", seed: int = 0, epochs: int = 4, **changes: Any) -> RunRecord:
    """A run with random epochs."""
    random = np.random.default_rng([seed, epochs])
    history = History({name: random.normal(size=epochs) for name in HISTORY_COLUMNS})
    weights = {
        "dense_1/kernel": random.normal(size=(3, 2)).astype(np.float32),
        "dense_1/bias": np.zeros(2, np.float32),
        "batch_norm_1/mean": np.zeros(2, np.float32),  # kept, not trained
    }
    spec = RunSpec(variant, seed, recipes(STUDY)[variant])
    scores = {"train_loss": 0.5}
    run = RunRecord(spec, "finished", epochs, epochs, history, scores, weights, 1.5, f"{variant}.{seed}")
    return replace(run, **changes)


def probabilities(seed: int) -> np.ndarray:
    """Test probabilities of five examples."""
    return np.random.default_rng(seed).dirichlet(np.ones(10), 5).astype(np.float32)  # (5, 10)


def same(a: RunRecord, b: RunRecord) -> bool:
    """Whether two records are equal, weights aside, NaN equal to NaN."""
    plain = [(r.spec, r.state, r.epochs, r.readout_epoch, r.trajectory, repr((r.seconds, r.scores))) for r in (a, b)]
    columns = all(np.array_equal(a.history[name], b.history[name], equal_nan=True) for name in HISTORY_COLUMNS)
    return plain[0] == plain[1] and columns and set(a.history.columns) == set(b.history.columns)


_PRELUDE = """
import os, signal, sys
from saved_runs import *
from wellfit.store.metadata import Metadata
from wellfit.store.runs import Runs
"""


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run code in another process, which has the names of this module."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), _SOURCE])}
    command = [sys.executable, "-c", _PRELUDE + textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def failing(number: int) -> Callable[..., Any]:
    """A function of the operating system that raises an error, by its number."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail
