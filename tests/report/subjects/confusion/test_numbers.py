from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from summaries import CLASSES, running, study
from wellfit.errors import UnknownNameError
from wellfit.report.subjects.confusion.numbers import confusion_data, top_confusions


def test_confusion_shares_are_of_the_true_class():
    matrix = confusion_data(study(), "l2")
    assert matrix is not None
    np.testing.assert_allclose(matrix.shares.sum(axis=1), 1.0, rtol=1e-12)
    assert matrix.shares[0, 6] == matrix.counts[0, 6] / matrix.counts[0].sum()


def test_top_confusions_leave_out_what_is_right():
    matrix = confusion_data(study(), "baseline")
    assert matrix is not None
    top = top_confusions(matrix, 3)
    assert top[0][:2] == ("T-shirt/top", "Shirt")
    assert [count for _, _, count, _ in top] == sorted((count for _, _, count, _ in top), reverse=True)
    assert all(true != predicted for true, predicted, _, _ in top)
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
