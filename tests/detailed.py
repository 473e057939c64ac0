"""Details of the made-up studies in `summaries`."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from wellfit.base import (
    Calibration,
    ClassTable,
    ConfusionDifference,
    DataOverview,
    Ensemble,
    FirstPredictions,
    IntArray,
    LayerRow,
    Mistakes,
    ModelTable,
    Regions,
    StudyDetails,
    StudySummary,
    SweepGrid,
    SweepPath,
    WeightHistory,
    WeightOverview,
)
from wellfit.base.histograms import BIN_EDGES

NOTHING = StudyDetails(None, None, {}, {}, {}, {}, {}, {}, (), ())
"""Of a study of which no run was tested."""


def details(summary: StudySummary, images: int = 120, side: int = 28) -> StudyDetails:
    """Everything that a finished study of images has, for every variant with test results."""
    rng = np.random.default_rng(len(summary.variants))
    names = tuple(v.name for v in summary.variants if v.name in summary.confusion)
    k, first = len(summary.classes), names[0]
    return StudyDetails(
        data=overview(summary, rng, side),
        mistakes=mistakes(summary, names, rng, images, side),
        differences={v: _difference(v, first, summary, rng) for v in names[1:]},
        calibration={v: _calibration(v, i) for i, v in enumerate(names)},
        by_class={v: _classes(v, first, k, rng) for v in names},
        ensembles={v: Ensemble(v, 0.893 + 0.002 * i, 0.31, (0.88, 0.91), 0.885, 5) for i, v in enumerate(names)},
        weights={v: _weights(v, rng, side) for v in names},
        regions={},
        paths=(path(names),),
        grids=(),
        models=networks(names),
        first=first_predictions(first, k, rng, side),
    )


def networks(names: tuple[str, ...]) -> tuple[ModelTable, ...]:
    """The base recipe's network, which the first variant has, and one with dropout for the others."""
    return tuple(
        ModelTable(
            (
                LayerRow("flatten_1", (784,), 0),
                LayerRow("dense_1", (16,), 12_560),
                LayerRow("dropout_1", (16,), 0, f"rate {rate:g}"),
                LayerRow("dense_2", (10,), 170, "softmax"),
            ),
            0,
            rate == 0,
            of,
        )
        for rate, of in ((0.0, names[:1]), (0.5, names[1:]))
    )


def first_predictions(variant: str, k: int, rng: np.random.Generator, side: int) -> FirstPredictions:
    """Twelve test images, every fourth of them wrong."""
    labels = np.arange(12) % k
    predicted = np.where(np.arange(12) % 4 == 3, (labels + 1) % k, labels)
    images = np.stack([blob(rng, int(label), side) for label in labels])
    return FirstPredictions(variant, np.zeros(12, int), np.arange(12), labels, predicted, np.full(12, 0.9), images)


def overview(summary: StudySummary, rng: np.random.Generator, side: int) -> DataOverview:
    k = len(summary.classes)
    counts = {split: np.full(k, n) for split, n in (("train", 4800), ("validation", 1200), ("test", 1000))}
    examples = np.stack([[blob(rng, label, side) for _ in range(8)] for label in range(k)])  # (K, 8, H, W)
    return DataOverview("Fashion-MNIST", "a folder of IDX files", (side, side), counts, examples, ())


def table_look(summary: StudySummary) -> DataOverview:
    k = len(summary.classes)
    rows = (("x1", "x2", "class"), ("0.25", "<b>1.5</b>", "a"), ("-1.0", "0.5", "b"))
    facts = (("label column", "<i>Churn</i>, the last of 3 columns"), ("rows dropped", "2 without a label"))
    counts = {"train": np.full(k, 80), "test": np.full(k, 20)}
    return DataOverview("Rows", "a CSV file", (2,), counts, None, rows, facts)


def blob(rng: np.random.Generator, label: int, side: int) -> IntArray:
    """A picture with a shape that depends on its class."""
    y, x = np.mgrid[:side, :side] / side - 0.5
    ring = np.abs(np.hypot(x * (1 + label / 8), y) - 0.12 - 0.02 * label) < 0.09
    return np.clip(220 * ring + rng.normal(0, 14, (side, side)), 0, 255).astype(np.uint8)


def mistakes(
    summary: StudySummary, names: tuple[str, ...], rng: np.random.Generator, images: int, side: int
) -> Mistakes:
    m, k, runs = 2000, len(summary.classes), len(summary.seeds)
    labels = rng.integers(0, k, m)
    hard = rng.random(m) ** 6  # (M,)
    wrong = rng.binomial(runs, np.clip(hard + 0.02, 0, 1), (len(names), m))  # (V, M)
    predicted = np.where(wrong > 0, (labels + rng.integers(1, k, m)) % k, -1)  # (V, M)
    probability = np.where(wrong > 0, rng.uniform(0.35, 1.0, wrong.shape), np.nan).astype(np.float32)
    order = np.argsort(-wrong.sum(axis=0), kind="stable")[:images]
    first = np.flatnonzero(wrong[0] == runs)
    return Mistakes(
        variants=names,
        runs=np.full(wrong.shape, runs),
        labels=labels,
        wrong=wrong,
        predicted=predicted,
        probability=probability,
        counts=np.stack([summary.confusion[name] for name in names]),
        all_wrong=np.flatnonzero((wrong == runs).all(axis=0)),
        mended={
            name: first[wrong[v, first] == 0] for v, name in enumerate(names) if v and (wrong[v, first] == 0).any()
        },
        flips=np.flatnonzero(np.abs(wrong[0] - runs / 2) <= 0.5)[:40],
        image_rows=np.sort(order),
        images=np.stack([blob(rng, labels[row], side) for row in np.sort(order)]),
    )


