"""Whether a variant underfits and no other cause explains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from wellfit.analysis.curves import relative_fall, stacked
from wellfit.analysis.intervals import t_interval
from wellfit.diagnostics.chance import hardly_learned
from wellfit.diagnostics.observations import Observation, TrainedVariant
from wellfit.diagnostics.penalties import BEHIND, active_strengths, weakened
from wellfit.diagnostics.remedies import rounded, usual_rate
from wellfit.narrative.options import new_variant_option
from wellfit.narrative.phrases import mean_percent

__all__ = ["TRAIN_LONGER", "fits_poorly", "underfitting"]

TRAIN_LONGER: Final = "Train longer first, because it was still learning"
"""How the fix of a variant begins that underfits because its training was short."""


def fits_poorly(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> bool:
    """A training accuracy near chance, or clearly below what the best variant reaches on validation examples.

    "Clearly": the upper end of the 95 % t interval of training accuracy lies more than 2 points below the highest mean
    validation accuracy in the study (5 points with one seed). Noisy labels cannot be fitted well, and class weights
    trade accuracy for recall, so variants with these are left out.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> from wellfit.base import Recipe
      >>> fits_poorly(TrainedVariant("a", Recipe(), {}, {}, {}), (), 0.1)
      False
    """
    accuracies = list(variant.scores("train_accuracy").values())
    if not accuracies:
        return False
    if hardly_learned(variant, variants, chance):
        return True
    best = _best(variant, variants)
    if best is variant or variant.recipe.label_noise > 0 or variant.recipe.class_weights:
        return False
    interval = t_interval(accuracies)
    upper = interval[1] if interval is not None else float(np.mean(accuracies)) + 0.03
    return upper < best.score("validation_accuracy") - BEHIND


def _best(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> TrainedVariant:
    sound = [v for v in variants if v.sound]
    return max(sound, key=lambda v: v.score("validation_accuracy"), default=variant)


def underfitting(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """A poor fit, by ``fits_poorly``, that no other check explains.

    A larger network is the remedy only if this one learned something: at chance, size is not what is missing.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> from wellfit.base import Recipe
      >>> underfitting(TrainedVariant("a", Recipe(), {}, {}, {}), (), 0.1) is None
      True
    """
    if not fits_poorly(variant, variants, chance):
        return None
    accuracies, best = list(variant.scores("train_accuracy").values()), _best(variant, variants)
    failed, top = hardly_learned(variant, variants, chance), best.score("validation_accuracy")
    evidence = f"training accuracy ends at {mean_percent(accuracies)}"
    if failed:
        evidence += f"; always predicting the most frequent class gives {100 * chance:.1f} %"
    if best is not variant:
        evidence += f"; {best.name} reaches {100 * top:.1f} % on validation examples, which it was not trained on"
    fix, strength = _fit_more(variant, variants, chance), top - float(np.mean(accuracies))
    return Observation("underfitting", "warning", variant.name, "underfit", evidence, fix, strength)


def _fit_more(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> str:
    if relative_fall(stacked(variant.sound.values(), "train_loss"), len(variants)) is not None:
        return f"{TRAIN_LONGER}: {variant.option('epochs', 2 * variant.recipe.epochs, variants)}"
    rate = variant.learning_rate or usual_rate(variant.recipe)
    if hardly_learned(variant, (variant,), chance):
        rates = ",".join(f"{rounded(rate * factor):g}" for factor in (0.03, 0.3, 3.0, 30.0))
        return (
            "Nothing here shows why. Check labels and inputs (wellfit audit), then try other learning rates: "
            f"--set 'sweeps.rate.learning_rate=[{rates}]'"
        )
    if mine := active_strengths(variant.recipe):
        option = weakened(variant, next(iter(mine)), variants, chance)
        return f"Weaken its regularization ({option}), or use a larger network."
    wider = [2 * units for units in variant.recipe.model.hidden]
    if not wider:
        return "Use a model with hidden layers, or another learning rate."
    return f"Use a larger network: {new_variant_option('twice-as-wide', {'model.hidden': str(wider)})}"
