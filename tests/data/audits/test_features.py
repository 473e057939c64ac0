"""Features for simple classifiers, and their predictions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from planted import make
from wellfit.base import Column
from wellfit.data.audits.features import Features, simple_predictions
from wellfit.data.audits.sets import Sets
from wellfit.data.splits import make_splits


@pytest.mark.parametrize("classes", [2, 5])
def test_predictions_are_scikit_learns(classes):
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, 300)
    x = (rng.normal(size=(300, 4)) + y[:, None]).astype(np.float32)
    models = KNeighborsClassifier(1), KNeighborsClassifier(15), NearestCentroid()
    ours = simple_predictions(x[:200], y[:200], x[200:], classes)
    for model, predicted in zip(models, ours, strict=True):
        assert np.mean(model.fit(x[:200], y[:200]).predict(x[200:]) == predicted) > 0.98  # ties may differ


def test_features_of_rows():
    x = np.array([[1, 0, np.nan], [2, 1, np.nan], [3, 1, 7], [4, np.nan, 7], [1000, 1, 7]], np.float32)
    data = make(x, [0, 1, 0, 1, 0], x, [0, 1, 0, 1, 0], columns=("a", Column("c", ("blue", "red")), "b"))
    of = Features(Sets(data, make_splits(data.y_train, validation=0.4)), x).of(x)
    np.testing.assert_allclose(of[:, 0], [-1.35, -0.675, 0, 0.675, 4])  # median 3, quartiles 2 and 4; clipped
    assert of[:, 1].tolist() == [0] * 5  # constant where there is a value
    assert of[:, 2:].tolist() == [[0, 1], [1, 0], [1, 0], [0, 0], [1, 0]]  # the most frequent category first


def test_features_of_categories_alone_and_of_nothing():
    x = np.array([[0], [1], [0], [1]], np.float32)
    data = make(x, [0, 1, 0, 1], x, [0, 1, 0, 1], columns=(Column("c", ("blue", "red")),))
    sets = Sets(data, make_splits(data.y_train, validation=0.5))
    assert Features(sets, x).of(x).shape == (4, 2)
    empty = np.full((4, 1), np.nan, np.float32)
    data = make(empty, [0, 1, 0, 1], empty, [0, 1, 0, 1])
    assert Features(Sets(data, make_splits(data.y_train, validation=0.5)), empty).of(empty).tolist() == [[0]] * 4
