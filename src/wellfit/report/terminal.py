"""The terminal: the plan before a study runs, its progress, and what came out. Color only where there is a terminal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from wellfit.base import Finding, StudySummary, VariantSummary
from wellfit.report import wording
from wellfit.report.evidence_table import evidence_table

__all__ = [
    "TrainingProgress",
    "print_findings",
    "print_plan",
    "print_summary",
    "results_table",
    "training_progress",
]

LEVEL_STYLES: Final = {"error": "bold red", "warning": "bold yellow", "info": "dim"}

COLUMNS: Final = ("test", "letters", "verdict", "train", "validation", "gap", "best", "parameters", "seconds")

LAYOUTS: Final = (
    COLUMNS,
    ("test", "letters", "train", "validation", "gap", "best", "parameters", "seconds"),
    ("test", "letters", "train", "validation", "gap", "best"),
    ("test", "letters", "validation", "gap"),
    ("test", "letters", "gap"),
    ("test",),
)
"""Columns of the results table, fewer and fewer; the first that fits are shown. Verdicts are also said in words."""


# --- What came out ----------------------------------------------------------------------------------------------------


def results_table(summary: StudySummary, width: int = 80) -> Table:
    """Every variant in a row, in as many columns as fit.

    Args:
      summary: the study.
      width: characters in a line.

    Returns:
      A table for a rich console. Accuracies are in percent, the gap in points; brackets hold 95 % intervals.

    Example:
      >>> from rich.console import Console
      >>> from wellfit.base import StudySummary, VariantSummary
      >>> mean, interval = {"test_accuracy": 0.8735}, {"test_accuracy": (0.871, 0.876)}
      >>> l2 = VariantSummary("l2", {}, 109386, (), mean, interval, 3.0, {})
      >>> s = StudySummary("s", "?", "d", "running", (0, 1), 5, 3.0, "", (l2,), (), (), "", {}, {}, (), {}, {})
      >>> Console(width=32).print(results_table(s, 32))  # doctest: +NORMALIZE_WHITESPACE
      variant  test accuracy, %
      ─────────────────────────────
      l2       87.35 [87.10, 87.60]
    """
    console = Console(width=1000)
    for columns in LAYOUTS:
        table = _table(summary, columns)
        if Measurement.get(console, console.options, table).maximum <= width:
            break
    return table


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print findings, errors first: level and code, what was seen, how to mend it.

    Args:
      findings: of data, split and training.
      console: where to print.
    """
    if not findings:
        console.print("No findings: the checks saw nothing to report.")
    for finding in sorted(findings, key=wording.urgency):
        head = Text.assemble((finding.level, LEVEL_STYLES[finding.level]), f"  {finding.code}")
        body = [Padding(Text(text), (0, 0, 0, 2)) for text in (finding.message, finding.fix) if text]
        console.print(Group(head, *body))


def print_summary(summary: StudySummary, console: Console) -> None:
    """Print a study: its title, what must be known first, conclusion, answers, table, evidence and findings.

    Args:
      summary: the study, in any state.
      console: where to print; its width decides which columns are shown.
    """
    runs = [run for variant in summary.variants for run in variant.runs]
    ended = sum(run.state != "pending" for run in runs)
    facts = (
        f"{summary.data}, {_count(len(summary.seeds), 'seed')}, {_count(summary.epochs, 'epoch')}, "
        f"{ended} of {len(runs)} runs, {wording.duration(summary.seconds)}, {summary.state}"
    )
    console.print(Text(summary.title, style="bold"))
    console.print(Text(facts, style="dim"))
    for notice in wording.notices(summary):
        console.print(Text(notice, style="yellow"))
    console.print()
    console.print(Text(summary.verdict))
    for answer in summary.answers:
        console.print()
        console.print(Text(answer.ask, style="bold"))
        console.print(Padding(Text(answer.text), (0, 0, 0, 2)))
    if summary.advice:
        console.print()
        console.print(Text("What to do next, by validation", style="bold"))
    for sentence in summary.advice:
        console.print(Padding(Text(sentence.text), (0, 0, 0, 2)))
    console.print()
    console.print(results_table(summary, console.width))
    told = "95 % intervals over seeds and test examples in brackets; the gap is train minus test accuracy, in points."
    if wording.letters(summary):
        told += " Variants that share a letter cannot be told apart."
    console.print(Text(told, style="dim"))
    if (table := evidence_table(summary, console.width)) is not None:
        console.print()
        console.print(table)
    if summary.findings:
        console.print()
        print_findings(summary.findings, console)


def _table(summary: StudySummary, columns: Sequence[str]) -> Table:
    wide = len(columns) == len(COLUMNS)
    columns = [column for column in columns if column != "letters" or wording.letters(summary)]
    headings = {
        "letters": "",
        "test": "test accuracy, %",
        "verdict": f"vs. {summary.variants[0].name}" if wide and summary.variants else "verdict",
        "train": "train",
        "validation": "val.",
        "gap": "gap",
        "best": "best epoch" if wide else "best",
        "parameters": "params",
        "seconds": "sec.",
    }
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        header_style="dim",
        border_style="dim",
        show_edge=False,
        pad_edge=False,
    )
    table.add_column("variant", overflow="fold")
    for column in columns:
        right = column not in ("test", "letters", "verdict")
        table.add_column(headings[column], justify="right" if right else "left", no_wrap=True)
    for index, variant in enumerate(summary.variants):
        cells = _cells(summary, variant, index, wide)
        table.add_row(Text(variant.name, style="bold" if index == 0 else ""), *(cells[column] for column in columns))
    return table


