"""Whether the features predict the labels at all, and whether they still do in a held-out set.

Simple classifiers are tried: nearest neighbors and class means. Their agreement with the labels is compared with what
independent labels would give: the sum over the classes of (share of predictions) * (share of labels).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from wellfit.base import Finding, IntArray
from wellfit.data.audits.features import METHODS, Features, simple_predictions
from wellfit.data.audits.sets import ExampleSet, Floats, Sets, some_of

__all__ = ["features_without_signal", "unrelated_labels"]

_TRAIN: Final = 2000  # training examples to predict from
_HELD: Final = 2000  # held-out examples
_FEWEST: Final = 100  # training examples, below which a weak signal cannot be seen
_FEWEST_HELD: Final = 20  # examples
_FEWEST_F: Final = 10  # examples of a class in an F test
_MANY: Final = 1000  # training examples, from which on the absence of a signal is a warning
_SIGN: Final = 0.01  # probability of a false sign of a signal, over all methods together
_SURE: Final = 1e-6  # probability under which labels of a held-out set are said not to fit


@dataclass(frozen=True, eq=False)
class Agreement:
    """How often predictions agree with labels, class by class.

    Args:
      guessed: predictions of every class.  # (K,)
      there: labels of every class.  # (K,)
      both: examples of every class that are predicted as such.  # (K,)
    """

    guessed: IntArray
    there: IntArray
    both: IntArray

    @property
    def right(self) -> int:
        """The number of right predictions."""
        return int(self.both.sum())

    @property
    def total(self) -> int:
        """The number of examples."""
        return int(self.there.sum())

    @property
    def chance(self) -> float:
        """The share of right predictions if labels were independent of them."""
        return min(1.0, float(self.guessed.astype(np.float64) @ self.there) / self.total**2)

    @property
    def kappa(self) -> float:
        """Cohen's kappa: agreement beyond chance, 1 if perfect."""
        return (self.right / self.total - self.chance) / (1 - self.chance) if self.chance < 1 else 0.0

    @property
    def p(self) -> float:
        """The probability of such agreement by chance.

        It is that of the binomial tail of all agreement, or of Fisher's exact test of the class that stands out most,
        which also sees a rare class: twice the smaller one, with K tests of classes.
        """
        from scipy.stats import hypergeom

        of_class = float(hypergeom.sf(self.both - 1, self.total, self.there, self.guessed).min()) * len(self.there)
        return min(1.0, 2 * min(at_least(self.right, self.total, self.chance), of_class))


def agreement(predicted: IntArray, labels: IntArray, classes: int) -> Agreement:
    """Compare predictions with labels.

    Args:
      predicted, labels: classes, integers from 0.  # (m,)
      classes: number of classes.

    Example:
      >>> found = agreement(np.array([0, 1, 0, 1]), np.array([0, 1, 0, 1]), 2)
      >>> found.right, found.chance, round(found.p, 6)
      (4, 0.5, 0.125)
    """
    counts = (np.bincount(values, minlength=classes) for values in (predicted, labels, labels[predicted == labels]))
    return Agreement(*counts)


def at_least(right: int, total: int, share: float) -> float:
    """The probability of ``right`` or more successes among ``total``."""
    from scipy.special import betainc

    if not 0 < right <= total:
        return float(right <= 0)
    return float(betainc(right, total - right + 1, share))


def features_without_signal(sets: Sets) -> Iterator[Finding]:
    """Say that no simple classifier predicts the labels better than chance; a network may still learn them."""
    n = len(sets.training.y)
    if n < _FEWEST:
        return
    tried = _within(sets)
    sign = _SIGN / (len(tried) + 2)
    if min(a.p for a in tried) < sign or _single_features(sets) < sign or (forest := _forest(sets)).p < sign:
        return
    best = max((*tried, forest), key=lambda a: a.kappa)
    yield Finding(
        "features-without-signal",
        "warning" if n >= _MANY else "info",
        "There is no sign that the features predict the labels: of single features, nearest neighbors, class means and "
        f"a forest, the best predicts {100 * best.right / best.total:.1f} % of {best.total:,} held-out training "
        f"examples, and {100 * best.chance:.1f} % would be right by chance. A network may learn what these miss, but "
        "check the data.",
        "Check that examples and labels belong together: the same order, the same file, neither shuffled alone.",
    )


