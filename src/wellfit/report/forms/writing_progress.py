"""A progress bar in the terminal while a report is written; it disappears afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from wellfit.files import OnWriting, ignore_progress
from wellfit.report.forms.training_progress import progress_bar

__all__ = ["writing_progress"]


@contextmanager
def writing_progress(console: Console) -> Iterator[OnWriting]:
    """Show what is being written while the context lasts; in a terminal only, a file or pipe gets nothing.

    Returns:
      A context manager that gives a `wellfit.files.OnWriting`.

    Example:
      >>> with writing_progress(Console(width=80)) as on_writing:
      ...     on_writing("page 1 of 2", 0.5)
    """
    if not console.is_terminal or console.is_dumb_terminal:
        yield ignore_progress
        return
    bar = progress_bar(console)
    task = bar.add_task("Report", total=1.0)
    with bar:
        yield lambda text, share: bar.update(task, description=f"Report: {escape(text)}", completed=share)
