"""Predictions in tables: one row for each run and example, or one for each run and its accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.data.predictions.classes import check_predicted, class_codes, class_names
from wellfit.data.predictions.label_values import distinct, label_values, same_labels
from wellfit.data.predictions.labels import labels_in
from wellfit.data.predictions.probabilities import SOFTMAX, probabilities_of
from wellfit.data.predictions.run_columns import (
    WHOLE,
    RunTable,
    as_numbers,
    cells_of,
    run_table,
    seeds_of,
    shown,
    variants_of,
    without_point,
)
from wellfit.data.predictions.runs import GivenRun, GivenRuns
from wellfit.errors import DataError

__all__ = ["read_tables"]


def read_tables(
    files: Sequence[Path],
    source: str,
    *,
    labels: Path | None = None,
    classes: Sequence[str] | None = None,
    softmax: bool = False,
    named: Mapping[Path, tuple[str, int]] | None = None,
) -> GivenRuns:
    """Runs in tables: CSV and its relatives, Parquet, Excel.

    A file that is called VARIANT.SEED needs no columns for these.

    Args:
      files: of the tables, all with the same columns.
      source: where they come from, for headlines.
      labels: a file with the labels; its examples are numbered from 0.
      classes: the names of the classes; by default those of the columns of probabilities, or all labels.
      softmax: whether the values are logits.
      named: variant and seed of each file, whose columns do not count then.

    Raises:
      DataError: a table that cannot be read, an unknown or a missing column, a cell that cannot be, contradicting
        labels, or an example that is there twice.
    """
    parts = [run_table(file, (named or {}).get(file)) for file in files]
    forms = {"accuracy" in part.columns: part for part in parts}
    if len(forms) > 1:
        raise DataError(f"{forms[True].table.where}: accuracies, but {forms[False].table.where} has predictions; give "
                        "one or the other")  # fmt: skip
    if True in forms:
        given = {"--labels": labels, "--classes (class_names=)": classes, SOFTMAX: softmax or None}
        if useless := [name for name, value in given.items() if value is not None]:
            raise DataError(
                f"{parts[0].table.where}: holds accuracies alone, for which {useless[0]} has no use; leave it out"
            )
        return _accuracies(parts, source)
    kinds = {tuple(sorted(part.probabilities)): part for part in parts}
    if len(kinds) > 1:
        one, other = list(kinds.values())[:2]
        raise DataError(
            f"{other.table.where}: {len(other.probabilities)} columns of probabilities, but {one.table.where} has "
            f"{len(one.probabilities)} or other classes; give all runs the same classes"
        )
    if any(part.logits for part in parts) and not softmax:
        raise DataError(f"{parts[0].table.where}: holds logits; give {SOFTMAX} to make them probabilities")
    return _predictions(parts, source, labels, classes, softmax)


# --- Accuracies alone -------------------------------------------------------------------------------------------------


def _accuracies(parts: Sequence[RunTable], source: str) -> GivenRuns:
    runs = []
    for part in parts:
        for what in ("label", "predicted", "example"):
            if what in part.columns:
                raise DataError(f"{part.table.where}: has the columns accuracy and {what}; give one row per run with "
                                "its accuracy, or one row per example with its prediction")  # fmt: skip
        codes, names = variants_of(part)
        series, seeds = cells_of(part, "accuracy"), seeds_of(part)
        values = as_numbers(series)
        wrong = ~((values >= 0) & (values <= 1))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            fix = "divide percentages by 100" if 1 < values[row] <= 100 else "give shares between 0 and 1"
            cell = shown(series.iloc[row])
            raise DataError(f"{part.table.where}, {part.table.at(row)}: accuracy {cell} is not between 0 and 1; {fix}")
        for row, (code, seed, value) in enumerate(zip(codes, seeds.tolist(), values.tolist(), strict=True)):
            where = f"{part.table.where}, {part.table.at(row)}"
            runs.append(GivenRun(names[code], seed, where, partial(np.zeros, 0), accuracy=value))
    order = {name: at for at, name in enumerate(dict.fromkeys(run.variant for run in runs))}
    runs.sort(key=lambda run: (order[run.variant], run.seed))
    return GivenRuns(tuple(runs), np.zeros(0, np.int32), (), source)


# --- Predictions ------------------------------------------------------------------------------------------------------


class _Rows(NamedTuple):
    """The rows of one table: variant, seed and example of each, as positions."""

    part: RunTable
    variant: IntArray
    seed: IntArray
    example: IntArray


def _predictions(
    parts: Sequence[RunTable], source: str, labels: Path | None, classes: Sequence[str] | None, softmax: bool
) -> GivenRuns:
    apart = None if labels is None else labels_in(labels)
    from_file = None if apart is None else apart.values
    ids, of_parts = _examples(parts, None if from_file is None else len(from_file))
    names: dict[str, int] = {}
    rows = []
    for part, examples in zip(parts, of_parts, strict=True):
        codes, here = variants_of(part)
        places = np.array([names.setdefault(name, len(names)) for name in here])
        rows.append(_Rows(part, places[codes], seeds_of(part), examples))
    truth = _labels(rows, ids) if from_file is None else from_file
    if labels is not None:
        _refuse_others(rows, truth, labels)
    columns = list(parts[0].probabilities)
    predicted = [] if columns else [label_values(_texts(part, "predicted"), part.table.where) for part in parts]
    if classes is None and apart is not None:
        classes = apart.classes
    several = len(columns) > 1  # one alone is the probability of the second of two classes
    by_number = _by_number(columns, truth, parts[0].table.where) if classes is None and several else []
    known = classes if classes is not None else (by_number or None)
    where = str(labels) if labels is not None else parts[0].table.where
    if known is None and predicted:
        check_predicted(truth, _by_run(rows, list(names), predicted))
    values = distinct([truth, *predicted])
    found, stands_for = class_names(values, len(columns) if several else None, known, where)
    if len(columns) == 1 and without_point(columns[0]) != found[-1]:
        raise DataError(f"{parts[0].table.where}: one column of probabilities alone must be that of the second class, "
                        f"p_{found[-1]}, but is p_{columns[0]}; give a column for each class")  # fmt: skip
    codes_of = [class_codes(of, stands_for, part.table.where) for of, part in zip(predicted, parts, strict=False)]
    in_order = _in_order(columns, by_number or columns, found)
    checked = partial(probabilities_of, classes=len(found), softmax=softmax)
    runs = _runs(rows, list(names), ids, in_order, codes_of, checked)
    return GivenRuns(runs, class_codes(truth, stands_for, where), found, source, groups=apart and apart.groups)


def _by_number(columns: Sequence[str], labels: NDArray[Any], where: str) -> list[str]:
    """The classes that columns name where these and the labels are whole numbers, as the labels are written.

    Raises:
      DataError: a label has no column, or two columns have one number.
    """
    if not all(WHOLE.fullmatch(name) for name in columns) or labels.dtype.kind != "i":
        return list(columns)
    numbers = [without_point(name) for name in columns]
    named = ", ".join(f"p_{name}" for name in columns[:6])
    if len(set(numbers)) < len(numbers):
        raise DataError(f"{where}: two columns of probabilities are of one class ({named}); keep one of the two")
    if odd := next((str(label) for label in np.unique(labels).tolist() if str(label) not in numbers), None):
        fix = "name each after its label, or name all classes in the order of the columns, --classes (class_names=)"
        raise DataError(f"{where}: label {odd} has no column of probabilities ({named}); {fix}")
    return numbers


def _by_run(
    rows: Sequence[_Rows], variants: Sequence[str], predicted: Sequence[NDArray[Any]]
) -> Iterator[tuple[str, NDArray[Any]]]:
    """The place of each run, and what it predicts."""
    for one, values in zip(rows, predicted, strict=True):
        runs, codes = np.unique(np.stack([one.variant, one.seed]), axis=1, return_inverse=True)
        order = np.argsort(codes.reshape(-1), kind="stable")
        pieces = np.split(values[order], np.cumsum(np.bincount(codes.reshape(-1)))[:-1])
        for (variant, seed), piece in zip(runs.T.tolist(), pieces, strict=True):
            yield f"{one.part.table.where}: variant {variants[variant]!r}, seed {seed}", piece


def _texts(part: RunTable, what: str) -> NDArray[Any]:
    series = cells_of(part, what)
    return series.astype(str).to_numpy() if series.dtype == "category" else series.to_numpy()


def _examples(parts: Sequence[RunTable], count: int | None) -> tuple[NDArray[Any], list[IntArray]]:
    """The different examples, and the position of each row's among them; whole numbers count if labels are apart."""
    import pandas as pd

    columns = [cells_of(part, "example") for part in parts]
    if count is not None:
        places: list[IntArray] = []
        for part, column in zip(parts, columns, strict=True):
            numbers = as_numbers(column)
            wrong = ~((numbers >= 0) & (numbers < count) & (numbers == np.floor(numbers)))
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise DataError(f"{part.table.where}, {part.table.at(row)}: example {shown(column.iloc[row])} has no "
                                f"label among {count:,}; number the examples from 0")  # fmt: skip
            places.append(numbers.astype(np.int64))
        every: NDArray[Any] = np.arange(count)
        return every, places
    numeric = all(column.dtype.kind in "iuf" for column in columns if column.dtype != "category")
    numeric = numeric and all(column.dtype != "category" for column in columns)
    together = pd.concat([c if numeric else c.astype(str) for c in columns], ignore_index=True)
    codes, ids = pd.factorize(together, sort=True)
    by_part: list[IntArray] = [*np.split(codes, np.cumsum([len(c) for c in columns])[:-1])]
    return np.asarray(ids), by_part


