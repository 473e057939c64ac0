"""Audits of data and splits: problems that would bias a comparison, found before training.

Each check takes the data set and its splits and yields findings.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Dataset, Finding, Splits
from wellfit.errors import DataError

__all__ = ["audit"]

_LEVELS: Final = ("error", "warning", "info")
_SHIFT: Final = 2.0  # factor by which the test set's range, mean or spread must differ from the training set's
_IMBALANCE_INFO: Final = 1.5  # size of the largest class relative to the smallest
_IMBALANCE_WARNING: Final = 5.0
_SORTED_SHARE: Final = 0.1  # rows count as sorted below this fraction of the label changes expected in random order
_WIDE: Final = 0.01  # the test set counts as small if the interval of its accuracy has a larger half-width


def audit(dataset: Dataset, splits: Splits) -> tuple[Finding, ...]:
    """Audit a data set and its splits.

    Args:
      dataset: the data set; its test examples are only compared with the training examples.
      splits: from ``make_splits(dataset.y_train, ...)``.

    Returns:
      The findings, errors first: ``class-missing-from-split``, ``scale-shift-between-splits``,
      ``duplicate-across-splits``, ``class-imbalance``, ``rows-sorted-by-class``, ``constant-features``,
      ``few-test-examples``.

    Raises:
      DataError: the splits belong to another data set.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> from wellfit.data.splits import make_splits
      >>> digits = load_dataset("digits")
      >>> [f.code for f in audit(digits, make_splits(digits.y_train, validation=0.2))]
      ['constant-features', 'few-test-examples']
    """
    n = len(splits.train) + len(splits.validation)
    if n != len(dataset.y_train):
        raise DataError(
            f"the splits cover {n} training examples, but {dataset.name} has {len(dataset.y_train)}; split it again"
        )
    checks = (
        _missing_classes,
        _scale_shift,
        _duplicates,
        _class_imbalance,
        _row_order,
        _constant_features,
        _few_test_examples,
    )
    findings = [finding for check in checks for finding in check(dataset, splits)]
    return tuple(sorted(findings, key=lambda f: _LEVELS.index(f.level)))


def _missing_classes(dataset: Dataset, splits: Splits) -> Iterator[Finding]:
    parts = {
        "training": dataset.y_train[splits.train],
        "validation": dataset.y_train[splits.validation],
        "test": dataset.y_test,
    }
    for name, labels in parts.items():
        present = np.bincount(labels, minlength=len(dataset.classes)) > 0  # (K,)
        missing = [c for c, there in zip(dataset.classes, present, strict=True) if not there]
        if missing:
            yield Finding(
                "class-missing-from-split",
                "error",
                f"The {name} split has no example of {_listed(missing)}: it covers {int(present.sum())} of "
                f"{len(present)} classes.",
                "Add examples of every class, enlarge the split, or drop the class.",
            )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


# --- Scale ------------------------------------------------------------------------------------------------------------


def _scale_shift(dataset: Dataset, splits: Splits) -> Iterator[Finding]:
    """Find a test set scaled differently from the training set, for example if only one was divided by 255."""
    train, test = dataset.x_train[splits.train], dataset.x_test
    message = _pixel_shift(train, test) if train.ndim > 2 else _row_shift(train, test)
    if message:
        yield Finding(
            "scale-shift-between-splits",
            "error",
            f"The test set is scaled differently: {message}.",
            "Provide both sets unscaled; wellfit scales inside the model, by the statistics of the training split.",
        )


def _pixel_shift(train: NDArray[Any], test: NDArray[Any]) -> str:
    """Compare overall range and mean, since all pixels have the same unit."""
    (low, high, mean), (test_low, test_high, test_mean) = (
        (float(x.min()), float(x.max()), float(x.mean(dtype=np.float64))) for x in (train, test)
    )
    factor = max(_factor(high - low, test_high - test_low), _factor(mean - low, test_mean - test_low))
    if factor < _SHIFT and abs(test_mean - mean) <= (high - low) / 2:
        return ""
    return (
        f"its pixels range from {test_low:g} to {test_high:g} (mean {test_mean:.3g}), those of the training set from "
        f"{low:g} to {high:g} (mean {mean:.3g}), a factor of {factor:.3g}"
    )


def _row_shift(train: NDArray[Any], test: NDArray[Any]) -> str:
    """Compare quartiles feature by feature, since features have different units and tails, and take the median.

    The median over features is robust to a few unusual ones; features with equal quartiles (sparse ones) are skipped.
    """
    if len(test) < 20:  # with fewer rows, quartiles can differ by this factor by chance
        return ""
    some = (x[:: max(1, len(x) // 2000)] for x in (train, test))
    quartiles = [np.percentile(x, [25, 50, 75], axis=0) for x in some]  # (3, D) each
    spread, test_spread = (q[2] - q[0] for q in quartiles)  # (D,)
    telling = (spread > 0) & (test_spread > 0)
    if not telling.any():
        return ""
    ratio = float(np.median(test_spread[telling] / spread[telling]))
    shift = float(np.median(np.abs(quartiles[1][1] - quartiles[0][1])[telling] / spread[telling]))
    if _factor(ratio, 1) < _SHIFT and shift < 1:
        return ""
    return (
        f"the interquartile range of its features is {ratio:.3g} times that of the training features, and their median "
        f"lies {shift:.3g} such ranges away (median over {int(telling.sum())} features)"
    )


def _factor(a: float, b: float) -> float:
    """Return the ratio of the larger to the smaller of two positive numbers."""
    if a == b:
        return 1.0
    return max(a, b) / min(a, b) if min(a, b) > 0 else math.inf


# --- Rows -------------------------------------------------------------------------------------------------------------


def _duplicates(dataset: Dataset, splits: Splits) -> Iterator[Finding]:
    rows = _row_hashes(dataset.x_train)
    train, validation = ([rows[i] for i in part.tolist()] for part in (splits.train, splits.validation))
    test = _row_hashes(dataset.x_test)
    trained, validated = set(train), set(validation)
    counts = (
        (sum(h in trained for h in validation), f"of {len(validation)} validation examples", "training"),
        (sum(h in trained for h in test), f"of {len(test)} test examples", "training"),
        (sum(h in validated for h in test), f"of {len(test)} test examples", "validation"),
    )
    copies = [f"{n} {of} {'is' if n == 1 else 'are'} also in the {split} split" for n, of, split in counts if n]
    if copies:
        yield Finding(
            "duplicate-across-splits",
            "warning",
            f"Some examples are in more than one split: {'; '.join(copies)}.",
            "Remove the copies, or bear in mind that the network can memorize these examples.",
        )


def _row_hashes(x: NDArray[Any]) -> list[bytes]:
    """Return a 128-bit hash of every row; the probability of a collision among a million rows is about 1e-27."""
    plain = x if x.dtype.kind == "u" else x + 0  # -0.0 becomes 0.0
    flat = np.ascontiguousarray(plain).reshape(len(x), -1)
    return [hashlib.blake2b(row.data, digest_size=16).digest() for row in flat]


def _class_imbalance(dataset: Dataset, splits: Splits) -> Iterator[Finding]:
    counts = np.bincount(dataset.y_train[splits.train], minlength=len(dataset.classes))
    if not counts.min():
        return  # a missing class has its own finding
    ratio = counts.max() / counts.min()
    if ratio < _IMBALANCE_INFO:
        return
    large, small = int(counts.argmax()), int(counts.argmin())
    yield Finding(
        "class-imbalance",
        "warning" if ratio >= _IMBALANCE_WARNING else "info",
        f"{dataset.classes[large]} has {ratio:.1f} times as many training examples as {dataset.classes[small]} "
        f"({counts[large]} and {counts[small]}); always predicting it is right "
        f"{100 * counts[large] / counts.sum():.1f} % of the time.",
        "Compare accuracy with that baseline, and check the recall of the small classes.",
    )


def _row_order(dataset: Dataset, splits: Splits) -> Iterator[Finding]:
    labels = dataset.y_train
    changes = int((labels[1:] != labels[:-1]).sum())
    shares = np.bincount(labels) / len(labels)
    by_chance = (len(labels) - 1) * (1 - float((shares**2).sum()))
    blocks = int((shares > 0).sum())
    if blocks > 1 and (changes == blocks - 1 or changes < _SORTED_SHARE * by_chance):
        yield Finding(
            "rows-sorted-by-class",
            "info",
            f"The training rows are sorted by class: the label changes {changes:,} "
            f"{'time' if changes == 1 else 'times'} instead of the {by_chance:,.0f} expected in random order. The "
            f"split is stratified and shuffled (seed {splits.seed}), so the order does no harm.",
            "",
        )


def _constant_features(dataset: Dataset, splits: Splits) -> Iterator[Finding]:
    train = dataset.x_train[splits.train]
    constant = int((train.min(axis=0) == train.max(axis=0)).sum())
    if constant:
        features = f"{math.prod(dataset.input_shape)} {'pixels' if train.ndim > 2 else 'features'}"
        yield Finding(
            "constant-features",
            "info",
            f"{constant} of {features} {'never changes' if constant == 1 else 'never change'}: the value is the same "
            "in every training example. That is harmless: it carries no information, and scaling leaves it alone.",
            "",
        )


def _few_test_examples(dataset: Dataset, _: Splits) -> Iterator[Finding]:
    n = len(dataset.y_test)
    half_width = _wilson_half_width(0.9, n)
    if half_width > _WIDE:
        yield Finding(
            "few-test-examples",
            "info",
            f"The test set has only {n} examples: an accuracy of 90 % is known to ± {100 * half_width:.1f} points "
            "(95 % Wilson interval).",
            "Do not interpret smaller differences in test accuracy; a larger test set narrows the interval.",
        )


def _wilson_half_width(p: float, n: int) -> float:
    """Half-width of Wilson's 95 % interval of a proportion (E. B. Wilson, JASA 22, 1927)."""
    z = 1.959963984540054
    return z * math.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2) / (1 + z * z / n)
