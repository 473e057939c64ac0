"""Whether the images of a set are transposed, turned, flipped, shifted or inverted against the training images.

The mean images of the classes are compared. In sound data they differ by the noise of sampling alone, as given (ratio
about 1 to the expected noise); of 500 random splits of digits, MNIST and Fashion-MNIST, with as few as 20 test images,
none had a ratio above 2.5, and no transformation brought the means closer than by a twentieth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from wellfit.base import Finding
from wellfit.data.audits.sets import ExampleSet, Floats, Sets, pooled, some_of

__all__ = ["transformed_images"]

_SIDE: Final = 32  # larger images are reduced first
_EXAMPLES: Final = 10_000  # of each set
_CLASSES: Final = 100  # the first ones, in order of size in the held-out set
_FEWEST: Final = 10  # images
_NOISE: Final = 3.0  # squared distance of the means, in units of what sampling explains
_CLOSER: Final = 3.0  # factor by which the right transformation reduces it
_CLOSER_OVERALL: Final = 5.0  # the same for the mean over all classes, which can also differ by their proportions


def transformed_images(sets: Sets, held: ExampleSet) -> Finding | None:
    """Find a transformation after which a held-out set's mean images agree far better with the training set's.

    Args:
      held: the test set or the given validation set.
    """
    if not sets.images or len(held.y) < _FEWEST:
        return None
    (x, y), (held_x, held_y) = (_images(part) for part in (sets.training, held))
    spread, held_spread = float(x.std()), float(held_x.std())
    if not spread > 0 or not held_spread > 0:
        return None
    x, held_x = (x - x.mean()) / spread, (held_x - held_x.mean()) / held_spread  # brightness and contrast do not count
    by_class = _mean_distances(x, y, held_x, held_y)
    if by_class[""] < _NOISE:
        return None
    overall = _mean_distances(x, np.zeros_like(y), held_x, np.zeros_like(held_y))  # the labels may be wrong too
    best, factor = _best(by_class)
    best_overall, factor_overall = _best(overall)
    means, alike = "mean images by class lie", overall[""] < _NOISE  # alike: what differs may be the labels alone
    if factor < _CLOSER or by_class[best] > _NOISE:  # not all is explained
        if not alike and factor_overall > _CLOSER_OVERALL:
            best, factor, means = best_overall, factor_overall, "overall mean image lies"
        elif alike or factor < _CLOSER:
            return None
    what, array = _worded(best, held, sets.dataset.input_shape)
    return Finding(
        "images-transformed-between-splits",
        "error",
        f"The {held.name} images look {what}: undoing that, their {means} "
        f"{factor:.3g} times closer to the training images' ({len(held.y):,} images, squared distance).",
        f"Prepare both sets in the same way; if the {held.name} set is the wrong one, use {array}.",
    )


def _best(found: dict[str, float]) -> tuple[str, float]:
    """The transformation that brings the means closest, and by what factor."""
    best = min(found, key=lambda name: found[name])
    return best, found[""] / max(found[best], 1e-9)


def _images(part: ExampleSet) -> tuple[Floats, np.ndarray]:
    some = some_of(part, _EXAMPLES)
    return pooled(some.x, _SIDE), some.y


def _mean_distances(x: Floats, y: np.ndarray, held_x: Floats, held_y: np.ndarray) -> dict[str, float]:
    """The distance of the class means by transformation, in units of its expectation under equal distributions.

    With weights ``n m / (n + m)``, the expected squared distance of the two means of every class is its variance.
    """
    counts, held_counts = (np.bincount(labels, minlength=int(max(y.max(), held_y.max())) + 1) for labels in (y, held_y))
    shared = np.flatnonzero((counts > 0) & (held_counts > 0))
    shared = shared[np.argsort(-held_counts[shared], kind="stable")][:_CLASSES]  # (k,)
    if not len(shared) or len(y) <= len(counts):
        return {"": 0.0}
    n, m = counts[shared], held_counts[shared]
    means, held_means = _means(x, y, shared), _means(held_x, held_y, shared)  # (k, C, h, w)
    every = _means(x, y, np.flatnonzero(counts))
    within = float((x * x).sum(dtype=np.float64)) - float((counts[counts > 0] * (every**2).sum(axis=(1, 2, 3))).sum())
    noise = len(shared) * within / (len(y) - int((counts > 0).sum()))
    if not noise > 0:
        return {"": 0.0}
    weights = n * m / (n + m)  # (k,)
    return {
        name: float((weights * ((turned - means) ** 2).sum(axis=(1, 2, 3), dtype=np.float64)).sum()) / noise
        for name, turned in _transformations(held_means)
    }


def _means(x: Floats, y: np.ndarray, classes: np.ndarray) -> Floats:
    """The mean image of every class: ``(k, C, h, w)``."""
    return np.stack([x[y == k].mean(axis=0) for k in classes])


def _transformations(z: Floats) -> Iterator[tuple[str, Floats]]:
    """Images as given, named "", and transformed in every way that is tried, named by what undoes it."""
    yield "", z
    if z.shape[2] == z.shape[3]:
        yield "transposed", z.swapaxes(2, 3)
        yield "transposed along the other diagonal", np.rot90(z, 2, (2, 3)).swapaxes(2, 3)
        yield "rotated by 90° clockwise", np.rot90(z, 1, (2, 3))
        yield "rotated by 90° counterclockwise", np.rot90(z, 3, (2, 3))
    yield "rotated by 180°", np.rot90(z, 2, (2, 3))
    yield "flipped left to right", z[:, :, :, ::-1]
    yield "flipped upside down", z[:, :, ::-1]
    yield "inverted", -z
    if z.shape[1] == 3:
        yield "in BGR order", z[:, ::-1]
    far = max(1, min(z.shape[2:]) // 4)
    for down in range(-far, far + 1):
        for right in range(-far, far + 1):
            if down or right:
                yield f"shifted {down} {right}", np.roll(z, (-down, -right), (2, 3))


def _worded(name: str, held: ExampleSet, shape: tuple[int, ...]) -> tuple[str, str]:
    """What happened to the images, and the array that undoes it."""
    x = "x_test" if held.name == "test" else "x_val"
    arrays = {
        "transposed": f"{x}.swapaxes(1, 2)",
        "transposed along the other diagonal": f"{x}.swapaxes(1, 2)[:, ::-1, ::-1]",
        "rotated by 90° clockwise": f"np.rot90({x}, 1, axes=(1, 2))",
        "rotated by 90° counterclockwise": f"np.rot90({x}, -1, axes=(1, 2))",
        "rotated by 180°": f"{x}[:, ::-1, ::-1]",
        "flipped left to right": f"{x}[:, :, ::-1]",
        "flipped upside down": f"{x}[:, ::-1]",
        "inverted": f"the largest pixel value minus {x}",
        "in BGR order": f"{x}[..., ::-1]",
    }
    if name in arrays:
        return ("inverted, dark for light" if name == "inverted" else name), arrays[name]
    scale = [-(-size // _SIDE) for size in shape[:2]]
    down, right = (int(cells) * factor for cells, factor in zip(name.split()[1:], scale, strict=True))
    moves = [
        f"{abs(by)} {'pixel' if abs(by) == 1 else 'pixels'} {words[by > 0]}"
        for by, words in ((down, ("up", "down")), (right, ("left", "right")))
        if by
    ]
    about = "about " if max(scale) > 1 else ""
    return f"shifted by {about}{' and '.join(moves)}", f"np.roll({x}, ({-down}, {-right}), axis=(1, 2))"
