"""The evidence behind the verdicts as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from wellfit.base import Comparison, PairedEvidence, StudySummary
from wellfit.report import wording

__all__ = ["evidence_table"]

_HEADINGS: Final = {
    "difference": "points",
    "interval": "95 % interval",
    "p": "p (Holm)",
    "verdict": "verdict",
    "ahead": "ahead",
    "seeds": "seeds+",
}
_LAYOUTS: Final = (
    tuple(_HEADINGS),
    ("difference", "interval", "p", "verdict", "seeds"),
    ("difference", "interval", "verdict"),
    ("difference", "verdict"),
    ("verdict",),
)
"""Columns, fewer and fewer; the first that fit are shown."""


def evidence_table(summary: StudySummary, width: int = 80) -> Table | None:
    """Every comparison in a row: its difference, interval, adjusted p-value and verdict.

    ``ahead`` is the probability that one further run of the variant exceeds one of the other by more than the margin;
    ``seeds+`` how many further seeds would probably decide. A caption says so, and what the verdicts stand on.

    Args:
      summary: the study.
      width: characters in a line.

    Returns:
      A table for a rich console; None where no comparison has a p-value. Differences are in percentage points.

    Example:
      >>> found = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> s = StudySummary("s", "?", "d", "running", (0, 1), 5, 3.0, "", (), (found,), (), "", {}, {}, (), {}, {})
      >>> Console(width=80).print(evidence_table(s, 80))  # doctest: +NORMALIZE_WHITESPACE
      against baseline  points   95 % interval  p (Holm)  verdict  ahead  seeds+
      ──────────────────────────────────────────────────────────────────────────
      l2                 +0.61  [+0.20, +1.00]     0.010  better       -       -
      Verdicts: p below 0.05, adjusted for all comparisons (intervals are not), or
      equivalent to within 0.1 points. ahead: chance that one further run is ahead by
      more than that; seeds+: further seeds that would probably decide.
    """
    known = [(c.variant, c) for c in summary.comparisons]
    known += [(f"{c.variant}/{c.against}", c) for c in summary.asked]
    if not any(c.p_value is not None for _, c in known):
        return None
    console = Console(width=1000, height=100)  # both, or a dumb terminal has 80 columns
    for columns in _LAYOUTS:
        table = _table(summary, known, columns)
        if Measurement.get(console, console.options, table).maximum <= width:
            break
    return table


def _table(summary: StudySummary, known: Sequence[tuple[str, Comparison]], columns: Sequence[str]) -> Table:
    first = known[0][1].against
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="dim", border_style="dim", show_edge=False,
                  pad_edge=False, caption=_caption(summary, columns), caption_justify="left",
                  caption_style="dim")  # fmt: skip
    table.add_column(f"against {first}", overflow="fold")
    for column in columns:
        table.add_column(_HEADINGS[column], justify="left" if column == "verdict" else "right", no_wrap=True)
    for key, c in known:
        cells = _cells(c, summary.evidence.get(key))
        name = c.variant if c.against == first else f"{c.variant} vs {c.against}"
        table.add_row(Text(name), *(cells[column] for column in columns))
    return table


def _caption(summary: StudySummary, columns: Sequence[str]) -> str:
    margin = f"{100 * summary.margin:g}"
    told = "Verdicts: p below 0.05, adjusted for all comparisons (intervals are not), or equivalent to within "
    told += f"{margin} points."
    if "ahead" in columns:
        told += " ahead: chance that one further run is ahead by more than that;"
    if "seeds" in columns:
        told += " seeds+: further seeds that would probably decide."
    bounds = [abs(bound) for c in (*summary.comparisons, *summary.asked) for bound in c.interval or ()]
    if "interval" in columns and max(bounds, default=0.0) >= 1:
        told += " Intervals end at 100 points, the most that is possible."
    if summary.friedman_p is None:
        return told
    p = wording.p_value(summary.friedman_p)
    return f"{told} Friedman's test that all are alike on these images: p {p if p.startswith('<') else f'= {p}'}."


def _cells(c: Comparison, found: PairedEvidence | None) -> dict[str, Text]:
    style = wording.VERDICT_STYLES[c.verdict]
    ahead = None if found is None else found.better_on_new_seed
    seeds = None if found is None or found.seeds < 3 else found.further_seeds
    plain = {
        "difference": wording.points(c.difference, signed=True),
        "interval": wording.interval(c.interval, signed=True) or wording.NOTHING,
        "p": wording.p_value(c.p_adjusted),
        "ahead": wording.NOTHING if ahead is None else f"{wording.whole_percent(ahead)} %",
        "seeds": wording.NOTHING if seeds is None else str(seeds),
    }
    cells = {column: Text(wording.ascii_only(text)) for column, text in plain.items()}
    return cells | {"verdict": Text(c.verdict, style=style)}
