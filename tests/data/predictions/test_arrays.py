"""Predictions as Python hands them over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from predictions import LABELS, all_runs, all_values, probabilities
from wellfit.data.predictions.arrays import given_arrays
from wellfit.errors import DataError

P, Y = probabilities("l2", 0, 6), LABELS[:6]


def test_arrays_by_variant_and_seed():
    found = given_arrays(LABELS, all_runs())
    assert found.variants == dict.fromkeys(("baseline", "l2", "l1"), (0, 1, 2))
    assert found.runs[4].values().tobytes() == probabilities("l2", 1).tobytes()
    assert given_arrays(Y, {"a": {7: P, 3: P}}).variants == {"a": (7, 3)}
    assert given_arrays(Y, {"a": [P], "b": [P, P]}, seeds={"b": [4, 9]}).variants == {"a": (0,), "b": (4, 9)}


def test_one_column_is_the_second_of_two_classes():
    found = given_arrays([0, 1, 1], {"keras": [np.array([[0.1], [0.8], [0.4]])], "flat": [[0.1, 0.8, 0.4]]})
    np.testing.assert_allclose([run.values()[:, 1] for run in found.runs], [[0.1, 0.8, 0.4]] * 2, rtol=1e-6)


def test_folds_are_put_in_order():
    found = given_arrays(Y, {"a": [P[[4, 0]], P[[1, 2]]]}, folds=[[4, 0], [1, 2]], groups=list("aabbcc"))
    assert [run.rows.tolist() for run in found.runs if run.rows is not None] == [[0, 4], [1, 2]]
    np.testing.assert_array_equal(found.runs[0].values(), P[[0, 4]])
    assert found.groups is not None
    assert found.groups.tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("y", "runs", "more", "message"),
    [
        (Y, [P], {}, "predictions of type list; give"),
        (Y, {"a": 3}, {}, "'a' is of type int; give"),
        (Y, {"a": []}, {}, "'a' has no runs"),
        (Y, {"a": {"x": P}}, {}, "'a': seed 'x' is not a whole number"),
        (Y, {"a": [P]}, {"seeds": [1, 2]}, "2 seeds for the 1 runs of 'a'"),
        (Y, {"a": [P[:4]]}, {}, "'a', seed 0: 4 predictions for 6 labels"),
        (Y, {"a": [0.9]}, {}, "one number, but y_test is given"),
        (Y, {"a": [P], "b": [P[:, :2]]}, {}, "'b', seed 0 has 2 classes, but 'a' has 3"),
        (Y, {"a": [P], "b": [P.argmax(axis=1)]}, {}, "'b', seed 0 has classes, but 'a' has probabilities"),
        (Y, {"a": [P], "b": [P]}, {"folds": []}, "folds has no examples of seed 0"),
        (Y, {"a": [P[:2]]}, {"folds": [[0, 9]]}, "folds of seed 0 are no positions in y_test"),
        (Y, {"a": [P[:2]]}, {"folds": [[1, 1]]}, "have an example twice"),
        (Y, {"a": [P[:3]]}, {"folds": [[0, 1]]}, "3 predictions for 2 examples of its fold"),
        (Y, {"a": [P]}, {"groups": [1, 2]}, "groups of shape"),
        (["cat", "dog"], {"a": [[0, 1]]}, {}, "'a', seed 0: predicts 0, 1, none of which is a label"),
        (None, {"a": [P]}, {}, "ndarray without labels; give y_test"),
        (None, {"a": [91.0]}, {}, "accuracy 91 is not between 0 and 1; divide percentages by 100"),
        (None, {"a": [float("nan")]}, {}, "accuracy nan is not between 0 and 1; give shares"),
    ],
)
def test_arguments_that_cannot_be_are_one_line(y: Any, runs: Any, more: dict[str, Any], message: str):
    with pytest.raises(DataError, match=message) as caught:
        all_values(given_arrays(y, runs, **more))
    assert "\n" not in str(caught.value)
