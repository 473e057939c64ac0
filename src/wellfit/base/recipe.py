"""What we train: a model and everything else that defines one training, except the data and the seed.

Each field is a setting of the study file; its type holds its range. Adding a setting means adding a field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from annotated_types import Interval

from wellfit.base.ranges import (
    Count,
    Natural,
    NonNegative,
    OrOff,
    Positive,
    PositiveShare,
    Probability,
    Rate,
    Ratio,
    UpTo64,
)

__all__ = [
    "SPREAD",
    "Activation",
    "Augmentation",
    "Averaging",
    "EarlyStopping",
    "Initializer",
    "LayerKind",
    "LayerSpec",
    "Loss",
    "ModelKind",
    "ModelSpec",
    "Monitor",
    "Optimizer",
    "Output",
    "Recipe",
    "Schedule",
    "ScheduleKind",
]

ModelKind = Literal["logistic", "mlp", "lenet5", "cnn", "layers"]
LayerKind = Literal[
    "dense",
    "conv2d",
    "max_pool",
    "average_pool",
    "global_average_pool",
    "flatten",
    "activation",
    "dropout",
    "batch_norm",
]
Activation = Literal["relu", "sigmoid", "tanh", "elu", "gelu", "leaky_relu"]
Initializer = Literal[
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "random_uniform",
    "random_normal",
    "truncated_normal",
    "zeros",
]
Output = Literal["softmax", "sigmoid"]
Optimizer = Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "nadam", "lion"]
Loss = Literal["cross_entropy", "mse"]
ScheduleKind = Literal["constant", "step", "exponential", "cosine", "warmup", "one-cycle"]
Monitor = Literal["val_loss", "val_accuracy"]


SPREAD: Final = 0.05
"""Of initial weights whose initializer does not derive it from the shape, as in Keras."""


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a model that is given as a list of layers; fields that its kind does not use keep their defaults.

    Args:
      kind: of layer.
      units: of a dense layer.
      filters: of a convolution.
      size: height and width of a convolution's kernel or of a pooling window; 0 means 3 for a kernel, 2 for a window.
      stride: of the window; 0 means 1 for a convolution and the window size for pooling.
      padding: of a convolution or pooling window.
      function: activation function of an activation layer, or after a dense or convolution layer; empty for none.
      initializer: of the kernel.
      rate: of a dropout layer; the recipe's ``dropout`` takes precedence.
      bias: whether a dense or convolution layer adds one to each unit or filter.
      spread: of the initial weights: the bound of ``"random_uniform"``, the standard deviation of ``"random_normal"``
        and, before it is truncated, of ``"truncated_normal"``.
    """

    kind: LayerKind
    units: Natural = 0
    filters: Natural = 0
    size: Natural = 0
    stride: Natural = 0
    padding: Literal["same", "valid"] = "valid"
    function: Literal["", Activation] = ""
    initializer: Initializer = "glorot_uniform"
    rate: Rate = 0.0
    bias: bool = True
    spread: Positive = SPREAD


@dataclass(frozen=True)
class ModelSpec:
    """The architecture of a network.

    Args:
      kind: ``"logistic"`` has no hidden layer. ``"cnn"`` stacks blocks of convolution, batch normalization, relu and
        pooling, then global average pooling. ``"layers"`` takes a list of layers.
      hidden: units of each hidden layer of an MLP, or filters of each block of a CNN.
      activation: of the hidden layers.
      initializer: of the kernels.
      batch_norm: batch normalization after each hidden layer (MLP, LeNet-5).
      output: ``"softmax"``, or ``"sigmoid"`` for one unit and two classes.
      layers: the layers of kind ``"layers"``, output layer last, without its softmax.
      origin: the file that the network was read from, with its SHA-256, for the record; equal networks of different
        files are equal.
    """

    kind: ModelKind = "mlp"
    hidden: UpTo64[Count] = (128, 64)
    activation: Activation = "relu"
    initializer: Initializer = "glorot_uniform"
    batch_norm: bool = False
    output: Output = "softmax"
    layers: tuple[LayerSpec, ...] = ()
    origin: str = field(default="", compare=False)


@dataclass(frozen=True)
class EarlyStopping:
    """When to stop, by the same rule as ``keras.callbacks.EarlyStopping``.

    The monitored validation loss is the cross-entropy alone. Keras adds the L1 and L2 penalties to it, so the same
    rule may stop a penalized network at another epoch. Without the penalties, all variants are judged alike.

    Args:
      patience: epochs without improvement before training stops.
      monitor: the validation metric to watch.
      min_delta: smallest change that counts as an improvement, in the monitor's unit.
      start_epoch: number of initial epochs that the rule ignores.
      restore_best_weights: evaluate the weights of the best epoch instead of the last one.
    """

    patience: Natural
    monitor: Monitor = "val_loss"
    min_delta: NonNegative = 0.0
    start_epoch: Natural = 0
    restore_best_weights: bool = False


@dataclass(frozen=True)
class Averaging:
    """Evaluate an average of the weights instead of the last weights.

    Batch normalization's moving statistics are those of the last step with ``"ema"``, and their mean over the same
    epochs with ``"swa"``. (Izmailov et al., 2018, recompute them in another pass over the training data.)

    Args:
      kind: ``"ema"``, an exponential moving average over the steps, or ``"swa"``, the mean over the last epochs.
      decay: of the moving average; Keras calls it ``ema_momentum``.
      last: number of epochs that ``"swa"`` averages.
    """

    kind: Literal["ema", "swa"]
    decay: Rate = 0.99
    last: Count = 5


