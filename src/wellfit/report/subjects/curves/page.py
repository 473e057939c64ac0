"""What the page shows of the training: curves of all variants together, and of each alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wellfit.base import StudySummary
from wellfit.report.marks.colors import SERIES
from wellfit.report.marks.svg import inline_svg
from wellfit.report.subjects.curves.panels import curve_limits, curve_panel
from wellfit.report.subjects.curves.static import plot_curves, plot_gap

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

__all__ = ["FEW", "CurvePanel", "curve_panels", "has_epochs", "overlays", "shown_first", "with_few_curves"]

METRICS: Final = ("loss", "accuracy")

FEW: Final = 8
"""Variants up to which all are shown at once."""

MOST: Final = 6
"""How many are shown at once where there are more."""


@dataclass(frozen=True)
class CurvePanel:
    """The learning curves of one variant: loss, and accuracy."""

    index: int
    name: str
    figures: tuple[Markup, ...]


def shown_first(summary: StudySummary) -> frozenset[int]:
    """The variants, by position, whose curves are shown before the reader has chosen any.

    Args:
      summary: the study.

    Returns:
      All of a few; of many the first one and the five best by mean validation accuracy, each of another color.
    """
    if len(summary.variants) <= FEW:
        return frozenset(range(len(summary.variants)))
    scored = {i: v.mean.get("validation_accuracy", 0.0) for i, v in enumerate(summary.variants)}
    chosen = [0]
    for index in sorted(scored, key=lambda i: (-scored[i], i)):
        if all(index % SERIES != other % SERIES for other in chosen) and len(chosen) < MOST:
            chosen.append(index)
    return frozenset(chosen)


def has_epochs(summary: StudySummary) -> bool:
    """Whether any run has gone through an epoch."""
    return any(len(history) for runs in summary.histories.values() for history in runs.values())


def with_few_curves(summary: StudySummary) -> StudySummary:
    """The study with the epochs of those variants alone whose curves can be told apart in one figure."""
    shown = {summary.variants[at].name for at in shown_first(summary)}
    kept = {name: seeds if name in shown else {} for name, seeds in summary.histories.items()}
    return dataclasses.replace(summary, histories=kept)


def overlays(summary: StudySummary) -> dict[str, Markup]:
    """The static figures of all variants together, by the element that the interactive ones replace."""
    from matplotlib.figure import Figure

    if not has_epochs(summary):
        return {}
    few = with_few_curves(summary)

    def draw(plot: Callable[[Axes], object]) -> Markup:
        figure = Figure(figsize=(5.4, 3.3), layout="constrained")
        plot(figure.add_subplot())
        return inline_svg(figure)

    return {
        "loss": draw(lambda axes: plot_curves(few, "loss", axes)),
        "accuracy": draw(lambda axes: plot_curves(few, "accuracy", axes)),
        "gap": draw(lambda axes: plot_gap(few, axes)),
    }


def curve_panels(summary: StudySummary) -> list[CurvePanel]:
    """Every variant's curves; all loss panels share their axes, and all accuracy panels theirs."""
    if not has_epochs(summary):
        return []
    limits = {metric: curve_limits(summary, metric) for metric in METRICS}
    return [
        CurvePanel(i, v.name, tuple(curve_panel(summary, v, i, metric, limits[metric]) for metric in METRICS))
        for i, v in enumerate(summary.variants)
    ]
