"""Generated data sets: the two cosine curves."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.parts import Part, RawData
from wellfit.errors import DataError

__all__ = ["POINTS", "cosines", "distance_of"]

POINTS: Final = 1000  # per class, in each of the training and the test set
_TRAIN, _TEST = 1, 2  # random streams of a seed; PCG64 treats [seed, 0] like seed, which the split uses
_FARTHEST: Final = 1e6


def cosines(a: float = 1.0, *, points: int = POINTS, seed: int = 0) -> RawData:
    """Points on two cosine curves: class 0 on ``x2 = cos(x1)``, class 1 on ``x2 = a + cos(x1)``.

    ``x1`` is uniform on [-pi, pi]. Training and test sets use two random streams of the same seed, and neither depends
    on ``a``: changing the distance only moves the upper curve.

    Args:
      a: vertical distance between the curves.
      points: points per class in each set.

    Returns:
      Both sets, float32 (2 points, 2), with class 0 first.

    Raises:
      DataError: a distance that is NaN or larger than a million.

    Example:
      >>> raw = cosines(2.0)
      >>> raw.train.x.shape, raw.train.labels[:2].tolist(), raw.train.labels[-2:].tolist()
      ((2000, 2), [0, 0], [1, 1])
    """
    if not abs(a) <= _FARTHEST:  # written so that NaN fails too
        raise DataError(
            f"cosines:{a:g}: the distance must be at most {_FARTHEST:g}; give a number, for example cosines:2"
        )
    x_train, labels_train = _points(a, points, seed, _TRAIN)
    x_test, labels_test = _points(a, points, seed, _TEST)
    return RawData(Part(x_train, labels_train, "cosines (training)"), Part(x_test, labels_test, "cosines (test)"))


def _points(a: float, points: int, seed: int, stream: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    generator = np.random.Generator(np.random.PCG64([seed, stream]))
    x1 = generator.uniform(-np.pi, np.pi, 2 * points)  # (2 points,)
    labels = np.repeat(np.array([0, 1], np.int32), points)  # (2 points,)
    x2 = a * labels + np.cos(x1)  # (2 points,)
    return np.stack([x1, x2], axis=1).astype(np.float32), labels  # (2 points, 2), (2 points,)


def distance_of(name: str) -> float | None:
    """Parse the distance in a name ``"cosines"`` or ``"cosines:DISTANCE"``; None for any other name.

    Raises:
      DataError: the text after the colon is not a finite number.

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
        raise DataError(f"{name}: {distance!r} is not a distance; give a number, for example cosines:2")
    return value
