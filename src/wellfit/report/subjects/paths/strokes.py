"""The lines of a path: one look in the still figure, in the interactive one, and in the key below them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wellfit.base import SweepPath

__all__ = ["PATH_STROKES", "Stroke", "path_marks", "path_reference"]


@dataclass(frozen=True)
class Stroke:
    """A line of a figure: what it stands for, the role of its color, its dashes and gaps in widths of the line."""

    said: str
    role: str
    dash: tuple[int, ...] = ()


PATH_STROKES: Final[Mapping[str, Stroke]] = {
    "validation": Stroke("validation", "s1"),
    "test": Stroke("test", "s2", (5, 1, 1, 1)),
    "train": Stroke("training", "s0", (3, 2)),
    "chosen": Stroke("chosen on validation", "muted"),
    "simpler": Stroke("within one standard error", "muted", (4, 2)),
    "reference": Stroke("validation", "muted", (1, 2)),  # of the variant beside the path: it is validation that chooses
}
"""Every line of a path by its name: the splits, the values that are marked, the variant beside it."""


def path_marks(path: SweepPath) -> dict[str, int]:
    """What is marked along a path: ``"chosen"``, and ``"simpler"`` where one standard error allows another value.

    Args:
      path: from ``wellfit.analysis.paths.sweep_paths``.

    Returns:
      Name in `PATH_STROKES` -> position of the value.
    """
    found = {"chosen": path.chosen, "simpler": path.one_standard_error}
    kept = {name: at for name, at in found.items() if at is not None}
    return {name: at for name, at in kept.items() if name == "chosen" or at != path.chosen}


def path_reference(path: SweepPath, metric: str = "accuracy") -> float | None:
    """The validation metric of the variant beside a path; None where there is none.

    Args:
      path: from ``wellfit.analysis.paths.sweep_paths``.
      metric: ``"accuracy"`` or ``"loss"``.
    """
    value = path.reference.get(f"validation_{metric}", (math.nan,))[0]
    return value if path.baseline is not None and math.isfinite(value) else None
