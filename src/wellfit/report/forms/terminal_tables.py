"""The tables of the terminal: what the test says of every variant with its curve, and what its training says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from wellfit.base import StudySummary, VariantSummary
from wellfit.report import wording
from wellfit.report.subjects.curves.sparklines import Sparklines

__all__ = ["results_table", "training_table"]

_RESULTS: Final = (
    ("test", "letters", "verdict", "train", "validation", "wide gap", "best", "curve"),
    ("test", "letters", "verdict", "train", "validation", "gap", "best", "curve"),
    ("test", "letters", "verdict", "validation", "gap", "best", "curve"),
    ("test", "letters", "verdict", "gap", "best", "curve"),
    ("test", "letters", "verdict", "gap", "curve"),
    ("test", "letters", "verdict", "gap"),
    ("test", "letters", "verdict"),
    ("test", "letters"),
    ("test",),
)
_TRAINING: Final = (
    ("train", "validation", "best", "spread", "parameters", "seconds", "runs"),
    ("train", "validation", "best", "parameters", "seconds"),
    ("train", "validation", "best"),
    ("validation",),
)
"""Columns, fewer and fewer; the first that fit are shown."""

_HEADINGS: Final = {
    "test": "test accuracy, %",
    "letters": "",
    "train": "train",
    "validation": "val.",
    "gap": "gap",
    "wide gap": "gap",
    "best": "best",
    "spread": "epochs",
    "curve": "val. loss",
    "parameters": "parameters",
    "seconds": "sec.",
    "runs": "runs",
}
_LEFT: Final = ("test", "letters", "verdict", "wide gap", "curve", "runs")


def results_table(summary: StudySummary, width: int = 80, curves: Sparklines | None = None) -> Table:
    """Every variant in a row: its test accuracy, what may be said of it, its gap, best epoch and learning curve.

    Args:
      summary: the study.
      width: characters in a line; as many columns are shown as fit.
      curves: of the variants; None leaves them out.

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
    return _fitting(summary, _RESULTS, width, curves)


def training_table(summary: StudySummary, width: int = 80) -> Table:
    """Every variant in a row: accuracies in training and validation, best epoch, parameters, time, states of its runs.

    Args:
      summary: the study.
      width: characters in a line; as many columns are shown as fit.

    Example:
      >>> from rich.console import Console
      >>> from wellfit.base import StudySummary, VariantSummary
      >>> l2 = VariantSummary("l2", {}, 109386, (), {"validation_accuracy": 0.8735}, {}, 3.0, {})
      >>> s = StudySummary("s", "?", "d", "running", (0, 1), 5, 3.0, "", (l2,), (), (), "", {}, {}, (), {}, {})
      >>> Console(width=80).print(training_table(s))  # doctest: +NORMALIZE_WHITESPACE
      variant  train   val.  best  epochs  parameters  sec.  runs
      ───────────────────────────────────────────────────────────
      l2           -  87.35     -            109,386    3.0
    """
    return _fitting(summary, _TRAINING, width, None)


def _fitting(summary: StudySummary, layouts: Sequence[Sequence[str]], width: int, curves: Sparklines | None) -> Table:
    console = Console(width=1000, height=100)  # both, or a dumb terminal has 80 columns
    letters = wording.letters(summary)
    for layout in layouts:
        columns = [c for c in layout if (c != "letters" or letters) and (c != "curve" or curves is not None)]
        columns = [c for c in columns if c != "verdict" or summary.comparisons]
        table = _table(summary, columns, letters, curves)
        if Measurement.get(console, console.options, table).maximum <= width:
            break
    return table


def _table(summary: StudySummary, columns: Sequence[str], letters: dict[str, str], curves: Sparklines | None) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        header_style="dim",
        border_style="dim",
        show_edge=False,
        pad_edge=False,
    )
    table.add_column("variant", overflow="fold")
    first = summary.variants[0].name if summary.variants else ""
    against = f"vs. {first}" if len(first) <= 9 else "verdict"
    for column in columns:
        justify = "left" if column in _LEFT else "right"
        table.add_column(_HEADINGS.get(column, against), justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for index, variant in enumerate(summary.variants):
        cells = _cells(summary, variant, index, letters, curves)
        table.add_row(Text(variant.name, style="bold" if index == 0 else ""), *(cells[column] for column in columns))
    return table


def _cells(
    summary: StudySummary, variant: VariantSummary, index: int, letters: dict[str, str], curves: Sparklines | None
) -> dict[str, RenderableType]:
    verdict = wording.verdict_against_first(summary, variant)
    word = "reference" if index == 0 else verdict or wording.NOTHING
    mean, spread = wording.best_epoch(variant.runs)
    test = wording.percent(variant.mean.get("test_accuracy"), unit="")
    gap = wording.points(variant.mean.get("generalization_gap"))
    plain = {
        "letters": letters.get(variant.name, ""),
        "train": wording.percent(variant.mean.get("train_accuracy"), unit=""),
        "validation": wording.percent(variant.mean.get("validation_accuracy"), unit=""),
        "gap": gap,
        "best": mean,
        "spread": spread,
        "parameters": f"{variant.parameters:,}" if variant.parameters else wording.NOTHING,
        "seconds": f"{variant.seconds:.1f}" if variant.seconds < 9.95 else f"{variant.seconds:,.0f}",
        "runs": wording.run_states(variant.runs),
    }
    return {
        **{column: wording.ascii_only(text) for column, text in plain.items()},
        "test": _bounded(test, variant.interval.get("test_accuracy"), "bold"),
        "wide gap": _bounded(gap, variant.interval.get("generalization_gap")),
        "verdict": Text(wording.ascii_only(word), style=wording.VERDICT_STYLES[verdict] if verdict else "dim"),
        "curve": _curve(curves, variant.name),
    }


def _bounded(text: str, bounds: tuple[float, float] | None, style: str = "") -> Text:
    """A number and its interval, in characters that every terminal's encoding has."""
    return Text.assemble((wording.ascii_only(text), style), (f" {wording.ascii_only(wording.interval(bounds))}", "dim"))


def _curve(curves: Sparklines | None, name: str) -> Text:
    line = Text("" if curves is None else curves.lines.get(name, ""))
    if curves is not None and (place := line.plain.find(curves.mark)) >= 0:
        line.stylize("bold green", place, place + 1)
    return line
