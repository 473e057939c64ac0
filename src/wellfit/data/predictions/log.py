"""``wellfit.log``: keep what a run predicts, from any training loop, in the form that ``wellfit judge`` reads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import History
from wellfit.data.arrays.files import stored_arrays
from wellfit.data.predictions.classes import check_predicted
from wellfit.data.predictions.classes import class_names as check_classes
from wellfit.data.predictions.curves import CURVES, run_history
from wellfit.data.predictions.label_values import group_codes, label_values, same_labels
from wellfit.data.predictions.labels import GivenLabels, is_labels, labels_in
from wellfit.data.predictions.probabilities import probabilities_of
from wellfit.data.predictions.runs import MOST_SEED, check_names, run_named
from wellfit.data.predictions.settings import SETTINGS, first_difference, other_setting, settings_in, settings_text
from wellfit.data.predictions.tensors import array_of, untensored
from wellfit.errors import DataError, StoreError
from wellfit.files import creating, write_errors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["check_log", "log"]

_REMEDY: Final = "choose another out"


def log(
    variant: str,
    seed: int,
    predictions: ArrayLike,
    *,
    y_test: ArrayLike | None = None,
    out: str | Path = "predictions",
    fold: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    curves: Any = None,
    settings: Mapping[str, Any] | None = None,
    softmax: bool = False,
    overwrite: bool = False,
) -> Path:
    """Keep what one run predicts for the test examples, for ``wellfit judge``, after training it in any library.

    Every run gets a file, which is there whole or not at all; the labels are kept once. Processes may log into one
    folder at the same time, also on several machines.

    Args:
      variant: what the run is one of: letters, digits and ``-_+.=,``.
      seed: of the run; runs of the same seed are paired.
      predictions: probabilities or classes, as an array of NumPy, a tensor of PyTorch (on any device), TensorFlow, JAX
        or Keras, or lists. One column is the probability of the second of two classes.  # (M, K) or (M,)
      y_test: the true classes, integers or names. One run must give them; what others give must be the same.  # (M,)
      out: the folder, which is made if it is missing.
      fold: where the run judges only some of the examples, as in a cross-validation: their positions in ``y_test``,
        which still has the labels of all; ``predictions`` has only theirs.  # (m,)
      groups: the group of each example, for example the patient; with ``y_test``.  # (M,)
      class_names: in the order of the columns; with ``y_test``.
      curves: rows of epoch, metric (loss or accuracy), split (train or validation) and value, as a list or DataFrame;
        or name -> one value per epoch, like ``history.history`` of Keras, of which losses and accuracies are kept.
      settings: what the variant was trained with, to be shown; the same for all its seeds.
      softmax: whether the predictions are logits, which are kept as probabilities.
      overwrite: whether a file of the same variant and seed is replaced.

    Returns:
      The file of the run.

    Raises:
      DataError: predictions that are none or do not fit the labels, other labels than those in the folder, another
        form of an argument.
      StoreError: the run has been logged before, or the folder cannot be written.

    Example:
      >>> import tempfile
      >>> folder = tempfile.mkdtemp()
      >>> log("l2", 0, [[0.9, 0.1], [0.3, 0.7]], y_test=["cat", "dog"], out=folder).name
      'l2.0.npz'
    """
    where = _call(variant, seed)
    place = Path(out)
    file, truth, kept = _checked(variant, seed, y_test, groups, class_names, settings, place, overwrite)
    arrays = _answers(predictions, truth, fold, where, softmax)
    history = History({}) if curves is None else run_history(curves, f"{where}, curves")
    arrays |= {name: history[name] for name in CURVES if len(history) and not np.isnan(history[name]).all()}
    if settings is not None:
        arrays[SETTINGS] = np.array(settings_text(settings, f"{where}, settings"))
    with write_errors(place, _REMEDY):
        if truth is not None and not kept:
            _keep_labels(place, truth, where)
        try:
            _save(file, arrays, overwrite)
        except FileExistsError:  # another process was faster
            raise _twice(file) from None
    return file


def check_log(
    variant: str,
    seed: int,
    *,
    y_test: Any = None,
    out: str | Path = "predictions",
    groups: Any = None,
    class_names: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Refuse before the training what `log` would refuse after it; the arguments and errors are its."""
    _checked(variant, seed, y_test, groups, class_names, settings, Path(out), overwrite)


