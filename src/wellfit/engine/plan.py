"""From runs to populations: what is trained together, and what it will cost.

Runs that differ only in when they stop share one trajectory. Trajectories of one structure make a program; those of one
seed that stand side by side in it are a group and share their batches. Groups are what the devices are given.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from wellfit.base import Augmentation, Averaging, EarlyStopping, ModelSpec, Recipe, RunSpec, Schedule
from wellfit.engine.checks import check_run
from wellfit.engine.precision import resolve
from wellfit.errors import StudyFileError
from wellfit.nn.models import Model, build, count_parameters, summary, without_rates
from wellfit.nn.optimizers import OPTIMIZERS
from wellfit.nn.products import Precision

__all__ = ["TRACED", "Numbers", "Plan", "Population", "Program", "Readout", "Trajectory", "make_plan"]


@dataclass(frozen=True)
class Readout:
    """A run, as a place on a trajectory: the last of its epochs, or where its stopping rule says."""

    run: RunSpec
    epochs: int
    rule: EarlyStopping | None
    average: Averaging | None


@dataclass(frozen=True)
class Numbers:
    """What a compiled program takes as traced numbers, one set a trajectory.

    ``schedule`` and ``span`` are not traced themselves: the learning rate of every step is computed from them.
    """

    learning_rate: float
    momentum: float
    weight_decay: float
    l1: tuple[float, ...]  # (kernels,)
    l2: tuple[float, ...]  # (kernels,)
    proximal_l1: tuple[float, ...]  # (kernels,)
    dropout: tuple[float, ...]  # (dropout layers,)
    label_smoothing: float
    max_norm: float  # inf: none
    clip_norm: float  # inf: none
    global_clip_norm: float  # inf: none
    class_weights: tuple[float, ...]  # (classes,)
    shift: float
    flip: float
    rotation: float
    zoom: float
    erasing: float
    noise: float
    mixup: float
    schedule: Schedule | None
    span: int  # epochs that the schedule is laid over; 0 without one


TRACED: Final = tuple(f.name for f in dataclasses.fields(Numbers) if f.name not in ("schedule", "span"))
"""The numbers that a compiled program takes."""

_AT_REST: Final = {"max_norm": math.inf, "clip_norm": math.inf, "global_clip_norm": math.inf, "class_weights": 1.0}
"""The value of a number that changes nothing, where it is not 0."""


@dataclass(frozen=True)
class Trajectory:
    """One training: a seed, its numbers, and the runs that are read from it."""

    seed: int
    numbers: Numbers
    readouts: tuple[Readout, ...]

    @property
    def name(self) -> str:
        """The first run that is read from it, which names it in the store."""
        first = self.readouts[0].run
        return f"{first.variant}.{first.seed}"

    @property
    def epochs(self) -> int:
        """The most epochs that any of its readouts asks for."""
        return max(readout.epochs for readout in self.readouts)

    @property
    def decays(self) -> tuple[float, ...]:
        """The distinct decays of the moving averages that its readouts ask for."""
        asked = [r.average.decay for r in self.readouts if r.average is not None and r.average.kind == "ema"]
        return tuple(sorted(set(asked)))


@dataclass(frozen=True)
class Program:
    """What is compiled: structure, and which of the optional computations any of its runs needs.

    Args:
      model: the architecture.
      optimizer: the optimizer family.
      batch_size: examples a step.
      loss: the loss.
      precision: of the matrix products.
      width: trajectories of one seed that stand side by side in a group.
      groups: groups of a wave: those that all devices train at a time.
      averages: moving averages of the weights that every run carries.
      uses: names of ``Numbers`` that are not at rest in every run; what is not in use is left out of the program.
    """

    model: ModelSpec
    optimizer: str
    batch_size: int
    loss: str
    precision: Precision
    width: int
    groups: int
    averages: int
    uses: frozenset[str]


@dataclass(frozen=True)
class Population:
    """Trajectories trained together: waves of ``program.groups`` groups of at most ``program.width``.

    The groups stand in the order of their waves; those of one place in every wave are one device's, and follow one
    another by seed. Groups at the end may be empty.

    Args:
      program: what they share.
      groups: their trajectories.
      work: arithmetic of all their steps and evaluations, in floating-point operations.
    """

    program: Program
    groups: tuple[tuple[Trajectory, ...], ...]
    work: float = 0.0

    @property
    def waves(self) -> tuple[Population, ...]:
        """The population in parts that the devices train at a time."""
        size = self.program.groups
        return tuple(Population(self.program, self.groups[i : i + size]) for i in range(0, len(self.groups), size))

    @property
    def trajectories(self) -> tuple[Trajectory, ...]:
        """All of them, in order."""
        return tuple(trajectory for group in self.groups for trajectory in group)

    @property
    def name(self) -> str:
        """Names it in the store: its first trajectory."""
        return self.trajectories[0].name


@dataclass(frozen=True)
class Plan:
    """The populations of a study.

    Args:
      populations: in the order in which they are trained.
      runs: how many runs are read from them.
      parameters: of every model, largest first.
      work: arithmetic of all steps and evaluations, in floating-point operations.
      memory: an estimate of the bytes that the largest population holds on all devices.
    """

    populations: tuple[Population, ...]
    runs: int
    parameters: tuple[int, ...]
    work: float
    memory: int

    @property
    def trajectories(self) -> int:
        """How many trainings there are."""
        return sum(len(population.trajectories) for population in self.populations)

    @property
    def programs(self) -> int:
        """How many training programs are compiled: one a population; where two are equal, their data are not."""
        return len(self.populations)


Structure: TypeAlias = tuple[ModelSpec, str, int, str, Precision]
"""What a program is compiled for: model, optimizer, batch size, loss, precision."""

Costs: TypeAlias = tuple[tuple[int, float], ...]
"""(width, seconds of a run relative to a run alone), width 1 first."""

# Values of a training split that a core's cache holds as bytes; and what a run of the digits' 128-64 network costs in
# groups of such data, where every call to an operation counts (two cores with AVX-512).
_SMALL: Final = 1 << 22
_SMALL_COSTS: Final[Costs] = ((1, 1.0), (2, 0.7), (3, 0.6), (4, 0.55), (5, 0.5), (6, 0.48), (8, 0.45))


def is_small(input_shape: tuple[int, ...], examples: int) -> bool:
    """Whether a training split fits the cache: devices then gather its batches themselves, and calls rule the time.

    Args:
      input_shape: the shape of one example.
      examples: training examples.

    Example:
      >>> is_small((8, 8), 1149), is_small((28, 28), 48000)
      (True, False)
    """
    return math.prod(input_shape) * examples <= _SMALL


def make_plan(
    runs: Sequence[RunSpec],
    input_shape: tuple[int, ...],
    classes: int,
    examples: tuple[int, int, int],
    devices: int,
    precision: str = "float32",
    costs: Costs = ((1, 1.0),),
    memory: int | None = None,
) -> Plan:
    """Plan runs into populations.

    Args:
      runs: the runs, in any order; the plan depends on nothing else, so that a resumed study plans the same.
      input_shape: the shape of one example.
      classes: the number of classes.
      examples: training, validation and training-sample examples.
      devices: over how many devices a population is spread.
      precision: of the matrix products, as ``resolve`` takes it.
      costs: the widths that a group may have, each with its seconds a run relative to a run alone.
      memory: bytes that a device's runs may take, where a device trains all of its groups at once; None where it takes
        them in turn, as CPUs do.

    Raises:
      StudyFileError: a number per layer that the model has no layer for, or what ``check_run`` refuses.
      ShapeError: a model that does not fit the data.

    Example:
      >>> stop = EarlyStopping(patience=3)
      >>> recipes = {"baseline": Recipe(), "l2": Recipe(l2=1e-3), "stop": Recipe(early_stopping=stop)}
      >>> runs = [RunSpec(name, seed, recipe) for name, recipe in recipes.items() for seed in range(5)]
      >>> plan = make_plan(runs, (28, 28), 10, (48000, 12000, 12000), devices=2)
      >>> plan.runs, plan.trajectories, plan.programs
      (15, 10, 1)
    """
    small = memory is None and is_small(input_shape, examples[0])
    # runs that change their examples are apart: all of a program's runs would pay for it
    structures: dict[tuple[Structure, bool], dict[tuple[int, Numbers], list[Readout]]] = {}
    models: dict[ModelSpec, Model] = {}
    for run in runs:
        recipe = run.recipe
        if recipe.model not in models:
            models[recipe.model] = build(recipe.model, input_shape, classes)
        check_run(run, models[recipe.model], examples[0])
        products = resolve(precision, recipe.model)
        structure = (without_rates(recipe.model), recipe.optimizer, recipe.batch_size, recipe.loss, products)
        numbers = _numbers(run.variant, recipe, models[recipe.model], classes)
        key = structure, recipe.augmentation != Augmentation()
        readouts = structures.setdefault(key, {}).setdefault((run.seed, numbers), [])
        readouts.append(Readout(run, recipe.epochs, recipe.early_stopping, recipe.average))
    sizes = {without_rates(spec): count_parameters(model) for spec, model in models.items()}
    operations = {without_rates(spec): _operations(model) for spec, model in models.items()}
    populations = tuple(
        _arranged(
            structure,
            [Trajectory(*key, tuple(readouts)) for key, readouts in trajectories.items()],
            devices,
            _SMALL_COSTS if small else costs,
            sys.maxsize if small else None if memory is None else max(1, memory // _bytes(sizes[structure[0]])),
            operations[structure[0]].of_epoch(examples),
        )
        for (structure, _), trajectories in structures.items()
    )
    return Plan(
        populations,
        len(runs),
        tuple(sorted(set(sizes.values()), reverse=True)),
        sum(population.work for population in populations),
        max((_memory(p, sizes[p.program.model], input_shape, examples, devices) for p in populations), default=0),
    )


def _numbers(variant: str, recipe: Recipe, model: Model, classes: int) -> Numbers:
    """Resolve a recipe's numbers: the optimizer's and the model's defaults, and one strength for every layer."""
    defaults = OPTIMIZERS[recipe.optimizer]

    def either(value: float | None, default: float) -> float:
        return default if value is None else value

    kernels = len(model.kernels)
    dropout = model.dropout if recipe.dropout is None else recipe.dropout
    weights = recipe.class_weights or (1.0,) * classes
    if len(weights) != classes:
        raise StudyFileError(
            f"class_weights of variant {variant!r} has {len(weights)} values, the data have {classes} classes"
        )
    varying = recipe.schedule is not None
    return Numbers(
        learning_rate=either(recipe.learning_rate, defaults.learning_rate),
        momentum=either(recipe.momentum, defaults.momentum),
        weight_decay=either(recipe.weight_decay, defaults.weight_decay),
        l1=_per_kernel(variant, "l1", recipe.l1, kernels),
        l2=_per_kernel(variant, "l2", recipe.l2, kernels),
        proximal_l1=_per_kernel(variant, "proximal_l1", recipe.proximal_l1, kernels),
        dropout=_per_layer(variant, "dropout", dropout, len(model.dropout)),
        label_smoothing=recipe.label_smoothing,
        max_norm=recipe.max_norm or math.inf,
        clip_norm=recipe.clip_norm or math.inf,
        global_clip_norm=recipe.global_clip_norm or math.inf,
        class_weights=weights,
        **dataclasses.asdict(recipe.augmentation),
        schedule=recipe.schedule,
        span=recipe.epochs if varying else 0,
    )


