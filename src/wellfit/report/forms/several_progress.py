"""Several trainings in the terminal at once: a bar for each where the console allows it, else lines as they end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import TextColumn
from rich.text import Text

from wellfit.errors import printable
from wellfit.report import wording
from wellfit.report.forms.training_progress import Countdown, activity, closing_line, is_live, progress_bar

if TYPE_CHECKING:  # it loads JAX
    from wellfit.study.run import Progress

__all__ = ["SeveralProgress", "several_progress"]


class SeveralProgress:
    """The progress of several studies that train at the same time; may be called from several threads.

    Args:
      console: where to show it.
      studies: their names.
    """

    def __init__(self, console: Console, studies: Sequence[str]) -> None:
        self._console, self._began, self._held = console, time.monotonic(), threading.Lock()
        self._countdowns = {study: Countdown() for study in studies}
        self._begun: set[str] = set()
        self._bar = progress_bar(console, TextColumn("{task.fields[what]}", style="dim")) if is_live(console) else None
        self._tasks = {}
        if self._bar is not None:
            for study in studies:
                self._tasks[study] = self._bar.add_task(printable(study), total=1.0, what="waiting")
            self._bar.start()

    def update(self, study: str, progress: Progress) -> None:
        """Show the progress of a study."""
        now = time.monotonic()
        with self._held:
            countdown = self._countdowns[study]
            countdown.expect(progress.left, now)
            if self._bar is not None:
                left = countdown.left(now)
                what = [activity(progress), "" if left is None else f"about {wording.rough(left)} left"]
                text = ", ".join(filter(None, what))
                self._bar.update(self._tasks[study], completed=progress.share, what=text)
            elif study not in self._begun:
                self._console.print(Text(f"{printable(study)}: training"))
            self._begun.add(study)

    def end(self, study: str) -> None:
        """Say that a study has its results."""
        with self._held:
            if study not in self._begun:
                return  # nothing was to be trained
            if self._bar is not None:
                self._bar.update(self._tasks[study], completed=1.0, what="done")
            line = closing_line(time.monotonic() - self._began, 1.0, whole=True)
            self._console.print(Text(f"{printable(study)}: {line[0].lower()}{line[1:]}"))

    def close(self) -> None:
        """Remove the bars."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def several_progress(console: Console, studies: Sequence[str]) -> Iterator[SeveralProgress]:
    """Show the progress of several studies while the context lasts.

    Example:
      >>> from wellfit.study.run import Progress
      >>> with several_progress(Console(width=80), ["lab5", "digits"]) as display:
      ...     display.update("lab5", Progress(epoch=1, epochs=2, active=30, examples=0, share=0.5))
      ...     display.end("lab5")
      lab5: training
      lab5: trained in 0.0 s
    """
    display = SeveralProgress(console, studies)
    try:
        yield display
    finally:
        display.close()
