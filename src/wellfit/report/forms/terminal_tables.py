"""The terminal's tables: test results with learning curves, training, and the evidence for the verdicts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from wellfit.base import Comparison, PairedEvidence, StudySummary
from wellfit.narrative.metrics import is_loss
from wellfit.narrative.outcomes import verdict_label
from wellfit.narrative.phrases import telling
from wellfit.report import wording
from wellfit.report.parts import Cell
from wellfit.report.subjects.curves.sparklines import Sparklines
from wellfit.report.subjects.results.numbers import VariantRow, variant_rows

__all__ = ["HEADINGS", "evidence_table", "fitting", "results_table", "training_table"]

_RESULTS: Final = (
    ("test", "letters", "verdict", "accuracy", "train", "validation", "wide gap", "best", "curve"),
    ("test", "letters", "verdict", "accuracy", "train", "validation", "gap", "best", "curve"),
    ("test", "letters", "verdict", "accuracy", "validation", "gap", "best", "curve"),
    ("test", "letters", "verdict", "accuracy", "gap", "best", "curve"),
    ("test", "letters", "verdict", "accuracy", "gap", "curve"),
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
_EVIDENCE: Final = (
    ("difference", "interval", "p", "verdict", "ahead"),
    ("difference", "interval", "p", "verdict"),
    ("difference", "interval", "verdict"),
    ("difference", "verdict"),
    ("verdict",),
)
"""Columns, fewer and fewer; the first that fit are shown."""

HEADINGS: Final = {
    "test": "test accuracy, %",
    "letters": "",
    "verdict": "verdict",
    "accuracy": "test acc.",
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
    "difference": "points",
    "interval": "95 % interval",
    "p": "adj. p",
    "ahead": "ahead",
}
"""Column -> its heading."""

NAME: Final = 20
"""The letters of a name in one line where a table would lose a column otherwise."""

_LEARNED: Final = ("train", "validation", "gap", "wide gap", "best")
"""Columns that runs which others trained may lack."""
_LEFT: Final = ("test", "letters", "verdict", "wide gap", "curve", "runs")

Row = tuple[Text, Mapping[str, Text]]
"""The name of a row, and its cells by column."""


def results_table(summary: StudySummary, width: int = 80, curves: Sparklines | None = None) -> Table:
    """Every variant in a row: the compared metric, letters, verdict, gap, best epoch and learning curve.

    Args:
      width: in characters; as many columns are shown as fit.
      curves: of the variants; None leaves them out.

    Returns:
      A table for a rich console. Shares are in percent, gaps in points; brackets hold 95 % intervals.

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
    first = summary.variants[0].name if summary.variants else ""
    against = f"vs. {first}" if 0 < len(first) <= 9 else "verdict"
    without = {
        "letters": not wording.letters(summary),
        "verdict": not summary.comparisons,
        "curve": curves is None,
        "accuracy": summary.metric == "accuracy",
    }
    rows = [(_name(row), _variant_cells(row, curves)) for row in variant_rows(summary)]
    if summary.elsewhere:
        cells = [of for _, of in rows]
        without |= {
            name: all(of[name].plain.strip() in ("", wording.NOTHING, "-") for of in cells) for name in _LEARNED
        }
    layouts = [[column for column in layout if not without.get(column)] for layout in _RESULTS]
    test = wording.compared(summary) + ("" if is_loss(summary.compared) else ", %")
    return fitting("variant", {**HEADINGS, "verdict": against, "test": test}, rows, layouts, width)[0]


