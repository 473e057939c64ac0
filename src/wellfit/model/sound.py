"""Whether the parts of a model fit each other: a file or a study directory may come from a stranger, or be damaged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.base import Header, Preparation, Scaling
from wellfit.data.images.reader import size_of
from wellfit.data.later import Form
from wellfit.errors import ShapeError

if TYPE_CHECKING:
    from wellfit.model.fitted import FittedModel, Network

__all__ = ["check_sound"]

_MOST_VALUES: Final = 2**27
"""Values of one example after a layer: more than any model has that wellfit trains."""


def check_sound(model: FittedModel) -> None:
    """Refuse a model whose parts do not fit each other; nothing of the size that it claims is allocated.

    Raises:
      ValueError: what does not fit.
      WellfitError: the architecture does not fit its input or its classes.

    Example:
      >>> from wellfit import Study, mlp
      >>> check_sound(Study("digits", mlp(16), epochs=1, seeds=1).run().model())
    """
    if len(set(model.classes)) != len(model.classes):
        raise ValueError("two classes have the same name")
    _check_form(model.form)
    checked: set[Any] = set()
    for network in model.networks:
        _check_preparation(network.preparation, model.form)
        _check_scaling(network.scaling)
        if not all(np.isfinite(array).all() for array in network.weights.values()):
            raise ValueError("a weight is not a finite number")
        shapes = tuple(sorted((name, array.shape) for name, array in network.weights.items()))
        key = shapes, network.preparation.features, network.scaling.shift.shape, network.scaling.factor.shape
        if key not in checked:  # the same for all networks, as a rule
            _check_shapes(network, model)
            checked.add(key)


def _check_form(form: Form) -> None:
    if not form.shape or min(form.shape) < 1 or math.prod(form.shape) > _MOST_VALUES:
        raise ValueError(f"examples of shape {form.shape}")
    if len(form.shape) == 3 and form.shape[2] < 2:
        raise ValueError(f"images of shape {form.shape}")
    if form.pixel_max is not None and not (math.isfinite(form.pixel_max) and form.pixel_max > 0):
        raise ValueError(f"a largest pixel value of {form.pixel_max}")
    if len(form.shape) > 1 and size_of(form.reading) not in (None, form.shape[:2]):
        raise ValueError("its images are resized to another size")
    if form.columns and form.shape != (len(form.columns),):
        raise ValueError("its columns are those of another table")
    if form.header is not None:
        _check_header(form.header, form)


def _check_header(header: Header, form: Form) -> None:
    count = len(header.names)
    names = [column.name for column in form.columns]
    if not 0 <= header.label < count or any(not 0 <= at < count for at in header.features):
        raise ValueError("its header lacks columns")
    if len(header.features) != math.prod(form.shape) or (
        names and [header.names[at] for at in header.features] != names
    ):
        raise ValueError("its header is that of another table")


def _check_preparation(preparation: Preparation, form: Form) -> None:
    columns = preparation.columns
    if not columns:
        return
    if form.shape != (len(columns) + len(preparation.left_out),):
        raise ValueError("its preparation is of another table")
    if form.columns and form.used != tuple(column.name for column in columns):
        raise ValueError("its preparation uses other columns")
    places = [column.column for column in columns]
    if sorted(set(places)) != places or not 0 <= places[0] <= places[-1] < form.shape[0]:
        raise ValueError("its preparation is of another table")
    for column in columns:
        own = form.columns[column.column] if form.columns else None
        if own is not None and (own.name, own.categories) != (column.name, column.categories):
            raise ValueError("its preparation has other columns")
        if len(set(column.categories)) != len(column.categories):
            raise ValueError("a category stands twice")
        if not math.isfinite(column.fill) or not math.isfinite(column.center):
            raise ValueError("what fills in missing values is not a finite number")
        if column.categories and column.fill not in range(len(column.categories)):
            raise ValueError("what fills in missing values is no category")
    if len(preparation.features) != sum(max(1, len(c.categories)) + c.indicator for c in columns):
        raise ValueError("its preparation has other features")


def _check_scaling(scaling: Scaling) -> None:
    if scaling.kind not in ("unit", "standardize"):
        raise ValueError(f"a scaling of kind {scaling.kind!r}")
    finite = np.isfinite(scaling.shift).all() and np.isfinite(scaling.factor).all()
    if not finite or (scaling.factor < 0).any():
        raise ValueError("its scaling is not one of finite numbers")


def _check_shapes(network: Network, model: FittedModel) -> None:
    """The weights against the architecture, by shapes alone."""
    import jax
    import jax.numpy as jnp

    from wellfit.engine.devices import start_to_predict
    from wellfit.nn.models import build

    start_to_predict()  # before the first use of JAX, after which it cannot have more devices
    features = network.preparation.features
    shape: Sequence[int] = (len(features),) if features else model.form.shape
    try:
        built = build(model.spec, tuple(shape), len(model.classes))
    except ShapeError as error:  # a file's architecture that no wellfit trained
        raise ValueError(str(error)) from None
    if any(math.prod(made.output_shape) > _MOST_VALUES for _, made in built.layers):
        raise ValueError("a layer is larger than wellfit trains")
    for scale in (network.scaling.shift, network.scaling.factor):
        if scale.shape not in ((), tuple(shape)):
            raise ValueError("its scaling is of another shape")
    params: dict[str, dict[str, Any]] = {}
    for name, array in network.weights.items():
        layer, _, kind = name.partition("/")
        params.setdefault(layer, {})[kind] = jax.ShapeDtypeStruct(array.shape, array.dtype)
    stats = {layer: {kind: params[layer].pop(kind) for kind in of} for layer, of in built.stats().items()}
    if {layer for layer, of in params.items() if of} != {*built.kernels, *_normal(stats, params)}:
        raise ValueError("its weights are those of other layers")
    for layer, made in built.layers:  # the units that a layer claims are in no array but these
        if layer in built.kernels and params[layer]["kernel"].shape[-1] != made.output_shape[-1]:
            raise ValueError(f"the weights of {layer} are of another shape")
    x = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    logits, _ = jax.eval_shape(built.apply, params, stats, x)
    if logits.shape != (1, len(model.classes)):
        raise ValueError("its output does not fit its classes")


def _normal(stats: dict[str, Any], params: dict[str, Any]) -> set[str]:
    """The layers of batch normalization that have weights of their own."""
    return {layer for layer in stats if params.get(layer)}
