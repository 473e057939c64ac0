"""What the name of a metric says: whether it is an accuracy, and of which examples; and which one is judged."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from wellfit.base import HISTORY_COLUMNS, History
from wellfit.data.tracked.runs import Tracked, TrackedRun
from wellfit.errors import DataError, nearest

__all__ = ["accuracies_of", "history_of", "is_accuracy", "split_of"]

_WORD: Final = re.compile(r"[fFrR][12](?!\d)|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SPLITS: Final[Mapping[str, frozenset[str]]] = {
    "test": frozenset({"test", "testing", "tst", "heldout", "holdout"}),
    "validation": frozenset({"val", "valid", "validation", "dev", "eval", "evaluation", "cv"}),
    "train": frozenset({"train", "training", "trn", "fit"}),
}
_OTHER: Final = frozenset({
    "loss", "error", "err", "f1", "auc", "auroc", "ap", "map", "precision", "recall", "mse", "rmse", "mae", "bce",
    "nll", "perplexity", "ppl", "kappa", "mcc", "bleu", "r2", "time", "std", "sem", "var", "balanced", "class",
    "per", "gap", "diff",
})  # fmt: skip
"""Words in the names of metrics that are no plain accuracy."""
_CHOSEN: Final = frozenset({"best", "max", "min", "top"})
_OF_STEPS: Final = frozenset({"step", "batch", "iter", "iteration", "running"})
_MOST_EPOCHS: Final = 1_000_000


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def split_of(name: str) -> str | None:
    """Which examples a metric is measured on, as far as its name says: test, validation or train.

    Example:
      >>> [split_of(name) for name in ("test/acc", "valAccuracy", "train_loss_epoch", "accuracy", "val_test_gap")]
      ['test', 'validation', 'train', None, None]
    """
    words = set(_words(name))
    found = [split for split, names in _SPLITS.items() if words & names]
    return found[0] if len(found) == 1 else None


def is_accuracy(name: str) -> bool:
    """Whether a name is that of a plain accuracy, of whatever examples.

    Example:
      >>> [is_accuracy(name) for name in ("test_acc", "MulticlassAccuracy", "val/top1")]
      [True, True, True]
      >>> [is_accuracy(name) for name in ("balanced_accuracy", "acc_top5", "best_test_acc", "f1", "acc@5")]
      [False, False, False, False, False]
    """
    words = _words(name)
    pairs = list(pairwise(words))
    if any(word in ("acc", "accuracy", "top") and of.isdigit() and of != "1" for word, of in pairs):
        return False  # acc@5
    first = ("top", "1") in pairs
    left = {word for word in words if not (first and word in ("top", "1"))}
    return (first or bool(left & {"acc", "accuracy"})) and not left & (_OTHER | _CHOSEN)


# --- The metric that is judged ----------------------------------------------------------------------------------------


def accuracies_of(runs: Sequence[TrackedRun], tracked: Tracked) -> tuple[list[float], list[str], str]:
    """The test accuracy of each run, as a share of 1; what was decided to find it; and what speaks against it, if any.

    Args:
      runs: at least one.
      tracked: what the user said.

    Raises:
      DataError: no metric, or several, that could be it; one that is none; a run without it; a value that cannot be.
    """
    names = list(dict.fromkeys(name for run in runs for name in run.metrics))
    name = _named(names, runs[0].where, tracked)
    against = _against(name)
    taken = f"{_taken(name, tracked)} {against} Tables call it the test accuracy." if against else _taken(name, tracked)
    values, notes = [], [taken]
    for run in runs:
        if name not in run.metrics:
            have = sum(name in other.metrics for other in runs)
            raise DataError(
                f"{run.where}: has no metric {name!r}, which {have} of {len(runs)} runs have; log it, leave the run "
                "out, or name another with --accuracy"
            )
        values.append(_share(run.metrics[name], name, run.where, tracked))
    if tracked.percent and max(run.metrics[name] for run in runs) <= 1:
        raise DataError(f"{runs[0].where}: no {name!r} is above 1, so these are shares; leave out --percent")
    if tracked.percent and (low := sum(0 < run.metrics[name] <= 1 for run in runs)):
        notes.append(f"Check {name}: it is at most 1 percent in {low} of {len(runs)} runs.")
    return values, notes, taken if against else ""


def _named(names: Sequence[str], where: str, tracked: Tracked) -> str:
    """The metric that is the test accuracy."""
    if (chosen := tracked.accuracy) is not None:
        if chosen not in names:
            close = nearest(chosen, names)
            hint = f"; did you mean {close!r}?" if close else ""
            raise DataError(f"{where}: no run has the metric {chosen!r}{hint} {_known(names)}")
        if other := set(_words(chosen)) & _OTHER:
            raise DataError(
                f"{where}: {chosen!r} is no plain accuracy ({', '.join(sorted(other))}); give --accuracy NAME of one, "
                "or judge predictions, which have all metrics"
            )
        return chosen
    of_test = [name for name in names if split_of(name) == "test" and is_accuracy(name)]
    if len(of_test) == 1:
        return of_test[0]
    if of_test:
        raise DataError(f"{where}: {', '.join(map(repr, of_test[:6]))} could each be the test accuracy; choose with "
                        "--accuracy NAME")  # fmt: skip
    if not names:
        raise DataError(f"{where}: has no metrics; log the test accuracy, or judge predictions")
    others = [name for name in names if is_accuracy(name)]
    warn = (
        "; one of validation is not the test accuracy" if any(split_of(name) == "validation" for name in others) else ""
    )
    raise DataError(f"{where}: no metric is called a test accuracy; say with --accuracy NAME which is{warn} "
                    f"{_known([*others, *(name for name in names if name not in others)])}")  # fmt: skip


def _known(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"(metrics: {shown or 'none'})"


def _taken(name: str, tracked: Tracked) -> str:
    return f"Accuracy: the last {name} of each run{', in percent' if tracked.percent else ''}."


def _against(name: str) -> str:
    """What speaks against a metric as the test accuracy, as far as its name says."""
    if set(_words(name)) & _CHOSEN and not is_accuracy(name):
        return "If it is the best of several epochs, it is too high: what it is measured on chose the epoch."
    if (split := split_of(name)) == "validation":
        return "It is of validation examples: where these chose an epoch or a setting, it is too high."
    if split == "train":
        return "It is of training examples, and says nothing about others."
    return "" if split else "Its name does not say of which examples; it must be the test set."


def _share(value: float, name: str, where: str, tracked: Tracked) -> float:
    share = value / 100 if tracked.percent else value
    if not 0 <= share <= 1:
        if math.isnan(value):
            fix = "leave the run out if it diverged"
        elif tracked.percent:
            fix = "give percentages"
        else:
            fix = "if these are percentages, give --percent" if 1 < value <= 100 else "give shares between 0 and 1"
        raise DataError(f"{where}: {name} {value:g} is not between 0 and {100 if tracked.percent else 1}; {fix}")
    return share


# --- Curves -----------------------------------------------------------------------------------------------------------


def history_of(run: TrackedRun) -> tuple[History | None, list[str]]:
    """The epochs of a run, from its curves of loss and accuracy on training and validation examples.

    Steps that count 0, 1, ... or 1, 2, ... are epochs. Others are batches: then every measurement on validation
    examples ends an epoch, which has the last training value until there.

    Args:
      run: the run.

    Raises:
      DataError: more steps than epochs can be.
    """
    columns, notes = _columns(run)
    if not columns:
        return None, notes
    steps = sorted({step for of in columns.values() for step in of})
    if len(steps) > _MOST_EPOCHS:
        raise DataError(f"{run.where}: curves of {len(steps):,} steps; log once an epoch")
    first = 0 if steps[0] == 0 else 1
    if steps == list(range(first, first + len(steps))):
        ends = steps
    else:
        measured = sorted({step for name, of in columns.items() if name.startswith("validation") for step in of})
        ends = measured or steps
        what = "measurements on validation examples" if measured else "logged steps"
        notes.append(f"Curves: their steps are no epochs; the {what} are numbered 1, 2, ...")
    found = {name: np.full(len(ends), np.nan) for name in HISTORY_COLUMNS}
    for name, of in columns.items():
        known = np.array(sorted(of))
        at = np.searchsorted(known, ends, side="right") - 1
        values = np.array([of[int(step)] for step in known])
        since = np.concatenate([[-np.inf], ends[:-1]])  # the end of the epoch before
        fresh = (at >= 0) & (known[np.maximum(at, 0)] > since)
        found[name][fresh] = values[at[fresh]]
    return History(found), notes


def _columns(run: TrackedRun) -> tuple[dict[str, Mapping[int, float]], list[str]]:
    """The curves by the columns of a history."""
    of_column: dict[str, list[str]] = {}
    for name in run.curves:
        words, split = set(_words(name)), split_of(name)
        kind = (
            "accuracy" if is_accuracy(name) else "loss" if "loss" in words and not words & (_OTHER - {"loss"}) else None
        )
        if kind and split in ("train", "validation") and not words & _CHOSEN:
            of_column.setdefault(f"{split}_{kind}", []).append(name)
    found, notes = {}, []
    for column, names in of_column.items():
        once = [name for name in names if not set(_words(name)) & _OF_STEPS] or names
        by_epoch = [name for name in once if "epoch" in _words(name)] if len(once) > 1 else once
        if len(by_epoch) != 1:
            notes.append(f"Curves: {', '.join(names[:4])} are all the {column.replace('_', ' ')}; none is shown.")
            continue
        found[column] = run.curves[by_epoch[0]]
    return found, notes
