"""The columns of a table of runs: what each is, and what it says of each row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, IntArray
from wellfit.data.predictions.labels import EXAMPLES, LABELS
from wellfit.data.predictions.runs import run_named
from wellfit.data.tables.files import load_table, stem_of, without_settings
from wellfit.data.tables.table import Table
from wellfit.errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "WHOLE",
    "RunTable",
    "as_numbers",
    "cells_of",
    "run_table",
    "seeds_of",
    "shown",
    "variants_of",
    "without_point",
]

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
WHOLE: Final = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.0+)?")
"""A whole number as a label, also as a decimal one."""
_FORM: Final = (
    "the columns are variant, seed, example, label, and either predicted or p_CLASS for every class; or variant, seed "
    "and accuracy"
)


class RunTable(NamedTuple):
    """A table with its columns by what they are, and the one run that it holds, if no columns say which.

    Variants that are numbers are as they are ``written``: 1.1 and 1.10 are two versions.
    """

    table: Table
    columns: dict[str, int]
    probabilities: dict[str, int]
    logits: bool
    named: tuple[str, int] | None
    written: NDArray[Any] | None = None


def run_table(file: Path, named: tuple[str, int] | None) -> RunTable:
    """Read a table, and find out what each of its columns is.

    Args:
      file: of the table.
      named: variant and seed of all its rows, whose columns do not count then; by default those in the file's name.

    Raises:
      DataError: no table with a header, or an unknown, a missing or a doubled column.
    """
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
            of = found["name"].strip()
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
    return RunTable(replace(table, written=None), by_name, probabilities, logits, named, written)


def without_point(name: str) -> str:
    """The name of a class without ``.0``, as labels that were kept as decimal numbers have it.

    Example:
      >>> without_point("2.0"), without_point("02"), without_point("cat")
      ('2', '02', 'cat')
    """
    return name.partition(".")[0] if WHOLE.fullmatch(name) else name


def cells_of(part: RunTable, what: str) -> pd.Series[Any]:
    """The cells of the column that says something, ``"variant"`` say.

    Raises:
      DataError: one is empty.
    """
    series = part.table.frame[part.table.frame.columns[part.columns[what]]]
    empty = series.isna().to_numpy() | (series == "").to_numpy()
    if empty.any():
        row = int(np.flatnonzero(empty)[0])
        raise DataError(f"{part.table.where}, {part.table.at(row)}: no {what}; fill it in, or remove the row")
    return series


def variants_of(part: RunTable) -> tuple[NDArray[Any], list[str]]:
    """The variant of each row as a position among names.  # (N,)"""
    import pandas as pd

    if "variant" not in part.columns:
        return np.zeros(len(part.table.frame), np.int64), [(part.named or ("", 0))[0]]
    named = cells_of(part, "variant") if part.written is None else pd.Series(part.written)
    codes, names = pd.factorize(named.astype(str).str.strip())
    return codes, list(names)


def seeds_of(part: RunTable) -> IntArray:
    """The seed of each row.  # (N,)

    Raises:
      DataError: one is not a whole number from 0.
    """
    if "seed" not in part.columns:
        return np.full(len(part.table.frame), (part.named or ("", 0))[1], np.int64)
    series = cells_of(part, "seed")
    if series.dtype.kind == "b":
        raise DataError(f"{part.table.where}: seeds are true or false; number the runs of each variant")
    numbers = as_numbers(series)
    wrong = ~((numbers >= 0) & (numbers == np.floor(numbers)) & (numbers < 2**31))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{part.table.where}, {part.table.at(row)}: seed {shown(series.iloc[row])} is not a whole number from 0; "
            "number the runs of each variant"
        )
    return numbers.astype(np.int64)


def as_numbers(series: pd.Series[Any]) -> NDArray[np.float64]:
    """Cells as numbers; NaN where they are none.  # (N,)"""
    import pandas as pd

    return pd.to_numeric(series.astype(object) if series.dtype == "category" else series, errors="coerce").to_numpy(
        np.float64
    )


def shown(value: Any) -> str:
    """A cell in a message: texts in quotation marks, which are shortened."""
    return repr(value) if isinstance(value, str) else str(value)
