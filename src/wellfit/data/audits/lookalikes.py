"""Images of different splits that are nearly the same, for example brightened, noisy or encoded again.

Reduced images, with mean 0 and norm 1, are compared. An image counts as a copy if another split has one at less than a
quarter of the usual distance between nearest neighbors, and of the distance to the tenth nearest. That holds for 12 of
10,000 test images of Fashion-MNIST, for none of MNIST and the digits, and for nearly all copies with 10 % more
brightness or contrast, or encoded as JPEG at quality 75.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Finding
from wellfit.data.audits.sets import ExampleSet, Floats, Sets, distances, pooled, sample, some_of

__all__ = ["near_duplicates"]

_SIDE: Final = 16  # larger images are reduced first
_DIRECTIONS: Final = 16  # principal components in which neighbors are searched
_MOST: Final = 60_000  # training images; of the other sets, a third
_CLOSE: Final = 0.25  # of the usual distance, and of that to the tenth neighbor
_CLOSEST: Final = 0.1  # and never more than this: a correlation of 0.995
_VERIFIED: Final = 200  # candidates compared with all training images
_USUAL: Final = 200  # images of each split whose nearest neighbor in the training set gives the usual distance
_SHARE: Final = 0.005  # fewer of a split's images hardly change a result
_FEWEST: Final = 50  # training images, below which there is no usual distance


def near_duplicates(sets: Sets) -> Iterator[Finding]:
    """Count validation and test images that are nearly, but not exactly, the same as a training image.

    Of many candidates, some are compared with all training images, and the count is an estimate.
    """
    if not sets.images or len(sets.training.y) < _FEWEST:
        return
    search = _Search(sets.training)
    found = []
    for part in (sets.validation, sets.test):
        count, checked = search.copies(part)
        if count >= max(2, _SHARE * checked):
            found.append(f"{count:,} of {checked:,} {part.name} images{'' if checked == len(part.y) else ' checked'}")
    if found:
        yield Finding(
            "near-duplicate-across-splits",
            "warning",
            f"Some images are nearly the same as a training image: {' and '.join(found)}, at less than a quarter of "
            "the usual distance to the nearest neighbor.",
            "Keep variants of one image in the same split, or remove them: the network can recognize what it has seen.",
        )


class _Search:
    """The training images, prepared for the search of near copies."""

    def __init__(self, training: ExampleSet) -> None:
        from scipy.spatial import cKDTree

        self.exact = set(training.hashes)
        self.train = _normalized(some_of(training, _MOST).x)  # (n, D)
        some = self.train[sample(len(self.train), 5000)]
        self.axes = np.linalg.eigh(some.T @ some)[1][:, -_DIRECTIONS:]  # (D, directions)
        self.tree = cKDTree(self.train @ self.axes)
        own = np.partition(distances(self.train[sample(len(self.train), _USUAL)], self.train), 1, axis=1)
        self.usual = float(np.median(np.sqrt(own[:, 1])))  # the nearest one is the image itself

    def copies(self, part: ExampleSet) -> tuple[int, int]:
        """The number of near copies, and of the images checked."""
        checked = some_of(part, _MOST // 3)
        other = np.array([h not in self.exact for h in checked.hashes], bool)  # (m,)
        held = _normalized(checked.x)  # (m, D)
        other &= (held * held).sum(axis=1) > 0.5  # not the images of a single color
        held = held[other]
        if not len(held):
            return 0, len(checked.y)
        nearest = np.sqrt(distances(held[sample(len(held), _USUAL)], self.train).min(axis=1))
        # Where most images are copies, their distances are little more than rounding; in the training set they are not.
        limit = min(_CLOSEST, _CLOSE * max(float(np.median(nearest)), self.usual))
        # A projection never lengthens a distance, so whatever is close is close in a few directions too.
        near = self.tree.query(held @ self.axes, k=8, distance_upper_bound=limit)[1]  # (m, 8), n where there is none
        candidates = [
            i for i in np.flatnonzero(near[:, 0] < len(self.train)) if self._closest(held[i], near[i]) < limit
        ]
        verified = [candidates[i] for i in sample(len(candidates), _VERIFIED)]
        right = self._standing_out(held[verified]) if verified else 0
        return round(right * len(candidates) / max(1, len(verified))), len(checked.y)

    def _closest(self, image: Floats, neighbors: NDArray[Any]) -> float:
        """The distance to the nearest of a few training images."""
        at = neighbors[neighbors < len(self.train)]
        return float(np.sqrt(((self.train[at] - image) ** 2).sum(axis=1).min()))

    def _standing_out(self, images: Floats) -> int:
        """The number of images whose nearest training image is much closer than the tenth nearest."""
        nearest = np.sqrt(np.partition(distances(images, self.train), 9, axis=1)[:, :10])  # (m, 10)
        return int((nearest.min(axis=1) < _CLOSE * nearest.max(axis=1)).sum())


def _normalized(x: NDArray[Any]) -> Floats:
    """Reduced images with mean 0 and norm 1, so that brightness and contrast do not count; 0 for a single color."""
    flat = pooled(x, _SIDE).reshape(len(x), -1)  # (n, D)
    flat -= flat.mean(axis=1, keepdims=True)
    norm = np.sqrt((flat * flat).sum(axis=1, keepdims=True))
    np.divide(flat, norm, out=flat, where=norm > 1e-6)
    return flat
