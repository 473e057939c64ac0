"""The oracle is scikit-learn: its scores of the estimator are those of the model's own probabilities."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, get_scorer, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

import fitted_models as made
from wellfit.base import ModelSpec
from wellfit.errors import WellfitError
from wellfit.interop.exported_estimator import ExportedClassifier, joblib_file

UNKNOWN = pytest.mark.filterwarnings(
    "ignore:city, or town. 'Basel':UserWarning", "ignore:.*never in training:UserWarning"
)


def loaded(model: Any) -> ExportedClassifier:
    classifier: ExportedClassifier = joblib.load(io.BytesIO(joblib_file(model)))
    return classifier


@UNKNOWN
def test_a_table_after_joblib() -> None:
    model, frame = made.table_model(), made.later_people()
    classifier = loaded(model)
    assert classifier.model is not model
    np.testing.assert_array_equal(classifier.predict_proba(frame), model.predict_proba(frame))
    assert classifier.predict(frame).tolist() == model.predict(frame).tolist()
    assert classifier.feature_names_in_.tolist() == [column.name for column in model.form.columns]
    assert classifier.classes_.tolist() == ["x", "y", "z"]


def test_an_array_has_as_many_columns_as_it_says() -> None:
    frame = pd.DataFrame({"a": np.arange(40.0) % 7, "same": 1.0, "b": np.arange(40.0) % 3, "y": ["no", "yes"] * 20})
    model = made.table_model(data=made.table_data(frame.rename(columns={"y": "kind"})))
    classifier, names = ExportedClassifier(model), ["a", "same", "b"]
    assert (classifier.n_features_in_, classifier.feature_names_in_.tolist()) == (3, names)
    assert model.form.used == ("a", "b")
    expected = classifier.predict_proba(frame[names])
    np.testing.assert_array_equal(classifier.predict_proba(frame[names].to_numpy()), expected)
    np.testing.assert_array_equal(classifier.predict_proba(frame[["b", "a"]]), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "lenet5", "cnn"])
def test_real_test_images_after_joblib(name: str, real_data: Path) -> None:
    model, x = made.fashion(name)
    expected = model.predict_proba(x)[:, np.argsort(model.classes)]
    np.testing.assert_allclose(loaded(model).predict_proba(x.reshape(len(x), -1)), expected, rtol=0, atol=1e-5)


def test_classes_ascend_as_the_scores_expect() -> None:
    """The columns of ``log_loss`` are those of the sorted classes, whatever the estimator says."""
    model, x = made.image_model(ModelSpec("logistic"), classes=("shirt", "bag", "coat")), made.digits()
    y = np.array(["coat", "shirt", "bag"])[np.arange(len(x)) % 3]
    classifier = ExportedClassifier(model)
    assert classifier.classes_.tolist() == ["bag", "coat", "shirt"]
    expected = -log_loss(y, model.predict_proba(x)[:, [1, 2, 0]], labels=["bag", "coat", "shirt"])
    assert get_scorer("neg_log_loss")(classifier, x, y) == pytest.approx(expected)
    assert classifier.score(x, y) == model.evaluate(x, y).accuracy == accuracy_score(y, model.predict(x))


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("10", "2", "-1"), [-1, 2, 10]),
        (("10", "02", "1"), ["02", "1", "10"]),
        (("1" * 20, "2", "3"), ["1" * 20, "2", "3"]),
        (("--5", "2", "3"), ["--5", "2", "3"]),
    ],
)
def test_whole_numbers_are_numbers(names: tuple[str, ...], classes: list[Any]) -> None:
    model = replace(made.image_model(ModelSpec("logistic"), seeds=1), classes=names)
    classifier, x = ExportedClassifier(model), made.digits()
    assert classifier.classes_.tolist() == classes
    best = classifier.classes_[classifier.predict_proba(x).argmax(axis=1)]
    assert classifier.predict(x).tolist() == best.tolist()
    assert [str(name) for name in best] == model.predict(x).tolist()


def test_it_is_a_fitted_classifier() -> None:
    model = made.image_model(ModelSpec("logistic"), seeds=1)
    classifier, x = ExportedClassifier(model), made.digits()
    assert is_classifier(classifier)
    check_is_fitted(classifier)
    assert classifier.n_features_in_ == 64
    assert not hasattr(classifier, "feature_names_in_")
    flat = x.reshape(len(x), -1)
    piped = make_pipeline(FunctionTransformer(), FrozenEstimator(classifier)).fit(flat, classifier.predict(x))
    np.testing.assert_array_equal(piped.predict_proba(flat), classifier.predict_proba(x))
    np.testing.assert_array_equal(clone(classifier).predict_proba(x), classifier.predict_proba(x))


def test_it_is_not_fitted_again() -> None:
    with pytest.raises(WellfitError, match="an exported model is trained already; "):
        ExportedClassifier(made.image_model(ModelSpec("logistic"))).fit(made.digits())


def test_a_model_is_pickled_as_its_file() -> None:
    model = made.table_model()
    content = pickle.dumps(model)
    assert b"wellfit model" in content
    again = pickle.loads(content)
    assert (again.spec, again.classes, again.origin) == (model.spec, model.classes, model.origin)
    assert pickle.dumps(again) == content
