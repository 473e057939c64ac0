"""Single tables for somebody else's text: LaTeX with booktabs, CSV, or Markdown.

LaTeX and Markdown show numbers as the report does; CSV has every column in full precision.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from wellfit import errors
from wellfit.base import StudySummary
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.report import wording
from wellfit.report.forms.markdown import markdown_table
from wellfit.report.parts import Table
from wellfit.report.subjects.results.numbers import comparison_table
from wellfit.report.subjects.results.section import score_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMS", "TABLES", "check_names", "latex_table", "table_text"]

TABLES: Final = (
    "table",
    "runs",
    "compare",
    "ranking",
    "conclusion",
    "history",
    "mistakes",
    "per_class",
    "calibration",
)
"""The tables of a study: methods of ``Results``."""

FORMS: Final = ("latex", "csv", "markdown")

LONGEST: Final = 40
"""Rows of a LaTeX table that stays on one page; a longer one may continue on the next."""

SENTENCE: Final = 60
"""Characters from which a cell is set as a paragraph."""

NAMES: Final = ("variant", "class", "true", "predicted", "question")
"""Columns of texts from the study, shown as they are."""

LEFT: Final = ("variant", "class", "question", "sentence")
"""Columns that begin their table and are aligned left."""

_SIGNS: Final = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}"},
    **{"\u2212": "$-$", "\u2013": r"\textendash{}", "\u2026": r"\ldots{}", "\u00d7": r"$\times$", "\u00b1": r"$\pm$"},
    **{"\u2264": r"$\leq$", "\u2265": r"$\geq$", "\u00a0": "~"},
}
"""Character -> LaTeX, for those that mean something else there, or that its default fonts lack."""


def check_names(table: str, form: str) -> tuple[str, str]:
    """The names of a table and a form as this module knows them.

    Raises:
      UnknownNameError: there is no such table or form.

    Example:
      >>> check_names("per-class", "LaTeX")
      ('per_class', 'latex')
    """
    name, known = table.lower().replace("-", "_"), form.lower()
    if name not in TABLES:
        raise UnknownNameError("table", table, TABLES)
    if known not in FORMS:
        raise UnknownNameError("format", form, FORMS)
    return name, known


def table_text(summary: StudySummary, frame: pd.DataFrame, table: str, form: str) -> str:
    """A table of a study as text.

    Args:
      summary: of the study.
      frame: what the method of ``Results`` with the table's name returns.
      table, form: as ``check_names`` returns them.

    Raises:
      StudyFileError: the table has no rows.
    """
    from wellfit.report.subjects.results.frames import csv_text

    if frame.empty:
        fix = "run the study first" if table != "compare" else "run a study of two or more variants first"
        if summary.elsewhere:
            fix = "what was judged does not hold what it shows" if table != "compare" else "judge two or more variants"
        raise StudyFileError(f"{summary.directory}: its table {table!r} has no rows; {fix}")
    if form == "csv":
        return csv_text(frame)
    shown = _shown(summary, frame, table)
    return (latex_table(shown) if form == "latex" else markdown_table(shown)) + "\n"


def latex_table(table: Table) -> str:
    r"""A table for a document with the package booktabs; of many rows, a longtable.

    Every text is escaped. A PDF of letters beyond Latin, Greek or mathematics takes XeLaTeX or LuaLaTeX, and a font.

    Example:
      >>> print(latex_table(Table(("Variant", "Gap, points"), (("l2_1e-3", "\u22120.40"),))))
      % \usepackage{booktabs}
      \begin{tabular}{lr}
      \toprule
      Variant & Gap, points \\
      \midrule
      l2\_1e-3 & $-$0.40 \\
      \bottomrule
      \end{tabular}
    """
    long = len(table.rows) > LONGEST
    kind, packages = ("longtable", "booktabs,longtable") if long else ("tabular", "booktabs")
    head = [r"\toprule", _row(table.headings), r"\midrule", *([r"\endhead"] if long else [])]
    end = r"\bottomrule"
    before, after = ([*head, end, r"\endfoot"], []) if long else (head, [end])
    return "\n".join(
        [
            f"% \\usepackage{{{packages}}}",
            f"\\begin{{{kind}}}{{{_columns(table)}}}",
            *before,
            *(_row(row) for row in table.rows),
            *after,
            f"\\end{{{kind}}}",
        ]
    )


# --- Parts ------------------------------------------------------------------------------------------------------------


def _shown(summary: StudySummary, frame: pd.DataFrame, table: str) -> Table:
    """The table with its numbers written as in the report; of the two widest, what the report has on paper."""
    from wellfit.report.subjects.results.frames import shown

    if table == "table":
        return score_table(summary)
    if table == "compare":
        return comparison_table(summary)
    texts = shown(frame if frame.index.name is None else frame.reset_index())
    headings = tuple(wording.capitalized(str(column)) for column in texts)
    columns = [list(texts[c]) if c in NAMES else [wording.true_minus(cell) for cell in texts[c]] for c in texts]
    rows = tuple(zip(*columns, strict=True))
    return Table(headings, rows, text=max(1, sum(column in LEFT for column in texts)))


def _columns(table: Table) -> str:
    """The column specification: sentences get the width that is left."""
    kinds = ["l" if at < table.text else "r" for at in range(len(table.headings))]
    wide = [at for at in range(table.text) if any(len(row[at]) > SENTENCE for row in table.rows)]
    for at in wide:
        kinds[at] = f"p{{{0.9 / max(len(wide), 1):.2g}\\linewidth}}"
    return "".join(kinds)


def _row(cells: tuple[str, ...]) -> str:
    row = " & ".join(_escaped(cell) for cell in cells)
    return f"{'{}' if row.startswith(('[', '*')) else ''}{row} \\\\"  # after the row before, they would be its argument


def _escaped(text: str) -> str:
    """Text on one line that LaTeX reads as text only."""
    plain = "".join(_SIGNS.get(sign, sign) for sign in re.sub(r"[\n\t]", " ", errors.escaped(text)))
    return re.sub(r"-(?=-)|(?<=[?!])(?=`)", lambda match: "-{}" if match[0] else "{}", plain)
