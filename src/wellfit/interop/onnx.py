"""A fitted model as an ONNX graph, from raw pixels or the columns of a table to probabilities and the label.

Built with ``onnx.helper`` alone, for one opset. Images are (N, H, W) or (N, H, W, C) outside of the graph, as wellfit
takes them, and (N, C, H, W) between its convolutions, as ONNX demands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit import __version__
from wellfit.errors import StudyFileError, WellfitError
from wellfit.interop.network import Step, common_preparation, encodable, fills, network_steps, takes_images
from wellfit.interop.provenance import provenance

if TYPE_CHECKING:
    from wellfit.base import FloatArray, Preparation, PreparedColumn
    from wellfit.model.fitted import FittedModel, Network

__all__ = ["OPSET", "PIXELS", "check_pixels", "input_names", "to_onnx"]

OPSET: Final = 21
"""Of the graph; onnxruntime reads it, tested from version 1.19 on."""

PIXELS: Final = ("float32", "uint8")
"""Types that pixels can have."""

_LABEL_OPSET: Final = 3  # of ai.onnx.ml, which has the operator that looks up texts
_IR: Final = 10  # the form of the file, which belongs to the opset
_MOST_BYTES: Final = 2**31 - 2**24  # a file of protobuf has less than 2 GiB
_OUTPUTS: Final = ("probabilities", "label")

_ACTIVATIONS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "relu": ("Relu", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "elu": ("Elu", {"alpha": 1.0}),
    "gelu": ("Gelu", {"approximate": "none"}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
}
"""Activation -> operator and attributes, as ``nn.layers.ACTIVATIONS`` defines them."""


class _Graph:
    """Nodes and constants under names that no column has."""

    def __init__(self, taken: Sequence[str]) -> None:
        from onnx import helper, numpy_helper

        self._helper, self._arrays = helper, numpy_helper
        self._taken = {*taken, *_OUTPUTS}
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any) -> str:
        """Append a node; returns the name of its output."""
        output = output or self._name(operator)
        node = self._helper.make_node(operator, list(inputs), [output], name=output, domain=domain, **attributes)
        self.nodes.append(node)
        return output

    def constant(self, array: NDArray[Any], name: str = "constant") -> str:
        """Add a constant; returns its name."""
        name = self._name(name)
        self.constants.append(self._arrays.from_array(np.ascontiguousarray(array), name))
        return name

    def _name(self, stem: str) -> str:
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}_{number}"
        self._taken.add(name)
        return name


def to_onnx(model: FittedModel, pixels: str = "float32") -> bytes:
    """A fitted model as the content of an ONNX file (opset 21, IR version 10).

    What precedes the network is part of the graph. Its inputs are:

    - of images, ``pixels``: float32 or uint8, in the range of the training images.  # (N, H, W) or (N, H, W, C)
    - of a table, one per column that the model uses, with the column's name: float64, NaN where a value is missing, or
      texts, empty where one is missing.  # (N, 1) each
    - of an array without column names, ``rows``: float32, or float64 where float32 would blur them.  # (N, D)

    Its outputs are ``probabilities``, float32 (N, K), and ``label``, the names of the classes (N,). The metadata of the
    file say where the model comes from.

    Args:
      pixels: the type of ``pixels``: "float32", or "uint8", as decoders of images give them.

    Raises:
      StudyFileError: the pixels cannot be uint8.
      WellfitError: onnx is not installed, or the weights take more than the 2 GB that a file can hold.
    """
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError:
        message = 'an ONNX file needs onnx, which is not installed; install it with: pip install "wellfit[onnx]"'
        raise WellfitError(message) from None

    check_pixels(model, pixels)
    size = sum(array.nbytes for network in model.networks for array in network.weights.values())
    if size > _MOST_BYTES:
        fix = "export the network of one seed with --seed" if len(model.networks) > 1 else "use another format"
        raise WellfitError(f"the weights take {size / 1e9:.1f} GB, and an ONNX file can hold 2 GB; {fix}")
    preparation = common_preparation(model)
    names = input_names(model)
    graph = _Graph(list(names))
    if preparation.columns:
        inputs, features = _rows(graph, model, preparation, list(names))
    else:
        shape: list[Any] = ["N", *model.form.shape]
        kind = TensorProto.UINT8 if pixels == "uint8" else TensorProto.FLOAT
        inputs = [helper.make_tensor_value_info("pixels", kind, shape)]
        raw = graph.add("Cast", "pixels", to=TensorProto.FLOAT) if pixels == "uint8" else "pixels"
        features = [raw] * len(model.networks)
    each = [_network(graph, model, network, x) for network, x in zip(model.networks, features, strict=True)]
    graph.add("Mean", *each, output="probabilities")
    classes = graph.constant(np.array([encodable(name) for name in model.classes], dtype=object), "classes")
    graph.add("Gather", classes, graph.add("ArgMax", "probabilities", axis=1, keepdims=0), output="label", axis=0)
    outputs = [
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(model.classes)]),
        helper.make_tensor_value_info("label", TensorProto.STRING, ["N"]),
    ]
    proto = helper.make_model(
        helper.make_graph(graph.nodes, "wellfit", inputs, outputs, graph.constants),
        ir_version=_IR,
        opset_imports=[onnx.OperatorSetIdProto(domain=d, version=v) for d, v in _opsets(graph)],
        producer_name="wellfit",
        producer_version=__version__,
    )
    helper.set_model_props(proto, _metadata(model, names))
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def check_pixels(model: FittedModel, pixels: str) -> None:
    """Refuse a type of pixels that the images of a model cannot have.

    Raises:
      StudyFileError: as said.
    """
    if pixels not in PIXELS:
        raise StudyFileError(f"pixels = {pixels!r}: choose {' or '.join(PIXELS)}")
    if pixels == "float32":
        return
    if len(model.form.shape) == 1:
        raise StudyFileError(f"pixels = {pixels!r}: the model takes rows, not images; leave it out")
    most = model.form.pixel_max
    if most is None or most > np.iinfo(np.uint8).max:
        what = "pixels in another range than 0 to 255" if most is None else f"pixels up to {most:g}"
        raise StudyFileError(f"pixels = {pixels!r}: the model was trained on {what}; use float32")


def input_names(model: FittedModel) -> dict[str, str]:
    """The inputs of a model's graph, and the columns of the table that they take; empty without column names.

    An input has the name of its column, unless an output has that name.
    """
    preparation = common_preparation(model)
    if not preparation.columns:
        return {"pixels": ""}
    if not model.form.columns:
        return {"rows": ""}
    names: dict[str, str] = {}
    for column in preparation.columns:
        name = encodable(column.name)
        while name in _OUTPUTS or name in names:
            name += "_"
        names[name] = column.name
    return names


# --- What precedes the networks ---------------------------------------------------------------------------------------


def _rows(graph: _Graph, model: FittedModel, preparation: Preparation, names: list[str]) -> tuple[list[Any], list[str]]:
    """The inputs of a table or of rows, and the prepared features of each network.  # (N, D')

    The networks differ in nothing but what fills in missing values, which is therefore chosen last.
    """
    from onnx import TensorProto, helper

    columns = preparation.columns
    wide = bool(model.form.columns) or any(column.center for column in columns)
    kind = TensorProto.DOUBLE if wide else TensorProto.FLOAT
    numbers = [at for at, column in enumerate(columns) if not column.categories]
    texts = [at for at, column in enumerate(columns) if column.categories]
    if model.form.columns:
        kinds = [TensorProto.STRING if column.categories else kind for column in columns]
        inputs = [helper.make_tensor_value_info(n, k, ["N", 1]) for n, k in zip(names, kinds, strict=True)]
        raw = graph.add("Concat", *(names[at] for at in numbers), axis=1) if numbers else ""
    else:
        inputs, raw = [helper.make_tensor_value_info("rows", kind, ["N", *model.form.shape])], "rows"
    pieces = [_numbers(graph, raw, [columns[at] for at in numbers], wide)] if numbers else []
    pieces += [_categories(graph, names[at], columns[at]) for at in texts]
    masks = graph.add("Concat", *(absent for _, absent in pieces), axis=1)  # (N, C), bool
    flags = graph.add("Cast", masks, to=TensorProto.FLOAT)
    pool = graph.add("Concat", *(values for values, _ in pieces), flags, axis=1)  # (N, P + C)
    places, owners, filled = _places(columns, [*numbers, *texts])
    features = graph.add("Gather", pool, graph.constant(places), axis=1)  # (N, D')
    unknown = graph.add("Gather", masks, graph.constant(owners), axis=1)
    unknown = graph.add("And", unknown, graph.constant(filled[None]))
    rows = [graph.constant(fills(network.preparation, indicator=1.0)[None], "fill") for network in model.networks]
    return inputs, [graph.add("Where", unknown, row, features) for row in rows]


def _places(columns: Sequence[PreparedColumn], pooled: list[int]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """For each feature: where it is in the pool, the mask of its column, and whether it is filled in.  # (D',) each

    Args:
      pooled: the columns in the order of the pool, which has their values first, then one flag each.
    """
    widths = [max(1, len(columns[at].categories)) for at in pooled]
    starts = dict(zip(pooled, np.cumsum([0, *widths[:-1]]).tolist(), strict=True))
    places, owners, filled = list[int](), list[int](), list[bool]()
    for at, column in enumerate(columns):
        own = [starts[at] + k for k in range(max(1, len(column.categories)))]
        own += [sum(widths) + pooled.index(at)] if column.indicator else []
        places += own
        owners += [pooled.index(at)] * len(own)
        filled += [place < sum(widths) for place in own]
    return np.array(places), np.array(owners), np.array(filled)


def _numbers(graph: _Graph, raw: str, columns: Sequence[PreparedColumn], wide: bool) -> tuple[str, str]:
    """Numbers as float32, centered before they are rounded, and where they are missing.  # (N, n) each"""
    from onnx import TensorProto

    absent = graph.add("Or", graph.add("IsNaN", raw), graph.add("IsInf", raw))
    if any(column.center for column in columns):
        raw = graph.add("Sub", raw, graph.constant(np.array([[column.center for column in columns]])))
    return graph.add("Cast", raw, to=TensorProto.FLOAT) if wide else raw, absent


