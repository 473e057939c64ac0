"""The report: one HTML file that opens anywhere, without a network, and reads without a script.

Every number is written out here, in Python; the template says only where it stands. Figures are inline SVG whose colors
are the page's own, so that they follow it into the dark; where a script may run, Bokeh takes the place of those that
are worth a pointer.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wellfit.base import StudySummary, VariantSummary
from wellfit.report import rows, wording
from wellfit.report.charts import bokeh_library, build_charts
from wellfit.report.colors import DARK, LIGHT, SERIES
from wellfit.report.figure_data import Confusion, confusion_data, top_confusions
from wellfit.report.figures import (
    plot_confusion,
    plot_curves,
    plot_gap,
    plot_intervals,
    plot_learning_curve,
)
from wellfit.report.svg import inline_svg

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["render_page", "write_page"]

METRICS: Final = ("loss", "accuracy")

LARGEST_TABLE: Final = 20
"""Classes up to which a confusion matrix is a table; larger ones are a picture."""


@dataclass(frozen=True)
class CurvePanel:
    """The learning curves of one variant."""

    name: str
    color: int
    figure: Markup


@dataclass(frozen=True)
class MatrixPanel:
    """A confusion matrix: a table where it is small enough, a figure otherwise."""

    name: str
    color: int
    right: str
    runs: int
    rows: tuple[tuple[str, tuple[tuple[str, int, str], ...]], ...]  # class, cells of (percent, strength, full text)
    figure: Markup | None
    mistakes: tuple[str, ...]


def write_page(summary: StudySummary, path: str | os.PathLike[str]) -> Path:
    """Write the report of a study into one file.

    Args:
      summary: the study.
      path: the file; its folder is made if it is missing, and an older report is replaced in one step.

    Returns:
      The file.
    """
    target = Path(path)
    text = render_page(summary)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def render_page(summary: StudySummary) -> str:
    """The report of a study as HTML.

    Args:
      summary: the study, in any state.

    Returns:
      A whole document that refers to nothing outside itself.
    """
    from markupsafe import Markup

    environment = _environment()
    charts = build_charts(summary)
    return environment.get_template("page.html.j2").render(
        summary=summary,
        paragraphs=[p for p in re.split(r"\n\s*\n", summary.verdict) if p.strip()],
        facts=rows.facts(summary),
        notices=wording.notices(summary),
        rows=[rows.variant_row(summary, v, i) for i, v in enumerate(summary.variants)],
        shows_published=any(v.published for v in summary.variants),
        runs=[(v.name, rows.run_row(run)) for v in summary.variants for run in v.runs],
        comparisons=[rows.comparison_row(c) for c in summary.comparisons],
        findings=sorted(summary.findings, key=wording.urgency),
        intervals=_interval_figure(summary),
        overlays=_overlays(summary),
        panels=_curve_panels(summary),
        matrices=_matrix_panels(summary),
        command=summary.provenance.get("command", ""),
        provenance={k: v for k, v in summary.provenance.items() if k != "command"},
        settings=json.dumps(summary.settings, indent=2, default=str, ensure_ascii=False),
        document=Markup(charts.document),
        roots=charts.roots,
        library=Markup(bokeh_library()) if charts.roots else "",
        css=Markup(_colors() + _source("page.css")),
        js=Markup(_source("page.js")),
    )


# --- Figures ----------------------------------------------------------------------------------------------------------


def _interval_figure(summary: StudySummary) -> Markup | None:
    return inline_svg(plot_intervals(summary)) if any(v.mean for v in summary.variants) else None


def _overlays(summary: StudySummary) -> dict[str, Markup]:
    """The static figures of all variants together, by the element that the interactive ones replace."""
    from matplotlib.figure import Figure

    if not _has_epochs(summary):
        return {}
    loss, accuracy, gap = (Figure(figsize=(5.4, 3.3), layout="constrained") for _ in range(3))
    plot_curves(summary, "loss", loss.add_subplot())
    plot_curves(summary, "accuracy", accuracy.add_subplot())
    plot_gap(summary, gap.add_subplot())
    return {"loss": inline_svg(loss), "accuracy": inline_svg(accuracy), "gap": inline_svg(gap)}


def _curve_panels(summary: StudySummary) -> list[CurvePanel]:
    """Every variant's curves; all loss panels share their axes, and all accuracy panels theirs."""
    from matplotlib.figure import Figure

    if not _has_epochs(summary):
        return []
    figures = []
    for variant in summary.variants:
        figure = Figure(figsize=(4.4, 4.3), layout="constrained")
        for axes, metric in zip(figure.subplots(2, 1, sharex=True), METRICS, strict=True):
            plot_learning_curve(summary, variant.name, metric, axes)
            axes.set_title("", loc="left")  # the page has it as a heading, and says once what the lines are
            axes.get_legend().remove()
            axes.set_xlabel("epoch" if metric == METRICS[-1] else "")
        figures.append(figure)
    for row in range(len(METRICS)):
        limits = [figure.axes[row].get_ylim() for figure in figures if figure.axes[row].has_data()]
        for figure in figures:
            figure.axes[row].set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    drawn = zip(summary.variants, map(inline_svg, figures), strict=True)
    return [CurvePanel(variant.name, index % SERIES, figure) for index, (variant, figure) in enumerate(drawn)]


