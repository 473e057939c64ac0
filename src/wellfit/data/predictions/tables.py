"""Predictions in tables: one row for each run and example, or one for each run and its accuracy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, IntArray
from wellfit.data.predictions.classes import check_predicted, class_codes, class_names
from wellfit.data.predictions.label_values import distinct, label_values, same_labels
from wellfit.data.predictions.probabilities import SOFTMAX, probabilities_of
from wellfit.data.predictions.labels import EXAMPLES, LABELS, labels_in
from wellfit.data.predictions.runs import GivenRun, GivenRuns, run_named
from wellfit.data.tables.files import load_table, stem_of, without_settings
from wellfit.data.tables.table import Table
from wellfit.errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_tables"]

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "variant": ("variant", "model", "method", "config"),
    "seed": ("seed", "run", "random_state", "repeat"),
    "example": EXAMPLES,
    "label": LABELS,
    "predicted": ("predicted", "prediction", "y_pred", "pred", "predicted_class", "predicted_label"),
    "accuracy": ("accuracy", "test_accuracy", "acc", "test_acc", "value"),
}
"""What a column is -> names that say so, in lower case."""

_PROBABILITY: Final = re.compile(r"(?:probability|proba|prob|p)(?:_|:|\.| )(?P<name>.+)", re.IGNORECASE)
_LOGIT: Final = re.compile(r"logits?(?:_|:|\.| )(?P<name>.+)", re.IGNORECASE)
_WHOLE: Final = re.compile(r"[0-9]{1,15}(?:\.0+)?")
_FORM: Final = (
    "the columns are variant, seed, example, label, and either predicted or p_CLASS for every class; or variant, seed "
    "and accuracy"
)


class _Part(NamedTuple):
    """A table with its columns by what they are, and the one run that it holds, if no columns say which.

    Variants that are numbers are as they are ``written``: 1.1 and 1.10 are two versions.
    """

    table: Table
    columns: dict[str, int]
    probabilities: dict[str, int]
    logits: bool
    named: tuple[str, int] | None
    written: NDArray[Any] | None = None


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
    parts = [_part(file, (named or {}).get(file)) for file in files]
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


def _part(file: Path, named: tuple[str, int] | None) -> _Part:
    with without_settings():
        table = load_table(file, DEFAULT_READING, as_written=True)
    if not table.header:
        raise DataError(f"{file}: has no header; {_FORM}")
    by_name: dict[str, int] = {}
    probabilities: dict[str, int] = {}
    logits = False
    known = {name: what for what, names in _COLUMNS.items() for name in names}
    for at, name in enumerate(table.bare or table.names):
        what = known.get(name.strip().lower())
        chance, logit = _PROBABILITY.fullmatch(name.strip()), _LOGIT.fullmatch(name.strip())
        if what is not None:
            if what in by_name:
                raise DataError(f"{file}: columns {table.names[by_name[what]]!r} and {name!r} both say the {what}; "
                                "keep one of the two")  # fmt: skip
            by_name[what] = at
        elif found := chance or logit:
            of = _class_named(found["name"])
            if (twin := probabilities.setdefault(of, at)) != at:
                raise DataError(f"{file}: columns {table.names[twin]!r} and {name!r} are both of class {of!r}; keep "
                                "one of the two")  # fmt: skip
            logits = logits or chance is None
        else:
            close = nearest(name.strip().lower(), known)
            hint = f"; did you mean {close!r}?" if close else ""
            raise DataError(f"{file}: unknown column {name!r}{hint}; {_FORM}; remove it or rename it")
    needed = {"accuracy"} if "accuracy" in by_name else {"example"}
    if named is not None:
        by_name = {what: at for what, at in by_name.items() if what not in ("variant", "seed")}
    named = named or run_named(stem_of(file))
    needed |= set() if named is not None else {"variant", "seed"}
    if missing := [what for what in ("variant", "seed", "example", "accuracy") if what in needed - by_name.keys()]:
        raise DataError(f"{file}: has no column {missing[0]}; {_FORM}")
    if "accuracy" not in by_name and ("predicted" in by_name) == bool(probabilities):
        has = "both predicted and probabilities" if probabilities else "neither predicted nor probabilities (p_CLASS)"
        raise DataError(f"{file}: has {has}; give one of them")
    written = None
    if table.written is not None and "variant" in by_name and table.frame.dtypes.iloc[by_name["variant"]].kind in "iuf":
        written = table.written(by_name["variant"])
    return _Part(replace(table, written=None), by_name, probabilities, logits, named, written)


def _class_named(text: str) -> str:
    """The class that the name of a column names: 2.0 is class 2, as where labels were kept as decimal numbers."""
    text = text.strip()
    return str(int(float(text))) if _WHOLE.fullmatch(text) else text


# --- Columns ----------------------------------------------------------------------------------------------------------


def _column(part: _Part, what: str) -> pd.Series[Any]:
    series = part.table.frame[part.table.frame.columns[part.columns[what]]]
    empty = series.isna().to_numpy() | (series == "").to_numpy()
    if empty.any():
        row = int(np.flatnonzero(empty)[0])
        raise DataError(f"{part.table.where}, {part.table.at(row)}: no {what}; fill it in, or remove the row")
    return series


def _variants(part: _Part) -> tuple[NDArray[Any], list[str]]:
    """The variant of each row as a position among names.  # (N,)"""
    import pandas as pd

    if "variant" not in part.columns:
        return np.zeros(len(part.table.frame), np.int64), [(part.named or ("", 0))[0]]
    named = _column(part, "variant") if part.written is None else pd.Series(part.written)
    codes, names = pd.factorize(named.astype(str).str.strip())
    return codes, list(names)


