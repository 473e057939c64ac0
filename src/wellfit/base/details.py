"""What a report shows beyond the summary, as frozen dataclasses: examples, mistakes, calibration, weights, paths.

``study.report_details`` computes all of it from the store alone. If a study has no test results yet, no images or no
sweep, the field is None or empty, and reports omit the section.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.base.data import FloatArray, IntArray
from wellfit.base.layers import ModelTable

__all__ = [
    "Bounds",
    "Calibration",
    "ClassTable",
    "ConfusionDifference",
    "DataOverview",
    "Ensemble",
    "FirstPredictions",
    "Mistakes",
    "Regions",
    "StudyDetails",
    "SweepGrid",
    "SweepPath",
    "WeightHistory",
    "WeightOverview",
]

Bounds = tuple[float, float] | None
"""A 95 % interval; None with fewer than two seeds or too few examples."""


@dataclass(frozen=True, eq=False)
class DataOverview:
    """The data at a glance.

    Args:
      title, source: of the data set.
      shape: of one example, ``(28, 28)`` or ``(4,)``.
      counts: ``"train"``, ``"validation"`` or ``"test"`` -> number of examples per class; ``"unused"`` -> those of the
        training split that no run learns from, if there are any.  # (K,)
      examples: the first training examples of every class, uint8; None if the data are not images.
        # (K, n, H, W) or (K, n, H, W, 3)
      rows: up to five training rows of a table as text, after the column names; empty for images.
      facts: what was decided about the data, as pairs of a short name and a text.
      total: the number of examples; None in directories of earlier versions, for the sum of ``counts``.
    """

    title: str
    source: str
    shape: tuple[int, ...]
    counts: Mapping[str, IntArray]
    examples: NDArray[np.uint8] | None
    rows: tuple[tuple[str, ...], ...]
    facts: tuple[tuple[str, str], ...] = ()
    total: int | None = None


@dataclass(frozen=True, eq=False)
class Mistakes:
    """Which test examples the runs misclassified, and how often.

    Args:
      variants: names of the variants that have tested runs.
      runs: number of tested runs of each that judged each example; with folds, a seed judges only its own.  # (V, M)
      labels: true classes.  # (M,)
      wrong: number of runs of each variant that misclassified each example.  # (V, M)
      predicted: the wrong class that most of them predicted; -1 if none was wrong.  # (V, M)
      probability: mean probability of that class in those runs; NaN if none was wrong.  # float32 (V, M)
      counts: confusion matrices, summed over the runs.  # (V, K, K)
      all_wrong: test rows that every run misclassified (suspect labels, or hard images), the most confident first.
      mended: variant -> test rows that all runs of the first variant and none of this variant's misclassified.
      flips: test rows that about half of the first variant's runs misclassified, the most evenly divided first.
      image_rows: test rows whose images were kept: the most often wrong, and some of every confusion cell.  # (I,)
      images: their pixels, uint8; empty if the data are not images.  # (I, H, W) or (I, H, W, 3)
      votes: number of runs of each variant that predicted each class for each of ``image_rows``; the images of the
        confusion cell (k, j) are those with label k and votes for j, the most votes first.  # (V, I, K)
    """

    variants: tuple[str, ...]
    runs: IntArray
    labels: IntArray
    wrong: IntArray
    predicted: IntArray
    probability: FloatArray
    counts: IntArray
    all_wrong: IntArray
    mended: Mapping[str, IntArray]
    flips: IntArray
    image_rows: IntArray
    images: NDArray[np.uint8]
    votes: IntArray = field(default_factory=lambda: np.zeros((0, 0, 0), np.int64))


@dataclass(frozen=True, eq=False)
class FirstPredictions:
    """The first test images, and what one run predicts for them, right or wrong.

    Args:
      variant: whose run; the first.
      seeds: of the run that judged each image.  # (n,)
      rows: of the test set.  # (n,)
      labels: the true classes.  # (n,)
      predicted: the most probable classes.  # (n,)
      probability: of these.  # (n,)
      images: uint8.  # (n, H, W) or (n, H, W, 3)
    """

    variant: str
    seeds: IntArray
    rows: IntArray
    labels: IntArray
    predicted: IntArray
    probability: FloatArray
    images: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ConfusionDifference:
    """A variant's confusion matrix minus the first variant's, each row as shares of its true class.

    Args:
      variant, against: names.
      difference: mean over their common seeds.  # (K, K) [true, predicted]
      low, high: 95 % interval of each cell, unadjusted, over seeds and images; NaN with one seed.  # (K, K)
    """

    variant: str
    against: str
    difference: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibration of a variant's probabilities, pooled over its test runs.

    Args:
      variant: its name.
      confidence: mean largest probability in each nonempty bin.  # (B,)
      accuracy: fraction of correct predictions in the bin.  # (B,)
      count: number of predictions in the bin.  # (B,)
      scores: ``"ece"`` (expected calibration error) and ``"brier"`` -> mean over the seeds.
      intervals: the same names -> t interval over the seeds.
    """

    variant: str
    confidence: FloatArray
    accuracy: FloatArray
    count: IntArray
    scores: Mapping[str, float]
    intervals: Mapping[str, Bounds]


