"""What can be seen of a study before it is trained: the layers of its models, examples, and what augmentation makes."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from wellfit.base import Augmentation, Dataset, FloatArray, IntArray, ModelSpec, Recipe, Scaling
from wellfit.data.splits import fit_scaling, make_splits
from wellfit.engine import devices
from wellfit.engine.step import augmented as in_step
from wellfit.errors import DataError, StudyFileError, UnknownNameError
from wellfit.nn.augmentation import mixup
from wellfit.nn.models import SummaryRow, build, summary
from wellfit.spec.study import StudySpec, recipes

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
    """The layers of one architecture; as text, a table with its totals.

    Args:
      rows: the layers.
      statistics: running means and variances of batch normalization, which are moved but not trained.
      base: whether it is the base recipe's.
      variants: the variants that use it.

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
      A dropout layer does nothing where no rate is set.
    """

    rows: tuple[SummaryRow, ...]
    statistics: int
    base: bool = False
    variants: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Trainable numbers of all layers."""
        return sum(row.parameters for row in self.rows)

    @property
    def bytes(self) -> int:
        """What the trainable numbers take, four bytes each."""
        return 4 * self.total

    def as_json(self) -> dict[str, Any]:
        """As plain data: what ``wellfit model --json`` says of it."""
        layers = [{"layer": name, "output_shape": list(shape), "parameters": size} for name, shape, size in self.rows]
        whose = {"base": self.base, "variants": list(self.variants)}
        return {**whose, "layers": layers, "total": self.total, "bytes": self.bytes, "statistics": self.statistics}

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
            lines.append("A dropout layer does nothing where no rate is set.")
        users = f"used by {', '.join(self.variants)}" if self.variants else "no variant uses it"
        whose = f"base recipe's model, {users}" if self.base else users if self.variants else ""
        return "\n".join([*textwrap.wrap(whose[:1].upper() + whose[1:], 80), *lines])


def model_table(spec: ModelSpec, input_shape: tuple[int, ...], classes: int) -> ModelTable:
    """The layers of a model with their output shapes and parameters.

    Args:
      spec: the architecture.
      input_shape: the shape of one example.
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
      input_shape: the shape of one example.
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
    """Bytes as Keras writes them: in steps of 1,024, with two decimals."""
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
      dataset: the data; its test set is not looked at.
      each: how many of every class; of a class that has fewer, all.

    Returns:
      Row numbers, int64.  # (at most K * each,)
    """
    order = np.argsort(dataset.y_train, kind="stable")  # (N,), class by class
    labels = dataset.y_train[order]
    place = np.arange(len(labels)) - np.searchsorted(labels, labels)  # (N,), from 0 in every class
    return order[place < each]


def examples(dataset: Dataset, rows: Sequence[int] | IntArray) -> tuple[NDArray[Any], IntArray]:
    """Some training images with their labels.

    Args:
      dataset: the data; its test set is not looked at.
      rows: row numbers.  # (n,)

    Returns:
      The images, unscaled, and the labels.  # (n, ...), (n,)

    Raises:
      DataError: the data are feature rows, or there is no such row.
    """
    size, shape = len(dataset.x_train), dataset.input_shape
    if len(shape) == 1:
        raise DataError(f"{dataset.name} has no images to look at, but rows of {shape[0]} features; use image data")
    for row in rows:
        if not 0 <= row < size:
            raise DataError(f"{dataset.name} has no training example {row}; give numbers from 0 to {size - 1}")
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
    """What a variant trains with, or the base recipe for None.

    Raises:
      UnknownNameError: there is no such variant.
      StudyFileError: it has no augmentation.
    """
    augmentation = variant_recipe(spec, variant).augmentation
    if augmentation == Augmentation():
        whose, key = (
            ("the base recipe", "train") if variant is None else (f"variant {variant!r}", f"variants.{variant}")
        )
        raise StudyFileError(
            f"{whose} of study {spec.name} has no augmentation to look at; give it one, "
            f"such as --set '{key}.augmentation={{shift=0.1}}'"
        )
    return augmentation


def augmentations(spec: StudySpec) -> dict[Augmentation, tuple[str, ...]]:
    """Every augmentation that variants of a study train with, and which of them do.

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
    """The scaling that every run of a study has: fitted on its training split.

    Raises:
      DataError: the data cannot be split or scaled as the study asks.
    """
    splits = make_splits(dataset.y_train, validation=spec.data.validation, seed=spec.data.split_seed)
    return fit_scaling(dataset.x_train[splits.train], spec.data.scale, dataset.pixel_max)


def augmented(images: NDArray[Any], scaling: Scaling, augmentation: Augmentation, forms: int) -> FloatArray:
    """What training would see of some images: scaled, augmented as a step does it, and scaled back to be looked at.

    Args:
      images: unscaled, as one batch.  # (N, H, W) or (N, H, W, C)
      scaling: of the study.
      augmentation: the strengths.
      forms: how many forms of every image; those of one place have the noise of one step, the same for every
        augmentation, so that two of them can be compared.

    Returns:
      The changed images in the unit of ``images``, float32; noise may take them beyond black and white.
        # (N, forms, ...)

    Example:
      >>> image = np.array([[[0, 255]]], np.uint8)  # (1, 1, 2)
      >>> scaling = Scaling("unit", np.float32(0), np.float32(1 / 255))
      >>> augmented(image, scaling, Augmentation(flip=1), 1).round().tolist()
      [[[[255.0, 0.0]]]]
    """
    strengths = {name: value for name, value in dataclasses.asdict(augmentation).items() if value}
    numbers = {name: jnp.float32(value) for name, value in strengths.items()}
    uses = strengths.keys() - {"mixup"}
    devices.start()  # before JAX makes an array, so that a study trained after it finds all devices
    shift, factor = jnp.asarray(scaling.shift), jnp.asarray(scaling.factor)
    x = jnp.asarray(images)  # (N, ...)

    @jax.jit
    def form(key: jax.Array) -> jax.Array:
        changed = in_step(x, key, numbers, uses, shift, factor)
        return mixup(changed, key, numbers["mixup"])[0] if "mixup" in numbers else changed  # (N, ...)

    steps = [np.asarray(form(jax.random.fold_in(jax.random.key(0), step))) for step in range(forms)]
    scaled = np.stack(steps, axis=1)  # (N, forms, ...)
    return (scaled / scaling.factor + scaling.shift).astype(np.float32)
