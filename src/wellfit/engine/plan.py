"""From runs to populations: what is trained together, and what it will cost.

Runs that differ only in when they stop share one trajectory. Trajectories of one structure make a program; those of one
seed that stand side by side in it are a group and share their batches. Groups are what the devices are given.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from wellfit.base import Augmentation, Averaging, EarlyStopping, ModelSpec, RunSpec
from wellfit.engine.hyperparameters import Hyperparameters, hyperparameters_of, uses
from wellfit.engine.precision import resolve
from wellfit.engine.validation import check_run
from wellfit.nn.models import Model, build, count_parameters, summary, without_rates
from wellfit.nn.products import Precision

__all__ = ["Costs", "Plan", "Population", "Program", "Readout", "Trajectory", "is_small", "make_plan"]


@dataclass(frozen=True)
class Readout:
    """A run, as a place on a trajectory: the last of its epochs, or where its stopping rule says."""

    run: RunSpec
    epochs: int
    rule: EarlyStopping | None
    average: Averaging | None


@dataclass(frozen=True)
class Trajectory:
    """One training: a seed, its numbers, and the runs that are read from it."""

    seed: int
    hyperparameters: Hyperparameters
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
      >>> from wellfit.base import Recipe
      >>> stop = EarlyStopping(patience=3)
      >>> recipes = {"baseline": Recipe(), "l2": Recipe(l2=1e-3), "stop": Recipe(early_stopping=stop)}
      >>> runs = [RunSpec(name, seed, recipe) for name, recipe in recipes.items() for seed in range(5)]
      >>> plan = make_plan(runs, (28, 28), 10, (48000, 12000, 12000), devices=2)
      >>> plan.runs, plan.trajectories, plan.programs
      (15, 10, 1)
    """
    models = {spec: build(spec, input_shape, classes) for spec in dict.fromkeys(run.recipe.model for run in runs)}
    for run in runs:
        check_run(run, models[run.recipe.model], examples[0])
    built = {without_rates(spec): model for spec, model in models.items()}
    sizes = {spec: count_parameters(model) for spec, model in built.items()}
    operations = {spec: _operations(model) for spec, model in built.items()}
    small = memory is None and is_small(input_shape, examples[0])

    def fit(structure: Structure) -> int | None:
        """How many runs a device is given in one call; None for one group."""
        if memory is None:
            return sys.maxsize if small else None
        model, _, batch_size, *_ = structure
        return max(1, memory // (_bytes(sizes[model]) + _batch_bytes(built[model], batch_size)))

    populations = tuple(
        _arranged(
            structure,
            trajectories,
            devices,
            _SMALL_COSTS if small else costs,
            fit(structure),
            operations[structure[0]].of_epoch(examples),
        )
        for structure, trajectories in _by_structure(runs, models, classes, precision)
    )
    return Plan(
        populations,
        len(runs),
        tuple(sorted(set(sizes.values()), reverse=True)),
        sum(population.work for population in populations),
        max((_memory(p, sizes[p.program.model], input_shape, examples, devices) for p in populations), default=0),
    )


def _by_structure(
    runs: Sequence[RunSpec], models: Mapping[ModelSpec, Model], classes: int, precision: str
) -> Iterator[tuple[Structure, list[Trajectory]]]:
    """The trajectories of every program: runs of one seed and the same numbers share one."""
    # runs that change their examples are apart: all of a program's runs would pay for it
    found: dict[tuple[Structure, bool], dict[tuple[int, Hyperparameters], list[Readout]]] = {}
    for run in runs:
        recipe = run.recipe
        products = resolve(precision, recipe.model)
        structure: Structure = (without_rates(recipe.model), recipe.optimizer, recipe.batch_size, recipe.loss, products)
        key = structure, recipe.augmentation != Augmentation()
        hyper = hyperparameters_of(run.variant, recipe, models[recipe.model], classes)
        readouts = found.setdefault(key, {}).setdefault((run.seed, hyper), [])
        readouts.append(Readout(run, recipe.epochs, recipe.early_stopping, recipe.average))
    for (structure, _), trajectories in found.items():
        yield structure, [Trajectory(*key, tuple(readouts)) for key, readouts in trajectories.items()]


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
    averages = max(len(trajectory.decays) for trajectory in trajectories)
    program = Program(*structure, width, size, averages, uses(t.hyperparameters for t in trajectories))
    return Population(program, _in_waves(groups, size), work * sum(trajectory.epochs for trajectory in trajectories))


def _in_waves(groups: list[tuple[Trajectory, ...]], size: int) -> tuple[tuple[Trajectory, ...], ...]:
    """Groups in the order of waves of a size, those that follow one another at one place of every wave."""
    full, more = divmod(len(groups), size)
    begins = [place * full + min(place, more) for place in range(size)]
    ordered = [groups[begin + wave] for wave in range(full) for begin in begins]
    return (*ordered, *(groups[begin + full] for begin in begins[:more]), *[()] * (-len(groups) % size))


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


def _batch_bytes(model: Model, batch_size: int) -> int:
    """Bytes of a batch in a run: what every layer multiplies, the bias's one included, its output, and both gradients.

    A convolution multiplies patches, each input pixel as often as the kernel covers it.
    """
    rows = summary(model)
    numbers = sum(row.operations // (2 * row.output_shape[-1]) + math.prod(row.output_shape) for row in rows)
    return 4 * 2 * batch_size * numbers


def _memory(
    population: Population, parameters: int, shape: tuple[int, ...], examples: tuple[int, int, int], devices: int
) -> int:
    """Bytes of every run's weights and moments, and of each device's images: those scored, and two layouts."""
    program = population.program
    places = len(population.groups) * program.width
    state = 4 * parameters * 3 * places + _bytes(parameters) * program.groups * program.width
    train, validation, sample = examples
    return state + math.prod(shape) * devices * (2 * train + validation + sample)
