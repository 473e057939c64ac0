"""From a study directory to all that may be said of it: every number is computed from the store, and from it alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval
from wellfit.analysis.curves import best_epoch
from wellfit.analysis.intervals import t_interval, two_way_interval
from wellfit.analysis.metrics import confusion_matrix, correctness, log_losses
from wellfit.base import (
    FloatArray,
    IntArray,
    ModelSpec,
    Recipe,
    RunRecord,
    RunSummary,
    StudySummary,
    VariantSummary,
)
from wellfit.diagnostics.overfit import with_onsets
from wellfit.diagnostics.training import training_findings
from wellfit.narrative.advice import advise
from wellfit.spec.study import StudySpec, from_resolved, recipes
from wellfit.store import Store, open_existing
from wellfit.study.conclude import conclude
from wellfit.study.planned_looks import at_last_look

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


class Outcome(NamedTuple):
    """What a run made of every test example: whether it was right, and its cross-entropy."""

    correct: NDArray[np.bool_]  # (M,)
    loss: FloatArray  # (M,)


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
        summary = _summarize(store, directory)
    return dataclasses.replace(summary, advice=advise(summary))


def _summarize(store: Store, directory: Path) -> StudySummary:
    # Another process may write meanwhile: what the study read first does not know, or has no record of, is left out.
    running = store.is_running()
    settings = store.metadata.study()
    spec = from_resolved(settings)
    asked = {(variant, seed) for variant in spec.variants for seed in spec.seeds}
    records = {run: r for r in store.runs.records() if (run := (r.spec.variant, r.spec.seed)) in asked}
    tests = {run: scores for run, scores in store.runs.test_scores().items() if run in records}
    labels, classes = store.keepsakes.labels()
    outcomes: dict[str, dict[int, Outcome]] = {name: {} for name in spec.variants}
    confusion: dict[str, IntArray] = {}
    for variant, seed in tests:
        probabilities = store.runs.probabilities(variant, seed)
        losses = log_losses(probabilities.astype(np.float64), labels)  # float32 would be cut at 1e-7
        outcomes[variant][seed] = Outcome(correctness(probabilities, labels), losses)
        counts = confusion_matrix(labels, probabilities.argmax(axis=1), len(classes))
        confusion[variant] = confusion.get(variant, 0) + counts
    sizes = _sizes(spec, store)
    noted: dict[str, int] = store.metadata.note("examples") or {}
    sampled = {name: _sampled(recipe, noted) for name, recipe in recipes(spec).items()}
    variants = tuple(
        _variant(name, spec, records, tests, outcomes[name], sizes[name], sampled[name]) for name in spec.variants
    )
    right = {name: {seed: outcome.correct for seed, outcome in runs.items()} for name, runs in outcomes.items()}
    look, seen = at_last_look(store, right)
    histories = {
        name: {s: records[name, s].history for s in spec.seeds if (name, s) in records} for name in spec.variants
    }
    states = {v.name: {run.seed: run.state for run in v.runs} for v in variants}
    chance = float(np.bincount(labels).max() / len(labels)) if len(labels) else 0.0
    variants = with_onsets(variants, histories, recipes(spec), chance)
    rows, examples = {v.name: v.runs for v in variants}, (noted.get("validation", 0), len(labels))
    done = all(run.state == "diverged" or run.test_accuracy is not None for v in variants for run in v.runs)
    return StudySummary(
        name=spec.name,
        title=spec.title,
        data=spec.data.name_or_path,
        state="finished" if done else "running" if running else "interrupted",
        seeds=spec.seeds,
        epochs=spec.base.epochs,
        seconds=store.metadata.seconds(),
        directory=str(directory),
        variants=variants,
        findings=(
            *store.metadata.findings(),
            *training_findings(histories, states, recipes(spec), chance, rows, examples),
        ),
        histories=histories,
        confusion=confusion,
        classes=classes,
        provenance=store.metadata.provenance(),
        settings=settings,
        margin=spec.margin,
        **conclude(spec, variants, seen, len(labels), look)._asdict(),
    )


def _sampled(recipe: Recipe, counts: Mapping[str, int]) -> int | None:
    """How many training examples a variant's training metrics are measured on; None where the store does not say."""
    sample = counts.get("sample")
    return sample if sample is None or recipe.examples is None else min(sample, recipe.examples)


