"""Planning runs as populations: what trains together, and at what cost.

Runs that differ only in when they stop share one trajectory. Trajectories with the same structure share a program.
Trajectories with the same seed that train side by side form a group and share their batches; groups are distributed
over the devices.
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

__all__ = [
    "Costs",
    "Plan",
    "Population",
    "Program",
    "Readout",
    "Trajectory",
    "bytes_of_run",
    "in_waves",
    "is_small",
    "make_plan",
]


@dataclass(frozen=True)
class Readout:
    """Where on its trajectory a run is read: at its last epoch, or where its stopping rule says."""

    run: RunSpec
    epochs: int
    rule: EarlyStopping | None
    average: Averaging | None


@dataclass(frozen=True)
class Trajectory:
    """One training: a seed, hyperparameters, and the runs that are read from it."""

    seed: int
    hyperparameters: Hyperparameters
    readouts: tuple[Readout, ...]

    @property
    def name(self) -> str:
        """The name in the store: the first run that is read from the trajectory, as ``variant.seed``."""
        first = self.readouts[0].run
        return f"{first.variant}.{first.seed}"

    @property
    def epochs(self) -> int:
        """The largest number of epochs among its readouts."""
        return max(readout.epochs for readout in self.readouts)

    @property
    def decays(self) -> tuple[float, ...]:
        """The distinct decays of its readouts' moving averages, in ascending order."""
        return tuple(
            sorted({r.average.decay for r in self.readouts if r.average is not None and r.average.kind == "ema"})
        )


