"""The difference of two confusion matrices, cell by cell, with intervals over seeds and test images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wellfit.analysis.crossed import checked_alpha, t_quantile
from wellfit.analysis.mistakes import votes
from wellfit.base import ConfusionDifference, FloatArray, IntArray
from wellfit.errors import DataError

__all__ = ["confusion_difference"]


class _Squares(NamedTuple):
    """Sums over the seeds and the test images of a class, for every cell of the matrix.  # (K, K) each"""

    total: IntArray  # of the differences
    by_seed: IntArray  # of the squared sums of each seed over the images
    by_image: IntArray  # of the squared sums of each image over the seeds
    single: IntArray  # of the squared differences
    informative: IntArray  # images whose sum over the seeds is not 0


def confusion_difference(
    variant: str, against: str, first: IntArray, second: IntArray, labels: IntArray, classes: int, level: float = 0.95
) -> ConfusionDifference:
    """The difference of two variants' confusion matrices, each row normalized by its true class, with intervals.

    For cell (k, j) the score of seed s and image i of class k is ``d = [first predicts j] - [second predicts j]``,
    which is -1, 0 or 1. Over S seeds and the n images of class k, seeds and images are crossed random effects, as in
    ``intervals.two_way_interval``. The integer sums

        T = sum d,   A = sum_s (sum_i d)**2,   B = sum_i (sum_s d)**2,   C = sum d**2

    give the mean ``T / (S n)`` and the sums of squares of the analysis of variance,

        seeds:  A / n - T**2 / (S n),    images:  B / S - T**2 / (S n),    rest:  C - T**2 / (S n) - seeds - images,

    and their mean squares give ``V_seed``, ``V_image`` and the half-width of ``two_way_interval``. It is at least
    ``z * sqrt(2) / (n + 2)``, as in ``comparisons.paired_comparison``: an empty cell proves nothing. Intervals are
    clipped to [-1, 1].

    With folds, a seed judges only a part of the images; the parts of the variance are then those of
    ``crossed.variance_components``.

    Each interval covers one cell: of a hundred, up to five may miss. In 400 simulated studies with 5 seeds and 1,000
    images per class the coverage was 96 % (cells of 5 and 3.5 % of the class; Monte Carlo error 1), and 99 % or more
    where cells or classes are so small that the minimum width applies.

    Assumes seeds and the images of a class drawn independently, and seed means near normal; a cell with few images has
    a wide interval. Sources: Cornfield & Tukey (1956), Ann. Math. Stat. 27:907-949; Banerjee
    (1960), Sankhya 22:357-358; Bonett & Price (2012), J. Educ. Behav. Stat. 37:479-488, for the minimum width.

    Args:
      variant, against: names of the two.
      first, second: their predicted classes, the same seeds and images in the same order; -1 where a seed did not judge
        the image.  # (S, M)
      labels: true classes, integers from 0.  # (M,)
      classes: number of classes, K.
      level: nominal coverage.

    Returns:
      Differences and intervals. Intervals are NaN with one seed or for a class with fewer than two images; for a class
      without images everything is NaN.

    Raises:
      DataError: the shapes do not match.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: of two images of class 0, the first variant always gets one more right.
      >>> labels = np.array([0, 0, 1])
      >>> first, second = np.array([[0, 0, 1], [0, 0, 1]]), np.array([[0, 1, 1], [1, 0, 1]])
      >>> confusion_difference("l2", "baseline", first, second, labels, 2).difference.tolist()
      [[0.5, -0.5], [0.0, 0.0]]
    """
    if first.shape != second.shape or first.shape[1:] != labels.shape or not len(first):
        raise DataError(f"predictions of shapes {first.shape} and {second.shape} with labels of shape {labels.shape}; "
                        "use the same seeds and images for both variants")  # fmt: skip
    judged = first >= 0  # (S, M)
    if (judged != (second >= 0)).any():
        raise DataError("the two variants were judged on different images; use the same seeds and images for both")
    if not judged.all():
        return _of_folds(variant, against, first, second, labels, classes, level)
    images = np.bincount(labels, minlength=classes)[:, None]  # (K, 1)
    sums = _squares(first, second, labels, classes)
    with np.errstate(invalid="ignore"):
        mean = np.where(images > 0, sums.total / (len(first) * np.maximum(images, 1)), np.nan)  # (K, K)
    half = _half_width(sums, len(first), images, level)
    return ConfusionDifference(variant, against, mean, np.maximum(mean - half, -1), np.minimum(mean + half, 1))


