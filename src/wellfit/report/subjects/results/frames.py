"""Data frames that print well: metrics in percent with their intervals, and whole sentences; and frames as CSV.

The values are plain numbers and texts, and a selection is a plain pandas data frame. Import this module only to make a
table, because pandas is slow to load.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from wellfit.errors import printable
from wellfit.narrative.metrics import is_loss
from wellfit.report import wording

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MetricFrame", "SentenceFrame", "csv_text", "shown"]

POINTS: Final = ("_gap", "gain")
"""Endings of columns that are differences of shares, shown in percentage points."""

SHARES: Final = ("accuracy", "_f1", "roc_auc", "precision", "recall", "f1", "ece", "probability", *POINTS)
"""Endings of columns that are shares of 1, shown in percent, or in points."""

LABELS: Final = ("seed", "epoch", "test_row")
"""Columns of whole numbers that name something; they are shown without separators."""

ABBREVIATIONS: Final = {"ece": "calibration error", "f1": "F1", "brier": "Brier score"}

_FORMULA: Final = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""How a cell begins that a spreadsheet takes for a formula."""


class MetricFrame(pd.DataFrame):
    """One row per variant, printed in percent with intervals in brackets; the values are shares of 1.

    A column ``x`` with ``x_low`` and ``x_high`` is printed as one column.

    Example:
      >>> MetricFrame({"test_accuracy": [0.5], "test_accuracy_low": [0.25], "test_accuracy_high": [0.75]}, index=["a"])
             test accuracy, %
      a  50.00 [25.00, 75.00]
      Accuracies are shown in percent, gaps in points; the columns hold shares of 1.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    def __repr__(self) -> str:
        width = shutil.get_terminal_size().columns
        return f"{shown(self).to_string(line_width=width)}\n{UNITS}"

    def _repr_html_(self) -> str:
        return f"{shown(self).to_html()}<p>{UNITS}</p>"


class SentenceFrame(pd.DataFrame):
    """One row per sentence, printed in full below its question.

    Example:
      >>> SentenceFrame({"question": ["Which?", "Which?"], "sentence": ["This one.", "For sure."]})
      Which?
        This one.
        For sure.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    def __repr__(self) -> str:
        width = min(shutil.get_terminal_size().columns, 100)
        lines: list[str] = []
        for question, sentences in self.groupby("question", sort=False)["sentence"]:
            lines += textwrap.wrap(str(question), width)
            for sentence in sentences:
                lines += textwrap.wrap(str(sentence), width, initial_indent="  ", subsequent_indent="  ")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        plain = pd.DataFrame(self)[["question", "sentence"]]
        plain["question"] = plain["question"].where(~plain["question"].duplicated(), "")
        with pd.option_context("display.max_colwidth", None):
            return plain.to_html(index=False, justify="left")


def shown(numbers: pd.DataFrame) -> pd.DataFrame:
    """The same table as text: percent, points, losses with four decimals, intervals in brackets.

    Args:
      numbers: a table of ``Results``; columns ``x_low`` and ``x_high`` join ``x``. Lists in cells are left out.

    Example:
      >>> shown(pd.DataFrame({"seed": [1000], "test_accuracy": [0.5], "test_loss": [0.25]})).to_dict("list")
      {'seed': ['1000'], 'test accuracy, %': ['50.00'], 'test loss': ['0.2500']}
    """
    numbers = _named(numbers)
    texts: dict[str, list[str]] = {}
    ends = {f"{column}_{end}" for column in numbers for end in ("low", "high")}
    for column in (str(name) for name in numbers if name not in ends):
        around = [f"{column}_{end}" for end in ("low", "high") if f"{column}_{end}" in numbers]
        rows = list(numbers[[column, *around]].itertuples(index=False))
        if not any(isinstance(row[0], tuple) for row in rows):
            texts[_heading(column)] = [_cell(column, list(row)) for row in rows]
    return pd.DataFrame(texts, index=numbers.index)


def csv_text(numbers: pd.DataFrame) -> str:
    r"""A table of ``Results`` as CSV: full precision, shares of 1, one number a cell.

    An interval in one column becomes two, ``_low`` and ``_high``; other lists are joined with spaces. A text that a
    spreadsheet would take for a formula gets an apostrophe in front, which keeps it a text.

    Example:
      >>> csv_text(pd.DataFrame({"class": ["-1", "=1+1"], "interval": [(0.1, 0.3), (0.0, 0.5)]}))
      "class,interval_low,interval_high\n-1,0.1,0.3\n'=1+1,0.0,0.5\n"
    """
    plain = pd.DataFrame(numbers if numbers.index.name is None else numbers.reset_index())
    columns: dict[str, Any] = {}
    for column in plain:
        cells = list(plain[column])
        if str(column).startswith(("interval", "bootstrap_interval")):
            pairs = [cell or (None, None) for cell in cells]
            columns |= {f"{column}_{end}": [pair[at] for pair in pairs] for at, end in enumerate(("low", "high"))}
        elif any(isinstance(cell, str | tuple) for cell in cells):
            columns[_inert(str(column))] = [_inert(cell) for cell in cells]
        else:
            columns[_inert(str(column))] = plain[column]
    return str(pd.DataFrame(columns).to_csv(index=False, lineterminator="\n"))


# --- Parts ------------------------------------------------------------------------------------------------------------

UNITS: Final = "Accuracies are shown in percent, gaps in points; the columns hold shares of 1."


def _named(numbers: pd.DataFrame) -> pd.DataFrame:
    """The table with the compared metric's own name in place of "test_score" and "mean"."""
    metric = f"test_{numbers.attrs.get('metric', 'accuracy')}"
    if metric in numbers:
        return numbers.drop(columns="test_score", errors="ignore")
    ends = {end: f"{metric}_{end}" for end in ("low", "high")} if "mean" in numbers else {}
    return numbers.rename(columns={"test_score": metric, "mean": metric, **ends})


def _heading(column: str) -> str:
    unit = ", points" if column.endswith(POINTS) else ", %" if _is_share(column) else ""
    return ABBREVIATIONS.get(column, column.replace("_", " ")) + unit


def _is_share(column: str) -> bool:
    return column.endswith(SHARES) and not column.startswith("wrong")


def _cell(column: str, values: list[Any]) -> str:
    if isinstance(values[0], str):
        return values[0]
    if values[0] is None or values[0] != values[0]:
        return wording.NOTHING
    share = _is_share(column)
    if float(values[0]).is_integer() and not share:
        return f"{int(values[0])}" if column in LABELS else f"{int(values[0]):,}"
    digits = ".4f" if is_loss(column) or column.endswith("brier") else ".4g"
    first, *bounds = (f"{100 * value:.2f}" if share else f"{value:{digits}}" for value in values)
    return f"{first} [{', '.join(bounds)}]" if bounds and values[1] == values[1] else first


def _inert(cell: Any) -> Any:
    if isinstance(cell, tuple):
        cell = " ".join(map(str, cell))
    if not isinstance(cell, str):
        return cell
    text = printable(cell, sys.maxsize)
    return f"'{text}" if _FORMULA.match(cell) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
