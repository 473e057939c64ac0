"""The progress of a training that Python started: in a notebook, a terminal, or a script."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from wellfit.report import wording
from wellfit.report.forms.training_progress import closing_line, training_progress

if TYPE_CHECKING:  # it loads JAX
    from wellfit.study.run import Progress

__all__ = ["progress_display"]

EVERY: Final = 0.25
"""Minimum seconds between two updates of a notebook's progress bar."""


@contextmanager
def progress_display(wanted: bool | None = None) -> Iterator[Callable[[Progress], None]]:
    """Show the progress of a training in a notebook, a terminal or a script.

    Args:
      wanted: whether to show it; None shows it in notebooks and terminals only.

    Returns:
      A context manager that gives the function to call after every epoch. A notebook shows one output that is updated,
      a terminal a bar that disappears, a script two lines.
    """
    from rich.console import Console

    console = Console()
    shown = (console.is_terminal or console.is_jupyter) if wanted is None else wanted
    if not shown:
        console = Console(quiet=True, force_jupyter=False, force_terminal=False)
    if not console.is_jupyter:
        with training_progress(console) as display:
            yield display.update
        return
    bar = NotebookProgress()
    try:
        yield bar.update
    except BaseException:
        bar.close(whole=False)
        raise
    bar.close(whole=True)


class NotebookProgress:
    """A bar in one output of a notebook cell, updated at most a few times a second; it needs no widgets."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._began = self._shown = 0.0
        self._share = 0.0

    def update(self, progress: Progress) -> None:
        """Show the progress after an epoch."""
        now = time.monotonic()
        share = self._share = progress.share
        if self._handle is None:
            self._began = now
        elif now - self._shown < EVERY:
            return
        self._shown = now
        left = "" if progress.left is None else f", about {wording.rough(progress.left)} left"
        runs = wording.count(progress.active, "run")
        text = f"epoch {progress.epoch}/{progress.epochs}, {runs}" if progress.epochs else "test set"
        bar = f"<progress value={share:.4f} max=1 style='width:16em;vertical-align:middle'></progress>"
        self._show(f"{bar} {100 * share:.0f} %  {text}{left}", f"{100 * share:.0f} %  {text}{left}")

    def close(self, whole: bool) -> None:
        """Replace the bar by one line that summarizes the training; does nothing if nothing was trained."""
        if self._handle is None:
            return
        seconds = time.monotonic() - self._began
        line = closing_line(seconds, self._share, whole)
        self._show(line, line)

    def _show(self, rich: str, plain: str) -> None:
        from IPython.display import display

        data = {"text/html": f"<div style='font-size:13px'>{rich}</div>", "text/plain": plain}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(data, raw=True)
