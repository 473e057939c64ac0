"""A training in the terminal: its plan before the first epoch, then its progress, live where the console allows it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from wellfit.report import wording
from wellfit.report.forms.terminal import wrapped
from wellfit.report.forms.training_table import TrainingTable

if TYPE_CHECKING:  # it loads JAX
    from wellfit.study.planning import Forecast
    from wellfit.study.run import Progress

__all__ = [
    "Countdown",
    "TrainingProgress",
    "activity",
    "closing_line",
    "is_live",
    "plan_lines",
    "print_plan",
    "progress_bar",
    "training_progress",
]

LINE_EVERY: Final = 30.0
"""Minimum seconds between two lines where progress is printed in lines; each also takes a tenth of the work."""

_PER_SECOND: Final = 2  # how often a live display changes
_LARGEST_SHARE: Final = 0.005  # of the time that may go into reading what is new
_BAR: Final = 12  # cells
_MOMENT: Final = 10.0  # seconds by which nobody minds that a countdown is wrong
_BUSY: Final = 1.5  # how many times longer than alone; below that, nobody notices


def print_plan(console: Console, forecast: Forecast, *, full: bool = False) -> None:
    """Print what a study is about to train, and what that will take.

    Args:
      full: include programs, devices and precision.
    """
    for line in plan_lines(forecast, full=full):
        text = wording.ascii_only(line) if console.options.ascii_only else line
        title = line == forecast.title
        for part in wrapped(text, console.width, "" if title else "  "):
            console.print(Text(part, style="bold" if title else ""), soft_wrap=True)


def plan_lines(forecast: Forecast, *, full: bool = False) -> list[str]:
    """The lines that ``print_plan`` prints, unwrapped."""
    plan, done = forecast.plan, forecast.done
    _, validation, test = forecast.examples
    train = " to ".join(f"{count:,}" for count in sorted(set(forecast.trained)))
    lines = [forecast.title, forecast.data] if forecast.data else [forecast.title]
    each = f"{train} training, {validation:,} validation and {test:,} test examples"
    lines.append(each if test == forecast.tested else f"{each} a seed; {forecast.tested:,} test examples in all folds")
    lines += [f"{wording.capitalized(name)}: {text}" for name, text in forecast.facts]
    if not plan.runs:
        return [*lines, f"Nothing to train: the study directory already holds {wording.count(done, 'result')}"]
    more = f"; {done:,} more {'is' if done == 1 else 'are'} already done" if done else ""
    lines.append(f"{wording.count(plan.runs, 'result')} from {wording.count(plan.trajectories, 'training')}{more}")
    ends = sorted({min(plan.parameters), max(plan.parameters)}) if plan.parameters else []
    sizes = " to ".join(f"{size:,}" for size in ends) or wording.NOTHING
    cost = f"{wording.between(*forecast.between)} and {wording.memory(forecast.memory)} of memory"
    lines.append(f"{sizes} parameters, {wording.count(forecast.epochs, 'epoch')}; {cost}")
    if full:
        lines.append(f"{wording.count(plan.programs, 'program')} on {wording.count(forecast.devices, 'device')}")
        lines.append(f"{forecast.precision[:1].upper()}{forecast.precision[1:]}")
    busy = []
    if forecast.slowdown >= _BUSY:
        busy.append(f"Other programs use the processor; alone, it would be {forecast.slowdown:.1f} times as fast")
    return [*lines, *_growth_lines(forecast), *busy, *forecast.design, *forecast.cautions]


def _growth_lines(forecast: Forecast) -> list[str]:
    """What more epochs than the directory holds cost, and what is saved."""
    lines = []
    if forecast.continued:
        one = forecast.continued == 1
        subject = "1 training continues where it" if one else f"{forecast.continued:,} trainings continue where they"
        lines.append(f"{subject} ended, which saves {wording.count(forecast.saved, 'epoch')}")
    for reason, count in forecast.restarted.items():
        lines.append(f"{wording.count(count, 'training')} {reason} {'starts' if count == 1 else 'start'} over")
    return lines


class Countdown:
    """The time left, without jumps: estimates after every epoch vary, while the end that a reader sees moves little.

    The end stays as it was while estimates agree with it to a fifth of the time left, and otherwise moves a third of
    the way, so that several estimates are needed to move it far. Unless an estimate exceeds what is shown by more than
    half, the countdown does not rise above what it showed at the estimate before.

    Example:
      >>> countdown = Countdown()
      >>> countdown.expect(100.0, now=0.0)
      >>> countdown.expect(96.0, now=10.0)  # a little later than thought
      >>> countdown.left(10.0), countdown.left(30.0)
      (90.0, 70.0)
      >>> countdown.expect(130.0, now=40.0)  # much later
      >>> countdown.left(40.0)
      83.33333333333333
    """

    def __init__(self) -> None:
        self._end: float | None = None
        self._last = 0.0  # what was left at the last estimate

    def expect(self, left: float | None, now: float) -> None:
        """Take over an estimate of the seconds that are left; None if it is unknown."""
        if left is None:
            return
        shown = self.left(now)
        if self._end is None or shown is None:
            self._end = now + left
        elif abs(left - shown) > 0.2 * max(left, shown):
            moved = self._end + (now + left - self._end) / 3
            self._end = moved if left > 1.5 * shown + _MOMENT else min(moved, now + self._last)
        self._last = max(self._end - now, 0.0)

    def left(self, now: float) -> float | None:
        """The seconds that are left, not below 0; None before the first estimate."""
        return None if self._end is None else max(self._end - now, 0.0)


class TrainingProgress:
    """The progress of a training: a live table in a terminal, a few lines elsewhere.

    Args:
      console: where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._table = TrainingTable()
        self._began: float | None = None
        self._printed = (0.0, 0.0)  # time and share at the last line
        self._latest: Progress | None = None
        self._at = self._noted_at = self._cost = 0.0  # times of the latest progress and of the table, and what it took
        self._countdown = Countdown()
        self._live: Live | None = None
        if is_live(console):
            self._live = Live(
                console=console, get_renderable=self._shown, refresh_per_second=_PER_SECOND, transient=True,
                vertical_overflow="crop",
            )  # fmt: skip

    def prepare(self, variants: Sequence[str] = (), seeds: int = 0) -> None:
        """Begin to count the time, and show, where a live display is possible, that programs are being compiled.

        Args:
          variants: the names of all variants, in their order.
          seeds: of every variant.
        """
        self._table = TrainingTable(variants, seeds)
        self._began = time.monotonic()
        if self._live is not None:
            self._live.start()

    def update(self, progress: Progress) -> None:
        """Show the progress after an epoch."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
            if self._live is not None:
                self._live.start()
        if self._latest is None:
            self._printed = now, 0.0
            if self._live is None:
                self._console.print(Text(f"Training: {activity(progress)}"))
        self._latest, self._at = progress, now
        self._countdown.expect(progress.left, now)
        ended = not progress.active
        due = now - self._noted_at >= max(1 / _PER_SECOND, self._cost / _LARGEST_SHARE)
        if progress.epochs and (ended or due) and self._live is not None:
            self._table.note(progress.rows(), progress.epochs, ended)
            self._noted_at, self._cost = now, time.monotonic() - now
        share = progress.share
        long_ago = now - self._printed[0] >= LINE_EVERY and share - self._printed[1] >= 0.1
        if self._live is None and progress.epochs and long_ago:
            self._printed = now, share
            parts = f"{100 * share:.0f} %", activity(progress), _left(self._countdown.left(now))
            self._console.print(Text(", ".join(filter(None, parts))))

    def close(self, whole: bool) -> None:
        """Remove the live display and summarize the training in one line; ``whole`` is False if it was interrupted."""
        if self._live is not None:
            self._live.stop()
        if self._latest is None or self._began is None:
            return
        line = closing_line(time.monotonic() - self._began, self._latest.share, whole)
        self._console.print(Text(line))

    def _shown(self) -> Group:
        """The table, and below it a line that leaves room for the ^C that a terminal echoes at its end."""
        width, height = self._console.size
        plain = self._console.options.ascii_only
        now = time.monotonic()
        progress = self._latest
        text = "compiling" if progress is None else activity(progress)
        share = 0.0 if progress is None else progress.share
        left = "" if progress is None else _left(self._countdown.left(now))
        full, empty = ("#", "-") if plain else ("━", "─")
        done = round(share * _BAR)
        line = Text.assemble(
            f"{'|/-'[int(2 * now) % 3]} {100 * share:3.0f} % ", full * done, (empty * (_BAR - done), "dim"),
            f" {'  '.join(filter(None, (text, left)))}",
        )  # fmt: skip
        line.truncate(max(width - 4, 10))
        return Group(*self._table.lines(width - 1, height - 3, ascii_only=plain), line)


def is_live(console: Console) -> bool:
    """Whether the console is a terminal that a person watches, and that wants more than plain lines."""
    unwanted = any(os.environ.get(name) for name in ("CI", "NO_COLOR"))
    return console.is_terminal and not console.is_dumb_terminal and not console.is_jupyter and not unwanted


@contextmanager
def training_progress(console: Console) -> Iterator[TrainingProgress]:
    """Show the progress of a training while the context lasts.

    Args:
      console: where to show it. A terminal gets a table that disappears at the end. A file or pipe gets one line at the
        start, one at the end and, for a long training, a few between, without control codes; so do a terminal of few
        abilities, one where ``NO_COLOR`` is set, and a service that sets ``CI``.

    Returns:
      A context manager that gives a `TrainingProgress`, which shows nothing before its first call.

    Example:
      >>> from wellfit.study.run import Progress
      >>> with training_progress(Console(width=80)) as display:
      ...     display.update(Progress(epoch=1, epochs=2, active=30, examples=0, share=0.5))
      ...     display.update(Progress(epoch=2, epochs=2, active=30, examples=0, share=1.0))
      Training: epoch 1/2, 30 runs
      Trained in 0.0 s
    """
    display = TrainingProgress(console)
    try:
        yield display
    except BaseException:
        display.close(whole=False)
        raise
    display.close(whole=True)


def progress_bar(console: Console, *columns: ProgressColumn) -> Bar:
    """A bar that disappears, with its text, its percentage and further columns."""
    return Bar(
        SpinnerColumn("line", style="dim"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=12, complete_style="default", finished_style="default", pulse_style="dim"),
        TextColumn("{task.percentage:>3.0f} %"),
        *columns,
        console=console,
        transient=True,
        refresh_per_second=4,
    )


def closing_line(seconds: float, share: float, whole: bool) -> str:
    """One line that summarizes a training; ``share`` is how far it got where it was interrupted."""
    if whole:
        return f"Trained in {wording.duration(seconds)}"
    return f"Stopped at {100 * share:.0f} % after {wording.duration(seconds)}"


def activity(progress: Progress) -> str:
    """What a training does at the moment, in a few words."""
    runs = wording.count(progress.active, "run")
    if not progress.epochs:
        return f"testing {runs}"
    if not progress.active:
        return "next seeds or variants" if progress.share < 1 else "saving"
    return f"epoch {progress.epoch}/{progress.epochs}, {runs}"


def _left(seconds: float | None) -> str:
    """The remaining time in words; empty while it is unknown."""
    if seconds is None:
        return ""
    return "a moment left" if seconds < 2 else f"about {wording.rough(seconds)} left"