@dataclass(frozen=True)
class Augmentation:
    """Random changes to the training images; 0 turns a change off.

    Args:
      shift: largest displacement, as a share of height and width.
      flip: probability of a horizontal flip.
      rotation: largest angle, in degrees.
      zoom: largest relative change of size.
      erasing: probability that a rectangle is erased.
      noise: standard deviation of Gaussian noise, in units of the scaled inputs.
      mixup: alpha of the Beta distribution from which the second example's share is drawn.
    """

    shift: Rate = 0.0
    flip: Probability = 0.0
    rotation: Annotated[float, Interval(ge=0, le=180)] = 0.0
    zoom: Rate = 0.0
    erasing: Probability = 0.0
    noise: NonNegative = 0.0
    mixup: NonNegative = 0.0


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes during training; settings left out (None) have the default of their kind.

    Args:
      kind: ``"warmup"`` is constant after its warm-up.
      warmup: share of all steps during which the rate rises linearly to its starting value; 0.1 for ``"warmup"``,
        otherwise 0.
      every: for ``"step"``, the share of the steps after warm-up between two drops; 1/3.
      factor: for ``"step"``, the multiplier of each drop, 0.1; for ``"exponential"`` and ``"cosine"``, the share of the
        rate that remains at the end of training, 0.1 and 0.
      peak: for ``"one-cycle"``, the share of the steps after warm-up during which the rate rises; 0.3.
      div: for ``"one-cycle"``, the peak rate divided by the first rate; 25.
      final_div: for ``"one-cycle"``, the first rate divided by the last rate; 1e4.
    """

    kind: ScheduleKind = "constant"
    warmup: Probability | None = None
    every: PositiveShare | None = None
    factor: Probability | None = None
    peak: Probability | None = None
    div: Ratio | None = None
    final_div: Ratio | None = None


@dataclass(frozen=True)
class Recipe:
    """Everything that defines one training, except the data and the seed. A variant is a changed recipe.

    ``model``, ``optimizer``, ``batch_size`` and ``loss`` are structure: they make a program. ``epochs``,
    ``early_stopping`` and ``average`` say where a trajectory is read. ``examples`` and ``label_noise`` choose the
    training data. The rest are numbers, traced through the compiled program.

    Args:
      model: the architecture.
      epochs: passes over the training split; with early stopping, the maximum.
      batch_size: examples per step; the last batch of an epoch may be smaller.
      optimizer: the optimizer family.
      loss: ``"cross_entropy"`` (the same number for sparse labels, one-hot labels and one sigmoid unit), or ``"mse"``,
        the squared difference of probability and target, averaged over the outputs.
      learning_rate: step size; by default the optimizer's own, as in Keras.
      schedule: how the learning rate changes; by default it is constant.
      momentum: for optimizers that have one; by default the optimizer's own, as in Keras.
      l1: strength of the penalty ``l1 * sum|w|`` in the loss; one number for all hidden kernels (for a model without
        hidden layers, its only kernel), or one per kernel.
      l2: strength of the penalty ``l2 * sum(w**2)`` in the loss; one number or one per kernel, like ``l1``.
      proximal_l1: like ``l1``, but by soft thresholding after each step, which makes weights exactly zero.
      weight_decay: decoupled decay: weights shrink by ``learning_rate * weight_decay`` each step, outside the gradient;
        by default the optimizer's own, as in Keras.
      dropout: rate after the hidden layers; one number, or one per dropout layer; by default the model's own rates.
      label_smoothing: share of the target that is spread evenly over the classes.
      max_norm: upper bound of the norm of each unit's incoming weights in hidden kernels; 0 means none.
      clip_norm: upper bound of the norm of each array's gradient, ``clipnorm`` in Keras; 0 means none.
      global_clip_norm: upper bound of the norm of the whole gradient; 0 means none.
      class_weights: weight of each class in the loss; by default all classes weigh the same. "balanced" weighs a class
        by the inverse of its frequency, so that all classes count the same together.
      augmentation: random changes to the training images.
      early_stopping: when to stop; by default after the last epoch.
      average: which average of the weights to evaluate; by default the weights themselves.
      examples: number of training examples to use, stratified by class; by default all. Smaller sets are subsets of
        larger ones.
      label_noise: share of the training labels that is replaced by another class; validation and test stay clean.
    """

    model: ModelSpec = field(default_factory=ModelSpec)
    epochs: Count = 30
    batch_size: Count = 32
    optimizer: Optimizer = "adam"
    loss: Loss = "cross_entropy"
    learning_rate: Positive | None = None
    schedule: OrOff[Schedule] = None
    momentum: Rate | None = None
    l1: NonNegative | tuple[NonNegative, ...] = 0.0
    l2: NonNegative | tuple[NonNegative, ...] = 0.0
    proximal_l1: NonNegative | tuple[NonNegative, ...] = 0.0
    weight_decay: NonNegative | None = None
    dropout: Rate | tuple[Rate, ...] | None = None
    label_smoothing: Rate = 0.0
    max_norm: NonNegative = 0.0
    clip_norm: NonNegative = 0.0
    global_clip_norm: NonNegative = 0.0
    class_weights: tuple[NonNegative, ...] | Literal["balanced"] = ()
    augmentation: Augmentation = field(default_factory=Augmentation)
    early_stopping: OrOff[EarlyStopping] = None
    average: OrOff[Averaging] = None
    examples: OrOff[Count] = None
    label_noise: Rate = 0.0
