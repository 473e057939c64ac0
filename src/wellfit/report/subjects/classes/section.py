"""Precision, recall and F1 by class: the figures, and the page's tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.numbers import highlighted
from wellfit.report.parts import Drawing, Part, file_name
from wellfit.report.subjects.classes.numbers import class_panels, gain_rows
from wellfit.report.subjects.classes.static import plot_per_class

__all__ = ["fragment", "parts"]

LARGEST: Final = 30
"""Classes up to which each has a row that can be read on paper."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """A figure for each of a few variants; none for more classes than fit on paper."""
    if len(summary.classes) > LARGEST:
        return []
    return [
        Drawing(
            f"classes-{file_name(summary, name)}",
            f"{name}: recall with its 95 % interval, precision, and the gain in recall.",
            partial(plot_per_class, details.by_class[name], summary.classes),
        )
        for name in highlighted(summary)
        if name in details.by_class
    ]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """A table for every variant, and one of the gains of all but the first."""
    panels = class_panels(summary, details)
    return {"panels": panels, "gains": gain_rows(panels)} if panels else {}
