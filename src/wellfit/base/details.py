"""What a report looks into beyond the summary, as frozen dataclasses: examples, mistakes, calibration, weights, paths.

``study.details`` computes all of it from the store alone. Where a study has no test results yet, or no images, or no
sweep, the field is None or empty, and a report leaves the section out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.base.data import FloatArray, IntArray

__all__ = [
    "Bounds",
    "Calibration",
    "ClassTable",
    "ConfusionDifference",
    "DataOverview",
    "Ensemble",
    "Mistakes",
    "Regions",
    "StudyDetails",
    "SweepGrid",
    "SweepPath",
    "WeightOverview",
]

Bounds = tuple[float, float] | None
"""A 95 % interval, or None where fewer than two seeds, or too few examples, give none."""


@dataclass(frozen=True, eq=False)
class DataOverview:
    """The data at a glance.

    Args:
      title, source: of the data set.
      shape: of one example, ``(28, 28)`` or ``(4,)``.
      counts: split -> examples of every class, the splits ``"train"``, ``"validation"`` and ``"test"``.  # (K,)
      examples: the first training examples of every class, uint8; None where the data are no images.
        # (K, n, H, W) or (K, n, H, W, 3)
      rows: of a table: up to five training rows as printable text, column names first; empty for images.
    """

    title: str
    source: str
    shape: tuple[int, ...]
    counts: Mapping[str, IntArray]
    examples: NDArray[np.uint8] | None
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Mistakes:
    """What the whole population got wrong, test example by test example.

    Args:
      variants: names, those that have tested runs.
      runs: how many tested runs each has.  # (V,)
      labels: true classes.  # (M,)
      wrong: how many runs of each variant got each example wrong.  # (V, M)
      predicted: the wrong class that most of them took it for; -1 where none was wrong.  # (V, M)
      probability: mean probability that those runs gave that class; NaN where none was wrong.  # float32 (V, M)
      counts: runs by true and predicted class.  # (V, K, K)
      all_wrong: test rows that every run of every variant got wrong: suspect labels, or the hardest; the surest first.
      mended: variant -> test rows that all runs of the first variant, and none of this one's, got wrong.
      flips: test rows that about half of the first variant's runs get wrong, the most divided first: chance decides.
      image_rows: test rows whose pictures were kept: the most often wrong, and those of every confusion cell.  # (I,)
      images: their pixels, uint8; empty where the data are no images.  # (I, H, W) or (I, H, W, 3)
      votes: how many runs of each variant took each of ``image_rows`` for each class: the pictures of the confusion
        cell (k, j) are those of label k that have votes for j, the most votes first.  # (V, I, K)
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
class ConfusionDifference:
    """A variant's confusion matrix minus the first variant's, each row as shares of its true class.

    Args:
      variant, against: names.
      difference: mean over the seeds that both have.  # (K, K) [true, predicted]
      low, high: 95 % interval of each cell alone, seeds and images both counted; NaN with one seed.  # (K, K)
    """

    variant: str
    against: str
    difference: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False)
class Calibration:
    """How far a variant's probabilities can be believed, its test runs pooled.

    Args:
      variant: its name.
      confidence: mean largest probability of every bin that holds examples.  # (B,)
      accuracy: share of its examples that were right.  # (B,)
      count: examples in it.  # (B,)
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
    """Scores of every class, and averaged, of a variant: means over its seeds.

    Args:
      variant: its name.
      precision, recall, f1: of every class.  # (K,)
      support: test examples of every class.  # (K,)
      recall_low, recall_high: 95 % interval of recall, seeds and images both counted; NaN with one seed.  # (K,)
      gain: recall minus the first variant's, paired by seed and image; None for the first.  # (K,)
      gain_low, gain_high: its 95 % interval.  # (K,)
      averages: ``"macro_f1"``, ``"weighted_f1"``, ``"top_k"`` (k = 3), ``"roc_auc"``, and others by those names ->
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
    """A variant's seeds asked together: the mean of their probabilities.

    Args:
      variant: its name.
      accuracy, loss: of the ensemble on the test set.
      interval: of its accuracy, over the test examples (Wilson).
      single: mean accuracy of the single runs, for comparison.
      members: how many runs.
    """

    variant: str
    accuracy: float
    loss: float
    interval: tuple[float, float]
    single: float
    members: int


