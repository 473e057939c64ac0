"""Fitted models without any training: random weights in networks of every kind, around real data and preparations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from wellfit.base import Dataset, LayerSpec, ModelSpec, Preparation, Reading, Scaling
from wellfit.data.assemble import assemble
from wellfit.data.catalog import load_dataset
from wellfit.data.later import Form
from wellfit.data.preparation import IDENTITY, binary_features, fit_preparation, prepare, refitted
from wellfit.data.splits import fit_scaling
from wellfit.data.tables.frames import from_frames
from wellfit.model.fitted import FittedModel, Network, Origin
from wellfit.nn.models import build

UNIT = Scaling("unit", np.zeros((), np.float32), np.full((), 1 / 16, np.float32))

L = LayerSpec
EVERY_LAYER = ModelSpec(
    "layers",
    layers=(
        L("batch_norm"),
        L("conv2d", filters=5, size=3, stride=2, padding="same", function="leaky_relu"),
        L("max_pool", size=3, stride=2, padding="same"),
        L("conv2d", filters=4, size=2, padding="valid", function="gelu", bias=False),
        L("average_pool", size=2, stride=1, padding="same"),
        L("dropout", rate=0.2),
        L("flatten"),
        L("dense", units=7, function="elu"),
        L("batch_norm"),
        L("dense", units=6, function="sigmoid", bias=False),
        L("dense", units=1),
    ),
    output="sigmoid",
)
"""Every kind of layer and activation that the three kinds of models lack, and a sigmoid."""

SPECS = {
    "mlp": ModelSpec("mlp", (12, 8), batch_norm=True),
    "lenet5": ModelSpec("lenet5", activation="tanh"),
    "cnn": ModelSpec("cnn", (4, 6)),
    "every layer": EVERY_LAYER,
    "rows of pixels": ModelSpec("layers", layers=(L("batch_norm"), L("activation"), L("flatten"), L("dense", units=3))),
}

SHAPES = [
    ("mlp", (8, 8)),
    ("lenet5", (28, 28)),
    ("cnn", (8, 8)),
    ("every layer", (21, 18, 3)),
    ("rows of pixels", (8, 8)),
    *(pytest.param(name, (21, 18, 3), marks=pytest.mark.slow) for name in ("mlp", "cnn", "rows of pixels")),
    *(pytest.param(name, (28, 28, 3), marks=pytest.mark.slow) for name in ("lenet5", "every layer")),
]
"""Each kind of model with the shape of its images."""


def origin(**changes: Any) -> Origin:
    """Where a model comes from that comes from nowhere."""
    said: dict[str, Any] = {
        "study": "toy",
        "title": "Does it leave?",
        "data": "Toy data",
        "data_hash": "ab" * 32,
        "variant": "l2",
        "recipe": {"epochs": 3, "l2": 0.001, "dropout": None, "model": {"kind": "mlp", "hidden": [12, 8]}},
        "choice": "l2, as asked",
        "accuracy": 0.875,
        "interval": (0.85, 0.9),
        "tested": 200,
        "expected": "one network classifies 87.50 % [85.00, 90.00] of new examples correctly",
        "fingerprint": "0123456789abcdef",
        "version": "0.1.0",
    }
    return Origin(**{**said, **changes})


def network(
    spec: ModelSpec, shape: tuple[int, ...], classes: int, seed: int, scaling: Scaling, of: Preparation = IDENTITY
) -> Network:
    """Initial weights of a seed, with noise in every array, so that no bias is 0 and no variance 1."""
    built, random = build(spec, shape, classes), np.random.default_rng(seed)
    drawn = {name: dict(arrays) for name, arrays in built.init(seed).items()}
    for name, stats in built.stats().items():
        drawn[name] = {**drawn[name], **stats}
    noise = {"kernel": 0.0, "variance": 0.5}  # kernels are random already, and a variance is positive
    scale = {"kernel": 2.0}  # so that the probabilities of two images differ
    weights = {
        f"{name}/{kind}": np.asarray(
            scale.get(kind, 1) * array + noise.get(kind, 0.1) * random.uniform(0, 1, array.shape), np.float32
        )
        for name, arrays in drawn.items()
        for kind, array in arrays.items()
    }
    return Network(seed, weights, of, scaling)


def image_model(
    spec: ModelSpec,
    shape: tuple[int, ...] = (8, 8),
    *,
    seeds: int = 2,
    scaling: Scaling = UNIT,
    pixel_max: float = 16,
    classes: tuple[str, ...] = ("a", "b", "c"),
) -> FittedModel:
    """A model of images; with a sigmoid, it has the first two of the classes."""
    names = classes[:2] if spec.output == "sigmoid" else classes
    networks = tuple(network(spec, shape, len(names), seed, scaling) for seed in range(seeds))
    return FittedModel(spec, names, networks, Form(shape, pixel_max), origin())


def digits(shape: tuple[int, ...] = (8, 8), count: int = 50) -> np.ndarray:
    """Real test images, enlarged and repeated over the channels where another shape is wanted."""
    x = load_dataset("digits").x_test[:count].astype(np.uint8)
    rows, columns = (np.arange(n) * 8 // n for n in shape[:2])
    x = x[:, rows][:, :, columns]
    return x if len(shape) == 2 else np.stack([np.roll(x, k, axis=1) for k in range(shape[2])], axis=-1)


def fashion(name: str) -> tuple[FittedModel, np.ndarray]:
    """A model of Fashion-MNIST, and 200 real test images; needs the fixture ``real_data``."""
    data = load_dataset("fashion-mnist")
    unit = Scaling("unit", np.zeros((), np.float32), np.full((), 1 / 255, np.float32))
    model = image_model(SPECS[name], (28, 28), scaling=unit, pixel_max=255, classes=tuple(data.classes))
    return model, data.x_test[:200]


def people(count: int = 120) -> pd.DataFrame:
    """A table with numbers, huge numbers, categories, missing values of both, and awkward names of columns."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 12, count).round(1),
            "label": random.choice(["low", "high"], count),
            "seen at": 1.7e9 + random.integers(0, 900, count),
            "city, or town": random.choice(["Zürich", "Bern", "Genève"], count, p=[0.2, 0.5, 0.3]),
            "probabilities": random.normal(0, 1e-4, count),
            "paid": random.choice([0.0, 10.5, 99.0], count),
            "kind": random.choice(["x", "y", "z"], count),
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame.loc[::5, "city, or town"] = np.nan
    return frame


