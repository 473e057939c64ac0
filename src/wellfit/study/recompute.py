"""Every reported number recomputed in plain NumPy from weights, probabilities, labels and epochs.

Nothing here calls the code that computed the numbers first, except for the stopping rule, which is replayed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.scores import LOSSES
from wellfit.base import FloatArray, IntArray, RunRecord, StudySummary
from wellfit.base.histograms import BIN_EDGES, BINS, Histograms
from wellfit.engine.stopping import Watch, observe
from wellfit.store import Store
from wellfit.store.tested import Tested
from wellfit.study.as_json import to_json
from wellfit.study.interim import recorded
from wellfit.study.recomputed_metrics import Judged, confusion, mean_over, metric_of_seed
from wellfit.study.summarize import METRICS

__all__ = ["Recomputed", "numbers_of_judged", "numbers_of_run", "numbers_of_summary"]

ROUNDING: Final = 1e-9
"""Tolerance for float64 sums in a different order."""
SCORES32: Final = 1e-6
"""Tolerance for means of scores that are kept as float32, and for numerical derivatives."""
ROUNDING32: Final = 1e-4
"""Tolerance for sums over all weights of a network, which the device computes in float32."""
Hits = Mapping[str, Mapping[int, NDArray[np.bool_]]]
"""Variant -> seed -> whether each test example was classified correctly."""
STATISTICS: Final = ("mean", "variance")
"""Arrays of batch normalization, kept with the weights but not trained."""


class Recomputed(NamedTuple):
    """A number as stored or reported, and as recomputed; floats may differ by ``tolerance``."""

    what: str
    stored: Any
    recomputed: Any
    tolerance: float = 0.0


def numbers_of_run(
    record: RunRecord,
    weights: Mapping[str, FloatArray] | None,
    parameters: int,
    probabilities: FloatArray | None,
    labels: IntArray | None,
    test: tuple[float, float] | None,
    histograms: Histograms | None = None,
) -> Iterator[Recomputed]:
    """The numbers of one run.

    Args:
      record: the run.
      weights: its weights; None if their file is damaged.
      parameters: of its variant's model, as stored.
      probabilities: its test probabilities; None if there are none or their file is damaged.  # (m, K)
      labels: the true classes of the examples that it judged; None likewise.  # (m,)
      test: the stored test accuracy and loss; None if it was not tested.
      histograms: of its weights by epoch, which are checked at the readout.
    """
    whose = f"variant {record.spec.variant!r}, seed {record.spec.seed}"
    yield from (n._replace(what=f"{whose}: {n.what}") for n in _readout(record))
    if weights is not None and record.readout_epoch:
        yield from (n._replace(what=f"{whose}: {n.what}") for n in _weights(record, weights, parameters))
        yield from (n._replace(what=f"{whose}: {n.what}") for n in _counted(record, weights, histograms or {}))
    if probabilities is not None and labels is not None and test is not None:
        yield from (n._replace(what=f"{whose}: {n.what}") for n in _tested(probabilities, labels, test))
    if test is not None:
        yield Recomputed(f"{whose}: tested although it diverged", record.state == "diverged", False)


def numbers_of_judged(
    record: RunRecord, tested: Tested | None, labels: IntArray | None, test: tuple[float, float] | None
) -> Iterator[Recomputed]:
    """The numbers of a run that was trained elsewhere: those of its answers to the test examples.

    Args:
      record: the run.
      tested: these answers; None if they are not known or their file is damaged.
      labels: the true classes of the examples that it judged; None likewise.  # (m,)
      test: the stored test accuracy and loss.
    """
    whose = f"variant {record.spec.variant!r}, seed {record.spec.seed}"
    yield Recomputed(f"{whose}: epochs", record.epochs, len(record.history))
    yield Recomputed(f"{whose}: state", record.state, "finished")
    if tested is not None and labels is not None and test is not None:
        for number in _tested(tested.probabilities, labels, test):
            if not (tested.classes_only and number.what == "test loss"):
                yield number._replace(what=f"{whose}: {number.what}")


def _tested(probabilities: FloatArray, labels: IntArray, test: tuple[float, float]) -> Iterator[Recomputed]:
    """Test accuracy and loss of a run."""
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)  # (M,)
    eps = np.finfo(np.float64).eps
    yield Recomputed("test accuracy", test[0], _hits(probabilities, labels).mean().item(), ROUNDING)
    yield Recomputed("test loss", test[1], -np.log(np.clip(true, eps, 1 - eps)).mean().item(), ROUNDING)


def _hits(probabilities: FloatArray, labels: IntArray) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = probabilities.argmax(axis=1) == labels  # (M,)
    return right


def _readout(record: RunRecord) -> Iterator[Recomputed]:
    """State, epochs, readout epoch and scores, by replaying the run's stopping rule over its epochs."""
    recipe, history = record.spec.recipe, record.history
    losses = np.stack([history[name] for name in ("running_loss", "train_loss", "validation_loss")])  # (3, epochs)
    alive = np.logical_and.reduce(np.isfinite(losses))  # (epochs,)
    watch = Watch()
    for epoch in range(1, len(history) + 1):
        if alive[epoch - 1] and not watch.end_epoch:
            loss, accuracy = (float(history[f"validation_{what}"][epoch - 1]) for what in ("loss", "accuracy"))
            watch = observe(watch, recipe.early_stopping, epoch, recipe.epochs, loss, accuracy)
    diverged = not alive.all()
    state = "diverged" if diverged else "stopped" if watch.stopped else "finished" if watch.end_epoch else "unfinished"
    yield Recomputed("epochs", record.epochs, len(history))
    yield Recomputed("state", record.state, state)
    yield Recomputed("readout epoch", record.readout_epoch, 0 if diverged else watch.kept_epoch)
    if not diverged:
        yield Recomputed("epoch at which it ended", record.epochs, watch.end_epoch)
    if recipe.average is None and not diverged and 1 <= record.readout_epoch <= len(history):
        for metric, score in record.scores.items():
            name = metric.replace("_", " ")
            yield Recomputed(f"{name} (at its readout epoch)", score, float(history[metric][record.readout_epoch - 1]))