@dataclass(frozen=True, eq=False)
class WeightOverview:
    """The weights of a variant at its readout.

    Args:
      variant: its name.
      layers: names of the kernels, in order.
      edges: of the histogram's bins.  # (B + 1,)
      histogram: share of each kernel's weights in each bin, over the seeds.  # (L, B)
      zeros: share of each kernel's weights that are exactly zero, mean over the seeds.  # (L,)
      small: the same of weights nearer to zero than 1e-3.  # (L,)
      filters: the first kernel of the lowest seed as pictures, scaled so that 0 is mid-gray (128), at most 32 of them,
        those of the largest norm first; None where the examples are no images.  # uint8 (F, H, W)
    """

    variant: str
    layers: tuple[str, ...]
    edges: FloatArray
    histogram: FloatArray
    zeros: FloatArray
    small: FloatArray
    filters: NDArray[np.uint8] | None


@dataclass(frozen=True, eq=False)
class Regions:
    """Where a variant decides for which class, for data with two features.

    Args:
      variant: its name.
      x1, x2: the grid.  # (G,)
      probability: mean over the seeds, of every class.  # (G, G, K) [x2, x1, class]
      disagreement: share of the seeds whose most probable class is not the most frequent one.  # (G, G)
      points: training examples drawn over it, at most 500.  # (N, 2)
      labels: their classes.  # (N,)
      curves: the true curves, where the data set has them: name -> x2 at every x1.  # (G,)
    """

    variant: str
    x1: FloatArray
    x2: FloatArray
    probability: FloatArray
    disagreement: FloatArray
    points: FloatArray
    labels: IntArray
    curves: Mapping[str, FloatArray]


@dataclass(frozen=True, eq=False)
class SweepPath:
    """A sweep over one number, told as a path; rows in ascending order of the number.

    A variant that has none of it stands beside the path as its reference where the axis is logarithmic, and is its
    point at 0 where it is linear.

    Args:
      key: what is swept, as a recipe names it: ``"l2"``, ``"learning_rate"``, ``"augmentation.noise"``, ``"examples"``.
      values: its values, ascending.  # (P,)
      variants: the variant of each.
      logarithmic: whether the values want a logarithmic axis (all positive, over more than one decade, no shares).
      metrics: ``METRICS`` name -> (mean, low, high), NaN where there is none; accuracies and losses of ``"train"``,
        ``"validation"``, ``"test"`` and the gap.  # (P,) each
      chosen: position of the highest mean validation accuracy (the lowest mean validation loss among equals) of those
        of which two seeds have finished and none diverged; None where there is none such, and of the data's numbers,
        ``"examples"`` and ``"label_noise"``.
      one_standard_error: position of the most regularized value whose mean validation accuracy is within one standard
        error of the chosen one's, as glmnet's ``lambda.1se``; None likewise, or where the number is no regularization.
      zeros: share of kernel weights that are exactly zero, mean over the seeds; NaN where none is finished.  # (P,)
      at_edge: ``"low"`` or ``"high"`` where the chosen value is the first or last of the sweep, and not 0, else None.
      baseline: name of the variant beside it: that of 0 where the axis has none, else the first variant if it stands
        outside the sweep; otherwise None.
      reference: the baseline's metrics: name -> (mean, low, high); empty without one.
      held: settings that the whole path shares, and the first variant does not: key -> value.
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
      rows, columns: their values, ascending where they are numbers.
      variants: name of each.  # [row][column]
      metrics: ``METRICS`` name -> mean, NaN where there is none.  # (R, C) each
      chosen: position of the highest mean validation accuracy, as of a path, or None.
      held: settings that the whole grid shares, and the first variant does not: key -> value.
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
    """All of it; mappings by variant, in the study's order, without those that have nothing to show."""

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
