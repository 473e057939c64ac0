"""A study directory of any size within seconds: random weights, curves and probabilities, saved as after training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from wellfit.analysis.metrics import accuracy, log_loss
from wellfit.base import HISTORY_COLUMNS, History, Recipe, RunRecord, RunSpec
from wellfit.spec.study import StudySpec, recipes, resolved, study_from_mapping
from wellfit.store import create_or_open

AT_ONCE = 500  # runs in memory


def study_of(variants: int, seeds: int, epochs: int) -> StudySpec:
    """Networks with one hidden layer of eight units on the digits, and as many L2 strengths as there are variants."""
    return study_from_mapping(
        {
            "data": {"name": "digits"},
            "model": {"hidden": [8]},
            "train": {"epochs": epochs, "seeds": seeds},
            "variants": {"baseline": {}, **{f"l2-{i}": {"l2": 1e-4 * i} for i in range(1, variants)}},
        }
    )


def make(directory: Path, variants: int, seeds: int, examples: int, classes: int = 10, epochs: int = 10) -> None:
    """Make a finished study; every number that ``wellfit verify`` recomputes agrees.

    Args:
      directory: must not exist.
      examples: of the test set.
    """
    spec, random = study_of(variants, seeds, epochs), np.random.default_rng(0)
    labels = random.integers(0, classes, examples).astype(np.int32)  # (M,)
    with create_or_open(directory, resolved(spec), provenance={"data hash": "made up"}) as store:
        store.keepsakes.save_labels(labels, [str(i) for i in range(classes)])
        counts = {"training": 1000, "sample": 1000, "validation": 300, "test": examples}
        store.metadata.write_note("examples", counts)
        store.metadata.write_note("per_class", [1000 // classes] * classes)
        every = [RunSpec(name, seed, recipe) for name, recipe in recipes(spec).items() for seed in range(seeds)]
        for begin in range(0, len(every), AT_ONCE):
            part = every[begin : begin + AT_ONCE]
            tests = {(run.variant, run.seed): _probabilities(random, labels, classes) for run in part}
            scores = {run: (accuracy(p, labels), log_loss(p.astype(np.float64), labels)) for run, p in tests.items()}
            store.runs.save(list(_records(random, part, classes)), tests, scores)


def _probabilities(random: np.random.Generator, labels: Any, classes: int) -> Any:
    """Of a network that gets three in four right.  # float32 (M, K)"""
    logits = random.normal(0, 1, (len(labels), classes)).astype(np.float32)
    logits[np.arange(len(labels)), labels] += 2.3
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True)


def _records(random: np.random.Generator, runs: list[RunSpec], classes: int) -> Iterator[RunRecord]:
    for run in runs:
        recipe: Recipe = run.recipe
        weights = {
            "dense_1/kernel": random.normal(size=(64, 8)).astype(np.float32),
            "dense_1/bias": np.zeros(8, np.float32),
            "dense_2/kernel": random.normal(size=(8, classes)).astype(np.float32),
            "dense_2/bias": np.zeros(classes, np.float32),
        }
        kernels = np.concatenate([array.ravel() for name, array in weights.items() if name.endswith("kernel")])
        loss = 1 / (1 + np.arange(recipe.epochs)) + np.abs(random.normal(0, 0.01, recipe.epochs))  # (epochs,)
        columns = dict.fromkeys(HISTORY_COLUMNS, loss) | {
            "train_accuracy": 1 - loss / 3,
            "validation_accuracy": 1 - loss / 3,
            "weight_norm": np.full(recipe.epochs, np.linalg.norm(kernels)),
            "small_weights": np.full(recipe.epochs, np.mean(np.abs(kernels) < 1e-3)),
        }
        measured = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
        scores = {metric: float(columns[metric][-1]) for metric in measured}
        yield RunRecord(
            run, "finished", recipe.epochs, recipe.epochs, History(columns), scores, weights, 1.0,
            f"{run.variant}.{run.seed}",
        )  # fmt: skip
