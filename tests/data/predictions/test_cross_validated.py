"""Results of scikit-learn's ``cross_validate``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import GroupKFold, KFold, RepeatedStratifiedKFold, StratifiedKFold, cross_validate

import wellfit
from wellfit.data.predictions.cross_validated import out_of_fold
from wellfit.errors import DataError

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["iris b", "iris a", "iris c"])[Y]
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


def validated(estimator: Any, x: Any = X, y: Any = NAMES, cv: Any = FOLDS, **more: Any) -> dict[str, Any]:
    options = {"return_estimator": True, "return_indices": True} | more
    return dict(cross_validate(estimator, x, y, cv=cv, **options))


def models(**more: Any) -> dict[str, dict[str, Any]]:
    return {f"C={c:g}": validated(LogisticRegression(C=c, max_iter=1000), **more) for c in (10, 0.001)}


@pytest.mark.parametrize("cv", [FOLDS, RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)])
@pytest.mark.parametrize("y", [Y, NAMES, Y * 2 + 1])
def test_scores_are_those_of_scikit_learn(cv: Any, y: Any):
    results = models(cv=cv, y=y)
    judged = wellfit.judge(y, results, X=X)
    assert len(judged.runs()) == sum(len(of["test_score"]) for of in results.values())
    for variant in judged.summary.variants:
        scores = results[variant.name]["test_score"]
        np.testing.assert_allclose(variant.mean["test_accuracy"], scores.mean(), rtol=1e-12)


@pytest.mark.parametrize("form", [pd.DataFrame, sparse.csr_matrix, list])
def test_features_in_any_form(form: Any):
    found = out_of_fold(NAMES, models(x=form(X)), form(X))
    expected = out_of_fold(NAMES, models(), X)
    np.testing.assert_allclose(found.predictions["C=10"][2], expected.predictions["C=10"][2], atol=0.01)
    assert found.classes == ("iris a", "iris b", "iris c")


def test_classes_where_there_are_no_probabilities():
    results = {name: validated(RidgeClassifier(alpha)) for name, alpha in (("a", 1), ("b", 100))}
    judged = wellfit.judge(NAMES, results, X=X)
    for variant in judged.summary.variants:
        np.testing.assert_allclose(
            variant.mean["test_accuracy"], results[variant.name]["test_score"].mean(), rtol=1e-12
        )


def test_a_class_that_a_fold_lacks_has_probability_zero():
    groups = np.where(Y == 2, 0, 1 + np.arange(150) % 2)
    results = {"a": validated(LogisticRegression(max_iter=1000), cv=GroupKFold(3), groups=groups)}
    found = out_of_fold(NAMES, results, X)
    lacking = [at for at, one in enumerate(results["a"]["estimator"]) if len(one.classes_) == 2]
    assert lacking
    assert (found.predictions["a"][lacking[0]][:, 2] == 0).all()
    np.testing.assert_allclose(found.predictions["a"][lacking[0]].sum(axis=1), 1)


def test_what_is_missing_is_one_line():
    good = models()
    other = {**good, "x": validated(LogisticRegression(max_iter=1000), cv=KFold(5))}
    for y, results, x, message in (
        (
            NAMES,
            {"a": validated(LogisticRegression(max_iter=1000), return_estimator=False)},
            X,
            "'a' has no estimator; call",
        ),
        (
            NAMES,
            {"a": validated(LogisticRegression(max_iter=1000), return_indices=False)},
            X,
            "'a' has no indices; call",
        ),
        (NAMES, good, None, r"without X; give judge\(y, results, X=X\)"),
        (None, good, X, "without y_test; give"),
        (NAMES[:100], good, X[:100], "was fitted on other data than the 100 labels"),
        (NAMES, good, X[:100], "other data than the 150 labels and 100 examples"),
        (NAMES, good, X[:, :2], "LogisticRegression cannot predict .*; give the X of cross_validate"),
        (NAMES, other, X, r"split \d of 'x' tests other examples than that of 'C=10'; give both the same cv"),
        (Y, {"a": validated(LinearRegression(), y=Y)}, X, "LinearRegression is no classifier, or not fitted"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            wellfit.judge(y, results, X=x)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rounds", [1, 2])
def test_splits_share_training_examples_which_is_said(rounds: int):
    cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=rounds, random_state=0)
    judged = wellfit.judge(Y, models(cv=cv, y=Y), X=X)
    caution = judged.summary.provenance["caution"]
    assert caution.startswith("Seeds judged parts of the examples, as the splits of a cross-validation do, which share")
    assert ("probability of a false claim is above 5 %" in caution) is (rounds == 2)
    assert "limited to 5 %" not in judged.verdict
    words = "is about 5 %, for new seeds and new examples, though not for another training set"
    assert (words if rounds == 1 else "is above 5 %, since repeated splits share") in judged.verdict
