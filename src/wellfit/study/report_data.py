"""What a study keeps of its data when the test set is opened, so that its report needs neither the data nor a network.

These are pictures of misclassified test images, the first training examples of every class, a few rows of a table, and
for data with two features the predictions of every run on a grid.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.mistakes import VariantMistakes, joint_mistakes, pictured, variant_mistakes, votes
from wellfit.base import Column, Dataset, FloatArray, IntArray, ModelTable, PreparedColumn, Scaling
from wellfit.engine.predicting import predict_proba
from wellfit.store import Store
from wellfit.study.predictions import Probabilities, predictions_of, seeds_tested
from wellfit.study.preview import class_rows, model_tables
from wellfit.study.provenance import without_home
from wellfit.study.session import Session

__all__ = ["are_images", "as_bytes", "cosine_distance", "keep_report_data", "pictures_of_tests"]

EXAMPLES: Final = 10  # of every class
ROWS: Final = 5  # of a table
COLUMNS: Final = 12  # of a table; a page has no room for more
POINTS: Final = 500
GRID: Final = 101  # values of each feature
PICTURES: Final = 4000
_BYTES: Final = 32 * 2**20  # for all pictures; fewer are kept of large images
FIRST: Final = 25  # test images
_FORMAT: Final = 4  # of the kept data; data in another format are replaced


def keep_report_data(store: Store, session: Session) -> None:
    """Keep the data that a report shows, for all runs tested so far; does nothing if they are kept already.

    Args:
      store: the study, open for writing, its test set opened.
      session: the study; of its test set, only examples that runs misclassified are kept.

    Raises:
      StoreError: the disk is full or the directory not writable.
    """
    runs = seeds_tested(store)
    state = json.dumps([_FORMAT, *session.hashes, sorted(store.runs.test_scores().items())])
    identity = hashlib.sha256(state.encode()).hexdigest()
    before = store.keepsakes.load()
    if not runs or (before is not None and before[1]["of"] == identity):
        return
    used, shape = session.used, session.used.input_shape
    whole = session.dataset if session.spec.data.train_share == 1 else used  # a fold may leave out an example
    arrays = _counts(session)
    plain: dict[str, Any] = {
        "of": identity,
        "title": used.title,
        "source": without_home(used.source),
        "shape": list(shape),
        "total": sum(len(y) for y in (whole.y_train, whole.y_test)),
        "rows": [],
        "distance": None,
        "axes": [],
        "models": [table.as_json() for table in _models(session)],
        "facts": [[name, without_home(text)] for name, text in session.facts],
    }
    if are_images(shape):
        first = pictures_of_tests(session, np.arange(min(FIRST, len(session.test_labels))))
        arrays |= _misclassified(store, runs, session) | {"examples": _examples(used), "first_images": first}
    elif len(shape) == 1:
        plain["rows"] = _rows(session)
    plane = _plane(session)
    if plane is not None:
        arrays |= _regions(store, runs, session, plane)
        plain["axes"] = [column.name for column in plane] if used.columns else []
        if shape == (2,):
            plain["distance"] = cosine_distance(used.x_train, used.y_train)
    store.keepsakes.save(arrays, plain)


def are_images(shape: tuple[int, ...]) -> bool:
    """Whether examples of a shape can be shown as pictures: (H, W), or (H, W, C) with 1, 3 or 4 channels.

    Example:
      >>> are_images((28, 28)), are_images((32, 32, 3)), are_images((4,)), are_images((8, 8, 2))
      (True, True, False, False)
    """
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))


def pictures_of_tests(session: Session, rows: IntArray) -> NDArray[np.uint8]:
    """Some test images as bytes.  # (n, H, W) or (n, H, W, 3)

    Args:
      rows: positions among the test examples.  # (n,)
    """
    return as_bytes(session.test_examples(rows), *_range(session.used))


def as_bytes(images: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Convert images to bytes, with ``low`` as black and ``high`` as white.

    Args:
      images: any real numbers.  # (N, H, W) or (N, H, W, C), C 1, 3 or 4
      low, high: the range to show; values outside are clipped.

    Returns:
      Gray or color pictures; a fourth channel (transparency) is dropped.  # (N, H, W) or (N, H, W, 3)

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
    """The distance ``a`` between the two cosine curves if all points lie on them, else None.

    On the curves, class 0 has ``x2 = cos(x1)`` and class 1 has ``x2 = a + cos(x1)``.

    Args:
      x: points.  # (N, 2)
      labels: their classes.  # (N,)

    Example:
      >>> from wellfit.data.generated import cosines
      >>> raw = cosines(0.5)
      >>> cosine_distance(raw.train.x, raw.train.labels), cosine_distance(raw.train.x, 1 - raw.train.labels)
      (0.5, None)
    """
    above = x[:, 1].astype(np.float64) - np.cos(x[:, 0].astype(np.float64))  # (N,)
    upper = above[labels == 1]
    if not len(upper) or labels.max() > 1:
        return None
    a = round(float(upper.mean()), 4)
    return a if np.abs(above - a * labels).max() < 1e-4 * max(1.0, abs(a)) else None


def _models(session: Session) -> tuple[ModelTable, ...]:
    return model_tables(session.spec, session.first.training.input_shape, len(session.dataset.classes))


def _counts(session: Session) -> dict[str, NDArray[Any]]:
    """The number of examples of every class in each split, of seed 0; those that no run learns from count apart."""
    y, splits, classes = session.used.y_train, session.splits, len(session.dataset.classes)
    labels = {"train": session.learned, "validation": y[splits.validation], "test": session.used.y_test}
    counts = {split: np.bincount(of, minlength=classes) for split, of in labels.items()}  # (K,) each
    if len(session.learned) < len(splits.train):
        counts["unused"] = np.bincount(y[splits.train], minlength=classes) - counts["train"]
    return {f"count/{split}": of for split, of in counts.items()}


def _range(dataset: Dataset) -> tuple[float, float]:
    """The values of black and white: 0 and the largest pixel value, or else the range of the training images."""
    low = float(dataset.x_train.min())
    if dataset.pixel_max is not None:
        return min(0.0, low), float(dataset.pixel_max)
    return low, float(dataset.x_train.max())


def _examples(dataset: Dataset) -> NDArray[np.uint8]:
    """The first training examples of every class; black where a class has too few.  # (K, n, H, W, ...)."""
    rows = class_rows(dataset, EXAMPLES)
    labels = dataset.y_train[rows]
    place = np.arange(len(rows)) - np.searchsorted(labels, labels)  # (N,), from 0 in every class
    pictures = as_bytes(dataset.x_train[rows], *_range(dataset))  # (N, H, W, ...)
    table = np.zeros((len(dataset.classes), place.max() + 1, *pictures.shape[1:]), np.uint8)
    table[labels, place] = pictures
    return table


