"""What the learning curves of a study say went well or wrong, with the evidence and the mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from wellfit.analysis.words import listed
from wellfit.base import Finding, FloatArray, History, IntArray, Recipe, RunState

__all__ = ["best_epoch", "overfit_onset", "training_findings"]

_NOISE: Final = 3.0  # noise deviations that a change must exceed: fewer than 5 % of flat curves do
_SHARE: Final = 0.01  # and the share of the loss: what is smaller is of no interest, however smooth the curve
_HARDLY: Final = 0.1  # a network has hardly learned that is not so far on its way from chance to perfection
_SHORTEST: Final = 5  # epochs, of which noise can be told from trend

Histories = Mapping[int, History]  # by seed
States = Mapping[int, RunState]  # by seed


def best_epoch(history: History) -> int | None:
    """The epoch of the lowest validation loss.

    Args:
      history: of one run.

    Returns:
      The epoch, from 1, the first of equals; NaN and infinity are passed over; None if nothing else is there.

    Example:
      >>> best_epoch(History({"validation_loss": np.array([0.9, 0.7, np.nan, 0.7])}))
      2
    """
    loss = history["validation_loss"]  # (E,)
    finite = np.isfinite(loss)
    return int(np.argmin(np.where(finite, loss, np.inf))) + 1 if finite.any() else None


def overfit_onset(history: History) -> int | None:
    """The epoch after which validation loss rose for good.

    The loss is smoothed by the mean of each epoch and its two neighbors. Its lowest point is the onset if the last
    point lies higher by more than three deviations of the noise and by more than 1 % of the loss. The noise of an epoch
    is ``1.4826 * median(abs(second differences)) / sqrt(6)``: second differences know no trend, and white noise of
    deviation s gives them ``sqrt(6) s``; the median passes over the steep first epochs and over single leaps.

    Args:
      history: of one run.

    Returns:
      The epoch, from 1; None if the loss did not rise, or with fewer than five epochs of finite loss.

    Example:
      >>> overfit_onset(History({"validation_loss": np.array([0.9, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8])}))
      4
    """
    epochs, smooth, threshold = _smoothed(history)
    if len(epochs) < _SHORTEST or smooth[-1] - smooth.min() <= threshold:
        return None
    return int(epochs[np.argmin(smooth)])


def training_findings(
    histories: Mapping[str, Histories],
    states: Mapping[str, States],
    recipes: Mapping[str, Recipe],
    chance: float,
) -> tuple[Finding, ...]:
    """What is to be said of the training of a study: of each variant, each code once at most.

    ================  =======  =================================================================================
    diverged          error    any run's loss became NaN or infinite
    overfitting       warning  ``overfit_onset`` in half of the runs or more, unless weights are restored
    underfitting      warning  training accuracy nearer to chance than to the best variant's
    stopped-at-once   warning  early stopping ended half of the runs or more without a single improvement
    still-improving   info     validation loss was falling at the last epoch in half of the runs or more
    dropout-explains  info     running accuracy below validation accuracy, with dropout on
    few-seeds         info     one or two seeds; once for the study
    ================  =======  =================================================================================

    Args:
      histories: variant -> seed -> the epochs of a run that was trained.
      states: variant -> seed -> how the run ended; pending ones count as seeds of the study.
      recipes: variant -> its recipe.
      chance: the accuracy of always answering the most frequent class, a share of 1.

    Returns:
      The findings, variant by variant in the order of ``histories``, those of the study last.

    Example:
      >>> columns = {name: np.full(7, 0.9) for name in ("validation_accuracy", "train_accuracy", "running_accuracy")}
      >>> risen = History({**columns, "validation_loss": np.array([0.9, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8])})
      >>> found = training_findings({"a": {0: risen}}, {"a": {0: "finished"}}, {"a": Recipe()}, chance=0.1)
      >>> [f.code for f in found]
      ['overfitting', 'few-seeds']
    """
    usable = {
        name: {s: h for s, h in runs.items() if states[name][s] in ("finished", "stopped") and len(h)}
        for name, runs in histories.items()
    }
    # Where a variant without regularization has not learned either, the regularization is not to blame.
    free = [_last(runs, "train_accuracy") for name, runs in usable.items() if runs and not _regularized(recipes[name])]
    blame = not free or max(free) > chance + _HARDLY * (1 - chance)
    best = max((_last(runs, "train_accuracy") for runs in usable.values() if runs), default=chance)
    found: list[Finding | None] = []
    for name, runs in usable.items():
        recipe = recipes[name]
        found.append(_diverged(name, histories[name], states[name], recipe))
        if runs:
            found += [
                _overfitting(name, runs, recipe),
                _underfitting(name, runs, recipe, chance, best, blame),
                _stopped_at_once(name, runs, states[name], recipe),
                _still_improving(name, runs, states[name]),
                _dropout_explains(name, runs, recipe),
            ]
    found.append(_few_seeds(states))
    return tuple(f for f in found if f is not None)


# --- One function a finding -------------------------------------------------------------------------------------------


def _diverged(name: str, runs: Histories, states: States, recipe: Recipe) -> Finding | None:
    gone = sorted(s for s, state in states.items() if state == "diverged")
    if not gone:
        return None
    places = listed([f"seed {s} in epoch {_breaking_epoch(runs[s]) if s in runs else 1}" for s in gone])
    rate = "" if recipe.learning_rate is None else f", now {recipe.learning_rate:g}"
    return Finding(
        "diverged",
        "error",
        f"{name}: {_runs(len(gone), len(states))} diverged ({places}): the loss became infinite or not a number.",
        f"Lower the learning rate{rate}: try a tenth of it.",
    )


def _mean(runs: Histories) -> History:
    """The mean history over the runs, as far as all of them go."""
    epochs = min(len(history) for history in runs.values())
    losses = np.stack([history["validation_loss"][:epochs] for history in runs.values()])  # (S, epochs)
    return History({"validation_loss": losses.mean(axis=0)})


def _rises(history: History) -> bool:
    """Whether a run's smoothed validation loss ends above its lowest point by 1 %, noise or not."""
    epochs, smooth, _ = _smoothed(history)
    return len(epochs) >= _SHORTEST and bool(smooth[-1] > 1.01 * smooth.min())


