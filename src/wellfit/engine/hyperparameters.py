"""The numbers of a recipe, as a compiled program takes them: defaults resolved, one strength for every layer."""

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

__all__ = ["TRACED", "Hyperparameters", "hyperparameters_of", "uses"]


@dataclass(frozen=True)
class Hyperparameters:
    """What a compiled program takes as traced numbers, one set a trajectory.

    ``schedule`` and ``span`` are not traced themselves: the learning rate of every step is computed from them.
    """

    learning_rate: float
    momentum: float
    weight_decay: float
    l1: tuple[float, ...]  # (kernels,)
    l2: tuple[float, ...]  # (kernels,)
    proximal_l1: tuple[float, ...]  # (kernels,)
    dropout: tuple[float, ...]  # (dropout layers,)
    label_smoothing: float
    max_norm: float  # inf: none
    clip_norm: float  # inf: none
    global_clip_norm: float  # inf: none
    class_weights: tuple[float, ...]  # (classes,)
    shift: float
    flip: float
    rotation: float
    zoom: float
    erasing: float
    noise: float
    mixup: float
    schedule: Schedule | None
    span: int  # epochs that the schedule is laid over; 0 without one


TRACED: Final = tuple(f.name for f in dataclasses.fields(Hyperparameters) if f.name not in ("schedule", "span"))
"""The numbers that a compiled program takes."""

_AT_REST: Final = {"max_norm": math.inf, "clip_norm": math.inf, "global_clip_norm": math.inf, "class_weights": 1.0}
"""The value of a number that changes nothing, where it is not 0."""


def hyperparameters_of(variant: str, recipe: Recipe, model: Model, classes: int) -> Hyperparameters:
    """Resolve a recipe's numbers: the optimizer's and the model's defaults, and one strength for every layer.

    Args:
      variant: whose recipe it is, for the message.
      recipe: the recipe.
      model: that it trains.
      classes: how many there are.

    Raises:
      StudyFileError: a number per layer, or per class, that the model or the data have no place for.
    """
    defaults = OPTIMIZERS[recipe.optimizer]

    def either(value: float | None, default: float) -> float:
        return default if value is None else value

    kernels = len(model.kernels)
    dropout = model.dropout if recipe.dropout is None else recipe.dropout
    weights = recipe.class_weights or (1.0,) * classes
    if len(weights) != classes:
        raise StudyFileError(
            f"class_weights of variant {variant!r} has {len(weights)} values, the data have {classes} classes"
        )
    varying = recipe.schedule is not None
    return Hyperparameters(
        learning_rate=either(recipe.learning_rate, defaults.learning_rate),
        momentum=either(recipe.momentum, defaults.momentum),
        weight_decay=either(recipe.weight_decay, defaults.weight_decay),
        l1=_per_kernel(variant, "l1", recipe.l1, kernels),
        l2=_per_kernel(variant, "l2", recipe.l2, kernels),
        proximal_l1=_per_kernel(variant, "proximal_l1", recipe.proximal_l1, kernels),
        dropout=_per_layer(variant, "dropout", dropout, len(model.dropout)),
        label_smoothing=recipe.label_smoothing,
        max_norm=recipe.max_norm or math.inf,
        clip_norm=recipe.clip_norm or math.inf,
        global_clip_norm=recipe.global_clip_norm or math.inf,
        class_weights=weights,
        **dataclasses.asdict(recipe.augmentation),
        schedule=recipe.schedule,
        span=recipe.epochs if varying else 0,
    )


def _per_kernel(variant: str, key: str, value: float | tuple[float, ...], kernels: int) -> tuple[float, ...]:
    """One strength a kernel; a single number, or a list of one fewer, leaves the output layer alone."""
    hidden = max(kernels - 1, 1)
    if isinstance(value, tuple) and len(value) == kernels:
        return value
    given = _per_layer(variant, key, value, hidden)
    return given + (0.0,) * (kernels - hidden)


def _per_layer(variant: str, key: str, value: float | tuple[float, ...], layers: int) -> tuple[float, ...]:
    if not isinstance(value, tuple):
        return (float(value),) * layers
    if len(value) != layers:
        raise StudyFileError(
            f"{key} of variant {variant!r} has {len(value)} values, the model has {layers} places for it"
        )
    return value


def uses(together: Iterable[Hyperparameters]) -> frozenset[str]:
    """The names of ``TRACED`` numbers that are not at rest in all of the given ones."""
    every = tuple(together)
    return frozenset(
        name for name in TRACED if any(_in_use(getattr(each, name), _AT_REST.get(name, 0.0)) for each in every)
    )


def _in_use(value: float | tuple[float, ...], at_rest: float) -> bool:
    return any(v != at_rest for v in value) if isinstance(value, tuple) else value != at_rest