def _cells(summary: StudySummary, variant: VariantSummary, index: int, wide: bool) -> dict[str, RenderableType]:
    verdict = wording.verdict_against_first(summary, variant)
    word = "reference" if index == 0 else verdict or wording.NOTHING
    mean, spread = wording.best_epoch(variant.runs)
    test = wording.percent(variant.mean.get("test_accuracy"), unit="")
    bounds = wording.interval(variant.interval.get("test_accuracy"))
    accuracy = {
        split: wording.percent(variant.mean.get(f"{split}_accuracy"), unit="") for split in ("train", "validation")
    }
    return {
        "test": Text.assemble((wording.ascii_only(test), "bold"), (f" {bounds}", "dim")),
        "letters": wording.letters(summary).get(variant.name, ""),
        "verdict": Text(wording.ascii_only(word), style=wording.VERDICT_STYLES.get(word, "dim")),
        "train": wording.ascii_only(accuracy["train"]),
        "validation": wording.ascii_only(accuracy["validation"]),
        "gap": wording.ascii_only(wording.points(variant.mean.get("generalization_gap"))),
        "best": wording.ascii_only(f"{mean} ({spread})" if wide and spread else mean),
        "parameters": f"{variant.parameters:,}" if wide else _short(variant.parameters),
        "seconds": f"{variant.seconds:.0f}" if variant.seconds >= 10 else f"{variant.seconds:.1f}",
    }


# --- What is about to happen, and what is happening -------------------------------------------------------------------


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
        work = f"{_count(runs, 'run')} from {_count(trajectories, 'trajectory', 'trajectories')}"
        lines.append(f"{work}, {_count(programs, 'program')} on {_count(devices, 'device')}{more}")
        ends = sorted({min(parameters), max(parameters)}) if parameters else []
        sizes = " to ".join(f"{size:,}" for size in ends) or wording.NOTHING
        cost = f"{wording.memory(memory)} of memory"
        cost = cost if seconds is None else f"{wording.duration(seconds)} and {cost}"
        lines.append(f"{sizes} parameters, {_count(epochs, 'epoch')}; about {cost}")
        lines.append(f"{precision[:1].upper()}{precision[1:]}")
    else:
        lines.append(f"Nothing to train: the study directory holds {_count(done, 'run')} already")
    for line in lines:
        console.print(Text(line))


class TrainingProgress:
    """How far a training is; shown live on a terminal or in a notebook, in two lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (console.is_terminal and not console.is_dumb_terminal) or console.is_jupyter
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=18, complete_style="default", finished_style="default", pulse_style="dim"),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[rate]}", style="dim"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=1.0, rate="")
        self._ticks: deque[tuple[float, int]] = deque(maxlen=20)
        self._began: float | None = None
        self._share = 0.0
        self._seen = 0

    def update(self, epoch: int, epochs: int, active: int, examples: int, share: float) -> None:
        """Tell of an epoch that is over.

        Args:
          epoch, epochs: of the population at work; both 0 while the test set is evaluated.
          active: runs that still train in it.
          examples: training examples that were gone through since the last call, over all trajectories.
          share: of the whole work, from 0 to 1.
        """
        now = time.monotonic()
        text = f"epoch {epoch}/{epochs}  {_count(active, 'run')}" if epochs else "test set"
        if self._began is None:
            self._began = now
            if self._live:
                self._bar.start()
            else:
                self._console.print(Text(f"Training: {text}"))
        self._share = share
        self._seen += examples
        self._ticks.append((now, self._seen))
        (first, before), (last, after) = self._ticks[0], self._ticks[-1]
        rate = f"{_short((after - before) / (last - first))} examples/s" if last > first else ""
        self._bar.update(self._task, description=text, completed=share, rate=rate)

    def close(self, whole: bool) -> None:
        """Take the bar away, and say in one line what was done; ``whole`` tells whether nothing cut it short."""
        if self._began is None:
            return
        if self._live:
            self._bar.stop()
        seconds = time.monotonic() - self._began
        rate = f", {_short(self._seen / seconds)} examples a second" if seconds > 0 and self._seen else ""
        end = "Trained" if whole else f"Stopped at {100 * self._share:.0f} %"
        self._console.print(Text(f"{end} after {wording.duration(seconds)}{rate}"))


@contextmanager
def training_progress(console: Console) -> Iterator[TrainingProgress]:
    """Show how far a training is, for as long as the context lasts.

    Args:
      console: where to show it. A terminal or a notebook gets a bar that goes away at the end; a file or a pipe gets
        one line at the start and one at the end, without control codes.

    Returns:
      A context manager that gives a `TrainingProgress`; nothing is shown before its first ``update``.

    Example:
      >>> with training_progress(Console(width=80)) as progress:
      ...     progress.update(1, 2, 30, 0, 0.5)
      ...     progress.update(2, 2, 30, 0, 1.0)
      Training: epoch 1/2  30 runs
      Trained after 0.0 s
    """
    progress = TrainingProgress(console)
    try:
        yield progress
    except BaseException:
        progress.close(whole=False)
        raise
    progress.close(whole=True)


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _short(number: float) -> str:
    """A number with three digits or so: 245k, 1.2M."""
    if number >= 999_500:
        return f"{number / 1e6:.1f}M"
    return f"{number / 1e3:.0f}k" if number >= 9_950 else f"{number:,.0f}"
