"""What validation prefers: the best variant, the most regularized one that is as good, and gains over the first.

Validation scores vary with the seed and with the finite set of validation examples. Where it is kept which of these
each run classified correctly, variants are compared as on the test set, paired by seed and example. Where only
accuracies are kept, as by version 0.1, the variance due to the examples is bounded from above: the bound is wide where
all seeds share one validation set and vanishes where every seed has its own fold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from wellfit.analysis.comparisons import Scores, holm, paired_components, summarized
from wellfit.analysis.crossed import t_quantile
from wellfit.analysis.settings import DATA_SETTINGS, FlatRecipe, flat_recipes
from wellfit.base import FloatArray, StudySummary, TestRows, VarianceComponents, VariantSummary

__all__ = [
    "REGULARIZERS",
    "ValidationGain",
    "ValidationSet",
    "accuracy_may_choose",
    "best_by_validation",
    "one_standard_error",
    "reads_validation",
    "regularizers",
    "supported_by_validation",
    "validation_components",
    "validation_gains",
]

REGULARIZERS: Final = (
    *("l1", "l2", "proximal_l1", "weight_decay", "max_norm", "dropout", "augmentation", "label_smoothing"),
    *("early_stopping", "average"),
)
"""The settings that regularize, tables by their name."""


_SMALLEST_P: Final = 1e-100


class ValidationSet(NamedTuple):
    """The validation examples behind the scores.

    Args:
      examples: of each seed; 0 if unknown.
      overlap: the share of them that two seeds have in common on average: 1 for one split, 0 for disjoint folds.
    """

    examples: int
    overlap: float = 1.0

    @classmethod
    def of(cls, summary: StudySummary) -> ValidationSet:
        """That of a study."""
        return cls(summary.validation_examples, summary.validation_overlap)

    def variance(self, spread: float) -> float:
        """The variance of a mean over the seeds that the shared examples add to the variation between seeds.

        Each seed's score has the variance ``spread / examples``. Of that, the part that two seeds do not share shows in
        the variation between seeds; the part that they share, ``overlap``, does not.

        Args:
          spread: the variance of the score of one example.

        Example: one split of 100 examples, five disjoint folds, and an unknown number.
          >>> ValidationSet(100).variance(0.09), ValidationSet(100, 0.0).variance(0.09), ValidationSet(0).variance(0.09)
          (0.0009, 0.0, inf)
        """
        return self.overlap * spread / self.examples if self.examples else math.inf


def reads_validation(recipe: FlatRecipe) -> bool:
    """Whether a variant's epoch is chosen on the validation set, which then overrates it.

    Example:
      >>> reads_validation({"l2": 0.1, "early_stopping": None}), reads_validation({"early_stopping.patience": 3})
      (False, True)
    """
    return any(key.split(".")[0] == "early_stopping" and value is not None for key, value in recipe.items())


def accuracy_may_choose(summary: StudySummary) -> bool:
    """Whether validation accuracy, which is kept of every run, can choose a variant.

    It cannot where it hides the recall of rare classes, nor where probabilities are judged: label smoothing, for
    example, may raise the accuracy and the log loss.
    """
    hidden = any(finding.code == "accuracy-hides-recall" for finding in summary.findings)
    return not hidden and summary.metric not in ("log_loss", "brier")


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


def one_standard_error(
    strengths: FloatArray, variants: Sequence[VariantSummary], chosen: int, validation: ValidationSet
) -> int:
    """The position of the most regularized variant within one standard error of the best; see ``paths.sweep_paths``.

    The standard error of the best mean has both sources of chance: the seeds, and the validation examples that the
    seeds share. If their number is unknown, the seeds alone count.

    Args:
      strengths: how strongly each variant is regularized, in any unit.  # (P,)
      variants: those of the path.
      chosen: the position from ``best_by_validation``.
      validation: the examples behind the scores.
    """
    scores, mean = np.array(_scores(variants[chosen])), variants[chosen].mean["validation_accuracy"]  # (S,)
    of_examples = validation.variance(mean * (1 - mean)) if validation.examples else 0.0
    bound = mean - math.sqrt(float(scores.var(ddof=1)) / len(scores) + of_examples) - 1e-12
    within = [i for i, v in enumerate(variants) if _eligible(v) and v.mean["validation_accuracy"] >= bound]
    return max(within, key=lambda i: strengths[i])


# --- All against the first --------------------------------------------------------------------------------------------


class ValidationGain(NamedTuple):
    """A variant compared with the first by validation accuracy, paired by seed.

    Args:
      variant: the variant.
      difference: its mean over the seeds minus that of the first variant.
      interval: 95 %, over seeds and validation examples, clipped to [-1, 1]; None with two seeds, which cannot tell, or
        if the number of validation examples is unknown.
      p: two-sided, after Holm's correction; None if all answers are identical, and where only accuracies are kept if
        all differences are equal, which few seeds cannot judge, or if the number of validation examples is unknown.
    """

    variant: VariantSummary
    difference: float
    interval: tuple[float, float] | None
    p: float | None

    @property
    def significant(self) -> bool:
        """Whether the variant is better than the first beyond chance."""
        return self.p is not None and self.p < 0.05 and self.difference > 0


def validation_gains(summary: StudySummary) -> list[ValidationGain]:
    """Every variant that can be compared with the first by validation: all runs ended well, on the same data.

    A variant whose epoch was chosen on the validation set is not compared on it: its score is the best of many.

    With ``summary.validation``, interval and p-value are those of ``crossed.half_squared`` and ``crossed.p_value``.
    Without, the variance of a mean difference ``d`` has two parts: ``V_seed = var(d_s) / S`` over the seeds, with
    ``S - 1`` degrees of freedom, and that of the n examples that seeds share. Two variants with the error rates ``e1``
    and ``e2`` disagree on at most a share ``e1 + e2`` of the examples, so the second part is at most
    ``overlap * (e1 + e2 - d**2) / n``; this bound is used. The interval is
    ``d +- sqrt(t(S - 1)**2 * V_seed + z**2 * V_examples)``, and the p-value the level at which it ends at 0. Holm's
    correction covers the variants.

    Returns:
      The best first; ties go to the lower validation loss, then to the earlier variant. Empty with one seed.
    """
    complete = _comparable(summary)
    reference = {run.seed: run.validation_accuracy or 0.0 for run in summary.variants[0].runs}
    estimates = []
    for variant in complete:
        pairs = [(reference[run.seed], run.validation_accuracy or 0.0) for run in variant.runs]
        components = summary.validation.get(variant.name)
        if components is None:
            estimates.append(_bounded(pairs, ValidationSet.of(summary)))
        else:
            estimates.append(_measured(components, pairs))
    p_values = holm([p for _, _, p in estimates])
    gains = [
        ValidationGain(variant, round(difference, 12), interval, p)
        for variant, (difference, interval, _), p in zip(complete, estimates, p_values, strict=True)
    ]
    return sorted(gains, key=lambda gain: (-gain.difference, gain.variant.mean.get("validation_loss", math.inf)))


def supported_by_validation(summary: StudySummary) -> VariantSummary | None:
    """The variant that validation supports: the best that is better than the first beyond chance, else the first.

    Returns:
      The variant whose networks are the study's model; None if no run has ended well.
    """
    if not any("validation_accuracy" in variant.mean for variant in summary.variants):
        return None
    gains = validation_gains(summary) if accuracy_may_choose(summary) else []
    return next((gain.variant for gain in gains if gain.significant), summary.variants[0])


def validation_components(summary: StudySummary, right: Scores, examples: TestRows) -> dict[str, VarianceComponents]:
    """The differences from the first variant of those that validation can compare, where all answers are kept.

    Args:
      summary: the study.
      right: variant -> seed -> whether each validation example was classified correctly.  # (v,)
      examples: which examples these are, by numbers that are the same for all seeds.

    Returns:
      By variant; pooled over the study like comparisons on the test set.
    """
    names = [summary.variants[0].name, *(variant.name for variant in _comparable(summary))]
    kept = [
        name
        for name in names
        if right.get(name, {}).keys() == set(summary.seeds) and all(len(of) > 1 for of in right[name].values())
    ]  # of a single example nothing can be said
    if len(kept) < 2 or kept[0] != names[0]:
        return {}
    found = paired_components(right, [(name, names[0]) for name in kept[1:]], examples)
    return {name: components for (name, _), components in found.items()}


def _comparable(summary: StudySummary) -> list[VariantSummary]:
    """The variants that validation can compare with the first."""
    first, *others = summary.variants
    flat = flat_recipes(summary)
    if not _complete(first) or len(first.runs) < 2 or reads_validation(flat[first.name]):
        return []
    fair = [v for v in others if not reads_validation(flat[v.name])]
    same = [v for v in fair if all(flat[v.name].get(k) == flat[first.name].get(k) for k in DATA_SETTINGS)]
    seeds = {run.seed for run in first.runs}
    return [v for v in same if _complete(v) and {run.seed for run in v.runs} == seeds]


Estimate: TypeAlias = tuple[float, tuple[float, float] | None, float | None]
"""A mean difference of paired accuracies, its interval and its p-value."""


def _measured(components: VarianceComponents, pairs: Sequence[tuple[float, float]]) -> Estimate:
    """From how the differences vary with seeds and examples; their mean is that of the runs' own accuracies."""
    before, after = np.array(pairs).T  # (S,) each
    found = summarized(components._replace(mean=float((after - before).mean())))
    identical = components.seed == components.examples == 0 == found.difference  # in every answer: no question
    return found.difference, None if components.seeds == 2 else found.interval, None if identical else found.p_value


