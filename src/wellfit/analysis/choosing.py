"""What validation prefers among variants: the best of them, and the most regularized that is as good."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from wellfit.base import FloatArray, VariantSummary

__all__ = ["best_of", "one_standard_error"]


def _scores(variant: VariantSummary) -> list[float]:
    return [run.validation_accuracy for run in variant.runs if run.validation_accuracy is not None]


def _eligible(variant: VariantSummary) -> bool:
    """Whether it can be chosen: what is left of a variant whose other runs diverged speaks for nobody."""
    return len(_scores(variant)) >= 2 and all(run.state != "diverged" for run in variant.runs)


def best_of(variants: Sequence[VariantSummary]) -> int | None:
    """The position of the highest mean validation accuracy; of equals, the lowest loss, then the first."""
    eligible = [i for i, v in enumerate(variants) if _eligible(v)]

    def merit(i: int) -> tuple[float, float]:
        loss = variants[i].mean.get("validation_loss", math.inf)
        return round(variants[i].mean["validation_accuracy"], 12), -loss  # equal but for rounding is equal

    return max(eligible, key=merit, default=None)


def one_standard_error(strengths: FloatArray, variants: Sequence[VariantSummary], chosen: int) -> int:
    """The position of the most regularized variant that is within one standard error of the best, see ``sweep_paths``.

    Args:
      strengths: how strongly each variant is regularized, in any unit.  # (P,)
      variants: those of the path.
      chosen: the position that ``best_of`` gives.
    """
    scores = np.array(_scores(variants[chosen]))  # (S,)
    bound = variants[chosen].mean["validation_accuracy"] - scores.std(ddof=1) / math.sqrt(len(scores)) - 1e-12
    within = [i for i, v in enumerate(variants) if _eligible(v) and v.mean["validation_accuracy"] >= bound]
    return max(within, key=lambda i: strengths[i])