def _has_epochs(summary: StudySummary) -> bool:
    return any(len(history) for runs in summary.histories.values() for history in runs.values())


def _matrix_panels(summary: StudySummary) -> list[MatrixPanel]:
    found = ((i, v, confusion_data(summary, v.name)) for i, v in enumerate(summary.variants))
    return [_matrix_panel(summary, variant, index, matrix) for index, variant, matrix in found if matrix is not None]


def _matrix_panel(summary: StudySummary, variant: VariantSummary, index: int, matrix: Confusion) -> MatrixPanel:
    small = len(matrix.classes) <= LARGEST_TABLE
    return MatrixPanel(
        name=variant.name,
        color=index % SERIES,
        right=wording.percent(float(matrix.counts.trace() / matrix.counts.sum())),
        runs=sum(run.test_accuracy is not None for run in variant.runs),
        rows=_matrix_rows(matrix) if small else (),
        figure=None if small else inline_svg(plot_confusion(summary, variant.name)),
        mistakes=tuple(
            f"{true} taken for {predicted}: {count:,} times, {wording.percent(share)} of its class"
            for true, predicted, count, share in top_confusions(matrix)
        ),
    )


def _matrix_rows(matrix: Confusion) -> tuple[tuple[str, tuple[tuple[str, int, str], ...]], ...]:
    """Class, then a cell for every predicted class: percent, strength of the tint from 0 to 100, and the full text."""
    rows = []
    for true, name in enumerate(matrix.classes):
        cells = []
        for predicted, other in enumerate(matrix.classes):
            count, share = int(matrix.counts[true, predicted]), float(matrix.shares[true, predicted])
            shown = wording.whole_percent(share) if count else ""
            said = f"{name} as {other}: {count:,} times, {wording.percent(share)}"
            cells.append((shown, round(100 * share**0.5), said))
        rows.append((name, tuple(cells)))
    return tuple(rows)


# --- Parts of the page ------------------------------------------------------------------------------------------------


def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["unbroken"] = _unbroken
    environment.filters["breakable"] = _breakable
    return environment


def _unbroken(text: str) -> Markup:
    """Keep what has a hyphen after a number on one line: the name of a model, such as 128-64."""
    from markupsafe import Markup

    parts = re.split(r"(\S*\d-\S+)", text)
    kept = [Markup('<span class="unbroken">{}</span>').format(part) if i % 2 else part for i, part in enumerate(parts)]
    return Markup("").join(kept)


def _breakable(text: str) -> Markup:
    """Let a long name break after its underscores, and not in the middle of a word."""
    from markupsafe import Markup

    return Markup("_<wbr>").join(text.split("_"))


def _source(name: str) -> str:
    return resources.files("wellfit.report").joinpath(name).read_text(encoding="utf-8")


def _colors() -> str:
    """Both sets of colors as custom properties; paper is always light."""
    light, dark = ("".join(f"--{role}:{color};" for role, color in colors.items()) for colors in (LIGHT, DARK))
    return (
        f":root{{color-scheme:light dark;{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
    )