def _categories(graph: _Graph, text: str, column: PreparedColumn) -> tuple[str, str]:
    """A feature for each category, zeros for others, and where the text is missing.  # (N, K) and (N, 1)"""
    from onnx import TensorProto

    count = len(column.categories)
    keys = [*(encodable(category) for category in column.categories), ""]
    code = graph.add(
        *("LabelEncoder", text),
        domain="ai.onnx.ml",
        keys_strings=keys,
        values_int64s=list(range(count + 1)),
        default_int64=-1,
    )
    hot = graph.add("Equal", code, graph.constant(np.arange(count)[None]))
    absent = graph.add("Equal", code, graph.constant(np.array([[count]])))
    return graph.add("Cast", hot, to=TensorProto.FLOAT), absent


# --- The networks -----------------------------------------------------------------------------------------------------


def _network(graph: _Graph, model: FittedModel, network: Network, x: str) -> str:
    """The probabilities of one network.  # (N, K)"""
    shape = (len(network.preparation.features),) if network.preparation.columns else model.form.shape
    classes = len(model.classes)
    if network.scaling.shift.any():
        x = graph.add("Sub", x, graph.constant(network.scaling.shift, "shift"))
    x = graph.add("Mul", x, graph.constant(network.scaling.factor, "factor"))
    rank, channels_first = len(shape) + 1, takes_images(model.spec, shape, classes)
    if channels_first:
        if rank == 3:
            x, rank = graph.add("Unsqueeze", x, graph.constant(np.array([3]))), 4
        x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    for step in network_steps(model.spec, shape, classes):
        x = _layer(graph, step, network, x, rank, channels_first)
        rank = len(step.shape) + 1
        channels_first &= rank == 4
    if model.spec.output == "sigmoid":  # softmax([0, z])[1] = sigmoid(z)
        x = graph.add("Pad", x, graph.constant(np.array([0, 1, 0, 0])))
    return graph.add("Softmax", x, axis=1)


