"""Whether the classes are the trouble: a variant predicts one alone, or the inputs do not predict them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Final

import numpy as np

from wellfit.analysis.curves import stacked
from wellfit.analysis.smoothing import smooth
from wellfit.base import BALANCED, Finding, FloatArray, IntArray
from wellfit.diagnostics.chance import hardly_learned, loss_at_chance
from wellfit.diagnostics.observations import Observation, TrainedVariant
from wellfit.narrative.options import new_variant_option
from wellfit.narrative.phrases import listed, mean_percent, points

__all__ = ["Classes", "accuracy_hides_recall", "majority_guess", "unrelated_labels"]

_IMBALANCED: Final = 0.6  # of the examples in one class: accuracy says little about the others
_NO_RECALL: Final = 0.1  # of the examples of the other classes: they are as good as never predicted
_RELEVANT: Final = 0.05  # of mean recall
_PRECISE: Final = 0.1  # two standard errors of the accuracy on held-out examples
_MEMORIZED: Final = 0.95  # training accuracy
_BETTER: Final = 0.98  # of the loss at chance: a validation loss below it was no chance


@dataclass(frozen=True, eq=False)
class Classes:
    """What is known of the classes; empty if nothing is.

    Args:
      names: in the order of the labels.
      counts: training examples of each class.  # (K,)
      confusion: variant -> test counts summed over its runs.  # (K, K) [true, predicted]
    """

    names: tuple[str, ...] = ()
    counts: Sequence[int] = ()
    confusion: Mapping[str, IntArray] = field(default_factory=dict)

    def recalls(self, variant: str) -> FloatArray | None:
        """The recall of every class with test examples, NaN for others; None if it was not tested.  # (K,)"""
        counts = self.confusion.get(variant)
        if counts is None:
            return None
        total = counts.sum(axis=1)
        recalls: FloatArray = np.where(total > 0, np.diag(counts) / np.maximum(total, 1), np.nan)
        return recalls


def majority_guess(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float, classes: Classes, validation: int
) -> Observation | None:
    """A variant that predicts the most frequent class nearly always, where that class has 60 % of the examples or more.

    Judged by recall on the test set: the other classes' mean recall is at most 10 %. Before the test, by accuracy:
    validation accuracy is within two standard errors of always predicting that class, and training accuracy makes less
    than a quarter of the way from there to a perfect score. The remedy weighs every class by the inverse of its
    frequency, as scikit-learn's "balanced" does.

    Source: He & Garcia (2009), "Learning from imbalanced data", IEEE Trans. Knowl. Data Eng. 21:1263-1284.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.
      classes: what is known of them.
      validation: size of the validation set; 0 if unknown.

    Example:
      >>> from wellfit.base import History, Recipe
      >>> known = Classes(("no", "yes"), (970, 30), {"a": np.array([[97, 0], [3, 0]])})
      >>> runs = {0: History({"train_accuracy": np.array([0.97]), "validation_accuracy": np.array([0.97])})}
      >>> a = TrainedVariant("a", Recipe(), runs, {0: "finished"}, {})
      >>> majority_guess(a, [a], 0.97, known, 100).fix.partition(": ")[2]
      '--set "variants.weighted.class_weights=balanced"'
    """
    if chance < _IMBALANCED or variant.recipe.class_weights or not variant.sound:
        return None
    recalls, accuracies = classes.recalls(variant.name), list(variant.scores("validation_accuracy").values())
    evidence = (
        f"validation accuracy is {mean_percent(accuracies)}, and always predicting the most frequent class gives "
    )
    evidence += f"{100 * chance:.1f} %"
    if recalls is not None:
        others = np.delete(recalls, int(np.argmax(classes.confusion[variant.name].sum(axis=1))))
        if not float(np.nanmean(others)) <= _NO_RECALL:
            return None
        evidence += f"; the recall of the other classes is {mean_percent([float(np.nanmean(others))])} on the test set"
    else:
        error = 2 * sqrt(chance * (1 - chance) / validation) if validation else 0.0
        way = (variant.score("train_accuracy") - chance) / (1 - chance) if chance < 1 else 1.0
        if abs(float(np.mean(accuracies)) - chance) > error or way > 0.25:
            return None
    return Observation(
        code="majority-guess",
        level="warning",
        variant=variant.name,
        claim="predicted the most frequent class nearly always",
        evidence=evidence,
        fix=f"Weight the classes, and compare by mean recall, not by accuracy{_weighted(variants)}",
        strength=1.0,
    )


def _weighted(variants: Sequence[TrainedVariant]) -> str:
    if any(v.recipe.class_weights for v in variants):
        return f", as {listed([v.name for v in variants if v.recipe.class_weights])} does."
    return f": {new_variant_option('weighted', {'class_weights': 'balanced'})}"


