"""Checks of sizes: of the classes and of the test set."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from wellfit.base import BALANCED, ONE_CLASS, Finding
from wellfit.data.audits.sets import Sets
from wellfit.data.parts import listed

__all__ = ["class_imbalance", "few_class_examples", "few_test_examples"]

_IMBALANCE_INFO: Final = 1.5  # size of the largest class relative to the smallest
_IMBALANCE_WARNING: Final = 5.0
_ALIKE: Final = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}
_FEW: Final = 5  # training examples of a class
_WIDE: Final = 0.01  # the test set counts as small if the interval of its accuracy has a larger half-width


def few_class_examples(sets: Sets) -> Iterator[Finding]:
    """Find classes with one to four training examples; a class without any has its own finding."""
    classes = sets.dataset.classes
    counts = sets.counts  # (K,)
    few = [f"{classes[k]} ({counts[k]})" for k in np.flatnonzero((counts > 0) & (counts < _FEW))]
    if few:
        yield Finding(
            "few-class-examples",
            "warning",
            f"{len(few)} of {len(classes)} classes {'has' if len(few) == 1 else 'have'} fewer than {_FEW} training "
            f"examples: {listed(few)}.",
            "Add examples, or merge or drop the class: so few can hardly be learned, nor their recall measured.",
        )


def class_imbalance(sets: Sets) -> Iterator[Finding]:
    """Compare the largest with the smallest class."""
    classes = sets.dataset.classes
    counts = sets.counts  # (K,)
    if not counts.min():
        return  # a missing class has its own finding
    ratio = counts.max() / counts.min()
    if ratio < _IMBALANCE_INFO:
        return
    large, small = int(counts.argmax()), int(counts.argmin())
    strong = ratio >= _IMBALANCE_WARNING
    weights = (
        " If the small classes matter as much as the large ones, try train.class_weights; they raise recall there, "
        "usually at the cost of accuracy."
    )
    yield Finding(
        "class-imbalance",
        "warning" if strong else "info",
        f"Class {classes[large]} has {ratio:.1f} times as many training examples as class {classes[small]} "
        f"({counts[large]} and {counts[small]}); always predicting the former is right "
        f"{100 * counts[large] / counts.sum():.1f} % of the time.",
        _how_to_judge(sets.metric, counts.max() / counts.sum()) + (weights if strong else ""),
    )


def _how_to_judge(metric: str, largest: float) -> str:
    """What shows the small classes, apart from what the variants are compared on already.

    Args:
      largest: the share of the largest class.
    """
    if metric in _ALIKE:
        return f"The variants are compared on {_ALIKE[metric]}, which weighs all classes alike; see the recall of each."
    if metric == "accuracy" and largest >= ONE_CLASS:
        return f"Compare the variants on balanced accuracy ({BALANCED}) and by the recall of each class."
    return "Compare accuracy with that baseline, and judge by macro F1 and the recall of each class."


def few_test_examples(sets: Sets) -> Iterator[Finding]:
    """Say how precisely the test set can measure an accuracy."""
    n = len(sets.test.y) if sets.tested is None else sets.tested
    which = "The test set has" if n == len(sets.test.y) else "All test folds together have"
    half_width = wilson_half_width(0.9, n)
    if half_width > _WIDE:
        yield Finding(
            "few-test-examples",
            "info",
            f"{which} only {n:,} examples: an accuracy of 90 % is known to ± {100 * half_width:.1f} points "
            "(95 % Wilson interval).",
            "Do not interpret smaller differences in test accuracy; a larger test set narrows the interval.",
        )


def wilson_half_width(p: float, n: int) -> float:
    """Half-width of Wilson's 95 % interval of a proportion (E. B. Wilson, JASA 22, 1927)."""
    z = 1.959963984540054
    return z * math.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2) / (1 + z * z / n)
