"""A Keras model as settings of wellfit: its architecture, its dropout rates, penalties, bound and scaling."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from wellfit.base import LayerSpec, ModelSpec
from wellfit.spec.imported.chain import Chain, KerasLayer, chain_of
from wellfit.spec.imported.files import refuse
from wellfit.spec.imported.kinds import known_kind
from wellfit.spec.imported.layers import ANYWAY, Kernel, check_common, kernel_of, layer_of
from wellfit.spec.imported.options import only

__all__ = ["Imported", "imported"]

Scale = Literal["unit", "standardize"]

_IMAGE_LAYERS: Final = ("conv2d", "max_pool", "average_pool", "global_average_pool")
_OF_IMAGES: Final = ("Conv2D", "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D")
_WITH_KERNEL: Final = ("dense", "conv2d")


@dataclass(frozen=True)
class Imported:
    """A network from Keras as settings of wellfit.

    Args:
      model: the architecture.
      l1, l2: strengths of the penalties, as in ``Recipe``.
      max_norm: bound of the norms, as in ``Recipe``.
      dropout: rates, as in ``Recipe``; None if every rate is 0.
      scale: what the layers before the network did to its inputs, as in ``[data]``; None if there are none.
      rank: number of axes of its inputs; None if the model does not say.
      name: of the model.
      note: what was replaced by something else, for the record; empty if nothing was.
    """

    model: ModelSpec
    l1: float | tuple[float, ...]
    l2: float | tuple[float, ...]
    max_norm: float
    dropout: float | tuple[float, ...] | None
    scale: Scale | None
    rank: int | None
    name: str
    note: str = ""

    def recipe(self) -> dict[str, Any]:
        """The settings of a recipe besides the model, without those that have no effect."""
        found = {"l1": self.l1, "l2": self.l2, "max_norm": self.max_norm, "dropout": self.dropout}
        return {key: value for key, value in found.items() if value}


def imported(tables: Mapping[str, Any], where: str) -> Imported:
    """Read a model.

    Args:
      tables: the model as ``model.to_json()`` describes it.
      where: the name of the file in errors.

    Raises:
      StudyFileError: anything that wellfit cannot train as Keras does; names it, and what is supported.

    Example:
      >>> dense = {"class_name": "Dense", "config": {"units": 10, "batch_input_shape": [None, 4]}}
      >>> imported({"class_name": "Sequential", "config": {"layers": [dense]}}, "m.json").model.kind
      'logistic'
    """
    chain = chain_of(tables, where)
    for layer in chain.layers:
        check_common(layer)
    scale, note, rest = _scaled(chain)
    specs, kernels, rank = _layers(rest, chain)
    if not kernels:
        refuse(where, "has no Dense or Conv2D layer, so that there is nothing to train")
    specs, output = _ended(specs, rest[-1])
    found = known_kind(specs, output)
    model, rates = found if found is not None else _listed(specs, output)
    return Imported(
        model=model,
        l1=_shared([kernel.l1 for kernel in kernels]),
        l2=_shared([kernel.l2 for kernel in kernels]),
        max_norm=_bound(kernels),
        dropout=(rates[0] if len(set(rates)) == 1 else rates) if any(rates) else None,
        scale=scale,
        rank=rank,
        name=chain.name,
        note=note,
    )


# --- What precedes the network ----------------------------------------------------------------------------------------


def _scaled(chain: Chain) -> tuple[Scale | None, str, tuple[KerasLayer, ...]]:
    """How the first layers scale the inputs, a note if wellfit's scaling may be another, and the layers after them."""
    scale: Scale | None = None
    factor = 1.0
    for at, layer in enumerate(chain.layers):
        if layer.kind == "Rescaling":
            own = _rescaling(layer)
            factor *= own or 1.0
            scale = scale or ("standardize" if own is None else "unit")
        elif layer.kind == "Normalization":
            only(layer.config, layer.place, {}, (*ANYWAY, "axis", "mean", "variance"))
            if chain.shape is not None and len(chain.shape) > 1 and layer.config.get("axis") not in (None, [], ()):
                fix = 'remove the layer; scale = "standardize" in [data] normalizes each pixel'
                refuse(layer.place, f"normalizes the channels of images, which wellfit does not; {fix}")
            scale = "standardize"
        else:
            other = scale == "unit" and not math.isclose(factor, 1 / 255, rel_tol=1e-6)
            return scale, _REPLACED.format(factor) if other else "", chain.layers[at:]
    refuse(chain.layers[-1].place, "is the last layer; a network needs at least an output layer")