def _seeds(part: _Part) -> IntArray:
    if "seed" not in part.columns:
        return np.full(len(part.table.frame), (part.named or ("", 0))[1], np.int64)
    series = _column(part, "seed")
    if series.dtype.kind == "b":
        raise DataError(f"{part.table.where}: seeds are true or false; number the runs of each variant")
    numbers = _as_numbers(series)
    wrong = ~((numbers >= 0) & (numbers == np.floor(numbers)) & (numbers < 2**31))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{part.table.where}, {part.table.at(row)}: seed {_shown(series.iloc[row])} is not a whole number from 0; "
            "number the runs of each variant"
        )
    return numbers.astype(np.int64)


def _as_numbers(series: pd.Series[Any]) -> NDArray[np.float64]:
    import pandas as pd

    return pd.to_numeric(series.astype(object) if series.dtype == "category" else series, errors="coerce").to_numpy(
        np.float64
    )


# --- Accuracies alone -------------------------------------------------------------------------------------------------


def _accuracies(parts: Sequence[_Part], source: str) -> GivenRuns:
    runs = []
    for part in parts:
        for what in ("label", "predicted", "example"):
            if what in part.columns:
                raise DataError(f"{part.table.where}: has the columns accuracy and {what}; give one row per run with "
                                "its accuracy, or one row per example with its prediction")  # fmt: skip
        codes, names = _variants(part)
        series, seeds = _column(part, "accuracy"), _seeds(part)
        values = _as_numbers(series)
        wrong = ~((values >= 0) & (values <= 1))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            fix = "divide percentages by 100" if 1 < values[row] <= 100 else "give shares between 0 and 1"
            cell = _shown(series.iloc[row])
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

    part: _Part
    variant: IntArray
    seed: IntArray
    example: IntArray


