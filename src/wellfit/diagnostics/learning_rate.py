"""Steps that were too large, too small or too few: divergence, the learning rate, and training that was too short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from wellfit.analysis.curves import SHORTEST, relative_fall, rise_after_minimum, stacked
from wellfit.analysis.smoothing import final_level, noise_sd
from wellfit.base import FloatArray, History, Recipe
from wellfit.diagnostics.chance import hardly_learned, loss_at_chance
from wellfit.diagnostics.observations import Observation, TrainedVariant
from wellfit.diagnostics.remedies import higher_rate, lower_rate, usual_rate, without_rate
from wellfit.narrative.phrases import counted, listed, runs_of

__all__ = ["diverged", "rate_too_high", "rate_too_low", "still_improving"]

_RISE: Final = 0.1  # of the running loss, which training minimizes
_UNREST: Final = 0.15  # noise of the running loss between epochs, as a fraction of the loss; 1 % is usual
_RELEVANT: Final = 0.02  # and as a fraction of the loss at chance: below this the loss is close to zero
_WORSE: Final = 1.05  # times the loss at chance: worse than guessing
_STEADY: Final = 0.5  # fall of the training loss in the second half of the epochs over the first; 0.05 is usual
_WITH_IT: Final = 0.1  # fall of the validation loss over that of the training loss, if both learn
_FAR: Final = 0.3  # of the loss at chance: a training loss above this is far from converged


def diverged(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """Runs whose loss became infinite or NaN, with the epoch.

    Args:
      variant: the one to judge.
      variants: of the study.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> diverged(TrainedVariant("a", Recipe(learning_rate=0.5), {}, {3: "diverged"}, {}), (), 0.1).evidence
      'the loss became infinite or NaN in 1 of 1 run (seed 3 in epoch 1)'
    """
    seeds = sorted(s for s, state in variant.states.items() if state == "diverged")
    if not seeds:
        return None
    runs = variant.histories
    places = [f"seed {s} in epoch {_epoch_of_divergence(runs[s]) if s in runs else 1}" for s in seeds]
    more = [] if len(places) <= 6 else [f"{len(places) - 5} more"]
    places = [*places[: 6 - len(more)], *more]
    evidence = f"the loss became infinite or NaN in {runs_of(len(seeds), len(variant.states))} ({listed(places)})"
    fix, strength = lower_rate(variant, variants, chance), len(seeds) / len(variant.states)
    return Observation("diverged", "error", variant.name, "had runs that diverged", evidence, fix, strength)


def _epoch_of_divergence(history: History) -> int:
    """The first epoch with a loss that is not finite, or the one after the last that was recorded."""
    losses = [history[c] for c in ("running_loss", "train_loss", "validation_loss") if c in history.columns]
    broken = ~np.isfinite(np.stack(losses)).all(axis=0) if losses else np.zeros(len(history), bool)  # (E,)
    return int(np.argmax(broken)) + 1 if broken.any() else len(history) + 1


def rate_too_high(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """Steps so large that the loss rises, jumps, or stays where it began, without diverging.

    The evidence is the running loss without the penalty, which has checks of its own. In more than half of the runs

    * it rose for good: ``curves.rise_after_minimum`` with a rise of 10 % and of 2 % of the loss at chance; or
    * it jumps: its noise from epoch to epoch is 15 % of it and 2 % of the loss at chance; or
    * training ends worse than it would by guessing, with a rate above the optimizer's usual one; or
    * training ended near chance, and the same recipe with a lower learning rate learned.

    A loss that jumps asks for a rate as much lower as its noise exceeds a third of the limit, since the noise of
    stochastic gradients is proportional to the rate (Mandt et al., 2017, arXiv:1704.04289, section 3).

    Assumes a constant objective. Source: Bengio (2012), arXiv:1206.5533, section 3.1: the largest rate that does not
    make the training criterion diverge.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> jumping = {0: History({"running_loss": np.array([2.0, 0.5, 1.5, 0.4, 2.2, 0.3, 1.9, 0.6])})}
      >>> a = TrainedVariant("a", Recipe(learning_rate=0.5), jumping, {0: "finished"}, {})
      >>> rate_too_high(a, (), 0.1).fix
      'Lower the learning rate (now 0.5): --set train.learning_rate=0.01'
    """
    columns = [_without_penalty(run) for run in variant.sound.values() if "running_loss" in run.columns]
    relevant = _RELEVANT * loss_at_chance(chance)
    evidence, factor = "", None
    if columns and len(columns) == len(variant.sound):
        shortest = min(map(len, columns))
        evidence = _rising(np.stack([c[:shortest] for c in columns]), relevant)
    evidence = evidence or _worse_than_guessing(variant, chance) or _beaten_by_lower_rate(variant, variants, chance)
    if not evidence and not variant.recipe.augmentation.mixup:  # whose targets change from batch to batch
        evidence, factor = _jumping(columns, relevant)
    if not evidence:
        return None
    fix, strength = lower_rate(variant, variants, chance, factor), variant.learning_rate or 0.0
    return Observation(
        "learning-rate-high", "warning", variant.name, "took steps that were too large", evidence, fix, strength
    )


def _without_penalty(run: History) -> FloatArray:
    """The running loss without the penalty at the end of the epoch, which is recorded only there.  # (E,)"""
    return run["running_loss"] - run["penalty"] if "penalty" in run.columns else run["running_loss"]