def _single_features(sets: Sets) -> float:
    """The probability of equal means in all classes: F tests of single features, times their number."""
    from scipy.special import fdtrc

    some = some_of(sets.training, 10 * _TRAIN)
    sizes = np.bincount(some.y)
    common = np.flatnonzero(sizes >= _FEWEST_F)
    rows = np.isin(some.y, common)
    if len(common) < 2:
        return 1.0
    y = np.searchsorted(common, some.y[rows])  # (n,)
    x = Features(sets, some.x[rows]).of(some.x[rows]).astype(np.float64)  # (n, D)
    n, k = sizes[common], len(common)
    means = np.stack([x[y == c].mean(axis=0) for c in range(k)])  # (K, D)
    between = n @ (means - x.mean(axis=0)) ** 2 / (k - 1)  # (D,)
    within = (((x - x.mean(axis=0)) ** 2).sum(axis=0) - (k - 1) * between) / max(1, len(y) - k)  # (D,)
    varied = x.std(axis=0) > 0
    if not varied.any():
        return 1.0
    f = between[varied] / np.maximum(within[varied], 1e-12 * between[varied] + 1e-300)
    return float(fdtrc(k - 1, len(y) - k, f).min()) * int(varied.sum())


def _halves(sets: Sets) -> tuple[Floats, IntArray, Floats, IntArray]:
    """Features and labels of two random halves of some training examples.

    Labels of one half do not depend on predictions by the other, so the binomial test is valid. In cross-validation,
    pairs of nearest neighbors would count twice.
    """
    some = some_of(sets.training, 2 * _TRAIN)
    half = np.random.Generator(np.random.PCG64([0, 21])).permutation(len(some.y)) % 2 == 0  # (n,)
    features = Features(sets, some.x[half])
    return features.of(some.x[half]), some.y[half], features.of(some.x[~half]), some.y[~half]


def _within(sets: Sets) -> list[Agreement]:
    """The agreement of every method within the training split."""
    train, y, held, held_y = _halves(sets)
    classes = len(sets.dataset.classes)
    return [agreement(row, held_y, classes) for row in simple_predictions(train, y, held, classes)]


def _forest(sets: Sets) -> Agreement:
    """The agreement of a random forest within the training split."""
    from sklearn.ensemble import RandomForestClassifier

    train, y, held, held_y = _halves(sets)
    forest = RandomForestClassifier(100, random_state=0, min_samples_leaf=3).fit(train, y)
    return agreement(forest.predict(held), held_y, len(sets.dataset.classes))


def unrelated_labels(sets: Sets, held: ExampleSet) -> Finding | None:
    """Find labels of a held-out set that do not fit its examples although those of the training set do.

    Args:
      held: the test set or the given validation set.
    """
    if len(held.y) < _FEWEST_HELD or len(sets.training.y) < _FEWEST_HELD:
        return None
    within = _within(sets)
    best = max(range(len(within)), key=lambda i: within[i].kappa)
    if within[best].p > _SURE:
        return None
    classes, some, other = len(sets.dataset.classes), some_of(sets.training, _TRAIN), some_of(held, _HELD)
    features = Features(sets, some.x)
    shown: Floats = features.of(other.x)
    found = agreement(simple_predictions(features.of(some.x), some.y, shown, classes)[best], other.y, classes)
    expected = found.chance + (1 - found.chance) * within[best].kappa
    halfway = (expected + found.chance) / 2
    if 1 - at_least(found.right + 1, found.total, halfway) > _SURE:
        return None
    by_chance = found.p > _SIGN
    return Finding(
        "labels-unrelated-in-split",
        "error" if by_chance else "warning",
        f"The {held.name} labels do not fit the {held.name} examples: {METHODS[best]} predicts "
        f"{100 * within[best].right / within[best].total:.1f} % of held-out training examples, but "
        f"{100 * found.right / found.total:.1f} % of {found.total:,} {held.name} examples"
        + (f", no more than by chance ({100 * found.chance:.1f} %)." if by_chance else "."),
        f"Check that {held.name} examples and labels are in the same order and prepared like the training set.",
    )
