"""Running the cells of a notebook without Jupyter: what each prints and shows, as parts of a written report.

The cells are wellfit's own text files. They run in this process, one after another, with the same names.
"""

from __future__ import annotations

import ast
import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np

from wellfit.errors import WellfitError
from wellfit.report.marks.static import alt_text
from wellfit.report.parts import Code, Drawing, Paragraph, Part, Table
from wellfit.report.wording import true_minus

__all__ = ["Cells"]

WIDE: Final = 88
"""Characters of a line; longer lines of words are prose, and are set as paragraphs."""

LINE: Final = 118
"""Characters of the lines of an array: a row of an image of 28 x 28 pixels."""

MOST_COLUMNS: Final = 10
MOST_ROWS: Final = 40
"""Of a table; of a longer one, the first and the last are shown."""


class Cells:
    """Cells that share their names.

    Args:
      names: that the first cell finds; ``display`` and ``show`` are added to them.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._parts: list[Part] = []
        self._printed = io.StringIO()
        self._lost = False
        self.names: dict[str, Any] = {**names, "display": self._display, "show": self._show}

    def run(self, code: str) -> list[Part]:
        """Run a cell.

        Returns:
          What it prints and displays, in order, and the value of its last line; of a cell that could not be run,
          one line that says why.
        """
        self._parts, self._printed = [], io.StringIO()
        tree = ast.parse(code)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        try:
            with contextlib.redirect_stdout(self._printed), np.printoptions(linewidth=LINE):
                exec(compile(tree, "<cell>", "exec"), self.names)
                if isinstance(last, ast.Expr):
                    self._display(eval(compile(ast.Expression(last.value), "<cell>", "eval"), self.names))
        except WellfitError as error:
            self._lost = True
            self._show(Paragraph(f"Not shown: {error}", kind="small"))
        except NameError:  # what an earlier cell would have made
            if not self._lost:
                raise
            self._show(Paragraph("Not shown: it needs what is missing above.", kind="small"))
        self._flush()
        return self._parts

    def _show(self, part: Part) -> None:
        """Show a part as it is."""
        self._flush()
        self._parts.append(part)

    def _display(self, *values: Any) -> None:
        for value in values:
            if value is not None:
                self._flush()
                self._parts += _parts(value, len(self._parts))

    def _flush(self) -> None:
        """What was printed since: long lines of words are prose, all others code."""
        lines = self._printed.getvalue().rstrip("\n").splitlines()
        self._printed.seek(0)
        self._printed.truncate()
        for prose, group in groupby(lines, _is_prose):
            if prose:
                self._parts += [Paragraph(true_minus(line)) for line in group]
            elif text := "\n".join(group).strip("\n"):
                self._parts.append(Code(text))


def _is_prose(line: str) -> bool:
    """Whether a line is a sentence, or a long one of words.

    Example:
      >>> _is_prose("l2 is undecided: 1 to 2 points remain possible."), _is_prose("l2: gap 1.5 points [1.2, 1.8]")
      (True, False)
    """
    if line.endswith((".", "?")) and len(line.split()) > 4 and not line.startswith((" ", "[")):
        return True
    return len(line) > WIDE and sum(c.isalpha() or c == " " for c in line) > 0.75 * len(line)


def _parts(value: Any, number: int) -> Iterator[Part]:
    """A value as a reader sees it."""
    kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
    if kind == "pandas.DataFrame":
        yield from _tables(value)
    elif kind == "pandas.Series":
        yield from _tables(value.to_frame())
    elif kind == "matplotlib.Figure":
        yield Drawing(f"cell-{number}", "", _drawn(value))
    elif is_dataclass(value) and not isinstance(value, type):
        yield Table((), tuple(_changed(value)), text=2)
    else:
        yield Code(str(value) if isinstance(value, str) else repr(value))


def _drawn(figure: Any) -> Callable[[], Any]:
    alt_text(figure)  # a figure that says nothing of itself is no figure of wellfit
    return lambda: figure


def _changed(value: Any) -> Iterator[tuple[str, str]]:
    """Name and value of the fields of a dataclass that do not have their defaults."""
    for one in fields(value):
        here = getattr(value, one.name)
        usual = one.default if one.default_factory is MISSING else one.default_factory()
        if is_dataclass(here) and not isinstance(here, type):
            yield from ((f"{one.name}, {name}", text) for name, text in _changed(here))
        elif here != usual:
            yield one.name, _cell(here)


def _tables(frame: Any) -> Iterator[Table]:
    """A DataFrame as tables that fit the page, each with the index, or with a first column of names."""
    if frame.shape[1] > MOST_COLUMNS and not _is_named(frame) and _kinds(frame, 0) not in "iufb":
        frame = frame.set_index(frame.columns[0])
    count = -(-frame.shape[1] // MOST_COLUMNS)
    each = -(-frame.shape[1] // max(1, count))  # about as many columns in each
    for at in range(count):
        yield _table(frame.iloc[:, at * each : (at + 1) * each])


def _table(frame: Any) -> Table:
    """A DataFrame with its index, where that is more than positions."""
    named = _is_named(frame)
    rows = [[*([_cell(at)] if named else []), *map(_cell, row)]
            for at, row in zip(frame.index, frame.itertuples(index=False), strict=True)]  # fmt: skip
    if len(rows) > MOST_ROWS:
        rows = [*rows[: MOST_ROWS // 2], ["…"] * len(rows[0]), *rows[-MOST_ROWS // 2 :]]
    numbers = [all(kind in "iufb" for kind in _kinds(frame, at)) for at in range(frame.shape[1])]
    texts = next((at for at, number in enumerate(numbers) if number), len(numbers))
    headings = ([str(frame.index.name or "")] if named else []) + [_heading(name) for name in frame.columns]
    return Table(tuple(headings), tuple(map(tuple, rows)), text=max(1, texts + named))


def _is_named(frame: Any) -> bool:
    """Whether the index is more than positions."""
    return list(frame.index) != list(range(len(frame)))


def _kinds(frame: Any, column: int) -> str:
    return str(frame.dtypes.iloc[column].kind)


def _heading(name: Any) -> str:
    return str(name).replace("_", " ")


def _cell(value: Any) -> str:
    """A value in a table: numbers short, and nothing for what is missing."""
    if value is None or value != value:  # noqa: PLR0124  # NaN
        return ""
    if isinstance(value, tuple | list):
        return (
            " × ".join(map(_cell, value))
            if value and all(isinstance(v, int) for v in value)
            else ", ".join(map(_cell, value))
        )
    if hasattr(value, "dtype") and value.ndim == 0:
        value = value.item()
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 1e-4 or not value else f"{value:.1e}"
    return str(value)
