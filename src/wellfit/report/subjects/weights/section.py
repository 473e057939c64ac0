"""The weights in the report."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.marks.svg import inline_svg
from wellfit.report.numbers import has_epochs, highlighted, with_few_curves
from wellfit.report.parts import Drawing, Part, file_name
from wellfit.report.subjects.weights.numbers import weight_rows
from wellfit.report.subjects.weights.static import LAYERS, plot_filters, plot_weight_histogram, plot_weight_norms

__all__ = ["fragment", "parts"]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The norms by epoch, then distribution and filters of the highlighted variants."""
    drawings: list[Part] = []
    if has_epochs(summary):
        norms = partial(plot_weight_norms, with_few_curves(summary))
        drawings.append(Drawing("weight-norms", "Norm of all kernels together by epoch.", norms))
    for name in highlighted(summary):
        if (overview := details.weights.get(name)) is None:
            continue
        file = file_name(summary, name)
        caption = f"{name}: distribution of the weights of every layer."
        drawings.append(Drawing(f"weights-{file}", caption, partial(plot_weight_histogram, overview),
                                "half" if len(overview.layers) <= LAYERS else "full"))  # fmt: skip
        if overview.filters is not None and len(overview.filters):
            caption = f"{name}: filters of the first layer; blue is positive, orange negative."
            drawings.append(Drawing(f"filters-{file}", caption, partial(plot_filters, overview), "half"))
    return drawings


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The norms by epoch, and one row per variant with its layers and filters."""
    if not (rows := weight_rows(summary, details.weights, sheets.get("filters"))):
        return {}
    norms = inline_svg(plot_weight_norms(with_few_curves(summary))) if has_epochs(summary) else ""
    return {"rows": rows, "norms": norms, "shows_filters": any(row.filters for row in rows)}
