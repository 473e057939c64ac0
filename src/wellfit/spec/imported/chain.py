"""The layers of a Keras model in order, from its configuration: ``Sequential``, or functional if it is one chain.

Both forms of configuration are read, that of Keras 3 and that of Keras 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wellfit.spec.imported.files import refuse

__all__ = ["Chain", "KerasLayer", "chain_of"]

_MOST_LAYERS: Final = 500
_PACKAGES: Final = ("keras", "tf_keras", "tensorflow")


@dataclass(frozen=True)
class KerasLayer:
    """A layer as Keras describes it.

    Args:
      kind: the name of its class.
      config: its options.
      place: for errors: ``"model.keras, layer 2 (Dense 'hidden')"``.
    """

    kind: str
    config: Mapping[str, Any]
    place: str


@dataclass(frozen=True)
class Chain:
    """The layers of a model, each of which takes what the one before it gives.

    Args:
      layers: without input layers.
      name: of the model.
      shape: of an example, None for a length that is not fixed; None if the model does not say.
    """

    layers: tuple[KerasLayer, ...]
    name: str
    shape: tuple[int | None, ...] | None


def chain_of(tables: Mapping[str, Any], where: str) -> Chain:
    """The layers of a model.

    Args:
      tables: the model as ``model.to_json()`` describes it.
      where: the name of the file in errors.

    Raises:
      StudyFileError: another class of model, one with several inputs, branches or shared layers, or no configuration.

    Example:
      >>> dense = {"class_name": "Dense", "config": {"name": "hidden", "units": 3}}
      >>> chain_of({"class_name": "Sequential", "config": {"layers": [dense]}}, "m.json").layers[0].place
      "m.json, layer 1 (Dense 'hidden')"
    """
    kind, config = tables.get("class_name"), tables.get("config")
    if isinstance(config, list):  # the first versions of Keras 2
        config = {"layers": config}
    layers = config.get("layers") if isinstance(config, dict) else None
    if not isinstance(kind, str) or not isinstance(config, dict) or not isinstance(layers, list):
        refuse(where, "holds no architecture of Keras: no class_name and config with layers; save the model again")
    if kind not in ("Sequential", "Functional", "Model"):
        refuse(where, f"a model of class {kind!r}; wellfit takes Sequential and functional models")
    if len(layers) > _MOST_LAYERS:
        refuse(where, f"{len(layers):,} layers, more than the {_MOST_LAYERS} that wellfit takes")
    nodes = [_layer(layer, number, where) for number, layer in enumerate(layers, start=1)]
    order = list(range(len(nodes))) if kind == "Sequential" else _order(layers, nodes, config, where)
    kept = [nodes[at] for at in order]
    inner = tuple(layer for layer in kept if layer.kind != "InputLayer")
    if not inner:
        refuse(where, "a model without layers; add at least the output layer")
    name = config.get("name")
    return Chain(inner, name if isinstance(name, str) else kind, _input_shape(kept, config, where))


def _layer(layer: Any, number: int, where: str) -> KerasLayer:
    kind, config = (layer.get("class_name"), layer.get("config")) if isinstance(layer, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(config, dict):
        refuse(f"{where}, layer {number}", "no class_name and config; save the model again")
    name = config.get("name")
    place = f"{where}, layer {number} ({kind[:60]}{f' {name!r}' if isinstance(name, str) else ''})"
    module = layer.get("module") or "keras"
    if not isinstance(module, str) or module.split(".")[0] not in _PACKAGES:
        refuse(place, "is not a layer of Keras itself; replace it with layers that wellfit has")
    if config.get("trainable") not in (None, True):
        refuse(place, "is frozen, and wellfit trains every layer from new weights; set trainable = True")
    return KerasLayer(kind, config, place)


# --- Functional models ------------------------------------------------------------------------------------------------


def _order(layers: list[Any], nodes: list[KerasLayer], config: Mapping[str, Any], where: str) -> list[int]:
    """The numbers of the layers along the chain, the input first."""
    inputs = [at for at, node in enumerate(nodes) if node.kind == "InputLayer"]
    if len(inputs) != 1:
        refuse(where, f"a model with {len(inputs)} inputs; wellfit's networks have one")
    names = [layer.get("name", nodes[at].config.get("name")) for at, layer in enumerate(layers)]
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        refuse(where, "holds no architecture of Keras: its layers have no names of their own; save the model again")
    after: dict[str, int] = {}
    for at, layer in enumerate(layers):
        if at == inputs[0]:
            continue
        source = _source(layer.get("inbound_nodes"), nodes[at].place)
        if source in after:
            refuse(
                nodes[at].place, "is a branch: another layer takes the same values; wellfit's networks are one chain"
            )
        after[source] = at
    order = [inputs[0]]
    while (following := after.pop(names[order[-1]], None)) is not None:
        order.append(following)
    if after:
        refuse(where, "its layers are not one chain from the input to the output; wellfit's networks are")
    outputs = list(_tensors(config.get("output_layers")))
    if outputs != [names[order[-1]]]:
        refuse(where, f"a model with other outputs than its last layer's ({len(outputs)}); wellfit's networks have one")
    return order


def _source(calls: Any, place: str) -> str:
    """The name of the layer whose values a layer takes."""
    if not isinstance(calls, list) or len(calls) > 1:
        refuse(place, "is used several times (a shared layer); wellfit's layers are used once")
    call = calls[0] if calls else None
    options: Any = {}
    if isinstance(call, dict):  # Keras 3
        options = call.get("kwargs")
        sources = list(_histories(call.get("args")))
    else:  # Keras 2
        sources = list(_tensors(call))
        parts = call if isinstance(call, list) else []
        options = next((part[3] for part in parts if isinstance(part, list) and len(part) > 3), {})
    if len(sources) != 1:
        refuse(place, f"joins {len(sources)} inputs; wellfit's layers have one: wellfit's networks are one chain")
    for key, value in options.items() if isinstance(options, dict) else ():
        if value is not None and (key, value) != ("training", False):  # which Keras 3 notes, and fit overrides
            refuse(place, f"is called with {key[:60]} = {str(value)[:60]}; call it with its input alone")
    return sources[0]


def _histories(given: Any) -> Iterator[str]:
    """The names of the layers behind the arguments of a call, in the form of Keras 3; an argument may be a list."""
    parts = given if isinstance(given, list) else [given]
    for tensor in (one for part in parts for one in (part if isinstance(part, list) else [part])):
        inner = tensor.get("config") if isinstance(tensor, dict) else None
        yield from _tensors(inner.get("keras_history") if isinstance(inner, dict) else None)


def _tensors(given: Any) -> Iterator[str]:
    """The names in ``["name", 0, 0]`` or a list of such."""
    parts = given if isinstance(given, list) and given and isinstance(given[0], list) else [given]
    for part in parts:
        if isinstance(part, list) and part and isinstance(part[0], str):
            yield part[0]


# --- The input --------------------------------------------------------------------------------------------------------


def _input_shape(layers: list[KerasLayer], config: Mapping[str, Any], where: str) -> tuple[int | None, ...] | None:
    first = layers[0].config
    batch = first.get("batch_shape") or first.get("batch_input_shape") or config.get("build_input_shape")
    if batch is None:
        return None
    lengths = batch[1:] if isinstance(batch, list) else None
    if not lengths or not all(n is None or (type(n) is int and n > 0) for n in lengths):
        refuse(where, f"an input of shape {str(batch)[:60]}; wellfit takes rows of numbers and images")
    if len(lengths) > 3:
        refuse(where, f"an input of {len(lengths)} axes, {tuple(lengths)}; wellfit takes rows of numbers and images")
    return tuple(lengths)
