"""A training in the terminal: its plan before the first epoch, then its progress, live where the console allows it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from wellfit.report import wording
from wellfit.report.forms.terminal import wrapped

if TYPE_CHECKING:  # it loads JAX
    from wellfit.study.planning import Forecast
    from wellfit.study.run import Progress

__all__ = ["TrainingProgress", "closing_line", "plan_lines", "print_plan", "progress_bar", "training_progress"]

LINE_EVERY: Final = 30.0
"""Minimum seconds between two lines where progress is printed in lines; each also takes a tenth of the work."""


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
    cost = f"{wording.duration(forecast.seconds)} and {wording.memory(forecast.memory)} of memory"
    lines.append(f"{sizes} parameters, {wording.count(forecast.epochs, 'epoch')}; about {cost}")
    if full:
        lines.append(f"{wording.count(plan.programs, 'program')} on {wording.count(forecast.devices, 'device')}")
        lines.append(f"{forecast.precision[:1].upper()}{forecast.precision[1:]}")
    return [*lines, *_growth_lines(forecast), *forecast.design, *forecast.cautions]


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


class TrainingProgress:
    """The progress of a training: a live bar in a terminal or notebook, a few lines elsewhere.

    Args:
      console: where to show it.
      unit: of the throughput, ``"images"`` or ``"examples"``.
    """

    def __init__(self, console: Console, unit: str = "examples") -> None:
        self._console = console
        self._unit = unit
        self._live = (console.is_terminal and not console.is_dumb_terminal) or console.is_jupyter
        # shorter than 80 columns: the ^C that a terminal echoes must not wrap the line, which could not be erased then
        rate, left = TextColumn("{task.fields[rate]}", style="dim"), TextColumn("{task.fields[left]}")
        self._bar = progress_bar(console, rate, left)
        self._task = self._bar.add_task("", total=1.0, rate="", left="")
        self._ticks: deque[tuple[float, int, float]] = deque(maxlen=20)  # time, examples so far, share
        self._began: float | None = None
        self._printed = (0.0, 0.0)  # time and share at the last line
        self._share = 0.0
        self._examples = 0

    def prepare(self) -> None:
        """Show, where a live bar is possible, that programs are being compiled."""
        if self._live:
            self._bar.update(self._task, description="compiling")
            self._bar.start()

    def update(self, progress: Progress) -> None:
        """Show the progress after an epoch."""
        now = time.monotonic()
        text = _activity(progress)
        if self._began is None:
            self._began = now
            self._printed = now, 0.0
            if self._live:
                self._bar.start()
            else:
                self._console.print(Text(f"Training: {text}"))
        share = self._share = progress.share
        self._examples += progress.examples
        self._ticks.append((now, self._examples, share))
        (first, before, _), (last, after, _) = self._ticks[0], self._ticks[-1]
        training = progress.epochs > 0
        rate = f"{_short((after - before) / (last - first))} {self._unit}/s" if last > first and training else ""
        left = _left(self._ticks) if training else ""
        if self._live:
            self._bar.update(self._task, description=text, completed=share, rate=rate, left=left)
        elif training and now - self._printed[0] >= LINE_EVERY and share - self._printed[1] >= 0.1:
            self._printed = now, share
            self._console.print(Text(", ".join(filter(None, (f"{100 * share:.0f} %", text, rate, left)))))

    def close(self, whole: bool) -> None:
        """Remove the bar and summarize the training in one line; ``whole`` is False if it was interrupted."""
        if self._live:
            self._bar.stop()
        if self._began is None:
            return
        seconds = time.monotonic() - self._began
        rate = f", {_short(self._examples / seconds)} {self._unit} a second" if seconds > 0 and self._examples else ""
        self._console.print(Text(closing_line(seconds, self._share, rate, whole)))


@contextmanager
def training_progress(console: Console, unit: str = "examples") -> Iterator[TrainingProgress]:
    """Show the progress of a training while the context lasts.

    Args:
      console: where to show it. A terminal or notebook gets a bar that disappears at the end. A file or pipe gets one
        line at the start, one at the end and, for a long training, a few between, without control codes.
      unit: of the throughput, ``"images"`` or ``"examples"``.

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
    display = TrainingProgress(console, unit)
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


def closing_line(seconds: float, share: float, rate: str, whole: bool) -> str:
    """One line that summarizes a training; ``share`` is how far it got where it was interrupted."""
    end = f"Trained in {wording.duration(seconds)}"
    if not whole:
        end = f"Stopped at {100 * share:.0f} % after {wording.duration(seconds)}"
    return f"{end}{rate}"


def _activity(progress: Progress) -> str:
    runs = wording.count(progress.active, "run")
    if not progress.epochs:
        return f"testing {runs}"
    if not progress.active:
        return "compiling" if progress.share < 1 else "saving"
    return f"epoch {progress.epoch}/{progress.epochs}, {runs}"


def _left(ticks: Sequence[tuple[float, int, float]]) -> str:
    """The remaining time at the pace of the last epochs; empty before there are two."""
    (first, _, before), (last, _, share) = ticks[0], ticks[-1]
    if last <= first or share <= before:
        return ""
    seconds = round((last - first) * (1 - share) / (share - before))
    return f"{seconds} s left" if seconds < 60 else f"{wording.duration(seconds)} left"


def _short(number: float) -> str:
    """A number with about three digits: 245k, 1.2M."""
    if number >= 999_500:
        return f"{number / 1e6:.1f}M"
    return f"{number / 1e3:.0f}k" if number >= 9_950 else f"{number:,.0f}"
