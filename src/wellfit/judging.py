"""``judge``: the verdict on runs that others trained, from what they predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellfit.results import Results

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from wellfit.data.predictions.runs import GivenRuns
    from wellfit.data.tracked.runs import Tracked

__all__ = ["judge"]


def judge(
    y_test: ArrayLike | None,
    predictions: Mapping[str, Any] | str | Path | Sequence[str | Path],
    *,
    baseline: str | None = None,
    class_names: Sequence[str] | None = None,
    seeds: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    folds: Sequence[ArrayLike] | Mapping[int, ArrayLike] | None = None,
    groups: ArrayLike | None = None,
    curves: Any = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    metric: str = "accuracy",
    margin: float | None = None,
    softmax: bool = False,
    unpaired: bool = False,
    look: tuple[int, int] | None = None,
    name: str = "judged",
    title: str | None = None,
    out: str | Path | None = None,
    X: Any = None,
    tracked: Tracked | None = None,
) -> Results:
    """Compare variants whose runs were trained elsewhere, in any library.

    With the predictions of every test example, both sources of chance count: the seeds and the finite number of
    examples. With accuracies alone the seeds count, and the report says what it therefore cannot say.

    Args:
      y_test: the true classes, integers or names; None where the predictions are accuracies or paths.  # (M,)
      predictions: variant -> one entry for each of its runs, or seed -> entry: probabilities as ``predict_proba`` gives
        them, predicted classes, or one number, the accuracy.  # (M, K), (M,) or () each
        Or variant -> what ``cross_validate(..., return_estimator=True, return_indices=True)`` of scikit-learn returned.
        Or one path or several, as ``wellfit judge`` takes them: predictions, or what a tracker or a logger keeps.
      baseline: the variant that all others are compared with; by default the one called ``"baseline"``, or the first.
      class_names: in the order of the columns; by default integers count the columns, and other labels are in
        ascending order, as scikit-learn has them.
      seeds: the seed of each run, the same for all variants, or variant -> these; by default 0, 1, ... Runs of the same
        seed are paired.
      folds: where a seed judged only some of the examples, as in a cross-validation: their positions, one array a seed
        or seed -> positions.  # (m,) each
      groups: the group of each example, for example the patient, whose examples are not independent.  # (M,)
      curves: a table with the columns variant, seed, epoch, metric, split and value, as a DataFrame or the path of a
        file; metrics are loss and accuracy, splits train and validation. Or the path of a logger's files.
      settings: variant -> what its runs were trained with, to be shown.
      metric: what variants are compared on: ``"accuracy"``, ``"balanced_accuracy"``, ``"macro_f1"``, ``"roc_auc"``,
        ``"log_loss"`` or ``"brier"``.
      margin: the largest irrelevant difference in it; fix it before you see results.
      softmax: whether the predictions are logits.
      unpaired: whether seeds of different variants have nothing in common; their runs are then paired in order.
      look: ``(2, 4)`` for the second of four planned looks at a growing number of seeds.
      name, title: of the study.
      out: the study directory, which must not exist; by default a temporary one that lasts as long as the results.
      X: the features, with which the estimators of a cross-validation predict.
      tracked: how the runs of a tracker are read, where the default does not fit: ``wellfit.Tracked(accuracy="acc")``.

    Returns:
      The results, as a study has them.

    Raises:
      DataError: predictions that are none, or that cannot be compared; one line says why and how to fix it.
      StudyFileError: a metric, a look or a name that cannot be.
      StoreError: ``out`` exists or cannot be written.

    Example:
      >>> import numpy as np
      >>> y = np.arange(300) % 3
      >>> runs = {name: [np.where(np.arange(300) % m, y, 0) for m in of] for name, of in (("a", (9, 8)), ("b", (4, 5)))}
      >>> results = judge(y, runs)
      >>> [round(variant.mean["test_accuracy"], 3) for variant in results.summary.variants]
      [0.958, 0.85]
    """
    from wellfit.data.tracked.read import curves_of, is_tracked
    from wellfit.files import TemporaryFolder
    from wellfit.study.judge import judge_runs, with_settings

    given = _given(
        y_test,
        predictions,
        X,
        {"seeds": seeds, "folds": folds, "groups": groups},
        {"classes": class_names, "softmax": softmax},
        {"tracked": tracked, "unpaired": unpaired, "of_curves": is_tracked(curves)},
    )
    where = "judge(...), curves"
    histories = None if curves is None else curves_of(curves, given, where, tracked, unpaired=unpaired)
    keep: TemporaryFolder | None = None
    if out is None:
        keep = TemporaryFolder()
        out = keep.path / "study"
    place = Path(out)
    judge_runs(
        with_settings(given, settings or {}, "judge(...), settings"),
        place,
        baseline=baseline,
        name=name,
        title=title,
        metric=metric,
        margin=margin,
        unpaired=unpaired,
        look=look,
        histories=histories,
        command="from Python",
    )
    return Results(place, _keep=keep)


def _given(
    y_test: Any, predictions: Any, X: Any, arrays: dict[str, Any], both: dict[str, Any], paths: dict[str, Any]
) -> GivenRuns:
    """The runs in whatever form they are handed over; the last three are arguments of arrays, of both, and of paths."""
    from wellfit.data.predictions.arrays import given_arrays
    from wellfit.data.predictions.cross_validated import is_cross_validated, out_of_fold
    from wellfit.data.tracked.read import read_runs
    from wellfit.errors import DataError

    places = [predictions] if isinstance(predictions, str | Path) else predictions
    if isinstance(places, Sequence) and places and all(isinstance(place, str | Path) for place in places):
        given = {"y_test": y_test, "X": X, **arrays}
        if extra := [name for name, value in given.items() if value is not None]:
            raise DataError(f"judge(...): {extra[0]} beside a path; files hold their own, so leave it out")
        return read_runs(places, **both, **paths)
    if paths["tracked"] is not None and not paths["of_curves"]:
        raise DataError("judge(...): tracked beside predictions; it is for the paths of a tracker, so leave it out")
    if is_cross_validated(predictions):
        if extra := [name for name in ("seeds", "folds") if arrays[name] is not None]:
            raise DataError(f"judge(...): {extra[0]} beside results of cross_validate, which have them; leave it out")
        found = out_of_fold(y_test, predictions, X)
        classes = both["classes"] or found.classes
        return given_arrays(
            y_test, found.predictions, folds=found.folds, groups=arrays["groups"], classes=classes,
            softmax=both["softmax"],
        )  # fmt: skip
    if X is not None:
        raise DataError("judge(...): X is for results of cross_validate; leave it out")
    return given_arrays(y_test, predictions, **arrays, **both)