def _per_kernel(variant: str, key: str, value: float | tuple[float, ...], kernels: int) -> tuple[float, ...]:
    """One strength a kernel; a single number, or a list of one fewer, leaves the output layer alone."""
    hidden = max(kernels - 1, 1)
    if isinstance(value, tuple) and len(value) == kernels:
        return value
    given = _per_layer(variant, key, value, hidden)
    return given + (0.0,) * (kernels - hidden)


def _per_layer(variant: str, key: str, value: float | tuple[float, ...], layers: int) -> tuple[float, ...]:
    if not isinstance(value, tuple):
        return (float(value),) * layers
    if len(value) != layers:
        raise StudyFileError(
            f"{key} of variant {variant!r} has {len(value)} values, the model has {layers} places for it"
        )
    return value


def _arranged(
    structure: Structure,
    trajectories: list[Trajectory],
    devices: int,
    costs: Costs,
    fit: int | None,
    work: float,
) -> Population:
    """Arrange trajectories of one structure in groups of one seed, as evenly over the devices as they will go.

    Args:
      structure: of the program.
      trajectories: all of them.
      devices: over how many they are spread.
      costs: of the widths that a group may have.
      fit: how many runs a device is given in one call; None for one group.
      work: operations of one run in an epoch.
    """
    by_seed: dict[int, list[Trajectory]] = {}
    for trajectory in trajectories:
        by_seed.setdefault(trajectory.seed, []).append(trajectory)

    def load(cost: tuple[int, float]) -> float:
        """Time of the busiest device, in runs alone."""
        width, relative = cost
        groups = sum(math.ceil(len(of_seed) / width) for of_seed in by_seed.values())
        return math.ceil(groups / devices) * width * relative

    widest = max(len(of_seed) for of_seed in by_seed.values())
    width, _ = min((cost for cost in costs if cost[0] <= widest), key=load)
    groups = [tuple(of_seed[i : i + width]) for of_seed in by_seed.values() for i in range(0, len(of_seed), width)]
    of_device = math.ceil(len(groups) / devices)
    at_once = 1 if fit is None else max(1, fit // width)
    lanes = math.ceil(of_device / math.ceil(of_device / at_once))  # waves as full as they come: empty lanes cost a GPU
    size = devices * lanes
    full, more = divmod(len(groups), size)
    begins = [place * full + min(place, more) for place in range(size)]
    in_waves = [groups[begin + wave] for wave in range(full) for begin in begins]
    in_waves += [groups[begin + full] for begin in begins[:more]] + [()] * (-len(groups) % size)
    uses = frozenset(
        name for name in TRACED if any(_in_use(getattr(t.numbers, name), _AT_REST.get(name, 0.0)) for t in trajectories)
    )
    averages = max(len(trajectory.decays) for trajectory in trajectories)
    program = Program(*structure, width, size, averages, uses)
    return Population(program, tuple(in_waves), work * sum(trajectory.epochs for trajectory in trajectories))


def _in_use(value: float | tuple[float, ...], at_rest: float) -> bool:
    return any(v != at_rest for v in value) if isinstance(value, tuple) else value != at_rest


class _Operations(NamedTuple):
    """Floating-point operations of one example: forward, and in a training step."""

    forward: int
    step: int

    def of_epoch(self, examples: tuple[int, int, int]) -> float:
        """Those of one run in an epoch: all its steps, and both scores after it."""
        train, validation, sample = examples
        return float(self.step * train + self.forward * (validation + sample))


def _operations(model: Model) -> _Operations:
    """Those of the products: a step has a gradient of the weights and one of the input, save the first layer's."""
    each = [row.operations for row in summary(model) if row.parameters]
    return _Operations(sum(each), 3 * sum(each) - each[0])


def _bytes(parameters: int) -> int:
    """Bytes of a run while a step is made: weights, two moments and a gradient, and the new ones of each."""
    return 4 * parameters * 7


def _memory(
    population: Population, parameters: int, shape: tuple[int, ...], examples: tuple[int, int, int], devices: int
) -> int:
    """Bytes of every run's weights and moments, and of each device's images: those scored, and two layouts."""
    program = population.program
    places = len(population.groups) * program.width
    state = 4 * parameters * 3 * places + _bytes(parameters) * program.groups * program.width
    train, validation, sample = examples
    return state + math.prod(shape) * devices * (2 * train + validation + sample)
