"""The vocabulary: every word of wellfit that is data, as a frozen dataclass.

The words stand in the order in which data flows: a data set becomes splits; a recipe and a seed make a run; a run that
was trained is a record; records become the summary of a study. Nothing here computes, reads or draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HISTORY_COLUMNS",
    "MARGIN",
    "MONITORS",
    "QUESTIONS",
    "Answer",
    "Augmentation",
    "Averaging",
    "Comparison",
    "Dataset",
    "EarlyStopping",
    "Finding",
    "FloatArray",
    "History",
    "IntArray",
    "LayerSpec",
    "ModelSpec",
    "PairedEvidence",
    "Question",
    "Ranked",
    "Recipe",
    "RunRecord",
    "RunSpec",
    "RunState",
    "RunSummary",
    "Scaling",
    "Schedule",
    "Sentence",
    "Splits",
    "StudySummary",
    "TrainingData",
    "VariantSummary",
    "Verdict",
]

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]

RunState = Literal["finished", "stopped", "diverged", "pending"]
"""``finished``: read after its last epoch; ``stopped``: its early-stopping rule ended it; ``diverged``: NaN or inf."""

Verdict = Literal["better", "worse", "equivalent", "undecided"]

HISTORY_COLUMNS: Final = (
    "running_loss",  # mean over the epoch's batches while the weights change, penalty included, as Keras prints it
    "running_accuracy",  # the same of the accuracy, dropout on
    "train_loss",  # inference mode, on a fixed stratified sample of the training split, penalty excluded
    "train_accuracy",
    "validation_loss",  # inference mode, on the validation split, penalty excluded
    "validation_accuracy",
    "penalty",  # what l1 and l2 add to the loss, at the end of the epoch
    "weight_norm",  # Euclidean norm of all kernels together, at the end of the epoch
    "gradient_norm",  # Euclidean norm of the whole gradient before clipping, mean over every eighth step
    "small_weights",  # share of kernel weights nearer to zero than 1e-3
    "dead_units",  # share of relu units (channels) that no example of the training sample makes positive
    "learning_rate",  # of the epoch's last step
)
"""What is recorded of every epoch of every run.