def _call(variant: str, seed: int) -> str:
    return f"log({variant!r}, {seed}, ...)"


def _checked(
    variant: str,
    seed: int,
    y_test: Any,
    groups: Any,
    class_names: Sequence[str] | None,
    settings: Mapping[str, Any] | None,
    out: Path,
    overwrite: bool,
) -> tuple[Path, GivenLabels | None, bool]:
    """The file of a run, the labels where they are known, and whether the folder has them."""
    where = _call(variant, seed)
    file = _new_file(variant, seed, out, overwrite)
    given = _labels(y_test, groups, class_names, where)
    with write_errors(out, _REMEDY):
        there = _there(out)
    if given is not None and there is not None:
        _compare(given, there, where)
    if settings is not None:
        _same_settings(file, variant, settings_text(settings, f"{where}, settings"), where)
    return file, given if there is None else there[1], there is not None


def _new_file(variant: str, seed: int, out: Path, overwrite: bool) -> Path:
    """The file of a run that can be logged."""
    where = _call(variant, seed)
    if not isinstance(variant, str):
        raise DataError(f"{where}: variant of type {type(variant).__name__}; give its name")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MOST_SEED:
        raise DataError(f"{where}: seed {seed!r} is not a whole number from 0 to {MOST_SEED:,}; number the runs")
    if os.path.lexists(out) and not out.is_dir():
        raise StoreError(f"{out}: is no folder; {_REMEDY}")
    file = out / f"{variant}.{seed}.npz"
    with write_errors(out, _REMEDY):
        there = {path for path in out.iterdir() if path.suffix == ".npz"} if out.is_dir() else set()
    check_names([(variant, int(seed), where)])
    for path in sorted(there):
        other = run_named(path.stem)
        if other is not None and other[0].lower() == variant.lower():
            check_names([(other[0], other[1], str(path)), (variant, -1, where)])
    if file in there and not overwrite:
        raise _twice(file)
    return file


def _twice(file: Path) -> StoreError:
    return StoreError(f"{file}: this run has been logged before; choose another seed, or give overwrite=True")


# --- Labels -----------------------------------------------------------------------------------------------------------


def _labels(y_test: Any, groups: Any, class_names: Sequence[str] | None, where: str) -> GivenLabels | None:
    if y_test is None:
        for name, value in (("groups", groups), ("class_names", class_names)):
            if value is not None:
                raise DataError(f"{where}: {name} without y_test; give both")
        return None
    values = label_values(untensored(y_test), f"{where}, y_test")
    codes = None if groups is None else group_codes(untensored(groups), len(values), f"{where}, groups")
    names = None if class_names is None else tuple(map(str, class_names))
    return GivenLabels(values, codes, names)


def _there(out: Path) -> tuple[Path, GivenLabels] | None:
    """The labels in the folder, and their file."""
    found = sorted(path for path in out.iterdir() if is_labels(path)) if out.is_dir() else []
    return (found[0], labels_in(found[0])) if found else None