def _predictions(
    parts: Sequence[_Part], source: str, labels: Path | None, classes: Sequence[str] | None, softmax: bool
) -> GivenRuns:
    apart = None if labels is None else labels_in(labels)
    from_file = None if apart is None else apart.values
    ids, of_parts = _examples(parts, None if from_file is None else len(from_file))
    names: dict[str, int] = {}
    rows = []
    for part, examples in zip(parts, of_parts, strict=True):
        codes, here = _variants(part)
        places = np.array([names.setdefault(name, len(names)) for name in here])
        rows.append(_Rows(part, places[codes], _seeds(part), examples))
    truth = _labels(rows, ids) if from_file is None else from_file
    if labels is not None:
        _refuse_others(rows, truth, labels)
    columns = list(parts[0].probabilities)
    predicted = [] if columns else [label_values(_texts(part, "predicted"), part.table.where) for part in parts]
    if classes is None and apart is not None:
        classes = apart.classes
    known = classes if classes is not None else (columns or None)
    where = str(labels) if labels is not None else parts[0].table.where
    if known is None:
        check_predicted(truth, _by_run(rows, list(names), predicted))
    elif classes is None:
        _refuse_without_column(truth, columns, where)
    values = distinct([truth, *predicted])
    found, stands_for = class_names(values, len(columns) or None, known, where)
    codes_of = [class_codes(of, stands_for, part.table.where) for of, part in zip(predicted, parts, strict=False)]
    runs = _runs(rows, list(names), ids, _in_order(columns, found), codes_of, softmax)
    return GivenRuns(runs, class_codes(truth, stands_for, where), found, source, groups=apart and apart.groups)


def _refuse_without_column(labels: NDArray[Any], columns: Sequence[str], where: str) -> None:
    """Refuse whole numbers as labels of which one has no column, where the columns are named by whole numbers."""
    if not all(_WHOLE.fullmatch(name) for name in columns) or labels.dtype.kind != "i":
        return
    if odd := next((str(label) for label in np.unique(labels).tolist() if str(label) not in columns), None):
        named = ", ".join(f"p_{name}" for name in columns[:6])
        raise DataError(f"{where}: label {odd} has no column of probabilities ({named}); name each column after its "
                        "label, or name all classes in the order of the columns, --classes (class_names=)")  # fmt: skip


def _shown(value: Any) -> str:
    """A cell in a message: texts in quotation marks, which are shortened."""
    return repr(value) if isinstance(value, str) else str(value)


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


def _texts(part: _Part, what: str) -> NDArray[Any]:
    series = _column(part, what)
    return series.astype(str).to_numpy() if series.dtype == "category" else series.to_numpy()


def _examples(parts: Sequence[_Part], count: int | None) -> tuple[NDArray[Any], list[IntArray]]:
    """The different examples, and the position of each row's among them; whole numbers count if labels are apart."""
    import pandas as pd

    columns = [_column(part, "example") for part in parts]
    if count is not None:
        places: list[IntArray] = []
        for part, column in zip(parts, columns, strict=True):
            numbers = _as_numbers(column)
            wrong = ~((numbers >= 0) & (numbers < count) & (numbers == np.floor(numbers)))
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise DataError(f"{part.table.where}, {part.table.at(row)}: example {_shown(column.iloc[row])} has no "
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
                f"{table.where}, {table.at(row)}: example {_shown(ids[example])} has the label {_shown(values[row])}, "
                f"but {_shown(truth[example])} in another row; fix one of the two"
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
    softmax: bool,
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
                f"{table.where}, {table.at(row)}: example {_shown(ids[one.example[row]])} of variant "
                f"{variants[one.variant[row]]!r}, seed {one.seed[row]} is there twice; keep one of the rows"
            )
        starts = np.flatnonzero(new_run)
        for begin, end in zip(starts, [*starts[1:], len(order)], strict=True):
            lines, judged = order[begin:end], example[begin:end]
            values = (
                partial(_probabilities, one.part, lines, columns, softmax)
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


def _probabilities(part: _Part, lines: IntArray, columns: Sequence[str], softmax: bool) -> NDArray[Any]:
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

    return probabilities_of(values, len(columns), part.table.where, softmax=softmax, row=row)


def _in_order(columns: Sequence[str], classes: Sequence[str]) -> Sequence[str]:
    """The columns of probabilities in the order of the classes, which are their names unless others were given."""
    return classes if set(classes) == set(columns) else columns
