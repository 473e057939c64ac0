"""Whether validation told what the test says."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from wellfit.base import FloatArray
from wellfit.diagnostics.cases import Case, Seen
from wellfit.narrative.words import points

__all__ = ["validation_against_test"]

UNLIKE: Final = 0.03  # validation so far below the test is no mischance of choosing: the two sets are not alike


def validation_against_test(seen: Seen, all_seen: Sequence[Seen], examples: tuple[int, int]) -> Case | None:
    """Validation accuracy that differs from test accuracy by more than chance, judged over the seeds together.

    The difference is the mean over the seeds of validation minus test accuracy where the run was read. Three sources of
    chance: the seeds, and the draw of either set, which all seeds share:

        mean +- sqrt(t(S - 1)**2 sd**2 / S + z**2 (p (1 - p) / n_validation + q (1 - q) / n_test))

    It is told where the interval at ``1 - 0.05 / V`` lies above 0, V variants being looked at, and shown at 95 %.
    Choosing the epoch is one cause; a test set that is harder, or drawn elsewhere, is the other, and the two cannot be
    told apart here (``validation-optimism``). Where it lies below -3 points, choosing cannot be the cause: the two sets
    are not alike (``validation-unlike-test``). Assumes independent examples. Source:
    Cawley & Talbot (2010), JMLR 11:2079-2107.

    Args:
      seen: the variant.
      all_seen: the study's, with this one.
      examples: of the validation and of the test set; nothing is told where one is 0.

    Example:
      >>> from wellfit.base import History, Recipe, RunSummary
      >>> read = {"validation_accuracy": 0.95, "test_accuracy": 0.9}
      >>> rest = dict.fromkeys(["epochs", "readout_epoch", "best_epoch", "overfit_onset", "seconds", "train_accuracy"])
      >>> rest |= dict.fromkeys(["train_loss", "validation_loss", "test_loss"])
      >>> rows = {s: RunSummary(seed=s, state="finished", **read, **rest) for s in range(3)}
      >>> runs = {s: History({"validation_loss": np.ones(1)}) for s in rows}
      >>> seen = Seen("a", Recipe(), runs, dict.fromkeys(rows, "finished"), rows)
      >>> validation_against_test(seen, [seen], (1000, 1000)).text
      'validation accuracy is 95.0 % and test accuracy 90.0 %, 5.0 points [2.7, 7.3] less'
    """
    validation, test = seen.scores("validation_accuracy"), seen.scores("test_accuracy")
    pairs = [(validation[s], test[s]) for s in validation if s in test]
    if len(pairs) < 2 or min(examples) <= 0:
        return None
    both = np.array(pairs).T  # (2, S)
    mean = float(np.mean(both[0] - both[1]))
    sure, half = (_half(both, examples, alpha) for alpha in (0.05 / max(1, len(all_seen)), 0.05))
    told = (
        f"validation accuracy is {100 * both[0].mean():.1f} % and test accuracy {100 * both[1].mean():.1f} %, "
        f"{points(abs(mean))} points [{points(abs(mean) - half)}, {points(abs(mean) + half)}]"
    )
    if mean + sure < -UNLIKE:
        return _unlike(seen, f"{told} more", -mean)
    if mean <= sure:
        return None
    rule = seen.recipe.early_stopping
    chosen = ", and its epoch was chosen on validation" if rule is not None and rule.restore_best_weights else ""
    return Case(
        "validation-optimism",
        "info",
        seen.name,
        f"{told} less{chosen}",
        "Report the test accuracy. Validation compares variants with each other; what was chosen by it is flattered, "
        "or this test set is the harder one.",
        mean,
        "are better in validation than in the test",
    )


def _unlike(seen: Seen, text: str, strength: float) -> Case:
    return Case(
        "validation-unlike-test",
        "warning",
        seen.name,
        text,
        "The two sets are not drawn alike, so what validation chose may be wrong: compare them (wellfit audit), or "
        "split again: --set data.split_seed=1",
        strength,
        "are much worse in validation than in the test",
    )


def _half(both: FloatArray, examples: tuple[int, int], alpha: float) -> float:
    """Half the width of the ``1 - alpha`` interval of the mean difference of two rows of accuracies.  # (2, S)"""
    runs, shares = both.shape[1], both.mean(axis=1)  # (2,)
    sets = float(np.sum(shares * (1 - shares) / np.array(examples)))
    seeds = float(np.var(both[0] - both[1], ddof=1)) / runs
    return sqrt(float(student.isf(alpha / 2, runs - 1)) ** 2 * seeds + float(norm.isf(alpha / 2)) ** 2 * sets)
