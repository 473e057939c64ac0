"""Whether validation told what the test says."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from wellfit.analysis.cases import Case, Seen
from wellfit.analysis.words import points

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
    apart = np.array([v - t for v, t in pairs])  # (S,)
    p, q = (float(np.mean(column)) for column in zip(*pairs, strict=True))
    sets = p * (1 - p) / examples[0] + q * (1 - q) / examples[1]
    seeds = float(np.var(apart, ddof=1)) / len(apart)

    def half(level_of: float) -> float:
        z, t = float(norm.isf(level_of / 2)), float(student.isf(level_of / 2, len(apart) - 1))
        return sqrt(t * t * seeds + z * z * sets)

    mean = float(apart.mean())
    sure = half(0.05 / max(1, len(all_seen)))
    bounds = f"{points(abs(mean))} points [{points(abs(mean) - half(0.05))}, {points(abs(mean) + half(0.05))}]"
    if mean + sure < -UNLIKE:
        return Case(
            "validation-unlike-test",
            "warning",
            seen.name,
            f"validation accuracy is {100 * p:.1f} % and test accuracy {100 * q:.1f} %, {bounds} more",
            "The two sets are not drawn alike, so what validation chose may be wrong: compare them (wellfit audit), or "
            "split again: --set data.split_seed=1.",
            -mean,
            "are much worse in validation than in the test",
        )
    if mean <= sure:
        return None
    rule = seen.recipe.early_stopping
    chosen = ", and its epoch was chosen by validation" if rule is not None and rule.restore_best_weights else ""
    return Case(
        "validation-optimism",
        "info",
        seen.name,
        f"validation accuracy is {100 * p:.1f} % and test accuracy {100 * q:.1f} %, {bounds} less{chosen}",
        "Report the test accuracy. Validation compares variants with each other; what was chosen by it is flattered, "
        "or this test set is the harder one.",
        mean,
        "are better in validation than in the test",
    )
