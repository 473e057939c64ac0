from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from detailed import details
from summaries import CLASSES, running, study
from wellfit.base import ConfusionDifference
from wellfit.errors import UnknownNameError
from wellfit.report.subjects.confusion.numbers import (
    DENSE,
    confusion_data,
    confusion_sentences,
    contrast,
    matrix_data,
)


def test_confusion_shares_are_of_the_true_class():
    matrix = confusion_data(study(), "l2")
    assert matrix is not None
    np.testing.assert_allclose(matrix.shares.sum(axis=1), 1.0, rtol=1e-12)
    assert matrix.shares[0, 6] == matrix.counts[0, 6] / matrix.counts[0].sum()


def test_confusions_leave_out_what_is_right():
    matrix = confusion_data(study(), "baseline")
    assert matrix is not None
    pattern = r"(.+) classified as (.+): ([\d,]+) times?, .*"
    top = [re.fullmatch(pattern, text).groups() for text in confusion_sentences(matrix, 3)]
    assert top[0][:2] == ("T-shirt/top", "Shirt")
    counts = [int(count.replace(",", "")) for _, _, count in top]
    assert counts == sorted(counts, reverse=True)
    assert all(true != predicted for true, predicted, _ in top)
    assert len(CLASSES) == len(matrix.classes)


def test_before_the_test_set_is_opened_there_is_no_confusion():
    assert confusion_data(running(), "dropout") is None


def test_a_class_without_examples_has_no_shares():
    plain = study(variants=("baseline",))
    counts = plain.confusion["baseline"].copy()
    counts[3] = 0
    matrix = confusion_data(replace(plain, confusion={"baseline": counts}), "baseline")
    assert matrix is not None
    assert not matrix.shares[3].any()


def test_an_unknown_variant_is_refused():
    with pytest.raises(UnknownNameError, match="unknown variant 'l3'"):
        confusion_data(study(), "l3")


def test_differences_go_along_in_points():
    summary = study(variants=("baseline", "l2"), epochs=3)
    shown = details(summary)
    first, other = matrix_data(summary, shown)["variants"]
    assert first["bounds"] is None
    np.testing.assert_allclose(other["bounds"][0], 100 * shown.differences["l2"].low, atol=0.006)


def test_intervals_are_left_out_of_a_page_that_they_would_flood():
    summary = study(variants=("baseline", "l2"), epochs=2, classes=tuple(f"class {i}" for i in range(150)))
    shown = details(summary, images=2)
    assert "l2" in shown.differences
    assert [variant["bounds"] for variant in matrix_data(summary, shown)["variants"]] == [None, None]


def test_of_many_classes_only_what_is_not_zero_is_written():
    few = study(variants=("baseline",), epochs=2)
    assert not matrix_data(few, details(few, images=2))["sparse"]
    names = tuple(f"class {i}" for i in range(DENSE + 1))
    many = study(variants=("baseline",), epochs=2, classes=names)
    counts = np.diag(np.full(len(names), 9))
    counts[2, 0] = 4
    data = matrix_data(replace(many, confusion={"baseline": counts}), details(few, images=2))
    assert data["sparse"]
    rows = data["variants"][0]["counts"]
    assert (rows[0], rows[2]) == ([0, 9], [0, 4, 2, 9])
    assert len(rows) == len(names)


def test_no_bound_is_a_negative_zero():
    summary = study(variants=("baseline", "l2"), epochs=2)
    shown = details(summary)
    low = np.full((10, 10), -0.00001)
    shown = replace(shown, differences={"l2": replace(shown.differences["l2"], low=low)})
    assert "-" not in str(matrix_data(summary, shown)["variants"][1]["bounds"][0])


def test_the_most_frequent_confusions_are_sentences():
    summary = study(variants=("baseline",), epochs=3)
    counts = summary.confusion["baseline"]
    matrix = confusion_data(summary, "baseline")
    assert matrix.correct == f"{100 * counts.trace() / counts.sum():.2f} %"
    assert (matrix.index, matrix.runs) == (0, 5)
    share = 100 * counts[0, 6] / counts[0].sum()
    first = confusion_sentences(matrix)[0]
    assert first == f"T-shirt/top classified as Shirt: {counts[0, 6]} times, {share:.2f} % of its class"
    once = replace(summary, confusion={"baseline": np.diag(np.full(10, 9)) + np.eye(10, k=1, dtype=int)})
    sentences = confusion_sentences(confusion_data(once, "baseline"))
    assert sentences[0] == "T-shirt/top classified as Trouser: 1 time, 10.00 % of its class"


def test_a_difference_is_clear_where_its_interval_excludes_zero():
    shares = np.array([[0.03, -0.03], [np.nan, -0.002]])
    cells = contrast(ConfusionDifference("l2", "baseline", shares, shares - 0.01, shares + 0.01))
    np.testing.assert_array_equal(cells.clear, [[True, True], [False, False]])
    np.testing.assert_array_equal(cells.favorable, [[True, True], [False, False]])
    assert cells.shares[1, 0] == 0
    assert cells.intervals
