"""Whether the steps were too large, too small or too few: divergence, the learning rate, training that was short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Final

import numpy as np

from wellfit.analysis.curves import SHORTEST, change, falling, matrix
from wellfit.analysis.noise import level, noise
from wellfit.base import FloatArray, History, Recipe
from wellfit.diagnostics.cases import Case, Seen, rate, runs_text, setting
from wellfit.diagnostics.fit import hardly
from wellfit.narrative.words import listed

__all__ = ["diverged", "rate_too_high", "rate_too_low", "still_improving"]

RISE: Final = 0.1  # of the running loss, that is the objective itself: it has to fall
UNREST: Final = 0.15  # noise of the running loss from epoch to epoch, as a share of it; 1 % is usual
WORTH: Final = 0.02  # and as a share of the loss at chance: below, the loss is next to nothing
STEADY: Final = 0.5  # fall of the training loss in the second half of the epochs by that in the first; 0.05 is usual
FAR: Final = 0.3  # of the loss at chance: a training loss above it is far from converged


def diverged(seen: Seen, all_seen: Sequence[Seen]) -> Case | None:
    """Runs whose loss became infinite or not a number, with the epoch.

    Args:
      seen: the variant.
      all_seen: the study's.

    Example:
      >>> diverged(Seen("a", Recipe(learning_rate=0.5), {}, {3: "diverged"}, {}), ()).text
      '1 of 1 run diverged (seed 3 in epoch 1): the loss became infinite or not a number'
    """
    gone = sorted(s for s, state in seen.states.items() if state == "diverged")
    if not gone:
        return None
    runs = seen.histories
    places = [f"seed {s} in epoch {_breaking_epoch(runs[s]) if s in runs else 1}" for s in gone]
    more = [] if len(places) <= 6 else [f"{len(places) - 5} more"]
    places = [*places[: 6 - len(more)], *more]
    return Case(
        "diverged",
        "error",
        seen.name,
        f"{runs_text(len(gone), len(seen.states))} diverged ({listed(places)}): the loss became infinite or not a "
        "number",
        _lower(seen, all_seen),
        len(gone) / len(seen.states),
        "have runs that diverged",
    )


def _breaking_epoch(history: History) -> int:
    """The first epoch with a loss that is no number, or the one after the last that was recorded."""
    losses = [history[c] for c in ("running_loss", "train_loss", "validation_loss") if c in history.columns]
    broken = ~np.isfinite(np.stack(losses)).all(axis=0) if losses else np.zeros(len(history), bool)  # (E,)
    return int(np.argmax(broken)) + 1 if broken.any() else len(history) + 1


def _lower(seen: Seen, all_seen: Sequence[Seen]) -> str:
    now = rate(seen)
    if now is None:
        return "Lower the learning rate: try a tenth of it, or clip the gradient: --set train.global_clip_norm=1"
    how = setting("learning_rate", now / 10, seen, {s.name: s.recipe for s in all_seen})
    return f"Lower the learning rate, now {now:g}: {how}"


def rate_too_high(seen: Seen, all_seen: Sequence[Seen], chance: float) -> Case | None:
    """Steps so large that the objective rises, leaps, or stays where it began, without diverging.

    Each is told of the running loss, which is what training lowers, penalty included. In more than half of the runs

    * it rose for good: ``curves.change`` with a rise of 10 % and of 2 % of the loss at chance, ``-log(chance)``; or
    * it leaps: the noise from epoch to epoch is 15 % of it and 2 % of the loss at chance; or
    * training ended near chance, and the same recipe with a lower learning rate learned.

    Assumes a constant objective; the loss at chance is that of balanced classes. Source: Bengio (2012),
    arXiv:1206.5533, section 3.1: the largest rate that does not make the training criterion diverge.

    Args:
      seen: the variant.
      all_seen: the study's, with this one.
      chance: the accuracy of always answering the most frequent class.

    Example:
      >>> leaping = {0: History({"running_loss": np.array([2.0, 0.5, 1.5, 0.4, 2.2, 0.3, 1.9, 0.6])})}
      >>> case = rate_too_high(Seen("a", Recipe(learning_rate=0.5), leaping, {0: "finished"}, {}), (), 0.1)
      >>> case.fix
      'Lower the learning rate, now 0.5: --set train.learning_rate=0.05'
    """
    columns = seen.column("running_loss")
    worth = WORTH * _at_chance(chance)
    text = _rising(matrix(seen.sound.values(), "running_loss"), worth) if len(columns) == len(seen.sound) else ""
    if not seen.recipe.augmentation.mixup:  # whose targets change from batch to batch, and the loss with them
        text = text or _leaping(columns, worth)
    text = text or _beaten(seen, all_seen, chance)
    if not text:
        return None
    return Case(
        "learning-rate-high",
        "warning",
        seen.name,
        text,
        _lower(seen, all_seen),
        rate(seen) or 0.0,
        "take too large steps",
    )


def _at_chance(chance: float) -> float:
    return -log(min(max(chance, 1e-6), 0.99))


def _rising(losses: FloatArray, worth: float) -> str:
    found = change(losses) if losses.shape[1] >= SHORTEST else None
    if found is None or not found.real:
        return ""
    end = level(losses)  # (S,)
    risen = (found.each > RISE * np.abs(end - found.each)) & (found.each > worth)  # (S,)
    if 2 * int(risen.sum()) <= len(losses):
        return ""
    lowest = float(np.mean(end - found.each))
    return (
        f"the running loss, which training should lower, rises from {lowest:.3g} to {float(end.mean()):.3g} by the end "
        f"({runs_text(int(risen.sum()), len(losses))})"
    )


def _leaping(columns: Sequence[FloatArray], worth: float) -> str:
    later = [c[len(c) // 3 :] for c in columns if len(c) >= SHORTEST and np.isfinite(c).all()]
    unrest = [1.4826 * float(np.median(np.abs(np.diff(c, 2)))) / 6**0.5 for c in later if len(c) >= SHORTEST]
    middle = [float(np.median(c)) for c in later if len(c) >= SHORTEST]
    leaps = [u for u, m in zip(unrest, middle, strict=True) if u > max(UNREST * m, worth)]
    if not leaps or 2 * len(leaps) <= len(columns):
        return ""
    return (
        f"the running loss leaps from epoch to epoch by {float(np.mean(leaps)):.2g} (one standard deviation) around "
        f"{float(np.mean(middle)):.2g} ({runs_text(len(leaps), len(columns))})"
    )


def _rate_free(recipe: Recipe) -> Recipe:
    return replace(recipe, learning_rate=None, schedule=None, early_stopping=None, average=None, epochs=1)


def _beaten(seen: Seen, all_seen: Sequence[Seen], chance: float) -> str:
    """Whether this one failed where a lower rate, and nothing else, made the network learn."""
    mine = rate(seen)
    if mine is None or not hardly(seen, all_seen, chance):
        return ""
    same = [s for s in all_seen if s.sound and _rate_free(s.recipe) == _rate_free(seen.recipe)]
    lower = [s for s in same if (rate(s) or mine) < mine and not hardly(s, all_seen, chance)]
    if not lower:
        return ""
    best = max(lower, key=lambda s: s.score("train_accuracy"))
    return (
        f"training accuracy ends at {100 * seen.score('train_accuracy'):.1f} % with a learning rate of {mine:g}; with "
        f"{rate(best):g} it is {100 * best.score('train_accuracy'):.1f} %"
    )


# --- Too small, too few -----------------------------------------------------------------------------------------------


def rate_too_low(seen: Seen, all_seen: Sequence[Seen], chance: float) -> Case | None:
    """A training loss that falls slowly and steadily, and is far from converged when training ends.

    From the loss at chance on, the second half of the epochs brought at least half as much as the first, and at most
    twice as much (more is a plateau that was left late); the end is above 30 % of the loss at chance, in more than half
    of the runs. Above 90 % of it any fall beyond three deviations of the noise counts, from the first epoch on. Or: a
    variant with a higher learning rate, or another optimizer, and nothing else changed, had reached this loss in a
    fifth of the epochs, and this one still fell at the end.

    Assumes what ``curves.falling`` does. Source: Smith (2018), arXiv:1803.09820, section 3, for slow steady curves.

    Args:
      seen: the variant.
      all_seen: the study's, with this one.
      chance: the accuracy of always answering the most frequent class.

    Example:
      >>> slow = {0: History({"train_loss": np.linspace(2.25, 1.8, 10)})}
      >>> case = rate_too_low(Seen("a", Recipe(learning_rate=1e-5), slow, {0: "finished"}, {}), (), 0.1)
      >>> case.fix
      'Raise the learning rate, now 1e-05: --set train.learning_rate=0.0001'
    """
    columns = [c for c in seen.column("train_loss") if len(c) >= 4 and np.isfinite(c).all()]
    if not columns:
        return None
    slow = [c for c in columns if _steady(c, _at_chance(chance))]
    text = ""
    if 2 * len(slow) > len(columns):
        text = (
            f"the training loss falls evenly, by {float(np.mean([c[len(c) // 2] - c[-1] for c in slow])):.2g} in "
            f"the second half of the epochs, and is still {float(np.mean([c[-1] for c in slow])):.2g} at the end "
            f"({runs_text(len(slow), len(columns))})"
        )
    text = text or _overtaken(seen, all_seen)
    if not text:
        return None
    now = rate(seen)
    how = "" if now is None else setting("learning_rate", 10 * now, seen, {s.name: s.recipe for s in all_seen})
    fix = (
        f"Raise the learning rate, now {now:g}: {how}"
        if now is not None
        else "Raise the learning rate: try ten times it."
    )
    return Case(
        "learning-rate-low",
        "warning",
        seen.name,
        text,
        fix,
        float(np.mean([c[-1] for c in columns])),
        "learn too slowly",
    )


def _steady(loss: FloatArray, at_chance: float) -> bool:
    middle, end = float(loss[len(loss) // 2]), float(loss[-1])
    second = middle - end
    # Next to chance the first epoch brought nothing that would have to be counted, and any fall beyond noise is one.
    begun = float(loss[0]) if end > 0.9 * at_chance else max(at_chance, float(loss[0]))
    least = 3 * noise(loss) if end > 0.9 * at_chance else 0.01 * at_chance
    first = begun - middle
    return bool(STEADY * first <= second <= 2 * first and second > max(least, 1e-4) and end > FAR * at_chance)


def _step_free(recipe: Recipe) -> Recipe:
    return replace(_rate_free(recipe), optimizer="adam", momentum=None, weight_decay=None)


def _overtaken(seen: Seen, all_seen: Sequence[Seen]) -> str:
    losses = matrix(seen.sound.values(), "train_loss")  # (S, E)
    if losses.shape[1] < SHORTEST or falling(losses) is None:
        return ""
    reached, mine = float(losses[:, -1].mean()), rate(seen)
    for other in all_seen:
        if other is seen or not other.sound or _step_free(other.recipe) != _step_free(seen.recipe):
            continue
        theirs = rate(other)
        if other.recipe.optimizer == seen.recipe.optimizer and (theirs or 0) <= (mine or 0):
            continue
        mean = matrix(other.sound.values(), "train_loss").mean(axis=0)  # (E',)
        before = np.flatnonzero(mean <= reached)
        if len(before) and before[0] + 1 <= losses.shape[1] / 5:
            return (
                f"the training loss still falls at the end and has come to {reached:.2g}, where {other.name} was after "
                f"epoch {before[0] + 1} of {losses.shape[1]}"
            )
    return ""


def still_improving(seen: Seen, all_seen: Sequence[Seen]) -> Case | None:
    """Validation loss that was falling at the last epoch, judged over the seeds together by ``curves.falling``.

    Args:
      seen: the variant.
      all_seen: the study's, with this one.

    Example:
      >>> short = {0: History({"validation_loss": np.linspace(1, 0.5, 10)})}
      >>> seen = Seen("a", Recipe(epochs=10), short, {0: "finished"}, {})
      >>> still_improving(seen, [seen]).fix
      'Train longer, as its accuracy may not be the best it can reach: --epochs 20'
    """
    ended = [h for s, h in seen.sound.items() if seen.states[s] == "finished"]
    if not ended or 2 * len(ended) < len(seen.sound):
        return None
    losses = matrix(ended, "validation_loss")  # (S, E)
    fall = falling(losses, max(1, len(all_seen)))
    if fall is None:
        return None
    epochs = losses.shape[1]
    back = max(3, epochs // 5) if epochs >= 2 * SHORTEST else min(2, epochs - 1)
    how = setting("epochs", 2 * seen.recipe.epochs, seen, {s.name: s.recipe for s in all_seen})
    return Case(
        "still-improving",
        "info",
        seen.name,
        f"validation loss was still falling at the last epoch, {epochs}: by {100 * fall:.1f} % in the last "
        f"{'epoch' if back == 1 else f'{back} epochs'} (mean of {len(ended)} {'run' if len(ended) == 1 else 'runs'})",
        f"Train longer, as its accuracy may not be the best it can reach: {how}",
        fall,
        "were still improving when training ended",
    )
