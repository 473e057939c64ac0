"""Learning curves in one line of text each: the mean validation loss of every variant, all on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import StudySummary, VariantSummary

__all__ = ["Sparklines", "validation_sparklines"]

BLOCKS: Final = "▁▂▃▄▅▆▇█"
PLAIN: Final = ".:-=+*#@"  # where an encoding has no blocks: the higher, the darker
LEAST_RANGE: Final = 1.25  # greatest over least loss: less would make mountains of noise
MOST_RANGE: Final = 4.0  # more would flatten every curve but those of the worst variants


class Sparklines(NamedTuple):
    """Curves as text.

    Args:
      lines: variant -> its curve, a character an epoch, or several epochs where there are more than fit.
      mark: the character that stands at the lowest epoch, whose height is then not shown.
      ends: the characters of the lowest and of the highest loss.
      low, high: these losses.
      cut: whether some losses lie above ``high``.
    """

    lines: Mapping[str, str]
    mark: str
    ends: tuple[str, str]
    low: float
    high: float
    cut: bool

    @property
    def legend(self) -> str:
        """What the curves show, in a sentence."""
        above = " and above" if self.cut else ""
        return (
            f"Curves: validation loss by epoch, mean of the seeds, on one logarithmic scale from {self.low:.2g} "
            f"({self.ends[0]}) to {self.high:.2g} ({self.ends[1]}){above}; lowest at {self.mark}."
        )


def validation_sparklines(summary: StudySummary, width: int = 16, *, ascii_only: bool = False) -> Sparklines | None:
    """The mean validation loss of every variant, epoch by epoch.

    A curve is the mean over the runs that ended and did not diverge, for as long as all of them trained, so that no
    run that stops makes it leap. All curves have one logarithmic scale: from the lowest loss of any to that below which
    nine in ten of the curves end, at least a quarter above it and at most four times it; what is higher, as first
    epochs are, is cut.

    Args:
      summary: the study.
      width: characters, at most.
      ascii_only: use characters that every encoding has.

    Returns:
      The curves; None where no variant has two epochs.

    Example:
      >>> import numpy as np
      >>> from wellfit.base import History, RunSummary, VariantSummary
      >>> run = RunSummary(0, "finished", 4, 4, *[None] * 9)
      >>> history = History({"validation_loss": np.array([0.8, 0.3, 0.2, 0.4])})
      >>> v = VariantSummary("a", {}, 1, (run,), {}, {}, 1.0, {})
      >>> s = StudySummary("s", "?", "d", "finished", (0,), 4, 1.0, "", (v,), (), (), "", {"a": {0: history}}, {}, (),
      ...                  {}, {})
      >>> validation_sparklines(s).lines["a"]
      '█▅•█'
    """
    curves = {variant.name: curve for variant in summary.variants if len(curve := _mean(summary, variant)) >= 2}
    if not curves:
        return None
    longest = max(map(len, curves.values()))
    low = min(float(curve.min()) for curve in curves.values())
    low = max(low, 1e-9)  # a loss may reach 0, its logarithm nothing
    ends = float(np.quantile([float(curve[-1]) for curve in curves.values()], 0.9))
    high = max(min(ends, MOST_RANGE * low), LEAST_RANGE * low)
    levels, mark = (PLAIN, "v") if ascii_only else (BLOCKS, "•")
    lines = {
        name: _line(curve, min(width, longest), longest, (low, high), levels, mark) for name, curve in curves.items()
    }
    cut = any(float(curve.max()) > high for curve in curves.values())
    return Sparklines(lines, mark, (levels[0], levels[-1]), low, high, cut)


def _mean(summary: StudySummary, variant: VariantSummary) -> NDArray[np.float64]:
    """The mean curve over the runs, as long as the shortest; empty where it is not all of numbers."""
    histories = summary.histories.get(variant.name, {})
    runs = [run.seed for run in variant.runs if run.state in ("finished", "stopped") and run.seed in histories]
    losses = [np.asarray(histories[seed]["validation_loss"], float) for seed in runs]
    if not losses:
        return np.empty(0)
    shortest = min(map(len, losses))
    mean: NDArray[np.float64] = np.mean([loss[:shortest] for loss in losses], axis=0)  # (E,)
    return mean if np.isfinite(mean).all() else np.empty(0)


def _line(
    curve: NDArray[np.float64], cells: int, longest: int, scale: tuple[float, float], levels: str, mark: str
) -> str:
    """A curve in characters; every character stands for as many epochs as in the longest curve."""
    cell = np.arange(len(curve)) * cells // longest  # (E,), the character of every epoch
    low, high = map(math.log, scale)
    drawn = []
    for place in range(int(cell[-1]) + 1):
        share = (math.log(max(float(curve[cell == place].mean()), 1e-9)) - low) / (high - low)
        drawn.append(levels[min(max(math.floor(share * len(levels)), 0), len(levels) - 1)])
    drawn[int(cell[int(curve.argmin())])] = mark
    return "".join(drawn)