def _labels(rows: Sequence[_Rows], ids: NDArray[Any]) -> NDArray[Any]:
    """The label of every example, which must be the same in all rows."""
    truth: NDArray[Any] | None = None
    known = np.zeros(len(ids), bool)
    for one in rows:
        if "label" not in one.part.columns:
            raise DataError(f"{one.part.table.where}: has no column label; add it, or give --labels FILE")
        values = label_values(_texts(one.part, "label"), one.part.table.where)
        if truth is not None and truth.dtype.kind != values.dtype.kind:
            truth, values = truth.astype(str), values.astype(str)
        truth = np.zeros(len(ids), values.dtype) if truth is None else truth.astype(np.result_type(truth, values))
        first = np.unique(one.example, return_index=True)[1]
        fresh = first[~known[one.example[first]]]
        truth[one.example[fresh]], known[one.example[fresh]] = values[fresh], True
        wrong = truth[one.example] != values
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            table, example = one.part.table, one.example[row]
            raise DataError(
                f"{table.where}, {table.at(row)}: example {shown(ids[example])} has the label {shown(values[row])}, "
                f"but {shown(truth[example])} in another row; fix one of the two"
            )
    return np.zeros(0, np.int64) if truth is None else truth


def _refuse_others(rows: Sequence[_Rows], truth: NDArray[Any], labels: Path) -> None:
    """Refuse labels in the tables that are not those of the file of labels."""
    for one in rows:
        where = one.part.table.where
        if "label" in one.part.columns and not same_labels(
            truth[one.example], label_values(_texts(one.part, "label"), where)
        ):
            raise DataError(f"{where}: other labels than {labels}; give the same examples in the same order")