def _compare(given: GivenLabels, there: tuple[Path, GivenLabels], where: str) -> None:
    """Refuse labels, groups or class names that are not those of the folder."""
    file, kept = there
    fix = f"give the same examples in the same order, or {_REMEDY}"
    if len(given.values) != len(kept.values):
        raise DataError(f"{where}: y_test has {len(given.values):,} labels, but {file} has {len(kept.values):,}; {fix}")
    if not same_labels(given.values, kept.values):
        at = int(np.flatnonzero(given.values.astype(str) != kept.values.astype(str))[0])
        raise DataError(
            f"{where}: y_test has {given.values[at]!s} for example {at}, but {file} has {kept.values[at]!s}; {fix}"
        )
    if given.groups is not None and (kept.groups is None or not np.array_equal(given.groups, kept.groups)):
        raise DataError(f"{where}: other groups than {file}; {fix}")
    if given.classes is not None and given.classes != kept.classes:
        has = "none" if kept.classes is None else ", ".join(kept.classes[:6])
        raise DataError(f"{where}: class_names {', '.join(given.classes[:6])}, but {file} has {has}; {fix}")


def _keep_labels(out: Path, given: GivenLabels, where: str) -> None:
    """Write the labels, unless another process has just written the same."""
    arrays = {"labels": given.values}
    if given.groups is not None:
        arrays["groups"] = given.groups
    if given.classes is not None:
        arrays["classes"] = np.array(given.classes)
    try:
        _save(out / "labels.npz", arrays, overwrite=False)
    except FileExistsError:
        _compare(given, (out / "labels.npz", labels_in(out / "labels.npz")), where)


# --- Predictions ------------------------------------------------------------------------------------------------------


def _answers(
    predictions: Any, truth: GivenLabels | None, fold: Any, where: str, softmax: bool
) -> dict[str, NDArray[Any]]:
    """The checked predictions of a run, and the positions of their examples, as arrays of its file."""
    values = array_of(predictions, where)
    if not values.ndim:
        raise DataError(f"{where}: one number; give what the run predicts for each test example")
    found: dict[str, NDArray[Any]] = {}
    if fold is not None:
        found["rows"] = _rows(fold, None if truth is None else len(truth.values), f"{where}, fold")
    expected = len(found["rows"]) if found else len(values) if truth is None else len(truth.values)
    if len(values) != expected:
        of = "examples of the fold" if found else "labels"
        raise DataError(f"{where}: {len(values):,} predictions for {expected:,} {of}; give one for each")
    if values.ndim == 1 and (values.dtype.kind != "f" or np.array_equal(values, np.floor(values))) and not softmax:
        classes = label_values(values, where)
        if truth is not None and truth.classes is None:
            check_predicted(truth.values, [(where, classes)])
        return {**found, "predictions": classes}
    columns = max(values.shape[1], 2) if values.ndim == 2 else 2
    found["probabilities"] = probabilities_of(values, columns, where, softmax=softmax)
    if truth is not None:
        check_classes(np.unique(truth.values), columns, truth.classes, where)
    return found


def _rows(fold: Any, examples: int | None, where: str) -> NDArray[np.int64]:
    rows = array_of(fold, where)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows) or (rows < 0).any():
        raise DataError(f"{where}: {rows.dtype}, {rows.shape}; give the position of each of its examples, from 0")
    if len(np.unique(rows)) != len(rows):
        raise DataError(f"{where}: has an example twice; give each once")
    if examples is not None and rows.max() >= examples:
        raise DataError(f"{where}: position {rows.max()}, but there are {examples:,} labels; give those of all "
                        "examples as y_test, and number the examples from 0")  # fmt: skip
    return rows.astype(np.int64)


def _same_settings(file: Path, variant: str, text: str, where: str) -> None:
    """Refuse settings that another run of the variant does not have."""
    import json

    for other in sorted(file.parent.glob("*.npz")) if file.parent.is_dir() else ():
        if other == file or (run_named(other.stem) or ("",))[0] != variant:
            continue
        before = settings_in(stored_arrays(other), other)
        if before is not None:
            here = json.loads(text)
            if (key := first_difference(before, here)) is not None:
                raise DataError(f"{where}: {other_setting(key, here, before, str(other))}")
            return


def _save(file: Path, arrays: Mapping[str, NDArray[Any]], overwrite: bool) -> None:
    with creating(file, overwrite=overwrite) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]  # its stub takes allow_pickle for an array
