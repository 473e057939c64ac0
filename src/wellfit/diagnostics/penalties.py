"""Whether a penalty keeps a variant from learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt
from typing import Any, Final

import numpy as np

from wellfit.base import Augmentation, History, Recipe
from wellfit.diagnostics.chance import hardly_learned, loss_at_chance
from wellfit.diagnostics.observations import Observation, TrainedVariant, largest
from wellfit.diagnostics.remedies import rounded
from wellfit.narrative.phrases import listed, mean_percent

__all__ = ["active_strengths", "penalty_beaten", "penalty_dominates", "weakened"]

BEHIND: Final = 0.02  # training accuracy this far below another: a poor fit
_PULL: Final = 0.2  # of the gradient in the first epoch; an L2 of 0.001 has 1 to 2 % of it
_GENTLE: Final = 0.1  # of the loss at chance: a penalty to aim at
_SHRINKING: Final = ("l1", "l2", "proximal_l1", "weight_decay")
_PENALTIES: Final = (*_SHRINKING, "dropout", "label_smoothing", "max_norm")


def active_strengths(recipe: Recipe) -> dict[str, float]:
    """The active regularizers; larger is stronger.

    Example:
      >>> active_strengths(Recipe(l2=0.1, max_norm=4.0))
      {'l2': 0.1, 'max_norm': 0.25}
    """
    active = {k: largest(getattr(recipe, k)) for k in _PENALTIES}
    return {k: 1 / v if k == "max_norm" else v for k, v in active.items() if v > 0}


def penalty_beaten(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """A variant that fits worse than the same recipe with less regularization, by 2 points of training accuracy.

    Args:
      variant: the one to judge; it fits poorly.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> penalty_beaten(TrainedVariant("a", Recipe(), {}, {}, {}), (), 0.1) is None
      True
    """
    mine = active_strengths(variant.recipe)
    better = _weaker_that_learned(variant, variants, mine, chance)
    if better is None:
        return None
    theirs = active_strengths(better.recipe)
    keys = [k for k in mine if mine[k] > theirs.get(k, 0.0)] or list(mine)
    cause = f"; with less regularization, {better.name} reaches {100 * better.score('train_accuracy'):.1f} %"
    fix = weakened(variant, keys[0], variants, chance, better)
    return _observation(variant, variants, keys, cause, fix, chance)


def penalty_dominates(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """A penalty that has at least a fifth of the gradient in the first epoch, or that collapses the weights.

    By Euler's theorem the gradient of the penalties is at least ``(l1 part + 2 * l2 part) / |w|`` long. It is compared
    with the whole gradient in the first epoch only: at a minimum, both parts are equal whatever the strength, and a
    learning rate that is too high inflates the weights, and so the penalty, later. Penalties that are no part of the
    loss (proximal L1, weight decay) are seen by the weights: most of them close to zero, or half of their norm gone.
    Dropout, label smoothing and max-norm leave no such trace, so they are never blamed without another variant.

    Args:
      variant: the one to judge; it fits poorly.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> columns = {"penalty": 40.0, "weight_norm": 8.0, "gradient_norm": 14.0, "train_accuracy": 0.1}
      >>> runs = {0: History({name: np.array([value] * 2) for name, value in columns.items()})}
      >>> strong = TrainedVariant("a", Recipe(l2=1.0), runs, {0: "finished"}, {})
      >>> penalty_dominates(strong, [strong], 0.1).fix
      'Weaken the penalty (now l2 = 1): --set train.l2=0.01'
    """
    keys = [k for k in active_strengths(variant.recipe) if k in _SHRINKING]
    runs = list(variant.sound.values())
    if not keys or not runs:
        return None
    pulls = [pull for run in runs if (pull := _pull(variant.recipe, run)) is not None]
    if pulls and float(np.mean(pulls)) >= _PULL:
        cause = f"; the penalty has at least {100 * float(np.mean(pulls)):.0f} % of the gradient in the first epoch"
    elif {"proximal_l1", "weight_decay"} & set(keys) and _collapsed(runs):
        cause = ""
    else:
        return None
    return _observation(variant, variants, keys, cause, weakened(variant, keys[0], variants, chance), chance)


def weakened(
    variant: TrainedVariant,
    key: str,
    variants: Sequence[TrainedVariant],
    chance: float,
    better: TrainedVariant | None = None,
) -> str:
    """The option that weakens a regularizer.

    To the value of a variant that learned, if it has one. Otherwise l1 and l2 so that the penalty of the first epoch
    becomes a tenth of the loss at chance; shares halve, a bound doubles, and other strengths become a tenth.

    Args:
      variant: the one to change.
      key: of the regularizer.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.
      better: the same recipe with less regularization, if there is one that learned.

    Example:
      >>> a = TrainedVariant("a", Recipe(dropout=0.8), {}, {}, {})
      >>> weakened(a, "dropout", [a], 0.1)
      '--set train.dropout=0.4'
    """
    now = largest(getattr(variant.recipe, key))
    worked = largest(getattr(better.recipe, key)) if better is not None else 0.0
    if worked > 0:
        return variant.option(key, worked, variants)
    other = {"dropout": now / 2, "label_smoothing": now / 2, "max_norm": 2 * now}.get(key)
    if other is None:
        other = rounded(now / max(3.0, _excess(variant, chance) / _GENTLE)) if key in ("l1", "l2") else now / 10
    return variant.option(key, other, variants)


def _excess(variant: TrainedVariant, chance: float) -> float:
    """The penalty of the first epoch in units of the loss at chance; 1 if it was not recorded."""
    running, penalty = variant.column("running_loss"), variant.column("penalty")
    if not penalty:
        return 1.0
    at_chance = loss_at_chance(chance)
    during = [float(c[0]) - at_chance for c in running if np.isfinite(c[0])]  # the penalty shrinks within the epoch
    after = [float(c[0]) for c in penalty if np.isfinite(c[0])]
    return max(float(np.mean(during)) if during else 0.0, float(np.mean(after)) if after else 0.0) / at_chance


def _pull(recipe: Recipe, run: History) -> float | None:
    """The least share that the penalty has of the gradient in the first epoch; None if it was not recorded."""
    if not {"penalty", "weight_norm", "gradient_norm"} <= set(run.columns):
        return None
    penalty, weights, gradient = (float(run[name][0]) for name in ("penalty", "weight_norm", "gradient_norm"))
    if not (np.isfinite([penalty, weights, gradient]).all() and weights > 0 and gradient > 0):
        return None
    l1, l2 = recipe.l1, recipe.l2
    if not l1 and isinstance(l2, float) and l2 > 0:  # exact, and not diluted by kernels without a penalty
        return 2 * sqrt(l2 * penalty) / gradient
    return (1 if l1 else 2) * penalty / weights / gradient


def _collapsed(runs: Sequence[History]) -> bool:
    small = [float(run["small_weights"][-1]) for run in runs if "small_weights" in run.columns]
    norms = [run["weight_norm"] for run in runs if "weight_norm" in run.columns]
    shrunk = [float(norm[-1]) < 0.5 * float(norm[0]) for norm in norms]
    return (bool(small) and float(np.mean(small)) > 0.5) or (bool(shrunk) and 2 * sum(shrunk) > len(shrunk))


def _observation(
    variant: TrainedVariant,
    variants: Sequence[TrainedVariant],
    keys: Sequence[str],
    cause: str,
    option: str,
    chance: float,
) -> Observation:
    accuracies = list(variant.scores("train_accuracy").values())
    now = listed([f"{k} = {largest(getattr(variant.recipe, k)):g}" for k in keys])
    evidence = f"training accuracy ends at {mean_percent(accuracies)} with {now}{cause}"
    shrunk = variant.column("small_weights")
    if shrunk and (share := float(np.mean([c[-1] for c in shrunk]))) > 0.5:
        evidence += f"; {100 * share:.0f} % of its weights are close to zero"
    if hardly_learned(variant, variants, chance):
        evidence += f"; always predicting the most frequent class gives {100 * chance:.1f} %"
    top = max(v.score("validation_accuracy") for v in (*variants, variant) if v.sound)
    penalty = set(keys) <= set(_SHRINKING)  # dropout, label smoothing and max-norm are none
    what = "penalty" if penalty else "regularization"
    claim = "had too strong a penalty" if penalty else "had too much regularization"
    fix, strength = f"Weaken the {what} (now {now}): {option}", top - float(np.mean(accuracies))
    return Observation("penalty-too-strong", "warning", variant.name, claim, evidence, fix, strength)


def _weaker_that_learned(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], mine: Mapping[str, float], chance: float
) -> TrainedVariant | None:
    weaker = [v for v in variants if v is not variant and v.sound and _weaker(active_strengths(v.recipe), mine)]
    weaker = [v for v in weaker if _unregularized(v.recipe) == _unregularized(variant.recipe)]
    better = max(weaker, key=lambda v: v.score("train_accuracy"), default=None)
    if better is None or better.score("train_accuracy") <= variant.score("train_accuracy") + BEHIND:
        return None
    failed = hardly_learned(variant, variants, chance) and hardly_learned(better, variants, chance)
    return None if failed else better


def _weaker(theirs: Mapping[str, float], mine: Mapping[str, float]) -> bool:
    return theirs != mine and all(mine.get(k, 0.0) >= v for k, v in theirs.items())


def _unregularized(recipe: Recipe) -> Recipe:
    plain: Mapping[str, Any] = {k: getattr(Recipe(), k) for k in _PENALTIES}
    return replace(recipe, **plain, augmentation=Augmentation(), early_stopping=None, average=None)
