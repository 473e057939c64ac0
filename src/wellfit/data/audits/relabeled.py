"""Whether the labels of a held-out set mean other classes, for example because they are counted from 1."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Finding
from wellfit.data.audits.features import Features
from wellfit.data.audits.sets import ExampleSet, Floats, Sets, distances, some_of
from wellfit.data.parts import listed

__all__ = ["shifted_labels"]

_EXAMPLES: Final = 5000  # of each set
_FEWEST: Final = 5  # examples of a class in each set
_NOISE: Final = 5.0  # squared distance of the means, in units of what sampling explains
_CLOSER: Final = 4.0  # factor by which the right labels reduce it
_MOST: Final = 200  # classes
_WHOLE: Final = re.compile(r"-?\d+")


def shifted_labels(sets: Sets, held: ExampleSet) -> Finding | None:
    """Find labels of a held-out set that are shifted by a constant, or otherwise stand for other classes.

    Args:
      held: the test set or the given validation set.
    """
    names = sets.dataset.classes
    shift = _shift_of_names(sets, held)
    pairs = _matched(sets, held)
    moved = [(a, b) for a, b in pairs if a != b]
    if not shift and not moved:
        return None
    differences = {int(names[a]) - int(names[b]) for a, b in moved} if all(map(_WHOLE.fullmatch, names)) else set()
    if len(differences) == 1 and len(moved) == len(pairs):
        shift = differences.pop()
    evidence = ""
    if moved:
        shown = listed([f"{names[a]} looks like {names[b]} of the training set" for a, b in moved], 3)
        evidence = f"by the class means, {shown} ({len(moved)} of {len(pairs)} classes)"
    if shift:
        present, trained = (np.unique(part.y) for part in (held, sets.training))
        spans = ", ".join(f"{names[p[0]]} to {names[p[-1]]} in {where}" for p, where in (
            (trained, "the training set"), (present, f"the {held.name} set")))  # fmt: skip
        message = f"The {held.name} labels are shifted by {shift}: labels range from {spans}"
        message += f"; {evidence}." if evidence else "."
        fix = f"Count the labels of both sets from the same number: use y_{held.name} {'-' if shift > 0 else '+'} "
        fix += f"{abs(shift)}."
    else:
        message = f"The {held.name} labels mean other classes: {evidence}."
        fix = "Number the classes of both sets in the same order, or give labels as names."
    return Finding("labels-shifted-between-splits", "error", message, fix)


def _shift_of_names(sets: Sets, held: ExampleSet) -> int:
    """The number by which the held-out set's labels, all whole numbers, exceed the training labels; 0 if none."""
    names = sets.dataset.classes
    if not all(map(_WHOLE.fullmatch, names)):
        return 0
    trained, present = (sorted(int(names[k]) for k in np.unique(part.y)) for part in (sets.training, held))
    if len(trained) != len(present):
        return 0
    differences = {b - a for a, b in zip(trained, present, strict=True)}
    return differences.pop() if len(differences) == 1 else 0


def _matched(sets: Sets, held: ExampleSet) -> list[tuple[int, int]]:
    """Pairs (label in the held-out set, class of the training set with the same mean), if that is far more plausible.

    Empty if the means agree as given, or if no other assignment is much better.
    """
    from scipy.optimize import linear_sum_assignment

    trained, shown = some_of(sets.training, _EXAMPLES), some_of(held, _EXAMPLES)
    y, held_y = trained.y, shown.y
    ours, theirs = _common(y), _common(held_y)
    if not 2 <= len(theirs) <= len(ours) <= _MOST:
        return []
    features = Features(sets, trained.x)
    train, other = features.of(trained.x), features.of(shown.x)
    means, held_means = _means(train, y, ours), _means(other, held_y, theirs)  # (K, D), (L, D)
    within = float(np.mean([((train[y == k] - m) ** 2).sum(axis=1).mean() for k, m in zip(ours, means, strict=True)]))
    if not within > 0:
        return []
    n, m = (np.array([(labels == k).sum() for k in which]) for labels, which in ((y, ours), (held_y, theirs)))
    weights = n[None, :] * m[:, None] / (n[None, :] + m[:, None])  # (L, K)
    cost = weights * distances(held_means, means) / within  # (L, K)
    at, to = linear_sum_assignment(cost)
    pairs = [(int(theirs[i]), int(ours[j])) for i, j in zip(at, to, strict=True)]
    moved = [i for i, (a, b) in enumerate(pairs) if a != b]
    if not moved:
        return []
    place = {int(k): j for j, k in enumerate(ours)}
    given = [float(cost[i, place[pairs[i][0]]]) for i in moved if pairs[i][0] in place]
    better = [float(cost[i, to[i]]) for i in moved if pairs[i][0] in place]
    if not given or np.mean(given) < _NOISE or np.mean(given) < _CLOSER * np.mean(better):
        return []
    return pairs


def _common(labels: NDArray[np.integer]) -> NDArray[np.integer]:
    """The classes with enough examples."""
    return np.flatnonzero(np.bincount(labels) >= _FEWEST)


def _means(x: Floats, y: NDArray[np.integer], classes: NDArray[np.integer]) -> Floats:
    return np.stack([x[y == k].mean(axis=0) for k in classes])
