"""A fitted model as a model of Keras 3, made of its own layers alone: any backend loads it, and nothing of wellfit."""

from __future__ import annotations

import json
import math
import os
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from wellfit.engine.hyperparameters import hyperparameters_of
from wellfit.errors import WellfitError
from wellfit.interop.network import Step, common_preparation, fills, network_steps, takes_images
from wellfit.interop.provenance import provenance
from wellfit.nn.models import build
from wellfit.spec.variants import recipe_from

if TYPE_CHECKING:
    from types import ModuleType

    from wellfit.base import FloatArray
    from wellfit.model.fitted import FittedModel, Network

__all__ = ["has_missing_input", "keras_file", "to_keras"]

_ARRAYS: Final = {
    "dense": ("kernel", "bias"),
    "conv2d": ("kernel", "bias"),
    "batch_norm": ("gamma", "beta", "mean", "variance"),
}
"""Kind -> its arrays in the order of Keras."""

_LAST: Final = {"data_format": "channels_last"}  # ~/.keras/keras.json may say otherwise


def to_keras(model: FittedModel) -> Any:
    """A fitted model as a model of Keras, on the backend that Keras has been imported with, by default JAX.

    What precedes the network is part of the model where Keras has layers for it on every backend:

    - of images, the scaling; the input is raw pixels in the range of the training images.  # (N, H, W) or (N, H, W, C)
    - of a table, the scaling, and what fills in missing values. Keras has layers that turn texts into numbers on
      TensorFlow alone, so that the inputs are numbers: ``features``, one column for each name in
      ``networks[0].preparation.features`` with zeros where a value is missing (numbers minus the ``center`` of their
      column, which float32 would blur), and ``missing``, ones in the features of
      a missing value.  # (N, D') each
    - of an array without missing values, the scaling; the input is ``features`` alone.  # (N, D')

    The model card that ``wellfit export`` writes holds the code that makes features of a DataFrame.

    Dropout layers, penalties and bounds of the recipe are there too: they do nothing when the model predicts, and act
    if it is trained on.

    Returns:
      A ``keras.Model`` whose output is the probabilities in the order of ``classes``.  # (N, K)

    Raises:
      WellfitError: Keras is not installed, or cannot be imported.
    """
    keras = _keras()
    preparation = common_preparation(model)
    shapes = {"pixels": model.form.shape}
    if preparation.columns:
        names = ("features", "missing") if has_missing_input(model) else ("features",)
        shapes = dict.fromkeys(names, (len(preparation.features),))

    def inputs() -> Any:
        tensors = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
        return tensors if len(tensors) > 1 else next(iter(tensors.values()))

    def network_model(network: Network, name: str) -> Any:
        own = inputs()
        return keras.Model(own, _network(keras, model, network, own), name=name)

    if len(model.networks) == 1:
        return network_model(model.networks[0], "wellfit")
    shared = inputs()
    each = [network_model(network, f"seed_{network.seed}")(shared) for network in model.networks]
    return keras.Model(shared, keras.layers.Average(name="mean")(each), name="wellfit")


def has_missing_input(model: FittedModel) -> bool:
    """Whether the Keras model has a second input, which says where values are missing."""
    return bool(model.form.columns) or any(column.indicator for column in common_preparation(model).columns)


def keras_file(model: FittedModel) -> bytes:
    """The content of the ``.keras`` file of a model, a ZIP archive.

    In it, ``wellfit.json`` says where the model comes from: ``provenance``, and the ``columns`` of a table with what
    makes features of them. Keras does not read it.

    Raises:
      WellfitError: as for ``to_keras``.
    """
    built = to_keras(model)
    with TemporaryDirectory() as folder:  # Keras writes under names with its own ending only
        path = Path(folder) / "model.keras"
        built.save(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("wellfit.json", json.dumps({**provenance(model), "columns": _columns(model)}, indent=1))
        return path.read_bytes()


def _columns(model: FittedModel) -> list[dict[str, Any]]:
    """What makes features of the columns of a table, apart from what fills in missing values."""
    keys = ("name", "categories", "center", "indicator")
    return [{key: getattr(column, key) for key in keys} for column in common_preparation(model).columns]


def _keras() -> ModuleType:
    """Keras on the backend with which it has been imported, or else on JAX, which is here; its own default may not."""
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "jax")
    try:
        import keras
    except ImportError as error:
        if error.name == "keras":
            fix = 'which is not installed; install it with: pip install "wellfit[keras]"'
            raise WellfitError(f"a Keras model needs keras, {fix}") from None
        backend = os.environ.get("KERAS_BACKEND", "")
        raise WellfitError(
            f"Keras cannot be imported with KERAS_BACKEND = {backend!r}: {error}; set KERAS_BACKEND to jax"
        ) from None
    module: ModuleType = keras
    return module