def training_table(summary: StudySummary, width: int = 80) -> Table:
    """Every variant in a row: training and validation accuracy, best epoch, parameters, time, states of its runs.

    Args:
      width: in characters; as many columns are shown as fit.

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
    rows = [(_name(row), _variant_cells(row, None)) for row in variant_rows(summary)]
    return fitting("variant", HEADINGS, rows, _TRAINING, width)[0]


def evidence_table(summary: StudySummary, width: int = 80) -> Table | None:
    """Every comparison in a row: its difference, interval, adjusted p-value and verdict.

    ``ahead`` is the probability that one more run of the variant beats one of the other by more than the margin. The
    caption says so, and how verdicts are reached.

    Args:
      width: in characters; as many columns are shown as fit.

    Returns:
      A table for a rich console; None if no comparison has a p-value. Differences are in percentage points, those of
      losses plain.

    Example:
      >>> c = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> s = StudySummary("s", "?", "d", "running", (0, 1), 5, 3.0, "", (), (c,), (), "", {}, {}, (), {}, {})
      >>> Console(width=80).print(evidence_table(s, 80))  # doctest: +NORMALIZE_WHITESPACE
      against baseline  points   95 % interval  adj. p  verdict  ahead
      ────────────────────────────────────────────────────────────────
      l2                 +0.61  [+0.20, +1.00]   0.010  better       -
      Verdicts: p below 0.05, adjusted for all comparisons (each
      interval covers one comparison, unadjusted), or equivalent within
      0.1 points. ahead: probability that one more run wins by more than
      that.
    """
    known = [(c.variant, c) for c in summary.comparisons]
    known += [(f"{c.variant}/{c.against}", c) for c in summary.asked]
    if not any(c.p_value is not None for _, c in known):
        return None
    first = known[0][1].against
    rows, by_name = [], {v.name: v for v in summary.variants}
    for key, c in known:
        name = c.variant if c.against == first else f"{c.variant} vs {c.against}"
        rows.append((Text(name), _evidence_cells(c, summary.evidence.get(key), verdict_label(c, by_name))))
    headings = {**HEADINGS, "difference": "difference"} if is_loss(summary.compared) else HEADINGS
    table, columns = fitting(f"against {first}", headings, rows, _EVIDENCE, width)
    table.caption, table.caption_justify, table.caption_style = _evidence_caption(summary, columns), "left", "dim"
    return table


def fitting(
    corner: str, headings: Mapping[str, str], rows: Sequence[Row], layouts: Sequence[Sequence[str]], width: int
) -> tuple[Table, Sequence[str]]:
    """The table of the first layout that fits, or of the last one, and its columns.

    Long names are folded before a column is left out: no name may cost the verdicts.

    Args:
      corner: heading of the names.
      headings: by column.
      rows: names and cells.
      layouts: columns, fewer and fewer.
      width: in characters.
    """
    console = Console(width=1000, height=100)  # both, or a dumb terminal has 80 columns
    for columns, most in itertools.product(layouts, (None, NAME)):
        table = Table(
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            header_style="dim",
            border_style="dim",
            show_edge=False,
            pad_edge=False,
        )
        table.add_column(corner, overflow="fold", max_width=most)
        for column in columns:
            table.add_column(headings[column], justify="left" if column in _LEFT else "right", no_wrap=True)
        for name, cells in rows:
            table.add_row(name, *(cells[column] for column in columns))
        if Measurement.get(console, console.options, table).maximum <= width:
            break
    return table, columns


# --- Parts ------------------------------------------------------------------------------------------------------------


def _name(row: VariantRow) -> Text:
    return Text(row.name, style="" if row.index else "bold")


def _variant_cells(row: VariantRow, curves: Sparklines | None) -> dict[str, Text]:
    seconds = row.seconds.value
    plain = {
        "letters": row.letters,
        "accuracy": row.accuracy.mean.removesuffix(" %"),
        "train": row.train.mean.removesuffix(" %"),
        "validation": row.validation.mean.removesuffix(" %"),
        "gap": row.gap.mean,
        "best": row.best_epoch.mean,
        "spread": row.best_epoch.interval,
        "parameters": row.parameters.mean if row.parameters.value else wording.NOTHING,
        "seconds": f"{seconds:,.0f}" if seconds is not None and seconds >= 9.95 else row.seconds.mean,
        "runs": row.states,
    }
    return {
        **{column: _ascii(text) for column, text in plain.items()},
        "test": _bounded(row.test, "bold"),
        "wide gap": _bounded(row.gap),
        "verdict": _verdict(row.verdict),
        "curve": _curve(curves, row.name),
    }


def _evidence_cells(c: Comparison, evidence: PairedEvidence | None, verdict: str) -> dict[str, Text]:
    ahead = None if evidence is None else evidence.better_on_new_seed
    shown = c.interval if telling(c.interval) else None
    plain = {
        "difference": wording.difference(c.difference, None, c.metric)[0].removesuffix(" points"),
        "interval": wording.bounds(shown, c.metric, signed=True) or wording.NOTHING,
        "p": wording.p_value(c.p_adjusted),
        "ahead": wording.NOTHING if ahead is None else f"{wording.whole_percent(ahead)} %",
    }
    return {column: _ascii(text) for column, text in plain.items()} | {"verdict": _verdict(verdict)}


def _evidence_caption(summary: StudySummary, columns: Sequence[str]) -> str:
    on = "" if summary.metric == "accuracy" else f" on {wording.compared(summary)}"
    loss = is_loss(summary.compared)
    margin = f"{summary.margin:g}" if loss else f"{100 * summary.margin:g} points"
    text = f"Verdicts{on}: p below 0.05, adjusted for all comparisons ({wording.of_interval(summary)}), "
    text += f"or equivalent within {margin}."
    if "ahead" in columns:
        text += " ahead: probability that one more run wins by more than that."
    shown = [c.interval for c in (*summary.comparisons, *summary.asked) if telling(c.interval)]
    bounds = [abs(bound) for interval in shown for bound in interval or ()]
    if "interval" in columns and not loss and max(bounds, default=0.0) >= 1:
        text += " Intervals are cut at 100 points, the largest possible difference."
    if summary.friedman_p is None:
        return text
    p = wording.p_value(summary.friedman_p)
    return (
        f"{text} Friedman test that all variants rank alike on these test examples: p {p if p[0] == '<' else f'= {p}'}."
    )


def _ascii(text: str, style: str = "") -> Text:
    """Numbers and words in characters that every terminal's encoding has."""
    return Text(wording.ascii_only(text), style=style)


def _bounded(cell: Cell, style: str = "") -> Text:
    return Text.assemble(_ascii(cell.mean.removesuffix(" %"), style), _ascii(f" {cell.interval}", "dim"))


def _verdict(word: str) -> Text:
    return _ascii(word, wording.VERDICT_STYLES.get(word.rstrip("*"), "dim"))


def _curve(curves: Sparklines | None, name: str) -> Text:
    line = Text("" if curves is None else curves.lines.get(name, ""))
    if curves is not None and (place := line.plain.find(curves.mark)) >= 0:
        line.stylize("bold green", place, place + 1)
    return line
