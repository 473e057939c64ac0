"""Keras models as the JSON that Keras writes of them, without Keras: layers as plain data."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any


def layer(kind: str, **options: Any) -> dict[str, Any]:
    """A layer as Keras 3 describes it; options that are left out have Keras's defaults."""
    return {"module": "keras.layers", "class_name": kind, "config": {"name": kind.lower(), **options}}


def part(kind: str, **options: Any) -> dict[str, Any]:
    """An initializer, a regularizer or a constraint."""
    return {"module": "keras", "class_name": kind, "config": options, "registered_name": None}


def sequential(*layers: Any, shape: tuple[int | None, ...] | None = None) -> dict[str, Any]:
    """A sequential model; without a shape, one that was never built."""
    first = [] if shape is None else [layer("InputLayer", batch_shape=[None, *shape])]
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "net", "layers": [*first, *layers]}}


def functional(layers: dict[str, Any], sources: dict[str, list[str]], outputs: list[str]) -> dict[str, Any]:
    """A functional model: name -> layer, and name -> the names of the layers that it takes."""
    described = []
    for name, one in layers.items():
        tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [s, 0, 0]}} for s in sources[name]]
        args = tensors if len(tensors) < 2 else [tensors]
        nodes = [{"args": args, "kwargs": {}}] if tensors else []
        described.append({**one, "name": name, "inbound_nodes": nodes})
    ends = [[name, 0, 0] for name in outputs]
    config = {"name": "net", "layers": described, "output_layers": ends[0] if len(ends) == 1 else ends}
    return {"module": "keras", "class_name": "Functional", "config": config}


def archive(config: str | bytes | dict[str, Any], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ``.keras`` file with this configuration, and weights that are none."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as file:
        file.writestr("metadata.json", '{"keras_version": "3.15.0"}')
        file.writestr("config.json", json.dumps(config) if isinstance(config, dict) else config)
        file.writestr("model.weights.h5", b"no weights")
    return content.getvalue()


DENSE = layer("Dense", units=3, activation="softmax")
MLP = sequential(
    layer("Dense", units=8, activation="relu", kernel_regularizer=part("L2", l2=0.01)),
    layer("Dropout", rate=0.25),
    DENSE,
    shape=(4,),
)
"""A network with a penalty and dropout."""