@dataclass(frozen=True)
class Program:
    """The static configuration of a compiled program: its structure and the optional computations that its runs need.

    Args:
      batch_size: examples per step.
      precision: of the matrix products.
      width: trajectories of one seed side by side in a group.
      groups: groups in a wave, over all devices.
      averages: moving averages of the weights that every run carries.
      uses: names of the ``Hyperparameters`` that are not neutral in every run; the computations of the others are left
        out of the program.
      kernels: whether generated kernels compute its convolutions.
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
    kernels: bool = False


@dataclass(frozen=True)
class Population:
    """Trajectories trained together, in waves of ``program.groups`` groups of at most ``program.width`` trajectories.

    Groups are listed wave by wave. The groups at one position of successive waves train on the same device and are
    ordered by seed. Trailing groups may be empty.

    Args:
      groups: the trajectories of each group.
      work: floating-point operations of all steps and evaluations.
    """

    program: Program
    groups: tuple[tuple[Trajectory, ...], ...]
    work: float = 0.0

    @property
    def waves(self) -> tuple[Population, ...]:
        """The population, split into the parts that the devices train at once."""
        size = self.program.groups
        return tuple(Population(self.program, self.groups[i : i + size]) for i in range(0, len(self.groups), size))

    @property
    def trajectories(self) -> tuple[Trajectory, ...]:
        """All trajectories, in order."""
        return tuple(trajectory for group in self.groups for trajectory in group)

    @property
    def name(self) -> str:
        """The name in the store: that of its first trajectory."""
        return self.trajectories[0].name


@dataclass(frozen=True)
class Plan:
    """The populations of a study.

    Args:
      populations: in training order.
      runs: number of runs.
      parameters: the distinct parameter counts of the models, largest first.
      work: floating-point operations of all steps and evaluations.
      memory: estimated bytes of the largest population, over all devices.
    """

    populations: tuple[Population, ...]
    runs: int
    parameters: tuple[int, ...]
    work: float
    memory: int

    @property
    def trajectories(self) -> int:
        """The number of trainings."""
        return sum(len(population.trajectories) for population in self.populations)

    @property
    def programs(self) -> int:
        """The number of compiled training programs; populations of different folds share theirs."""
        return len({(p.program, p.trajectories[0].readouts[0].run.recipe.examples) for p in self.populations})


Structure: TypeAlias = tuple[ModelSpec, str, int, str, Precision]
"""The structure of a program: model, optimizer, batch size, loss, precision."""

Costs: TypeAlias = tuple[tuple[int, float], ...]
"""(width, time per run relative to a run alone), width 1 first."""

# A training split of up to this many byte values fits a core's cache. The costs are those of a 128-64 network on such
# data (the digits, two cores with AVX-512), where the overhead of calling operations dominates.
_SMALL: Final = 1 << 22
_SMALL_COSTS: Final[Costs] = ((1, 1.0), (2, 0.7), (3, 0.6), (4, 0.55), (5, 0.5), (6, 0.48), (8, 0.45))


def is_small(input_shape: tuple[int, ...], examples: int) -> bool:
    """Return whether a training split fits the cache; the devices then gather its batches themselves.

    Args:
      input_shape: the shape of one example.
      examples: number of training examples.

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
    planned_for: int | None = None,
    balanced: tuple[float, ...] = (),
    *,
    kernels: bool = False,
) -> Plan:
    """Plan runs as populations.

    Args:
      runs: the runs; planning is deterministic, so that a resumed study gets the same plan.
      input_shape: the shape of one example.
      classes: number of classes.
      examples: numbers of training, validation and training-sample examples.
      devices: number of devices that a population is spread over.
      precision: of the matrix products, as ``resolve`` takes it.
      costs: the allowed group widths, each with its time per run relative to a run alone.
      memory: bytes that a device's runs may take, where a device trains all of its groups at once; None if it trains
        them in turn, as CPUs do.
      planned_for: the number of devices that the widths are chosen for, which the bits of a run depend on; by default
        ``devices``.
      balanced: the weights of the classes where a recipe asks for balanced ones.  # (classes,)
      kernels: whether generated kernels compute convolutions in float32.

    Raises:
      StudyFileError: a list whose length does not match the model's layers, or a run that ``check_run`` rejects.
      ShapeError: a model that does not fit the data.

    Example:
      >>> from wellfit.base import Recipe
      >>> recipes = {"plain": Recipe(), "l2": Recipe(l2=1e-3), "stop": Recipe(early_stopping=EarlyStopping(patience=3))}
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
    small = memory is None and is_small(input_shape, examples[0])
    machine = devices, planned_for or devices, _SMALL_COSTS if small else costs
    populations = []
    for structure, together in _by_structure(runs, models, classes, precision, balanced):
        model, _, batch_size, _, products = structure
        fit = _fitting(sizes[model], built[model], batch_size, small, memory)
        work = _operations(built[model]).of_epoch(examples)
        generated = kernels and products == "float32" and any(name.startswith("conv") for name in built[model].kernels)
        populations.append(_arranged(structure, together, *machine, fit, work, generated))
    return Plan(
        tuple(populations),
        len(runs),
        tuple(sorted(set(sizes.values()), reverse=True)),
        sum(population.work for population in populations),
        max((_memory(p, sizes[p.program.model], input_shape, examples, devices) for p in populations), default=0),
    )


def _by_structure(
    runs: Sequence[RunSpec],
    models: Mapping[ModelSpec, Model],
    classes: int,
    precision: str,
    balanced: tuple[float, ...],
) -> Iterator[tuple[Structure, list[Trajectory]]]:
    """Yield the trajectories of every program; runs with the same seed and hyperparameters share one."""
    # augmentation gets a program of its own: otherwise every run of the program would pay for it
    structures: dict[tuple[Structure, bool], dict[tuple[int, Hyperparameters], list[Readout]]] = {}
    for run in runs:
        recipe = run.recipe
        products = resolve(precision, recipe.model)
        structure: Structure = (without_rates(recipe.model), recipe.optimizer, recipe.batch_size, recipe.loss, products)
        key = structure, recipe.augmentation != Augmentation()
        hyper = hyperparameters_of(run.variant, recipe, models[recipe.model], classes, balanced)
        readouts = structures.setdefault(key, {}).setdefault((run.seed, hyper), [])
        readouts.append(Readout(run, recipe.epochs, recipe.early_stopping, recipe.average))
    for (structure, _), trajectories in structures.items():
        yield structure, [Trajectory(*key, tuple(readouts)) for key, readouts in trajectories.items()]


def _arranged(
    structure: Structure,
    trajectories: list[Trajectory],
    devices: int,
    planned_for: int,
    costs: Costs,
    fit: int | None,
    work: float,
    kernels: bool,
) -> Population:
    """Arrange one structure's trajectories in groups of one seed, as evenly over the devices as possible.

    Args:
      planned_for: the number of devices that the width is chosen for.
      fit: how many runs a device trains in one call; None for one group.
      work: floating-point operations of one run in an epoch.
      kernels: whether generated kernels compute the convolutions.
    """
    by_seed: dict[int, list[Trajectory]] = {}
    for trajectory in trajectories:
        by_seed.setdefault(trajectory.seed, []).append(trajectory)

    def load(cost: tuple[int, float]) -> float:
        """Time of the busiest device, relative to one run alone."""
        width, relative = cost
        groups = sum(math.ceil(len(of_seed) / width) for of_seed in by_seed.values())
        return math.ceil(groups / planned_for) * width * relative

    widest = min(max(len(of_seed) for of_seed in by_seed.values()), max(1, fit or sys.maxsize))
    width, _ = min((cost for cost in costs if cost[0] <= widest), key=load)
    groups = [tuple(of_seed[i : i + width]) for of_seed in by_seed.values() for i in range(0, len(of_seed), width)]
    of_device = math.ceil(len(groups) / devices)
    at_once = 1 if fit is None else max(1, fit // width)
    lanes = math.ceil(of_device / math.ceil(of_device / at_once))  # fill waves evenly: empty lanes cost a GPU time
    size = devices * lanes
    averages = max(len(trajectory.decays) for trajectory in trajectories)
    program = Program(*structure, width, size, averages, uses(t.hyperparameters for t in trajectories), kernels)
    return Population(program, in_waves(groups, size), work * sum(trajectory.epochs for trajectory in trajectories))


def in_waves(groups: list[tuple[Trajectory, ...]], size: int) -> tuple[tuple[Trajectory, ...], ...]:
    """Reorder groups into waves, so that consecutive groups take the same position in successive waves.

    Args:
      groups: in the order of their seeds.
      size: groups in a wave; the last one is filled with empty groups.
    """
    full, more = divmod(len(groups), size)
    begins = [place * full + min(place, more) for place in range(size)]
    ordered = [groups[begin + wave] for wave in range(full) for begin in begins]
    return (*ordered, *(groups[begin + full] for begin in begins[:more]), *[()] * (-len(groups) % size))


class _Operations(NamedTuple):
    """Floating-point operations per example: of a forward pass, and of a training step."""

    forward: int
    step: int

    def of_epoch(self, examples: tuple[int, int, int]) -> float:
        """Operations of one run in an epoch: all training steps and both evaluations."""
        train, validation, sample = examples
        return float(self.step * train + self.forward * (validation + sample))


def _operations(model: Model) -> _Operations:
    """Count the matrix products: a step adds gradients of weights and inputs, except the first layer's input."""
    each = [row.operations for row in summary(model) if row.parameters]
    return _Operations(sum(each), 3 * sum(each) - each[0])