def _of_folds(
    variant: str, against: str, first: IntArray, second: IntArray, labels: IntArray, classes: int, level: float
) -> ConfusionDifference:
    """The same where every seed judges a part of the images."""
    S, alpha = len(first), checked_alpha(level)
    times = (first >= 0).sum(axis=0)  # (M,), judgments of each image
    member = (labels == np.arange(classes)[:, None]).astype(np.float64)  # (K, M)
    image = (votes(first, classes) - votes(second, classes)).astype(np.float64)  # (M, K)
    count, images = (member @ times)[:, None], (member @ (times > 0))[:, None]  # (K, 1) each
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (member @ image) / count  # (K, K)
        square = member @ np.square(image) - 2 * mean * (member @ (times[:, None] * image))
        square += mean**2 * (member @ np.square(times))[:, None]
        of_images = square / count**2 * images / (images - 1)
        means, single = np.zeros((S, classes, classes)), np.zeros((classes, classes))
        for s, (one, other) in enumerate(zip(first, second, strict=True)):
            means[s], squares = _of_seed(one, other, labels, classes)
            single += squares
        seed = np.nansum(np.square(means - mean), axis=0) / max(S - 1, 1) / S  # (K, K)
        once = single - 2 * mean * (member @ image) + mean**2 * count  # (K, K)
        overlap = np.maximum(S * once - square, 0) / (max(S - 1, 1) * count**2)
        z, t = t_quantile(np.inf, alpha), t_quantile(max(S - 1, 1), alpha)
        estimated = np.maximum(t**2 * seed + z**2 * np.maximum(of_images - overlap, 0), z**2 * of_images)
        floor = t_quantile(np.inf, alpha) ** 2 * 2 / (images + 2) ** 2
        half = np.where((images >= 2) & (S > 1), np.sqrt(np.maximum(estimated, floor)), np.nan)
    return ConfusionDifference(variant, against, mean, np.maximum(mean - half, -1), np.minimum(mean + half, 1))


def _of_seed(one: IntArray, other: IntArray, labels: IntArray, classes: int) -> tuple[FloatArray, IntArray]:
    """The difference of a seed's matrices, as shares of the images of each class that it judged, and their number.

    Returns:
      The shares; NaN for a class of which it judged none.  # (K, K)
      The predictions that differ.  # (K, K)
    """
    judged = one >= 0
    one, other, truth = one[judged], other[judged], labels[judged]
    count = np.bincount(truth, minlength=classes)[:, None]  # (K, 1)
    ours, theirs, agree = _matrix(one, truth, classes), _matrix(other, truth, classes), one == other
    shares: FloatArray = np.where(count > 0, (ours - theirs) / np.maximum(count, 1), np.nan)
    return shares, ours + theirs - 2 * _matrix(one[agree], truth[agree], classes)


def _squares(first: IntArray, second: IntArray, labels: IntArray, classes: int) -> _Squares:
    total, by_seed, single = np.zeros((3, classes, classes), np.int64)  # (K, K) each
    for one, other in zip(first, second, strict=True):  # in turn: there may be thousands of seeds
        agree = one == other  # (M,)
        ours, theirs = _matrix(one, labels, classes), _matrix(other, labels, classes)
        total += ours - theirs
        by_seed += np.square(ours - theirs)
        single += ours + theirs - 2 * _matrix(one[agree], labels[agree], classes)
    image = votes(first, classes) - votes(second, classes)  # (M, K)
    member = (labels == np.arange(classes)[:, None]).astype(np.float64)  # (K, M); its products are exact integers
    return _Squares(
        total=total,
        by_seed=by_seed,
        by_image=(member @ np.square(image)).astype(np.int64),
        single=single,
        informative=(member @ (image != 0)).astype(np.int64),
    )


def _matrix(predicted: IntArray, labels: IntArray, classes: int) -> IntArray:
    """The confusion matrix of one run.  # (K, K)"""
    cells = labels.astype(np.int64) * classes + predicted  # (m,)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def _half_width(sums: _Squares, S: int, images: IntArray, level: float) -> FloatArray:
    """The half-width of every cell's interval: ``crossed.half_squared`` for all of them at once."""
    from scipy.special import stdtrit

    alpha = checked_alpha(level)
    if S < 2:
        return np.full(sums.total.shape, np.nan)
    n = np.maximum(images, 2)  # (K, 1); classes with fewer images become NaN below
    size = S * n
    center = sums.total**2 / size  # (K, K)
    seeds, columns = sums.by_seed / n - center, sums.by_image / S - center
    rest = np.maximum(sums.single - center - seeds - columns, 0)
    seed = seeds / (S - 1) / size
    alone = columns / (n - 1) / size
    image = np.maximum(alone - rest / ((S - 1) * (n - 1)) / size, 0)
    t_image = -stdtrit(np.maximum(sums.informative - 1, 1), alpha / 2)  # (K, K)
    estimated = np.maximum(t_quantile(S - 1, alpha) ** 2 * seed + t_image**2 * image, t_image**2 * alone)
    floor = t_quantile(np.inf, alpha) ** 2 * 2 / (n + 2) ** 2
    half: FloatArray = np.where(images >= 2, np.sqrt(np.maximum(estimated, floor)), np.nan)
    return half
