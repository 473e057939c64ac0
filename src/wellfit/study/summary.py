"""From a study directory to all that may be said of it: every number is computed from the store, and from it alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.diagnostics import best_epoch, overfit_onset, training_findings
from wellfit.analysis.metrics import confusion_matrix, correctness
from wellfit.analysis.statistics import compare_with_first, t_interval, two_way_interval
from wellfit.analysis.words import conclusion
from wellfit.base import (
    IntArray,
    ModelSpec,
    RunRecord,
    RunSummary,
    StudySummary,
    VariantSummary,
)
from wellfit.study.spec import StudySpec, from_resolved, recipes
from wellfit.study.store import Store, open_existing

__all__ = ["METRICS", "summarize", "to_json"]

METRICS = (
    "train_accuracy",
    "train_loss",
    "validation_accuracy",
    "validation_loss",
    "test_accuracy",
    "test_loss",
    "generalization_gap",
)
"""What a variant's mean and interval are given of."""

_RUN_KEYS = (
    *("seed", "state", "epochs", "best_epoch", "overfit_onset"),
    *(f"{split}_{what}" for split in ("train", "validation", "test") for what in ("accuracy", "loss")),
)

Outcomes = Mapping[str, Mapping[int, NDArray[np.bool_]]]
"""variant -> seed -> whether each test example was classified rightly.  # (M,)"""


def summarize(directory: Path) -> StudySummary:
    """Summarize a study directory, finished or not.

    Args:
      directory: the study directory.

    Returns:
      The summary.

    Raises:
      StoreUnreadableError: there is no study in it, or it is damaged.
    """
    with open_existing(directory) as store:
        return _summarize(store, directory)


def _summarize(store: Store, directory: Path) -> StudySummary:
    settings = store.study()
    spec = from_resolved(settings)
    records = {(r.spec.variant, r.spec.seed): r for r in store.records()}
    labels, classes = store.labels()
    outcomes: dict[str, dict[int, NDArray[np.bool_]]] = {name: {} for name in spec.variants}
    confusion: dict[str, IntArray] = {}
    tests = store.tests()
    for variant, seed in tests:
        probabilities = store.probabilities(variant, seed)
        outcomes[variant][seed] = correctness(probabilities, labels)
        counts = confusion_matrix(labels, probabilities.argmax(axis=1), len(classes))
        confusion[variant] = confusion.get(variant, 0) + counts
    sizes = _sizes(spec, store)
    variants = tuple(_variant(name, spec, records, tests, outcomes[name], sizes[name]) for name in spec.variants)
    comparisons = compare_with_first({name: outcomes[name] for name in spec.variants})
    histories = {
        name: {s: records[name, s].history for s in spec.seeds if (name, s) in records} for name in spec.variants
    }
    states = {v.name: {run.seed: run.state for run in v.runs} for v in variants}
    chance = float(np.bincount(labels).max() / len(labels)) if len(labels) else 0.0
    done = all(run.state == "diverged" or run.test_accuracy is not None for v in variants for run in v.runs)
    return StudySummary(
        name=spec.name,
        title=spec.title,
        data=spec.data.name_or_path,
        state="finished" if done else "running" if store.is_running() else "interrupted",
        seeds=spec.seeds,
        epochs=spec.base.epochs,
        seconds=store.seconds(),
        directory=str(directory),
        variants=variants,
        comparisons=comparisons,
        findings=(*store.findings(), *training_findings(histories, states, recipes(spec), chance)),
        verdict=conclusion(variants, comparisons, len(labels)),
        histories=histories,
        confusion=confusion,
        classes=classes,
        provenance=store.provenance(),
        settings=settings,
    )


def _sizes(spec: StudySpec, store: Store) -> dict[str, int]:
    """Parameters of every variant; those of a pending or diverged one are known from others of its model."""
    models = {name: recipe.model for name, recipe in recipes(spec).items()}
    sizes: dict[ModelSpec, int] = {}
    for name, model in models.items():
        sizes[model] = max(sizes.get(model, 0), store.parameters(name))
    return {name: sizes[model] for name, model in models.items()}