def _sizes(spec: StudySpec, store: Store) -> dict[str, int]:
    """Parameters of every variant; those of a pending or diverged one are known from others of its model."""
    models = {name: recipe.model for name, recipe in recipes(spec).items()}
    sizes: dict[ModelSpec, int] = {}
    for name, model in models.items():
        sizes[model] = max(sizes.get(model, 0), store.runs.parameters(name))
    return {name: sizes[model] for name, model in models.items()}


def _variant(
    name: str,
    spec: StudySpec,
    records: Mapping[tuple[str, int], RunRecord],
    tests: Mapping[tuple[str, int], tuple[float, float]],
    outcomes: Mapping[int, Outcome],
    parameters: int,
    sampled: int | None,
) -> VariantSummary:
    runs = tuple(_run(seed, records.get((name, seed)), tests.get((name, seed))) for seed in spec.seeds)
    columns = {metric: _values(runs, metric) for metric in METRICS}
    mean = {metric: float(np.mean(values)) for metric, values in columns.items() if values}
    interval = {metric: t_interval(values) for metric, values in columns.items() if values}
    for metric, scores in _test_scores(runs, outcomes).items():
        mean[metric], interval[metric] = two_way_interval(scores)
    if sampled and "generalization_gap" in interval:
        interval["generalization_gap"] = _widened(interval["generalization_gap"], mean["train_accuracy"], sampled)
    interval = {metric: _possible(metric, bounds) for metric, bounds in interval.items()}
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


def _test_scores(runs: Iterable[RunSummary], outcomes: Mapping[int, Outcome]) -> dict[str, NDArray[Any]]:
    """What was measured on test examples, so that both sources of chance count: the seeds, and the finite test set."""
    tested = [(run.train_accuracy, outcomes[run.seed]) for run in runs if run.seed in outcomes]
    if not tested:
        return {}
    correct = np.stack([outcome.correct for _, outcome in tested])  # (S, M)
    scores: dict[str, NDArray[Any]] = {
        "test_accuracy": correct,
        "test_loss": np.stack([outcome.loss for _, outcome in tested]),
    }
    gaps = [train - outcome.correct for train, outcome in tested if train is not None]
    return {**scores, "generalization_gap": np.stack(gaps)} if gaps else scores  # each (S, M)


def _widened(bounds: Interval | None, train_accuracy: float, sampled: int) -> Interval | None:
    """The gap's interval, with the chance of the training examples that it is measured on: a third source.

    The sample is the same for all seeds, and which of its examples each got right is not kept, so their variance is
    taken to be the largest that the accuracy allows, that of one network: ``p (1 - p) / n``.
    """
    if bounds is None:
        return None
    middle, half = (bounds[0] + bounds[1]) / 2, (bounds[1] - bounds[0]) / 2
    half = math.hypot(half, 1.96 * math.sqrt(train_accuracy * (1 - train_accuracy) / sampled))
    return middle - half, middle + half


def _possible(metric: str, interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """An interval cut to what the metric can be: an accuracy is a share, the gap of two, a loss is not negative."""
    if interval is None:
        return None
    low = max(interval[0], -1.0 if metric == "generalization_gap" else 0.0)
    return low, interval[1] if metric.endswith("_loss") else min(interval[1], 1.0)


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
        overfit_onset=None,  # known of the variant's runs together alone: ``with_onsets``
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
        "title": summary.title,
        "margin": summary.margin,
        "published": {v.name: dict(v.published) for v in summary.variants if v.published},
        "conclusion": [vars(sentence) for sentence in summary.conclusion],
        "advice": [vars(sentence) for sentence in summary.advice],
        "answers": [{**vars(a), "sentences": [vars(sentence) for sentence in a.sentences]} for a in summary.answers],
        "asked": [vars(c) for c in summary.asked],
        "evidence": {key: vars(found) for key, found in summary.evidence.items()},
        "ranking": [ranked._asdict() for ranked in summary.ranking],
        "friedman_p": summary.friedman_p,
        "settings": summary.settings,
        "provenance": summary.provenance,
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
