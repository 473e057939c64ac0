"""A fitted model: the networks of one variant, everything that precedes them, and where they come from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.intervals import exact_interval
from wellfit.analysis.metrics import log_loss
from wellfit.base import FloatArray, IntArray, ModelSpec, Preparation, Scaling
from wellfit.data.later import Form, Later, read_examples
from wellfit.data.parts import listed
from wellfit.data.preparation import prepare
from wellfit.data.seen import Hashes, example_hashes
from wellfit.data.tables.cells import is_number
from wellfit.errors import DataError
from wellfit.model.unlike import unlike_training

if TYPE_CHECKING:
    import pandas as pd

    from wellfit.interop.exported_estimator import ExportedClassifier

__all__ = ["Evaluation", "FittedModel", "Network", "Origin"]

_WRAPPED: Final = 12


@dataclass(frozen=True, eq=False)
class Network:
    """One trained network, and what was fitted on its training examples.

    Args:
      seed: of its training.
      weights: as in ``RunRecord``: ``"dense_1/kernel"`` -> float32 array.
      preparation: of the columns of a table.
      scaling: of the features, or of the pixels.
    """

    seed: int
    weights: Mapping[str, FloatArray]
    preparation: Preparation
    scaling: Scaling


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a model comes from, and what is known of it.

    Args:
      study, title: name and question of the study.
      data, data_hash: title of the data set, and its SHA-256.
      variant: whose networks these are.
      recipe: the complete recipe, as plain data.
      choice: why this variant, in a sentence.
      accuracy, interval: the test accuracy of one network (shares of 1) with its 95 % interval, over new seeds and new
        examples; None if it was not tested.
      tested: the number of test examples behind it; 0 if there are none.
      expected: the same in a sentence.
      fingerprint: of the study directory; None if it has none.
      version: of wellfit.
    """

    study: str
    title: str
    data: str
    data_hash: str
    variant: str
    recipe: Mapping[str, Any]
    choice: str
    accuracy: float | None
    interval: tuple[float, float] | None
    tested: int
    expected: str
    fingerprint: str | None
    version: str


