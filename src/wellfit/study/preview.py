"""A study before training: the layers of its models, training examples, and their augmented versions."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from wellfit.base import Augmentation, Dataset, FloatArray, IntArray, ModelSpec, Recipe, Scaling
from wellfit.engine import devices
from wellfit.engine.step import augmented as in_step
from wellfit.errors import DataError, StudyFileError, UnknownNameError
from wellfit.nn.augmentation import mixup
from wellfit.nn.models import SummaryRow, build, summary
from wellfit.spec.study import StudySpec, recipes
from wellfit.study.session import Session

__all__ = [
    "ModelTable",
    "augmentation_of",
    "augmentations",
    "augmented",
    "class_rows",
    "examples",
    "model_table",
    "model_tables",
    "study_scaling",
    "variant_recipe",
]


# --- Models -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModelTable:
    """The layers of one architecture; printed, a table with totals.

    Args:
      rows: the layers.
      statistics: the number of running means and variances of batch normalization, which are not trained.
      base: whether it is the base recipe's model.
      variants: those that use it.

    Example:
      >>> print(model_table(ModelSpec("mlp", (128, 64)), (28, 28), 10))
      layer      output shape  parameters
      flatten_1  784                    0
      dense_1    128              100,480
      relu_1     128                    0
      dropout_1  128                    0
      dense_2    64                 8,256
      relu_2     64                     0
      dropout_2  64                     0
      dense_3    10                   650
      109,386 parameters, 427.29 KB
      Dropout layers are inactive unless a rate is set.
    """

    rows: tuple[SummaryRow, ...]
    statistics: int
    base: bool = False
    variants: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Trainable parameters of all layers."""
        return sum(row.parameters for row in self.rows)

    @property
    def bytes(self) -> int:
        """Memory of the trainable parameters, four bytes each."""
        return 4 * self.total

    def as_json(self) -> dict[str, Any]:
        """The plain data that ``wellfit model --json`` prints."""
        layers = [{"layer": name, "output_shape": list(shape), "parameters": size} for name, shape, size in self.rows]
        users = {"base": self.base, "variants": list(self.variants)}
        return {**users, "layers": layers, "total": self.total, "bytes": self.bytes, "statistics": self.statistics}

    def __str__(self) -> str:
        cells = [("layer", "output shape", "parameters")]
        cells += [(row.name, " x ".join(map(str, row.output_shape)), f"{row.parameters:,}") for row in self.rows]
        left, middle, right = (max(map(len, column)) for column in zip(*cells, strict=True))
        lines = [f"{name:<{left}}  {shape:<{middle}}  {size:>{right}}" for name, shape, size in cells]
        lines.append(f"{self.total:,} parameters, {_memory(self.bytes)}")
        if self.statistics:
            size = _memory(4 * self.statistics)
            lines.append(f"Not trained: {self.statistics:,} running means and variances of batch normalization, {size}")
        if any(row.name.startswith("dropout") for row in self.rows):
            lines.append("Dropout layers are inactive unless a rate is set.")
        users = f"used by {', '.join(self.variants)}" if self.variants else "no variant uses it"
        head = f"base recipe's model, {users}" if self.base else users if self.variants else ""
        return "\n".join([*textwrap.wrap(head[:1].upper() + head[1:], 80), *lines])


def model_table(spec: ModelSpec, input_shape: tuple[int, ...], classes: int) -> ModelTable:
    """The layers of a model with their output shapes and parameters.

    Args:
      spec: the architecture.
      input_shape: of one example.
      classes: the number of classes.

    Raises:
      ShapeError, UnknownNameError: as ``wellfit.nn.models.build``.

    Example:
      >>> table = model_table(ModelSpec("lenet5"), (28, 28), 10)
      >>> table.total, [row.output_shape for row in table.rows if row.name.startswith("conv2d")]
      (61706, [(28, 28, 6), (10, 10, 16), (1, 1, 120)])
    """
    model = build(spec, input_shape, classes)
    statistics = sum(array.size for arrays in model.stats().values() for array in arrays.values())
    return ModelTable(summary(model), statistics)


def model_tables(spec: StudySpec, input_shape: tuple[int, ...], classes: int) -> tuple[ModelTable, ...]:
    """A table for every architecture of a study, the base recipe's first.

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
      [(True, ('baseline', 'l2', 'dropout'), 109386), (False, ('small',), 25450)]
    """
    base = model_table(spec.base.model, input_shape, classes)
    users: dict[ModelTable, tuple[str, ...]] = {base: ()}
    for name, recipe in recipes(spec).items():
        table = model_table(recipe.model, input_shape, classes)
        users[table] = (*users.get(table, ()), name)
    return tuple(dataclasses.replace(table, base=table == base, variants=names) for table, names in users.items())


def _memory(size: int) -> str:
    """Bytes in Keras's notation: units of 1,024, two decimals."""
    if size < 1024:
        return f"{size} B"
    value, unit = next(
        ((size / 1024**n, unit) for n, unit in ((1, "KB"), (2, "MB")) if size < 1024 ** (n + 1)),
        (size / 1024**3, "GB"),
    )
    return f"{value:.2f} {unit}"


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


def examples(dataset: Dataset, rows: Sequence[int] | IntArray) -> tuple[NDArray[Any], IntArray]:
    """Some training images, unscaled, with their labels.

    Args:
      dataset: the data; the test set is not used.
      rows: row numbers.  # (n,)

    Returns:
      Images and labels.  # (n, ...), (n,)

    Raises:
      DataError: the data are not images, or there is no such row.
    """
    size, shape = len(dataset.x_train), dataset.input_shape
    if len(shape) == 1:
        raise DataError(f"{dataset.name} has rows of {shape[0]} features instead of images; choose image data")
    for row in rows:
        if not 0 <= row < size:
            raise DataError(f"{dataset.name} has no training example {row}; choose numbers from 0 to {size - 1}")
    chosen = np.asarray(rows, np.int64)
    return dataset.x_train[chosen], dataset.y_train[chosen]


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
