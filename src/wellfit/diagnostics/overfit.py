"""Whether a variant fits too much: over-fitting, calibration that suffers from it, and what only looks like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from wellfit.analysis.curves import Change, change, matrix, turning_epochs
from wellfit.analysis.medians import Middle, median_interval
from wellfit.analysis.noise import level
from wellfit.base import FloatArray, History, Recipe, VariantSummary
from wellfit.diagnostics.cases import Case, Seen, adding, largest, points_text, setting
from wellfit.diagnostics.fit import hardly

__all__ = ["Turn", "calibration_worsened", "dropout_explains", "overfitting", "turn", "with_onsets"]

_STOP: Final = "{patience=5,restore_best_weights=true}"  # no blanks, so that all of it fits a line of a terminal
_SHOWN: Final = 0.005  # of accuracy: less between running and validation accuracy needs no explaining


class Turn(NamedTuple):
    """Validation loss that fell, turned and rose for good, judged over the seeds together.

    Args:
      epochs: seed -> the epoch, from 1, at which its own smoothed loss was lowest.
      rise: from there to the end.
      lowest: the smoothed loss there, mean over the seeds.
    """

    epochs: Mapping[int, int]
    rise: Change
    lowest: float


def turn(seen: Seen, all_seen: Sequence[Seen], chance: float) -> Turn | None:
    """Where over-fitting begins in a variant; None where it does not, as far as can be told from noise.

    The one judgment that the findings, the answers, the advice and every run's ``overfit_onset`` stand on. Training
    loss must not have risen half as much: then it is training that goes wrong. Nothing is said of networks that have
    hardly learned. Assumes what ``curves.change`` does. Source: Prechelt (1998), "Early stopping - but when?".

    Args:
      seen: the variant.
      all_seen: the study's, with this one.
      chance: the accuracy of always answering the most frequent class.

    Example:
      >>> columns = {name: np.full(7, 0.9) for name in ("train_accuracy", "validation_accuracy")}
      >>> risen = History({**columns, "validation_loss": np.array([0.9, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8])})
      >>> turn(Seen("a", Recipe(), {3: risen}, {3: "finished"}, {}), (), 0.1).epochs
      {3: 4}
    """
    if not seen.sound:
        return None
    losses = matrix(seen.sound.values(), "validation_loss")  # (S, E)
    found = change(losses, tests=max(1, len(all_seen)))
    if found is None or not found.real or hardly(seen, all_seen, chance) or _training_rose(seen, losses, found.mean):
        return None
    epochs = dict(zip(seen.sound, turning_epochs(losses).tolist(), strict=True))
    return Turn(epochs, found, float(np.mean(level(losses) - found.each)))


def with_onsets(
    variants: Sequence[VariantSummary],
    histories: Mapping[str, Mapping[int, History]],
    recipes: Mapping[str, Recipe],
    chance: float,
) -> tuple[VariantSummary, ...]:
    """The variants with the epoch after which validation loss rose for good in every run, by ``turn``.

    Args:
      variants: of a study.
      histories: variant -> seed -> its epochs.
      recipes: of all variants.
      chance: as for ``turn``.

    Returns:
      The same, the ``overfit_onset`` of their runs set: all of a variant's, or none.
    """
    seen = [
        Seen(v.name, recipes[v.name], histories[v.name], {r.seed: r.state for r in v.runs}, {r.seed: r for r in v.runs})
        for v in variants
    ]
    turns = [turn(one, seen, chance) for one in seen]
    onsets = [{} if found is None else found.epochs for found in turns]
    return tuple(
        replace(v, runs=tuple(replace(run, overfit_onset=epochs.get(run.seed)) for run in v.runs))
        for v, epochs in zip(variants, onsets, strict=True)
    )


def overfitting(seen: Seen, all_seen: Sequence[Seen], chance: float) -> Case | None:
    """Validation loss that turned and rose for good, by ``turn``; not where early stopping restores the best weights.

    The onset is the median over the runs, with an interval between order statistics; the gap is training minus
    validation accuracy, with its t interval.

    Args:
      seen: the variant.
      all_seen: the study's, with this one.
      chance: the accuracy of always answering the most frequent class.

    Example:
      >>> columns = {name: np.full(7, 0.9) for name in ("train_accuracy", "validation_accuracy")}
      >>> risen = History({**columns, "validation_loss": np.array([0.9, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8])})
      >>> overfitting(Seen("a", Recipe(), {0: risen}, {0: "finished"}, {}), (), 0.1).code
      'overfitting'
    """
    rule = seen.recipe.early_stopping
    if rule is not None and rule.restore_best_weights:
        return None
    found = turn(seen, all_seen, chance)
    if found is None:
        return None
    rise, runs = found.rise, len(found.epochs)
    onset = median_interval(list(found.epochs.values()))
    share = rise.mean / found.lowest
    bounds = "" if runs < 3 else _percent(rise.mean - rise.half, rise.mean + rise.half, found.lowest)
    train, validation = seen.scores("train_accuracy"), seen.scores("validation_accuracy")
    gap = points_text([train[s] - validation[s] for s in train if s in validation])
    return Case(
        "overfitting",
        "warning",
        seen.name,
        f"the smoothed validation loss turns after epoch {_onset(onset, runs)} and ends {100 * share:.0f} %{bounds} "
        f"above that; training minus validation accuracy is {gap}",
        _stop_earlier(seen, all_seen),
        share,
        "over-fit",
    )


def _training_rose(seen: Seen, losses: FloatArray, rise: float) -> bool:
    if len(seen.column("train_loss")) < len(losses):
        return False
    training = matrix(seen.sound.values(), "train_loss")  # (S, E)
    risen = change(losses, training) if training.shape == losses.shape else None
    return risen is not None and risen.mean > rise / 2


def _percent(low: float, high: float, of: float) -> str:
    return f" [{100 * low / of:.0f}, {100 * high / of:.0f}]"


def _onset(onset: Middle, runs: int) -> str:
    if runs == 1 or onset.low == onset.high:
        return f"{onset.median:g}" + ("" if runs == 1 else f" in all {runs} runs")
    return f"{onset.median:g} (median of {runs} runs; {onset.low:g} to {onset.high:g})"


def _stop_earlier(seen: Seen, all_seen: Sequence[Seen]) -> str:
    rule = seen.recipe.early_stopping
    if rule is not None:
        how = setting("early_stopping.restore_best_weights", True, seen, {s.name: s.recipe for s in all_seen})
        return f"Read the best epoch, not the last: {how.replace('True', 'true')}"
    if any(s.recipe.early_stopping for s in all_seen):
        return "Stop earlier, as the variant with early stopping does, or add or strengthen l2 or dropout."
    return f"Add or strengthen l2 or dropout, or stop earlier: {adding('stop', {'early_stopping': _STOP})}"


def calibration_worsened(seen: Seen, all_seen: Sequence[Seen]) -> Case | None:
    """Validation loss that rose while validation accuracy rose too: more often right, and surer still than right.

    Both changes are those from the epoch of the lowest loss of the other runs to the end; the rise of the loss is real
    as in ``curves.change``, and the 95 % t interval of the rise of accuracy lies above 0, its mean at a
    tenth of a point at least.
    Assumes three runs or more. Source: Guo et al. (2017), arXiv:1706.04599, figure 3.

    Args:
      seen: the variant.
      all_seen: the study's.

    Example:
      >>> loss, accuracy = np.abs(np.arange(12) - 5) / 10 + 0.5, np.linspace(0.5, 0.9, 12)
      >>> runs = {s: History({"validation_loss": loss, "validation_accuracy": accuracy + s / 100}) for s in range(3)}
      >>> calibration_worsened(Seen("a", Recipe(), runs, dict.fromkeys(runs, "finished"), {}), ()).code
      'calibration-worsened'
    """
    rule = seen.recipe.early_stopping
    if len(seen.sound) < 3 or (rule is not None and rule.restore_best_weights):
        return None
    losses = matrix(seen.sound.values(), "validation_loss")  # (S, E)
    accuracies = matrix(seen.sound.values(), "validation_accuracy")  # (S, E)
    if losses.shape != accuracies.shape:
        return None
    loss, accuracy = change(losses, tests=max(1, len(all_seen))), change(losses, accuracies)
    if loss is None or accuracy is None or not loss.real or accuracy.mean - accuracy.half <= 0 or accuracy.mean < 0.001:
        return None
    return Case(
        "calibration-worsened",
        "info",
        seen.name,
        f"since its lowest, validation loss rose by {loss.mean:.3f} [{loss.mean - loss.half:.3f}, "
        f"{loss.mean + loss.half:.3f}] while validation accuracy rose by {points_text(accuracy.each)}",
        "It is more often right, and surer of its mistakes. Where probabilities matter, stop at the lowest loss, or "
        f"soften the targets: {adding('soft-targets', {'label_smoothing': '0.1'})}",
        loss.mean,
        "became more accurate and worse calibrated",
    )


def dropout_explains(seen: Seen) -> Case | None:
    """A running accuracy below the validation accuracy, with dropout on: nothing is wrong.

    Args:
      seen: the variant.

    Example:
      >>> last = {"running_accuracy": 0.8, "validation_accuracy": 0.9, "train_accuracy": 0.95}
      >>> run = History({name: np.array([value]) for name, value in last.items()})
      >>> dropout_explains(Seen("a", Recipe(dropout=0.5), {0: run}, {0: "finished"}, {})).code
      'dropout-explains'
    """
    if largest(seen.recipe.dropout) == 0 or not seen.column("running_accuracy"):
        return None
    running, validation, train = (
        float(np.mean([column[-1] for column in seen.column(name)]))
        for name in ("running_accuracy", "validation_accuracy", "train_accuracy")
    )
    if running >= validation - _SHOWN:
        return None
    return Case(
        "dropout-explains",
        "info",
        seen.name,
        f"the running accuracy of the last epoch, {100 * running:.1f} %, is below the validation accuracy, "
        f"{100 * validation:.1f} %, because dropout is on while it is measured; with dropout off, "
        f"training accuracy is {100 * train:.1f} %",
        "Nothing is wrong: compare training and validation accuracy both measured with dropout off.",
        validation - running,
        "have a running accuracy below the validation accuracy",
    )