def unrelated_labels(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float, examples: tuple[int, int]
) -> Observation | None:
    """Training learns, and validation and test stay at chance in every variant: the inputs do not predict the labels.

    Training accuracy is clearly above chance: by a tenth of the way to a perfect score, and by two standard errors of
    an accuracy at chance on the held-out examples (validation, and the test set once it is opened). In no variant are
    these examples classified better than that, nor is the smoothed mean validation loss ever below 98 % of the loss at
    chance. From a training accuracy of 95 % on, the network is said to have memorized its examples. Two standard
    errors must be 10 points at most: with fewer held-out examples, chance looks like this too often.

    Source: Zhang et al. (2017), "Understanding deep learning requires rethinking generalization", arXiv:1611.03530,
    on networks that fit random labels.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.
      chance: accuracy of always predicting the most frequent class.
      examples: sizes of the validation and the test set; 0 if unknown.

    Example:
      >>> from wellfit.base import History, Recipe
      >>> columns = {"train_accuracy": 0.8, "validation_accuracy": 0.34, "validation_loss": 1.3}
      >>> runs = {0: History({name: np.full(9, value) for name, value in columns.items()})}
      >>> a = TrainedVariant("a", Recipe(), runs, {0: "finished"}, {})
      >>> unrelated_labels(a, [a], 1 / 3, (100, 0)).code
      'labels-unrelated'
    """
    if not examples[0] or not variant.sound or hardly_learned(variant, (variant,), chance):
        return None
    train, seen = variant.score("train_accuracy"), [v for v in variants if v.sound]
    held_out = sum(examples) if all(v.scores("test_accuracy") for v in seen) else examples[0]
    error = 2 * sqrt(chance * (1 - chance) / held_out)
    if error > _PRECISE or train < chance + error or any(_generalizes(v, chance, error, examples) for v in seen):
        return None
    evidence = (
        f"training accuracy ends at {mean_percent(variant.scores('train_accuracy').values())}, but validation accuracy "
        f"at {mean_percent(variant.scores('validation_accuracy').values())}, and guessing gives {100 * chance:.1f} %; "
        f"validation loss was never clearly below {loss_at_chance(chance):.3g}, that of guessing, in any variant"
    )
    fix = (
        "Check that every label belongs to its row: inputs and labels may have been sorted, shuffled or joined "
        "separately (wellfit audit). If they are right, these inputs do not predict the classes."
    )
    claim = "learned nothing that holds for other examples"
    if train >= _MEMORIZED:
        claim = "memorized its training examples and learned nothing else"
    return Observation("labels-unrelated", "error", variant.name, claim, evidence, fix, train - chance)


def _generalizes(variant: TrainedVariant, chance: float, error: float, examples: tuple[int, int]) -> bool:
    """Whether it classifies held-out examples better than by chance, now or at any epoch."""
    lowest = float(smooth(stacked(variant.sound.values(), "validation_loss")).mean(axis=0).min())
    scores, sizes = [variant.score("validation_accuracy")], [examples[0]]
    if variant.scores("test_accuracy"):
        scores, sizes = [*scores, variant.score("test_accuracy")], [*sizes, examples[1]]
    return float(np.average(scores, weights=sizes)) > chance + error or lowest < _BETTER * loss_at_chance(chance)


def accuracy_hides_recall(variants: Sequence[TrainedVariant], chance: float, classes: Classes) -> Finding | None:
    """A variant with a lower accuracy finds the rare classes better than the one with the highest accuracy.

    Where one class has 60 % of the examples or more, and the mean recall over the classes differs by 5 points or more.

    Source: Brodersen et al. (2010), "The balanced accuracy and its posterior distribution", ICPR.

    Args:
      variants: of the study.
      chance: accuracy of always predicting the most frequent class.
      classes: what is known of them.

    Example:
      >>> accuracy_hides_recall([], 0.99, Classes()) is None
      True
    """
    tested = {v.name: recalls for v in variants if (recalls := classes.recalls(v.name)) is not None}
    if chance < _IMBALANCED or len(tested) < 2:
        return None
    accuracy = {name: np.trace(classes.confusion[name]) / classes.confusion[name].sum() for name in tested}
    mean = {name: float(np.nanmean(recalls)) for name, recalls in tested.items()}
    accurate, balanced = max(accuracy, key=accuracy.__getitem__), max(mean, key=mean.__getitem__)
    if mean[balanced] - mean[accurate] < _RELEVANT:
        return None
    message = (
        f"{balanced} has the highest mean recall over the classes, {100 * mean[balanced]:.1f} %, and {accurate}, with "
        f"the highest accuracy, {100 * mean[accurate]:.1f} %. {100 * chance:.1f} % of the test examples belong to one "
        f"class, so {balanced}'s accuracy, {points(accuracy[accurate] - accuracy[balanced])} points lower, mostly "
        "counts errors in that class."
    )
    fix = f"Compare the variants by the mean recall of all classes instead: {BALANCED}"
    return Finding("accuracy-hides-recall", "warning", message, fix)
