"""Learning curves as one line of text each: the mean validation loss of every variant on its own scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import StudySummary, VariantSummary

__all__ = ["Sparklines", "rising", "validation_sparklines"]

BLOCKS: Final = "▁▂▃▄▅▆▇█"
PLAIN: Final = ".:-=+*#@"  # for encodings without blocks: the higher, the darker
LEAST_RANGE: Final = 1.25  # highest over lowest loss: on a smaller scale, noise would look like mountains


class Sparklines(NamedTuple):
    """Curves as text.

    Args:
      lines: variant -> its curve, one character per epoch, or per several epochs if there are too many.
      mark: the character at the lowest epoch, in place of its height.
    """

    lines: Mapping[str, str]
    mark: str

    @property
    def legend(self) -> str:
        """A sentence on what the curves show."""
        return (
            f"Curves: validation loss by epoch, mean over the seeds, lowest at {self.mark}. Each has a logarithmic "
            "scale of its own, with the first character clipped, so compare shapes, not heights."
        )


def validation_sparklines(summary: StudySummary, width: int = 16, *, ascii_only: bool = False) -> Sparklines | None:
    """The mean validation loss of every variant, epoch by epoch.

    A curve is the mean over the runs that ended without diverging, as long as the shortest of them, so that no run that
    ends makes it jump. Each has its own logarithmic scale, from its lowest loss to the highest after the first
    character, and at least to 25 % above the lowest; on a common scale, or with the drop in the first epochs, most
    curves would look flat.

    Args:
      width: of a curve, at most, in characters.
      ascii_only: whether to use only characters that every encoding has.

    Returns:
      The curves; None if no variant has two epochs.

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
    levels, mark = (PLAIN, "v") if ascii_only else (BLOCKS, "•")
    lines = {name: _line(curve, min(width, longest), longest, levels, mark) for name, curve in curves.items()}
    return Sparklines(lines, mark)


def _mean(summary: StudySummary, variant: VariantSummary) -> NDArray[np.float64]:
    """The mean curve over the runs, as long as the shortest; empty if a value is not finite."""
    histories = summary.histories.get(variant.name, {})
    runs = [run.seed for run in variant.runs if run.state in ("finished", "stopped") and run.seed in histories]
    losses = [np.asarray(histories[seed]["validation_loss"], float) for seed in runs]
    if not losses:
        return np.empty(0)
    shortest = min(map(len, losses))
    mean: NDArray[np.float64] = np.mean([loss[:shortest] for loss in losses], axis=0)  # (E,)
    return mean if np.isfinite(mean).all() else np.empty(0)


def _line(curve: NDArray[np.float64], cells: int, longest: int, levels: str, mark: str) -> str:
    """A curve in characters; each covers as many epochs as in the longest curve."""
    cell = np.arange(len(curve)) * cells // longest  # (E,) position of every epoch's character
    lowest = int(cell[int(curve.argmin())])
    curve = np.log(np.maximum(curve, 1e-9))  # (E,) a loss may reach 0
    means = np.bincount(cell, curve) / np.bincount(cell)  # (characters,)
    low = float(curve.min())
    shares = (means - low) / max(float(means[1:].max(initial=low)) - low, math.log(LEAST_RANGE))  # (characters,)
    drawn = [levels[min(int(share * len(levels)), len(levels) - 1)] for share in shares]
    drawn[lowest] = mark
    return "".join(drawn)


def rising(values: Sequence[float], cells: int, *, ascii_only: bool = False) -> str:
    """A curve of a metric that rises while a network learns, on its own scale.

    The first of four or more characters is clipped: with it, the rest would look flat.

    Args:
      values: by epoch, all finite.
      cells: characters, at most.

    Example:
      >>> rising([0.1, 0.6, 0.8, 0.8, 0.9, 0.9], 3), rising([0.5], 3), rising([], 3)
      ('▁▇█', '▁', '')
    """
    if not values or cells < 1:
        return ""
    levels = PLAIN if ascii_only else BLOCKS
    cell = np.arange(len(values)) * min(cells, len(values)) // len(values)  # (E,)
    means = np.bincount(cell, np.asarray(values)) / np.bincount(cell)  # (characters,)
    low, high = float(means[len(means) > 3 :].min()), float(means.max())
    shares = np.maximum(means - low, 0.0) / (high - low or 1.0)
    return "".join(levels[min(int(share * len(levels)), len(levels) - 1)] for share in shares)
