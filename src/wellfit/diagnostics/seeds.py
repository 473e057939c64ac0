"""Seeds that disagree, and too few of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np

from wellfit.analysis.curves import relative_fall, stacked
from wellfit.base import Finding
from wellfit.diagnostics.observations import Observation, TrainedVariant
from wellfit.narrative.options import new_variant_option, seeds_option
from wellfit.narrative.phrases import counted, listed, points

__all__ = ["few_seeds", "seeds_disagree"]

_MORE_DEAD: Final = 0.1  # of the ReLU units
_NARROW: Final = 4  # units
_RELEVANT: Final = 0.02  # seeds whose accuracies span less than this do not disagree in any way that matters


def seeds_disagree(variant: TrainedVariant, variants: Sequence[TrainedVariant], validation: int) -> Observation | None:
    """Seeds whose validation accuracies spread much more than the finite set and the other variants explain.

    The explained variance is the larger of two: the variance from drawing the validation examples alone,
    ``p (1 - p) / n`` (if anything too large, since all runs share them), and the median of the other variants'
    variances over the seeds, divided by the median of chi-squared per degree of freedom. The seeds disagree if
    F = variance / explained exceeds the ``1 - 0.01 / V`` quantile of F with S - 1 and (V - 1)(S - 1) degrees of freedom
    (of chi-squared if there is no other variant), and they span at least 2 points. Outliers are the seeds more than
    three explained standard deviations from the median.

    Needs three seeds. Assumes near-normal accuracies in the variants that agree; the median tolerates one half that do
    not. Sources: Fisher (1924) for F; Hampel (1974) for the median as a yardstick; Bouthillier et al. (2021),
    arXiv:2103.03098, for the usual spread of seeds.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      validation: size of the validation set; 0 if unknown.

    Example: one of five seeds fails, in one of two variants.
      >>> from wellfit.base import History, Recipe
      >>> def runs(*accuracies):
      ...     return {s: History({"validation_accuracy": np.array([a])}) for s, a in enumerate(accuracies)}
      >>> states = dict.fromkeys(range(5), "finished")
      >>> calm = TrainedVariant("a", Recipe(), runs(0.9, 0.91, 0.9, 0.89, 0.9), states, {})
      >>> wild = TrainedVariant("b", Recipe(), runs(0.9, 0.91, 0.9, 0.5, 0.9), states, {})
      >>> seeds_disagree(wild, [calm, wild], 1000).evidence.split(";")[0]
      'validation accuracy ranges from 50.0 % to 91.0 % over 5 seeds (seed 3 is an outlier)'
    """
    from scipy.special import chdtri

    scores = variant.scores("validation_accuracy")
    values = np.array(list(scores.values()))  # (S,)
    # A few validation examples more or less are no disagreement.
    if len(values) < 3 or float(np.ptp(values)) < max(_RELEVANT, 3 / validation if validation else 0.0):
        return None
    middle, runs = float(np.median(values)), len(values)
    sampling = middle * (1 - middle) / validation if validation else 0.0
    others = [list(v.scores("validation_accuracy").values()) for v in variants if v is not variant]
    variances = [float(np.var(v, ddof=1)) for v in others if len(v) >= 3]
    ordinary = float(np.median(variances)) / float(chdtri(runs - 1, 0.5) / (runs - 1)) if variances else 0.0
    explained = max(sampling, ordinary)
    variance = float(np.var(values, ddof=1))
    if explained <= 0 and not variances:
        return None
    if variance <= _largest_ratio(runs, len(variances)) * explained:
        return None
    outliers = [s for s, value in scores.items() if abs(value - middle) > 3 * sqrt(explained)]
    usual = (
        f"against {points(sqrt(ordinary))} for the other variants" if variances else "with no other variant to compare"
    )
    evidence = (
        f"validation accuracy ranges from {100 * values.min():.1f} % to {100 * values.max():.1f} % over {runs} seeds "
        f"({_outliers_text(outliers, runs)}); its standard deviation is {points(sqrt(variance))} points, {usual}"
    )
    return Observation(
        code="seeds-disagree",
        level="warning",
        variant=variant.name,
        claim="had seeds that disagree",
        evidence=evidence,
        fix=_make_agree(variant, variants, outliers),
        strength=variance / explained if explained else float("inf"),
    )


def _largest_ratio(runs: int, others: int) -> float:
    """The ratio of variances that chance exceeds in 1 % of studies."""
    from scipy.special import chdtri, fdtri

    if not others:
        return float(chdtri(runs - 1, 0.01)) / (runs - 1)
    return float(fdtri(runs - 1, others * (runs - 1), 1 - 0.01 / (others + 1)))


def _outliers_text(outliers: Sequence[int], runs: int) -> str:
    if not outliers or len(outliers) == runs:
        return "spread over the whole range"
    if len(outliers) == 1:
        return f"seed {outliers[0]} is an outlier"
    return f"seeds {listed([str(s) for s in sorted(outliers)])} are outliers"


def _make_agree(variant: TrainedVariant, variants: Sequence[TrainedVariant], outliers: Sequence[int]) -> str:
    """What sets the outliers apart: short training, dead units, or steps that are too large; otherwise more seeds."""
    complete = len(variant.column("train_loss")) == len(variant.sound)
    if complete and relative_fall(stacked(variant.sound.values(), "train_loss")):
        how = variant.option("epochs", 2 * variant.recipe.epochs, variants)
        return f"Train longer first, because seeds differ most while they are still learning: {how}"
    dead = {s: float(h["dead_units"][-1]) for s, h in variant.sound.items() if "dead_units" in h.columns}
    apart, others = [dead[s] for s in outliers if s in dead], [d for s, d in dead.items() if s not in outliers]
    if apart and others and np.mean(apart) > np.mean(others) + _MORE_DEAD:
        leaky = {"model.activation": "leaky_relu", "model.initializer": "he_normal"}
        return (
            f"The outliers have more dead ReLU units ({100 * float(np.mean(apart)):.0f} % against "
            f"{100 * float(np.mean(others)):.0f} %), so use an activation that cannot die: "
            f"{new_variant_option('leaky', leaky)}"
        )
    hidden = variant.recipe.model.hidden
    if hidden and min(hidden) <= _NARROW:
        wider = [max(4 * units, 16) for units in hidden]
        return (
            "Its layers are so narrow that chance decides which features they start from; use wider ones: "
            f"{new_variant_option('wider', {'model.hidden': str(wider)})}"
        )
    seeds = seeds_option(tuple(variant.states), 2 * len(variant.sound))
    return (
        f"Read its interval, not just its mean: inspect its runs one by one, add seeds ({seeds}), and try a "
        f"lower learning rate or gradient clipping: {new_variant_option('clipped', {'global_clip_norm': '1'})}"
    )


def few_seeds(variants: Sequence[TrainedVariant]) -> Finding | None:
    """One or two seeds; reported once for the study.

    Args:
      variants: of the study.

    Example:
      >>> from wellfit.base import Recipe
      >>> few_seeds([TrainedVariant("a", Recipe(), {}, {0: "pending"}, {})]).message
      'Each variant has 1 seed: with one seed, any difference could be chance, so nothing can be compared.'
    """
    most = max((len(variant.states) for variant in variants), default=0)
    if not 1 <= most <= 2:
        return None
    reason = "with one seed, any difference could be chance, so nothing can be compared"
    reason = reason if most == 1 else "two seeds are too few for useful intervals"
    message = f"Each variant has {counted(most, 'seed')}: {reason}."
    seeds = next(tuple(variant.states) for variant in variants if len(variant.states) == most)
    fix = f"Run five seeds ({seeds_option(seeds, 5)}); finished runs are kept."
    return Finding("few-seeds", "info", message, fix)