def _runs(
    rows: Sequence[_Rows],
    variants: Sequence[str],
    ids: NDArray[Any],
    columns: Sequence[str],
    codes: Sequence[IntArray],
    checked: Callable[..., NDArray[Any]],
) -> tuple[GivenRun, ...]:
    """The runs of all tables, each of which is within one table."""
    found: list[GivenRun] = []
    for at, one in enumerate(rows):
        order = np.lexsort((one.example, one.seed, one.variant))  # (N,)
        variant, seed, example = (of[order] for of in (one.variant, one.seed, one.example))
        new_run = np.concatenate([[True], (variant[1:] != variant[:-1]) | (seed[1:] != seed[:-1])])  # (N,)
        twice = np.flatnonzero(~new_run[1:] & (example[1:] == example[:-1]))
        if len(twice):
            row = int(order[twice[0] + 1])
            table = one.part.table
            raise DataError(
                f"{table.where}, {table.at(row)}: example {shown(ids[one.example[row]])} of variant "
                f"{variants[one.variant[row]]!r}, seed {one.seed[row]} is there twice; keep one of the rows"
            )
        starts = np.flatnonzero(new_run)
        for begin, end in zip(starts, [*starts[1:], len(order)], strict=True):
            lines, judged = order[begin:end], example[begin:end]
            values = (
                partial(_probabilities, one.part, lines, columns, checked)
                if not codes
                else partial(codes[at].__getitem__, lines)
            )
            found.append(
                GivenRun(
                    variants[variant[begin]],
                    int(seed[begin]),
                    one.part.table.where,
                    values,
                    None if len(judged) == len(ids) else judged,
                )
            )
    place = {name: at for at, name in enumerate(variants)}
    return tuple(sorted(found, key=lambda run: (place[run.variant], run.seed)))


def _probabilities(
    part: RunTable, lines: IntArray, columns: Sequence[str], checked: Callable[..., NDArray[Any]]
) -> NDArray[Any]:
    """The checked probabilities in some rows of a table, one column a class."""
    frame = part.table.frame
    by_name = [part.probabilities[name] for name in columns]
    values = np.empty((len(lines), len(by_name)))  # (m, K)
    for column, at in enumerate(by_name):
        series = frame[frame.columns[at]]
        if series.dtype.kind not in "iuf":
            raise DataError(f"{part.table.where}: column {part.table.names[at]!r} holds texts; give probabilities")
        values[:, column] = series.to_numpy()[lines]

    def row(at: int) -> str:
        return part.table.at(int(lines[at]))

    return checked(values, where=part.table.where, row=row)


def _in_order(columns: Sequence[str], named: Sequence[str], classes: Sequence[str]) -> Sequence[str]:
    """The columns of probabilities in the order of the classes, which they name unless others were given.

    Args:
      columns: their names.
      named: the class that each names.
      classes: all, in order.
    """
    if set(classes) != set(named):
        return columns
    of = dict(zip(named, columns, strict=True))
    return [of[name] for name in classes]
