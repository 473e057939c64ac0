"""A grid search for scikit-learn that trains all candidates of a fold as one population."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils.validation import check_is_fitted

from wellfit.interop.sklearn import VARIED, WellfitClassifier

__all__ = ["WellfitSearchCV"]


class WellfitSearchCV(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """``GridSearchCV`` for a ``WellfitClassifier``, alone or as the last step of a ``Pipeline``.

    In each fold, the candidates that differ in nothing but settings of training or in the model are trained as one
    population, faster than one after the other. With an integer as ``random_state``, they get the same scores, up to
    float32 rounding. Candidates that differ in other parameters (``seeds``, those of steps before the classifier ...)
    are trained apart. One score is computed, on the test folds; it is NaN for a candidate whose networks all diverge.
    Callbacks and parameters of ``fit`` are not supported.

    Args:
      estimator: a ``WellfitClassifier``, or a ``Pipeline`` that ends with one.
      param_grid: parameter -> values, or a list of such; ``classifier__l2`` in a pipeline.
      scoring: a scorer or its name; None for the accuracy.
      refit: whether the best candidate is fitted again on all rows.
      cv: as in ``GridSearchCV``; None for five stratified folds.

    Attributes:
      cv_results_, best_params_, best_score_, best_index_, best_estimator_, n_splits_, scorer_, refit_time_,
        classes_: as in ``GridSearchCV``; the times of a candidate are its share of its population's.

    Example:
      >>> from sklearn.datasets import load_iris
      >>> X, y = load_iris(return_X_y=True)
      >>> classifier = WellfitClassifier((8,), seeds=2, epochs=20, batch_size=8, random_state=0)
      >>> search = WellfitSearchCV(classifier, {"learning_rate": [1e-6, 1e-2]}, cv=2).fit(X, y)
      >>> search.best_params_, search.predict(X).shape
      ({'learning_rate': 0.01}, (150,))
    """

    def __init__(
        self,
        estimator: Any,
        param_grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Sequence[Any]]],
        *,
        scoring: Any = None,
        refit: bool = True,
        cv: Any = None,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.scoring = scoring
        self.refit = refit
        self.cv = cv

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> WellfitSearchCV:
        """Score every candidate in every fold, and fit the best one on all rows.

        Args:
          X: rows, as the estimator takes them.  # (N, ...)
          y: their labels.  # (N,)
          groups: of the rows, for splitters that keep them together.  # (N,)

        Raises:
          ValueError: an estimator, a grid or data that cannot be used, or every candidate diverged.
        """
        self._check()
        X, y, groups = indexable(X, y, groups)
        candidates = list(ParameterGrid(self.param_grid))
        splits = list(check_cv(self.cv, y, classifier=True).split(X, y, groups))
        self.scorer_, self.n_splits_ = check_scoring(self.estimator, scoring=self.scoring), len(splits)
        scores = np.full((len(candidates), len(splits)), np.nan)
        fit_times, score_times = np.zeros_like(scores), np.zeros_like(scores)
        for fold, (train, test) in enumerate(splits):
            rows, labels = _safe_indexing(X, train), _safe_indexing(y, train)
            held_out, truth = _safe_indexing(X, test), _safe_indexing(y, test)
            for places in self._populations(candidates):
                began = time.perf_counter()
                fitted = self._fitted([candidates[at] for at in places], rows, labels)
                fit_times[places, fold] = (time.perf_counter() - began) / len(places)
                for at, one in zip(places, fitted, strict=True):
                    began = time.perf_counter()
                    if one is not None:
                        scores[at, fold] = self.scorer_(one, held_out, truth)
                    score_times[at, fold] = time.perf_counter() - began
        self._choose(candidates, scores, fit_times, score_times)
        if self.refit:
            began = time.perf_counter()
            self.best_estimator_ = clone(self.estimator).set_params(**clone(self.best_params_, safe=False)).fit(X, y)
            self.refit_time_ = time.perf_counter() - began
        return self

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """The score of the best estimator.

        Args:
          X: rows.  # (N, ...)
          y: their labels.  # (N,)
        """
        return float(self.scorer_(self._best(), X, y))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The best estimator's most probable class of each row.  # (N,)"""
        labels: NDArray[Any] = self._best().predict(X)
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """The best estimator's probabilities.  # (N, K)"""
        probabilities: NDArray[np.float64] = self._best().predict_proba(X)
        return probabilities

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels of the classes.  # (K,)"""
        labels: NDArray[Any] = self._best().classes_
        return labels

    # --- In between

    def _best(self) -> Any:
        """The best estimator, fitted on all rows."""
        check_is_fitted(self, "cv_results_")
        if not hasattr(self, "best_estimator_"):
            raise AttributeError("refit=False leaves no estimator; set refit=True, or fit one with best_params_")
        return self.best_estimator_

    def _prefix(self) -> str:
        """What precedes the names of the classifier's parameters."""
        return f"{self.estimator.steps[-1][0]}__" if isinstance(self.estimator, Pipeline) else ""

    def _check(self) -> None:
        last = self.estimator.steps[-1][1] if isinstance(self.estimator, Pipeline) else self.estimator
        if not isinstance(last, WellfitClassifier):
            raise ValueError(f"estimator: {last!r} is no WellfitClassifier; use GridSearchCV")
        grids = [self.param_grid] if isinstance(self.param_grid, Mapping) else self.param_grid
        if last.variants or any(f"{self._prefix()}variants" in grid for grid in grids):
            raise ValueError("the classifier has variants, and the grid is another set of them; give one of the two")

    def _populations(self, candidates: Sequence[Mapping[str, Any]]) -> list[list[int]]:
        """The places of the candidates that can be trained together: they set the same, and share all others.

        Other values are shared if they are the same object, the one in the grid: any object can be such a value, and
        not every one can be compared, hashed or written out in full.
        """
        together: dict[Any, list[int]] = {}
        for at, candidate in enumerate(candidates):
            varied, others = self._divided(candidate)
            shared = tuple((name, id(others[name])) for name in sorted(others))
            together.setdefault((tuple(sorted(varied)), shared), []).append(at)
        return list(together.values())

    def _divided(self, candidate: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The parameters that may differ within a population, by their names in the classifier, and the others."""
        prefix = self._prefix()
        varied, others = dict[str, Any](), dict[str, Any]()
        for name, value in candidate.items():
            bare = name.removeprefix(prefix)
            if name.startswith(prefix) and bare in VARIED:
                varied[bare] = value
            else:
                others[name] = value
        return varied, others

    def _fitted(self, candidates: Sequence[Mapping[str, Any]], X: Any, y: Any) -> list[Any]:
        """The estimators of candidates that can be trained together; None where all networks diverged."""
        varied = [self._divided(candidate)[0] for candidate in candidates]
        whole = clone(self.estimator).set_params(**clone(self._divided(candidates[0])[1], safe=False))
        if not isinstance(whole, Pipeline):
            return list(whole._each(X, y, varied))
        before = whole.steps[:-1]
        rows = Pipeline(before).fit_transform(X, y) if before else X
        each = whole[-1]._each(rows, y, varied)
        return [None if one is None else Pipeline([*before, (whole.steps[-1][0], one)]) for one in each]

    def _choose(
        self, candidates: list[dict[str, Any]], scores: NDArray[Any], fit_times: NDArray[Any], score_times: NDArray[Any]
    ) -> None:
        """Make the table of all candidates, and find the best."""
        mean = scores.mean(axis=1)
        if np.isnan(mean).all():
            raise ValueError("the networks of every candidate diverged; choose smaller learning rates")
        if failed := int(np.isnan(scores).sum()):
            message = f"{failed} of {scores.size} fits diverged; their scores are NaN"
            warnings.warn(message, FitFailedWarning, stacklevel=3)
        ranks = rankdata(-np.where(np.isnan(mean), np.nanmin(mean) - 1, mean), method="min")
        table: dict[str, Any] = {}
        for name, values in (("fit_time", fit_times), ("score_time", score_times)):
            table |= {f"mean_{name}": values.mean(axis=1), f"std_{name}": values.std(axis=1)}
        for name in sorted({name for candidate in candidates for name in candidate}):
            values = np.ma.MaskedArray(np.empty(len(candidates), object), mask=True)
            for at, candidate in enumerate(candidates):
                if name in candidate:
                    values[at] = candidate[name]
            table[f"param_{name}"] = values
        table |= {"params": candidates, **{f"split{k}_test_score": scores[:, k] for k in range(scores.shape[1])}}
        table |= {
            "mean_test_score": mean,
            "std_test_score": scores.std(axis=1),
            "rank_test_score": ranks.astype(np.int32),
        }
        self.cv_results_, self.best_index_ = table, int(ranks.argmin())
        self.best_params_, self.best_score_ = candidates[self.best_index_], float(mean[self.best_index_])
