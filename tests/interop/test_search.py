"""The grid search against scikit-learn's own, which fits one candidate after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from wellfit import mlp
from wellfit.interop.search import WellfitSearchCV
from wellfit.interop.sklearn import WellfitClassifier

X, Y = make_blobs(60, n_features=4, centers=3, cluster_std=3.0, random_state=1)
RATES = {"learning_rate": [1e-6, 1e-2]}


def small(**settings: Any) -> WellfitClassifier:
    usual = {"model": (8,), "seeds": 2, "epochs": 4, "batch_size": 8, "random_state": 0}
    return WellfitClassifier(**{**usual, **settings})


def assert_same(ours: WellfitSearchCV, theirs: GridSearchCV) -> None:
    """The same candidates with the same scores and ranks; times differ."""
    assert ours.cv_results_.keys() == theirs.cv_results_.keys()
    for key, expected in theirs.cv_results_.items():
        if key.startswith("param"):
            assert list(ours.cv_results_[key]) == list(expected)
            assert np.ma.getmaskarray(ours.cv_results_[key]).tolist() == np.ma.getmaskarray(expected).tolist()
        elif "time" not in key:
            np.testing.assert_allclose(ours.cv_results_[key], expected, rtol=1e-9)
    assert (ours.best_params_, ours.best_index_) == (theirs.best_params_, theirs.best_index_)
    assert ours.best_score_ == pytest.approx(theirs.best_score_)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    assert ours.predict(X).tolist() == theirs.predict(X).tolist()
    assert ours.score(X, Y) == theirs.score(X, Y)
    assert ours.classes_.tolist() == theirs.classes_.tolist()


@pytest.mark.parametrize("pipeline", [False, True])
def test_the_scores_and_the_choice_are_grid_searchs(pipeline: bool) -> None:
    estimator: Any = small()
    grid: Any = [{"learning_rate": [1e-6, None], "epochs": [2, 4]}, {"model": [(4,), mlp(6)], "seeds": [1]}]
    if pipeline:
        estimator = Pipeline([("scale", StandardScaler()), ("net", small())])
        grid = [{"net__learning_rate": [1e-6, 1e-2], "scale__with_std": [True, False]}]
    ours, theirs = (search(estimator, grid, cv=2).fit(X, Y) for search in (WellfitSearchCV, GridSearchCV))
    assert_same(ours, theirs)


def test_values_that_look_alike_are_told_apart() -> None:
    first = np.arange(1200) < 600  # arrays this long are printed without their middle
    second = first.copy()
    second[500:700] = ~second[500:700]
    steps = FunctionTransformer(_select), small(epochs=1)
    grid = {"a__kw_args": [{"of": first}, {"of": second}], "net__learning_rate": [1e-3, 1e-2]}
    search = WellfitSearchCV(Pipeline([("a", steps[0]), ("net", steps[1])]), grid, cv=2)
    assert repr(grid["a__kw_args"][0]) == repr(grid["a__kw_args"][1])
    candidates: Any = [{"a__kw_args": of, "net__l2": l2} for of in grid["a__kw_args"] for l2 in (0.0, 0.1)]
    assert search._populations(candidates) == [[0, 1], [2, 3]]
    theirs = GridSearchCV(search.estimator, grid, cv=2, refit=False).fit(X, Y)
    ours = search.set_params(refit=False).fit(X, Y)
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-9)
    scores = ours.cv_results_["mean_test_score"]
    assert scores[:2].tolist() != scores[2:].tolist()


def _select(x: Any, of: Any) -> Any:
    """The rows, or nothing but zeros."""
    return x * of[550]


@pytest.mark.slow
def test_digits_choose_the_same_as_with_grid_search() -> None:
    x, y = load_digits(return_X_y=True)
    grid = {"l2": [0.0, 1e-3, 1e-2], "learning_rate": [1e-4, 3e-3]}
    classifier = small(model=(16,), epochs=8, batch_size=32)
    ours, theirs = (search(classifier, grid, cv=3, refit=False).fit(x, y) for search in (WellfitSearchCV, GridSearchCV))
    assert ours.best_params_ == theirs.best_params_
    for fold in range(3):  # of 599 rows, float32's rounding may move one
        key = f"split{fold}_test_score"
        np.testing.assert_allclose(ours.cv_results_[key], theirs.cv_results_[key], atol=1.5 / 599)


def test_it_is_a_classifier_in_scikit_learns_tools() -> None:
    search = WellfitSearchCV(small(), RATES, cv=2)
    assert is_classifier(search)
    assert clone(search).get_params()["param_grid"] == RATES
    with pytest.raises(NotFittedError):
        search.predict(X)
    frame, groups = pd.DataFrame(X, columns=list("abcd")), np.arange(60) // 4
    found = WellfitSearchCV(small(), RATES, cv=GroupKFold(2), scoring="neg_log_loss").fit(frame, Y, groups)
    assert found.best_estimator_.feature_names_in_.tolist() == list("abcd")
    assert found.best_score_ < 0
    assert cross_val_score(search, X, Y, cv=2).shape == (2,)


def test_without_refit_nothing_predicts() -> None:
    search = WellfitSearchCV(small(), RATES, cv=2, refit=False).fit(X, Y)
    assert search.best_params_ == {"learning_rate": 1e-2}
    with pytest.raises(AttributeError, match="refit=False leaves no estimator; set refit=True"):
        search.predict(X)


def test_candidates_that_diverge_have_no_score() -> None:
    with pytest.warns(FitFailedWarning, match="2 of 4 fits diverged; their scores are NaN"):
        search = WellfitSearchCV(small(), {"learning_rate": [1e38, 1e-2]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"learning_rate": 1e-2}
    assert search.cv_results_["rank_test_score"].tolist() == [2, 1]
    with pytest.raises(ValueError, match="the networks of every candidate diverged; choose smaller learning rates"):
        WellfitSearchCV(small(), {"learning_rate": [1e38]}, cv=2).fit(X, Y)


@pytest.mark.parametrize(
    ("estimator", "grid", "said"),
    [
        (LogisticRegression(), {"C": [1]}, r"LogisticRegression\(\) is no WellfitClassifier; use GridSearchCV"),
        (Pipeline([("a", LogisticRegression())]), {"a__C": [1]}, "is no WellfitClassifier"),
        (small(variants={"a": {}}), RATES, "the classifier has variants, and the grid is another set of them"),
        (small(), {"variants": [{"a": {}}]}, "the classifier has variants, and the grid is another set of them"),
        (small(), {"dropout": [1.5]}, "dropout: must be at least 0 and less than 1, got 1.5"),
    ],
)
def test_what_cannot_be_searched(estimator: Any, grid: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WellfitSearchCV(estimator, grid, cv=2).fit(X, Y)