def _overfitting(name: str, runs: Histories, recipe: Recipe) -> Finding | None:
    rule = recipe.early_stopping
    onsets = [e for e in map(overfit_onset, runs.values()) if e is not None]
    # Averaging over the seeds takes noise away: a rise that is lost in each run's noise may be plain in their mean. A
    # few runs that rise alone do not count for all.
    together = overfit_onset(_mean(runs)) if 2 * sum(map(_rises, runs.values())) > len(runs) else None
    if (2 * len(onsets) < len(runs) and together is None) or (rule is not None and rule.restore_best_weights):
        return None
    of_most = 2 * len(onsets) >= len(runs)
    where = f"in {_runs(len(onsets), len(runs))}" if of_most else f"on average over {len(runs)} runs"
    gap = f"{100 * (_last(runs, 'train_accuracy') - _last(runs, 'validation_accuracy')):.1f} points"
    return Finding(
        "overfitting",
        "warning",
        f"{name}: {where} the validation loss rises for good after epoch "
        f"{_range(onsets) if of_most else together}; at the end training minus validation accuracy is {gap}.",
        "Stop earlier (early_stopping with restore_best_weights = true), or add or strengthen l2 or dropout.",
    )


def _regularized(recipe: Recipe) -> list[str]:
    """The keys of the regularization that is on."""
    return [k for k in ("l1", "l2", "weight_decay", "dropout", "max_norm") if _largest(getattr(recipe, k)) > 0]


def _underfitting(
    name: str, runs: Histories, recipe: Recipe, chance: float, best: float, blame: bool
) -> Finding | None:
    reached = _last(runs, "train_accuracy")
    # Halfway to the best variant; where all of them fail, a tenth of the way from chance to perfection.
    if reached > max((chance + best) / 2, chance + _HARDLY * (1 - chance)):
        return None
    strong = _regularized(recipe)
    cause = listed([f"{k} = {_largest(getattr(recipe, k)):g}" for k in strong])
    return Finding(
        "underfitting",
        "warning",
        f"{name}: training accuracy ends at {reached:.1%}; always answering the most frequent class gives "
        f"{chance:.1%}, the best variant of this study {best:.1%}. It has hardly learned.",
        f"The regularization is probably too strong: weaken it ({cause})."
        if strong and blame
        else "Try another learning rate, more epochs, or a larger network.",
    )