_REPLACED: Final = "its Rescaling({:.6g}) is replaced: pixels are divided by the largest possible value of the data"


def _rescaling(layer: KerasLayer) -> float | None:
    """The factor of a layer of scaling; None for numbers for each input, which come from data."""
    only(layer.config, layer.place, {}, (*ANYWAY, "scale", "offset"))
    scale: Any = layer.config.get("scale")
    offset: Any = layer.config.get("offset", 0.0)
    if isinstance(scale, dict | list) or isinstance(offset, dict | list):
        return None
    for key, value in (("scale", scale), ("offset", offset)):
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isinf(value):
            refuse(layer.place, f"{key} = {str(value)[:60]!r}: must be a number")
    if offset:
        fix = "wellfit scales pixels to the range from 0 to 1, as Rescaling(1/255) does"
        refuse(layer.place, f"offset = {offset:g} is not supported; {fix}")
    if scale <= 0:
        refuse(layer.place, f"scale = {scale:g} is not supported; wellfit divides pixels, as Rescaling(1/255) does")
    return float(scale)


# --- Layers -----------------------------------------------------------------------------------------------------------


def _layers(layers: Sequence[KerasLayer], chain: Chain) -> tuple[list[LayerSpec], list[Kernel], int | None]:
    """The layers of the network, what Keras keeps with its kernels, and the rank of the inputs."""
    rank = first_rank = None if chain.shape is None else len(chain.shape)
    specs: list[LayerSpec] = []
    kernels: list[Kernel] = []
    for layer in layers:
        if layer.kind in ("Rescaling", "Normalization"):
            refuse(layer.place, "stands behind other layers; wellfit scales the inputs of the network alone")
        if layer.kind == "Reshape":
            rank = _reshaped(layer, specs, chain)
            specs += [LayerSpec("flatten")] if rank == 1 else []
            continue
        spec = layer_of(layer, rank)
        if not specs and rank in (None, 1) and spec.kind not in (*_IMAGE_LAYERS, "flatten"):
            specs.append(LayerSpec("flatten"))  # Keras's inputs are rows; the study's data may be images
        if spec.kind == "dense" and rank in (2, 3):
            refuse(layer.place, "takes images, and acts on their last axis; put Flatten before it")
        if spec.kind == "batch_norm" and rank == 3 and not any(k.kind in _OF_IMAGES for k in layers):
            refuse(layer.place, "normalizes the channels of images; put Flatten before it, to normalize each pixel")
        rank = 1 if spec.kind in ("flatten", "global_average_pool") else rank
        if specs and spec.kind == "activation" and specs[-1].kind in _WITH_KERNEL and not specs[-1].function:
            specs[-1] = replace(specs[-1], function=spec.function)
        else:
            specs.append(spec)
        kernels += [kernel for kernel in [kernel_of(layer)] if kernel is not None]
    return specs, kernels, first_rank


def _reshaped(layer: KerasLayer, specs: Sequence[LayerSpec], chain: Chain) -> int:
    """The rank after a layer that makes rows of images, or the data's own images of the inputs."""
    only(layer.config, layer.place, {}, (*ANYWAY, "target_shape"))
    target = layer.config.get("target_shape")
    if not isinstance(target, list) or not all(type(n) is int for n in target):
        refuse(layer.place, f"target_shape = {str(target)[:60]}: must be a list of whole numbers")
    if len(target) == 1:
        return 1
    if len(target) in (2, 3) and not specs:
        if _is_the_image(target, chain.shape):
            return len(target)
        given = "an Input that does not say its shape" if chain.shape is None else f"an Input of shape {chain.shape}"
        fix = "give Input the shape of the data's images, and remove this layer"
        refuse(layer.place, f"target_shape = {target} of {given}; wellfit takes images as they are in the data; {fix}")
    refuse(
        layer.place, f"target_shape = {target} is not supported; wellfit makes rows of images, or images of the inputs"
    )


