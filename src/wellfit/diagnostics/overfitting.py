"""Overfitting, the calibration that suffers from it, and what only looks like a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from wellfit.analysis.curves import Rise, lowest_epochs, rise_after_minimum, stacked
from wellfit.analysis.intervals import MedianInterval, median_interval
from wellfit.analysis.smoothing import final_level
from wellfit.base import Augmentation, FloatArray, History, Recipe, VariantSummary
from wellfit.diagnostics.chance import hardly_learned
from wellfit.diagnostics.observations import Observation, TrainedVariant, largest, was_worse
from wellfit.narrative.context import RiseCause
from wellfit.narrative.options import new_variant_option
from wellfit.narrative.phrases import listed, mean_points

__all__ = [
    "Judged",
    "Onset",
    "calibration_worsened",
    "dropout_explains",
    "onset",
    "overfitting",
    "with_onsets",
]

_STOP: Final = "{patience=5,restore_best_weights=true}"  # without spaces, to fit on one line of a terminal
_NEGLIGIBLE: Final = 0.005  # of accuracy; a smaller gap between running and validation accuracy needs no explanation


class Onset(NamedTuple):
    """Validation loss that fell, turned and rose for good, judged over all seeds.

    Args:
      epochs: seed -> the epoch, from 1, at which its own smoothed loss was lowest.
      rise: from there to the end.
      lowest: the smoothed loss there, averaged over the seeds.
    """

    epochs: Mapping[int, int]
    rise: Rise
    lowest: float


def onset(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Onset | None:
    """Where overfitting begins in a variant; None if no rise exceeds the noise.

    Findings, answers, advice and every run's ``overfit_onset`` all rest on this one judgment. It is not overfitting if
    the training loss rose half as much, because then training itself goes wrong, nor if the network has hardly learned.
    Assumes what ``curves.rise_after_minimum`` does. Source: Prechelt (1998), "Early stopping - but when?".

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> columns = {name: np.full(7, 0.9) for name in ("train_accuracy", "validation_accuracy")}
      >>> risen = History({**columns, "validation_loss": np.array([0.9, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8])})
      >>> onset(TrainedVariant("a", Recipe(), {3: risen}, {3: "finished"}, {}), (), 0.1).epochs
      {3: 4}
    """
    turn, _ = _turn(variant, variants, chance)
    return turn


def _turn(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float
) -> tuple[Onset | None, RiseCause | None]:
    """Where overfitting begins; or why a validation loss that rises beyond noise shows none."""
    if not variant.sound:
        return None, None
    losses = stacked(variant.sound.values(), "validation_loss")  # (S, E)
    rise = rise_after_minimum(losses, tests=max(1, len(variants)))
    if rise is None or not rise.real:
        return None, None
    if hardly_learned(variant, variants, chance):
        return None, "hardly learned"
    if _training_loss_rose(variant, losses, rise.mean):
        return None, "training loss rose"
    epochs = dict(zip(variant.sound, lowest_epochs(losses).tolist(), strict=True))
    return Onset(epochs, rise, float(np.mean(final_level(losses) - rise.per_run))), None


def _training_loss_rose(variant: TrainedVariant, losses: FloatArray, rise: float) -> bool:
    if len(variant.column("train_loss")) < len(losses):
        return False
    training = stacked(variant.sound.values(), "train_loss")  # (S, E)
    risen = rise_after_minimum(losses, training) if training.shape == losses.shape else None
    return risen is not None and risen.mean > rise / 2


class Judged(NamedTuple):
    """What the validation losses of a study say.

    Args:
      variants: with the ``overfit_onset`` of every run, for all runs of a variant or for none.
      other_causes: variants whose validation loss rises beyond noise without overfitting, and why.
    """

    variants: tuple[VariantSummary, ...]
    other_causes: Mapping[str, RiseCause]


def with_onsets(
    variants: Sequence[VariantSummary],
    histories: Mapping[str, Mapping[int, History]],
    recipes: Mapping[str, Recipe],
    chance: float,
) -> Judged:
    """Judge by ``onset`` where overfitting begins in each run.

    Args:
      variants: of a study.
      histories: variant -> seed -> its epochs.
      recipes: of all variants.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> with_onsets((), {}, {}, 0.1)
      Judged(variants=(), other_causes={})
    """
    trained = [
        TrainedVariant(
            name=v.name,
            recipe=recipes[v.name],
            histories=histories[v.name],
            states={run.seed: run.state for run in v.runs},
            rows={run.seed: run for run in v.runs},
        )
        for v in variants
    ]
    turns = [_turn(one, trained, chance) for one in trained]
    epochs = [{} if turn is None else turn.epochs for turn, _ in turns]
    judged = tuple(
        replace(v, runs=tuple(replace(run, overfit_onset=of.get(run.seed)) for run in v.runs))
        for v, of in zip(variants, epochs, strict=True)
    )
    return Judged(judged, {v.name: cause for v, (_, cause) in zip(variants, turns, strict=True) if cause is not None})


def overfitting(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """Validation loss that turned and rose for good, by ``onset``; not if early stopping restores the best weights.

    If early stopping ended at least half of the runs and keeps their last weights, the finding is that these are not
    the best ones (``best-not-restored``).

    The onset is the median over the runs, with an interval between order statistics; the gap is training minus
    validation accuracy, with its t interval.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.

    Example:
      >>> columns = {name: np.full(7, 0.9) for name in ("train_accuracy", "validation_accuracy")}
      >>> risen = History({**columns, "validation_loss": np.array([0.9, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8])})
      >>> overfitting(TrainedVariant("a", Recipe(), {0: risen}, {0: "finished"}, {}), (), 0.1).code
      'overfitting'
    """
    if _restores_best(variant):
        return None
    turn = onset(variant, variants, chance)
    if turn is None:
        return None
    rise, runs = turn.rise, len(turn.epochs)
    epoch = _epoch_text(median_interval(list(turn.epochs.values())), runs)
    share = rise.mean / turn.lowest
    low, high = ((rise.mean + side * rise.half_width) / turn.lowest for side in (-1, 1))
    bounds = "" if runs < 3 else f" [{100 * low:.0f}, {100 * high:.0f}]"
    train, validation = variant.scores("train_accuracy"), variant.scores("validation_accuracy")
    gap = mean_points([train[s] - validation[s] for s in train if s in validation])
    evidence = (
        f"the smoothed validation loss is lowest after epoch {epoch} and ends {100 * share:.0f} %{bounds} higher; "
        f"training minus validation accuracy is {gap}"
    )
    code, claim = "overfitting", "overfit"
    if variant.recipe.early_stopping is not None and 2 * sum(v == "stopped" for v in variant.states.values()) >= runs:
        code, claim = "best-not-restored", "stopped, but kept the weights of its last epoch"
    return Observation(code, "warning", variant.name, claim, evidence, _stop_earlier(variant, variants), share)


def _restores_best(variant: TrainedVariant) -> bool:
    rule = variant.recipe.early_stopping
    return rule is not None and rule.restore_best_weights


def _epoch_text(middle: MedianInterval, runs: int) -> str:
    if runs == 1 or middle.low == middle.high:
        return f"{middle.median:g}" + ("" if runs == 1 else f" in {'both' if runs == 2 else f'all {runs}'} runs")
    return f"{middle.median:g} (median of {runs} runs; {middle.low:g} to {middle.high:g})"


def _stop_earlier(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> str:
    if variant.recipe.early_stopping is not None:
        return f"Restore the best weights: {variant.option('early_stopping.restore_best_weights', True, variants)}"
    worse = [key for key in ("l2", "dropout") if was_worse(key, variants)]
    adding = [key for key in ("l2", "dropout") if key not in worse]
    add = f"add or strengthen {listed(adding, 'or')}" if adding else ""
    stopping = [v.name for v in variants if v.recipe.early_stopping]
    if stopping and was_worse("early_stopping", variants):
        add = add or "add training examples or augmentation"
        return f"{add[0].upper()}{add[1:]}. {_left_out([*worse, 'early stopping'])}"
    if stopping:
        does = "does" if len(stopping) == 1 else "do"
        fix = f"Stop earlier, as {listed(stopping)} {does}{f', or {add}' if add else ''}."
        return f"{fix} {_left_out(worse)}".rstrip()
    stop = f"stop earlier: {new_variant_option('stop', {'early_stopping': _STOP})}"
    if not worse:
        return f"{add[0].upper()}{add[1:]}, or {stop}"
    return f"{_left_out(worse)} {f'{add[0].upper()}{add[1:]}, or {stop}' if add else f'{stop[0].upper()}{stop[1:]}'}"


def _left_out(worse: Sequence[str]) -> str:
    """A sentence on what is not recommended, because the test set said so; empty without any."""
    if not worse:
        return ""
    names = listed(worse)
    return f"{names[0].upper()}{names[1:]} {'was' if len(worse) == 1 else 'were'} worse in this study's test."


def calibration_worsened(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> Observation | None:
    """Validation loss that rose while validation accuracy rose too: right more often, but more confident in mistakes.

    Both changes run from the epoch of the lowest loss of the other runs to the end. The rise of the loss must be real
    as in ``curves.rise_after_minimum``; the 95 % t interval of the rise in accuracy must lie above 0, and its mean must
    be at least a tenth of a point. Needs three runs. Source: Guo et al. (2017), arXiv:1706.04599, figure 3.

    Args:
      variant: the one to judge.
      variants: of the study.

    Example:
      >>> loss, accuracy = np.abs(np.arange(12) - 5) / 10 + 0.5, np.linspace(0.5, 0.9, 12)
      >>> runs = {s: History({"validation_loss": loss, "validation_accuracy": accuracy + s / 100}) for s in range(3)}
      >>> calibration_worsened(TrainedVariant("a", Recipe(), runs, dict.fromkeys(runs, "finished"), {}), ()).code
      'calibration-worsened'
    """
    if len(variant.sound) < 3 or _restores_best(variant):
        return None
    losses = stacked(variant.sound.values(), "validation_loss")  # (S, E)
    accuracies = stacked(variant.sound.values(), "validation_accuracy")  # (S, E)
    if losses.shape != accuracies.shape:
        return None
    loss, accuracy = rise_after_minimum(losses, tests=max(1, len(variants))), rise_after_minimum(losses, accuracies)
    if loss is None or accuracy is None or not loss.real:
        return None
    if accuracy.mean - accuracy.half_width <= 0 or accuracy.mean < 0.001:
        return None
    evidence = (
        f"after its minimum, validation loss rose by {loss.mean:.3f} [{loss.mean - loss.half_width:.3f}, "
        f"{loss.mean + loss.half_width:.3f}] while validation accuracy rose by {mean_points(accuracy.per_run)}"
    )
    fix = "It is right more often, but more confident in its mistakes. If probabilities matter, stop at the lowest loss"
    if was_worse("label_smoothing", variants):
        fix += f". {_left_out(['label smoothing'])}"
    else:
        fix += f", or smooth the labels: {new_variant_option('soft-targets', {'label_smoothing': '0.1'})}"
    claim = "became more accurate but less well calibrated"
    return Observation("calibration-worsened", "info", variant.name, claim, evidence, fix, loss.mean)


def dropout_explains(variant: TrainedVariant) -> Observation | None:
    """A running accuracy below the validation accuracy with dropout or augmentation on: nothing is wrong.

    Only if training accuracy, measured as validation accuracy is, does not lie below it too.

    Example:
      >>> last = {"running_accuracy": 0.8, "validation_accuracy": 0.9, "train_accuracy": 0.95}
      >>> run = History({name: np.array([value]) for name, value in last.items()})
      >>> dropout_explains(TrainedVariant("a", Recipe(dropout=0.5), {0: run}, {0: "finished"}, {})).code
      'dropout-explains'
    """
    dropped, changed = largest(variant.recipe.dropout) > 0, variant.recipe.augmentation != Augmentation()
    if not (dropped or changed) or not variant.column("running_accuracy"):
        return None
    running, validation, train = (
        float(np.mean([column[-1] for column in variant.column(name)]))
        for name in ("running_accuracy", "validation_accuracy", "train_accuracy")
    )
    if running >= validation - _NEGLIGIBLE or train < validation - _NEGLIGIBLE:
        return None
    what = "dropout and augmentation" if dropped and changed else "dropout" if dropped else "augmentation"
    evidence = (
        f"running accuracy, {100 * running:.1f} % in the last epoch, is measured with {what} on; validation accuracy "
        f"({100 * validation:.1f} %) and training accuracy ({100 * train:.1f} %) are measured with {what} off"
    )
    claim = "had a running accuracy below the validation accuracy"
    return Observation("dropout-explains", "info", variant.name, claim, evidence, "", validation - running)