@dataclass(frozen=True)
class Evaluation:
    """How well a model classifies labeled examples.

    Args:
      examples: their number.
      accuracy: share of them that it classifies correctly.
      interval: 95 %, for new examples of the same kind, if these are independent (Clopper and Pearson, 1934).
      log_loss: mean negative logarithm of the probability of the true class.
      each: the accuracy of each network, by seed.
      trained: how many of the examples are equal to examples that trained the model; None if that is not known.
    """

    examples: int
    accuracy: float
    interval: tuple[float, float]
    log_loss: float
    each: Mapping[int, float]
    trained: int | None = None

    def __str__(self) -> str:
        low, high = (100 * bound for bound in self.interval)
        return (
            f"accuracy {100 * self.accuracy:.2f} % [{low:.2f}, {high:.2f}] on {self.examples:,} examples, log loss "
            f"{self.log_loss:.4f}"
        )


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A model that predicts the class of examples as they come: files, raw pixels, rows of a table.

    With several networks it is an ensemble: the mean of their probabilities.

    Args:
      spec: the architecture of every network.
      classes: names of the classes.
      networks: at least one.
      form: what examples must look like.
      origin: where the model comes from.
      trained: hashes of the examples that trained any network, see ``data.seen``; None if they are not known.

    Example:
      >>> from wellfit import Study, mlp
      >>> model = Study("digits", mlp(16), epochs=2, seeds=2).run().model()
      >>> model.predict(np.zeros((3, 8, 8))).shape, model.predict_proba(np.zeros((3, 8, 8))).shape
      ((3,), (3, 10))
    """

    spec: ModelSpec
    classes: tuple[str, ...]
    networks: tuple[Network, ...]
    form: Form
    origin: Origin
    trained: Hashes | None = None

    def predict(self, examples: Any) -> NDArray[Any]:
        """The most probable class of each example.

        Args:
          examples: an array like the training data (N, ...), a DataFrame with the same columns, the path of an image, a
            folder, a table or an array file, or a list of images.

        Returns:
          Names of classes, texts.  # (N,)

        Raises:
          DataError: the examples cannot be read, or are unlike the training data.
        """
        names: NDArray[Any] = np.array(self.classes)
        best: NDArray[Any] = names[self.predict_proba(examples).argmax(axis=1)]
        return best

    def predict_proba(self, examples: Any, *, each: bool = False) -> FloatArray:
        """The probability of each class.

        Args:
          examples: as for ``predict``.
          each: whether to return the probabilities of each network instead of their mean.

        Returns:
          Float32, in the order of ``classes``.  # (N, K), or with ``each`` (S, N, K)

        Raises:
          DataError: as for ``predict``.
        """
        probabilities = self._each(self._read(examples))
        if each:
            return probabilities
        mean: FloatArray = probabilities.mean(axis=0)
        return mean

    def predictions(self, examples: Any) -> pd.DataFrame:
        """The predictions as a table.

        Args:
          examples: as for ``predict``.

        Returns:
          A row an example, indexed by its file or line: ``class``, ``probability`` of that class, and ``spread``: its
          standard deviation over the networks (NaN for a single one).

        Raises:
          DataError: as for ``predict``.
        """
        import pandas as pd

        later = self._read(examples)
        labels: pd.Index[Any] = pd.Index(later.names, dtype=object, name="example")
        if later.identifier is not None:
            name = later.identifier.name
            taken = name in ("class", "probability", "spread")
            labels = pd.Index(later.identifier.values, name=f"{name} (identifier)" if taken else name)
            if repeated := int(labels.duplicated(keep=False).sum()):
                warnings.warn(f"{name}: {repeated:,} of {len(labels):,} rows share it with another row", stacklevel=2)
        probabilities = self._each(later)  # (S, N, K)
        mean = probabilities.mean(axis=0)  # (N, K)
        best = mean.argmax(axis=1)
        of_best = probabilities[:, np.arange(len(best)), best].astype(np.float64)  # (S, N)
        spread = of_best.std(axis=0, ddof=1) if len(of_best) > 1 else np.full(len(best), np.nan)
        columns = {"class": np.array(self.classes)[best], "probability": of_best.mean(axis=0), "spread": spread}
        return pd.DataFrame(columns, index=labels)

    def evaluate(self, examples: Any, labels: Any = None) -> Evaluation:
        """Compare predictions with labels that the model has not seen; it warns of examples that trained it.

        Args:
          examples: as for ``predict``.
          labels: names of classes, or their positions; by default those that come with the examples: in the label
            column of a table, as an array beside the examples, or as the names of the folders of images.  # (N,)

        Raises:
          DataError: as for ``predict``; there are no labels, or one that is not a class of the model.
        """
        later = self._read(examples)
        truth = self._positions(later, labels)  # (N,)
        probabilities = self._each(later)  # (S, N, K)
        mean = probabilities.mean(axis=0)
        correct = mean.argmax(axis=1) == truth
        each = (probabilities.argmax(axis=2) == truth).mean(axis=1)
        seeds = [network.seed for network in self.networks]
        return Evaluation(
            examples=len(truth),
            accuracy=float(correct.mean()),
            interval=exact_interval(float(correct.sum()), len(truth)),
            log_loss=log_loss(mean.astype(np.float64), truth),
            each=dict(zip(seeds, each.tolist(), strict=True)),
            trained=self._trained(later),
        )

    def save(self, path: str | Path) -> Path:
        """Save the model in one file, which ``wellfit.load`` reads.

        Args:
          path: the file; its name ends in ``.safetensors``.

        Returns:
          The path.

        Raises:
          StudyFileError: the name ends otherwise.
          StoreError: the file cannot be written.
        """
        from wellfit.model.saved import save

        return save(self, Path(path))

    def to_keras(self) -> Any:
        """The model as a ``keras.Model``; see ``wellfit.interop.keras.to_keras`` for its inputs.

        Raises:
          WellfitError: Keras is not installed.
        """
        from wellfit.interop.keras import to_keras

        return to_keras(self)

    def to_onnx(self, pixels: str = "float32") -> bytes:
        """The model as the content of an ONNX file; see ``wellfit.interop.onnx.to_onnx`` for its inputs.

        Args:
          pixels: the type of the pixels of images: "float32" or "uint8".

        Raises:
          StudyFileError: the pixels cannot be uint8.
          WellfitError: onnx is not installed, or the weights are too many for such a file.
        """
        from wellfit.interop.onnx import to_onnx

        return to_onnx(self, pixels)

    def to_sklearn(self) -> ExportedClassifier:
        """The model as a fitted classifier of scikit-learn."""
        from wellfit.interop.exported_estimator import ExportedClassifier

        return ExportedClassifier(self)

    def summary(self) -> str:
        """The model in words: layers, parameters, what precedes them, classes, and what accuracy to expect."""
        from wellfit.model.words import summary_lines

        return "\n".join(summary_lines(self))

    def __repr__(self) -> str:
        count = len(self.networks)
        what = "1 network" if count == 1 else f"ensemble of {count} networks"
        return f"FittedModel({self.origin.variant!r}, {what}, {len(self.classes)} classes)"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as the content of its file, which later versions of wellfit read, too."""
        from wellfit.model.saved import packed, unpacked

        return unpacked, (packed(self),)

    # --- In between

    def _read(self, examples: Any) -> Later:
        """The examples as they came; what was changed, or is new to the model, is warned of."""
        later = read_examples(examples, self.form)
        first = self.networks[0]
        unlike = unlike_training(first.preparation, first.scaling, later.columns, later.x, self.form.columns)
        for note in (*later.notes, *unlike):
            warnings.warn(note, stacklevel=4)
        return later

    def _trained(self, later: Later) -> int | None:
        """How many examples are equal to examples that trained the model; they are warned of."""
        if self.trained is None:
            return None
        used = self.form.used if later.columns else ()
        count = int(np.isin(example_hashes(later.x, later.columns, used), self.trained).sum())
        if count:
            warnings.warn(
                f"{count:,} of {len(later.x):,} examples are equal to examples that trained this model, so that it "
                "knows them too well; on new examples, it is less accurate",
                stacklevel=3,
            )
        return count

    def _each(self, later: Later) -> FloatArray:
        """The probabilities of each network.  # (S, N, K)"""
        from wellfit.engine.inference import predict_each

        prepared = (
            (network.weights, prepare(network.preparation, later.columns, later.x), network.scaling)
            for network in self.networks
        )
        return predict_each(self.spec, prepared, len(self.classes))

    def _positions(self, later: Later, labels: Any) -> IntArray:
        """The classes of the examples, as positions.  # (N,)"""
        if labels is None:
            if later.labels is None:
                raise DataError("the examples have no labels; give them as the second argument")
            if later.unlabeled.any():
                row = int(np.argmax(later.unlabeled))
                raise DataError(f"{later.names[row]} has no label; add it, or leave the row out")
            labels = later.labels
        given = np.asarray(labels)
        if given.shape != (len(later.x),):
            raise DataError(f"labels of shape {given.shape} for {len(later.x):,} examples; give one label per example")
        return positions(given, self.classes)


