"""Results of scikit-learn's ``cross_validate`` with the data: what each fold's estimator predicts out of fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.data.predictions.label_values import label_values
from wellfit.errors import DataError, one_line

__all__ = ["OutOfFold", "is_cross_validated", "out_of_fold"]

_WHERE: Final = "judge(...)"
_HOW: Final = "call cross_validate(..., return_estimator=True, return_indices=True)"


class OutOfFold(NamedTuple):
    """What the estimators predict for the examples that they were not fitted on.

    Args:
      predictions: variant -> the number of a split -> probabilities, or classes where an estimator has none.
      folds: the number of a split -> the positions of its test examples.  # (m,) each
      classes: the names of the columns of probabilities; None where classes are predicted.
    """

    predictions: dict[str, dict[int, NDArray[Any]]]
    folds: dict[int, IntArray]
    classes: tuple[str, ...] | None


def is_cross_validated(predictions: Any) -> bool:
    """Whether all of variant -> entry are results of ``cross_validate``.

    Example:
      >>> is_cross_validated({"l2": {"test_score": [0.5], "fit_time": [0.1]}}), is_cross_validated({"l2": {0: [1, 0]}})
      (True, False)
    """
    return (
        isinstance(predictions, Mapping)
        and bool(predictions)
        and all(isinstance(of, Mapping) and "fit_time" in of for of in predictions.values())
    )


def out_of_fold(y: Any, results: Mapping[str, Mapping[str, Any]], X: Any) -> OutOfFold:
    """What each estimator predicts for the test examples of its split.

    Args:
      y: the labels.  # (N,)
      results: variant -> result, all of the same splits.
      X: the features, as they were handed to ``cross_validate``.

    Raises:
      DataError: no estimators or indices, other splits, estimators that are no classifiers or cannot predict.
    """
    if y is None or X is None:
        raise DataError(f"{_WHERE}: results of cross_validate without {'y_test' if y is None else 'X'}; give "
                        "judge(y, results, X=X) with the data of the cross-validation")  # fmt: skip
    count = len(y)
    folds: dict[int, IntArray] = {}
    first = ""
    for name, of in results.items():
        if missing := [key for key in ("estimator", "indices") if key not in of]:
            raise DataError(f"{_WHERE}: {name!r} has no {missing[0]}; {_HOW}")
        tests = [np.asarray(at) for at in of["indices"]["test"]]
        if any(at.size and int(at.max()) >= count for at in tests) or _length(X) != count:
            raise DataError(f"{_WHERE}: {name!r} was fitted on other data than the {count:,} labels and {_length(X):,} "
                            "examples given; give the X and y of cross_validate")  # fmt: skip
        for at, rows in enumerate(tests):
            if at in folds and not np.array_equal(folds[at], rows):
                raise DataError(f"{_WHERE}: split {at} of {name!r} tests other examples than that of {first!r}; give "
                                "both the same cv with a random_state")  # fmt: skip
            folds.setdefault(at, rows)
        first = first or name
    estimators = {name: list(of["estimator"]) for name, of in results.items()}
    every = [one for of in estimators.values() for one in of]
    if not all(hasattr(one, "classes_") for one in every):
        odd = next(one for one in every if not hasattr(one, "classes_"))
        raise DataError(f"{_WHERE}: {type(odd).__name__} is no classifier, or not fitted; judge classifiers")
    probabilities = all(hasattr(one, "predict_proba") for one in every)
    known = np.unique(np.concatenate([np.asarray(one.classes_) for one in every]))  # (K,)
    predictions = {
        name: {at: _predicted(one, _rows(X, folds[at]), known if probabilities else None, f"{name!r}, split {at}")
               for at, one in enumerate(of)}
        for name, of in estimators.items()
    }  # fmt: skip
    classes = tuple(map(str, label_values(known, _WHERE).tolist())) if probabilities else None
    return OutOfFold(predictions, folds, classes)


def _length(X: Any) -> int:
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def _rows(X: Any, at: IntArray) -> Any:
    """Some examples of an array, a sparse matrix, a DataFrame or a list."""
    if hasattr(X, "iloc"):
        return X.iloc[at]
    return X[at] if hasattr(X, "shape") else [X[one] for one in at.tolist()]


def _predicted(estimator: Any, X: Any, known: NDArray[Any] | None, which: str) -> NDArray[Any]:
    """The probabilities of all known classes, 0 for those that a fold lacked; or the predicted classes."""
    try:
        if known is None:
            return np.asarray(estimator.predict(X))
        p = np.asarray(estimator.predict_proba(X))
    except Exception as error:  # of any library
        raise DataError(f"{_WHERE}: {which}: {type(estimator).__name__} cannot predict ({one_line(error)}); give the X "
                        "of cross_validate") from None  # fmt: skip
    found = np.zeros((len(p), len(known)), p.dtype)
    found[:, np.searchsorted(known, estimator.classes_)] = p
    return found
