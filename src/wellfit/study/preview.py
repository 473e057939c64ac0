"""A study before training: the layers of its models, training examples, and their augmented versions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from wellfit.base import Augmentation, Dataset, FloatArray, IntArray, LayerRow, ModelTable, Recipe, Scaling
from wellfit.engine import devices
from wellfit.engine.hyperparameters import dropout_rates
from wellfit.engine.step import augmented as in_step
from wellfit.errors import DataError, StudyFileError, UnknownNameError
from wellfit.nn.augmentation import mixup
from wellfit.nn.models import build, summary
from wellfit.spec.study import StudySpec, recipes
from wellfit.study.session import Session

__all__ = [
    "SPLITS",
    "augmentation_of",
    "augmentations",
    "augmented",
    "class_rows",
    "examples",
    "model_table",
    "model_tables",
    "plane_axes",
    "plane_points",
    "study_scaling",
    "variant_recipe",
]


SPLITS: Final = {"train": "training", "test": "test"}
"""What examples may be looked at, and its name in a sentence."""

# --- Models -----------------------------------------------------------------------------------------------------------


def model_table(recipe: Recipe, input_shape: tuple[int, ...], classes: int) -> ModelTable:
    """The layers of a recipe's network with their output shapes, parameters and settings.

    Args:
      recipe: the model, and the dropout rates of its layers.
      input_shape: of one example.
      classes: the number of classes.

    Raises:
      ShapeError, UnknownNameError: as ``wellfit.nn.models.build``.
      StudyFileError: as ``wellfit.engine.hyperparameters.hyperparameters_of``.

    Example:
      >>> from wellfit.base import ModelSpec
      >>> print(model_table(Recipe(model=ModelSpec("mlp", (128, 64)), dropout=(0.5, 0.0)), (28, 28), 10))
      layer      output shape  parameters
      flatten_1  784                    0
      dense_1    128              100,480
      relu_1     128                    0
      dropout_1  128                    0  rate 0.5
      dense_2    64                 8,256
      relu_2     64                     0
      dropout_2  64                     0  rate 0
      dense_3    10                   650  softmax
      109,386 parameters, 427.29 KB
    """
    model = build(recipe.model, input_shape, classes)
    statistics = sum(array.size for arrays in model.stats().values() for array in arrays.values())
    rates = iter(dropout_rates("", recipe, model))
    kernels = {name: arrays["kernel"].shape[:-2] for name, arrays in model.init(0).items() if "kernel" in arrays}

    def setting(name: str) -> str:
        if name.startswith("dropout"):
            return f"rate {next(rates):g}"
        size = kernels.get(name, ())
        return f"{' x '.join(map(str, size))} kernel" if size else ""

    rows = [LayerRow(*row, setting(row.name)) for row in summary(model)]
    last = max(place for place, row in enumerate(rows) if row.name in kernels)
    rows[last] = rows[last]._replace(setting=recipe.model.output)
    return ModelTable(tuple(rows), statistics)


def model_tables(spec: StudySpec, input_shape: tuple[int, ...], classes: int) -> tuple[ModelTable, ...]:
    """A table for every network of a study, the base recipe's first; networks differ in layers or dropout rates.

    Args:
      spec: the study.
      input_shape: of one example.
      classes: the number of classes.

    Raises:
      ShapeError: a model does not fit the data.

    Example:
      >>> from wellfit.spec.study import load_study
      >>> study = load_study("lab5", settings=["variants.small.model.hidden=[32]"])
      >>> [(table.base, table.variants, table.total) for table in model_tables(study, (28, 28), 10)]
      [(True, ('baseline', 'l2'), 109386), (False, ('dropout',), 109386), (False, ('small',), 25450)]
    """
    tables: dict[tuple[Any, ...], ModelTable] = {}

    def table_of(recipe: Recipe) -> ModelTable:
        what = (recipe.model, recipe.dropout)  # of many variants, few differ in these
        if what not in tables:
            tables[what] = model_table(recipe, input_shape, classes)
        return tables[what]

    base = table_of(spec.base)
    users: dict[ModelTable, tuple[str, ...]] = {base: ()}
    for name, recipe in recipes(spec).items():
        table = table_of(recipe)
        users[table] = (*users.get(table, ()), name)
    return tuple(dataclasses.replace(table, base=table == base, variants=names) for table, names in users.items())


# --- Examples ---------------------------------------------------------------------------------------------------------


def class_rows(dataset: Dataset, each: int) -> IntArray:
    """The first training examples of every class, class by class.

    Args:
      dataset: the data; the test set is not used.
      each: the number for every class; a class with fewer examples has all of them.

    Returns:
      Row numbers, int64.  # (at most K * each,)
    """
    order = np.argsort(dataset.y_train, kind="stable")  # (N,), class by class
    labels = dataset.y_train[order]
    place = np.arange(len(labels)) - np.searchsorted(labels, labels)  # (N,), from 0 in every class
    return order[place < each]


def examples(
    dataset: Dataset, rows: Sequence[int] | IntArray, split: str = "train", *, images: bool = True
) -> tuple[NDArray[Any], IntArray]:
    """Some examples as they were read, with their labels.

    Args:
      dataset: the data.
      rows: row numbers.  # (n,)
      split: ``"train"`` (validation examples are among these) or ``"test"``.
      images: whether they must be images.

    Returns:
      Examples and labels.  # (n, ...), (n,)

    Raises:
      UnknownNameError: there is no such split.
      DataError: the data are not images, or there is no such row.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> examples(load_dataset("digits"), [0, 1], "test")[1].tolist()
      [2, 3]
    """
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    x, y = (dataset.x_train, dataset.y_train) if split == "train" else (dataset.x_test, dataset.y_test)
    shape = dataset.input_shape
    if images and len(shape) == 1:
        raise DataError(f"{dataset.name} has rows of {shape[0]} features instead of images; choose image data")
    for row in rows:
        if not 0 <= row < len(x):
            raise DataError(
                f"{dataset.name} has no {SPLITS[split]} example {row}; choose numbers from 0 to {len(x) - 1}"
            )
    chosen = np.asarray(rows, np.int64)
    return x[chosen], y[chosen]


def plane_points(dataset: Dataset, split: str = "train") -> tuple[FloatArray, IntArray]:
    """The examples of data with two features that have no missing value, and their labels.  # (n, 2), (n,)

    Raises:
      UnknownNameError: there is no such split.
      DataError: the data do not have two features of numbers.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> points, labels = plane_points(load_dataset("cosines"))
      >>> points.shape, plane_axes(load_dataset("cosines"))
      ((2000, 2), ('x1', 'x2'))
    """
    if dataset.input_shape != (2,) or any(column.categories for column in dataset.columns):
        raise DataError(f"{dataset.name} does not have two features of numbers; choose other data for a scatter plot")
    size = len(dataset.y_test if split == "test" else dataset.y_train)
    points, labels = examples(dataset, range(size), split, images=False)
    known = np.isfinite(points).all(axis=1)  # (N,)
    return points[known].astype(np.float64), labels[known]


def plane_axes(dataset: Dataset) -> tuple[str, str]:
    """The names of the two features."""
    first, second = [column.name for column in dataset.columns] or ("x1", "x2")
    return first, second


# --- Augmentation -----------------------------------------------------------------------------------------------------


def variant_recipe(spec: StudySpec, variant: str | None) -> Recipe:
    """A variant's complete recipe, or the base recipe for None.

    Raises:
      UnknownNameError: there is no such variant.
    """
    known = recipes(spec)
    if variant is not None and variant not in known:
        raise UnknownNameError("variant", variant, known, f"study {spec.name}")
    return spec.base if variant is None else known[variant]


def augmentation_of(spec: StudySpec, variant: str | None) -> Augmentation:
    """The augmentation of a variant, or of the base recipe for None.

    Raises:
      UnknownNameError: there is no such variant.
      StudyFileError: it has no augmentation.
    """
    augmentation = variant_recipe(spec, variant).augmentation
    if augmentation == Augmentation():
        owner, key = (
            ("the base recipe", "train") if variant is None else (f"variant {variant!r}", f"variants.{variant}")
        )
        raise StudyFileError(
            f"{owner} of study {spec.name} has no augmentation; set one, for example with "
            f"--set '{key}.augmentation={{shift=0.1}}'"
        )
    return augmentation


def augmentations(spec: StudySpec) -> dict[Augmentation, tuple[str, ...]]:
    """Every augmentation in a study, and the variants that use it.

    Example:
      >>> from wellfit.spec.study import load_study
      >>> study = load_study("lab5", settings=["variants.l2.augmentation={flip=0.5}"])
      >>> [(augmentation.flip, names) for augmentation, names in augmentations(study).items()]
      [(0.5, ('l2',))]
    """
    users: dict[Augmentation, tuple[str, ...]] = {}
    for name, recipe in recipes(spec).items():
        if recipe.augmentation != Augmentation():
            users[recipe.augmentation] = (*users.get(recipe.augmentation, ()), name)
    return users


def study_scaling(spec: StudySpec, dataset: Dataset) -> Scaling:
    """The scaling of all runs of a study, fitted on the training split of the share of the data that the study uses.

    Raises:
      DataError, StudyFileError: the data cannot be split, scaled or trained on as the study asks.
    """
    return Session(spec, dataset, Path("unused")).data.scaling


def augmented(images: NDArray[Any], scaling: Scaling, augmentation: Augmentation, forms: int) -> FloatArray:
    """Images as training would see them: scaled and augmented as in a training step, then scaled back for display.

    Args:
      images: unscaled, as one batch.  # (N, H, W) or (N, H, W, C)
      scaling: of the study.
      augmentation: the strengths.
      forms: the number of versions of every image. Versions with the same position use the random numbers of the same
        step for every augmentation, so that augmentations can be compared.

    Returns:
      The augmented images in the unit of ``images``, float32; noise may exceed black and white.  # (N, forms, ...)

    Example:
      >>> image = np.array([[[0, 255]]], np.uint8)  # (1, 1, 2)
      >>> scaling = Scaling("unit", np.float32(0), np.float32(1 / 255))
      >>> augmented(image, scaling, Augmentation(flip=1), 1).round().tolist()
      [[[[255.0, 0.0]]]]
    """
    strengths = {name: value for name, value in dataclasses.asdict(augmentation).items() if value}
    numbers = {name: jnp.float32(value) for name, value in strengths.items()}
    uses = strengths.keys() - {"mixup"}
    devices.start()  # before JAX creates an array, so that a later training finds all devices
    shift, factor = jnp.asarray(scaling.shift), jnp.asarray(scaling.factor)
    x = jnp.asarray(images)  # (N, ...)

    @jax.jit
    def form(key: jax.Array) -> jax.Array:
        changed = in_step(x, key, numbers, uses, shift, factor)
        return mixup(changed, key, numbers["mixup"])[0] if "mixup" in numbers else changed  # (N, ...)

    steps = [np.asarray(form(jax.random.fold_in(jax.random.key(0), step))) for step in range(forms)]
    scaled = np.stack(steps, axis=1)  # (N, forms, ...)
    return (scaled / scaling.factor + scaling.shift).astype(np.float32)
