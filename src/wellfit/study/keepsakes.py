"""What a study keeps of its data when the test set is opened, so that its report needs neither the data nor a network.

Pictures of test images that were got wrong, the first training examples of every class, a few rows of a table, and for
data with two features what every run says of each point of a grid.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.mistakes import count_mistakes, pictured, votes
from wellfit.base import Dataset, FloatArray, IntArray
from wellfit.engine.train import predict_proba
from wellfit.store import Store
from wellfit.study.outlook import Prepared
from wellfit.study.preview import class_rows
from wellfit.study.provenance import without_home
from wellfit.study.tested import answered_seeds, answers, probabilities

__all__ = ["are_images", "as_bytes", "cosine_distance", "keep"]

EXAMPLES: Final = 10  # of every class
ROWS: Final = 5  # of a table
COLUMNS: Final = 12  # of a table; more would not fit a page
POINTS: Final = 500
GRID: Final = 101  # values of each feature
PICTURES: Final = 4000
_BYTES: Final = 32 * 2**20  # that pictures may take; larger ones are kept in smaller number
_FORMAT: Final = 1  # of what is kept: another one is kept anew


def keep(store: Store, ready: Prepared, dataset: Dataset) -> None:
    """Keep of the data what a report shows, for all runs that were tested so far; nothing where that was done already.

    Args:
      store: the study, open for writing, its test set opened.
      ready: the study as it was prepared: its training examples, splits and scaling.
      dataset: the data; of these, the test examples that runs got wrong.

    Raises:
      StoreError: the disk is full or the directory not writable.
    """
    runs = answered_seeds(store)
    told = json.dumps([_FORMAT, ready.splits.hash, sorted(store.runs.test_scores().items())])
    identity = hashlib.sha256(told.encode()).hexdigest()
    before = store.keepsakes.load()
    if not runs or (before is not None and before[1]["of"] == identity):
        return
    arrays = _counts(ready, dataset)
    facts: dict[str, Any] = {
        "of": identity,
        "title": ready.dataset.title,
        "source": without_home(ready.dataset.source),
        "shape": list(dataset.input_shape),
        "rows": [],
        "distance": None,
    }
    if are_images(dataset.input_shape):
        arrays |= _mistaken(store, runs, dataset) | {"examples": _examples(ready.dataset)}
    elif len(dataset.input_shape) == 1:
        facts["rows"] = _rows(ready)
    if dataset.input_shape == (2,):
        arrays |= _regions(store, ready)
        facts["distance"] = cosine_distance(ready.dataset.x_train, ready.dataset.y_train)
    store.keepsakes.save(arrays, facts)


def are_images(shape: tuple[int, ...]) -> bool:
    """Whether examples of a shape can be shown as pictures: (H, W), or (H, W, C) with 1, 3 or 4 channels.

    Example:
      >>> are_images((28, 28)), are_images((32, 32, 3)), are_images((4,)), are_images((8, 8, 2))
      (True, True, False, False)
    """
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))


def as_bytes(images: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Images as bytes, ``low`` black and ``high`` white.

    The range is the data's own: from 0 to the largest value that a pixel can take, so that bytes stay as they are and
    the 16 shades of the embedded digits span black to white; where that is unknown, from the smallest to the largest
    value of the training images.

    Args:
      images: any real numbers.  # (N, H, W) or (N, H, W, C), C 1, 3 or 4
      low, high: what is black and what is white; values beyond them are cut.

    Returns:
      Pictures, gray or in color; a fourth channel, of transparency, is dropped.  # (N, H, W) or (N, H, W, 3)

    Example:
      >>> as_bytes(np.array([[[0.0, 8.0, 16.0]]]), 0, 16).tolist()
      [[[0, 128, 255]]]
    """
    if images.ndim == 4:
        images = images[..., 0] if images.shape[3] == 1 else images[..., :3]
    if images.dtype == np.uint8 and (low, high) == (0, 255):
        return images
    factor = 255 / (high - low) if high > low else 0.0
    return np.rint(np.clip((images.astype(np.float64) - low) * factor, 0, 255)).astype(np.uint8)


def cosine_distance(x: FloatArray, labels: IntArray) -> float | None:
    """The distance ``a`` of the two cosine curves, where all points lie on them; None for other data.

    The data say it themselves: those of class 0 have ``x2 = cos(x1)``, those of class 1 ``x2 = a + cos(x1)``.

    Args:
      x: points.  # (N, 2)
      labels: their classes.  # (N,)

    Example:
      >>> from wellfit.data.generated import cosines
      >>> raw = cosines(0.5)
      >>> cosine_distance(raw.x_train, raw.labels_train), cosine_distance(raw.x_train, 1 - raw.labels_train)
      (0.5, None)
    """
    above = x[:, 1].astype(np.float64) - np.cos(x[:, 0].astype(np.float64))  # (N,)
    upper = above[labels == 1]
    if not len(upper) or labels.max() > 1:
        return None
    a = round(float(upper.mean()), 4)
    return a if np.abs(above - a * labels).max() < 1e-4 * max(1.0, abs(a)) else None


