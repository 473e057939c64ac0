"""A network as a plain list of layers, with all that another library must know to compute the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import FloatArray, LayerSpec, ModelSpec, Preparation, PreparedColumn
from wellfit.errors import ShapeError
from wellfit.nn.convolution import extent
from wellfit.nn.models import build, layer_specs, window

if TYPE_CHECKING:
    from wellfit.model.fitted import FittedModel

__all__ = ["Step", "common_preparation", "encodable", "fills", "network_steps", "takes_images"]


_ACTIVATION: Final = LayerSpec("activation")


@dataclass(frozen=True)
class Step:
    """A layer.

    Args:
      name: with which its weights begin: ``"dense_1"`` of ``"dense_1/kernel"``.
      kind: ``"dense"``, ``"conv2d"``, ``"max_pool"``, ``"average_pool"``, ``"global_average_pool"``, ``"flatten"``,
        ``"batch_norm"``, ``"dropout"``, which does nothing in inference mode, or the name of an activation.
      shape: of an example after it; of images, (height, width, channels).
      size, stride: of a window, in both directions; otherwise 0.
      padding: of a window.
      pads: the same in pixels: above, left, below, right.
      settings: of the layer, in the model; those of an activation behind another layer are the usual ones.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    size: int = 0
    stride: int = 0
    padding: str = "valid"
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    settings: LayerSpec = _ACTIVATION


def network_steps(spec: ModelSpec, shape: tuple[int, ...], classes: int) -> list[Step]:
    """The layers of a network, output layer last, without its softmax or sigmoid.

    Args:
      shape: of an example.
      classes: their number.

    Example:
      >>> [step.name for step in network_steps(ModelSpec("mlp", (32,)), (8, 8), 10)]
      ['flatten_1', 'dense_1', 'relu_1', 'dropout_1', 'dense_2']
    """
    built = iter(
        [layer for layer in build(spec, shape, classes).layers if layer[1].kind not in ("image", "two_classes")]
    )
    before = (*shape, 1) if len(shape) == 2 and takes_images(spec, shape, classes) else shape
    steps = []
    for of in layer_specs(spec, classes):
        name, layer = next(built)
        step = Step(name, layer.kind, layer.output_shape, settings=of)
        size, stride = window(of)
        if size:
            (above, below), (left, right) = (extent(n, size, stride, of.padding)[1] for n in before[:2])
            step = replace(step, size=size, stride=stride, padding=of.padding, pads=(above, left, below, right))
        steps.append(step)
        if of.function and of.kind in ("dense", "conv2d"):
            name, layer = next(built)
            steps.append(Step(name, layer.kind, layer.output_shape))
        before = layer.output_shape
    return steps


def takes_images(spec: ModelSpec, shape: tuple[int, ...], classes: int) -> bool:
    """Whether a network has layers of images.

    Example:
      >>> takes_images(ModelSpec("lenet5"), (28, 28), 10), takes_images(ModelSpec("mlp"), (28, 28), 10)
      (True, False)
    """
    return build(spec, shape, classes).layers[0][1].kind == "image"


def encodable(text: str) -> str:
    r"""A text as UTF-8 can hold it: half of a character, of a file's name for example, is spelled out.

    Example:
      >>> encodable("caf\udce9"), encodable("café")
      ('caf\\udce9', 'café')
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def common_preparation(model: FittedModel) -> Preparation:
    """The preparation of a model's networks, which differ in nothing but what fills in missing values.

    Raises:
      ShapeError: they differ in more, as in no model that wellfit trains.
    """
    first = model.networks[0].preparation
    for network in model.networks:
        if _layout(network.preparation) != _layout(first):
            raise ShapeError("the networks of the model take different columns; export each with its seed")
    return first


def _layout(preparation: Preparation) -> list[PreparedColumn]:
    return [replace(column, fill=0.0) for column in preparation.columns]


def fills(preparation: Preparation, *, indicator: float) -> FloatArray:
    """What each feature is where the value of its column is missing, less the center of the column.

    Args:
      preparation: of one network.
      indicator: of the features that say where a value was missing.

    Returns:
      Float32.  # (D',)

    Example:
      >>> color = PreparedColumn(0, "color", 1.0, indicator=True, categories=("blue", "red"))
      >>> fills(Preparation((color,), {}, ("blue", "red", "is missing")), indicator=1.0).tolist()
      [0.0, 1.0, 1.0]
    """
    row: list[float] = []
    for column in preparation.columns:
        if column.categories:
            row += [float(at == int(column.fill)) for at in range(len(column.categories))]
        else:
            row.append(column.fill - column.center)
        row += [indicator] if column.indicator else []
    return np.array(row, np.float32)
