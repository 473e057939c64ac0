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
from wellfit.report.subjects.regions.static import plot_disagreement, plot_region_panels, plot_regions

__all__ = ["fragment", "parts"]

SMALL = (3.4, 2.75)
"""Inches of the page's figures."""


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
    """Position, name and both figures of every variant, and what the axes span."""
    if not details.regions:
        return {}
    variants = [
        (index, name, *_figures(regions, summary.classes))
        for index, name, regions in of_variants(summary, details.regions)
    ]
    first = next(iter(details.regions.values()))
    across, up = (f"{axis[0]:.3g} to {axis[-1]:.3g}" for axis in (first.x1, first.x2))
    return {"variants": variants, "axes": f"horizontal: {first.axes[0]}, {across}; vertical: {first.axes[1]}, {up}"}


def _figures(regions: Regions, classes: tuple[str, ...]) -> tuple[Any, ...]:
    """Both figures without title, legend, axes and notes, which the page has."""
    from matplotlib.figure import Figure

    figures = []
    for plot in (partial(plot_regions, beside=False), partial(plot_disagreement, points=False, beside=False)):
        axes = Figure(figsize=SMALL).add_axes((0, 0, 1, 1))
        figure = plot(regions, classes, axes)
        axes.set_title("", loc="left")
        axes.set_axis_off()
        for removed in (axes.get_legend(), *axes.texts):
            if removed is not None:
                removed.remove()
        figures.append(inline_svg(figure))
    return tuple(figures)