def table_data(frame: pd.DataFrame | None = None) -> Dataset:
    """The same as a data set; the label is ``kind``."""
    raw = from_frames(people() if frame is None else frame, Reading(label="kind"))
    return assemble(raw, name="people", title="People", source="memory")


def table_model(seeds: int = 2, data: Dataset | None = None) -> FittedModel:
    """A model of a table, in which what fills in missing values differs from seed to seed, as with folds."""
    data = data or table_data()
    spec, count = ModelSpec("mlp", (10,), batch_norm=True), len(data.x_train)
    common = fit_preparation(data, np.arange(count))
    networks = []
    for seed in range(seeds):
        rows = np.flatnonzero(np.random.default_rng(seed).random(count) < 0.5)
        of = refitted(common, data, rows)
        x = prepare(of, data.columns, data.x_train[rows])
        scaling = fit_scaling(x, "standardize", None, binary_features(of), silent=True)
        networks.append(network(spec, (len(of.features),), len(data.classes), seed, scaling, of))
    used = tuple(column.name for column in common.columns)
    form = Form(data.input_shape, None, data.columns, used if data.columns else (), data.header)
    return FittedModel(spec, data.classes, tuple(networks), form, origin())


def later_people() -> pd.DataFrame:
    """Rows with missing values in every column, and a city that no training row has."""
    frame = people(40).drop(columns="kind")
    for at, column in enumerate(frame.columns):
        frame.loc[at :: len(frame.columns) + 1, column] = np.nan
    frame.loc[[3, 9], "city, or town"] = "Basel"
    return frame
