"""What a study file may say: its tables as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict

from wellfit.base import MARGIN, QUESTIONS
from wellfit.spec.values import (
    Count,
    Layers,
    Monitor,
    Natural,
    OrFalse,
    Part,
    Positive,
    PositiveShare,
    ProperShare,
    Rates,
    Ratio,
    Seed,
    SeedCount,
    Seeds,
    Share,
    Strength,
    Strengths,
    Words,
    between,
    one_of,
)

__all__ = ["METRICS", "OPTIMIZERS", "Changes", "PartTables", "QuickTable", "StudyTables"]

# The names that networks and optimizers answer to, here again so that a mistake is told before JAX is loaded.
OPTIMIZERS: Final = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "nadam", "lion")
LOSSES: Final = ("cross_entropy", "mse")
SCHEDULES: Final = ("constant", "step", "exponential", "cosine", "warmup", "one-cycle")
MODELS: Final = ("logistic", "mlp", "lenet5", "cnn", "layers")
LAYERS: Final = (
    *("dense", "conv2d", "max_pool", "average_pool", "global_average_pool"),
    *("flatten", "activation", "dropout", "batch_norm"),
)
ACTIVATIONS: Final = ("relu", "sigmoid", "tanh", "elu", "gelu", "leaky_relu")
INITIALIZERS: Final = ("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal")

PRECISIONS: Final = ("float32", "mixed", "auto")

METRICS: Final = tuple(f"{split}_{what}" for split in ("train", "validation", "test") for what in ("accuracy", "loss"))
"""What ``[published]`` may give."""

SCALES: Final = ("unit", "standardize")

Activation = Annotated[str, one_of("activation", ACTIVATIONS)]
Initializer = Annotated[str, one_of("initializer", INITIALIZERS)]


# --- The tables -------------------------------------------------------------------------------------------------------


class Table(BaseModel):
    """A table that knows its keys; booleans are not numbers, numbers are finite, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class DataTable(Table):
    """[data]; one of ``name`` and ``path``."""

    name: Words | None = None
    path: Words | None = None
    validation: ProperShare = 0.2
    scale: Annotated[str, one_of("scale", SCALES)] = "unit"
    split_seed: Seed = 0
    train_share: PositiveShare = 1.0


class LayerTable(Table):
    """One of model.layers."""

    kind: Annotated[str, one_of("layer", LAYERS)]
    units: Natural = 0
    filters: Natural = 0
    size: Natural = 0
    stride: Natural = 0
    padding: Annotated[str, one_of("padding", ("same", "valid"))] = "valid"
    function: Activation = ""
    initializer: Initializer = "glorot_uniform"
    rate: Share = 0.0


class ModelTable(Table):
    """[model]. Where the kind changes and ``hidden`` is not given, it is the kind's own: (128, 64), or (16, 32, 64)."""

    kind: Annotated[str, one_of("model", MODELS)] = "mlp"
    hidden: Layers = []
    activation: Activation = "relu"
    initializer: Initializer = "glorot_uniform"
    batch_norm: bool = False
    output: Annotated[str, one_of("output", ("softmax", "sigmoid"))] = "softmax"
    layers: list[LayerTable] = []


class StoppingTable(Table):
    """early_stopping = {...}, in [train] or in a variant."""

    patience: Natural
    monitor: Monitor = "val_loss"
    min_delta: Strength = 0.0
    start_epoch: Natural = 0
    restore_best_weights: bool = False


class AveragingTable(Table):
    """average = {...}."""

    kind: Annotated[str, one_of("average", ("ema", "swa"))]
    decay: Share = 0.99
    last: Count = 5


class ScheduleTable(Table):
    """schedule = {...}."""

    kind: Annotated[str, one_of("schedule", SCHEDULES)] = "constant"
    warmup: Part | None = None
    every: PositiveShare | None = None
    factor: Part | None = None
    peak: Part | None = None
    div: Ratio | None = None
    final_div: Ratio | None = None


class AugmentationTable(Table):
    """augmentation = {...}."""

    shift: Share = 0.0
    flip: Part = 0.0
    rotation: Annotated[float, between(0, 180)] = 0.0
    zoom: Share = 0.0
    erasing: Part = 0.0
    noise: Strength = 0.0
    mixup: Strength = 0.0


class Numbers(Table):
    """What [train] and [variants.NAME] have in common."""

    epochs: Count = 1
    batch_size: Count = 1
    optimizer: Annotated[str, one_of("optimizer", OPTIMIZERS)] = "adam"
    loss: Annotated[str, one_of("loss", LOSSES)] = "cross_entropy"
    learning_rate: Positive | None = None
    schedule: Annotated[ScheduleTable | None, OrFalse] = None
    momentum: Share | None = None
    l1: Strengths = 0.0
    l2: Strengths = 0.0
    proximal_l1: Strengths = 0.0
    weight_decay: Strength | None = None
    dropout: Rates | None = None
    label_smoothing: Share = 0.0
    max_norm: Strength = 0.0
    clip_norm: Strength = 0.0
    global_clip_norm: Strength = 0.0
    class_weights: list[Strength] = []
    augmentation: AugmentationTable = AugmentationTable()
    early_stopping: Annotated[StoppingTable | None, OrFalse] = None
    average: Annotated[AveragingTable | None, OrFalse] = None
    examples: Annotated[Count | None, OrFalse] = None
    label_noise: Share = 0.0


class TrainTable(Numbers):
    """[train]: the base recipe without its model, the seeds, and the precision of every run."""

    seeds: Seeds = 5
    precision: Annotated[str, one_of("precision", PRECISIONS)] = "float32"


class Changes(Numbers):
    """[variants.NAME]: what a variant changes in the base recipe."""

    model: ModelTable = ModelTable()


class QuickTable(Table):
    """[quick]: what ``--quick`` leaves of the study.

    The epochs of the base recipe; other variants' shrink alike. At most so many seeds, and values of every list of a
    sweep. A share of the training data.
    """

    epochs: Count = 3
    seeds: SeedCount = 2
    values: Annotated[int, between(2, 1000)] = 3
    train_share: PositiveShare = 0.25


class CompareTable(Table):
    """[compare]: how variants are compared; ``margin`` is the largest difference in accuracy that does not matter."""

    margin: Share = MARGIN


class QuestionTable(Table):
    """One of [[questions]]: what the study asks beyond which variants differ from the first."""

    ask: Words
    kind: Annotated[str, one_of("question", QUESTIONS)]
    variant: Words | None = None
    than: list[Words] | None = None
    variants: list[Words] | None = None
    metric: Annotated[str, one_of("metric", METRICS)] | None = None
    value: float | None = None


class PartTables(Table):
    """What the file itself and every part of it, [parts.NAME], may say."""

    extends: Words | None = None
    title: Words | None = None
    description: str = ""
    data: DataTable = DataTable()
    model: ModelTable = ModelTable()
    train: TrainTable = TrainTable()
    variants: dict[str, Changes] = {}
    sweeps: dict[str, dict[str, list[Any]]] = {}  # its values are checked as changes, one variant a value
    published: dict[str, dict[str, float]] = {}
    compare: CompareTable = CompareTable()
    questions: list[QuestionTable] = []
    quick: QuickTable = QuickTable()


class StudyTables(PartTables):
    """A study file; the defaults of what it leaves out are those of ``Recipe``."""

    name: str
    data: DataTable
    parts: dict[str, PartTables] = {}
