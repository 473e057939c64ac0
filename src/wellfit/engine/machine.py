"""The best group width and the training rates of this machine, measured and kept in wellfit's cache folder.

How many runs of a seed should train side by side depends on the CPU caches: the runs of a wide group share their
batches, but their weights evict each other. How long a study will take depends on its programs: a program's last
measured rate is the best forecast.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from typing import Any, Final

import numpy as np

from wellfit.base import ModelSpec, Recipe, RunSpec, Scaling, TrainingData
from wellfit.engine import devices, machine_file
from wellfit.engine.plan import Costs, Population, Program, make_plan
from wellfit.engine.train import Trainer
from wellfit.nn import accelerator

__all__ = ["MEMORY_SHARE", "attained", "group_costs", "learn", "memory", "product_rate", "slowdown"]

MEMORY_SHARE: Final = 0.5
"""The fraction of an accelerator's memory that runs and batches are planned to take; the rest is for what the compiler
needs besides. Before training, the compiled program says what it really takes, see `fitting`."""

_WIDTHS: Final = (1, 2, 4)
_GAIN: Final = 0.9  # a wider group is chosen only if its relative cost per run is below this; less gain is noise
_WATCHED: Final = 0.3  # seconds; processes take turns every few milliseconds
_SHORTEST: Final = 0.2  # seconds; shorter trainings are too noisy to learn from
_EXAMPLES: Final = 12288
_SCORED: Final = 3072
_EPOCHS: Final = 3
_TURNS: Final = 2
_UNTOLD: Final = 8 << 30  # bytes assumed for an accelerator that does not report its memory
_FASTEST: Final = 1e18  # operations per second; no machine trains faster
_WIDEST: Final = 64


def group_costs() -> Costs:
    """Return the cost per run for each group width on this machine, from the cache folder or measured now.

    Returns:
      Widths, and costs relative to a run alone. Accelerators are not measured: groups are as wide as possible.
    """
    if accelerator.in_use():
        return tuple((width, 0.9 if width > 1 else 1.0) for width in range(1, 9))
    costs = _as_costs(machine_file.read("machine").get(machine_file.name()))
    if costs is None:
        measured = _measured()
        machine_file.write("machine", machine_file.name(), measured)
        costs = measured["costs"]
    return costs


def memory() -> int | None:
    """Return the bytes of device memory that runs may take; None on CPUs, which train their groups in turn."""
    if not accelerator.in_use():
        return None
    return int(MEMORY_SHARE * (devices.memory_limit() or _UNTOLD))


def attained(program: Program) -> float | None:
    """Return the program's operations per second here, over all devices, without other processes; None if unknown."""
    return _valid(machine_file.read("alone").get(_key(program)))


def learn(population: Population, run_epochs: int, seconds: float) -> None:
    """Save the rate that a population's training reached, to forecast the next one; of two, the geometric mean.

    Args:
      run_epochs: epochs trained, summed over trajectories, without compilation.
      seconds: wall time of those epochs, as it would be if no other process used the processor.
    """
    if seconds > _SHORTEST:
        each = population.work / sum(trajectory.epochs for trajectory in population.trajectories)
        rate, known = each * run_epochs / seconds, attained(population.program)
        machine_file.write("alone", _key(population.program), rate if known is None else math.sqrt(rate * known))


def product_rate() -> float:
    """Return one device's floating-point operations per second on small products, without other processes.

    It is the best that was ever measured here: other processes slow down what is measured now.
    """
    return _fastest() or _keep_fastest(devices.product_rates(0.0)[0])


def slowdown() -> float:
    """Return how many times longer the devices take now than without other processes; 1 on accelerators.

    Example:
      >>> 1 <= slowdown() < 10_000
      True
    """
    if accelerator.in_use():
        return 1.0
    best, now = devices.product_rates(_WATCHED)
    known = _fastest()
    alone = known if known is not None and known > best else _keep_fastest(best)
    return alone / now


def _fastest() -> float | None:
    return _valid(machine_file.read("fastest").get(machine_file.name()))


def _keep_fastest(rate: float) -> float:
    machine_file.write("fastest", machine_file.name(), rate)
    return rate


def _valid(rate: Any) -> float | None:
    return rate if isinstance(rate, float) and 0 < rate < _FASTEST else None


def _measured() -> dict[str, Any]:
    """Time short epochs of a 128-64 network at each width, alternating widths, with all devices busy."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (_EXAMPLES, 28, 28), dtype=np.uint8)
    y = generator.integers(0, 10, _EXAMPLES, dtype=np.int32)
    scaling = Scaling("unit", np.zeros((), np.float32), np.ones((), np.float32))
    data = TrainingData(x, y, x[:_SCORED], y[:_SCORED], np.arange(_SCORED), 10, scaling)
    trainer = Trainer(data)
    count = trainer.mesh.size
    best = dict.fromkeys(_WIDTHS, math.inf)  # seconds per run and epoch
    recipe = Recipe(model=ModelSpec("mlp", (128, 64)), batch_size=256, epochs=_EPOCHS)
    for _ in range(_TURNS):
        for width in _WIDTHS:
            recipes = [replace(recipe, l2=1e-6 * (i + 1)) for i in range(width)]
            runs = [RunSpec("", seed, r) for seed in range(count) for r in recipes]  # one group per device
            costs = ((1, 1.0), (width, 0.1)) if width > 1 else ((1, 1.0),)
            sizes = (_EXAMPLES, _SCORED, _SCORED)
            (population,) = make_plan(runs, (28, 28), 10, sizes, count, costs=costs).populations
            seconds: list[float] = []
            trainer.train(population, on_epoch=lambda epoch, into=seconds: into.append(epoch.seconds))  # type: ignore[misc]
            best[width] = min(best[width], min(seconds[1:]) / width)  # the first epoch compiles
    chosen = ((1, 1.0), *((w, s / best[1]) for w, s in best.items() if s < _GAIN * best[1]))
    return {"costs": chosen, "seconds": best}


def _key(program: Program) -> str:
    return f"{machine_file.name()}: {program}".replace(repr(program.uses), repr(sorted(program.uses)))


def _as_costs(kept: Any) -> Costs | None:
    """Parse a saved measurement; None if it is missing or malformed."""
    with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
        costs = tuple((int(width), float(cost)) for width, cost in kept["costs"])
        if costs[:1] == ((1, 1.0),) and all(0 < width <= _WIDEST and 0 < cost <= 1 for width, cost in costs):
            return costs
    return None
