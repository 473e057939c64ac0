"""Data sets that are computed: the two cosine curves."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.assemble import RawData
from wellfit.errors import DataError

__all__ = ["POINTS", "cosines", "distance_of"]

POINTS: Final = 1000  # of each class, in the training and in the test set
_TRAIN, _TEST = 1, 2  # streams of the same seed; [seed, 0] is seed itself, which the split is drawn from
_FARTHEST: Final = 1e6


def cosines(a: float = 1.0, *, points: int = POINTS, seed: int = 0) -> RawData:
    """Points on two cosine curves: class 0 on ``x2 = cos(x1)``, class 1 on ``x2 = a + cos(x1)``.

    ``x1`` is uniform on [-pi, pi]. Training and test set come from two streams of the same seed, and neither depends on
    ``a``: another distance moves the upper curve and nothing else.

    Args:
      a: the distance of the curves.
      points: of each class, in each of the two sets.
      seed: of the points.

    Returns:
      Both sets, float32 (2 points, 2), the rows of class 0 first.

    Raises:
      DataError: a distance that is not a number, or farther than a million.

    Example:
      >>> raw = cosines(2.0)
      >>> raw.x_train.shape, raw.labels_train[:2].tolist(), raw.labels_train[-2:].tolist()
      ((2000, 2), [0, 0], [1, 1])
    """
    if not abs(a) <= _FARTHEST:  # so put, NaN is refused too
        raise DataError(f"cosines:{a:g}: the curves are at most {_FARTHEST:g} apart; give a number, as cosines:2")
    x_train, labels_train = _points(a, points, seed, _TRAIN)
    x_test, labels_test = _points(a, points, seed, _TEST)
    return RawData(x_train, labels_train, x_test, labels_test, "cosines (training)", "cosines (test)")


def _points(a: float, points: int, seed: int, stream: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    generator = np.random.Generator(np.random.PCG64([seed, stream]))
    x1 = generator.uniform(-np.pi, np.pi, 2 * points)  # (2 points,)
    labels = np.repeat(np.array([0, 1], np.int32), points)  # (2 points,)
    x2 = a * labels + np.cos(x1)  # (2 points,)
    return np.stack([x1, x2], axis=1).astype(np.float32), labels  # (2 points, 2), (2 points,)


def distance_of(name: str) -> float | None:
    """The distance that a data set's name asks for: ``"cosines"`` or ``"cosines:DISTANCE"``; None for other names.

    Args:
      name: of a data set.

    Raises:
      DataError: what follows the colon is not a number.

    Example:
      >>> distance_of("cosines"), distance_of("cosines:0.5"), distance_of("digits")
      (1.0, 0.5, None)
    """
    kind, colon, distance = name.partition(":")
    if kind != "cosines":
        return None
    try:
        value = float(distance) if colon else 1.0
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{name}: {distance!r} is not a distance of two curves; give a number, as cosines:2")
    return value
