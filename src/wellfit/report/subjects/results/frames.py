"""Data frames that print well: metrics in percent with their intervals, and whole sentences.

The values are plain numbers and texts, and a selection is a plain pandas data frame. Import this module only to make a
table, because pandas is slow to load.
"""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from wellfit.report import wording

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MetricFrame", "SentenceFrame"]

POINTS: Final = "_gap"
"""The ending of columns that are differences of shares, shown in percentage points."""


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
        return f"{_shown(self).to_string(line_width=width)}\n{UNITS}"

    def _repr_html_(self) -> str:
        return f"{_shown(self).to_html()}<p>{UNITS}</p>"


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


# --- Parts ------------------------------------------------------------------------------------------------------------

UNITS: Final = "Accuracies are shown in percent, gaps in points; the columns hold shares of 1."


def _shown(numbers: pd.DataFrame) -> pd.DataFrame:
    """The same as text: percent, points, losses with four decimals, intervals in brackets."""
    texts: dict[str, list[str]] = {}
    ends = {f"{column}_{end}" for column in numbers for end in ("low", "high")}
    for column in (str(name) for name in numbers if name not in ends):
        share = column.endswith(("accuracy", "macro_f1", "roc_auc", POINTS))
        unit = ", points" if column.endswith(POINTS) else ", %" if share else ""
        around = [f"{column}_{end}" for end in ("low", "high") if f"{column}_{end}" in numbers]
        rows = numbers[[column, *around]].itertuples(index=False)
        digits = ".4f" if column.endswith(("_loss", "_brier")) else ".4g"
        texts[column.replace("_", " ") + unit] = [_cell(list(row), share, digits) for row in rows]
    return pd.DataFrame(texts, index=numbers.index)


def _cell(values: list[Any], share: bool, digits: str) -> str:
    if isinstance(values[0], str):
        return values[0]
    if values[0] != values[0]:
        return wording.NOTHING
    if float(values[0]).is_integer() and not share:
        return f"{int(values[0]):,}"
    first, *bounds = (f"{100 * value:.2f}" if share else f"{value:{digits}}" for value in values)
    return f"{first} [{', '.join(bounds)}]" if bounds and values[1] == values[1] else first
