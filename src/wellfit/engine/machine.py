"""What this machine likes and what it can do, measured once and kept in wellfit's cache folder.

How many runs of a seed train side by side is a question of caches: a wide group shares its batches, and its weights
push each other out. How long a study will take is a question of the program: the rate that it attained last time is the
best forecast.
"""

from __future__ import annotations

import contextlib
import json
import math
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np

from wellfit.base import ModelSpec, Recipe, RunSpec, Scaling, TrainingData
from wellfit.engine.plan import Costs, Population, Program, make_plan
from wellfit.engine.train import Trainer
from wellfit.files import cache_root, replacing

__all__ = ["MEMORY_SHARE", "attained", "group_costs", "learn", "memory"]

MEMORY_SHARE: Final = 0.5
"""The share of an accelerator's memory that runs and their batches may take; the rest is for what a compiler adds."""

_WIDTHS: Final = (1, 2, 4)
_GAIN: Final = 0.9  # a wider group must cost a run less than this to be chosen: what is closer is noise
_UNTOLD: Final = 8 << 30  # bytes of a device that does not tell
_SHORTEST: Final = 0.2  # seconds; what is shorter says little
_EXAMPLES: Final = 12288
_SCORED: Final = 3072
_EPOCHS: Final = 3
_TURNS: Final = 2
_TABLES: Final = ("machine", "attained")


def group_costs() -> Costs:
    """What a run costs in a group of each width on this machine, from the cache folder or measured now, in seconds.

    Returns:
      Widths and costs relative to a run alone; on an accelerator groups are as wide as they come, unmeasured.
    """
    if jax.default_backend() != "cpu":
        return tuple((width, 0.9 if width > 1 else 1.0) for width in range(1, 9))
    costs = _as_costs(_read("machine").get(_name()))
    if costs is None:
        measured = _measured()
        _write("machine", _name(), measured)
        costs = measured["costs"]
    return costs


def memory() -> int | None:
    """Bytes of a device that runs may take; None on CPUs, which take their groups in turn."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return None
    limit = (device.memory_stats() or {}).get("bytes_limit", _UNTOLD)
    return int(MEMORY_SHARE * limit)


def attained(program: Program) -> float | None:
    """Operations a second that a program's last training reached here, all devices together; None before the first."""
    rate = _read("attained").get(_key(program))
    return float(rate) if isinstance(rate, int | float) and rate > 0 else None


def learn(population: Population, run_epochs: int, seconds: float) -> None:
    """Keep what a population's training attained, for the forecast of the next.

    Args:
      population: what was trained.
      run_epochs: how many epochs its runs went through, compiled already.
      seconds: that they took.
    """
    if seconds > _SHORTEST:
        each = population.work / sum(trajectory.epochs for trajectory in population.trajectories)
        _write("attained", _key(population.program), each * run_epochs / seconds)


def _measured() -> dict[str, Any]:
    """Time short epochs of a 128-64 network at each width, in turns, with all devices at work."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (_EXAMPLES, 28, 28), dtype=np.uint8)
    y = generator.integers(0, 10, _EXAMPLES, dtype=np.int32)
    scaling = Scaling("unit", np.zeros((), np.float32), np.ones((), np.float32))
    data = TrainingData(x, y, x[:_SCORED], y[:_SCORED], np.arange(_SCORED), 10, scaling)
    trainer = Trainer(data)
    devices = trainer.mesh.size
    best = dict.fromkeys(_WIDTHS, math.inf)  # seconds of a run's epoch
    recipe = Recipe(model=ModelSpec("mlp", (128, 64)), batch_size=256, epochs=_EPOCHS)
    for _ in range(_TURNS):
        for width in _WIDTHS:
            recipes = [replace(recipe, l2=1e-6 * (i + 1)) for i in range(width)]
            runs = [RunSpec("", seed, r) for seed in range(devices) for r in recipes]  # one group a device, all at work
            costs = ((1, 1.0), (width, 0.1)) if width > 1 else ((1, 1.0),)
            sizes = (_EXAMPLES, _SCORED, _SCORED)
            (population,) = make_plan(runs, (28, 28), 10, sizes, devices, costs=costs).populations
            seconds: list[float] = []
            trainer.train(population, on_epoch=lambda epoch, into=seconds: into.append(epoch.seconds))  # type: ignore[misc]
            best[width] = min(best[width], min(seconds[1:]) / width)  # the first epoch compiles
    chosen = ((1, 1.0), *((w, s / best[1]) for w, s in best.items() if s < _GAIN * best[1]))
    return {"costs": chosen, "seconds": best}


def _name() -> str:
    """What a measurement holds for: the processor, how much of it, and the compiler."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return f"{model} x {len(jax.devices())}, jax {jax.__version__}"


def _key(program: Program) -> str:
    return f"{_name()}: {program}".replace(repr(program.uses), repr(sorted(program.uses)))


def _file() -> Path:
    return cache_root() / "machine.json"


def _as_costs(kept: Any) -> Costs | None:
    """A measurement that was kept; None where there is none, or something else is in its place."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        costs = tuple((int(width), float(cost)) for width, cost in kept["costs"])
        if costs[:1] == ((1, 1.0),) and all(width > 0 for width, _ in costs):
            return costs
    return None


def _read(table: str) -> dict[str, Any]:
    """A table of what was kept; an empty one where the file is not there, not whole or not ours."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(_file().read_text())
        if isinstance(found, dict) and isinstance(found.get(table), dict):
            return dict(found[table])
    return {}


def _write(table: str, key: str, value: Any) -> None:
    """Add to what was kept, in one step; a cache that cannot be written is no reason not to train."""
    kept = {name: _read(name) for name in _TABLES}
    kept[table][key] = value
    with contextlib.suppress(OSError), replacing(_file(), durable=False) as temporary:
        temporary.write_text(json.dumps(kept))
