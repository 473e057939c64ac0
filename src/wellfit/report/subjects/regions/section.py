"""Decision regions in the report: all variants in one figure, then two figures per variant, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from wellfit.base import Regions, StudyDetails, StudySummary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.marks.svg import inline_svg
from wellfit.report.numbers import of_variants
from wellfit.report.parts import Drawing, Part, file_name
from wellfit.report.subjects.regions.static import CURVES, WIDTH, plot_disagreement, plot_region_panels, plot_regions

__all__ = ["fragment", "parts"]

SMALL = (3.4, 2.75)
"""Inches of the page's figures."""

INSIDE = (0.15, 0.15, 0.84, 0.84)
"""Left, bottom, width and height of the axes in them, as shares."""

TICKS = 8
"""Points of the text at their axes."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """Decision regions of all variants together, then decision regions and disagreement of every variant."""
    drawings: list[Part] = []
    if len(details.regions) > 1:
        caption = "Decision regions of every variant, mean over the seeds. Darker: more probable."
        shown = {name: of for _, name, of in of_variants(summary, details.regions)}
        drawings.append(Drawing("region-panels", caption, partial(plot_region_panels, shown, summary.classes)))
    for _, name, regions in of_variants(summary, details.regions):
        file, classes = file_name(summary, name), summary.classes
        drawings += [
            Drawing(f"regions-{file}", f"Decision regions of {name}, mean over the seeds.",
                    partial(plot_regions, regions, classes, beside=False), "half"),
            Drawing(f"disagreement-{file}", f"Where the seeds of {name} disagree.",
                    partial(plot_disagreement, regions, classes, beside=False), "half"),
        ]  # fmt: skip
    return drawings


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """Position, name and both figures of every variant, and the true curves with their dashes."""
    if not details.regions:
        return {}
    variants = [
        (index, name, *_figures(regions, summary.classes))
        for index, name, regions in of_variants(summary, details.regions)
    ]
    first = next(iter(details.regions.values()))
    dashes = [
        " ".join(f"{WIDTH * length:g}" for length in CURVES[at % len(CURVES)][1]) for at in range(len(first.curves))
    ]
    return {"variants": variants, "curves": tuple(zip(first.curves, dashes, strict=True))}


def _figures(regions: Regions, classes: tuple[str, ...]) -> tuple[Any, ...]:
    """Both figures without title, legend and notes, which the page has."""
    from matplotlib.figure import Figure

    figures = []
    for plot in (partial(plot_regions, beside=False), partial(plot_disagreement, points=False, beside=False)):
        axes = Figure(figsize=SMALL).add_axes(INSIDE)
        figure = plot(regions, classes, axes)
        axes.set_title("", loc="left")
        axes.tick_params(labelsize=TICKS)
        for name in (axes.xaxis.label, axes.yaxis.label):
            name.set_fontsize(TICKS)
        for removed in (axes.get_legend(), *axes.texts):
            if removed is not None:
                removed.remove()
        figures.append(inline_svg(figure))
    return tuple(figures)
