"""Predictions in NumPy archives, one for each run: VARIANT.SEED.npz, with the labels once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import History, IntArray
from wellfit.data.arrays.files import refuse_pickles, stored_arrays
from wellfit.data.arrays.names import Stored
from wellfit.data.predictions.classes import check_predicted, class_codes, class_names, predicted_classes
from wellfit.data.predictions.curves import CURVES, stored_history
from wellfit.data.predictions.label_values import as_integers, distinct, label_values, same_labels
from wellfit.data.predictions.labels import (
    CLASSES,
    GROUPS,
    LABELS,
    GivenLabels,
    array_named,
    class_texts,
    labels_in,
    read_labels,
)
from wellfit.data.predictions.probabilities import SOFTMAX, probabilities_of
from wellfit.data.predictions.runs import GivenRun, GivenRuns, run_named
from wellfit.data.predictions.settings import SETTINGS, first_difference, other_setting, settings_in
from wellfit.errors import DataError

__all__ = ["is_archive", "read_archives"]

_PROBABILITIES: Final = ("probabilities", "probability", "proba", "probs", "y_proba", "y_prob", "y_score")
_LOGITS: Final = ("logits", "logit")
_CLASSES: Final = ("predictions", "predicted", "prediction", "y_pred", "pred", "preds")
_ROWS: Final = ("rows", "row", "examples", "example", "indices", "index")
_FORM: Final = (
    "give each run as VARIANT.SEED.npz with the array probabilities (one row per example) or predictions (the classes)"
)


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of a NumPy archive."""
    return path.suffix.lower() == ".npz"


def read_archives(
    files: Sequence[Path],
    source: str,
    *,
    labels: Path | None = None,
    classes: Sequence[str] | None = None,
    softmax: bool = False,
    named: Mapping[Path, tuple[str, int]] | None = None,
) -> GivenRuns:
    """Runs in NumPy archives. The values of a run are read when they are needed.

    An archive may hold ``rows``, the positions of its examples among all, and ``labels``, their true classes; or one
    file has the labels of all. It may hold learning curves (``CURVES``), and ``settings`` as a JSON text.

    Args:
      files: of the runs, at least one.
      source: where they come from, for headlines.
      labels: a file with the labels; None if the archives have them.
      classes: the names of the classes, in the order of the columns.
      softmax: whether the values are logits.
      named: variant and seed of each file; None if its name says so.

    Raises:
      DataError: a file that cannot be read or has another form, labels that are missing or contradict each other.
    """
    which = named or {file: _named(file) for file in files}
    archives = sorted(((file, *which[file]) for file in files), key=lambda found: (found[1], found[2]))
    stored = {file: stored_arrays(file) for file, _, _ in archives}
    rows = {file: _rows(arrays, file) for file, arrays in stored.items()}
    truth = GivenLabels(_joined_labels(stored, rows)) if labels is None else labels_in(labels)
    _refuse_groups(stored, truth)
    values = truth.values
    _refuse_rows(rows, len(values))
    if labels is not None:
        _refuse_others(_own_labels(stored, rows), rows, values, labels)
    whose = source if labels is None else str(labels)
    columns = _columns(stored, whose)
    given = classes if classes is not None else _given_names(stored, truth.classes, labels)
    predicted = stored if columns is None else {}
    answers = {
        str(file): label_values(_answers(file, of, softmax)[0].read(), str(file)) for file, of in predicted.items()
    }
    if given is None:
        check_predicted(values, answers.items())
    every = [values, *answers.values()]
    names, stands_for = class_names(distinct(every), columns, given, whose)
    runs = tuple(
        GivenRun(
            variant=variant,
            seed=seed,
            where=str(file),
            values=partial(_values, file, stored[file], rows[file], len(values), stands_for, softmax),
            rows=None if (at := rows[file]) is None or len(at) == len(values) else np.sort(at),
        )
        for file, variant, seed in archives
    )
    return GivenRuns(
        runs,
        class_codes(values, stands_for, whose),
        names,
        source,
        groups=truth.groups,
        settings=_settings(archives, stored),
        histories=_histories(archives, stored),
    )


