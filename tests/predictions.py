"""Predictions of runs that nobody trained, in all forms that ``judge`` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from wellfit.data.predictions.runs import GivenRuns

EXAMPLES, CLASSES = 200, 3
LABELS = np.random.default_rng(0).integers(0, CLASSES, EXAMPLES)
ACCURACIES = {"baseline": 0.7, "l2": 0.9, "l1": 0.72}


def probabilities(variant: str, seed: int, examples: int = EXAMPLES) -> np.ndarray:
    """What a run predicts; float32, so that every form keeps all of it.  # (M, K)"""
    random = np.random.default_rng([seed, len(variant), ord(variant[-1])])
    guess = random.integers(0, CLASSES, examples)
    predicted = np.where(random.random(examples) < ACCURACIES[variant], LABELS[:examples], guess)
    logits = random.normal(0, 1, (examples, CLASSES)) + 4 * np.eye(CLASSES)[predicted]
    p = np.exp(logits)
    return (p / p.sum(axis=1, keepdims=True)).astype(np.float32)


def all_runs(seeds: int = 3) -> dict[str, list[np.ndarray]]:
    """Variant -> what its runs predict."""
    return {name: [probabilities(name, seed) for seed in range(seeds)] for name in ACCURACIES}


def long_frame(seeds: int = 3, *, classes_only: bool = False) -> pd.DataFrame:
    """One row for each run and example."""
    frames = []
    for name, of in all_runs(seeds).items():
        for seed, p in enumerate(of):
            columns = {f"p_{k}": p[:, k] for k in range(CLASSES)}
            answers = {"predicted": p.argmax(axis=1)} if classes_only else columns
            ids = np.arange(EXAMPLES)
            frames.append(pd.DataFrame({"variant": name, "seed": seed, "example": ids, "label": LABELS, **answers}))
    return pd.concat(frames, ignore_index=True)


def accuracy_frame(seeds: int = 3) -> pd.DataFrame:
    """One row for each run."""
    rows = [(n, s, np.mean(p.argmax(axis=1) == LABELS)) for n, of in all_runs(seeds).items() for s, p in enumerate(of)]
    return pd.DataFrame(rows, columns=["variant", "seed", "accuracy"])


def archives(folder: Path, seeds: int = 3) -> Path:
    """A folder with an archive for each run, and the labels."""
    folder.mkdir()
    for name, of in all_runs(seeds).items():
        for seed, p in enumerate(of):
            np.savez(folder / f"{name}.{seed}.npz", probabilities=p)
    np.savez(folder / "labels.npz", labels=LABELS)
    return folder


def all_values(given: GivenRuns) -> list[np.ndarray]:
    """What every run predicts, checked."""
    return [run.values() for run in given.runs]