Losses are cross-entropies in nats (the running loss is the recipe's own loss), accuracies are shares of 1."""

MONITORS: Final = ("val_loss", "val_accuracy")
"""What early stopping may watch: validation metrics, under the names that Keras gives them."""


MARGIN: Final = 0.001
"""Differences in accuracy below this (0.1 points) are of no practical interest, unless a study says otherwise."""

QUESTIONS: Final = ("beats", "best", "onset", "stop", "winner", "matches")
"""The kinds of ``Question`` that a study may ask."""


# --- What we learn from -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images or feature rows with class labels, and the test set that is opened once.

    Args:
      name: short name, such as ``"fashion-mnist"``.
      x_train: training examples, uint8 or float32.  # (N, H, W), (N, H, W, C) or (N, D)
      y_train: training labels, int32, from 0.  # (N,)
      x_test: test examples, as ``x_train``.  # (M, ...)
      y_test: test labels.  # (M,)
      classes: the name of every class, by label.
      pixel_max: the largest value that a pixel can take (255 for bytes, 16 for the digits); None for feature rows.
      title: the data set's name as a headline shows it.
      source: where it was read from, for the report.
      hash: SHA-256 over names, shapes and bytes of the four arrays, in hexadecimal.
    """

    name: str
    x_train: NDArray[Any]  # (N, ...)
    y_train: IntArray  # (N,)
    x_test: NDArray[Any]  # (M, ...)
    y_test: IntArray  # (M,)
    classes: tuple[str, ...]
    pixel_max: float | None
    title: str
    source: str
    hash: str

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(int(n) for n in self.x_train.shape[1:])


@dataclass(frozen=True, eq=False)
class Splits:
    """Which training examples train and which validate: stratified, seeded, hashed; never from row order.

    Args:
      train: rows of ``Dataset.x_train`` that train, ascending.  # (n,)
      validation: rows that validate, ascending.  # (v,)
      sample: rows of ``train`` on which training metrics are measured in inference mode.  # (s,)
      seed: the seed of the split; the same for every run of a study.
      hash: SHA-256 over the three index arrays, in hexadecimal.
    """

    train: IntArray  # (n,)
    validation: IntArray  # (v,)
    sample: IntArray  # (s,)
    seed: int
    hash: str


@dataclass(frozen=True, eq=False)
class Scaling:
    """``(x - shift) * factor``: the first layer of every model, fitted on the training split alone.

    Args:
      kind: ``"unit"`` (pixels divided by their maximum) or ``"standardize"`` (mean 0, deviation 1, by feature).
      shift: float32, one number or one per feature.  # () or input_shape
      factor: float32, likewise.  # () or input_shape
    """

    kind: Literal["unit", "standardize"]
    shift: FloatArray
    factor: FloatArray


@dataclass(frozen=True, eq=False)
class TrainingData:
    """All that the engine ever sees of the data: the training and the validation split, unscaled, and the scaling.

    Args:
      x_train, y_train: the training split.  # (n, ...), (n,)
      x_validation, y_validation: the validation split.  # (v, ...), (v,)
      sample: positions in ``x_train`` on which training metrics are measured in inference mode.  # (s,)
      classes: how many classes there are.
      scaling: the scaling that belongs to every model trained on these data.
    """

    x_train: NDArray[Any]  # (n, ...)
    y_train: IntArray  # (n,)
    x_validation: NDArray[Any]  # (v, ...)
    y_validation: IntArray  # (v,)
    sample: IntArray  # (s,)
    classes: int
    scaling: Scaling

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(int(n) for n in self.x_train.shape[1:])


# --- What we train ----------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class RunSpec:
    """One run: a variant trained from a seed.

    Args:
      variant: the variant's name.
      seed: fixes initial weights, batch order and noise, the same for every variant.
      recipe: the variant's complete recipe.
    """

    variant: str
    seed: int
    recipe: Recipe


@dataclass(frozen=True, eq=False)
class History:
    """Every epoch of one run, a float64 column each, ``HISTORY_COLUMNS`` by name.

    Example:
      >>> h = History({"validation_loss": np.array([0.9, 0.7, 0.8])})
      >>> len(h), float(h["validation_loss"].min())
      (3, 0.7)
    """

    columns: Mapping[str, FloatArray]  # name -> (epochs,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __getitem__(self, name: str) -> FloatArray:
        return self.columns[name]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


@dataclass(frozen=True, eq=False)
class RunRecord:
    """What is known of a run once it was trained.

    Args:
      spec: the run.
      state: how it ended.
      epochs: epochs that it went through before it ended.
      readout_epoch: the epoch, from 1, whose weights are the run's; 0 if it diverged.
      history: its epochs up to its end.
      scores: metric -> value of the run's weights: loss and accuracy of the training sample and of the validation
        split, as in the history's row of the readout epoch unless the weights are an average; empty if it diverged.
      weights: the weights at the readout, and the statistics of batch normalization: ``"dense_1/kernel"`` and so on,
        float32; empty if it diverged.
      seconds: its share of the time that its population took.
      trajectory: name of the trajectory that it was read from; runs of one trajectory share it.
    """

    spec: RunSpec
    state: RunState
    epochs: int
    readout_epoch: int
    history: History
    scores: Mapping[str, float]
    weights: Mapping[str, FloatArray]
    seconds: float
    trajectory: str


# --- What we conclude -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """Something that a check saw: a stable code, a level, the evidence in a sentence, and how to mend it."""

    code: str
    level: Literal["info", "warning", "error"]
    message: str
    fix: str


@dataclass(frozen=True)
class Comparison:
    """A variant against another, paired by seed and by test image.

    Args:
      variant, against: names of the two variants; differences are the first minus the second.
      metric: what is compared, such as ``"test_accuracy"``.
      difference: mean paired difference.
      interval: its 95 % interval, or None with fewer than two seeds.
      p_value: two-sided, or None likewise.
      p_adjusted: after Holm's correction over all that the study compares, for its questions too.
      verdict: what may be said.
    """

    variant: str
    against: str
    metric: str
    difference: float
    interval: tuple[float, float] | None
    p_value: float | None
    p_adjusted: float | None
    verdict: Verdict


@dataclass(frozen=True)
class PairedEvidence:
    """All that may be said of two variants besides the verdict; what cannot be told from so few seeds is None.

    Args:
      seeds: how many seeds both have.
      interval90: of the difference, seeds and images counted: equivalence stands on it.
      bootstrap_interval, bootstrap_p: seeds and images, without a normal distribution.
      paired_t_p, sign_flip_p: over the seeds, on these test images.
      mcnemar_p: over the images, of the two networks of each seed, in the order of the seeds.  # (S,)
      better_on_new_seed, worse_on_new_seed: probability that one further run of each differs by more than the margin,
        on these test images; what is left is that of practically equivalent.
      further_seeds: how many seeds more would probably decide it; None too if it is decided, or no number would do.
    """

    seeds: int
    interval90: tuple[float, float] | None
    bootstrap_interval: tuple[float, float] | None
    bootstrap_p: float | None
    paired_t_p: float | None
    sign_flip_p: float | None
    mcnemar_p: tuple[float, ...]
    better_on_new_seed: float | None
    worse_on_new_seed: float | None
    further_seeds: int | None


class Ranked(NamedTuple):
    """A variant in its place: those that share a letter are not told apart."""

    variant: str
    mean: float
    letters: str


@dataclass(frozen=True)
class Question:
    """What a study asks beyond "which differ from the first variant"; what its kind does not use stays empty.

    Args:
      ask: the question, as a reader sees it.
      kind: ``"beats"`` (is ``variant`` better than each of ``than``?), ``"best"`` (which of ``variants``?), ``"onset"``
        (when does over-fitting begin in each of ``variants``?), ``"stop"`` (after how many epochs to stop ``variant``,
        and what the stopping rules of ``variants`` lost or won), ``"winner"`` (is the published winner one?) or
        ``"matches"`` (which of ``variants`` are consistent with a published ``value`` of ``metric``?).
      variant: its name; for ``"stop"`` empty means the first.
      than: names.
      variants: names; empty means all, for ``"stop"`` those that stop early.
      metric, value: of ``"matches"``.
    """

    ask: str
    kind: str
    variant: str = ""
    than: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    metric: str = "test_accuracy"
    value: float | None = None


@dataclass(frozen=True)
class Sentence:
    """A plain sentence, and the numbers that it was made from.

    Args:
      text: ended by a full stop (a question by its mark).
      sources: keys of ``show --json``: ``"comparisons[l2].difference"`` is the difference of the comparison whose
        variant is l2. Lists are addressed by variant, answers by number, ``asked`` by ``VARIANT/AGAINST``.
    """

    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A question that the study asks, and what the evidence answers.

    Args:
      ask: the question.
      kind: of the question.
      sentences: the answer.
    """

    ask: str
    kind: str
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The answer as one paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def sources(self) -> tuple[str, ...]:
        """What all of its sentences were made from."""
        return tuple(dict.fromkeys(source for sentence in self.sentences for source in sentence.sources))


@dataclass(frozen=True)
class RunSummary:
    """One run in a table; what a pending or diverged run does not have is None."""

    seed: int
    state: RunState
    epochs: int | None
    readout_epoch: int | None
    best_epoch: int | None  # from 1: the epoch of the lowest validation loss
    overfit_onset: int | None  # from 1: the epoch after which validation loss rose for good; None if it did not
    train_accuracy: float | None
    train_loss: float | None
    validation_accuracy: float | None
    validation_loss: float | None
    test_accuracy: float | None
    test_loss: float | None
    seconds: float | None


@dataclass(frozen=True)
class VariantSummary:
    """One variant: its runs, and the mean and 95 % interval of every metric over them.

    Args:
      name: the variant's name.
      settings: what it changes in the base recipe, as the study file says it.
      parameters: how many trainable numbers its model has.
      runs: one entry a seed, pending ones included.
      mean: metric -> mean over the runs that have it; ``generalization_gap`` is train minus test accuracy.
      interval: metric -> (low, high), or None where fewer than two runs have it.
      seconds: training time of its runs, a shared trajectory divided among its runs.
      published: metric -> what the source of the study reports.
    """

    name: str
    settings: Mapping[str, Any]
    parameters: int
    runs: tuple[RunSummary, ...]
    mean: Mapping[str, float]
    interval: Mapping[str, tuple[float, float] | None]
    seconds: float
    published: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class StudySummary:
    """All that a report, a table or ``show --json`` says of a study; computed from the store alone.

    Args:
      name, title: of the study.
      data: name of the data set.
      state: ``"finished"``, ``"running"`` (a process works on it) or ``"interrupted"``.
      seeds: the seeds.
      epochs: epochs of the base recipe.
      seconds: time spent so far.
      directory: the study directory.
      variants: in the order of the study file; the first is the one that the others are compared with.
      comparisons: every other variant with the first.
      findings: of data, split and training.
      verdict: the conclusion's text without the title: sentences that claim no more than the comparisons do.
      histories: variant -> seed -> its epochs.
      confusion: variant -> test counts summed over its runs; empty before the test set was opened.
        # (K, K) [true, predicted]
      classes: the class names.
      provenance: command, versions, hashes, hardware, times: name -> value, as it is to be printed.
      settings: the resolved study, as nested plain data.
      margin: the largest difference in accuracy that does not matter, a share of 1; the verdicts were given with it.
      conclusion: what was asked (the title), what was found, how sure that is, and what to do next.
      answers: to the study's questions, in order.
      asked: the comparisons beyond those with the first variant that the questions needed.
      evidence: more about each comparison: by variant for ``comparisons``, by ``"VARIANT/AGAINST"`` for ``asked``.
      ranking: the variants that were tested from the best mean to the worst, with letters.
      friedman_p: of the test that no variant ranks differently from the others; None with fewer than three variants
        or two common seeds.
      advice: what to try next, the most useful first, from learning curves and validation scores alone.
    """

    name: str
    title: str
    data: str
    state: Literal["finished", "running", "interrupted"]
    seeds: tuple[int, ...]
    epochs: int
    seconds: float
    directory: str
    variants: tuple[VariantSummary, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    verdict: str
    histories: Mapping[str, Mapping[int, History]]
    confusion: Mapping[str, IntArray]
    classes: tuple[str, ...]
    provenance: Mapping[str, str]
    settings: Mapping[str, Any]
    margin: float = MARGIN
    conclusion: tuple[Sentence, ...] = ()
    answers: tuple[Answer, ...] = ()
    asked: tuple[Comparison, ...] = ()
    evidence: Mapping[str, PairedEvidence] = field(default_factory=dict)
    ranking: tuple[Ranked, ...] = ()
    friedman_p: float | None = None
    advice: tuple[Sentence, ...] = ()
