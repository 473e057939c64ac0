"""Activation functions that pass no gradient: dead ReLU units, and many saturating layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from wellfit.base import ModelSpec
from wellfit.diagnostics.chance import hardly_learned, loss_at_chance
from wellfit.diagnostics.observations import Observation, TrainedVariant
from wellfit.diagnostics.penalties import active_strengths, weakened
from wellfit.diagnostics.remedies import lower_rate, usual_rate
from wellfit.narrative.options import new_variant_option
from wellfit.narrative.phrases import mean_percent, runs_of

__all__ = ["dead_units", "vanishing"]

_DEAD: Final = 0.4  # of the ReLU units; 0 to 30 % are usual in the built-in studies, a tenth of them in trained MLPs
_DEEP: Final = 3  # sigmoid layers in a row
_PLATEAU: Final = 0.97  # of the loss at chance, for half of the epochs


def dead_units(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """At least 40 % of the ReLU units are 0 for every example of the training sample at the end.

    Such a unit has no gradient and stays dead. In sound trainings of the built-in studies 0 to 30 % are dead at the end
    (less than a tenth in most; convolutions after a few epochs have the most), so the mean over the runs and more than
    half of the runs must reach 40 %, the fraction that Karpathy's notes give for a learning rate that is too high.

    If the rate is above the optimizer's usual one, it killed them, since weights that a penalty shrinks to zero are
    ``penalty-too-strong`` first. Otherwise an activation that cannot die is the remedy.

    Source: CS231n course notes, "Neural networks part 1"; Lu et al. (2020), "Dying ReLU and initialization",
    Commun. Comput. Phys. 28:1671-1706.

    Args:
      variant: the one to judge.
      variants: of the study.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> from wellfit.base import History, Recipe
      >>> runs = {0: History({"dead_units": np.array([0.1, 0.9]), "train_loss": np.array([2.3, 2.3])})}
      >>> dead_units(TrainedVariant("a", Recipe(learning_rate=0.1), runs, {0: "finished"}, {}), (), 0.1).fix
      'Lower the learning rate (now 0.1): --set train.learning_rate=0.001'
    """
    columns = variant.column("dead_units")
    last = [float(column[-1]) for column in columns]
    many = sum(share >= _DEAD for share in last)
    if not last or float(np.mean(last)) < _DEAD or 2 * many <= len(last):
        return None
    first = float(np.mean([column[0] for column in columns]))
    rate = variant.learning_rate
    penalties = [k for k in active_strengths(variant.recipe) if k in ("l1", "l2", "proximal_l1", "weight_decay")]
    if rate is not None and rate > 2 * usual_rate(variant.recipe):
        fix = lower_rate(variant, variants, chance)
    elif penalties:
        option = weakened(variant, penalties[0], variants, chance)
        fix = f"If the penalty is not meant to switch units off, weaken it: {option}"
    else:
        fix = f"Use an activation that cannot die: {new_variant_option('leaky', {'model.activation': 'leaky_relu'})}"
    evidence = (
        f"{mean_percent(last)} of the ReLU units are 0 for every training example, compared with {100 * first:.0f} % "
        f"after the first epoch ({runs_of(many, len(last))} at {100 * _DEAD:.0f} % or more)"
    )
    claim = "ended with many dead ReLU units"
    return Observation("dead-units", "warning", variant.name, claim, evidence, fix, float(np.mean(last)))


def vanishing(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """Three sigmoid layers or more in a row, without batch normalization, on a plateau at the loss at chance.

    The derivative of a sigmoid is at most 1/4, so each layer passes at most a quarter of the gradient, times its
    weights. The plateau: training accuracy ends near chance, or the training loss was above 97 % of the loss at chance
    for half of the epochs, and the same architecture did not learn in any other variant.

    Source: Glorot & Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> from wellfit.base import History, Recipe
      >>> deep = Recipe(model=ModelSpec(hidden=(16,) * 6, activation="sigmoid"))
      >>> runs = {0: History({"train_loss": np.full(8, 2.3), "train_accuracy": np.full(8, 0.1)})}
      >>> vanishing(TrainedVariant("a", deep, runs, {0: "finished"}, {}), (), 0.1).fix
      'Use relu, or batch normalization: --set "variants.relu.model.activation=relu"'
    """
    layers = _sigmoid_layers(variant.recipe.model)
    losses = [c for c in variant.column("train_loss") if np.isfinite(c).all()]
    if layers < _DEEP or not losses or not _on_plateau(variant, variants, chance):
        return None
    same = [v for v in variants if v is not variant and v.sound and v.recipe.model == variant.recipe.model]
    if any(not _on_plateau(v, variants, chance) for v in same):
        return None
    evidence = (
        f"its {layers} sigmoid layers pass at most (1/4)^{layers} = {0.25**layers:.2g} of the gradient, times the "
        f"weights, to the first; the training loss is {float(np.mean([c[len(c) // 2] for c in losses])):.4g} after "
        f"half of the epochs, and guessing gives {loss_at_chance(chance):.4g}"
    )
    fix = "Use relu in place of sigmoid, or batch normalization"
    if variant.recipe.model.kind == "mlp":
        fix = f"Use relu, or batch normalization: {new_variant_option('relu', {'model.activation': 'relu'})}"
    return Observation(
        code="vanishing-gradients",
        level="warning",
        variant=variant.name,
        claim="stayed at chance because its gradients vanish",
        evidence=evidence,
        fix=fix,
        strength=float(layers),
    )


def _sigmoid_layers(model: ModelSpec) -> int:
    """How many hidden sigmoid layers a model has without batch normalization."""
    if model.kind == "mlp":
        return len(model.hidden) if model.activation == "sigmoid" and not model.batch_norm else 0
    if any(layer.kind == "batch_norm" for layer in model.layers):
        return 0
    return sum(layer.function == "sigmoid" for layer in model.layers)


def _on_plateau(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> bool:
    losses = [c for c in variant.column("train_loss") if np.isfinite(c).all()]
    late = sum(float(c[: len(c) // 2 + 1].min()) > _PLATEAU * loss_at_chance(chance) for c in losses)
    return hardly_learned(variant, variants, chance) or 2 * late > len(losses)
