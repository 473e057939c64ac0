"""A recipe's hyperparameters as a compiled program takes them: defaults resolved, one strength per layer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from wellfit.base import Recipe, Schedule
from wellfit.errors import StudyFileError
from wellfit.nn.models import Model
from wellfit.nn.optimizers import OPTIMIZERS

__all__ = ["TRACED", "Hyperparameters", "dropout_rates", "hyperparameters_of", "uses"]


@dataclass(frozen=True)
class Hyperparameters:
    """The traced inputs of a compiled program, one set per trajectory.

    ``schedule`` and ``span`` are not traced themselves: they determine the learning rate of every step.
    """

    learning_rate: float
    momentum: float
    weight_decay: float
    l1: tuple[float, ...]  # (kernels,)
    l2: tuple[float, ...]  # (kernels,)
    proximal_l1: tuple[float, ...]  # (kernels,)
    dropout: tuple[float, ...]  # (dropout layers,)
    label_smoothing: float
    max_norm: float  # inf: no constraint
    clip_norm: float  # inf: no clipping
    global_clip_norm: float  # inf: no clipping
    class_weights: tuple[float, ...]  # (classes,)
    shift: float
    flip: float
    rotation: float
    zoom: float
    erasing: float
    noise: float
    mixup: float
    schedule: Schedule | None
    span: int  # epochs that the schedule spans; 0 without a schedule


TRACED: Final = tuple(f.name for f in dataclasses.fields(Hyperparameters) if f.name not in ("schedule", "span"))
"""The names of the hyperparameters that are traced."""

_AT_REST: Final = {"max_norm": math.inf, "clip_norm": math.inf, "global_clip_norm": math.inf, "class_weights": 1.0}
"""The neutral value of each hyperparameter whose neutral value is not 0."""


def hyperparameters_of(
    variant: str, recipe: Recipe, model: Model, classes: int, balanced: tuple[float, ...] = ()
) -> Hyperparameters:
    """Resolve a recipe's hyperparameters: fill in optimizer and model defaults, and give each layer its strength.

    Args:
      variant: the recipe's variant, for error messages.
      classes: number of classes.
      balanced: the weights of the classes where the recipe asks for balanced ones.  # (classes,)

    Raises:
      StudyFileError: a list whose length does not match the model's layers or the data's classes.
    """
    defaults = OPTIMIZERS[recipe.optimizer]

    def either(value: float | None, default: float) -> float:
        return default if value is None else value

    kernels = len(model.kernels)
    weights = (balanced if recipe.class_weights == "balanced" else recipe.class_weights) or (1.0,) * classes
    if len(weights) != classes:
        raise StudyFileError(
            f"variant {variant!r}: class_weights has {len(weights)} values, but the data have {classes} classes; "
            "give one value per class"
        )
    varying = recipe.schedule is not None
    return Hyperparameters(
        learning_rate=either(recipe.learning_rate, defaults.learning_rate),
        momentum=either(recipe.momentum, defaults.momentum),
        weight_decay=either(recipe.weight_decay, defaults.weight_decay),
        l1=_per_kernel(variant, "l1", recipe.l1, kernels),
        l2=_per_kernel(variant, "l2", recipe.l2, kernels),
        proximal_l1=_per_kernel(variant, "proximal_l1", recipe.proximal_l1, kernels),
        dropout=dropout_rates(variant, recipe, model),
        label_smoothing=recipe.label_smoothing,
        max_norm=recipe.max_norm or math.inf,
        clip_norm=recipe.clip_norm or math.inf,
        global_clip_norm=recipe.global_clip_norm or math.inf,
        class_weights=weights,
        **dataclasses.asdict(recipe.augmentation),
        schedule=recipe.schedule,
        span=recipe.epochs if varying else 0,
    )


def dropout_rates(variant: str, recipe: Recipe, model: Model) -> tuple[float, ...]:
    """The rate of every dropout layer of a model.

    Args:
      variant: the recipe's variant, for error messages.

    Raises:
      StudyFileError: a list whose length does not match the model's dropout layers.

    Example:
      >>> from wellfit.base import ModelSpec
      >>> from wellfit.nn.models import build
      >>> recipe = Recipe(model=ModelSpec("mlp", (8, 4)), dropout=0.5)
      >>> dropout_rates("dropout", recipe, build(recipe.model, (2,), 2))
      (0.5, 0.5)
    """
    rates = model.dropout if recipe.dropout is None else recipe.dropout
    return _per_layer(variant, "dropout", rates, len(model.dropout))


def _per_kernel(variant: str, key: str, value: float | tuple[float, ...], kernels: int) -> tuple[float, ...]:
    """Expand to one strength per kernel; a single number, or a list one shorter, exempts the output layer."""
    hidden = max(kernels - 1, 1)
    if isinstance(value, tuple) and len(value) == kernels:
        return value
    given = _per_layer(variant, key, value, hidden)
    return given + (0.0,) * (kernels - hidden)


def _per_layer(variant: str, key: str, value: float | tuple[float, ...], layers: int) -> tuple[float, ...]:
    if not isinstance(value, tuple):
        return (float(value),) * layers
    if len(value) != layers:
        place = f"variant {variant!r}: " if variant else ""
        raise StudyFileError(
            f"{place}{key} has {len(value)} values, but applies to {layers} of the model's layers; "
            "give one value per layer, or a single number"
        )
    return value


def uses(together: Iterable[Hyperparameters]) -> frozenset[str]:
    """Return the names in ``TRACED`` whose value is not neutral in at least one of the given sets."""
    every = tuple(together)
    return frozenset(
        name for name in TRACED if any(_in_use(getattr(each, name), _AT_REST.get(name, 0.0)) for each in every)
    )


def _in_use(value: float | tuple[float, ...], at_rest: float) -> bool:
    return any(v != at_rest for v in value) if isinstance(value, tuple) else value != at_rest