def _counts(ready: Prepared, dataset: Dataset) -> dict[str, NDArray[Any]]:
    """How many examples of every class each split has."""
    y, classes = ready.dataset.y_train, len(dataset.classes)
    labels = {"train": y[ready.splits.train], "validation": y[ready.splits.validation], "test": dataset.y_test}
    return {f"count/{split}": np.bincount(of, minlength=classes) for split, of in labels.items()}  # (K,) each


def _range(dataset: Dataset) -> tuple[float, float]:
    if dataset.pixel_max is not None:
        return 0.0, float(dataset.pixel_max)
    return float(dataset.x_train.min()), float(dataset.x_train.max())


def _examples(dataset: Dataset) -> NDArray[np.uint8]:
    """The first training examples of every class; black where a class has fewer than another.  # (K, n, H, W, ...)."""
    rows = class_rows(dataset, EXAMPLES)
    labels = dataset.y_train[rows]
    place = np.arange(len(rows)) - np.searchsorted(labels, labels)  # (N,), from 0 in every class
    pictures = as_bytes(dataset.x_train[rows], *_range(dataset))  # (N, H, W, ...)
    table = np.zeros((len(dataset.classes), place.max() + 1, *pictures.shape[1:]), np.uint8)
    table[labels, place] = pictures
    return table


def _mistaken(store: Store, runs: dict[str, tuple[int, ...]], dataset: Dataset) -> dict[str, NDArray[Any]]:
    """The pictures of the test images that are worth a look."""
    found = {variant: answers(seeds, probabilities(store, variant, seeds)) for variant, seeds in runs.items()}
    classes = len(dataset.classes)
    predicted = {variant: said.predicted for variant, said in found.items()}
    confidence = {variant: said.confidence for variant, said in found.items()}
    mistakes = count_mistakes(predicted, confidence, dataset.y_test, classes)
    counts = np.stack([votes(said, classes) for said in predicted.values()])  # (V, M, K)
    size = int(np.prod(dataset.input_shape))
    rows = pictured(mistakes, counts, min(PICTURES, _BYTES // size))
    return {"image_rows": rows, "images": as_bytes(dataset.x_test[rows], *_range(dataset))}


def _rows(ready: Prepared) -> list[list[str]]:
    """Names of the columns and a few training rows, spread over the training split, as text."""
    chosen = _spread(ready.splits.train, ROWS)
    x, labels = ready.dataset.x_train[chosen], ready.dataset.y_train[chosen]
    width = min(x.shape[1], COLUMNS)
    more = ["…"] if x.shape[1] > width else []
    head = [*(f"x{i + 1}" for i in range(width)), *more, "class"]
    names = [ready.dataset.classes[label] for label in labels]
    body = [[*(f"{value:.4g}" for value in row[:width]), *more, name] for row, name in zip(x, names, strict=True)]
    return [head, *body]


def _spread(rows: IntArray, most: int) -> IntArray:
    """At most so many of the rows, from the first to the last: data may be sorted by class."""
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64)]


def _regions(store: Store, ready: Prepared) -> dict[str, NDArray[Any]]:
    """Points of the training split, and what every tested run says of each point of a grid around them."""
    x = ready.dataset.x_train  # (N, 2), also those that validate: the grid spans all that the runs were judged on
    low, high = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64)  # (2,) each
    margin = np.where(high > low, 0.06 * (high - low), 1.0)  # (2,)
    x1, x2 = np.linspace(low - margin, high + margin, GRID).astype(np.float32).T  # (G,) each
    grid = np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2)  # (G * G, 2), x2 by rows
    said: dict[str, list[NDArray[Any]]] = {}
    programs: dict[Any, Any] = {}
    runs = answered_seeds(store)
    for record in store.runs.records():
        variant, seed = record.spec.variant, record.spec.seed
        if seed in runs.get(variant, ()):
            data, model = ready.data, record.spec.recipe.model
            p = predict_proba(model, store.runs.weights(variant, seed), grid, data.classes, data.scaling, programs)
            said.setdefault(variant, []).append(p.reshape(GRID, GRID, -1))  # (G, G, K)
    rows = _spread(ready.splits.train, POINTS)
    points = {"points": ready.dataset.x_train[rows], "point_labels": ready.dataset.y_train[rows]}
    return {**points, "x1": x1, "x2": x2, **{f"grid/{variant}": np.stack(p) for variant, p in said.items()}}
