"""Plans of runs on the data at hand, and forecasts of their time and memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from wellfit.base import HISTORY_COLUMNS, ModelSpec, Recipe, RunSpec, TrainingData
from wellfit.data.facts import Facts
from wellfit.engine import devices, machine
from wellfit.engine.plan import Costs, Plan, Population, is_small, make_plan
from wellfit.engine.precision import has_convolution, resolve
from wellfit.errors import StudyFileError, printable
from wellfit.nn.kernels.availability import obstacle

__all__ = [
    "Choices",
    "Forecast",
    "automatic_precision",
    "choose_and_plan",
    "memory_of",
    "memory_to_read",
    "network_facts",
    "plan_runs",
    "recipe_of",
    "trained_on",
    "training_facts",
]

_COMPILED: Final = 3  # programs whose compilation takes more memory than those before, two at a time; measured
_CELL: Final = 64  # bytes for a seed and a test example, in all steps of comparing two variants; measured
_RUN: Final = 4096  # bytes of a run's rows and objects; measured
_WORTH_MEASURING: Final = 2e13
"""Floating-point operations from which a study pays for measuring the machine first: a minute or two of work."""


@dataclass(frozen=True)
class Choices:
    """What a plan depends on besides the study. The store keeps it from the first plan on.

    An interrupted study therefore continues with the same programs and the same bits even if the machine's measurements
    are lost or it has another number of cores, and no study mixes two precisions.

    Args:
      costs: of the widths that groups may have.
      precision: of the matrix products in networks without convolutions.
      devices: the number of devices that the widths are chosen for; with another number, the same groups are spread
        over those that there are.
      kernels: whether generated kernels compute the convolutions; a study that began without them continues without.
    """

    costs: Costs
    precision: str
    devices: int
    kernels: bool = False


@dataclass(frozen=True)
class Forecast:
    """What a study is about to train, and what that will take.

    Args:
      plan: the runs to train; runs that the study directory holds already are not among them.
      done: runs that the study directory holds already.
      title: the study's question.
      data: title and source of the data.
      facts: what was decided about the data, as pairs of a short name and a text.
      cautions: what is unusual about data and machine, in sentences without a full stop.
      design: what the study can decide, likewise.
      examples: examples of a seed in the training split, for validation and for the test.
      trained: the fewest and the most training examples that a variant learns from.
      tested: test examples of all folds together.
      epochs: of the base recipe.
      devices: the number of devices that train a population.
      precision: of the matrix products, in words.
      seconds: forecast of the time from the plan to the last result, with other processes as they are now.
      between: the range in which that time is to be expected.
      slowdown: how many times longer the machine takes now because of other processes.
      memory: forecast of the peak memory of the process, in bytes.
      continued: trainings that continue where they ended with fewer epochs.
      saved: epochs of these trainings that are not repeated.
      restarted: reason -> the number of trainings that start over although the store has them with fewer epochs.
    """

    plan: Plan
    done: int
    title: str
    data: str
    examples: tuple[int, int, int]
    trained: tuple[int, int]
    tested: int
    epochs: int
    devices: int
    precision: str
    seconds: float
    between: tuple[float, float]
    memory: int
    continued: int = 0
    saved: int = 0
    slowdown: float = 1.0
    restarted: Mapping[str, int] = field(default_factory=dict)
    facts: Facts = ()
    cautions: tuple[str, ...] = ()
    design: tuple[str, ...] = ()


def trained_on(recipes: Iterable[Recipe], split: int) -> tuple[int, int]:
    """The fewest and the most training examples that a variant learns from.

    Args:
      recipes: of the variants.
      split: the number of examples in the training split.

    Example:
      >>> trained_on([Recipe(), Recipe(examples=300)], 1150)
      (300, 1150)
    """
    counts = [min(recipe.examples or split, split) for recipe in recipes]
    return min(counts), max(counts)


def training_facts(trained: tuple[int, int], split: int) -> Facts:
    """What to say where runs do not learn from the whole training split.

    Args:
      trained, split: as for ``trained_on``.

    Example:
      >>> training_facts((300, 300), 1150)
      (('training examples', '300 of the 1,150 in each training split, stratified by class'),)
    """
    fewest, most = trained
    if fewest == split:
        return ()
    count = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    how = "stratified by class" if fewest == most else "depending on the variant"
    return (("training examples", f"{count} of the {split:,} in each training split, {how}"),)


def network_facts(recipes: Mapping[str, Recipe]) -> Facts:
    """The files that networks came from, and the variants that use them, if not all do.

    Args:
      recipes: of the variants.

    Example:
      >>> from wellfit.base import ModelSpec
      >>> network_facts({"a": Recipe(ModelSpec(origin="a.keras (SHA-256 12ab)")), "b": Recipe()})
      (('network', 'a.keras (SHA-256 12ab), used by a'),)
    """
    files = dict.fromkeys(recipe.model.origin for recipe in recipes.values() if recipe.model.origin)
    users = {file: [name for name, recipe in recipes.items() if recipe.model.origin == file] for file in files}
    said = [file if len(users[file]) == len(recipes) else f"{file}, used by {', '.join(users[file])}" for file in files]
    return (("network", printable("; ".join(said))),) if said else ()


def choose_and_plan(
    runs: Sequence[RunSpec],
    data: TrainingData,
    mesh_size: int,
    asked: str,
    choices: Choices | None,
    *,
    planned_for: int | None = None,
    apart: bool = False,
    balanced: tuple[float, ...] = (),
) -> tuple[Choices, Plan]:
    """Plan runs with the choices that the store remembers, or choose now.

    Args:
      runs: all runs of the study.
      data: what they train on.
      mesh_size: the number of devices.
      asked: the study's precision, ``"float32"``, ``"mixed"`` or ``"auto"``.
      choices: as remembered; None for a new study.
      planned_for: the number of devices that the widths of a new study are chosen for; by default ``mesh_size``.
      apart, balanced: as for ``plan_runs``.

    Raises:
      StudyFileError, ShapeError: the study does not fit the data.
    """
    automatic = asked == "auto"
    chosen = choices or Choices(((1, 1.0),), _one_precision(asked, data), planned_for or mesh_size, _kernels(runs))
    plan = plan_runs(runs, data, mesh_size, chosen, automatic, apart=apart, balanced=balanced)
    if choices is None and plan.work > _WORTH_MEASURING:
        chosen = replace(chosen, costs=machine.group_costs())
        plan = plan_runs(runs, data, mesh_size, chosen, automatic, apart=apart, balanced=balanced)
    return chosen, plan


def _kernels(runs: Sequence[RunSpec]) -> bool:
    """Whether there are convolutions and generated kernels for them."""
    return any(has_convolution(model) for model in {run.recipe.model for run in runs}) and not obstacle()


def automatic_precision() -> str:
    """What ``"auto"`` means on this machine for networks without convolutions."""
    return resolve("auto", ModelSpec("logistic", ()))


def _one_precision(asked: str, data: TrainingData) -> str:
    """One precision for the whole study, because its variants must not differ in it."""
    if asked != "auto":
        return asked
    return "float32" if is_small(data.input_shape, len(data.x_train)) else automatic_precision()


def plan_runs(
    runs: Sequence[RunSpec],
    data: TrainingData,
    mesh_size: int,
    choices: Choices,
    automatic: bool = False,
    *,
    apart: bool = False,
    balanced: tuple[float, ...] = (),
) -> Plan:
    """Plan runs; those that train on different examples or labels share no batches and are planned separately.

    Args:
      runs: of a study, or some of them.
      data: what they train on; if every seed has its own fold, that of any.
      mesh_size: the number of devices.
      choices: what the plan depends on besides.
      automatic: whether the study leaves the precision to wellfit.
      apart: whether every seed has its own fold.
      balanced: the weights of the classes where a recipe asks for balanced ones.  # (K,)

    Raises:
      StudyFileError: a variant asks for more training examples than there are.
      ShapeError: a model does not fit the data.
    """
    separate: dict[tuple[int | None, int, float, str], list[RunSpec]] = {}
    for run in runs:
        examples = run.recipe.examples or len(data.x_train)
        if examples > len(data.x_train):
            raise StudyFileError(
                f"variant {run.variant!r} sets examples = {examples}, but the training split has only "
                f"{len(data.x_train)}; use at most that many"
            )
        slow = automatic and has_convolution(run.recipe.model)  # see ``resolve``
        precision = "float32" if slow else choices.precision
        key = run.seed if apart else None, examples, run.recipe.label_noise, precision
        separate.setdefault(key, []).append(run)
    place = {seed: number for number, seed in enumerate(dict.fromkeys(run.seed for run in runs))}
    plans = []
    for key in sorted(separate, key=lambda key: 0 if key[0] is None else place[key[0]]):  # fold by fold
        (_, examples, _, precision), together = key, separate[key]
        sizes = (examples, len(data.x_validation), min(examples, len(data.sample)))
        room = machine.memory()
        options = precision, choices.costs, room, choices.devices
        planned = partial(make_plan, together, data.input_shape, data.classes, sizes, mesh_size, *options, balanced)
        plans.append(planned(kernels=choices.kernels))
    return Plan(
        tuple(population for plan in plans for population in plan.populations),
        len(runs),
        tuple(sorted({n for plan in plans for n in plan.parameters}, reverse=True)),
        sum(plan.work for plan in plans),
        max((plan.memory for plan in plans), default=0),
    )


def recipe_of(population: Population) -> Recipe:
    """Any recipe of a population; all of them train on the same examples and labels."""
    return population.trajectories[0].readouts[0].run.recipe


# --- Forecasts --------------------------------------------------------------------------------------------------------


def memory_of(plan: Plan, reading: int = 0, *, ahead: bool = False) -> int:
    """Forecast of the process's peak memory in bytes: now, plus what training or reading the results takes.

    Training takes the plan's arrays, its programs, and the compilation of those that were not compiled here before.

    Args:
      plan: the runs to train.
      reading: bytes that reading the finished study takes.
      ahead: whether one program is compiled while another one is, or trains.
    """
    programs = {population.program for population in plan.populations}
    unknown = sum(machine.attained(program) is None for program in programs)
    training = plan.memory + devices.ROOM_BYTES * max(1, 2 * min(unknown, _COMPILED if ahead else 1))
    return devices.resident() + max(training, reading)


def memory_to_read(variants: int, seeds: int, examples: int, epochs: int, metric: str = "accuracy") -> int:
    """Forecast of the bytes that showing, reporting or verifying a finished study takes, besides the program itself.

    Every run keeps a score of each test example (one byte for accuracy, four for other metrics), its curves, and its
    rows. The losses and differences of one variant's runs are in memory together.

    Args:
      variants, seeds: of the study.
      examples: of the test set.
      epochs: the most that a run has.
      metric: what the variants are compared on.

    Example: 8,000 runs, in 20 variants and in 2.
      >>> [memory_to_read(v, 8000 // v, 1000, 10) // 10**6 for v in (20, 2)]
      [74, 304]
    """
    runs = variants * seeds
    score = 1 if metric == "accuracy" else 4
    return examples * (score * runs + _CELL * seeds) + runs * (len(HISTORY_COLUMNS) * 8 * epochs + _RUN)
