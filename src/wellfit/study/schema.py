"""What a study file may say: its tables as pydantic models, and their errors in one plain line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Tag, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from wellfit.base import MONITORS
from wellfit.errors import UnknownNameError
from wellfit.study.source import KeyPath, Source

__all__ = ["METRICS", "OPTIMIZERS", "Changes", "StudyTables", "check", "known_keys"]

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

METRICS: Final = tuple(f"{split}_{what}" for split in ("train", "validation", "test") for what in ("accuracy", "loss"))
"""What ``[published]`` may give."""

SCALES: Final = ("unit", "standardize")
MAX_LAYERS: Final = 64
MAX_COUNT: Final = 1_000_000  # no honest study has more epochs, units or examples a batch; 2**40 is a slip


# --- What values may be -----------------------------------------------------------------------------------------------


def _must(be: str, holds: Callable[[Any], bool]) -> AfterValidator:
    """A validator that tells in words what a value must be."""

    def validate(value: Any) -> Any:
        if not holds(value):
            raise PydanticCustomError("range", "must be {be}", {"be": be})
        return value

    return AfterValidator(validate)


def _one_of(kind: str, known: tuple[str, ...]) -> AfterValidator:
    def validate(value: str) -> str:
        if value not in known:
            raise PydanticCustomError("unknown_name", "unknown", {"kind": kind, "known": known})
        return value

    return AfterValidator(validate)


def _check_monitor(value: str) -> str:
    """Tell why the other metrics that Keras would watch are not to be watched."""
    if value in MONITORS:
        return value
    if value in ("loss", "accuracy") or value.startswith("train_"):
        why = "training metrics go on improving while a network over-fits; only val_loss or val_accuracy can stop it"
        raise PydanticCustomError("monitor", "{why}", {"why": why})
    if value.startswith("test_"):
        why = "the test set is opened once, at the end; only val_loss or val_accuracy can stop a training"
        raise PydanticCustomError("monitor", "{why}", {"why": why})
    raise PydanticCustomError("unknown_name", "unknown", {"kind": "monitor", "known": MONITORS})


_ONE, _SEVERAL = "<one>", "<several>"  # pydantic puts these into an error's path; no key of a study file looks so


def _number_or_list(value: Any) -> str:
    return _SEVERAL if isinstance(value, list) else _ONE


Share = Annotated[float, _must("at least 0 and less than 1", lambda x: 0 <= x < 1)]
Part = Annotated[float, _must("from 0 to 1", lambda x: 0 <= x <= 1)]
Ratio = Annotated[float, _must("at least 1", lambda x: x >= 1)]
Strength = Annotated[float, _must("at least 0", lambda x: x >= 0)]
Positive = Annotated[float, _must("greater than 0", lambda x: x > 0)]
Count = Annotated[int, _must(f"from 1 to {MAX_COUNT}", lambda x: 1 <= x <= MAX_COUNT)]
Natural = Annotated[int, _must(f"from 0 to {MAX_COUNT}", lambda x: 0 <= x <= MAX_COUNT)]
Seed = Annotated[int, _must("from 0 to 2147483647", lambda x: 0 <= x < 2**31)]
SeedCount = Annotated[int, _must("from 1 to 10000", lambda x: 1 <= x <= 10_000)]
SeedList = Annotated[list[Seed], _must("a list of distinct seeds", lambda x: len(x) == len(set(x)) > 0)]
Layers = Annotated[list[Count], _must(f"at most {MAX_LAYERS} layers", lambda x: len(x) <= MAX_LAYERS)]
Words = Annotated[str, _must("some words", lambda x: x.strip() != "")]
Activation = Annotated[str, _one_of("activation", ACTIVATIONS)]
Initializer = Annotated[str, _one_of("initializer", INITIALIZERS)]
Rates = Annotated[Annotated[Share, Tag(_ONE)] | Annotated[list[Share], Tag(_SEVERAL)], Discriminator(_number_or_list)]
Strengths = Annotated[
    Annotated[Strength, Tag(_ONE)] | Annotated[list[Strength], Tag(_SEVERAL)], Discriminator(_number_or_list)
]
OrFalse = BeforeValidator(lambda x: None if x is False else x)  # a variant without what the base recipe has
Seeds = Annotated[Annotated[SeedCount, Tag(_ONE)] | Annotated[SeedList, Tag(_SEVERAL)], Discriminator(_number_or_list)]


# --- The tables -------------------------------------------------------------------------------------------------------


class Table(BaseModel):
    """A table that knows its keys; booleans are not numbers, numbers are finite, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class DataTable(Table):
    """[data]; one of ``name`` and ``path``."""

    name: Words | None = None
    path: Words | None = None
    validation: Annotated[float, _must("greater than 0 and less than 1", lambda x: 0 < x < 1)] = 0.2
    scale: Annotated[str, _one_of("scale", SCALES)] = "unit"
    split_seed: Seed = 0