def _layer(graph: _Graph, step: Step, network: Network, x: str, rank: int, channels_first: bool) -> str:
    """One layer.

    Args:
      rank: of ``x``, the axis of the examples included.
      channels_first: whether ``x`` is (N, C, H, W).
    """
    weights = {k.partition("/")[2]: array for k, array in network.weights.items() if k.startswith(f"{step.name}/")}
    window: dict[str, Any] = {"strides": [step.stride] * 2, "pads": list(step.pads)}
    square: dict[str, Any] = {"kernel_shape": [step.size] * 2}
    match step.kind:
        case "dense":
            return graph.add("Gemm", x, *(graph.constant(weights[k], k) for k in ("kernel", "bias") if k in weights))
        case "conv2d":
            kernel = graph.constant(weights["kernel"].transpose(3, 2, 0, 1), "kernel")  # (F, C, size, size)
            bias = [graph.constant(weights["bias"], "bias")] if "bias" in weights else []
            return graph.add("Conv", x, kernel, *bias, **window)
        case "dropout":
            return x
        case "max_pool":
            return graph.add("MaxPool", x, **square, **window)
        case "average_pool":
            return graph.add("AveragePool", x, count_include_pad=0, **square, **window)
        case "global_average_pool":
            return graph.add("Flatten", graph.add("GlobalAveragePool", x), axis=1)
        case "flatten":
            x = graph.add("Transpose", x, perm=[0, 2, 3, 1]) if channels_first else x
            return graph.add("Flatten", x, axis=1) if rank > 2 else x
        case "batch_norm":
            return _normalized(graph, weights, x, rank, channels_first)
    operator, attributes = _ACTIVATIONS[step.kind]
    return graph.add(operator, x, **attributes)