def _bounded(pairs: Sequence[tuple[float, float]], validation: ValidationSet) -> Estimate:
    """From the accuracies alone."""
    before, after = np.array(pairs).T  # (S,) each
    differences = after - before  # (S,)
    mean, seeds = float(differences.mean()), len(differences)
    if not validation.examples:
        return mean, None, None
    disagree = max(2 - float(before.mean() + after.mean()), 2 / (validation.examples + 2))
    of_seeds = float(differences.var(ddof=1)) / seeds
    of_examples = validation.variance(max(disagree - mean**2, 0.0))
    half = math.sqrt(_half_squared(of_seeds, of_examples, seeds, 0.05))
    interval = None if seeds == 2 else (max(mean - half, -1.0), min(mean + half, 1.0))
    return mean, interval, None if np.ptp(differences) < 1e-9 else _p_value(mean, of_seeds, of_examples, seeds)


def _half_squared(of_seeds: float, of_examples: float, seeds: int, alpha: float) -> float:
    """The squared half-width of an interval: a quantile for each source of chance."""
    return t_quantile(seeds - 1, alpha) ** 2 * of_seeds + t_quantile(math.inf, alpha) ** 2 * of_examples


def _p_value(mean: float, of_seeds: float, of_examples: float, seeds: int) -> float:
    """The level at which the interval ends at 0."""
    from scipy.optimize import brentq

    def excess(log_alpha: float) -> float:
        return _half_squared(of_seeds, of_examples, seeds, math.exp(log_alpha)) - mean**2

    smallest = math.log(_SMALLEST_P)
    if mean == 0:
        return 1.0
    return _SMALLEST_P if excess(smallest) <= 0 else math.exp(brentq(excess, smallest, 0.0, xtol=1e-12))


def _complete(variant: VariantSummary) -> bool:
    """Whether all of its runs ended well."""
    return bool(variant.runs) and all(run.validation_accuracy is not None for run in variant.runs)


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
