"""What we train: a model and everything that one training is made from, save the data and the seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["MONITORS", "Augmentation", "Averaging", "EarlyStopping", "LayerSpec", "ModelSpec", "Recipe", "Schedule"]

MONITORS: Final = ("val_loss", "val_accuracy")
"""What early stopping may watch: validation metrics, under the names that Keras gives them."""


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a model that is given as a list of layers; what its kind does not use stays at its default.

    Args:
      kind: ``"dense"``, ``"conv2d"``, ``"max_pool"``, ``"average_pool"``, ``"global_average_pool"``, ``"flatten"``,
        ``"activation"``, ``"dropout"`` or ``"batch_norm"``.
      units: of a dense layer.
      filters: of a convolution.
      size: height and width of a convolution's kernel or of a pooling window; 0 is 3 for a kernel, 2 for a window.
      stride: step of the window; 0 is 1 for a convolution, the size for pooling.
      padding: ``"same"`` or ``"valid"``.
      function: of an activation layer, or applied after a dense or convolution layer; empty for none.
      initializer: of a kernel.
      rate: of a dropout layer; the recipe's ``dropout`` goes before it.
    """

    kind: str
    units: int = 0
    filters: int = 0
    size: int = 0
    stride: int = 0
    padding: str = "valid"
    function: str = ""
    initializer: str = "glorot_uniform"
    rate: float = 0.0


@dataclass(frozen=True)
class ModelSpec:
    """The architecture of a network.

    Args:
      kind: ``"logistic"`` (no hidden layer), ``"mlp"``, ``"lenet5"``, ``"cnn"`` (blocks of convolution, batch
        normalization, relu and pooling, then global average pooling) or ``"layers"``.
      hidden: units of every hidden layer of an MLP, filters of every block of a CNN.
      activation: of the hidden layers.
      initializer: of the kernels.
      batch_norm: batch normalization after every hidden layer (MLP, LeNet-5).
      output: ``"softmax"``, or ``"sigmoid"``: one unit for two classes.
      layers: the layers of kind ``"layers"``, the output layer last, without its softmax.
    """

    kind: str = "mlp"
    hidden: tuple[int, ...] = (128, 64)
    activation: str = "relu"
    initializer: str = "glorot_uniform"
    batch_norm: bool = False
    output: str = "softmax"
    layers: tuple[LayerSpec, ...] = ()


@dataclass(frozen=True)
class EarlyStopping:
    """When to stop, decided exactly as ``keras.callbacks.EarlyStopping`` decides from the same numbers.

    The validation loss that is watched is the cross-entropy alone. Keras adds the L1 and L2 penalty to it, so that the
    same rule may stop a penalized network elsewhere; without the penalty, variants are judged by one measure.

    Args:
      patience: epochs without improvement after which training stops.
      monitor: ``"val_loss"`` or ``"val_accuracy"``.
      min_delta: what counts as an improvement, in the monitor's unit.
      start_epoch: epochs at the beginning that are not judged.
      restore_best_weights: read the run at its best epoch rather than where it stopped.
    """

    patience: int
    monitor: str = "val_loss"
    min_delta: float = 0.0
    start_epoch: int = 0
    restore_best_weights: bool = False


@dataclass(frozen=True)
class Averaging:
    """Read a run not from its last weights but from an average of them.

    Batch normalization's moving statistics go along: those of the last step with ``"ema"``, their mean over the same
    epochs with ``"swa"``. (Izmailov et al., 2018, make a further pass over the training data to compute them anew.)

    Args:
      kind: ``"ema"``, an exponential moving average over the steps, or ``"swa"``, the mean over the last epochs.
      decay: of the moving average, Keras's ``ema_momentum``.
      last: over how many epochs ``"swa"`` averages.
    """

    kind: str
    decay: float = 0.99
    last: int = 5