def _stopped_at_once(name: str, runs: Histories, states: States, recipe: Recipe) -> Finding | None:
    rule = recipe.early_stopping
    if rule is None:
        return None
    # The first epoch that is judged is the best so far; then patience runs out, after one epoch at least.
    soonest = rule.start_epoch + 1 + max(rule.patience, 1)
    soon = [len(h) for s, h in runs.items() if states[s] == "stopped" and len(h) <= soonest]
    if not soon or 2 * len(soon) < len(runs):
        return None
    watched = {"val_loss": "validation loss", "val_accuracy": "validation accuracy"}[rule.monitor]
    return Finding(
        "stopped-at-once",
        "warning",
        f"{name}: {_runs(len(soon), len(runs))} stopped after {_range(soon)} epochs: {watched} never improved on "
        f"epoch {rule.start_epoch + 1}.",
        f"Raise patience, now {rule.patience}, or lower min_delta, now {rule.min_delta:g}, or the learning rate.",
    )


def _still_improving(name: str, runs: Histories, states: States) -> Finding | None:
    rising = [s for s, h in runs.items() if states[s] == "finished" and _still_falling(h)]
    if not rising or 2 * len(rising) < len(runs):
        return None
    return Finding(
        "still-improving",
        "info",
        f"{name}: in {_runs(len(rising), len(runs))} the validation loss was still falling at the last epoch, "
        f"{_range([len(runs[s]) for s in rising])}.",
        "Train longer: its accuracy may not be the best it can reach.",
    )


def _dropout_explains(name: str, runs: Histories, recipe: Recipe) -> Finding | None:
    running, validation = _last(runs, "running_accuracy"), _last(runs, "validation_accuracy")
    if _largest(recipe.dropout) == 0 or running >= validation:
        return None
    return Finding(
        "dropout-explains",
        "info",
        f"{name}: the running accuracy of the last epoch, {running:.1%}, is below the validation accuracy, "
        f"{validation:.1%}, because dropout is on while it is measured. Measured with dropout off, training accuracy "
        f"is {_last(runs, 'train_accuracy'):.1%}.",
        "Nothing is wrong: compare training and validation accuracy both measured with dropout off.",
    )


def _few_seeds(states: Mapping[str, States]) -> Finding | None:
    most = max((len(runs) for runs in states.values()), default=0)
    if not 1 <= most <= 2:
        return None
    told = (
        "one seed shows no chance at all, so nothing can be compared" if most == 1 else "two seeds barely show chance"
    )
    return Finding(
        "few-seeds",
        "info",
        f"Each variant has {most} {'seed' if most == 1 else 'seeds'}: {told}.",
        "Run five seeds (--seeds 5); what is there already is not repeated.",
    )


# --- The curves -------------------------------------------------------------------------------------------------------


def _smoothed(history: History) -> tuple[IntArray, FloatArray, float]:
    """The epochs, from 1, of finite validation loss; the smoothed loss there; and what is more than noise of it."""
    loss = history["validation_loss"]  # (E,)
    epochs = np.flatnonzero(np.isfinite(loss)) + 1  # (e,)
    loss = loss[epochs - 1]  # (e,)
    if len(loss) < _SHORTEST:
        return epochs, loss, np.inf
    window = np.ones(3)
    smooth = np.convolve(loss, window, "same") / np.convolve(np.ones_like(loss), window, "same")  # (e,)
    noise = 1.4826 * float(np.median(np.abs(np.diff(loss, 2)))) / np.sqrt(6)
    return epochs, smooth, max(_NOISE * noise, _SHARE * float(smooth.min()))


def _still_falling(history: History) -> bool:
    """Whether the last fifth of the epochs, three at least, brought the loss down by more than noise to its lowest."""
    _, smooth, threshold = _smoothed(history)
    back = max(3, len(smooth) // 5)
    return len(smooth) > back and bool(smooth[-1] == smooth.min()) and smooth[-1 - back] - smooth[-1] > threshold


def _breaking_epoch(history: History) -> int:
    """The first epoch with a loss that is no number, or the one after the last that was recorded."""
    losses = [history[c] for c in ("running_loss", "train_loss", "validation_loss") if c in history.columns]
    broken = ~np.isfinite(np.stack(losses)).all(axis=0) if losses else np.zeros(len(history), bool)  # (E,)
    return int(np.argmax(broken)) + 1 if broken.any() else len(history) + 1


def _last(runs: Histories, column: str) -> float:
    """The mean over runs of a column's last entry."""
    return float(np.mean([h[column][-1] for h in runs.values()]))


# --- The words --------------------------------------------------------------------------------------------------------


def _largest(number: float | tuple[float, ...] | None) -> float:
    return max(number, default=0.0) if isinstance(number, tuple) else number or 0.0


def _runs(some: int, of: int) -> str:
    return f"{some} of {of} {'run' if of == 1 else 'runs'}"


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"
