"""Whether a written report shows what the study directory holds now."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from wellfit.base import StudySummary
from wellfit.report.subjects.results import numbers as rows

__all__ = ["stale_report"]

BETWEEN: Final = "\n"  # no cell contains one


class _Cells(HTMLParser):
    """The texts of a page in order, with single spaces."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep a text that is not only white space."""
        if text := " ".join(data.split()):
            self.texts.append(text)


def stale_report(summary: StudySummary, path: Path) -> str | None:
    """One line about a report that does not show every run of the study with its current numbers.

    Args:
      path: of the HTML report.

    Returns:
      The first run that it shows differently, and the fix; None where all are shown as they are, or without a report.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    page = _Cells()
    page.feed(text)
    shown = f"{BETWEEN}{BETWEEN.join(page.texts)}{BETWEEN}"
    for variant in summary.variants:
        for run in variant.runs:
            row = [variant.name, *rows.run_row(run)]
            if f"{BETWEEN}{BETWEEN.join(' '.join(cell.split()) for cell in row)}{BETWEEN}" not in shown:
                fix = f"write it again: wellfit report {path.parent}"
                return f"{path.name}: shows other numbers of variant {variant.name!r}, seed {run.seed}; {fix}"
    return None