def _worse_than_guessing(variant: TrainedVariant, chance: float) -> str:
    rate, usual, at_chance = variant.learning_rate, usual_rate(variant.recipe), loss_at_chance(chance)
    losses = [float(c[-1]) for c in variant.column("train_loss") if np.isfinite(c).all()]
    worse = sum(loss > _WORSE * at_chance for loss in losses)
    if rate is None or rate <= 2 * usual or variant.recipe.class_weights or not worse or 2 * worse <= len(losses):
        return ""
    return (
        f"the training loss ends at {float(np.mean(losses)):.3g}, and guessing gives {at_chance:.3g} "
        f"({runs_of(worse, len(losses))}); the rate, {rate:g}, is {rate / usual:.0f} times the usual one of "
        f"{variant.recipe.optimizer}"
    )


def _rising(losses: FloatArray, relevant: float) -> str:
    rise = rise_after_minimum(losses) if losses.shape[1] >= SHORTEST else None
    if rise is None or not rise.real:
        return ""
    end = final_level(losses)  # (S,)
    lowest = end - rise.per_run  # (S,)
    risen = (rise.per_run > _RISE * np.abs(lowest)) & (rise.per_run > relevant)  # (S,)
    if 2 * int(risen.sum()) <= len(losses):
        return ""
    return (
        f"the running loss, which training minimizes, rises from {float(lowest.mean()):.3g} to {float(end.mean()):.3g} "
        f"by the end ({runs_of(int(risen.sum()), len(losses))})"
    )