def _settings(
    archives: Sequence[tuple[Path, str, int]], stored: Mapping[Path, Mapping[str, Stored]]
) -> dict[str, dict[str, Any]]:
    """Variant -> what its runs were trained with, where their files say so; all runs of a variant say the same."""
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for file, variant, _ in archives:
        here = settings_in(stored[file], file)
        if here is None:
            continue
        first, before = found.setdefault(variant, (file, here))
        if (key := first_difference(before, here)) is not None:
            raise DataError(f"{file}: {other_setting(key, here, before, first.name)}")
    return {variant: settings for variant, (_, settings) in found.items()}


def _histories(
    archives: Sequence[tuple[Path, str, int]], stored: Mapping[Path, Mapping[str, Stored]]
) -> dict[tuple[str, int], History]:
    """Variant and seed -> the epochs of the runs whose files have any."""
    found = {}
    for file, variant, seed in archives:
        arrays = {name: of for name in CURVES if (of := array_named(stored[file], (name,))) is not None}
        if arrays:
            found[variant, seed] = stored_history({name: of.read() for name, of in arrays.items()}, str(file))
    return found


def _named(file: Path) -> tuple[str, int]:
    refuse_pickles(file)
    found = run_named(file.stem)
    if found is None:
        raise DataError(f"{file}: a name without variant and seed; call it VARIANT.SEED.npz, for example l2.0.npz")
    return found


def _answers(file: Path, arrays: Mapping[str, Stored], softmax: bool) -> tuple[Stored, bool]:
    """The array with a run's answers, and whether these are classes."""
    for names, classes in ((_PROBABILITIES, False), (_LOGITS, False), (_CLASSES, True)):
        if (found := array_named(arrays, names)) is not None:
            if names is _LOGITS and not softmax:
                raise DataError(f"{file}: holds logits; give {SOFTMAX} to make them probabilities")
            return found, classes
    known = (*LABELS, *GROUPS, *_ROWS, *CLASSES, *CURVES, SETTINGS)
    unknown = [stored for name, stored in arrays.items() if name.lower() not in known]
    if len(unknown) == 1:  # as np.savez(file, p) writes it
        return unknown[0], len(unknown[0].shape) == 1 and unknown[0].dtype.kind in "iuU"
    raise DataError(f"{file}: has the arrays {', '.join(arrays) or 'none'}; {_FORM}")


def _values(
    file: Path, arrays: Mapping[str, Stored], rows: IntArray | None, examples: int, stands_for: Any, softmax: bool
) -> NDArray[Any]:
    """The checked answers of a run, in the order of the examples."""
    stored, classes = _answers(file, arrays, softmax)
    expected = examples if rows is None else len(rows)
    if not stored.shape or stored.shape[0] != expected:
        of = "labels" if rows is None else "rows"
        raise DataError(
            f"{file}: {stored.shape[0] if stored.shape else 0} predictions for {expected} {of}; give one for each"
        )
    values = stored.read()
    answers: NDArray[Any] = (
        predicted_classes(values, stands_for, str(file))
        if classes
        else probabilities_of(values, len(stands_for), str(file), softmax=softmax)
    )
    return answers if rows is None else answers[np.argsort(rows)]


def _rows(arrays: Mapping[str, Stored], file: Path) -> IntArray | None:
    """Which examples a run judged, in its own order."""
    stored = array_named(arrays, _ROWS)
    if stored is None:
        return None
    rows = stored.read()
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or (rows.astype(np.int64) < 0).any():
        raise DataError(f"{file}: rows of {rows.dtype}, {rows.shape}; give the position of each example, from 0")
    places, counts = np.unique(rows, return_counts=True)
    if (counts > 1).any():
        raise DataError(f"{file}: example {places[counts > 1][0]} is there twice; give each once")
    return rows.astype(np.int64)


def _refuse_groups(stored: Mapping[Path, Mapping[str, Stored]], truth: GivenLabels) -> None:
    for file, arrays in stored.items():
        if truth.groups is None and array_named(arrays, GROUPS) is not None:
            raise DataError(f"{file}: groups without the labels of all examples; put labels and groups in labels.npz")


def _own_labels(
    stored: Mapping[Path, Mapping[str, Stored]], rows: Mapping[Path, IntArray | None]
) -> dict[Path, NDArray[Any]]:
    """The labels in the files of the runs that have any, each in its own order."""
    found: dict[Path, NDArray[Any]] = {}
    for file, arrays in stored.items():
        if (of := array_named(arrays, LABELS)) is not None:
            values, at = read_labels(of, file), rows[file]
            if at is not None and len(at) != len(values):
                raise DataError(f"{file}: {len(values)} labels for {len(at)} rows; give one for each")
            found[file] = values
    return found


