"""What the program of an epoch is called with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from wellfit.base import FloatArray, TrainingData
from wellfit.engine.batches import Layouts, rows_of
from wellfit.engine.devices import sharded
from wellfit.engine.plan import Population
from wellfit.engine.population import Data, hyper, initial_state
from wellfit.engine.waves import Wave
from wellfit.nn.schedules import multipliers

__all__ = ["arguments", "waves_of"]


def waves_of(population: Population, data: TrainingData, mesh: Mesh, start: Callable[..., Any]) -> list[Wave]:
    """The waves of a population before its first epoch, on the devices.

    Args:
      start: as for ``initial_state``.
    """
    return [Wave(part, initial_state(part, data, mesh, start), hyper(part, mesh)) for part in population.waves]


def arguments(
    wave: Wave,
    active: np.ndarray,
    epoch: int,
    data: TrainingData,
    mesh: Mesh,
    arrays: Data,
    layouts: Layouts | None = None,
) -> tuple[Any, ...]:
    """The arguments of an epoch's program for a wave; see ``epoch_program``.

    Args:
      active: marks the runs that train.  # (G, W)
      epoch: from 1.
      arrays: of the data, on the devices.
      layouts: lays out the batches; None if the devices gather them.
    """
    examples, batch_size = len(data.x_train), wave.part.program.batch_size
    rates = _rates(wave.part, epoch, math.ceil(examples / batch_size))
    given = {"rates": rates, "active": active, "seeds": wave.seeds}
    by_group = [_on_devices(wave, name, array, mesh) for name, array in given.items()]
    if layouts is None:
        batches: Any = jax.device_put(_rows(wave.seeds, epoch, examples, batch_size), sharded(mesh))
    else:
        batches = layouts.of(wave.seeds, active, epoch)
    return wave.state, wave.hyper, *by_group, batches, jnp.uint32(epoch), arrays


def _on_devices(wave: Wave, name: str, array: np.ndarray, mesh: Mesh) -> jax.Array:
    """Copy an array to the devices, unless it is that of the epoch before: a copy takes as long as a small step."""
    before = wave.given.get(name)
    if before is None or not np.array_equal(before[0], array):
        wave.given[name] = array, jax.device_put(array, sharded(mesh))
    return wave.given[name][1]


def _rows(seeds: np.ndarray, epoch: int, examples: int, batch_size: int) -> np.ndarray:
    """The training rows of every batch, for devices that gather batches themselves.  # (G, steps, B)"""
    once = {seed: rows_of(seed, epoch, examples, batch_size) for seed in {int(s) for s in seeds}}
    return np.stack([once[int(seed)] for seed in seeds])


def _rates(population: Population, epoch: int, steps: int) -> FloatArray:
    """The learning rate of every step of an epoch.  # (G, W, steps)"""
    program = population.program
    rates = np.zeros((program.groups, program.width, steps), np.float32)
    for g, group in enumerate(population.groups):
        for w, trajectory in enumerate(group):
            hyper = trajectory.hyperparameters
            rates[g, w] = hyper.learning_rate
            if hyper.schedule is not None:
                rates[g, w] *= multipliers(hyper.schedule, hyper.span * steps)[(epoch - 1) * steps :][:steps]
    return rates