def _is_the_image(target: Sequence[int], shape: tuple[int | None, ...] | None) -> bool:
    """Whether Reshape gives the images that the data have: those of the inputs, with or without an axis of one channel.

    Rows do not say which images they hold; they are taken to be square, of 1 or 3 channels.

    Example:
      >>> [_is_the_image(target, (784,)) for target in ([28, 28, 1], [28, -1], [14, 56, 1], [7, 16, 7])]
      [True, True, False, False]
    """
    lengths = [n for n in shape or () if n is not None]
    known = [n for n in target if n != -1]
    if shape is None or len(lengths) < len(shape) or len(known) < len(target) - 1 or min(known) < 1:
        return False
    found = [math.prod(lengths) // math.prod(known) if n == -1 else n for n in target]
    height, width, channels = (*found, 1)[:3]
    if len(lengths) > 1:
        return [height, width, channels] == [*lengths, 1][:3]
    return math.prod(found) == lengths[0] and height == width and channels in (1, 3)


def _ended(specs: list[LayerSpec], last: KerasLayer) -> tuple[list[LayerSpec], Literal["softmax", "sigmoid"]]:
    """The layers without the final softmax or sigmoid, which is part of wellfit's loss."""
    *before, end = specs
    function: str = end.function
    if any(str(spec.function) == "softmax" for spec in before):
        refuse(last.place, "comes after a softmax; wellfit has softmax at the end of a network alone")
    if end.kind == "activation" and before and before[-1].kind == "global_average_pool":
        *before, end = before
    if end.kind == "dense":
        one = end.units == 1
        if function not in ("", "sigmoid" if one else "softmax"):
            fix = "sigmoid, or no activation" if one else "softmax, or no activation"
            refuse(last.place, f"the output layer has {end.units} units and {function}; wellfit's has {fix}")
        return [*before, replace(end, function="")], "sigmoid" if one else "softmax"
    if end.kind == "global_average_pool" and function in ("", "softmax"):
        return [*before, end], "softmax"
    refuse(
        last.place, "the network must end with a Dense layer, or GlobalAveragePooling2D, and perhaps softmax or sigmoid"
    )


# --- Dropout and penalties --------------------------------------------------------------------------------------------


def _listed(specs: Sequence[LayerSpec], output: Any) -> tuple[ModelSpec, tuple[float, ...]]:
    """A model as a list of layers, and its dropout rates, which are settings of the recipe.

    A network without dropout gets layers of rate 0 where wellfit's own networks have them, so that variants can drop.
    """
    rates = tuple(spec.rate for spec in specs if spec.kind == "dropout")
    layers = tuple(replace(spec, rate=0.0) for spec in specs) if rates else tuple(_with_places(specs))
    return ModelSpec("layers", (), output=output, layers=layers), rates


def _with_places(specs: Sequence[LayerSpec]) -> Iterator[LayerSpec]:
    """The layers with dropout behind each hidden dense layer, or else in front of the output layer."""
    denses = [at for at, spec in enumerate(specs) if spec.kind == "dense"]
    ends = [at for at in denses if at < len(specs) - 1]
    places = {
        next(k for k in range(at + 1, len(specs)) if specs[k].kind not in ("batch_norm", "activation")) for at in ends
    }
    if not ends and denses and any(spec.kind == "conv2d" for spec in specs):
        places = {denses[-1]}
    for at, spec in enumerate(specs):
        if at in places:
            yield LayerSpec("dropout")
        yield spec


def _shared(strengths: Sequence[float]) -> float | tuple[float, ...]:
    """One strength for all hidden kernels where that says it all, or else one for each kernel.

    Example:
      >>> _shared([0.1, 0.1, 0.0]), _shared([0.1, 0.1, 0.1]), _shared([0.1])
      (0.1, (0.1, 0.1, 0.1), 0.1)
    """
    *hidden, last = strengths
    if not hidden:
        return last
    return hidden[0] if len(set(hidden)) == 1 and not last else tuple(strengths)


def _bound(kernels: Sequence[Kernel]) -> float:
    """The bound of all hidden kernels, or of the only one."""
    *hidden, last = kernels
    bounds = {kernel.max_norm for kernel in hidden or [last]}
    if len(bounds) > 1 or (hidden and last.max_norm):
        odd = last if len(bounds) == 1 else next(k for k in hidden if k.max_norm != hidden[0].max_norm)
        refuse(
            odd.place,
            "its MaxNorm differs; wellfit has one bound for all hidden kernels, and none for the output layer's",
        )
    return bounds.pop()
