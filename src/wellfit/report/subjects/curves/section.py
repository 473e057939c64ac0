"""The learning curves in the report: all variants together, then one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.marks.static import BANDS as MOST_BANDS
from wellfit.report.marks.static import own_axes
from wellfit.report.marks.svg import inline_svg
from wellfit.report.numbers import FEW, METRICS, has_epochs, last_epoch, shown_first
from wellfit.report.parts import Drawing, Part
from wellfit.report.subjects.curves.numbers import stopped_at, value_limits
from wellfit.report.subjects.curves.static import plot_curves, plot_gap, plot_small

__all__ = ["choices", "fragment", "parts"]

OVERLAY = (8.6, 3.25)
"""Inches of a written form's figure of all variants."""

SMALL = (5.4, 3.3)
"""Inches of the page's figure of all variants."""

BANDS = "bands: lowest to highest seed"

PANELS = 3
"""Panels in a row; more than one row of accuracies is a detail beside the same panels of the loss."""

CROWD = 60
"""Up to this many variants, the page draws in gray those that the reader has not chosen."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """Loss, accuracy and gap of several variants in one figure each, then in a panel per variant."""
    if not has_epochs(summary):
        return []
    names = [summary.variants[at].name for at in sorted(shown_first(summary))]
    crowd = len(names) < len(summary.variants)
    key = "Solid: validation; dashed: training"
    ticks = "ticks at the foot: each seed's epoch of lowest validation loss"
    bands = "" if len(summary.seeds) < 2 else f"; {BANDS}"
    together = (bands if len(names) <= MOST_BANDS else "") + ("; gray: all others" if crowd else "")
    of = f" Of {len(summary.variants)} variants, {_chosen(names)}." if crowd else ""
    return [
        Drawing("loss", f"Loss by epoch. {key}{together}.{of}",
                lambda: plot_curves(summary, "loss", own_axes(None, OVERLAY))),
        Drawing("accuracy", f"Accuracy by epoch. {key}{together}.",
                lambda: plot_curves(summary, "accuracy", own_axes(None, OVERLAY))),
        Drawing("gap", f"Gap by epoch: training minus validation accuracy{together}.",
                lambda: plot_gap(summary, own_axes(None, OVERLAY))),
        Drawing("loss-curves", f"Loss of each variant. {key}{bands}; {ticks}.",
                partial(plot_curves, summary, "loss", names=names)),
        Drawing("accuracy-curves", f"Accuracy of each variant. {key}{bands}; {ticks}.",
                partial(plot_curves, summary, "accuracy", names=names), detail=len(names) > PANELS),
    ]  # fmt: skip


def _chosen(names: Sequence[str]) -> str:
    """Those of many variants that have their colors."""
    return f"the first and the {len(names) - 1} best on validation: {', '.join(names)}"


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The figures without JavaScript, the panels of every variant, and the choices of the interactive charts."""
    if not has_epochs(summary):
        return {}
    limits = {metric: value_limits(summary, metric) for metric in METRICS}
    return {
        **choices(summary),
        "figures": {
            "loss": inline_svg(plot_curves(summary, "loss", own_axes(None, SMALL))),
            "accuracy": inline_svg(plot_curves(summary, "accuracy", own_axes(None, SMALL))),
            "gap": inline_svg(plot_gap(summary, own_axes(None, SMALL))),
        },
        "panels": [
            (i, v.name, [inline_svg(plot_small(summary, v.name, metric, limits=limits[metric])) for metric in METRICS])
            for i, v in enumerate(summary.variants)
            if i in shown_first(summary)  # as in the written forms; the interactive charts have all
        ],
        "cut": last_epoch(summary) >= 3,  # the first third of the epochs does not count; see `interesting`
        "bands": "" if len(summary.seeds) < 2 else "few" if len(summary.variants) <= MOST_BANDS else "many",
        "some": len(shown_first(summary)) < len(summary.variants),
        "stops": any(stopped_at(summary, v.name) for v in summary.variants),
    }


def choices(summary: StudySummary) -> dict[str, Any]:
    """What the reader can choose above the charts.

    Returns:
      ``chips``: position, name, and whether it has its color at first, of every variant; ``best``: of many variants,
      the positions of the first and the best others on validation; ``crowd``: whether the others are gray at first, or
      hidden because they are too many.
    """
    names, shown = [v.name for v in summary.variants], shown_first(summary)
    many, crowd = len(names) > FEW, FEW < len(names) <= CROWD
    first = {0} if crowd else shown
    chips = [(index, name, index in first) for index, name in enumerate(names)]
    return {"chips": chips, "best": sorted(shown) if many else [], "crowd": crowd}
