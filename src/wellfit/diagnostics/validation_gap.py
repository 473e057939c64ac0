"""Whether validation accuracy agrees with test accuracy, and with training accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np

from wellfit.base import FloatArray
from wellfit.diagnostics.observations import Observation, TrainedVariant
from wellfit.narrative.phrases import points

__all__ = ["validation_above_training", "validation_against_test"]

_EASIER: Final = 0.02
_UNLIKE: Final = 0.03  # selection cannot put validation this far below the test: the two sets differ


def validation_against_test(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], examples: tuple[int, int]
) -> Observation | None:
    """Validation accuracy that differs from test accuracy by more than chance, judged over all seeds.

    The difference is the mean over the seeds of validation minus test accuracy at the readout. Three sources of chance
    count: the seeds, and the draw of either set, which all seeds share:

        mean +- sqrt(t(S - 1)**2 sd**2 / S + z**2 (p (1 - p) / n_validation + q (1 - q) / n_test))

    It is reported if the interval at ``1 - 0.05 / V`` lies above 0, with V variants tested, and shown at 95 %.
    Selecting the epoch is one cause; a test set that is harder, or drawn from elsewhere, is the other. This check
    cannot separate them (``validation-optimism``). If the difference lies below -3 points, selection cannot be the
    cause: the two sets differ (``validation-unlike-test``). Assumes independent examples. Source: Cawley &
    Talbot (2010), JMLR 11:2079-2107.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      examples: sizes of the validation and the test set; with a 0 nothing is reported.

    Example:
      >>> from wellfit.base import History, Recipe, RunSummary
      >>> read = {"validation_accuracy": 0.95, "test_accuracy": 0.9}
      >>> rest = dict.fromkeys(["epochs", "readout_epoch", "best_epoch", "overfit_onset", "seconds", "train_accuracy"])
      >>> rest |= dict.fromkeys(["train_loss", "validation_loss", "test_loss"])
      >>> rows = {s: RunSummary(seed=s, state="finished", **read, **rest) for s in range(3)}
      >>> runs = {s: History({"validation_loss": np.ones(1)}) for s in rows}
      >>> a = TrainedVariant("a", Recipe(), runs, dict.fromkeys(rows, "finished"), rows)
      >>> validation_against_test(a, [a], (1000, 1000)).evidence
      'validation accuracy is 95.0 %, and test accuracy, 90.0 %, is 5.0 points [2.7, 7.3] lower'
    """
    validation, test = variant.scores("validation_accuracy"), variant.scores("test_accuracy")
    pairs = [(validation[s], test[s]) for s in validation if s in test]
    if len(pairs) < 2 or min(examples) <= 0:
        return None
    both = np.array(pairs).T  # (2, S)
    mean = float(np.mean(both[0] - both[1]))
    strict, half = (_half_width(both, examples, alpha) for alpha in (0.05 / max(1, len(variants)), 0.05))
    evidence = (
        f"validation accuracy is {100 * both[0].mean():.1f} %, and test accuracy, {100 * both[1].mean():.1f} %, is "
        f"{points(abs(mean))} points [{points(abs(mean) - half)}, {points(abs(mean) + half)}]"
    )
    if mean + strict < -_UNLIKE:
        return _unlike(variant, f"{evidence} higher", -mean)
    if mean <= strict:
        return None
    rule = variant.recipe.early_stopping
    selected = "; its epoch was chosen on validation" if rule is not None and rule.restore_best_weights else ""
    fix = (
        "Report the test accuracy. Validation accuracy is for comparing variants; it overstates the accuracy of "
        "whatever was chosen by it, unless this test set is simply harder."
    )
    claim = "did better in validation than on the test set"
    return Observation("validation-optimism", "info", variant.name, claim, f"{evidence} lower{selected}", fix, mean)


def validation_above_training(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], validation: int
) -> Observation | None:
    """Validation accuracy above training accuracy, both measured alike, by more than chance and 2 points.

    Training examples are the ones that were fitted, so the validation examples must be easier: their labels are clean
    and the training labels noisy, or they come from elsewhere, or the split put copies and easy groups on one side.
    The interval is that of ``validation_against_test`` with the validation set as the one draw.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      validation: size of the validation set; with 0 nothing is reported.

    Example:
      >>> from wellfit.base import History, Recipe
      >>> last = {"train_accuracy": np.array([0.7]), "validation_accuracy": np.array([0.9])}
      >>> runs = {s: History(last) for s in range(3)}
      >>> a = TrainedVariant("a", Recipe(label_noise=0.2), runs, dict.fromkeys(runs, "finished"), {})
      >>> validation_above_training(a, [a], 1000).evidence[:72]
      'validation accuracy is 90.0 %, 20.0 points [18.1, 21.9] above training a'
    """
    train, held_out = variant.scores("train_accuracy"), variant.scores("validation_accuracy")
    pairs = [(held_out[s], train[s]) for s in held_out if s in train]
    if len(pairs) < 2 or not validation:
        return None
    both = np.array(pairs).T  # (2, S)
    mean = float(np.mean(both[0] - both[1]))
    strict, half = (_half_width(both, (validation, 10**9), a) for a in (0.05 / max(1, len(variants)), 0.05))
    if mean <= max(strict, _EASIER):
        return None
    evidence = (
        f"validation accuracy is {100 * both[0].mean():.1f} %, {points(mean)} points [{points(mean - half)}, "
        f"{points(mean + half)}] above training accuracy"
    )
    noise, claim = variant.recipe.label_noise, "did better in validation than in training"
    if noise > 0:
        evidence += f"; {100 * noise:.0f} % of its training labels are replaced"
        return Observation("validation-above-training", "info", variant.name, claim, evidence, "", mean)
    fix = (
        "The validation examples are easier than those it was trained on: see whether they come from elsewhere or are "
        "copies (wellfit audit), or split again: --set data.split_seed=1"
    )
    return Observation("validation-above-training", "warning", variant.name, claim, evidence, fix, mean)


def _unlike(variant: TrainedVariant, evidence: str, strength: float) -> Observation:
    fix = (
        "The two sets differ, so choices made on validation may be wrong. Compare them (wellfit audit), or split "
        "again: --set data.split_seed=1"
    )
    claim = "did much worse in validation than on the test set"
    return Observation("validation-unlike-test", "warning", variant.name, claim, evidence, fix, strength)


def _half_width(both: FloatArray, examples: tuple[int, int], alpha: float) -> float:
    """The half-width of the ``1 - alpha`` interval of the mean difference of two rows of accuracies.  # (2, S)"""
    from scipy.special import ndtri, stdtrit

    runs, shares = both.shape[1], both.mean(axis=1)  # (2,)
    sets = float(np.sum(shares * (1 - shares) / np.array(examples)))
    seeds = float(np.var(both[0] - both[1], ddof=1)) / runs
    return sqrt(float(stdtrit(runs - 1, alpha / 2)) ** 2 * seeds + float(ndtri(alpha / 2)) ** 2 * sets)
