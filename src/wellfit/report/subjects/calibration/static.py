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

__all__ = ["plot_reliability", "small_reliability"]


def plot_reliability(calibration: Calibration, ax: Axes | None = None, *, index: int = 1) -> Figure:
    """The reliability diagram: accuracy by confidence.

    Args:
      calibration: of one variant.
      ax: where to draw; a new figure if None.
      index: position of the variant in the study, for its color.

    Returns:
      The figure: one point per bin, its area by the share of the predictions; the line joins bins with enough of them.
      On the dotted diagonal, confidence equals accuracy; the expected calibration error averages the shaded distances.
    """
    axes, color, bins = drawing.own_axes(ax, (5.2, 5.0)), series_color(index), reliability(calibration)
    confidence, accuracy = bins.confidence, bins.accuracy  # (B,), (B,)
    axes.plot([0, 100], [0, 100], color=LIGHT["muted"], linewidth=1.0, linestyle=(0, (2, 3)), zorder=1)
    axes.vlines(confidence, np.minimum(confidence, accuracy), np.maximum(confidence, accuracy), color=LIGHT["s2"],
                linewidth=5, alpha=0.35, zorder=1)  # fmt: skip
    axes.plot(confidence[bins.firm], accuracy[bins.firm], color=color, linewidth=1.4, alpha=0.7, zorder=2)
    axes.scatter(confidence, accuracy, s=16 + 320 * bins.share, color=color, zorder=3)
    drawing.style(axes, "confidence, percent", "accuracy, percent")
    low = 10 * np.floor(min(confidence.min(initial=100), accuracy.min(initial=100)) / 10)
    axes.set_xlim(low, 102)
    axes.set_ylim(low, 102)
    axes.set_aspect("equal", adjustable="box")
    drawing.title(axes, calibration.variant)
    scores = [
        text for key, name in (("ece", "ECE"), ("brier", "Brier score")) if (text := _score(calibration, key, name))
    ]
    axes.text(0.03, 0.97, "\n".join(scores), transform=axes.transAxes, va="top", fontsize=10, color=LIGHT["ink"],
              linespacing=1.5)  # fmt: skip
    below = int((np.round(accuracy - confidence, 1) < 0).sum())
    lean = "overconfident" if float((bins.share * (confidence - accuracy)).sum()) > 0 else "underconfident"
    counts = f"{calibration.count.sum():,} predictions in {len(confidence)} bins, {below} of them below the diagonal"
    ends = f"{counts}. On average {lean}. {'; '.join(scores)}".rstrip("; .")
    return drawing.done(axes, f"Reliability diagram of {calibration.variant}: {ends}.")


def small_reliability(calibration: Calibration, index: int) -> Figure:
    """The reliability diagram as a small panel in the variant's color, for a page that prints its name and scores."""
    axes = drawing.own_axes(None, (2.6, 2.6))
    figure = plot_reliability(calibration, axes, index=index)
    axes.set_title("", loc="left")
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")
    for text in list(axes.texts):
        text.remove()
    ticks = [0, 50, 100] if axes.get_xlim()[0] < 40 else [50, 100]
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    return figure


def _score(calibration: Calibration, key: str, name: str) -> str:
    """A score and its interval: a calibration error in points, a Brier score as it is."""
    if key not in calibration.scores:
        return ""
    scale, digits, unit = (100.0, 2, " points") if key == "ece" else (1.0, 4, "")
    text = f"{name} {scale * calibration.scores[key]:.{digits}f}{unit}"
    return f"{text} {wording.interval(calibration.intervals.get(key), scale, digits)}".rstrip()
