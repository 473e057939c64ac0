"""Which variants do better than the first in validation accuracy, seed by seed, and by which kind of regularization."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from wellfit.analysis.comparisons import holm
from wellfit.analysis.intervals import t_interval
from wellfit.analysis.paired import paired_t
from wellfit.analysis.paths import OF_THE_DATA, flat_recipes
from wellfit.base import StudySummary, VariantSummary

__all__ = ["ACTS", "Contest", "contests", "regularizes"]

ACTS: Final = {
    **dict.fromkeys(("l1", "l2", "proximal_l1", "weight_decay", "max_norm"), "on the weights"),
    **dict.fromkeys(("dropout", "augmentation"), "by noise"),
    "label_smoothing": "on the targets",
    **dict.fromkeys(("early_stopping", "average"), "on where training is read"),
}
"""How each kind of regularization acts; two that act differently may add up."""


class Contest(NamedTuple):
    """A variant against the first in validation accuracy, paired by seed.

    Args:
      variant: the variant.
      difference: mean over the seeds, its minus the first's.
      interval: 95 %, over the seeds, within -1 and 1.
      p: two-sided, after Holm's correction; None where all differences are equal, which few seeds cannot judge.
    """

    variant: VariantSummary
    difference: float
    interval: tuple[float, float] | None
    p: float | None

    @property
    def gains(self) -> bool:
        """Whether it is better than the first beyond what chance of the seeds brings."""
        return self.p is not None and self.p < 0.05 and self.difference > 0


def _whole(variant: VariantSummary) -> bool:
    """Whether all of its runs have ended well."""
    return bool(variant.runs) and all(run.validation_accuracy is not None for run in variant.runs)


def contests(summary: StudySummary) -> list[Contest]:
    """Every variant that can be compared with the first: all of its runs ended well, on the same data.

    Student's paired t test over the seeds, with Holm's correction over the variants: the seeds' chance on this
    validation split.

    Args:
      summary: the study.

    Returns:
      The best first; of equals, the one of lower loss, then the earlier. None with one seed.
    """
    first, *others = summary.variants
    if not _whole(first) or len(first.runs) < 2:
        return []
    flat = flat_recipes(summary)
    same = [v for v in others if all(flat[v.name].get(k) == flat[first.name].get(k) for k in OF_THE_DATA)]
    theirs = {run.seed: run.validation_accuracy or 0.0 for run in first.runs}
    whole = [v for v in same if _whole(v) and {run.seed for run in v.runs} == theirs.keys()]
    found = [(v, [(run.validation_accuracy or 0.0) - theirs[run.seed] for run in v.runs]) for v in whole]
    p_values = [None if np.ptp(d) < 1e-9 else paired_t(d) for _, d in found]
    compared = [
        Contest(variant, round(float(np.mean(d)), 12), _possible(t_interval(d)), p)
        for (variant, d), p in zip(found, holm(p_values), strict=True)
    ]
    return sorted(compared, key=lambda c: (-c.difference, c.variant.mean.get("validation_loss", math.inf)))


def _possible(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """An interval cut to what a difference of shares can be: with two seeds it is wide."""
    return interval and (max(interval[0], -1.0), min(interval[1], 1.0))


def regularizes(summary: StudySummary, name: str) -> tuple[str, ...]:
    """The kinds of regularization by which a variant differs from the first.

    Args:
      summary: the study.
      name: of one of its variants.

    Returns:
      Keys of ``ACTS``; empty where it differs otherwise too, or not at all.
    """
    flat = flat_recipes(summary)
    mine, theirs = flat[name], flat[summary.variants[0].name]
    kinds = dict.fromkeys(k.split(".")[0] for k in mine.keys() | theirs.keys() if mine.get(k) != theirs.get(k))
    return tuple(sorted(kinds)) if all(kind in ACTS for kind in kinds) else ()