@dataclass(frozen=True, eq=False)
class ClassTable:
    """A variant's scores by class and on average: means over its seeds.

    Args:
      variant: its name.
      precision, recall, f1: of every class.  # (K,)
      support: test examples of every class.  # (K,)
      recall_low, recall_high: 95 % interval of recall over seeds and images; NaN with one seed.  # (K,)
      gain: recall minus the first variant's, paired by seed and image; None for the first.  # (K,)
      gain_low, gain_high: its 95 % interval.  # (K,)
      averages: ``"macro_f1"``, ``"weighted_f1"``, ``"top_k"`` (k = 3), ``"roc_auc"`` and other averages ->
        (mean, interval over the seeds).
    """

    variant: str
    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    support: IntArray
    recall_low: FloatArray
    recall_high: FloatArray
    gain: FloatArray | None
    gain_low: FloatArray | None
    gain_high: FloatArray | None
    averages: Mapping[str, tuple[float, Bounds]]


@dataclass(frozen=True)
class Ensemble:
    """The ensemble of a variant's seeds, which averages their probabilities.

    Args:
      variant: its name.
      accuracy, loss: of the ensemble on the test set.
      interval: of its accuracy, over the test examples (Wilson).
      single: mean accuracy of the single runs, for comparison.
      members: number of runs.
    """

    variant: str
    accuracy: float
    loss: float
    interval: tuple[float, float]
    single: float
    members: int


@dataclass(frozen=True, eq=False)
class WeightHistory:
    """How the weights of a run were distributed after some of its epochs.

    Args:
      seed: of the run.
      layers: names of its arrays, the kernels first.
      epochs: from 1; evenly spaced if there are many.  # (E,)
      shares: of each array's weights in each bin of ``base.histograms``.  # (A, E, BINS)
    """

    seed: int
    layers: tuple[str, ...]
    epochs: IntArray
    shares: FloatArray


@dataclass(frozen=True, eq=False)
class WeightOverview:
    """The weights of a variant at its readout.

    Args:
      variant: its name.
      layers: names of the kernels, in order.
      edges: of the histogram's bins.  # (B + 1,)
      histogram: share of each kernel's weights in each bin, over the seeds.  # (L, B)
      zeros: share of each kernel's weights that are exactly zero, mean over the seeds.  # (L,)
      small: likewise, the share of weights with magnitude below 1e-3.  # (L,)
      filters: the first kernel of the lowest seed as images, scaled so that 0 is mid-gray (128); at most 32, largest
        norm first; None if the examples are not images.  # uint8 (F, H, W)
      history: of the lowest seed; None if an earlier version trained it.
    """

    variant: str
    layers: tuple[str, ...]
    edges: FloatArray
    histogram: FloatArray
    zeros: FloatArray
    small: FloatArray
    filters: NDArray[np.uint8] | None
    history: WeightHistory | None = None