def _network(keras: ModuleType, model: FittedModel, network: Network, inputs: Any) -> Any:
    """The probabilities of one network.  # (N, K)"""
    x = inputs
    if isinstance(inputs, dict):
        filled = keras.layers.Rescaling(fills(network.preparation, indicator=0.0), name="fill")(inputs["missing"])
        x = keras.layers.Add(name="filled")([inputs["features"], filled])
    shape, classes = tuple(x.shape[1:]), len(model.classes)
    if network.scaling.shift.any():
        x = keras.layers.Rescaling(1.0, offset=_plain(-network.scaling.shift), name="center")(x)
    x = keras.layers.Rescaling(_plain(network.scaling.factor), name="scale")(x)
    if takes_images(model.spec, shape, classes) and len(shape) == 2:
        x = keras.layers.Reshape((*shape, 1), name="image")(x)
    for step, training in _trained_with(model, shape):
        if step.kind == "dropout" and not training.rate:
            continue
        layer = _layer(keras, step, training)
        x = layer(x)
        if step.kind in _ARRAYS:
            arrays = [f"{step.name}/{kind}" for kind in _ARRAYS[step.kind]]
            layer.set_weights([network.weights[name] for name in arrays if name in network.weights])
    if model.spec.output == "softmax":
        return keras.layers.Softmax(name="probabilities")(x)
    both = [keras.layers.Rescaling(sign, name=name)(x) for sign, name in ((-1.0, "first"), (1.0, "second"))]
    both = [keras.layers.Activation("sigmoid", name=f"{y.name}_probability")(y) for y in both]
    return keras.layers.Concatenate(name="probabilities")(both)


class _Training(NamedTuple):
    """What acts on a layer in training alone: a dropout rate, the penalties of a kernel, the bound of its norms."""

    rate: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    max_norm: float = math.inf


def _trained_with(model: FittedModel, shape: tuple[int, ...]) -> list[tuple[Step, _Training]]:
    """The layers of a network, each with what acted on it in training."""
    classes = len(model.classes)
    recipe = replace(recipe_from(model.origin.recipe), model=model.spec, class_weights=())
    numbers = hyperparameters_of(model.origin.variant, recipe, build(model.spec, shape, classes), classes)
    rates = iter(numbers.dropout)
    kernels = len(numbers.l1)
    bounds = [numbers.max_norm] * max(kernels - 1, 1) + [math.inf]
    penalties = zip(numbers.l1, numbers.l2, bounds, strict=False)
    return [
        (step, _Training(next(rates)))
        if step.kind == "dropout"
        else (step, _Training(0.0, *next(penalties)))
        if step.kind in ("dense", "conv2d")
        else (step, _Training())
        for step in network_steps(model.spec, shape, classes)
    ]


def _kernel_options(keras: ModuleType, step: Step, training: _Training) -> dict[str, Any]:
    """Bias, initializer, regularizer and constraint, so that the model can be trained on, or again."""
    settings, regularizers = step.settings, keras.regularizers
    start: Any = {
        "random_uniform": lambda: keras.initializers.RandomUniform(-settings.spread, settings.spread),
        "random_normal": lambda: keras.initializers.RandomNormal(stddev=settings.spread),
        "truncated_normal": lambda: keras.initializers.TruncatedNormal(stddev=settings.spread),
    }.get(settings.initializer, lambda: settings.initializer)()
    options = {"name": step.name, "use_bias": settings.bias, "kernel_initializer": start}
    if training.l1 or training.l2:
        options["kernel_regularizer"] = regularizers.L1L2(training.l1, training.l2)
    if training.max_norm < math.inf:
        axis = 0 if step.kind == "dense" else [0, 1, 2]
        options["kernel_constraint"] = keras.constraints.MaxNorm(training.max_norm, axis=axis)
    return options


def _layer(keras: ModuleType, step: Step, training: _Training) -> Any:
    """The Keras layer of the same meaning."""
    of = keras.layers
    window = {"strides": step.stride, "padding": step.padding, "name": step.name, **_LAST}
    plain: dict[str, Callable[[], Any]] = {
        "dense": lambda: of.Dense(step.shape[0], **_kernel_options(keras, step, training)),
        "conv2d": lambda: of.Conv2D(step.shape[-1], step.size, **{**window, **_kernel_options(keras, step, training)}),
        "dropout": lambda: of.Dropout(training.rate, name=step.name),
        "max_pool": lambda: of.MaxPooling2D(step.size, **window),
        "average_pool": lambda: of.AveragePooling2D(step.size, **window),
        "global_average_pool": lambda: of.GlobalAveragePooling2D(name=step.name, **_LAST),
        "flatten": lambda: of.Flatten(name=step.name, **_LAST),
        "batch_norm": lambda: of.BatchNormalization(name=step.name),
        "leaky_relu": lambda: of.LeakyReLU(negative_slope=0.2, name=step.name),
    }
    return plain.get(step.kind, lambda: of.Activation(step.kind, name=step.name))()


def _plain(numbers: FloatArray) -> Any:
    """One number as Python has it, several as an array."""
    return float(numbers) if numbers.ndim == 0 else numbers
