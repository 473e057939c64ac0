"""What validation prefers: the best variant, the most regularized one that is as good, and gains over the first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from wellfit.analysis.comparisons import holm
from wellfit.analysis.intervals import t_interval
from wellfit.analysis.paired import paired_t
from wellfit.analysis.settings import DATA_SETTINGS, flat_recipes
from wellfit.base import FloatArray, StudySummary, VariantSummary

__all__ = [
    "REGULARIZERS",
    "ValidationGain",
    "best_by_validation",
    "one_standard_error",
    "regularizers",
    "validation_gains",
]

REGULARIZERS: Final = (
    *("l1", "l2", "proximal_l1", "weight_decay", "max_norm", "dropout", "augmentation", "label_smoothing"),
    *("early_stopping", "average"),
)
"""The settings that regularize, tables by their name."""


# --- One among several ------------------------------------------------------------------------------------------------


def _scores(variant: VariantSummary) -> list[float]:
    return [run.validation_accuracy for run in variant.runs if run.validation_accuracy is not None]


def _eligible(variant: VariantSummary) -> bool:
    """Whether a variant may be chosen: if any run diverged, the mean of the others is not representative."""
    return len(_scores(variant)) >= 2 and all(run.state != "diverged" for run in variant.runs)


def best_by_validation(variants: Sequence[VariantSummary]) -> int | None:
    """The position of the highest mean validation accuracy; ties go to the lower validation loss, then to the first.

    Returns:
      None if no variant has two runs, none of them diverged.

    Example: a variant with a single run cannot be chosen.
      >>> best_by_validation([VariantSummary("l2", {}, 1, (), {}, {}, 0.0, {})]) is None
      True
    """
    eligible = [i for i, v in enumerate(variants) if _eligible(v)]

    def merit(i: int) -> tuple[float, float]:
        loss = variants[i].mean.get("validation_loss", math.inf)
        return round(variants[i].mean["validation_accuracy"], 12), -loss  # equal up to rounding is a tie

    return max(eligible, key=merit, default=None)


def one_standard_error(strengths: FloatArray, variants: Sequence[VariantSummary], chosen: int) -> int:
    """The position of the most regularized variant within one standard error of the best; see ``paths.sweep_paths``.

    Args:
      strengths: how strongly each variant is regularized, in any unit.  # (P,)
      variants: those of the path.
      chosen: the position from ``best_by_validation``.
    """
    scores = np.array(_scores(variants[chosen]))  # (S,)
    bound = variants[chosen].mean["validation_accuracy"] - scores.std(ddof=1) / math.sqrt(len(scores)) - 1e-12
    within = [i for i, v in enumerate(variants) if _eligible(v) and v.mean["validation_accuracy"] >= bound]
    return max(within, key=lambda i: strengths[i])


# --- All against the first --------------------------------------------------------------------------------------------


class ValidationGain(NamedTuple):
    """A variant compared with the first by validation accuracy, paired by seed.

    Args:
      variant: the variant.
      difference: its mean over the seeds minus that of the first variant.
      interval: 95 % over the seeds, clipped to [-1, 1].
      p: two-sided, after Holm's correction; None if all differences are equal, which few seeds cannot judge.
    """

    variant: VariantSummary
    difference: float
    interval: tuple[float, float] | None
    p: float | None

    @property
    def significant(self) -> bool:
        """Whether the variant is better than the first beyond the variation between seeds."""
        return self.p is not None and self.p < 0.05 and self.difference > 0


def validation_gains(summary: StudySummary) -> list[ValidationGain]:
    """Every variant that can be compared with the first by validation: all runs ended well, on the same data.

    Student's paired t test over the seeds, with Holm's correction over the variants. It accounts for the variation
    between seeds on this validation split.

    Returns:
      The best first; ties go to the lower validation loss, then to the earlier variant. Empty with one seed.
    """
    first, *others = summary.variants
    if not _complete(first) or len(first.runs) < 2:
        return []
    flat = flat_recipes(summary)
    same = [v for v in others if all(flat[v.name].get(k) == flat[first.name].get(k) for k in DATA_SETTINGS)]
    reference = {run.seed: run.validation_accuracy or 0.0 for run in first.runs}
    complete = [v for v in same if _complete(v) and {run.seed for run in v.runs} == reference.keys()]
    differences = [[(run.validation_accuracy or 0.0) - reference[run.seed] for run in v.runs] for v in complete]
    p_values = holm([None if np.ptp(d) < 1e-9 else paired_t(d) for d in differences])
    gains = [
        ValidationGain(variant, round(float(np.mean(d)), 12), _clipped(t_interval(d)), p)
        for variant, d, p in zip(complete, differences, p_values, strict=True)
    ]
    return sorted(gains, key=lambda gain: (-gain.difference, gain.variant.mean.get("validation_loss", math.inf)))


def _complete(variant: VariantSummary) -> bool:
    """Whether all of its runs ended well."""
    return bool(variant.runs) and all(run.validation_accuracy is not None for run in variant.runs)


def _clipped(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """An interval clipped to the range of accuracy differences: with two seeds it is wide."""
    return interval and (max(interval[0], -1.0), min(interval[1], 1.0))


def regularizers(summary: StudySummary, name: str) -> tuple[str, ...]:
    """The regularizers by which a variant differs from the first.

    Args:
      summary: the study.
      name: of one of its variants.

    Returns:
      Names from ``REGULARIZERS``; empty if the variant differs in anything else, or not at all.
    """
    flat = flat_recipes(summary)
    mine, reference = flat[name], flat[summary.variants[0].name]
    changed = [key for key in mine.keys() | reference.keys() if mine.get(key) != reference.get(key)]
    kinds = sorted({key.split(".")[0] for key in changed})
    return tuple(kinds) if all(kind in REGULARIZERS for kind in kinds) else ()