@dataclass(frozen=True)
class Augmentation:
    """How training images are changed on their way into the network; 0 leaves them as they are.

    Args:
      shift: largest displacement, as a share of height and width.
      flip: probability of a horizontal flip.
      rotation: largest angle, in degrees.
      zoom: largest relative change of size.
      erasing: probability that a rectangle is erased.
      noise: standard deviation of Gaussian noise, in units of the scaled inputs.
      mixup: alpha of the Beta distribution from which the share of a second example is drawn.
    """

    shift: float = 0.0
    flip: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0
    erasing: float = 0.0
    noise: float = 0.0
    mixup: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes while training lasts. A setting that is None has its kind's default.

    Args:
      kind: ``"constant"``, ``"step"``, ``"exponential"``, ``"cosine"``, ``"warmup"`` or ``"one-cycle"``;
        ``"warmup"`` is constant after its warm-up.
      warmup: share of all steps in which the rate first rises linearly to where the kind begins; 0.1 for
        ``"warmup"``, otherwise 0.
      every: of ``"step"``: share of the steps after warm-up between two drops; 1/3.
      factor: of ``"step"``: what each drop multiplies by, 0.1; of ``"exponential"`` and ``"cosine"``: the share of the
        rate that is left when training ends, 0.1 and 0.
      peak: of ``"one-cycle"``: share of the steps after warm-up in which the rate rises; 0.3.
      div: of ``"one-cycle"``: peak rate divided by the first rate; 25.
      final_div: of ``"one-cycle"``: first rate divided by the last rate; 1e4.
    """

    kind: str = "constant"
    warmup: float | None = None
    every: float | None = None
    factor: float | None = None
    peak: float | None = None
    div: float | None = None
    final_div: float | None = None


@dataclass(frozen=True)
class Recipe:
    """Everything that one training is made from, save the data and the seed. A variant is a changed recipe.

    ``model``, ``optimizer``, ``batch_size`` and ``loss`` are structure: they make a program. ``epochs``,
    ``early_stopping`` and ``average`` are readout: they say where a trajectory is read. ``examples`` and
    ``label_noise`` choose the training data. The rest are numbers, traced through the compiled program.

    Args:
      model: the architecture.
      epochs: passes over the training split; with early stopping, the most that are made.
      batch_size: examples a step; the last batch of an epoch may be smaller.
      optimizer: the optimizer family, such as ``"adam"``.
      loss: ``"cross_entropy"`` (the same number for sparse and one-hot labels, and for one sigmoid unit), or ``"mse"``,
        the mean over the outputs of the squared difference of probability and target.
      learning_rate: step size; None is the optimizer's own default, Keras's.
      schedule: how it changes over the steps, or None.
      momentum: for the optimizers that have one; None is the optimizer's own default, Keras's.
      l1, l2: strength of the penalty ``l1 * sum|w| + l2 * sum w**2`` in the loss; one number for all hidden kernels
        (for a model without hidden layers, its only one), or one per kernel.
      proximal_l1: as ``l1``, but by soft thresholding after each step, which makes weights exactly zero.
      weight_decay: decoupled decay: weights shrink by ``learning_rate * weight_decay`` each step, outside the gradient;
        None is the optimizer's own default, Keras's.
      dropout: rate after the hidden layers; one number, or one per dropout layer; None is what the model says.
      label_smoothing: share of the target spread evenly over the classes.
      max_norm: upper bound of the norm of each unit's incoming weights in hidden kernels; 0 means none.
      clip_norm: upper bound of the norm of each array's gradient, Keras's ``clipnorm``; 0 means none.
      global_clip_norm: upper bound of the norm of the whole gradient; 0 means none.
      class_weights: weight of each class in the loss, or empty.
      augmentation: how training images are changed.
      early_stopping: the stopping rule, or None to read the last epoch.
      average: read an average of the weights, or None.
      examples: how many of the training split's examples train, class by class; None is all. Fewer are among more.
      label_noise: share of the training labels that are replaced by another class; validation and test stay clean.
    """

    model: ModelSpec = field(default_factory=ModelSpec)
    epochs: int = 30
    batch_size: int = 32
    optimizer: str = "adam"
    loss: str = "cross_entropy"
    learning_rate: float | None = None
    schedule: Schedule | None = None
    momentum: float | None = None
    l1: float | tuple[float, ...] = 0.0
    l2: float | tuple[float, ...] = 0.0
    proximal_l1: float | tuple[float, ...] = 0.0
    weight_decay: float | None = None
    dropout: float | tuple[float, ...] | None = None
    label_smoothing: float = 0.0
    max_norm: float = 0.0
    clip_norm: float = 0.0
    global_clip_norm: float = 0.0
    class_weights: tuple[float, ...] = ()
    augmentation: Augmentation = field(default_factory=Augmentation)
    early_stopping: EarlyStopping | None = None
    average: Averaging | None = None
    examples: int | None = None
    label_noise: float = 0.0
