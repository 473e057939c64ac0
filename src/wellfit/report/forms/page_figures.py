"""The static figures of the page: what it shows where no script runs, and on paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.svg import inline_svg
from wellfit.report.subjects.calibration.static import small_reliability
from wellfit.report.subjects.curves.page import has_epochs, overlays, shown_first, with_few_curves
from wellfit.report.subjects.curves.panels import region_panel
from wellfit.report.subjects.paths.static import plot_path
from wellfit.report.subjects.weights.static import plot_weight_norms

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["short", "static_figures"]


def static_figures(summary: StudySummary, details: StudyDetails) -> dict[str, Any]:
    """Every static figure of the page save those of single variants.

    Args:
      summary: the study.
      details: its details.

    Returns:
      ``"loss"``, ``"accuracy"``, ``"gap"``, ``"norms"`` -> a figure; ``"paths"`` -> figures; ``"reliability"`` ->
      position, name and figure of the variants that are shown first; ``"regions"`` -> variant -> its regions, and where
      its seeds disagree. What has nothing to show is left out or empty.
    """
    shown = shown_first(summary)
    found: dict[str, Any] = {name: short(drawing) for name, drawing in overlays(summary).items()}
    if has_epochs(summary):
        found["norms"] = short(inline_svg(plot_weight_norms(with_few_curves(summary))))
    found["paths"] = [short(inline_svg(plot_path(path))) for path in details.paths]
    found["reliability"] = [
        (index, v.name, short(inline_svg(small_reliability(details.calibration[v.name], index))))
        for index, v in enumerate(summary.variants)
        if index in shown and v.name in details.calibration
    ]
    found["regions"] = {
        name: tuple(region_panel(regions, summary.classes, disagreement) for disagreement in (False, True))
        for name, regions in details.regions.items()
    }
    return found


def short(drawing: Markup) -> Markup:
    """A drawing with its paths to a tenth of a point, which no eye tells from a millionth: half as long.

    Example:
      >>> from markupsafe import Markup
      >>> short(Markup('<path d="M 1.234567 20.000001 L 3 4.56789"/>'))
      Markup('<path d="M 1.2 20 L 3 4.6"/>')
    """
    from markupsafe import Markup

    def rounded(found: re.Match[str]) -> str:
        return re.sub(r"-?\d+\.\d+", lambda number: f"{round(float(number[0]), 1):g}", found[0])

    return Markup(re.sub(r' d="[^"]*"', rounded, drawing))
