"""A scikit-learn estimator that trains a population in ``fit`` and predicts with the ensemble of its seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from wellfit.analysis.selection import validation_gains
from wellfit.base import Column, Dataset, FloatArray, Header, IntArray, ModelSpec, Recipe, RunRecord, StudySummary
from wellfit.data.splits import dataset_hash
from wellfit.engine.release import release
from wellfit.errors import ShapeError, StudyFileError, WellfitError
from wellfit.model.direct import Direct, held_out_rows, train_direct
from wellfit.model.fitted import FittedModel
from wellfit.report.forms.notebook_progress import progress_display
from wellfit.spec.reading import plain_of
from wellfit.spec.study import StudySpec, study_from_mapping
from wellfit.study.handed import naming_arguments, plain_models

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["VARIED", "WellfitClassifier"]

_REAL: Final = (np.float64, np.float32)
_WHERE: Final = "WellfitClassifier(...)"
_SETTINGS: Final = tuple(
    f.name for f in dataclasses.fields(Recipe) if f.name not in ("model", "class_weights", "examples", "label_noise")
)
"""The parameters that are settings of [train]; ``class_weight`` is scikit-learn's own."""

_SCORES: Final = ("validation_accuracy", "validation_loss", "train_accuracy", "train_loss")

VARIED: Final = frozenset(("model", *_SETTINGS))
"""The parameters whose values can differ within one population."""

_MOST_SEEDS: Final = 10_000
_FEW_ROWS: Final = 256
_MANY_ROWS: Final = 2000
"""Rows are predicted in as many as this, so that two compiled programs are enough for any number of rows."""

_MOST_PROGRAMS: Final = 256
"""Compiled programs that are kept for the next fit: cross-validation fits the same shapes again and again."""


class WellfitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Networks of several seeds, and of several variants if given, trained as one population.

    ``fit`` needs no test set. Each seed holds out another part of the rows to validate on, so that every row trains
    most of the networks. Of several variants, the one that validation supports is kept: the best that is better than
    the first beyond chance, or else the first. Predictions are the mean of the probabilities of its networks.

    Variants that differ only in numbers (``l2``, ``dropout``, ``learning_rate`` ...) share one compiled program, and so
    do later fits on data of the same shape. ``GridSearchCV`` works, but fits one candidate after the other;
    ``WellfitSearchCV`` takes the same grid and trains it as one population.

    Rows are dense and without missing values. ``sample_weight`` is not supported; ``class_weight`` is. The callbacks of
    scikit-learn 1.9, which are experimental, are not supported: ``verbose`` shows the progress.

    Args:
      model: units of the hidden layers, or a model from ``wellfit.mlp``, ``logistic``, ``lenet5``, ``cnn``, ``layers``.
      variants: name -> its changes to the settings, as in a study; the first is the reference.
      seeds: number of networks, whose seeds ``random_state`` draws; or a list of seeds.
      epochs, batch_size, ... average: as in ``[train]`` of a study file, see ``wellfit.base.Recipe``. A batch has at
        most all training rows.
      class_weight: as in scikit-learn: None, ``"balanced"``, or class -> weight.
      precision: of the matrix products: ``"float32"``, ``"mixed"`` or ``"auto"``.
      validation: share of the rows that each seed holds out.
      folds: as many seeds hold out different rows; with 1, all hold out the same, and train side by side.
      input_shape: of an image whose pixels a row holds, for example ``(28, 28)``, which convolutions need.
      random_state: draws the seeds and what they hold out; None takes NumPy's global generator.
      verbose: 1 shows the progress.

    Attributes:
      classes_: labels of the classes.  # (K,)
      n_features_in_, feature_names_in_: as in scikit-learn.
      model_: the fitted ``FittedModel``: saves to a file, evaluates, says in ``summary()`` why it was chosen.
      variant_: name of the chosen variant.
      validation_score_: mean accuracy of its networks on what each held out. It is optimistic if it chose the variant.
      n_iter_: the most epochs that any of its networks trained.
      results_: a row per variant: its mean scores, the difference of its validation accuracy to that of the first with
        its 95 % interval, whether it is better beyond chance, and whether it was chosen.
      runs_: a row per run with its scores; ``history_``: a row per run and epoch.

    Example:
      >>> from sklearn.datasets import load_iris
      >>> X, y = load_iris(return_X_y=True)
      >>> strengths = {f"l2={l2:g}": {"l2": l2} for l2 in (0.0, 1e-3)}
      >>> classifier = WellfitClassifier((16,), strengths, seeds=2, epochs=20, batch_size=8, random_state=0).fit(X, y)
      >>> classifier.predict_proba(X).shape, classifier.score(X, y) > 0.8
      ((150, 3), True)
    """

    classes_: NDArray[Any]
    model_: FittedModel
    variant_: str
    validation_score_: float
    n_iter_: int
    results_: pd.DataFrame
    runs_: pd.DataFrame
    history_: pd.DataFrame

    def __init__(
        self,
        model: ModelSpec | Sequence[int] = (128, 64),
        variants: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        seeds: int | Sequence[int] = 5,
        epochs: int = 30,
        batch_size: int = 32,
        optimizer: str = "adam",
        loss: str = "cross_entropy",
        learning_rate: float | None = None,
        schedule: Any = None,
        momentum: float | None = None,
        l1: float | Sequence[float] = 0.0,
        l2: float | Sequence[float] = 0.0,
        proximal_l1: float | Sequence[float] = 0.0,
        weight_decay: float | None = None,
        dropout: float | Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        max_norm: float = 0.0,
        clip_norm: float = 0.0,
        global_clip_norm: float = 0.0,
        class_weight: Mapping[Any, float] | str | None = None,
        augmentation: Any = None,
        early_stopping: Any = None,
        average: Any = None,
        precision: str = "float32",
        validation: float = 0.2,
        folds: int = 5,
        input_shape: Sequence[int] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.variants = variants
        self.seeds = seeds
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.loss = loss
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.momentum = momentum
        self.l1 = l1
        self.l2 = l2
        self.proximal_l1 = proximal_l1
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.global_clip_norm = global_clip_norm
        self.class_weight = class_weight
        self.augmentation = augmentation
        self.early_stopping = early_stopping
        self.average = average
        self.precision = precision
        self.validation = validation
        self.folds = folds
        self.input_shape = input_shape
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike) -> WellfitClassifier:
        """Train all variants with all seeds, and keep the networks of the variant that validation supports.

        Args:
          X: rows of numbers: an array or a DataFrame.  # (N, D)
          y: their labels.  # (N,)

        Raises:
          ValueError: data or settings that cannot be used, or every network diverged; the message says which.
        """
        trained, classes = self._train(X, y, self.variants or {"baseline": {}})
        try:
            model = trained.model()
        except WellfitError as error:
            raise ValueError(str(error)) from None
        self._take(trained, classes, model)
        self.runs_, self.history_ = _tables(trained.records)
        self.results_ = _results(trained.summary, self.variant_)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each row.  # (N,)"""
        best: NDArray[Any] = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """The mean probability of each class over the networks, in the order of ``classes_``.  # (N, K)

        Raises:
          ValueError: rows that are unlike those of ``fit``.
        """
        check_is_fitted(self)
        rows: NDArray[Any] = validate_data(self, X, dtype=_REAL, reset=False)
        count = len(rows)
        size = _FEW_ROWS if count <= _FEW_ROWS else -(-count // _MANY_ROWS) * _MANY_ROWS
        padded = np.concatenate([rows, np.repeat(rows[:1], size - count, axis=0)])
        try:
            each: NDArray[Any] = self.model_.predict_proba(padded, each=True)  # (S, size, K)
        except WellfitError as error:
            raise ValueError(str(error)) from None
        mean = each[:, :count].mean(axis=0, dtype=np.float64)  # (N, K)
        probabilities: NDArray[np.float64] = mean / mean.sum(axis=1, keepdims=True)
        return probabilities

    # --- In between

    def _train(
        self, X: ArrayLike, y: ArrayLike, variants: Mapping[str, Mapping[str, Any]], varied: Collection[str] = ()
    ) -> tuple[Direct, NDArray[Any]]:
        """Train variants as one population; also returns the classes.

        Args:
          varied: parameters whose values are in the variants alone.
        """
        rows, labels = validate_data(self, X, y, dtype=_REAL, ensure_min_samples=2)
        check_classification_targets(labels)
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y has 1 class, {classes.tolist()[0]!r}; a classifier needs two")
        weights = compute_class_weight(self.class_weight, classes=classes, y=labels)
        try:
            with naming_arguments(), progress_display(True) if self.verbose else nullcontext() as show:
                spec = self._spec(weights, variants, varied)
                data = self._dataset(rows, codes.astype(np.int32), tuple(map(_name, classes.tolist())))
                trained = train_direct(spec, data, self._held_out(spec, data.y_train), show)
        except ShapeError as error:
            hint = "; if a row holds an image, give input_shape" if self.input_shape is None else ""
            raise ValueError(f"{error}{hint}") from None
        except WellfitError as error:
            raise ValueError(str(error)) from None
        release(_MOST_PROGRAMS)
        return trained, classes

    def _take(self, trained: Direct, classes: NDArray[Any], model: FittedModel) -> WellfitClassifier:
        """Become the classifier that a model makes, without the tables of all variants."""
        self.classes_, self.model_, self.variant_ = classes, model, model.origin.variant
        of = next(variant for variant in trained.summary.variants if variant.name == self.variant_)
        self.validation_score_ = of.mean["validation_accuracy"]
        self.n_iter_ = max(run.epochs or 0 for run in of.runs)
        return self

    def _each(
        self, X: ArrayLike, y: ArrayLike, candidates: Sequence[Mapping[str, Any]]
    ) -> list[WellfitClassifier | None]:
        """A fitted classifier for each of several settings, trained as one population; None where all diverged.

        None of them has ``results_``, ``runs_`` or ``history_``, which would be those of all.

        Args:
          candidates: values of the same parameters, all of which ``VARIED`` has.
        """
        varied = list(candidates[0])
        changes = [{key: value for key, value in one.items() if value is not None} for one in candidates]
        plain = [
            {key: _model_table(value) if key == "model" else value for key, value in one.items()} for one in changes
        ]
        trained, classes = self._train(X, y, dict(zip(map(str, range(len(plain))), plain, strict=True)), varied)
        fitted: list[WellfitClassifier | None] = []
        for at, one in enumerate(candidates):
            classifier = clone(self).set_params(**one)
            classifier.n_features_in_ = self.n_features_in_
            if hasattr(self, "feature_names_in_"):
                classifier.feature_names_in_ = self.feature_names_in_
            try:
                fitted.append(classifier._take(trained, classes, trained.model(str(at))))
            except WellfitError:
                fitted.append(None)
        return fitted

    def _spec(
        self, class_weights: FloatArray, variants: Mapping[str, Mapping[str, Any]], varied: Collection[str]
    ) -> StudySpec:
        """The settings, checked as those of a study."""
        of_train = {key: getattr(self, key) for key in (*_SETTINGS, "precision") if key not in varied}
        if self.class_weight is not None:
            of_train["class_weights"] = class_weights
        tables = {
            "name": type(self).__name__,
            "title": "Trained by fit",
            "data": {"name": "data", "validation": self.validation, "folds": self.folds},
            "train": {"seeds": self.seeds, **{key: value for key, value in of_train.items() if value is not None}},
            "model": _model_table(self.model),
            "variants": plain_models(variants),
        }
        return study_from_mapping(tables, where=_WHERE)

    def _dataset(self, X: NDArray[Any], codes: IntArray, classes: tuple[str, ...]) -> Dataset:
        """The rows as a data set whose test set is empty."""
        names = getattr(self, "feature_names_in_", ())
        columns = tuple(Column(name) for name in names) if self.input_shape is None else ()
        x = X
        if self.input_shape is not None:
            shape = tuple(int(n) for n in np.ravel(self.input_shape))
            if np.prod(shape) != X.shape[1]:
                raise ValueError(f"input_shape = {shape} does not fit rows of {X.shape[1]} features")
            x = X.astype(np.float32).reshape(-1, *shape)
        digest = dataset_hash(x, codes, x[:0], codes[:0], columns=columns)
        title = f"{len(x):,} rows given to fit"
        data = Dataset("data", x, codes, x[:0], codes[:0], classes, None, title, "X", digest, columns)
        return dataclasses.replace(data, header=_header(names)) if columns else data

    def _held_out(self, spec: StudySpec, codes: IntArray) -> dict[int, IntArray]:
        """The seeds, and the rows that each holds out."""
        first = int(check_random_state(self.random_state).randint(2**31 - _MOST_SEEDS))
        seeds = [first + n for n in spec.seeds] if np.ndim(self.seeds) == 0 else spec.seeds
        return held_out_rows(codes, seeds, spec.data.validation, spec.data.folds, first)


def _model_table(model: Any) -> dict[str, Any]:
    """A model as the [model] table of a study file."""
    if isinstance(model, ModelSpec | Mapping):
        return dict(plain_models(model))
    hidden = plain_of(model)
    if not isinstance(hidden, list):
        fix = "give the units of the hidden layers, like (128, 64), or a model, like wellfit.mlp(128, 64)"
        raise StudyFileError(f"{_WHERE}, model = {model!r}: {fix}")
    return {"kind": "mlp", "hidden": hidden} if hidden else {"kind": "logistic"}


def _header(names: Sequence[str]) -> Header:
    """The columns by which the model finds its own in later tables; these may have a label column too."""
    label = next(name for name in ("label", *(f"label {n}" for n in range(len(names)))) if name not in names)
    return Header((*names, label), len(names), tuple(range(len(names))), written=True)


def _name(label: Any) -> str:
    """The name of a class: 3.0 is the class 3."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _results(summary: StudySummary, chosen: str) -> pd.DataFrame:
    """A row per variant: its mean scores, and how it compares with the first on what the seeds held out."""
    import pandas as pd

    gains = {gain.variant.name: gain for gain in validation_gains(summary)}
    rows = []
    for variant in summary.variants:
        gain = gains.get(variant.name)
        low, high = (None, None) if gain is None or gain.interval is None else gain.interval
        rows.append(
            {
                **{metric: variant.mean.get(metric) for metric in _SCORES},
                "difference": None if gain is None else gain.difference,
                "low": low,
                "high": high,
                "better": gain is not None and gain.significant,
                "chosen": variant.name == chosen,
            }
        )
    index = pd.Index([variant.name for variant in summary.variants], name="variant")
    table = pd.DataFrame(rows, index=index)
    return table.astype(dict.fromkeys((*_SCORES, "difference", "low", "high"), float))


def _tables(records: Sequence[RunRecord]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row per run, and a row per run and epoch."""
    import pandas as pd

    runs, epochs = [], []
    for record in records:
        key = {"variant": record.spec.variant, "seed": record.spec.seed}
        read = {name: getattr(record, name) for name in ("state", "epochs", "readout_epoch", "seconds")}
        runs.append({**key, **read, **record.scores})
        epochs.append(pd.DataFrame({**key, "epoch": range(1, len(record.history) + 1), **record.history.columns}))
    return pd.DataFrame(runs), pd.concat(epochs, ignore_index=True)
