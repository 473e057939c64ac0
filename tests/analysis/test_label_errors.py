"""Label errors: planted wrong labels come first, and the ranking is that of the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_predict

from wellfit.analysis.label_errors import label_errors
from wellfit.errors import DataError


@given(st.integers(1, 60), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_the_ranking_is_that_of_self_confidence(n, classes, seed):
    rng = np.random.default_rng(seed)
    p, y = rng.dirichlet(np.ones(classes), n), rng.integers(0, classes, n)
    found = label_errors(p, y, n)
    confidence = [p[i, y[i]] for i in range(n)]
    expected = sorted((i for i in range(n) if p[i].argmax() != y[i]), key=lambda i: confidence[i])
    assert found.tolist() == expected
    assert label_errors(p, y, 3).tolist() == expected[:3]


def test_wrong_labels_of_digits_are_found():
    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    wrong = rng.choice(len(y), 25, replace=False)
    y[wrong] = (y[wrong] + rng.integers(1, 10, 25)) % 10
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)
    p = cross_val_predict(model, x, y, cv=5, method="predict_proba")
    found = label_errors(p, y)
    assert len(found) == 25
    assert len(np.intersect1d(found, wrong)) >= 15  # 25 of 1,797 at random would be 0.3


def test_sure_predictions_leave_nothing():
    assert label_errors(np.eye(3), np.arange(3)).size == 0
    assert label_errors(np.empty((0, 2)), np.empty(0, int)).size == 0


@pytest.mark.parametrize(
    ("p", "y", "words"),
    [
        (np.ones((3, 2)) / 2, np.zeros(2, int), "do not match"),
        (np.ones(3), np.zeros(3, int), "do not match"),
        (np.ones((2, 2)) / 2, np.array([0, 2]), "use 0 to 1"),
        (np.ones((2, 2)) / 2, np.array([-1, 0]), "labels range from -1 to 0"),
        (np.array([[np.nan, 1]]), np.array([1]), "not finite"),
    ],
)
def test_bad_arguments(p, y, words):
    with pytest.raises(DataError, match=words):
        label_errors(p, y)
