"""What the networks of a study see, and what they answer before any training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wellfit.base import FloatArray, IntArray, Recipe
from wellfit.data.preparation import prepare
from wellfit.engine import devices
from wellfit.engine.predicting import predict_proba
from wellfit.nn.models import build
from wellfit.study.preview import examples
from wellfit.study.session import Session

__all__ = ["SplitShapes", "network_inputs", "split_shapes", "untrained_output"]


class SplitShapes(NamedTuple):
    """The shapes of a split's arrays: of the examples as they were read, flattened, and of their labels."""

    examples: tuple[int, ...]
    flattened: tuple[int, int]
    labels: tuple[int, ...]


def split_shapes(session: Session) -> dict[str, SplitShapes]:
    """The shapes of every split of seed 0.

    Returns:
      ``"training and validation"``, ``"training"``, ``"validation"`` and ``"test"`` -> its shapes.
    """
    used, splits = session.used, session.splits
    one = used.input_shape
    counts = {
        "training and validation": len(splits.train) + len(splits.validation),
        "training": len(splits.train),
        "validation": len(splits.validation),
        "test": len(used.y_test),
    }
    return {name: SplitShapes((n, *one), (n, int(np.prod(one))), (n,)) for name, n in counts.items()}


def network_inputs(session: Session, rows: Sequence[int] | IntArray, split: str = "train", seed: int = 0) -> FloatArray:
    """Examples as the networks of a seed get them: columns of a table as features, everything scaled.

    Args:
      session: the study.
      rows: row numbers of the split.  # (n,)
      split: ``"train"`` or ``"test"``.
      seed: whose training examples the preparation and the scaling were fitted on.

    Returns:
      The inputs, float32, before any augmentation.  # (n, ...)

    Raises:
      UnknownNameError: there is no such split.
      DataError: there is no such row.
    """
    fold = session.fold(seed)
    read, _ = examples(session.dataset, rows, split, images=False)
    x = prepare(fold.preparation, session.dataset.columns, read).astype(np.float32)
    scaling = fold.data.scaling
    return np.asarray((x - scaling.shift) * scaling.factor, np.float32)


def untrained_output(
    session: Session, recipe: Recipe, rows: Sequence[int] | IntArray, split: str = "train", seed: int = 0
) -> FloatArray:
    """The class probabilities that a recipe's network gives with its initial weights.

    Args:
      session, rows, split: as for `network_inputs`.
      recipe: whose network.
      seed: of the initial weights.

    Returns:
      Probabilities.  # (n, K)

    Raises:
      UnknownNameError, DataError: as `network_inputs`.
      ShapeError: the model does not fit the data.
    """
    devices.start()  # before JAX creates an array, so that a later training finds all devices
    fold = session.fold(seed)
    read, _ = examples(session.dataset, rows, split, images=False)
    x = prepare(fold.preparation, session.dataset.columns, read)
    classes = len(session.dataset.classes)
    model = build(recipe.model, tuple(x.shape[1:]), classes)
    drawn, stats = model.init(seed), model.stats()
    weights = {f"{layer}/{name}": array for of in (drawn, stats) for layer, arrays in of.items()
               for name, array in arrays.items()}  # fmt: skip
    return predict_proba(recipe.model, weights, x, classes, fold.data.scaling)
