"""The audit: all checks of a data set and its splits, in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wellfit.base import Dataset, Finding, IntArray, Splits
from wellfit.data.audits.classes import missing_classes, row_order, similar_names
from wellfit.data.audits.columns import (
    constant_features,
    far_values,
    missing_values,
    similar_categories,
    suspicious_values,
    unseen_categories,
)
from wellfit.data.audits.copies import duplicates, shared_groups
from wellfit.data.audits.leaks import label_leaks
from wellfit.data.audits.lookalikes import near_duplicates
from wellfit.data.audits.orientation import transformed_images
from wellfit.data.audits.relabeled import shifted_labels
from wellfit.data.audits.scale import scale_shift
from wellfit.data.audits.sets import ExampleSet, Sets
from wellfit.data.audits.signal import features_without_signal, unrelated_labels
from wellfit.data.audits.sizes import class_imbalance, few_class_examples, few_test_examples
from wellfit.errors import DataError

__all__ = ["audit"]

_LEVELS: Final = ("error", "warning", "info")
_CHECKS: Final = (
    constant_features,
    missing_classes,
    similar_names,
    duplicates,
    near_duplicates,
    shared_groups,
    label_leaks,
    features_without_signal,
    few_class_examples,
    class_imbalance,
    suspicious_values,
    far_values,
    missing_values,
    similar_categories,
    unseen_categories,
    row_order,
    few_test_examples,
)


def audit(
    dataset: Dataset,
    splits: Splits,
    tested: int | None = None,
    learned: IntArray | None = None,
    metric: str = "accuracy",
) -> tuple[Finding, ...]:
    """Audit a data set and its splits.

    Args:
      dataset: the data set; its test examples are only compared with the training examples.
      splits: of its training examples, for example from ``make_splits(dataset.y_train, ...)``.
      tested: with folds, the number of examples that all of them test together.
      learned: the labels of the training examples that runs learn from, if not from the whole training split.  # (n,)
      metric: what variants are compared on.

    Returns:
      The findings, errors first; ``docs/findings.md`` lists their codes and exact conditions.

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
    sets = Sets(dataset, splits, tested, learned, metric)
    findings = [finding for held in sets.given for finding in _held_out(sets, held)]
    findings += [finding for check in _CHECKS for finding in check(sets)]
    return tuple(sorted(findings, key=lambda f: _LEVELS.index(f.level)))


def _held_out(sets: Sets, held: ExampleSet) -> Iterator[Finding]:
    """Compare a test or validation set with the training set; what one check explains, later ones leave out."""
    found = transformed_images(sets, held)
    if found is None or "inverted" not in found.message:
        yield from (scaled := list(scale_shift(sets, held)))
    else:
        scaled = []
    found = found or shifted_labels(sets, held)
    if not scaled:
        found = found or unrelated_labels(sets, held)
    if found is not None:
        yield found
