"""The static reliability diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wellfit.base import Calibration
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.subjects.calibration.numbers import reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_reliability", "plot_small"]


def plot_reliability(calibration: Calibration, ax: Axes | None = None, *, slot: int = 1) -> Figure:
    """The reliability diagram: accuracy by confidence.

    Args:
      slot: of the variant's color, from ``wellfit.report.marks.colors.slots``.

    Returns:
      The figure: one point per bin, its area by the share of the predictions; the line joins bins with enough of them.
      On the dotted diagonal, confidence equals accuracy; the expected calibration error averages the shaded distances.
    """
    axes = drawing.own_axes(ax, (5.2, 5.0))
    _draw_bins(axes, calibration, series_color(slot), 320)
    drawing.style(axes, "confidence, percent", "accuracy, percent")
    scores = _scores(calibration)
    drawing.title(axes, calibration.variant, lines=len(scores))
    axes.text(0, 1.02, "\n".join(scores), transform=axes.transAxes, fontsize=10, color=LIGHT["ink"], linespacing=1.3)
    return drawing.done(axes, _describe(calibration))


def plot_small(calibration: Calibration, ax: Axes | None = None, *, slot: int = 1) -> Figure:
    """The reliability diagram as a small panel, without the name and the scores, which the page prints.

    Args:
      slot: of the variant's color, from ``wellfit.report.marks.colors.slots``.
    """
    axes = drawing.panel(ax, (2.6, 2.6), (0.245, 0.22, 0.685, 0.685))
    _draw_bins(axes, calibration, series_color(slot), 80)
    drawing.style(axes, "confidence", "accuracy")
    ticks = [0, 50, 100] if axes.get_xlim()[0] < 40 else [50, 100]
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    return drawing.done(axes, _describe(calibration))


def _draw_bins(axes: Axes, calibration: Calibration, color: str, area: float) -> None:
    """Draw the bins between diagonal and data; ``area`` is that of a point with all predictions, in square points."""
    bins = reliability(calibration)
    confidence, accuracy = bins.confidence, bins.accuracy  # (B,), (B,)
    axes.plot([0, 100], [0, 100], color=LIGHT["muted"], linewidth=1.0, linestyle=(0, (2, 3)), zorder=1)
    axes.vlines(confidence, np.minimum(confidence, accuracy), np.maximum(confidence, accuracy), color=LIGHT["s2"],
                linewidth=5, alpha=0.35, zorder=1)  # fmt: skip
    axes.plot(confidence[bins.firm], accuracy[bins.firm], color=color, linewidth=1.4, alpha=0.7, zorder=2)
    axes.scatter(confidence, accuracy, s=area / 20 + area * bins.share, color=color, zorder=3, clip_on=False)
    low = 10 * np.floor(min(confidence.min(initial=100), accuracy.min(initial=100)) / 10)
    axes.set_xlim(low, 102)
    axes.set_ylim(low, 102)
    axes.set_aspect("equal", adjustable="box")


def _describe(calibration: Calibration) -> str:
    """The diagram in words."""
    bins = reliability(calibration)
    below = int((np.round(bins.accuracy - bins.confidence, 1) < 0).sum())
    lean = "overconfident" if float((bins.share * (bins.confidence - bins.accuracy)).sum()) > 0 else "underconfident"
    counts = f"{calibration.count.sum():,} predictions in {len(bins.share)} bins, {below} of them below the diagonal"
    text = f"{counts}. On average {lean}. {'; '.join(_scores(calibration))}".rstrip("; .")
    return f"Reliability diagram of {calibration.variant}: {text}."


def _scores(calibration: Calibration) -> list[str]:
    """The scores that are known, with their intervals: the calibration error in points, the Brier score as it is."""
    texts = []
    for key, name, scale, digits, unit in (("ece", "ECE", 100.0, 2, " points"), ("brier", "Brier score", 1.0, 4, "")):
        if key in calibration.scores:
            text = f"{name} {scale * calibration.scores[key]:.{digits}f}{unit}"
            texts.append(f"{text} {wording.interval(calibration.intervals.get(key), scale, digits)}".rstrip())
    return texts