def _misclassified(store: Store, runs: dict[str, tuple[int, ...]], session: Session) -> dict[str, NDArray[Any]]:
    """Pictures of the most instructive misclassified test images."""
    dataset, truth = session.used, session.test_labels
    classes, most = len(dataset.classes), max(map(len, runs.values()))
    of: dict[str, VariantMistakes] = {}
    counted = []
    for name, seeds in runs.items():  # one variant's predictions at a time
        predictions = predictions_of(seeds, Probabilities(store, name, seeds), len(truth))
        of[name] = variant_mistakes(predictions.labels, predictions.confidence, truth, classes)
        counted.append(votes(predictions.labels, classes).astype(np.min_scalar_type(most)))  # (M, K)
    mistakes, counts = joint_mistakes(of, truth), np.stack(counted)  # (V, M, K)
    size = int(np.prod(dataset.input_shape))
    rows = pictured(mistakes, counts, min(PICTURES, _BYTES // size))
    return {"image_rows": rows, "images": pictures_of_tests(session, rows)}


def _rows(session: Session) -> list[list[str]]:
    """Column names, then a few rows spread over the training split, as text; missing values are empty."""
    used = session.used
    chosen = _spread(session.splits.train, ROWS)
    x, labels = used.x_train[chosen], used.y_train[chosen]
    width = min(x.shape[1], COLUMNS)
    columns = (used.columns or tuple(Column(f"x{i + 1}") for i in range(width)))[:width]
    more = ["…"] if x.shape[1] > width else []
    head = [*(column.name for column in columns), *more, "class"]
    cells = [[_cell(column, float(value)) for column, value in zip(columns, row, strict=False)] for row in x]
    names = [used.classes[label] for label in labels]
    return [head, *([*row, *more, name] for row, name in zip(cells, names, strict=True))]


def _cell(column: Column, value: float) -> str:
    """A value as in the table: a number with four digits, more if it is a large whole number, or a category."""
    if np.isnan(value):
        return ""
    if column.categories:
        return column.categories[int(value)]
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def _spread(rows: IntArray, most: int) -> IntArray:
    """At most ``most`` rows, evenly spaced because data may be sorted by class."""
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64)]


def _classes_and_scaling(session: Session, seed: int) -> tuple[int, Scaling]:
    data = session.fold(seed).data
    return data.classes, data.scaling


def _plane(session: Session) -> tuple[PreparedColumn, ...] | None:
    """The two columns of numbers that are all that the models see; None if they see something else."""
    columns = session.preparation.columns
    numbers = len(session.preparation.features) == 2 and not any(column.categories for column in columns)
    return columns if numbers and len(columns) == 2 else None


def _regions(
    store: Store, runs: dict[str, tuple[int, ...]], session: Session, plane: tuple[PreparedColumn, ...]
) -> dict[str, NDArray[Any]]:
    """Points of the training split, and every tested run's probabilities on a grid around them."""
    x = session.prepared.x_train  # (N, 2); the grid also spans the validation examples
    low, high = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64)  # (2,) each
    margin = np.where(high > low, 0.06 * (high - low), 1.0)  # (2,)
    x1, x2 = np.linspace(low - margin, high + margin, GRID).astype(np.float32).T  # (G,) each
    grid = np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2)  # (G * G, 2), x2 by rows
    on_grid: dict[str, list[NDArray[Any]]] = {}
    for record in sorted(store.runs.records(), key=lambda record: record.spec.seed):  # fold by fold
        variant, seed = record.spec.variant, record.spec.seed
        if seed in runs.get(variant, ()):
            model, weights = record.spec.recipe.model, store.runs.weights(variant, seed)
            p = predict_proba(model, weights, grid, *_classes_and_scaling(session, seed))
            on_grid.setdefault(variant, []).append(p.reshape(GRID, GRID, -1))  # (G, G, K)
    rows = _spread(session.splits.train, POINTS)
    centers = [column.center for column in plane]
    points = x[rows] + centers if any(centers) else x[rows]  # (n, 2), as in the table
    axes = {"x1": x1 + centers[0] if centers[0] else x1, "x2": x2 + centers[1] if centers[1] else x2}
    labels = session.used.y_train[rows]
    grids = {f"grid/{variant}": np.stack(p) for variant, p in on_grid.items()}
    return {"points": points, "point_labels": labels, **axes, **grids}