def _weights(record: RunRecord, weights: Mapping[str, FloatArray], parameters: int) -> Iterator[Recomputed]:
    """The number of the weights, and that they are those of the readout epoch."""
    trained = [array.size for name, array in weights.items() if name.rsplit("/")[-1] not in STATISTICS]
    yield Recomputed("parameters", parameters, sum(trained))
    kernels = [array.astype(np.float64).ravel() for name, array in weights.items() if name.endswith("/kernel")]
    if record.spec.recipe.average is None and kernels:
        together = np.concatenate(kernels)
        row = record.readout_epoch - 1
        norm = float(np.sqrt(np.square(together).sum()))
        yield Recomputed(
            "weight norm (at its readout epoch)", float(record.history["weight_norm"][row]), norm, ROUNDING32
        )
        small = float((np.abs(together) < np.float32(1e-3)).mean())
        yield Recomputed(
            "small weights (at its readout epoch)", float(record.history["small_weights"][row]), small, 1e-6
        )


def _counted(record: RunRecord, weights: Mapping[str, FloatArray], histograms: Histograms) -> Iterator[Recomputed]:
    """The histograms of the weights at the readout; an average of weights has none."""
    for name, counts in histograms.items():
        stored = counts[record.readout_epoch - 1]  # (BINS,)
        if record.spec.recipe.average is None and name in weights and stored.any():
            away = np.digitize(np.abs(weights[name]).ravel(), BIN_EDGES[BINS // 2 :])  # bins from the middle one
            places = BINS // 2 + np.where(np.signbit(weights[name]).ravel(), -away, away)
            again = np.bincount(places, minlength=BINS)  # (BINS,)
            yield Recomputed(f"histogram of {name} (at its readout epoch)", stored.tolist(), again.tolist())


def numbers_of_summary(store: Store, summary: StudySummary, second: StudySummary) -> Iterator[Recomputed]:
    """The means, differences and counts of a summary, from its runs' results on every test example.

    Args:
      store: the study directory, whose files are all undamaged.
      summary, second: two summaries of it, which must be equal.
    """
    yield Recomputed("the summary", to_json(summary, ""), to_json(second, ""))
    labels, classes = store.keepsakes.labels()
    hits: dict[str, dict[int, NDArray[np.bool_]]] = {}
    judged: dict[str, dict[int, tuple[float, IntArray]]] = {}
    of_seeds: set[bytes] = set()
    for variant in summary.variants:
        of_variant, metrics = hits.setdefault(variant.name, {}), judged.setdefault(variant.name, {})
        total = np.zeros((len(classes), len(classes)), np.int64)
        for run in variant.runs:
            if run.test_accuracy is not None and not classes:  # nothing but the accuracy is known
                metrics[run.seed] = run.test_accuracy, np.ones((1, 1), np.int64)
            elif run.test_accuracy is not None:
                probabilities, rows, *_ = store.runs.tested(variant.name, run.seed)
                truth = labels if rows is None else labels[rows]
                of_variant[run.seed] = _hits(probabilities, truth)
                of_seeds.add(b"" if rows is None else rows.tobytes())
                counts = confusion(probabilities, truth)
                metrics[run.seed] = metric_of_seed(summary.metric, probabilities, truth), counts
                total += counts
                if summary.metric != "accuracy":
                    what = f"variant {variant.name!r}, seed {run.seed}: {summary.compared.replace('_', ' ')}"
                    yield Recomputed(what, run.test_score, metrics[run.seed][0], ROUNDING)
        if of_variant and classes:
            counted = summary.confusion[variant.name].tolist()
            yield Recomputed(f"variant {variant.name!r}: confusion matrix", counted, total.tolist())
    yield from _means(store, summary, hits)
    interim = recorded(store)  # with planned interim analyses, only the seeds of the last one are compared
    seen = None if interim is None else interim.seeds
    folds = len(of_seeds) > 1
    yield from _compared_means(summary, judged, folds)
    yield from _differences(summary, judged, seen, folds)


def _means(store: Store, summary: StudySummary, hits: Hits) -> Iterator[Recomputed]:
    tests = store.runs.test_scores()
    values: dict[tuple[str, str], list[tuple[float, int]]] = {}  # with the number of examples that a mean is over
    for record in store.runs.records():
        variant, seed = run = record.spec.variant, record.spec.seed
        scores = dict(record.scores)
        if run in tests:
            right = hits[variant].get(seed)
            accuracy = tests[run][0] if right is None else float(right.mean())
            scores |= {"test_accuracy": accuracy, "test_loss": tests[run][1]}
        if run in tests and "train_accuracy" in scores:
            scores["generalization_gap"] = scores["train_accuracy"] - scores["test_accuracy"]
        judged = len(hits[variant].get(seed, (None,))) if run in tests else 1
        for metric, value in scores.items():
            of_test = metric.startswith("test") or metric == "generalization_gap"
            values.setdefault((variant, metric), []).append((value, judged if of_test else 1))
    for variant_ in summary.variants:
        for metric, mean in variant_.mean.items():
            if metric not in METRICS:  # the metric that variants are compared on
                continue
            what = f"variant {variant_.name!r}: mean {metric.replace('_', ' ')}"
            yield Recomputed(what, mean, _weighted(values[variant_.name, metric]), ROUNDING)
            interval = variant_.interval.get(metric)
            if interval is not None:
                within = interval[0] - ROUNDING <= mean <= interval[1] + ROUNDING
                yield Recomputed(f"{what} within its interval", True, within)


def _weighted(values: list[tuple[float, int]]) -> float:
    """The mean over all examples that any seed judged, some of them more than once."""
    return float(sum(value * count for value, count in values) / sum(count for _, count in values))


def _compared_means(summary: StudySummary, judged: Mapping[str, Judged], folds: bool) -> Iterator[Recomputed]:
    """The means of the metric that variants are compared on; accuracy is among the others already."""
    for variant in summary.variants:
        if summary.compared not in METRICS and judged[variant.name]:
            what = f"variant {variant.name!r}: mean {summary.compared.replace('_', ' ')}"
            again = mean_over(summary.metric, judged[variant.name], list(judged[variant.name]), folds)
            yield Recomputed(what, variant.mean.get(summary.compared), again, SCORES32)
            interval = variant.interval.get(summary.compared)
            if interval is not None:
                within = interval[0] - SCORES32 <= again <= interval[1] + SCORES32
                yield Recomputed(f"{what} within its interval", True, within)


def _differences(
    summary: StudySummary, judged: Mapping[str, Judged], seen: Collection[int] | None, folds: bool
) -> Iterator[Recomputed]:
    tolerance = ROUNDING if summary.metric == "accuracy" else SCORES32
    of = {
        name: {seed: of_seed for seed, of_seed in seeds.items() if seen is None or seed in seen}
        for name, seeds in judged.items()
    }
    for comparison in (*summary.comparisons, *summary.asked):
        one, other = of[comparison.variant], of[comparison.against]
        common = [seed for seed in one if seed in other]
        mean, against = (mean_over(summary.metric, seeds, common, folds) for seeds in (one, other))
        what = f"{comparison.variant!r} minus {comparison.against!r}: {comparison.metric.replace('_', ' ')}"
        yield Recomputed(what, comparison.difference, mean - against, tolerance)
    means = {name: mean_over(summary.metric, seeds, list(seeds), folds) for name, seeds in of.items() if seeds}
    for ranked in summary.ranking:
        yield Recomputed(f"ranking of {ranked.variant!r}: mean", ranked.mean, means[ranked.variant], tolerance)
    best_first = sorted((means[ranked.variant] for ranked in summary.ranking), reverse=summary.metric not in LOSSES)
    in_order = np.allclose([ranked.mean for ranked in summary.ranking], best_first, rtol=0, atol=SCORES32)
    yield Recomputed("the ranking is from the best to the worst", True, bool(in_order))
