"""Fitted models made by hand: networks with initial weights, without any training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from wellfit.base import Column, Header, ModelSpec, Preparation, PreparedColumn, Scaling
from wellfit.data.later import Form
from wellfit.data.preparation import IDENTITY
from wellfit.model.fitted import FittedModel, Network, Origin
from wellfit.nn.models import build

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8)).astype(np.uint8)
TABLE = pd.DataFrame(
    {
        "id": [11, 12, 13],
        "age": [30.0, np.nan, 55.0],
        "color": ["red", None, "blue"],
        "share": ["12%", "50 %", None],
        "planet": ["Earth"] * 3,
        "kind": ["no", "yes", "yes"],
    }
)

ORIGIN = Origin(
    study="toy",
    title="Which?",
    data="toy data",
    data_hash="0" * 64,
    variant="l2",
    recipe={"l2": 0.1},
    choice="l2, as asked",
    accuracy=0.9,
    interval=(0.8, 0.95),
    tested=100,
    expected="one network classifies 90.00 % [80.00, 95.00] of new examples correctly (2 seeds, 100 test examples)",
    fingerprint=None,
    version="0.1.0",
)


def of_images(
    spec: ModelSpec = ModelSpec("mlp", (8,)),  # noqa: B008  frozen
    shape: tuple[int, ...] = (8, 8),
    classes: tuple[str, ...] = ("a", "b", "c"),
    seeds: int = 2,
    pixel_max: float | None = 255,
    **form: Any,
) -> FittedModel:
    """Networks of images."""
    scaling = Scaling("unit", np.zeros((), np.float32), np.asarray(1 / (pixel_max or 1), np.float32))
    networks = [Network(seed, weights(spec, shape, len(classes), seed), IDENTITY, scaling) for seed in range(seeds)]
    return FittedModel(spec, classes, tuple(networks), Form(shape, pixel_max, **form), ORIGIN)


def weights(spec: ModelSpec, shape: tuple[int, ...], classes: int, seed: int) -> dict[str, Any]:
    """Initial weights, and statistics of batch normalization that are not all zero and one."""
    model = build(spec, shape, classes)
    generator = np.random.default_rng(seed)
    drawn = {f"{layer}/{name}": array for layer, of in model.init(seed).items() for name, array in of.items()}
    drawn |= {
        f"{layer}/{name}": generator.uniform(0.5, 1.5, array.shape).astype(np.float32)
        for layer, of in model.stats().items()
        for name, array in of.items()
    }
    return drawn


HEADER = Header(("id", "age", "color", "share", "planet", "kind"), 5, (1, 2, 3, 4), True)
COLUMNS = (Column("age"), Column("color", ("blue", "red")), Column("share", unit="%"), Column("planet"))
PREPARATION = Preparation(
    (
        PreparedColumn(0, "age", 40.0, indicator=True),
        PreparedColumn(1, "color", 1.0, categories=("blue", "red")),
        PreparedColumn(2, "share", 50.0),
    ),
    {"planet": "the same value in every training example"},
    ("age", "age is missing", "color = blue", "color = red", "share"),
)


def of_a_table(seeds: int = 2, classes: tuple[str, ...] = ("no", "yes")) -> FittedModel:
    """Networks of rows with numbers, a category, a unit, a missing value and a constant column."""
    spec, features = ModelSpec("mlp", (8,)), len(PREPARATION.features)
    shift = np.array([40, 0, 0, 0, 50], np.float32)
    scaling = Scaling("standardize", shift, np.array([0.1, 1, 1, 1, 0.05], np.float32))
    networks = [
        Network(seed, weights(spec, (features,), len(classes), seed), PREPARATION, scaling) for seed in range(seeds)
    ]
    form = Form((4,), None, COLUMNS, ("age", "color", "share"), HEADER)
    return FittedModel(spec, classes, tuple(networks), form, ORIGIN)
