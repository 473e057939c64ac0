"""Decision regions in the report: two figures per variant, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from wellfit.base import Regions, StudyDetails, StudySummary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.marks.svg import inline_svg
from wellfit.report.numbers import of_variants
from wellfit.report.parts import Drawing, Part, file_name
from wellfit.report.subjects.regions.static import plot_disagreement, plot_regions

__all__ = ["fragment", "parts"]

SMALL = (3.4, 2.75)
"""Inches of the page's figures."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """Decision regions and disagreement of every variant."""
    drawings: list[Part] = []
    for _, name, regions in of_variants(summary, details.regions):
        file, classes = file_name(summary, name), summary.classes
        drawings += [
            Drawing(f"regions-{file}", f"Decision regions of {name}, mean over the seeds.",
                    partial(plot_regions, regions, classes), "half"),
            Drawing(f"disagreement-{file}", f"Where the seeds of {name} disagree.",
                    partial(plot_disagreement, regions, classes), "half"),
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
    return {"variants": variants, "axes": f"horizontal: first feature, {across}; vertical: second feature, {up}"}


def _figures(regions: Regions, classes: tuple[str, ...]) -> tuple[Any, ...]:
    """Both figures without title, legend, axes and notes, which the page has."""
    from matplotlib.figure import Figure

    figures = []
    for plot in (plot_regions, partial(plot_disagreement, points=False)):
        axes = Figure(figsize=SMALL).add_axes((0, 0, 1, 1))
        figure = plot(regions, classes, axes)
        axes.set_title("", loc="left")
        axes.set_axis_off()
        for removed in (axes.get_legend(), *axes.texts):
            if removed is not None:
                removed.remove()
        figures.append(inline_svg(figure))
    return tuple(figures)
