"""A training in the terminal: its plan before the first epoch, and how far it is, live where that can be shown."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from wellfit.report import wording
from wellfit.report.forms.terminal import wrapped

__all__ = ["TrainingProgress", "print_plan", "training_progress"]

LINE_EVERY: Final = 30.0
"""Seconds between two lines where progress is told in lines, at the least; a tenth of the work has to lie between."""


def print_plan(
    console: Console,
    *,
    runs: int,
    trajectories: int,
    programs: int,
    parameters: Sequence[int],
    epochs: int,
    examples: tuple[int, int, int],
    devices: int,
    seconds: float | None,
    memory: int,
    precision: str,
    done: int = 0,
    data: str = "",
) -> None:
    """Print the plan of a study in a few lines, before its first epoch.

    Args:
      console: where to print.
      runs: runs to be trained now.
      trajectories: trainings that they are read from.
      programs: programs that are compiled for them.
      parameters: trainable numbers of every model, largest first.
      epochs: epochs of the base recipe.
      examples: training, validation and test examples.
      devices: over how many devices the work is spread.
      seconds: forecast of the time; None if there is none.
      memory: forecast of the memory, in bytes.
      precision: of the matrix products, in words.
      done: runs that the study directory holds already.
      data: name and source of the data; may be empty.

    Example:
      >>> print_plan(Console(width=80), runs=20, trajectories=15, programs=1, parameters=(109386,), epochs=30,
      ...            examples=(48000, 12000, 10000), devices=2, seconds=131.0, memory=340_000_000, done=5,
      ...            precision="products in float32")
      48,000 training, 12,000 validation and 10,000 test examples
      20 runs from 15 trajectories, 1 program on 2 devices; 5 more are done already
      109,386 parameters, 30 epochs; about 2 min 11 s and 340 MB of memory
      Products in float32
    """
    train, validation, test = examples
    lines = [data] if data else []
    lines.append(f"{train:,} training, {validation:,} validation and {test:,} test examples")
    if runs:
        more = f"; {done:,} more {'is' if done == 1 else 'are'} done already" if done else ""
        work = f"{wording.count(runs, 'run')} from {wording.count(trajectories, 'trajectory', 'trajectories')}"
        lines.append(f"{work}, {wording.count(programs, 'program')} on {wording.count(devices, 'device')}{more}")
        ends = sorted({min(parameters), max(parameters)}) if parameters else []
        sizes = " to ".join(f"{size:,}" for size in ends) or wording.NOTHING
        cost = f"{wording.memory(memory)} of memory"
        cost = cost if seconds is None else f"{wording.duration(seconds)} and {cost}"
        lines.append(f"{sizes} parameters, {wording.count(epochs, 'epoch')}; about {cost}")
        lines.append(f"{precision[:1].upper()}{precision[1:]}")
    else:
        lines.append(f"Nothing to train: the study directory holds {wording.count(done, 'run')} already")
    for line in lines:
        for part in wrapped(line, console.width):
            console.print(Text(part), soft_wrap=True)


class TrainingProgress:
    """How far a training is; shown live on a terminal or in a notebook, in a few lines elsewhere.

    Args:
      console: where to show it.
      unit: what is gone through, ``"images"`` or ``"examples"``.
    """

    def __init__(self, console: Console, unit: str = "examples") -> None:
        self._console = console
        self._unit = unit
        self._live = (console.is_terminal and not console.is_dumb_terminal) or console.is_jupyter
        # short of 80 columns, so that the ^C of a terminal does not wrap the line, which could not be erased then
        self._bar = Progress(
            SpinnerColumn("line", style="dim"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=12, complete_style="default", finished_style="default", pulse_style="dim"),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[rate]}", style="dim"),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            refresh_per_second=4,
        )
        self._task = self._bar.add_task("", total=1.0, rate="", left="")
        self._ticks: deque[tuple[float, int, float]] = deque(maxlen=20)
        self._began: float | None = None
        self._told = (0.0, 0.0)  # when a line was printed last, and at which share
        self._share = 0.0
        self._seen = 0

    def prepare(self) -> None:
        """Show, where it can be shown live, that the training is about to begin: programs are being compiled."""
        if self._live:
            self._bar.update(self._task, description="compiling")
            self._bar.start()

    def update(self, epoch: int, epochs: int, active: int, examples: int, share: float) -> None:
        """Tell of an epoch that is over.

        Args:
          epoch, epochs: of the population at work; both 0 while the test set is evaluated.
          active: runs that still train in it.
          examples: training examples that were gone through since the last call, over all trajectories.
          share: of the whole work, from 0 to 1.
        """
        now = time.monotonic()
        text = _doing(epoch, epochs, active, share)
        if self._began is None:
            self._began = now
            self._told = now, 0.0
            if self._live:
                self._bar.start()
            else:
                self._console.print(Text(f"Training: {text}"))
        self._share = share
        self._seen += examples
        self._ticks.append((now, self._seen, share))
        (first, before, _), (last, after, _) = self._ticks[0], self._ticks[-1]
        rate = f"{_short((after - before) / (last - first))} {self._unit}/s" if last > first and epochs else ""
        left = _left(self._ticks) if epochs else ""
        if self._live:
            self._bar.update(self._task, description=text, completed=share, rate=rate, left=left)
        elif epochs and now - self._told[0] >= LINE_EVERY and share - self._told[1] >= 0.1:
            self._told = now, share
            self._console.print(Text(", ".join(filter(None, (f"{100 * share:.0f} %", text, rate, left)))))

    def close(self, whole: bool) -> None:
        """Take the bar away, and say in one line what was done; ``whole`` tells whether nothing cut it short."""
        if self._live:
            self._bar.stop()
        if self._began is None:
            return
        seconds = time.monotonic() - self._began
        rate = f", {_short(self._seen / seconds)} {self._unit} a second" if seconds > 0 and self._seen else ""
        end = "Trained" if whole else f"Stopped at {100 * self._share:.0f} %"
        self._console.print(Text(f"{end} after {wording.duration(seconds)}{rate}"))


@contextmanager
def training_progress(console: Console, unit: str = "examples") -> Iterator[TrainingProgress]:
    """Show how far a training is, for as long as the context lasts.

    Args:
      console: where to show it. A terminal or a notebook gets a bar that goes away at the end; a file or a pipe gets
        one line at the start, one at the end and, of a long training, a few between, without control codes.
      unit: what is gone through, ``"images"`` or ``"examples"``.

    Returns:
      A context manager that gives a `TrainingProgress`; nothing is shown before its first call.

    Example:
      >>> with training_progress(Console(width=80)) as progress:
      ...     progress.update(1, 2, 30, 0, 0.5)
      ...     progress.update(2, 2, 30, 0, 1.0)
      Training: epoch 1/2, 30 runs
      Trained after 0.0 s
    """
    progress = TrainingProgress(console, unit)
    try:
        yield progress
    except BaseException:
        progress.close(whole=False)
        raise
    progress.close(whole=True)


def _doing(epoch: int, epochs: int, active: int, share: float) -> str:
    if not epochs:
        return f"testing {wording.count(active, 'run')}"
    if not active:
        return "compiling" if share < 1 else "saving"
    return f"epoch {epoch}/{epochs}, {wording.count(active, 'run')}"


def _left(ticks: Sequence[tuple[float, int, float]]) -> str:
    """How long it still takes at the pace of the last epochs; empty before there are two."""
    (first, _, before), (last, _, share) = ticks[0], ticks[-1]
    if last <= first or share <= before:
        return ""
    seconds = round((last - first) * (1 - share) / (share - before))
    return f"{seconds} s left" if seconds < 60 else f"{wording.duration(seconds)} left"


def _short(number: float) -> str:
    """A number with three digits or so: 245k, 1.2M."""
    if number >= 999_500:
        return f"{number / 1e6:.1f}M"
    return f"{number / 1e3:.0f}k" if number >= 9_950 else f"{number:,.0f}"
