"""Predictions as Python hands them over: arrays by variant, one for each run; or accuracies alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.data.predictions.classes import check_predicted, class_codes, class_names, predicted_classes
from wellfit.data.predictions.label_values import distinct, group_codes, label_values
from wellfit.data.predictions.probabilities import probabilities_of
from wellfit.data.predictions.runs import GivenRun, GivenRuns
from wellfit.data.predictions.tensors import array_of, untensored
from wellfit.errors import DataError

__all__ = ["given_arrays"]

WHERE: Final = "judge(...)"
_FORM: Final = 'give {"baseline": [predictions of seed 0, of seed 1, ...], "l2": [...]}'


def given_arrays(
    y_test: Any,
    predictions: Any,
    *,
    classes: Sequence[str] | None = None,
    seeds: Any = None,
    folds: Any = None,
    groups: Any = None,
    softmax: bool = False,
) -> GivenRuns:
    """Runs as arrays.

    Args:
      y_test: true classes of all test examples; None where the predictions are accuracies.  # (M,)
      predictions: variant -> one array for each run, or seed -> array: probabilities or logits, classes, or one number,
        its accuracy.  # (m, K), (m,) or () each
      classes: the names of the classes, in the order of the columns.
      seeds: the seed of each run of a variant, or variant -> these; by default 0, 1, ...
      folds: which of the test examples the run of each seed judged: one array of positions a seed, or seed -> these; by
        default all.
      groups: the group of each test example.  # (M,)
      softmax: whether the predictions are logits.

    Raises:
      DataError: arguments of another form, or that contradict each other.

    Example:
      >>> given = given_arrays([0, 1], {"a": [[[0.9, 0.1], [0.2, 0.8]]], "b": [[1, 1]]})
      Traceback (most recent call last):
        ...
      wellfit.errors.DataError: judge(...): 'b', seed 0 has classes, but 'a' has probabilities; give all runs the same
    """
    runs = _listed(predictions, seeds)
    if y_test is None:
        return _accuracies(runs)
    truth = label_values(untensored(y_test), f"{WHERE}, y_test")
    rows = _rows(folds, [seed for _, seed, _ in runs], len(truth))
    places = [f"{WHERE}, {variant!r}, seed {seed}" for variant, seed, _ in runs]
    arrays = [array_of(values, where) for (_, _, values), where in zip(runs, places, strict=True)]
    columns = _columns(runs, arrays)
    answers = [] if columns is not None else [label_values(a, at) for a, at in zip(arrays, places, strict=True)]
    if classes is None:
        check_predicted(truth, zip(places, answers, strict=False))
    names, stands_for = class_names(distinct([truth, *answers]), columns, classes, f"{WHERE}, y_test")
    found = []
    for (variant, seed, _), values, where in zip(runs, arrays, places, strict=True):
        at = rows.get(seed)
        expected = len(truth) if at is None else len(at)
        if len(values) != expected:
            of = "labels" if at is None else "examples of its fold"
            raise DataError(f"{where}: {len(values)} predictions for {expected} {of}; give one for each")
        check = (
            partial(predicted_classes, values, stands_for, where)
            if columns is None
            else partial(probabilities_of, values, len(names), where, softmax=softmax)
        )
        found.append(GivenRun(variant, seed, where, partial(_in_order, check, at), None if at is None else np.sort(at)))
    of_groups = None if groups is None else group_codes(untensored(groups), len(truth), WHERE)
    return GivenRuns(tuple(found), class_codes(truth, stands_for, WHERE), names, "arrays", groups=of_groups)


def _listed(predictions: Any, seeds: Any) -> list[tuple[str, int, Any]]:
    """Variant, seed and answers of every run."""
    if not isinstance(predictions, Mapping) or not predictions:
        raise DataError(f"{WHERE}: predictions of type {type(predictions).__name__}; {_FORM}")
    found = []
    for name, of in predictions.items():
        if isinstance(of, Mapping):
            runs = list(of.items())
        elif hasattr(of, "__len__") and not isinstance(of, str):
            given = seeds[name] if isinstance(seeds, Mapping) and name in seeds else seeds
            numbers = list(range(len(of))) if given is None or isinstance(given, Mapping) else list(given)
            if len(numbers) != len(of):
                raise DataError(f"{WHERE}: {len(numbers)} seeds for the {len(of)} runs of {name!r}; give one for each")
            runs = list(zip(numbers, of, strict=True))
        else:
            raise DataError(f"{WHERE}: {name!r} is of type {type(of).__name__}; {_FORM}")
        if not runs:
            raise DataError(f"{WHERE}: {name!r} has no runs; {_FORM}")
        for seed, values in runs:
            if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
                raise DataError(f"{WHERE}: {name!r}: seed {seed!r} is not a whole number from 0; number the runs")
            found.append((str(name), int(seed), values))
    return found


def _accuracies(runs: Sequence[tuple[str, int, Any]]) -> GivenRuns:
    found = []
    for variant, seed, given in runs:
        where = f"{WHERE}, {variant!r}, seed {seed}"
        value = untensored(given)
        value = value.item() if isinstance(value, np.ndarray) and not value.ndim else value
        if np.ndim(value) or not isinstance(value, int | float | np.number):
            raise DataError(f"{where}: {type(given).__name__} without labels; give y_test, or one accuracy a run")
        if not 0 <= float(value) <= 1:
            fix = "divide percentages by 100" if 1 < float(value) <= 100 else "give shares between 0 and 1"
            raise DataError(f"{where}: accuracy {float(value):g} is not between 0 and 1; {fix}")
        found.append(GivenRun(variant, seed, where, partial(np.zeros, 0), accuracy=float(value)))
    return GivenRuns(tuple(found), np.zeros(0, np.int32), (), "accuracies")


def _columns(runs: Sequence[tuple[str, int, Any]], arrays: Sequence[NDArray[Any]]) -> int | None:
    """The number of probabilities of an example; None where the answers are classes."""
    first: tuple[int | None, str] | None = None
    for (variant, seed, _), values in zip(runs, arrays, strict=True):
        if not values.ndim:
            raise DataError(f"{WHERE}, {variant!r}, seed {seed}: one number, but y_test is given; for accuracies "
                            "alone, give y_test=None")  # fmt: skip
        if values.ndim == 1:
            width = 2 if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)) else None
        else:
            width = max(values.shape[1], 2)
        first = first or (width, variant)
        if width != first[0]:
            kinds = ["classes" if of is None else "probabilities" for of in (width, first[0])]
            if kinds[0] == kinds[1]:
                raise DataError(f"{WHERE}: {variant!r}, seed {seed} has {width} classes, but {first[1]!r} has "
                                f"{first[0]}; give all runs the same classes")  # fmt: skip
            raise DataError(f"{WHERE}: {variant!r}, seed {seed} has {kinds[0]}, but {first[1]!r} has {kinds[1]}; give "
                            "all runs the same")  # fmt: skip
    return None if first is None else first[0]


def _rows(folds: Any, seeds: Sequence[int], examples: int) -> dict[int, IntArray]:
    """Seed -> which examples its runs judged."""
    if folds is None:
        return {}
    ordered = sorted(set(seeds))
    given = dict(folds) if isinstance(folds, Mapping) else dict(zip(ordered, folds, strict=False))
    if missing := [seed for seed in ordered if seed not in given]:
        raise DataError(f"{WHERE}: folds has no examples of seed {missing[0]}; give one array of positions a seed")
    rows: dict[int, IntArray] = {}
    for seed in ordered:
        at = array_of(given[seed], f"{WHERE}, folds of seed {seed}")
        if at.ndim != 1 or at.dtype.kind not in "iu" or (at < 0).any() or (at >= examples).any():
            raise DataError(f"{WHERE}: folds of seed {seed} are no positions in y_test from 0 to {examples - 1}")
        if len(np.unique(at)) != len(at):
            raise DataError(f"{WHERE}: folds of seed {seed} have an example twice; give each once")
        rows[seed] = at.astype(np.int64)
    return rows


def _in_order(check: Any, rows: IntArray | None) -> NDArray[Any]:
    values: NDArray[Any] = check()
    return values if rows is None else values[np.argsort(rows)]