class LayerTable(Table):
    """One of model.layers."""

    kind: Annotated[str, _one_of("layer", LAYERS)]
    units: Natural = 0
    filters: Natural = 0
    size: Natural = 0
    stride: Natural = 0
    padding: Annotated[str, _one_of("padding", ("same", "valid"))] = "valid"
    function: Activation = ""
    initializer: Initializer = "glorot_uniform"
    rate: Share = 0.0


class ModelTable(Table):
    """[model]. Where the kind changes and ``hidden`` is not given, it is the kind's own: (128, 64), or (16, 32, 64)."""

    kind: Annotated[str, _one_of("model", MODELS)] = "mlp"
    hidden: Layers = []
    activation: Activation = "relu"
    initializer: Initializer = "glorot_uniform"
    batch_norm: bool = False
    output: Annotated[str, _one_of("output", ("softmax", "sigmoid"))] = "softmax"
    layers: list[LayerTable] = []


class StoppingTable(Table):
    """early_stopping = {...}, in [train] or in a variant."""

    patience: Natural
    monitor: Annotated[str, AfterValidator(_check_monitor)] = "val_loss"
    min_delta: Strength = 0.0
    start_epoch: Natural = 0
    restore_best_weights: bool = False


class AveragingTable(Table):
    """average = {...}."""

    kind: Annotated[str, _one_of("average", ("ema", "swa"))]
    decay: Share = 0.99
    last: Count = 5


class ScheduleTable(Table):
    """schedule = {...}."""

    kind: Annotated[str, _one_of("schedule", SCHEDULES)] = "constant"
    warmup: Part | None = None
    every: Annotated[float, _must("greater than 0 and at most 1", lambda x: 0 < x <= 1)] | None = None
    factor: Part | None = None
    peak: Part | None = None
    div: Ratio | None = None
    final_div: Ratio | None = None


class AugmentationTable(Table):
    """augmentation = {...}."""

    shift: Share = 0.0
    flip: Part = 0.0
    rotation: Annotated[float, _must("from 0 to 180", lambda x: 0 <= x <= 180)] = 0.0
    zoom: Share = 0.0
    erasing: Part = 0.0
    noise: Strength = 0.0
    mixup: Strength = 0.0


class Numbers(Table):
    """What [train] and [variants.NAME] have in common."""

    epochs: Count = 1
    batch_size: Count = 1
    optimizer: Annotated[str, _one_of("optimizer", OPTIMIZERS)] = "adam"
    loss: Annotated[str, _one_of("loss", LOSSES)] = "cross_entropy"
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


class TrainTable(Numbers):
    """[train]: the base recipe without its model, and the seeds."""

    seeds: Seeds = 5


class Changes(Numbers):
    """[variants.NAME]: what a variant changes in the base recipe."""

    model: ModelTable = ModelTable()


class StudyTables(Table):
    """A study file; the defaults of what it leaves out are those of ``Recipe``."""

    name: str
    title: Words | None = None
    description: str = ""
    data: DataTable
    model: ModelTable = ModelTable()
    train: TrainTable = TrainTable()
    variants: dict[str, Changes] = {}
    sweeps: dict[str, dict[str, list[Any]]] = {}  # its values are checked as changes, one variant a value
    published: dict[str, dict[str, float]] = {}


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
    path = at + tuple(part for part in error["loc"] if part not in (_ONE, _SEVERAL, "[key]"))
    if error["type"] == "extra_forbidden":
        raise UnknownNameError("key", str(path[-1]), known_keys(path[:-1]), source.table(path))
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
    }
    if path and path[0] in ("variants", "sweeps"):
        tables["variants"] = tables["sweeps"] = Changes
        path = path[2:] or path[:1]  # the name of a variant is no key
    names = [part for part in path if isinstance(part, str)]
    return list((tables[names[-1]] if names else StudyTables).model_fields)
