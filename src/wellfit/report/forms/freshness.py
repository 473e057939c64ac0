"""Does a report that was written show what the study directory holds now?"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from wellfit.base import StudySummary
from wellfit.report.subjects.results import numbers as rows

__all__ = ["stale_report"]

BETWEEN: Final = "\n"  # no cell has one


class _Cells(HTMLParser):
    """The texts of a page, one a place, with single spaces."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep a text that is more than space."""
        if text := " ".join(data.split()):
            self.texts.append(text)


def stale_report(summary: StudySummary, path: Path) -> str | None:
    """What to tell of a report that does not show every run of the study with the numbers of today.

    Args:
      summary: the study.
      path: the report.

    Returns:
      A line with the first run that it shows otherwise and the mend; None where it shows all of them as they are, or
      there is no report.
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
                mend = f"write it again: wellfit report {path.parent}"
                return f"{path.name}: shows other numbers of variant {variant.name!r}, seed {run.seed}; {mend}"
    return None