@dataclass(frozen=True, eq=False)
class Regions:
    """A variant's decision regions, for data with two features.

    Args:
      variant: its name.
      x1, x2: the grid.  # (G,)
      probability: mean over the seeds, of every class.  # (G, G, K) [x2, x1, class]
      disagreement: share of the seeds whose most probable class is not the most frequent one.  # (G, G)
      points: at most 500 training examples to draw on top.  # (N, 2)
      labels: their classes.  # (N,)
      curves: the true curves if the data set has any: name -> x2 at every x1.  # (G,)
      axes: the names of the two features.
      seed: of the only run; None for all.
    """

    variant: str
    x1: FloatArray
    x2: FloatArray
    probability: FloatArray
    disagreement: FloatArray
    points: FloatArray
    labels: IntArray
    curves: Mapping[str, FloatArray]
    axes: tuple[str, str] = ("feature 1", "feature 2")
    seed: int | None = None


@dataclass(frozen=True, eq=False)
class SweepPath:
    """A sweep over one number as a path, in ascending order of the number.

    A variant without the setting is the point at 0 on a linear axis; on a logarithmic axis, it is a reference beside
    the path.

    Args:
      key: what is swept, as a recipe names it: ``"l2"``, ``"learning_rate"``, ``"augmentation.noise"``, ``"examples"``.
      values: its values, ascending.  # (P,)
      variants: the variant with each value.
      logarithmic: whether the axis is logarithmic (positive values over more than one decade that are not fractions).
      metrics: ``METRICS`` name -> (mean, low, high), NaN if missing; accuracies and losses of ``"train"``,
        ``"validation"``, ``"test"`` and the gap.  # (P,) each
      chosen: position of the highest mean validation accuracy (ties go to the lower mean validation loss) among values
        with two finished seeds and no diverged run; None if there are none, and always for the data settings
        ``"examples"`` and ``"label_noise"`` and for early stopping, whose epochs validation chose already.
      one_standard_error: position of the most regularized value whose mean validation accuracy is within one standard
        error of the chosen one's, like glmnet's ``lambda.1se``; None likewise, or if the setting does not regularize.
      zeros: share of kernel weights that are exactly zero, mean over the seeds; NaN if none has finished.  # (P,)
      at_edge: ``"low"`` or ``"high"`` if the chosen value is the first or last of the sweep and not 0, else None.
      baseline: name of the reference variant: the one with 0 if the axis has no 0, else the first variant if it is not
        in the sweep, else None.
      reference: the baseline's metrics: name -> (mean, low, high); empty without one.
      held: settings that all variants of the path share and the first variant lacks: key -> value.
    """

    key: str
    values: FloatArray
    variants: tuple[str, ...]
    logarithmic: bool
    metrics: Mapping[str, tuple[FloatArray, FloatArray, FloatArray]]
    chosen: int | None
    one_standard_error: int | None
    zeros: FloatArray
    at_edge: str | None
    baseline: str | None
    reference: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    held: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SweepGrid:
    """A sweep that crosses two settings, for a heat map.

    Args:
      keys: of the rows and of the columns, as recipes name them.
      rows, columns: their values; numbers in ascending order.
      variants: the variant with each combination.  # [row][column]
      metrics: ``METRICS`` name -> mean, NaN if missing.  # (R, C) each
      chosen: position of the highest mean validation accuracy, chosen as in a path, or None.
      held: settings that all variants of the grid share and the first variant lacks: key -> value.
    """

    keys: tuple[str, str]
    rows: tuple[Any, ...]
    columns: tuple[Any, ...]
    variants: tuple[tuple[str, ...], ...]
    metrics: Mapping[str, FloatArray]
    chosen: tuple[int, int] | None
    held: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class StudyDetails:
    """All details of a study; mappings are by variant, in the study's order, and omit variants without content."""

    data: DataOverview | None
    mistakes: Mistakes | None
    differences: Mapping[str, ConfusionDifference]
    calibration: Mapping[str, Calibration]
    by_class: Mapping[str, ClassTable]
    ensembles: Mapping[str, Ensemble]
    weights: Mapping[str, WeightOverview]
    regions: Mapping[str, Regions]
    paths: tuple[SweepPath, ...]
    grids: tuple[SweepGrid, ...]
    without_weights: tuple[tuple[str, int], ...] = ()
    """The runs, as variant and seed, whose weights are missing or damaged; nothing is shown of these."""
    models: tuple[ModelTable, ...] = ()
    """A table for every network, the base recipe's first."""
    first: FirstPredictions | None = None
    """The first test images and what one run predicts for them; None if the data are not images."""