def _jumping(columns: Sequence[FloatArray], relevant: float) -> tuple[str, float | None]:
    """The evidence, and by how much the noise exceeds a third of the limit; empty and None if it does not jump."""
    later = [c[len(c) // 3 :] for c in columns if len(c) >= SHORTEST and np.isfinite(c).all()]
    noise = [1.4826 * float(np.median(np.abs(np.diff(c, 2)))) / 6**0.5 for c in later if len(c) >= SHORTEST]
    middle = [float(np.median(c)) for c in later if len(c) >= SHORTEST]
    jumps = [n for n, m in zip(noise, middle, strict=True) if n > max(_UNREST * m, relevant)]
    if not jumps or 2 * len(jumps) <= len(columns):
        return "", None
    limit = max(_UNREST * float(np.mean(middle)), relevant)
    evidence = (
        f"the running loss jumps from epoch to epoch, with a standard deviation of {float(np.mean(jumps)):.2g} around "
        f"{float(np.mean(middle)):.2g} ({runs_of(len(jumps), len(columns))})"
    )
    return evidence, 3 * float(np.mean(jumps)) / limit


def _beaten_by_lower_rate(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> str:
    """Whether the variant failed where a lower rate, and nothing else, let the network learn."""
    mine = variant.learning_rate
    if mine is None or not hardly_learned(variant, variants, chance):
        return ""
    same = [v for v in variants if v.sound and without_rate(v.recipe) == without_rate(variant.recipe)]
    lower = [v for v in same if (v.learning_rate or mine) < mine and not hardly_learned(v, variants, chance)]
    if not lower:
        return ""
    best = max(lower, key=lambda v: v.score("train_accuracy"))
    return (
        f"training accuracy ends at {100 * variant.score('train_accuracy'):.1f} % with a learning rate of {mine:g}, "
        f"and at {100 * best.score('train_accuracy'):.1f} % with {best.learning_rate:g}"
    )


# --- Too small, too few -----------------------------------------------------------------------------------------------


def rate_too_low(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """A training loss that falls slowly and steadily and is far from converged when training ends.

    Measured from the loss at chance, the second half of the epochs contributed at least half as much as the first, and
    at most twice as much (more means a plateau that was left late); the end is above 30 % of the loss at chance, in
    more than half of the runs. Above 90 % of it, any fall beyond three standard deviations of the noise counts, from
    the first epoch on. Or: a variant with a higher learning rate or another optimizer, and nothing else changed, had
    reached this loss in a fifth of the epochs, and this one was still falling at the end.

    Not if the validation loss fell by less than a tenth as much as the training loss in the second half, unless the
    training loss is still above 90 % of that at chance: the network overfits, if slowly, and a higher rate gets it
    there sooner.

    Without such a variant, a rate of more than twice the optimizer's usual one is not called low.

    Assumes what ``curves.relative_fall`` does. Source: Smith (2018), arXiv:1803.09820, section 3, on slow curves.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> slow = {0: History({"train_loss": np.linspace(2.25, 1.8, 10)})}
      >>> a = TrainedVariant("a", Recipe(learning_rate=1e-5), slow, {0: "finished"}, {})
      >>> rate_too_low(a, (), 0.1).fix
      'Raise the learning rate (now 1e-05): --set train.learning_rate=0.0001'
    """
    columns = [c for c in variant.column("train_loss") if len(c) >= 4 and np.isfinite(c).all()]
    if not columns:
        return None
    slow = [c for c in columns if _steady(c, loss_at_chance(chance))]
    evidence = ""
    rate = variant.learning_rate
    if 2 * len(slow) > len(columns) and (rate is None or rate <= 2 * usual_rate(variant.recipe)):
        evidence = (
            f"the training loss falls steadily, by {float(np.mean([c[len(c) // 2] - c[-1] for c in slow])):.2g} in the "
            f"second half of the epochs, and is still {float(np.mean([c[-1] for c in slow])):.2g} at the end "
            f"({runs_of(len(slow), len(columns))})"
        )
    evidence = evidence or _overtaken(variant, variants)
    if not evidence or not _helps_others(variant, loss_at_chance(chance)):
        return None
    fix, strength = higher_rate(variant, variants, chance), float(np.mean([c[-1] for c in columns]))
    return Observation("learning-rate-low", "warning", variant.name, "learned too slowly", evidence, fix, strength)


def _steady(loss: FloatArray, at_chance: float) -> bool:
    middle, end = float(loss[len(loss) // 2]), float(loss[-1])
    second = middle - end
    # Near chance the first epoch contributed nothing that would have to count, and any fall beyond noise is one.
    start = float(loss[0]) if end > 0.9 * at_chance else max(at_chance, float(loss[0]))
    least = 3 * noise_sd(loss) if end > 0.9 * at_chance else 0.01 * at_chance
    first = start - middle
    return bool(_STEADY * first <= second <= 2 * first and second > max(least, 1e-4) and end > _FAR * at_chance)


def _helps_others(variant: TrainedVariant, at_chance: float) -> bool:
    """Whether validation loss fell with the training loss in the second half of the epochs, or nothing is learned."""
    columns = [(run["train_loss"], run["validation_loss"]) for run in variant.sound.values() if _has_both(run)]
    if not columns or np.mean([train[-1] for train, _ in columns]) > 0.9 * at_chance:
        return True
    falls = [[_level(loss, len(loss) // 2) - _level(loss, len(loss) - 1) for loss in pair] for pair in columns]
    train, validation = np.mean(falls, axis=0)
    return bool(validation >= _WITH_IT * train)


def _has_both(run: History) -> bool:
    return {"train_loss", "validation_loss"} <= run.columns.keys()


def _level(loss: FloatArray, epoch: int) -> float:
    """The mean of an epoch and its neighbors."""
    return float(np.mean(loss[max(0, epoch - 1) : epoch + 2]))


def _without_steps(recipe: Recipe) -> Recipe:
    return replace(without_rate(recipe), optimizer="adam", momentum=None, weight_decay=None)


def _overtaken(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> str:
    losses = stacked(variant.sound.values(), "train_loss")  # (S, E)
    if losses.shape[1] < SHORTEST or relative_fall(losses) is None:
        return ""
    reached, mine = float(losses[:, -1].mean()), variant.learning_rate
    for other in variants:
        if other is variant or not other.sound or _without_steps(other.recipe) != _without_steps(variant.recipe):
            continue
        theirs = other.learning_rate
        if other.recipe.optimizer == variant.recipe.optimizer and (theirs or 0) <= (mine or 0):
            continue
        mean = stacked(other.sound.values(), "train_loss").mean(axis=0)  # (E',)
        before = np.flatnonzero(mean <= reached)
        if len(before) and before[0] + 1 <= losses.shape[1] / 5:
            return (
                f"the training loss is still falling at the end and has reached {reached:.2g}, where {other.name} was "
                f"after epoch {before[0] + 1} of {losses.shape[1]}"
            )
    return ""


def still_improving(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> Observation | None:
    """Validation loss that was still falling at the last epoch, judged over all seeds by ``curves.relative_fall``.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.

    Example:
      >>> short = {0: History({"validation_loss": np.linspace(1, 0.5, 10)})}
      >>> a = TrainedVariant("a", Recipe(epochs=10), short, {0: "finished"}, {})
      >>> still_improving(a, [a]).fix
      'Train longer, because accuracy may still improve: --epochs 20'
    """
    finished = [h for s, h in variant.sound.items() if variant.states[s] == "finished"]
    if not finished or 2 * len(finished) < len(variant.sound):
        return None
    losses = stacked(finished, "validation_loss")  # (S, E)
    fall = relative_fall(losses, max(1, len(variants)))
    if fall is None:
        return None
    epochs = losses.shape[1]
    back = max(3, epochs // 5) if epochs >= 2 * SHORTEST else min(2, epochs - 1)
    evidence = (
        f"validation loss fell by {100 * fall:.1f} % in the last {'epoch' if back == 1 else f'{back} epochs'}, up to "
        f"epoch {epochs} (mean of {counted(len(finished), 'run')})"
    )
    how = variant.option("epochs", 2 * variant.recipe.epochs, variants)
    fix = f"Train longer, because accuracy may still improve: {how}"
    claim = "kept improving until training ended"
    return Observation("still-improving", "info", variant.name, claim, evidence, fix, fall)