def _normalized(graph: _Graph, weights: dict[str, FloatArray], x: str, rank: int, channels_first: bool) -> str:
    """Batch normalization with its moving statistics; ONNX takes the channels on the second axis."""
    from wellfit.nn.normalization import EPSILON

    arrays = [graph.constant(weights[kind], kind) for kind in ("gamma", "beta", "mean", "variance")]
    if rank == 2 or channels_first:
        return graph.add("BatchNormalization", x, *arrays, epsilon=EPSILON)
    there = [0, rank - 1, *range(1, rank - 1)]
    x = graph.add("BatchNormalization", graph.add("Transpose", x, perm=there), *arrays, epsilon=EPSILON)
    return graph.add("Transpose", x, perm=[0, *range(2, rank), 1])


# --- Where it comes from ----------------------------------------------------------------------------------------------


def _opsets(graph: _Graph) -> list[tuple[str, int]]:
    texts = any(node.domain for node in graph.nodes)
    return [("", OPSET), *([("ai.onnx.ml", _LABEL_OPSET)] if texts else [])]


def _metadata(model: FittedModel, names: dict[str, str]) -> dict[str, str]:
    """Classes and provenance, for whoever finds the file alone: texts, or JSON."""
    said = {**provenance(model), "columns": {name: column for name, column in names.items() if column}}
    return {key: encodable(value) if isinstance(value, str) else json.dumps(value) for key, value in said.items()}
