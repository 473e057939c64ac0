"""Summaries of study directories: every reported number, computed from the store alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval
from wellfit.analysis.curves import best_epoch
from wellfit.analysis.gaps import independent_sample
from wellfit.analysis.intervals import t_interval, two_way_interval
from wellfit.analysis.selection import validation_components
from wellfit.analysis.steps import step_of
from wellfit.base import (
    History,
    IntArray,
    ModelSpec,
    Recipe,
    RunRecord,
    RunSummary,
    StudySummary,
    TestRows,
    VarianceComponents,
    VariantSummary,
)
from wellfit.diagnostics.classes import Classes
from wellfit.diagnostics.overfitting import Judged, with_onsets
from wellfit.diagnostics.training import training_findings
from wellfit.errors import StoreUnreadableError
from wellfit.narrative.advice import advise
from wellfit.narrative.chosen import chosen_despite_test
from wellfit.spec.study import StudySpec, recipes
from wellfit.store import Store, manifest, open_existing
from wellfit.store.tested import Validated
from wellfit.study.comparable import of_metric, published_caution
from wellfit.study.conclude import Further, conclude
from wellfit.study.fold import OVERLAP
from wellfit.study.interim import compared_runs
from wellfit.study.kept_summary import kept_or_computed
from wellfit.study.looks import earlier_looks
from wellfit.study.outcomes import Outcomes, outcomes_of
from wellfit.study.scored import bounds_in_own_unit, in_own_unit, scored_again
from wellfit.study.search.record import result_of
from wellfit.study.shareable import shareable

__all__ = ["METRICS", "summarize", "summary_of"]

Run = tuple[str, int]

_EXACT = 1e-9  # accuracies in full precision that are shares of no test set

METRICS = (
    "train_accuracy",
    "train_loss",
    "validation_accuracy",
    "validation_loss",
    "test_accuracy",
    "test_loss",
    "generalization_gap",
)
"""The metrics with a mean and an interval for every variant."""


def summarize(directory: Path, *, again: bool = False) -> StudySummary:
    """Summarize a study directory, finished or not.

    Args:
      directory: the study directory.
      again: compute it even if it is kept there, see ``kept_summary``.

    Raises:
      StoreUnreadableError: there is no study in it, or it is damaged.
    """
    with open_existing(directory) as store:
        return summary_of(store, again=again)


def summary_of(store: Store, *, again: bool = False) -> StudySummary:
    """Summarize an open study directory, finished or not.

    Args:
      store: the study.
      again: compute it even if it is kept there.

    Raises:
      StoreUnreadableError: it is damaged.
    """
    return _computed(store) if again else kept_or_computed(store, _computed)


def _computed(store: Store) -> StudySummary:
    # Another process may be writing: only runs of the study as it is read first are counted, and only with a record.
    running, settings, spec = store.is_running(), store.metadata.study(), store.metadata.spec()
    of_variant = recipes(spec)
    asked = {(variant, seed) for variant in spec.variants for seed in spec.seeds}
    records = {run: r for r in store.runs.records() if (run := (r.spec.variant, r.spec.seed)) in asked}
    tests = {run: scores for run, scores in store.runs.test_scores().items() if run in records}
    labels, classes = store.keepsakes.labels()
    counts: dict[str, int] = store.metadata.note("examples") or {}
    sampled = {name: _sampled(counts, recipe) for name, recipe in of_variant.items()}
    read = _read(spec, of_variant, store, records, tests, sampled)
    scores, rows, confusion = read.scores, read.rows, read.confusion
    histories = {v: {s: records[v, s].history for s in spec.seeds if (v, s) in records} for v in spec.variants}
    per_class = store.metadata.note("per_class") or ()
    chance = _largest_share(per_class or np.bincount(labels, minlength=1).tolist())
    by_loss = with_onsets(read.variants, histories, of_variant, chance) if not spec.elsewhere else None
    variants, other_causes = by_loss or Judged(read.variants, {})
    states = {v.name: {run.seed: run.state for run in v.runs} for v in variants}
    of_runs, known = {v.name: v.runs for v in variants}, Classes(classes, per_class, confusion)
    examples = counts.get("validation", 0), len(labels)
    interim, compared = compared_runs(store, scores)
    compared = scored_again(store, spec.metric, scores, compared, rows, labels)
    looks = earlier_looks(store)
    judged = TestRows(rows, len(labels), store.keepsakes.test_groups())
    concluded = conclude(
        *(spec, of_variant, variants, compared, judged, interim, chance),
        published_caution(spec.name, spec.published, settings),
        looks,
        Further(read.correct, min(sampled.values()), histories, confusion, classes, other_causes),
    )
    verdicts = {c.variant: c.verdict for c in concluded.comparisons}
    trained = {} if spec.elsewhere else histories  # remedies are settings of wellfit, which others do not have
    found = training_findings(trained, states, of_variant, chance, of_runs, examples, known, verdicts)
    summary = StudySummary(
        name=spec.name,
        title=spec.title,
        data=spec.data.name_or_path,
        state=_state(variants, running),
        seeds=spec.seeds,
        epochs=spec.base.epochs if not spec.elsewhere else _most_epochs(histories),
        seconds=store.metadata.seconds(),
        directory=str(store.directory),
        variants=variants,
        findings=(*store.metadata.findings(), *found),
        histories=histories,
        confusion=confusion,
        classes=classes,
        provenance=store.metadata.provenance(),
        settings=settings,
        margin=spec.margin,
        metric=spec.metric,
        earlier_looks=looks,
        analyses=1 if interim is None else len(interim.seeds),
        validation_examples=examples[0],
        validation_overlap=(store.metadata.note(OVERLAP) or {"overlap": 1.0})["overlap"],
        search=result_of(store, spec, variants),
        fingerprint=manifest.fingerprint(store.database),
        **concluded._asdict(),
    )
    summary = shareable(dataclasses.replace(summary, validation=_validation(summary, read)))
    # from all findings: that accuracy hides something matters here with any metric
    advice = (*advise(summary), *chosen_despite_test(summary))
    return dataclasses.replace(summary, findings=of_metric(summary.findings, spec.metric), advice=advice)


def _most_epochs(histories: Mapping[str, Mapping[int, History]]) -> int:
    return max((len(history) for of in histories.values() for history in of.values()), default=0)


def _validation(summary: StudySummary, read: Read) -> dict[str, VarianceComponents]:
    """The differences from the first variant on the validation examples, where the answers to these are kept."""
    size = max((int(of.numbers.max(initial=-1)) for of in read.validated.values()), default=-1) + 1
    groups: IntArray | None = None
    for of in read.validated.values():
        if of.groups is not None:
            groups = np.full(size, -1) if groups is None else groups
            groups[of.numbers] = of.groups
    return validation_components(summary, read.right, TestRows(_numbers(read.validated), size, groups))


def _sampled(counts: Mapping[str, int], recipe: Recipe) -> float:
    """The number of independent examples that stand for those that training metrics are measured on; 0 if unknown."""
    sample, training = counts.get("sample", 0), counts.get("training", 0)
    if recipe.examples is not None:
        sample, training = min(sample, recipe.examples), recipe.examples
    return independent_sample(sample, training) if sample else 0.0


def _state(variants: Sequence[VariantSummary], running: bool) -> Literal["finished", "running", "interrupted"]:
    """Finished once every run that did not diverge is tested."""
    runs = [run for variant in variants for run in variant.runs]
    if all(run.state == "diverged" or run.test_accuracy is not None for run in runs):
        return "finished"
    return "running" if running else "interrupted"


def _largest_share(counts: Sequence[int]) -> float:
    """The accuracy of always predicting the most frequent class; 0 without examples.

    The counts are those of the training split; studies of the first edition kept those of the test set alone.
    """
    return max(counts) / sum(counts) if sum(counts) else 0.0


class Read(NamedTuple):
    """What the results of all runs give.

    Args:
      variants: in the order of the study.
      scores: variant -> seed -> the score of each test example that the seed judged: whether it was right, or float32.
      correct: the same for accuracy, whatever the metric.
      rows: seed -> which test examples these are.
      confusion: variant -> its matrix.
      right: variant -> seed -> whether each validation example was classified correctly, where that is kept.
      validated: seed -> these examples.
    """

    variants: tuple[VariantSummary, ...]
    scores: dict[str, dict[int, NDArray[Any]]]
    correct: dict[str, dict[int, NDArray[np.bool_]]]
    rows: dict[int, IntArray]
    confusion: dict[str, IntArray]
    right: dict[str, dict[int, NDArray[np.bool_]]]
    validated: dict[int, Validated]


def _read(
    spec: StudySpec,
    of_variant: Mapping[str, Recipe],
    store: Store,
    records: Mapping[Run, RunRecord],
    tests: Mapping[Run, tuple[float, float]],
    sampled: Mapping[str, float],
) -> Read:
    """The results of all runs; the losses of one variant at a time are in memory: they take the most.

    Args:
      sampled: variant -> the number of examples that training metrics are measured on, 0 if unknown.
    """
    sizes: dict[ModelSpec, int] = {}  # variants with the same model tell the size of one whose runs are pending
    for name, recipe in of_variant.items():
        sizes[recipe.model] = max(sizes.get(recipe.model, 0), store.runs.parameters(name))
    variants: list[VariantSummary] = []
    read = Read((), {}, {}, {}, {}, {}, {})
    labels, classes = store.keepsakes.labels()
    groups = store.keepsakes.test_groups()
    of_all = None if len(classes) else step_of(accuracy for accuracy, _ in tests.values())
    for name, recipe in of_variant.items():
        tested = [seed for variant, seed in tests if variant == name]
        accuracies = {seed: tests[name, seed][0] for seed in tested}
        outcomes = outcomes_of(store, spec.metric, name, accuracies, labels, len(classes))
        read.scores[name], read.correct[name] = outcomes.scores, outcomes.correct
        _check_rows(store, name, read.rows, outcomes.rows)
        read.rows.update(outcomes.rows)
        read.confusion.update({name: outcomes.confusion} if tested and classes else {})
        read.right[name] = {seed: of.right for seed, of in outcomes.validated.items()}
        _check_rows(store, name, _numbers(read.validated), _numbers(outcomes.validated), "validation")
        read.validated.update(outcomes.validated)
        runs = tuple(
            _run(seed, records.get((name, seed)), tests.get((name, seed)), outcomes.of_run.get(seed), spec.elsewhere)
            for seed in spec.seeds
            if not spec.elsewhere or (name, seed) in records
        )
        tested_rows = TestRows(outcomes.rows, len(labels), groups)
        step = _finest(accuracies, of_all)
        mean, interval = _means(runs, outcomes, tested_rows, sampled[name], spec.metric, step)
        variants.append(
            VariantSummary(
                name=name,
                settings=spec.variants[name],
                parameters=sizes[recipe.model],
                runs=runs,
                mean=mean,
                interval=interval,
                seconds=math.fsum(run.seconds or 0.0 for run in runs),
                published=spec.published.get(name, {}),
            )
        )
    return read._replace(variants=tuple(variants))


def _finest(accuracies: Mapping[int, float], of_all: float | None) -> float | None:
    """The step to which the accuracies of a variant are known: that of all variants, if these have one to speak of."""
    if of_all is None or not accuracies:
        return None
    own = step_of(accuracies.values())
    return min(own, of_all) if of_all > _EXACT else own


def _numbers(validated: Mapping[int, Validated]) -> dict[int, IntArray]:
    return {seed: of.numbers for seed, of in validated.items()}


def _check_rows(
    store: Store,
    variant: str,
    rows: Mapping[int, IntArray],
    of_variant: Mapping[int, IntArray],
    what: str = "test",
) -> None:
    """Refuse a seed that judged other examples with one variant than with another; nothing could be compared."""
    for seed, of in of_variant.items():
        if seed in rows and not np.array_equal(rows[seed], of):
            raise StoreUnreadableError(
                f"{store.directory}: variant {variant!r}, seed {seed}: judged on other {what} examples than the other "
                "variants; restore the directory from a copy, or train it again into another one (--out)"
            )


def _run(
    seed: int, record: RunRecord | None, test: tuple[float, float] | None, score: float | None, elsewhere: bool
) -> RunSummary:
    """One run as a row; a pending or diverged run has no scores."""
    if record is None:
        return RunSummary(seed, "pending", *(None,) * 11)
    read = record.readout_epoch
    return RunSummary(
        seed=seed,
        state=record.state,
        epochs=None if elsewhere and not record.epochs else record.epochs,
        readout_epoch=read or None,
        best_epoch=best_epoch(record.history) if read else None,
        overfit_onset=None,  # takes all runs of the variant: ``with_onsets``
        **{metric: record.scores.get(metric) for metric in METRICS[:4]},
        test_accuracy=test[0] if test else None,
        test_loss=test[1] if test and not math.isnan(test[1]) else None,
        seconds=None if elsewhere else record.seconds,
        test_score=score,
    )


# --- Means and intervals ----------------------------------------------------------------------------------------------


def _means(
    runs: tuple[RunSummary, ...],
    outcomes: Outcomes,
    everything: TestRows,
    sampled: float,
    compared: str,
    step: float | None,
) -> tuple[dict[str, float], dict[str, Interval | None]]:
    """The mean and the interval of every metric that any run has.

    Args:
      everything: which test examples each seed judges.
      sampled: the number of examples that training metrics are measured on, 0 if unknown.
      compared: the metric that variants are compared on.
      step: to which the accuracies of all variants are known, where nothing else is.
    """
    columns = {metric: _values(runs, metric) for metric in METRICS}
    mean = {metric: float(np.mean(values)) for metric, values in columns.items() if values}
    interval = {metric: t_interval(values) for metric, values in columns.items() if values}
    if not everything.examples and "test_accuracy" in interval:  # accuracies alone, which are rounded
        known = [np.asarray(value) for value in columns["test_accuracy"]]
        interval["test_accuracy"] = two_way_interval(known, step=step)[1]
    for metric, scores in _test_scores(runs, outcomes):
        tested = everything.only(list(scores))
        mean[metric], interval[metric] = two_way_interval(list(scores.values()), tested=tested)
    if outcomes.of_run:
        value, bounds = two_way_interval(list(outcomes.scores.values()), tested=everything.only(list(outcomes.scores)))
        mean[f"test_{compared}"] = in_own_unit(compared, value)
        interval[f"test_{compared}"] = bounds_in_own_unit(compared, bounds)
    if sampled and "generalization_gap" in interval:
        interval["generalization_gap"] = _widened(interval["generalization_gap"], mean["train_accuracy"], sampled)
    return mean, {metric: _possible(metric, bounds) for metric, bounds in interval.items()}


def _values(runs: Iterable[RunSummary], metric: str) -> list[float]:
    """A metric of every run that has it."""
    if metric == "generalization_gap":
        pairs = [(run.train_accuracy, run.test_accuracy) for run in runs]
        return [train - test for train, test in pairs if train is not None and test is not None]
    return [value for run in runs if (value := getattr(run, metric)) is not None]


def _test_scores(runs: Iterable[RunSummary], outcomes: Outcomes) -> Iterator[tuple[str, Mapping[int, NDArray[Any]]]]:
    """Scores by seed, one for each test example that it judges; their intervals count both sources of chance."""
    tested = [(run.seed, run.train_accuracy) for run in runs if run.seed in outcomes.correct]
    if tested:
        yield "test_accuracy", {seed: outcomes.correct[seed] for seed, _ in tested}
    if losses := {seed: outcomes.loss[seed] for seed, _ in tested if seed in outcomes.loss}:
        yield "test_loss", losses
    gaps = {seed: train - outcomes.correct[seed] for seed, train in tested if train is not None}
    if gaps:
        yield "generalization_gap", gaps


def _widened(bounds: Interval | None, train_accuracy: float, sampled: float) -> Interval | None:
    """The gap's interval, widened for a third source of chance: the sample of training examples.

    All seeds share the sample, and which of its examples each classified correctly is not kept. Their variance is
    therefore taken as the largest that the accuracy allows, that of a single network: ``p (1 - p) / n``.
    """
    if bounds is None:
        return None
    middle, half = (bounds[0] + bounds[1]) / 2, (bounds[1] - bounds[0]) / 2
    half = math.hypot(half, 1.96 * math.sqrt(train_accuracy * (1 - train_accuracy) / sampled))
    return middle - half, middle + half


def _possible(metric: str, interval: Interval | None) -> Interval | None:
    """An interval clipped to the range of its metric: shares in [0, 1], the gap in [-1, 1], losses at least 0."""
    if interval is None:
        return None
    low = max(interval[0], -1.0 if metric == "generalization_gap" else 0.0)
    return low, interval[1] if metric.endswith(("_loss", "_brier")) else min(interval[1], 1.0)
