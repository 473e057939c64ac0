"""Whether a variant fits too little, and what is to blame: the penalty, dead units, or what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from wellfit.analysis.curves import falling, matrix
from wellfit.analysis.intervals import t_interval
from wellfit.base import Augmentation, Recipe
from wellfit.diagnostics.cases import Case, Seen, adding, largest, mean_text, rate, runs_text, setting
from wellfit.narrative.words import listed

__all__ = ["LONGER", "dead_units", "hardly", "underfits"]

HARDLY: Final = 0.1  # a network has hardly learned that is not so far on its way from chance to perfection
BEHIND: Final = 0.02  # a training accuracy so far below the best variant's validation accuracy: a fit too poor
DEAD: Final = 0.4  # of the relu units; 0 to 30 % are usual in the built-in studies, a tenth of them in trained MLPs
LONGER: Final = "It was still learning, so train longer first"
PENALTIES: Final = ("l1", "l2", "proximal_l1", "weight_decay", "dropout", "label_smoothing", "max_norm")


def hardly(seen: Seen, all_seen: Sequence[Seen], chance: float) -> bool:
    """Whether training accuracy ends nearer to chance than to the best variant's.

    Where all fail: below a tenth of the way from chance to perfection.

    Args:
      seen: the variant.
      all_seen: the study's.
      chance: the accuracy of always answering the most frequent class.

    Example:
      >>> hardly(Seen("a", Recipe(), {}, {}, {}), (), 0.1)
      False
    """
    best = max((s.score("train_accuracy") for s in all_seen if s.sound), default=chance)
    return seen.score("train_accuracy") <= max((chance + best) / 2, chance + HARDLY * (1 - chance))


def underfits(seen: Seen, all_seen: Sequence[Seen], chance: float) -> Case | None:
    """A training accuracy near chance, or surely below what the best variant reaches on examples it never saw.

    The second: the upper end of the 95 % t interval of training accuracy lies more than 2 points below the highest mean
    validation accuracy of the study; with one seed, 5 points. Noisy labels are no evidence of a poor fit, and such
    variants are left out. If the same recipe with less regularization fits better, or if no variant without
    regularization is there, the penalty is to blame (``penalty-too-strong``).

    Args:
      seen: the variant.
      all_seen: the study's, with this one.
      chance: as for ``hardly``.

    Example:
      >>> underfits(Seen("a", Recipe(), {}, {}, {}), (), 0.1) is None
      True
    """
    accuracies = list(seen.scores("train_accuracy").values())
    if not accuracies:
        return None
    failed = hardly(seen, all_seen, chance)
    best = max((s for s in all_seen if s.sound), key=lambda s: s.score("validation_accuracy"), default=seen)
    top = best.score("validation_accuracy")
    interval = t_interval(accuracies)
    upper = interval[1] if interval is not None else float(np.mean(accuracies)) + 0.03
    if not failed and (best is seen or seen.recipe.label_noise > 0 or upper >= top - BEHIND):
        return None
    blame, evidence = _penalty(seen, all_seen, failed, chance)
    told = f"training accuracy ends at {mean_text(accuracies)}{evidence}"
    if failed:
        told += f"; always answering the most frequent class gives {100 * chance:.1f} %"
    if best is not seen and not blame:
        told += f"; {best.name} reaches {100 * top:.1f} % on validation examples, which it never saw"
    code = "penalty-too-strong" if blame else "underfitting"
    plural = "are penalized too strongly" if blame else "fit too little"
    fix = blame or _fit_more(seen, all_seen)
    return Case(code, "warning", seen.name, told, fix, top - float(np.mean(accuracies)), plural)


def _strengths(recipe: Recipe) -> dict[str, float]:
    """The regularization that is on, the stronger the larger."""
    on = {k: largest(getattr(recipe, k)) for k in PENALTIES}
    return {k: 1 / v if k == "max_norm" else v for k, v in on.items() if v > 0}


def _bare(recipe: Recipe) -> Recipe:
    plain: Mapping[str, Any] = {k: getattr(Recipe(), k) for k in PENALTIES}
    return replace(recipe, **plain, augmentation=Augmentation(), early_stopping=None, average=None)


def _penalty(seen: Seen, all_seen: Sequence[Seen], failed: bool, chance: float) -> tuple[str, str]:
    """The mend and the evidence where the penalty is to blame; two empty strings where it is not."""
    mine = _strengths(seen.recipe)
    if not mine:
        return "", ""
    accuracy = seen.score("train_accuracy")
    milder = [s for s in all_seen if s is not seen and s.sound and _milder(_strengths(s.recipe), mine)]
    milder = [s for s in milder if _bare(s.recipe) == _bare(seen.recipe)]
    better = max(milder, key=lambda s: s.score("train_accuracy"), default=None)
    free = [s for s in all_seen if s.sound and not _strengths(s.recipe)]
    learned = (
        better is not None
        and better.score("train_accuracy") > accuracy + BEHIND
        and not (failed and hardly(better, all_seen, chance))
    )
    if not learned and not (failed and not free):
        return "", ""
    keys = [k for k in mine if better is None or mine[k] > _strengths(better.recipe).get(k, 0.0)] or list(mine)
    now = listed([f"{k} = {largest(getattr(seen.recipe, k)):g}" for k in keys])
    evidence = f" with {now}"
    if learned and better is not None:
        evidence += f"; penalized less, {better.name} reaches {100 * better.score('train_accuracy'):.1f} %"
    shrunk = seen.column("small_weights")
    if shrunk and (share := float(np.mean([c[-1] for c in shrunk]))) > 0.5:
        evidence += f"; {100 * share:.0f} % of its weights are next to zero"
    return f"Weaken the penalty, now {now}: {_weaker(seen, keys[0], all_seen)}", evidence


def _milder(theirs: Mapping[str, float], mine: Mapping[str, float]) -> bool:
    return theirs != mine and all(mine.get(k, 0.0) >= v for k, v in theirs.items())


def _weaker(seen: Seen, key: str, all_seen: Sequence[Seen]) -> str:
    now = largest(getattr(seen.recipe, key))
    other = {"dropout": now / 2, "label_smoothing": now / 2, "max_norm": 2 * now}.get(key, now / 10)
    return setting(key, other, seen, {s.name: s.recipe for s in all_seen})


def _fit_more(seen: Seen, all_seen: Sequence[Seen]) -> str:
    recipes = {s.name: s.recipe for s in all_seen}
    if falling(matrix(seen.sound.values(), "train_loss"), len(all_seen)) is not None:
        return f"{LONGER}: {setting('epochs', 2 * seen.recipe.epochs, seen, recipes)}"
    if mine := _strengths(seen.recipe):
        return f"Weaken its regularization ({_weaker(seen, next(iter(mine)), all_seen)}), or take a larger network."
    wider = [2 * units for units in seen.recipe.model.hidden]
    larger = f": {adding('twice-as-wide', {'model.hidden': str(wider)})}" if wider else "."
    return f"Try another learning rate, or take a larger network{larger}"


def dead_units(seen: Seen, all_seen: Sequence[Seen]) -> Case | None:
    """Relu units that no example of the training sample makes positive any more: 40 % of them or more at the end.

    Such a unit has no gradient and stays dead. In sound trainings of the built-in studies 0 to 30 % are dead at the end
    (under a tenth in most; convolutions after a few epochs have the most), so the mean over the runs and more than half
    of the runs have to reach 40 %, the share that Karpathy's notes give for a learning rate that is too high.

    Source: CS231n course notes, "Neural networks part 1"; Lu et al. (2020), "Dying ReLU and initialization",
    Commun. Comput. Phys. 28:1671-1706.

    Args:
      seen: the variant.
      all_seen: the study's.

    Example:
      >>> from wellfit.base import History
      >>> runs = {0: History({"dead_units": np.array([0.1, 0.9]), "learning_rate": np.array([0.1, 0.1])})}
      >>> dead_units(Seen("a", Recipe(), runs, {0: "finished"}, {}), ()).fix
      'Lower the learning rate, now 0.1: --set train.learning_rate=0.01'
    """
    columns = seen.column("dead_units")
    ends = [float(column[-1]) for column in columns]
    if not ends or float(np.mean(ends)) < DEAD or 2 * sum(end >= DEAD for end in ends) <= len(ends):
        return None
    first = float(np.mean([column[0] for column in columns]))
    many = runs_text(sum(end >= DEAD for end in ends), len(ends))
    now = rate(seen)
    strong = [k for k in _strengths(seen.recipe) if k in ("l1", "l2", "proximal_l1", "weight_decay")]
    recipes = {s.name: s.recipe for s in all_seen}
    if strong:
        fix = f"If the penalty is not meant to empty the network, weaken it: {_weaker(seen, strong[0], all_seen)}"
    elif now is not None:
        fix = f"Lower the learning rate, now {now:g}: {setting('learning_rate', now / 10, seen, recipes)}"
    else:
        fix = f"Use an activation that cannot die: {adding('leaky', {'model.activation': 'leaky_relu'})}"
    text = (
        f"{mean_text(ends)} of the relu units answer no training example any more, {100 * first:.0f} % after the first "
        f"epoch ({many} at {100 * DEAD:.0f} % or more)"
    )
    return Case("dead-units", "warning", seen.name, text, fix, float(np.mean(ends)), "have many dead units")
