"""Learning rates to try: one that worked in the study, or one that fits how far the tried rate is off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import floor, log10
from typing import Final

import numpy as np

from wellfit.base import Recipe
from wellfit.diagnostics.chance import hardly_learned, loss_at_chance
from wellfit.diagnostics.observations import TrainedVariant

__all__ = ["USUAL_RATES", "higher_rate", "lower_rate", "rounded", "usual_rate", "without_rate"]

USUAL_RATES: Final[Mapping[str, float]] = {
    **dict.fromkeys(("sgd", "momentum", "nesterov"), 0.01),
    **dict.fromkeys(("adagrad", "rmsprop", "adam", "adamw", "nadam", "lion"), 0.001),
}
"""The default learning rate of every optimizer (without the optimizers themselves, which would load JAX)."""

_CONVERGED: Final = 0.1  # of the loss at chance: a training loss to aim at
_FASTEST: Final = 3.0  # times the usual rate: no advice goes beyond it without evidence


def usual_rate(recipe: Recipe) -> float:
    """The default learning rate of a recipe's optimizer.

    Example:
      >>> usual_rate(Recipe(optimizer="sgd", learning_rate=5.0))
      0.01
    """
    return USUAL_RATES[recipe.optimizer]


def rounded(value: float) -> float:
    """The nearest of ..., 0.1, 0.3, 1, 3, 10, ... on a logarithmic scale.

    Example:
      >>> rounded(0.0138), rounded(2.0), rounded(0.06)
      (0.01, 3.0, 0.1)
    """
    decade = floor(log10(value))
    steps = [float(f"{digit}e{power}") for power in (decade, decade + 1) for digit in (1, 3)]
    return min(steps, key=lambda step: abs(log10(step / value)))


def without_rate(recipe: Recipe) -> Recipe:
    """A recipe without what the learning rate and the number of epochs say, to find recipes that differ in these."""
    return replace(recipe, learning_rate=None, schedule=None, early_stopping=None, average=None, epochs=1)


def lower_rate(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float, factor: float | None = None
) -> str:
    """How to lower a variant's learning rate.

    To the lower rate that did best with the same recipe, if one learned. Otherwise to the rate divided by ``factor``,
    or to the optimizer's usual rate; if that is not lower, to a tenth.

    Args:
      variant: the one to change.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.
      factor: by how much the rate is too high, if that is known.

    Example:
      >>> steep = TrainedVariant("a", Recipe(learning_rate=0.5), {}, {}, {})
      >>> lower_rate(steep, [steep], 0.1)
      'Lower the learning rate (now 0.5): --set train.learning_rate=0.001'
      >>> lower_rate(steep, [steep], 0.1, factor=4)
      'Lower the learning rate (now 0.5): --set train.learning_rate=0.1'
    """
    rate, usual = variant.learning_rate, usual_rate(variant.recipe)
    if rate is None:
        return f"Set a lower learning rate than {usual:g}: {variant.option('learning_rate', usual / 10, variants)}"
    worked = _worked(variant, variants, chance, lambda theirs: theirs < rate)
    if worked is not None:
        return _as_in(worked, variant, variants, f"Lower the learning rate (now {rate:g})")
    target = rounded(rate / factor) if factor else usual if rate > 1.5 * usual else rounded(rate / 10)
    return f"Lower the learning rate (now {rate:g}): {variant.option('learning_rate', target, variants)}"


def higher_rate(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> str:
    """How to raise a variant's learning rate.

    To the higher rate that did best with the same recipe, if one learned. Otherwise by twice the ratio of the way left,
    to a tenth of the loss at chance, to the way made, at least threefold, and not far above the optimizer's usual rate.

    Args:
      variant: the one to change.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> from wellfit.base import History
      >>> runs = {0: History({"train_loss": np.linspace(2.3, 2.2, 10)})}
      >>> slow = TrainedVariant("a", Recipe(optimizer="sgd", learning_rate=1e-4), runs, {0: "finished"}, {})
      >>> higher_rate(slow, [slow], 0.1)
      'Raise the learning rate (now 0.0001): --set train.learning_rate=0.003'
    """
    rate, usual = variant.learning_rate, usual_rate(variant.recipe)
    if rate is None:
        return f"Set a higher learning rate than {usual:g}: {variant.option('learning_rate', 3 * usual, variants)}"
    worked = _worked(variant, variants, chance, lambda theirs: theirs > rate)
    if worked is not None:
        return _as_in(worked, variant, variants, f"Raise the learning rate (now {rate:g})")
    losses = [column for column in variant.column("train_loss") if np.isfinite(column).all()]
    made = float(np.mean([c[0] - c[-1] for c in losses])) if losses else 0.0
    left = float(np.mean([c[-1] for c in losses])) - _CONVERGED * loss_at_chance(chance) if losses else 0.0
    factor = max(3.0, 2 * left / made) if made > 0 else 10.0
    target = rounded(min(rate * factor, max(_FASTEST * usual, 3 * rate)))
    return f"Raise the learning rate (now {rate:g}): {variant.option('learning_rate', target, variants)}"


def _worked(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float, fits: Callable[[float], bool]
) -> TrainedVariant | None:
    """The best variant that differs in the learning rate alone, learned, and ended with a lower training loss."""
    mine = variant.score("train_loss")
    same = [v for v in variants if v.sound and without_rate(v.recipe) == without_rate(variant.recipe)]
    fitting = [v for v in same if v.learning_rate is not None and fits(v.learning_rate)]
    learned = [v for v in fitting if not hardly_learned(v, variants, chance) and not v.score("train_loss") >= mine]
    return max(learned, key=lambda v: v.score("validation_accuracy"), default=None)


def _as_in(worked: TrainedVariant, variant: TrainedVariant, variants: Sequence[TrainedVariant], how: str) -> str:
    option = variant.option("learning_rate", worked.learning_rate or 0.0, variants)
    return f"{how}: {option}" if option.startswith("as in") else f"{how}, as in {worked.name}: {option}"
