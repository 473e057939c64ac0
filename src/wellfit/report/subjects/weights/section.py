"""The weights in the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.narrative.phrases import listed
from wellfit.report import wording
from wellfit.report.marks.colors import slots_of
from wellfit.report.marks.pictures import Sheet
from wellfit.report.marks.svg import inline_svg
from wellfit.report.numbers import has_epochs, highlighted, of_variants
from wellfit.report.parts import Drawing, Part, file_name
from wellfit.report.subjects.weights.numbers import weight_rows
from wellfit.report.subjects.weights.static import (
    LAYERS,
    plot_filters,
    plot_weight_histogram,
    plot_weight_norms,
    plot_weight_ridge,
)

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["fragment", "parts"]

RIDGES: Final = 5
"""The most layers whose weights the page draws by epoch."""


@dataclass(frozen=True)
class _Ridges:
    """A layer and its drawings: position, name and ridge of every variant."""

    index: int
    name: str
    panels: tuple[tuple[int, str, Markup], ...]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The norms by epoch, then distribution, first kernel by epoch and filters of the highlighted variants."""
    drawings: list[Part] = []
    if has_epochs(summary):
        norms = partial(plot_weight_norms, summary)
        drawings.append(Drawing("weight-norms", "Norm of all kernels together by epoch.", norms))
    slots = slots_of(summary)
    for name in highlighted(summary):
        if (overview := details.weights.get(name)) is None:
            continue
        file = file_name(summary, name)
        caption = f"{name}: distribution of the weights of every layer."
        drawings.append(Drawing(f"weights-{file}", caption, partial(plot_weight_histogram, overview),
                                "half" if len(overview.layers) <= LAYERS else "full"))  # fmt: skip
        if overview.history is not None:
            caption = f"{name}: weights of {overview.history.layers[0]} by epoch, of seed {overview.history.seed}."
            drawings.append(
                Drawing(f"ridge-{file}", caption, partial(plot_weight_ridge, overview, slot=slots[name]), "half")
            )
        if overview.filters is not None and len(overview.filters):
            caption = f"{name}: filters of the first layer; blue is positive, orange negative."
            drawings.append(Drawing(f"filters-{file}", caption, partial(plot_filters, overview), "half"))
    return drawings


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The norms by epoch, and one row per variant with its layers and filters."""
    if not (rows := weight_rows(summary, details.weights, sheets.get("filters"))):
        return {}
    norms = inline_svg(plot_weight_norms(summary)) if has_epochs(summary) else ""
    filters = any(row.filters for row in rows)
    shown = [
        *(["norms by epoch"] if norms else []),
        "distributions by layer",
        *(["first-layer filters"] if filters else []),
    ]
    gist = wording.capitalized(listed(shown))
    return {"rows": rows, "norms": norms, "ridges": _ridges(summary, details), "shows_filters": filters, "gist": gist}


def _ridges(summary: StudySummary, details: StudyDetails) -> list[_Ridges]:
    """The kernels, each with a drawing for every highlighted variant that has it."""
    known = [
        (index, name, overview)
        for index, name, overview in of_variants(summary, details.weights)
        if name in highlighted(summary) and overview.history is not None
    ]
    slots = slots_of(summary)
    kernels = list(dict.fromkeys(layer for *_, overview in known for layer in overview.layers))[:RIDGES]

    def drawn(layer: str) -> tuple[tuple[int, str, Markup], ...]:
        return tuple(
            (index, name, inline_svg(plot_weight_ridge(overview, layer, small=True, slot=slots[name])))
            for index, name, overview in known
            if layer in overview.layers
        )

    return [_Ridges(at, layer.removesuffix("/kernel"), drawn(layer)) for at, layer in enumerate(kernels)]