def _variant(
    name: str,
    spec: StudySpec,
    records: Mapping[tuple[str, int], RunRecord],
    tests: Mapping[tuple[str, int], tuple[float, float]],
    outcomes: Mapping[int, NDArray[np.bool_]],
    parameters: int,
) -> VariantSummary:
    runs = tuple(_run(seed, records.get((name, seed)), tests.get((name, seed))) for seed in spec.seeds)
    columns = {metric: _values(runs, metric) for metric in METRICS}
    mean = {metric: float(np.mean(values)) for metric, values in columns.items() if values}
    interval = {metric: _possible(metric, t_interval(values)) for metric, values in columns.items() if values}
    if outcomes:  # both sources of chance: the seeds, and the finite test set
        scores = np.stack([outcomes[seed] for seed in sorted(outcomes)])  # (S, M)
        mean["test_accuracy"], interval["test_accuracy"] = two_way_interval(scores)
    return VariantSummary(
        name=name,
        settings=spec.variants[name],
        parameters=parameters,
        runs=runs,
        mean=mean,
        interval=interval,
        seconds=math.fsum(run.seconds or 0.0 for run in runs),
        published=spec.published.get(name, {}),
    )


def _possible(metric: str, interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """An interval cut to what the metric can be: an accuracy is a share, a loss is not negative."""
    if interval is None or metric == "generalization_gap":
        return interval
    low, high = max(interval[0], 0.0), interval[1]
    return low, min(high, 1.0) if metric.endswith("_accuracy") else high


def _values(runs: Iterable[RunSummary], metric: str) -> list[float]:
    """A metric's value of every run that has it."""
    if metric == "generalization_gap":
        pairs = [(run.train_accuracy, run.test_accuracy) for run in runs]
        return [train - test for train, test in pairs if train is not None and test is not None]
    return [value for run in runs if (value := getattr(run, metric)) is not None]


def _run(seed: int, record: RunRecord | None, test: tuple[float, float] | None) -> RunSummary:
    """One run as a row; a pending or diverged run has no scores."""
    if record is None:
        return RunSummary(seed, "pending", *(None,) * 11)
    read = record.readout_epoch

    return RunSummary(
        seed=seed,
        state=record.state,
        epochs=record.epochs,
        readout_epoch=read or None,
        best_epoch=best_epoch(record.history) if read else None,
        overfit_onset=overfit_onset(record.history) if read else None,
        train_accuracy=record.scores.get("train_accuracy"),
        train_loss=record.scores.get("train_loss"),
        validation_accuracy=record.scores.get("validation_accuracy"),
        validation_loss=record.scores.get("validation_loss"),
        test_accuracy=test[0] if test else None,
        test_loss=test[1] if test else None,
        seconds=record.seconds,
    )


def to_json(summary: StudySummary, version: str) -> dict[str, Any]:
    """The form that ``wellfit show --json`` prints: plain data, NaN and infinity as null."""
    study = {
        "name": summary.name,
        "data": summary.data,
        "state": summary.state,
        "seeds": list(summary.seeds),
        "epochs": summary.epochs,
        "seconds": summary.seconds,
        "directory": summary.directory,
    }
    variants = [
        {
            "name": v.name,
            "settings": dict(v.settings),
            "parameters": v.parameters,
            "runs": [{key: getattr(run, key) for key in _RUN_KEYS} for run in v.runs],
            "mean": dict(v.mean),
            "interval": dict(v.interval),
        }
        for v in summary.variants
    ]
    plain = {
        "wellfit": version,
        "study": study,
        "variants": variants,
        "comparisons": [vars(c) for c in summary.comparisons],
        "findings": [vars(f) for f in summary.findings],
    }
    return {key: _finite(value) for key, value in plain.items()}


def _finite(value: Any) -> Any:
    """Replace what JSON has no word for."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        return _finite(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