def path(names: tuple[str, ...]) -> SweepPath:
    values = np.logspace(-5, -1, len(names))
    means = 0.88 - 0.02 * (np.log10(values) + 3.5) ** 2 / 6
    metrics = {
        f"{split}_accuracy": (means + shift, means + shift - 0.004, means + shift + 0.004)
        for split, shift in (("train", 0.03), ("validation", 0.004), ("test", 0.0))
    }
    metrics |= {f"{split}_loss": (1.2 - means, 1.19 - means, 1.21 - means) for split in ("train", "validation", "test")}
    best = int(means.argmax())
    return SweepPath("l2", values, names, True, metrics, best, min(best + 1, len(names) - 1), 0 * values, None, None)


def grid(names: tuple[str, ...]) -> SweepGrid:
    """The first four variants as a sweep of two by two."""
    crossed = (names[:2], names[2:4])
    metrics = {"validation_accuracy": np.array([[0.88, 0.89], [0.87, np.nan]])}
    return SweepGrid(("l2", "dropout"), (1e-4, 1e-3), (0.2, 0.5), crossed, metrics, (0, 1))


def _difference(variant: str, first: str, summary: StudySummary, rng: np.random.Generator) -> ConfusionDifference:
    shares = {n: summary.confusion[n] / summary.confusion[n].sum(axis=1, keepdims=True) for n in (variant, first)}
    gap = shares[variant] - shares[first]  # (K, K)
    half = 0.004 + 0.01 * rng.random(gap.shape)
    return ConfusionDifference(variant, first, gap, gap - half, gap + half)


def _calibration(variant: str, index: int) -> Calibration:
    confidence = np.linspace(0.3, 0.99, 10)
    accuracy = confidence - 0.08 * (1 - confidence) - 0.02 * index / 5
    counts = np.geomspace(20, 9000, 10).astype(np.int64)
    scores = {"ece": 0.05 + 0.004 * index, "brier": 0.16}
    return Calibration(variant, confidence, accuracy, counts, scores, {"ece": (0.045, 0.061), "brier": (0.15, 0.17)})


def _classes(variant: str, first: str, k: int, rng: np.random.Generator) -> ClassTable:
    recall = rng.uniform(0.7, 0.97, k)
    gain = None if variant == first else rng.normal(0.0, 0.02, k)
    low, high = (None, None) if gain is None else (gain - 0.015, gain + 0.015)
    averages = {"macro_f1": (0.88, (0.87, 0.89)), "top_k": (0.99, (0.985, 0.995)), "roc_auc": (0.991, None)}
    f1, support = recall - 0.01, np.full(k, 1000)
    return ClassTable(
        variant, recall - 0.02, recall, f1, support, recall - 0.02, recall + 0.02, gain, low, high, averages
    )


def _weights(variant: str, rng: np.random.Generator, side: int) -> WeightOverview:
    edges = np.linspace(-1, 1, 42)
    centers = (edges[1:] + edges[:-1]) / 2
    shares = np.stack([np.exp(-((centers / s) ** 2)) for s in (0.1, 0.2, 0.3)])  # (L, B)
    shares /= shares.sum(axis=1, keepdims=True)
    filters = np.clip(128 + 40 * rng.standard_normal((32, side, side)), 0, 255).astype(np.uint8)
    layers = ("dense_1/kernel", "dense_2/kernel", "dense_3/kernel")
    small = np.array([0.0, 0.1, 0.5]), np.array([0.02, 0.2, 0.6])
    return WeightOverview(variant, layers, edges, shares, *small, filters, _history(layers))


def _history(layers: tuple[str, ...]) -> WeightHistory:
    """Weights that spread from epoch to epoch: in every layer as wide as the epoch, in hundredths."""
    epochs = np.arange(1, 21)
    below = norm.cdf(BIN_EDGES / (epochs[:, None] / 100))  # (E, BINS - 1)
    shares = np.diff(below, axis=1, prepend=0, append=1)  # (E, BINS)
    return WeightHistory(0, layers, epochs, np.stack([shares] * len(layers)))


def regions(variant: str) -> Regions:
    """Two classes that a curve divides."""
    x = np.linspace(-3, 3, 40)
    up = 1 / (1 + np.exp(-3 * (x[:, None] - np.cos(x)[None] - 0.5)))  # (G, G)
    rng = np.random.default_rng(0)
    points = rng.uniform(-3, 3, (80, 2))
    labels = (points[:, 1] > np.cos(points[:, 0]) + 0.5).astype(int)
    curves = {"class 0": np.cos(x), "class 1": 1 + np.cos(x)}
    return Regions(variant, x, x, np.stack([1 - up, up], -1), 0.4 * (abs(up - 0.5) < 0.2), points, labels, curves)