def positions(labels: NDArray[Any], classes: Sequence[str]) -> IntArray:
    """The positions of labels among the classes.

    Args:
      labels: names of classes, numbers that are names of classes, or positions where no class has a number as its
        name.  # (N,)
      classes: their names.

    Raises:
      DataError: a label that is not a class.

    Example:
      >>> positions(np.array(["b", "a"]), ("a", "b")).tolist(), positions(np.array([7.0, 3.0]), ("3", "7")).tolist()
      ([1, 0], [1, 0])
      >>> positions(np.array([1, 0]), ("cat", "dog")).tolist()
      [1, 0]
    """
    values, codes = np.unique(labels, return_inverse=True)
    known = {name: at for at, name in enumerate(classes)}
    texts = [_text(value) for value in values.tolist()]
    if labels.dtype.kind in "uif" and not any(is_number(name) for name in classes):
        known = {str(at): at for at in range(len(classes))}
    unknown = [text for text in texts if text not in known]
    if unknown:
        raise DataError(
            f"the model has no class {listed(map(repr, unknown))}; its classes are {listed(classes, _WRAPPED)}"
        )
    return np.array([known[text] for text in texts], dtype=np.int64)[codes.reshape(-1)]


def _text(value: Any) -> str:
    """A label as the name of its class: 3.0 is the class 3."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
