"""Studies that are written step by step, as a process that trains writes them, for those who watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import wellfit.store.progress as progress
from wellfit.base import HISTORY_COLUMNS, History, RunRecord, RunSpec
from wellfit.spec.study import StudySpec, recipes, resolved, study_from_mapping
from wellfit.store import Store, create_or_open

CLASSES = ("cat", "dog", "<i>fox</i>")


def study(
    title: str = "Does l2 help?", epochs: int = 12, seeds: int = 2, variants: Mapping[str, Any] | None = None
) -> StudySpec:
    """Two variants of a network for the digits, or others."""
    return study_from_mapping(
        {
            "name": "watched",
            "title": title,
            "data": {"name": "digits"},
            "model": {"hidden": [16]},
            "train": {"epochs": epochs, "seeds": seeds},
            "variants": variants or {"baseline": {}, "l2": {"l2": 1e-3}},
        }
    )


def rows(count: int, offset: float = 0.0) -> list[np.ndarray]:
    """Epochs of one run: losses fall, accuracies rise."""
    found = []
    for epoch in range(1, count + 1):
        falling = 1 / (epoch + 1) + offset
        values = {name: 1 - falling if name.endswith("accuracy") else falling for name in HISTORY_COLUMNS}
        found.append(np.array([values[name] for name in HISTORY_COLUMNS]))
    return found


@contextmanager
def at_work(directory: Path, spec: StudySpec | None = None) -> Iterator[Store]:
    """A study that this process trains; recorded epochs are written at once."""
    with create_or_open(
        directory, resolved(spec or study()), provenance={"data hash": "a", "split hash": "b"}
    ) as store:
        yield store


def record_epochs(store: Store, epochs: int, runs: tuple[tuple[str, int], ...] = ()) -> None:
    """Let a population of runs, all unless they are given, have so many epochs."""
    output = runs or tuple((variant, seed) for variant in ("baseline", "l2") for seed in (0, 1))
    pause, progress.SECONDS = progress.SECONDS, 0.0  # type: ignore[misc]
    try:
        store.progress.write(lambda: {run: rows(epochs, 0.01 * i) for i, run in enumerate(output)})
    finally:
        progress.SECONDS = pause  # type: ignore[misc]


def record(variant: str, seed: int, epochs: int = 12, spec: StudySpec | None = None) -> RunRecord:
    """A run that has ended, as ``rows`` has it."""
    columns = np.array(rows(epochs)).T  # (columns, epochs)
    history = History({name: columns[i] for i, name in enumerate(HISTORY_COLUMNS)})
    names = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    scores = {name: float(history[name][-1]) for name in names}
    weights = {"dense_1/kernel": np.zeros((64, 3), np.float32)}
    run = RunSpec(variant, seed, recipes(spec or study())[variant])
    return RunRecord(run, "finished", epochs, epochs, history, scores, weights, 1.0, f"{variant}.{seed}")


def finish(store: Store, spec: StudySpec | None = None) -> None:
    """End every run of the study, and open the test set."""
    labels = np.arange(30, dtype=np.int32) % 3  # (30,)
    store.runs.save([record(variant, seed, spec=spec) for variant in ("baseline", "l2") for seed in (0, 1)])
    store.progress.drop()
    store.keepsakes.save_labels(labels, CLASSES)
    store.metadata.mark_test_opened()
    for i, (variant, seed) in enumerate((v, s) for v in ("baseline", "l2") for s in (0, 1)):
        right = np.eye(3, dtype=np.float32)[labels]  # (30, 3)
        probabilities = 0.8 * right + 0.2 / 3
        probabilities[: 3 + i] = np.roll(probabilities[: 3 + i], 1, axis=1)
        store.runs.save_test(variant, seed, probabilities, 1 - (3 + i) / 30, 0.5)
