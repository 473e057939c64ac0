"""A fitted model as a classifier of scikit-learn that has been fitted, for ``joblib`` and everything that predicts."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from wellfit.base import FloatArray
from wellfit.errors import WellfitError

if TYPE_CHECKING:
    from wellfit.model.fitted import FittedModel

__all__ = ["ExportedClassifier", "joblib_file"]


class ExportedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted model as scikit-learn expects a classifier: fitted already, and not to be fitted again.

    Args:
      model: whose predictions it gives.

    Attributes:
      classes_: the classes in ascending order, as scikit-learn's scores expect them: whole numbers if all of them are,
        otherwise texts.  # (K,)
      n_features_in_: the number of pixels, or of the columns that describe examples in the training table.
      feature_names_in_: the names of these columns, in their order; only of tables. Of a DataFrame, those that tell
        nothing, and which the model does not use, may be left out.

    Example:
      >>> from wellfit import Study, mlp
      >>> classifier = ExportedClassifier(Study("digits", mlp(16), epochs=1, seeds=1).run().model())
      >>> classifier.classes_[:3].tolist(), classifier.n_features_in_
      ([0, 1, 2], 64)
    """

    def __init__(self, model: FittedModel) -> None:
        self.model = model

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes in ascending order.  # (K,)"""
        return np.sort(self._names())

    @property
    def n_features_in_(self) -> int:
        """The number of pixels or columns: how many values of an example an array must have."""
        return int(np.prod(self.model.form.shape))

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """The names of the columns; of tables alone."""
        if not self.model.form.columns:
            raise AttributeError("the model takes no columns with names")
        return np.array([column.name for column in self.model.form.columns], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> ExportedClassifier:
        """Refuse: what is exported is trained already.

        Raises:
          WellfitError: always.
        """
        raise WellfitError(
            "an exported model is trained already; use it in sklearn.frozen.FrozenEstimator, or WellfitClassifier"
        )

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each example.

        Args:
          X: as ``FittedModel.predict`` takes it, or images with their pixels in a row.  # (N, ...)

        Raises:
          DataError: the examples are unlike the training data.
        """
        best: NDArray[Any] = self._names()[self.model.predict_proba(X).argmax(axis=1)]
        return best

    def predict_proba(self, X: Any) -> FloatArray:
        """The probability of each class, in the order of ``classes_``.  # (N, K)

        Raises:
          DataError: as for ``predict``.
        """
        probabilities: FloatArray = self.model.predict_proba(X)[:, np.argsort(self._names())]
        return probabilities

    def _names(self) -> NDArray[Any]:
        """The classes in the order of the model."""
        names = self.model.classes
        whole = all(re.fullmatch(r"0|-?[1-9][0-9]{0,17}", name) for name in names)
        return np.array([int(name) for name in names] if whole else names)


def joblib_file(model: FittedModel) -> bytes:
    """The content of a file that ``joblib.load`` turns into an ``ExportedClassifier``, where wellfit is installed.

    Like every pickle, such a file can run any code when it is loaded: only load files of your own.
    """
    content = io.BytesIO()
    joblib.dump(ExportedClassifier(model), content)
    return content.getvalue()
