"""Static figures of scores: the variants in their order, and how far their probabilities can be believed.

As in `wellfit.report.marks.static`: on the axes that are given or on a figure of its own, with an alt text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wellfit.base import Calibration, StudySummary
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.numbers import ranked_intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_ranking", "plot_reliability", "small_reliability"]


def plot_reliability(calibration: Calibration, ax: Axes | None = None, *, index: int = 1) -> Figure:
    """The reliability diagram: how often a prediction was right, by how sure the network was of it.

    Args:
      calibration: of a variant.
      ax: where to draw; a new figure if None.
      index: position of the variant in the study, for its color.

    Returns:
      The figure: a point a bin, its area by the share of the predictions in it; the dotted diagonal is a network that
      is right as often as it says; the shade between is what the expected calibration error averages.
    """
    axes, color = drawing.own_axes(ax, (5.2, 5.0)), series_color(index)
    confidence, accuracy = 100 * calibration.confidence, 100 * calibration.accuracy  # (B,), (B,)
    share = calibration.count / max(int(calibration.count.sum()), 1)  # (B,)
    axes.plot([0, 100], [0, 100], color=LIGHT["muted"], linewidth=1.0, linestyle=(0, (2, 3)), zorder=1)
    axes.vlines(confidence, np.minimum(confidence, accuracy), np.maximum(confidence, accuracy), color=LIGHT["s2"],
                linewidth=5, alpha=0.35, zorder=1)  # fmt: skip
    axes.plot(confidence, accuracy, color=color, linewidth=1.4, alpha=0.7, zorder=2)
    axes.scatter(confidence, accuracy, s=16 + 320 * share, color=color, zorder=3)
    drawing.style(axes, "how sure (confidence), percent", "how often right (accuracy), percent")
    low = 10 * np.floor(min(confidence.min(initial=100), accuracy.min(initial=100)) / 10)
    axes.set_xlim(low, 102)
    axes.set_ylim(low, 102)
    axes.set_aspect("equal", adjustable="box")
    drawing.title(axes, calibration.variant)
    told = [_score(calibration, key, name) for key, name in (("ece", "ECE"), ("brier", "Brier score"))]
    scores = [text for text in told if text]
    axes.text(0.03, 0.97, "\n".join(scores), transform=axes.transAxes, va="top", fontsize=10, color=LIGHT["ink"],
              linespacing=1.5)  # fmt: skip
    sides = np.sign(np.round(accuracy - confidence, 1))
    lean = "over-confident" if float((share * (confidence - accuracy)).sum()) > 0 else "under-confident"
    sure = f"{calibration.count.sum():,} predictions in {len(share)} bins; {int((sides < 0).sum())} bins lie below the "
    said = f"{sure}diagonal. On average {lean}. {'; '.join(scores)}".rstrip("; .")
    return drawing.done(axes, f"Reliability diagram of {calibration.variant}: {said}.")


def plot_ranking(summary: StudySummary, ax: Axes | None = None) -> Figure:
    """The variants by their mean test accuracy, the best first; those that share a letter are not told apart.

    Args:
      summary: the study.
      ax: where to draw; a new figure if None.

    Returns:
      The figure: as ``plot_intervals``, sorted, with the letters of the ranking beside the names.
    """
    rows = ranked_intervals(summary)
    axes = drawing.own_axes(ax, (8.6, 0.9 + 0.46 * len(rows)))
    names = []
    for place, (row, letters) in enumerate(rows):
        drawing.interval(axes, row, len(rows) - 1 - place)
        names.append(f"{drawing.row_name(row.variant)}   {letters}".rstrip())
    lettered = any(letters for _, letters in rows)
    label = "test accuracy, percent" + ("  (variants that share a letter: not told apart)" if lettered else "")
    drawing.style(axes, label, "", grid="x")
    axes.set_yticks(range(len(rows))[::-1], names)
    axes.tick_params(axis="y", labelsize=11.5, labelcolor=LIGHT["ink"], pad=8)
    axes.set_ylim(-0.6, len(rows) - 0.3)
    axes.margins(x=0.04)
    drawing.interval_legend(axes, [row for row, _ in rows])
    said = "; ".join(
        f"{place + 1}. {row.variant} {wording.percent(row.mean)} {wording.interval(row.interval)}".rstrip()
        + (f" ({letters})" if letters else "")
        for place, (row, letters) in enumerate(rows)
    )
    return drawing.done(axes, f"Variants ranked by mean test accuracy: {said}.")


def _score(calibration: Calibration, key: str, name: str) -> str:
    """A score and its interval: a calibration error in points, a Brier score as it is."""
    if key not in calibration.scores:
        return ""
    scale, digits, unit = (100.0, 2, " points") if key == "ece" else (1.0, 4, "")
    text = f"{name} {scale * calibration.scores[key]:.{digits}f}{unit}"
    return f"{text} {wording.interval(calibration.intervals.get(key), scale, digits)}".rstrip()


def small_reliability(calibration: Calibration, index: int) -> Figure:
    """The reliability diagram in the variant's own color, without its name: small panels of a page that gives it.

    Args:
      index: position of the variant in the study.
    """
    from matplotlib.figure import Figure

    axes = Figure(figsize=(2.6, 2.6), layout=drawing.layout()).add_subplot()
    figure = plot_reliability(calibration, axes, index=index)
    axes.set_title("", loc="left")
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")
    for text in list(axes.texts):
        text.remove()
    axes.set_xticks([0, 50, 100] if axes.get_xlim()[0] < 40 else [50, 100])
    axes.set_yticks(axes.get_xticks())
    return figure