def _fitting(parameters: int, model: Model, batch_size: int, small: bool, memory: int | None) -> int | None:
    """How many runs a device trains in one call; None for one group."""
    if memory is None:
        return sys.maxsize if small else None
    return max(1, memory // (bytes_of_run(parameters) + _batch_bytes(model, batch_size)))


def bytes_of_run(parameters: int) -> int:
    """Bytes of a run during a step: weights, two moments and a gradient, and the new weights and moments."""
    return 4 * parameters * 7


def _batch_bytes(model: Model, batch_size: int) -> int:
    """Bytes of a batch in a run: every layer's factor (with the bias's ones) and output, and the gradients of both.

    A convolution's factor is its patches, where each input pixel occurs as often as the kernel covers it.
    """
    rows = summary(model)
    numbers = sum(row.operations // (2 * row.output_shape[-1]) + math.prod(row.output_shape) for row in rows)
    return 4 * 2 * batch_size * numbers


def _memory(
    population: Population, parameters: int, shape: tuple[int, ...], examples: tuple[int, int, int], devices: int
) -> int:
    """Bytes of all weights and moments, and of each device's examples: those evaluated, and two epoch layouts."""
    program = population.program
    places = len(population.groups) * program.width
    state = 4 * parameters * 3 * places + bytes_of_run(parameters) * program.groups * program.width
    train, validation, sample = examples
    return state + math.prod(shape) * devices * (2 * train + validation + sample)