def _refuse_rows(rows: Mapping[Path, IntArray | None], examples: int) -> None:
    for file, at in rows.items():
        if at is not None and (most := int(at.max(initial=-1))) >= examples:
            raise DataError(f"{file}: row {most}, but there are {examples:,} labels; number the rows from 0")


def _refuse_others(
    own: Mapping[Path, NDArray[Any]], rows: Mapping[Path, IntArray | None], truth: NDArray[Any], labels: Path
) -> None:
    """Refuse labels in the files of the runs that are not those of the file of labels."""
    for file, values in own.items():
        at = rows[file]
        if not same_labels(truth if at is None else truth[at], values):
            raise DataError(f"{file}: other labels than {labels}; give the same examples in the same order")


def _joined_labels(stored: Mapping[Path, Mapping[str, Stored]], rows: Mapping[Path, IntArray | None]) -> NDArray[Any]:
    """The labels that the files of the runs hold, which must agree."""
    own = _own_labels(stored, rows)
    for file in stored:
        if file not in own:
            raise DataError(f"{file}: has no labels; add them once as labels.npz, or give --labels FILE")
    whole = [len(values) for file, values in own.items() if rows[file] is None]
    _refuse_rows(rows, min(whole) if whole else sum(map(len, own.values())))  # before room is made for the largest
    size = max(whole) if whole else max(int(at.max(initial=-1)) + 1 for at in rows.values() if at is not None)
    if len({values.dtype.kind for values in own.values()}) > 1:
        own = {file: as_integers(values) for file, values in own.items()}
    texts = any(values.dtype.kind == "U" for values in own.values())
    every = [values.astype(str) if texts else values for values in own.values()]
    joined = np.zeros(size, np.result_type(*every))
    known = np.zeros(size, bool)
    first = next(iter(own))
    for file, values in zip(own, every, strict=True):
        at = rows[file]
        if at is None and len(values) != size:
            raise DataError(f"{file}: {len(values)} labels, but others have {size}; give the same examples")
        places = np.arange(size) if at is None else at
        differ = known[places] & (joined[places] != values)
        if differ.any():
            example = int(places[np.flatnonzero(differ)[0]])
            label = values[np.flatnonzero(differ)[0]]
            raise DataError(
                f"{file}: example {example} has the label {label}, but {joined[example]} in another file "
                f"({first} is the first); give all runs the same examples in the same order"
            )
        joined[places], known[places] = values, True
    if not known.all():
        raise DataError(f"example {int(np.flatnonzero(~known)[0])} has no label in any file; number the rows from 0")
    return joined


def _columns(stored: Mapping[Path, Mapping[str, Stored]], whose: str) -> int | None:
    """The number of classes by the arrays of probabilities; None where only classes are predicted."""
    first: tuple[int, Path] | None = None
    kinds: dict[bool, Path] = {}
    for file, arrays in stored.items():
        answers, classes = _answers(file, arrays, softmax=True)
        kinds.setdefault(classes, file)
        if classes:
            continue
        width = max(answers.shape[1], 2) if len(answers.shape) == 2 else 2
        first = first or (width, file)
        if width != first[0]:
            raise DataError(
                f"{file}: probabilities of {width} classes, but {first[1]} has {first[0]}; give all runs the same "
                "classes"
            )
    if len(kinds) > 1:
        raise DataError(
            f"{kinds[True]}: only classes, but {kinds[False]} has probabilities; give all runs the same kind of answers"
        )
    return None if first is None else first[0]


def _given_names(
    stored: Mapping[Path, Mapping[str, Stored]], names: tuple[str, ...] | None, first: Path | None
) -> tuple[str, ...] | None:
    """The class names that the files of the labels and the runs hold; they must agree: they order the columns."""
    for file, arrays in stored.items():
        found = array_named(arrays, CLASSES)
        here = None if found is None else class_texts(found, file)
        if here is None:
            continue
        if names is not None and here != names:
            raise DataError(
                f"{file}: classes in the order {', '.join(here[:6])}, but {', '.join(names[:6])} in {first}; give all "
                "runs the same classes in the same order"
            )
        names, first = here, file if names is None else first
    return names
