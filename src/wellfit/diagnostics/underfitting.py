"""Whether a variant underfits, and why: the penalty, dead units, or its capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from wellfit.analysis.curves import relative_fall, stacked
from wellfit.analysis.intervals import t_interval
from wellfit.base import Augmentation, Recipe
from wellfit.diagnostics.observations import Observation, TrainedVariant, largest
from wellfit.narrative.options import new_variant_option
from wellfit.narrative.phrases import listed, mean_percent, runs_of

__all__ = ["TRAIN_LONGER", "dead_units", "hardly_learned", "underfitting"]

TRAIN_LONGER: Final = "Train longer first, because it was still learning"
"""How the fix of a variant begins that underfits because its training was short."""

_HARDLY: Final = 0.1  # less of the way from chance to a perfect score: the network has hardly learned
_BEHIND: Final = 0.02  # training accuracy this far below the best variant's validation accuracy: a poor fit
_DEAD: Final = 0.4  # of the ReLU units; 0 to 30 % are usual in the built-in studies, a tenth of them in trained MLPs
_PENALTIES: Final = ("l1", "l2", "proximal_l1", "weight_decay", "dropout", "label_smoothing", "max_norm")


def hardly_learned(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> bool:
    """Whether training accuracy ends closer to chance than to the best variant's.

    If all variants fail: less than a tenth of the way from chance to a perfect score.

    Args:
      variant: the one to judge.
      variants: of the study.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> hardly_learned(TrainedVariant("a", Recipe(), {}, {}, {}), (), 0.1)
      False
    """
    best = max((v.score("train_accuracy") for v in variants if v.sound), default=chance)
    return variant.score("train_accuracy") <= max((chance + best) / 2, chance + _HARDLY * (1 - chance))


def underfitting(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """A training accuracy near chance, or clearly below what the best variant reaches on validation examples.

    "Clearly": the upper end of the 95 % t interval of training accuracy lies more than 2 points below the highest mean
    validation accuracy in the study (5 points with one seed). Variants with noisy labels are left out, because they
    cannot fit well. The penalty is to blame (``penalty-too-strong``) if the same recipe with less regularization fits
    better, or if a variant fails in a study without an unregularized one.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> underfitting(TrainedVariant("a", Recipe(), {}, {}, {}), (), 0.1) is None
      True
    """
    accuracies = list(variant.scores("train_accuracy").values())
    if not accuracies:
        return None
    failed = hardly_learned(variant, variants, chance)
    best = max((v for v in variants if v.sound), key=lambda v: v.score("validation_accuracy"), default=variant)
    top = best.score("validation_accuracy")
    interval = t_interval(accuracies)
    upper = interval[1] if interval is not None else float(np.mean(accuracies)) + 0.03
    if not failed and (best is variant or variant.recipe.label_noise > 0 or upper >= top - _BEHIND):
        return None
    weaken, cause = _penalty(variant, variants, failed, chance)
    evidence = f"training accuracy ends at {mean_percent(accuracies)}{cause}"
    if failed:
        evidence += f"; always predicting the most frequent class gives {100 * chance:.1f} %"
    if best is not variant and not weaken:
        evidence += f"; {best.name} reaches {100 * top:.1f} % on validation examples, which it was not trained on"
    code, claim = ("penalty-too-strong", "had too strong a penalty") if weaken else ("underfitting", "underfit")
    strength = top - float(np.mean(accuracies))
    return Observation(code, "warning", variant.name, claim, evidence, weaken or _fit_more(variant, variants), strength)


def _strengths(recipe: Recipe) -> dict[str, float]:
    """The active regularizers; larger is stronger."""
    active = {k: largest(getattr(recipe, k)) for k in _PENALTIES}
    return {k: 1 / v if k == "max_norm" else v for k, v in active.items() if v > 0}


def _unregularized(recipe: Recipe) -> Recipe:
    plain: Mapping[str, Any] = {k: getattr(Recipe(), k) for k in _PENALTIES}
    return replace(recipe, **plain, augmentation=Augmentation(), early_stopping=None, average=None)


def _penalty(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], failed: bool, chance: float
) -> tuple[str, str]:
    """The fix and the evidence if the penalty is to blame; otherwise two empty strings."""
    mine = _strengths(variant.recipe)
    if not mine:
        return "", ""
    accuracy = variant.score("train_accuracy")
    weaker = [v for v in variants if v is not variant and v.sound and _weaker(_strengths(v.recipe), mine)]
    weaker = [v for v in weaker if _unregularized(v.recipe) == _unregularized(variant.recipe)]
    better = max(weaker, key=lambda v: v.score("train_accuracy"), default=None)
    free = [v for v in variants if v.sound and not _strengths(v.recipe)]
    learned = (
        better is not None
        and better.score("train_accuracy") > accuracy + _BEHIND
        and not (failed and hardly_learned(better, variants, chance))
    )
    if not learned and not (failed and not free):
        return "", ""
    keys = [k for k in mine if better is None or mine[k] > _strengths(better.recipe).get(k, 0.0)] or list(mine)
    now = listed([f"{k} = {largest(getattr(variant.recipe, k)):g}" for k in keys])
    evidence = f" with {now}"
    if learned and better is not None:
        evidence += f"; with less regularization, {better.name} reaches {100 * better.score('train_accuracy'):.1f} %"
    shrunk = variant.column("small_weights")
    if shrunk and (share := float(np.mean([c[-1] for c in shrunk]))) > 0.5:
        evidence += f"; {100 * share:.0f} % of its weights are close to zero"
    return f"Weaken the penalty (now {now}): {_weaken(variant, keys[0], variants)}", evidence


def _weaker(theirs: Mapping[str, float], mine: Mapping[str, float]) -> bool:
    return theirs != mine and all(mine.get(k, 0.0) >= v for k, v in theirs.items())


def _weaken(variant: TrainedVariant, key: str, variants: Sequence[TrainedVariant]) -> str:
    now = largest(getattr(variant.recipe, key))
    other = {"dropout": now / 2, "label_smoothing": now / 2, "max_norm": 2 * now}.get(key, now / 10)
    return variant.option(key, other, variants)


def _fit_more(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> str:
    if relative_fall(stacked(variant.sound.values(), "train_loss"), len(variants)) is not None:
        return f"{TRAIN_LONGER}: {variant.option('epochs', 2 * variant.recipe.epochs, variants)}"
    if mine := _strengths(variant.recipe):
        return f"Weaken its regularization ({_weaken(variant, next(iter(mine)), variants)}), or use a larger network."
    wider = [2 * units for units in variant.recipe.model.hidden]
    larger = f": {new_variant_option('twice-as-wide', {'model.hidden': str(wider)})}" if wider else "."
    return f"Try another learning rate, or use a larger network{larger}"


def dead_units(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> Observation | None:
    """At least 40 % of the ReLU units are 0 for every example of the training sample at the end.

    Such a unit has no gradient and stays dead. In sound trainings of the built-in studies 0 to 30 % are dead at the end
    (less than a tenth in most; convolutions after a few epochs have the most), so the mean over the runs and more than
    half of the runs must reach 40 %, the fraction that Karpathy's notes give for a learning rate that is too high.

    Source: CS231n course notes, "Neural networks part 1"; Lu et al. (2020), "Dying ReLU and initialization",
    Commun. Comput. Phys. 28:1671-1706.

    Args:
      variant: the one to judge.
      variants: of the study.

    Example:
      >>> from wellfit.base import History
      >>> runs = {0: History({"dead_units": np.array([0.1, 0.9]), "learning_rate": np.array([0.1, 0.1])})}
      >>> dead_units(TrainedVariant("a", Recipe(), runs, {0: "finished"}, {}), ()).fix
      'Lower the learning rate (now 0.1): --set train.learning_rate=0.01'
    """
    columns = variant.column("dead_units")
    last = [float(column[-1]) for column in columns]
    many = sum(share >= _DEAD for share in last)
    if not last or float(np.mean(last)) < _DEAD or 2 * many <= len(last):
        return None
    first = float(np.mean([column[0] for column in columns]))
    rate = variant.learning_rate
    penalties = [k for k in _strengths(variant.recipe) if k in ("l1", "l2", "proximal_l1", "weight_decay")]
    if penalties:
        fix = f"If the penalty is not meant to switch units off, weaken it: {_weaken(variant, penalties[0], variants)}"
    elif rate is not None:
        fix = f"Lower the learning rate (now {rate:g}): {variant.option('learning_rate', rate / 10, variants)}"
    else:
        fix = f"Use an activation that cannot die: {new_variant_option('leaky', {'model.activation': 'leaky_relu'})}"
    evidence = (
        f"{mean_percent(last)} of the ReLU units are 0 for every training example, compared with {100 * first:.0f} % "
        f"after the first epoch ({runs_of(many, len(last))} at {100 * _DEAD:.0f} % or more)"
    )
    claim = "ended with many dead ReLU units"
    return Observation("dead-units", "warning", variant.name, claim, evidence, fix, float(np.mean(last)))
