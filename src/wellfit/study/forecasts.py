"""How long a plan will take on this machine, and how much memory."""

from __future__ import annotations

from wellfit.base import ModelSpec, Recipe
from wellfit.engine import devices, machine
from wellfit.engine.plan import Plan, Population
from wellfit.nn.models import layer_specs
from wellfit.study.growing import Work

__all__ = ["forecast", "has_convolution", "memory_of", "recipe_of"]


def forecast(plan: Plan, examples: int, on: int, work: Work | None = None) -> float:
    """Forecast the seconds that a plan will take: arithmetic at this machine's rate, steps' overhead, compilation.

    Args:
      plan: what is to be trained.
      examples: training examples of a run that does not ask for fewer.
      on: how many devices train it.
      work: tells how much of it is left; all of it without.
    """
    total = 0.0
    for population in plan.populations:
        epochs = sum(trajectory.epochs for trajectory in population.trajectories)
        left = epochs if work is None else work.left(population)
        total += _seconds(population, examples, on, left / epochs) if left else 0.0
    return total


def _seconds(population: Population, examples: int, on: int, share: float) -> float:
    """A share of a population: what its program attained here last time, or what programs like it attain."""
    program = population.program
    rate = machine.attained(program)
    if rate is not None:
        return share * population.work / rate + devices.START_SECONDS
    images = has_convolution(program.model)
    attained = devices.ATTAINED_BY_CONVOLUTIONS if images else devices.ATTAINED
    steps = (recipe_of(population).examples or examples) / program.batch_size
    overhead = devices.STEP_SECONDS * steps * sum(t.epochs for t in population.trajectories) * share
    compiling = devices.COMPILE_SECONDS * (3 if images else 1)
    return (share * population.work / (devices.product_rate() * attained) + overhead) / on + compiling


def memory_of(plan: Plan) -> int:
    """Forecast of the process's memory: what it has now, the plan's arrays, compiled programs and their room."""
    known = all(machine.attained(population.program) for population in plan.populations)
    return devices.resident() + plan.memory + (devices.ROOM_BYTES if known else 2 * devices.ROOM_BYTES)


def has_convolution(model: ModelSpec) -> bool:
    """Whether any layer of a model is a convolution."""
    return any(layer.kind == "conv2d" for layer in layer_specs(model, 2))


def recipe_of(population: Population) -> Recipe:
    """A recipe of a population's; in the examples and the labels that they train on, all of them are alike."""
    return population.trajectories[0].readouts[0].run.recipe
