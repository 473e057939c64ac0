"""What a study file may say: its tables as pydantic models, and their errors in one plain line."""

from __future__ import annotations

from typing import Annotated, Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from wellfit.base import MARGIN, QUESTIONS
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.study.source import KeyPath, Source
from wellfit.study.values import (
    ONE,
    SEVERAL,
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

__all__ = ["METRICS", "OPTIMIZERS", "Changes", "PartTables", "QuickTable", "StudyTables", "check", "home", "known_keys"]

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


# --- Errors in plain words --------------------------------------------------------------------------------------------

_TYPES: Final = {
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "finite_number": "must be finite",
}


AnyTable = TypeVar("AnyTable", bound=BaseModel)


def check(table: type[AnyTable], raw: Any, source: Source, at: KeyPath = ()) -> AnyTable:
    """Checks a table.

    Args:
      table: what it has to be.
      raw: what was written, as plain data.
      source: where it was written.
      at: the path of the table in the source.

    Returns:
      The table.

    Raises:
      UnknownNameError: an unknown key, optimizer, model, scale or monitor; with the nearest known one, and where it is.
      StudyFileError: a value of the wrong type or out of range; one line, with file, line, table and key.

    Example:
      >>> check(Changes, {"dropout": 1.5}, Source("lab.toml"), ("variants", "a"))
      Traceback (most recent call last):
        ...
      wellfit.errors.StudyFileError: lab.toml, [variants.a] dropout: must be at least 0 and less than 1, got 1.5
    """
    try:
        return table.model_validate(raw)
    except ValidationError as error:
        # A mistyped key explains the one that is missing, not the other way round.
        order = {"extra_forbidden": 0, "missing": 2}
        _refuse(min(error.errors(include_url=False), key=lambda e: order.get(e["type"], 1)), source, at)


def _refuse(error: ErrorDetails, source: Source, at: KeyPath) -> NoReturn:
    path = at + tuple(part for part in error["loc"] if part not in (ONE, SEVERAL, "[key]"))
    if error["type"] == "extra_forbidden":
        key, at_top = str(path[-1]), len(path) == 1 or (path[0] == "parts" and len(path) == 3)
        if at_top and (belongs := home(key)):
            raise StudyFileError(f"unknown key {key!r} in {source.table(path)}; did you mean {belongs!r}?")
        raise UnknownNameError("key", key, known_keys(path[:-1]), source.table(path))
    if error["type"] == "unknown_name":
        raise UnknownNameError(error["ctx"]["kind"], error["input"], error["ctx"]["known"], source.place(path))
    if error["type"] == "missing":
        source.refuse(path, "is missing")
    got = repr(error["input"])
    got = got if len(got) <= 60 else f"{got[:57]}..."
    source.refuse(path, f"{_TYPES.get(error['type'], error['msg'])}, got {got}")


def known_keys(path: KeyPath) -> list[str]:
    """The keys that a table may have.

    Args:
      path: the path of the table.

    Example:
      >>> known_keys(("variants", "a", "model"))
      ['kind', 'hidden', 'activation', 'initializer', 'batch_norm', 'output', 'layers']
    """
    tables: dict[str, type[BaseModel]] = {
        "data": DataTable,
        "model": ModelTable,
        "train": TrainTable,
        "layers": LayerTable,
        "schedule": ScheduleTable,
        "augmentation": AugmentationTable,
        "early_stopping": StoppingTable,
        "average": AveragingTable,
        "quick": QuickTable,
        "compare": CompareTable,
        "questions": QuestionTable,
    }
    top: type[BaseModel] = StudyTables
    if path and path[0] == "parts":
        top, path = PartTables, path[2:]  # the name of a part is no key, nor that of a variant
    if path and path[0] in ("variants", "sweeps"):
        tables["variants"] = tables["sweeps"] = Changes
        path = path[2:] or path[:1]
    names = [part for part in path if isinstance(part, str)]
    return list((tables[names[-1]] if names else top).model_fields)


def home(key: str) -> str | None:
    """The way to a key that was written at the top of the file, and belongs into a table.

    Example:
      >>> home("epochs"), home("hidden"), home("epoch"), home("title")
      ('train.epochs', 'model.hidden', None, None)
    """
    tables: dict[str, type[BaseModel]] = {"train": TrainTable, "model": ModelTable, "data": DataTable}
    tables["compare"] = CompareTable
    return next((f"{name}.{key}" for name, table in tables.items() if key in table.model_fields), None)
