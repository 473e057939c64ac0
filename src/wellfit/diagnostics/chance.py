"""What guessing reaches, and whether a variant got any further."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Final

import numpy as np

from wellfit.diagnostics.observations import TrainedVariant

__all__ = ["barely_below_chance", "hardly_learned", "loss_at_chance"]

_HARDLY: Final = 0.1  # less of the way from chance to a perfect score: the network has hardly learned
_BARELY: Final = 0.8  # of the loss at chance


def hardly_learned(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> bool:
    """Whether training accuracy ends closer to chance than to the best variant's.

    If all variants fail: less than a tenth of the way from chance to a perfect score. A variant with class weights
    trades accuracy for recall, so its accuracy does not tell.

    Args:
      variant: the one to judge.
      variants: of the study.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> from wellfit.base import Recipe
      >>> hardly_learned(TrainedVariant("a", Recipe(), {}, {}, {}), (), 0.1)
      False
    """
    if variant.recipe.class_weights:
        return False
    best = max((v.score("train_accuracy") for v in variants if v.sound), default=chance)
    return variant.score("train_accuracy") <= max((chance + best) / 2, chance + _HARDLY * (1 - chance))


def barely_below_chance(variant: TrainedVariant, chance: float) -> bool:
    """Whether the mean training loss ends above 80 % of the loss at chance; not with noisy labels or class weights.

    Args:
      variant: the one to judge.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> from wellfit.base import History, Recipe
      >>> runs = {0: History({"train_loss": np.array([2.3, 2.1])})}
      >>> barely_below_chance(TrainedVariant("a", Recipe(), runs, {0: "finished"}, {}), 0.1)
      True
    """
    losses = [float(column[-1]) for column in variant.column("train_loss")]
    if not losses or variant.recipe.label_noise or variant.recipe.class_weights:
        return False
    return float(np.mean(losses)) > _BARELY * loss_at_chance(chance)


def loss_at_chance(chance: float) -> float:
    """The cross-entropy of predicting the class frequencies, in nats, when only the largest frequency is known.

    It is ``-log(chance)`` for balanced classes. If one class has more than half of the examples, it is at least the
    entropy of that class against all others.

    Args:
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> round(loss_at_chance(0.1), 3), round(loss_at_chance(0.985), 3)
      (2.303, 0.078)
    """
    share = min(max(chance, 1e-6), 0.999)
    return -log(share) if share <= 0.5 else -share * log(share) - (1 - share) * log(1 - share)
