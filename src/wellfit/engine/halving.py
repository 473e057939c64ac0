"""A population in which some trajectories end early, so that their places go to others: successive halving.

A trajectory that goes on continues from its final state, in the same compiled program: the population is arranged again
with those that are left, and a group without any costs nothing on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from wellfit.engine.plan import Population, Readout, Trajectory

__all__ = ["alone", "continued"]


def alone(population: Population, devices: int, most: int) -> Population:
    """A population whose trajectories train one in a group, so that each can end without the others of its group.

    Where a device takes several groups in one call, it takes as many as the largest population needs: all populations
    of one structure then share a program, however many trajectories they have. What does not fit trains in waves.

    Args:
      population: as planned.
      devices: over which it is spread.
      most: trajectories that are handed to the devices at once, at most; the number of devices where each takes one
        group in a call.

    Example:
      >>> from wellfit.base import Recipe, RunSpec
      >>> from wellfit.engine.plan import make_plan
      >>> runs = [RunSpec(f"{l2}", 0, Recipe(l2=l2)) for l2 in (0.1, 0.2, 0.3, 0.4, 0.5)]
      >>> planned = make_plan(runs, (8, 8), 10, (1000, 200, 200), devices=2).populations[0]
      >>> single = alone(planned, 2, most=12)
      >>> single.program.width, single.program.groups, len(single.trajectories)
      (1, 12, 5)
    """
    program = population.program
    size, planned = devices * -(-most // devices), program.groups * program.width
    if len(population.trajectories) > planned:
        size = min(size, planned)
    return _arranged(replace(population, program=replace(program, width=1, groups=size)), population.trajectories)


def continued(population: Population, goes_on: Callable[[Trajectory], bool], epochs: int) -> Population | None:
    """The part of a population that goes on, to an epoch; None if nothing does.

    Args:
      population: of ``alone``, with its trajectories' own numbers of epochs.
      goes_on: tells which of its trajectories do.
      epochs: after which every readout is read that does not end before.
    """
    kept = tuple(_until(trajectory, epochs) for trajectory in population.trajectories if goes_on(trajectory))
    return _arranged(population, kept) if kept else None


def _until(trajectory: Trajectory, epochs: int) -> Trajectory:
    return replace(trajectory, readouts=tuple(_read_at(readout, epochs) for readout in trajectory.readouts))


def _read_at(readout: Readout, epochs: int) -> Readout:
    """A readout that ends at an epoch; weights are averaged over the last epochs of a training only at its own end."""
    if epochs >= readout.epochs:
        return readout
    average = readout.average
    return replace(readout, epochs=epochs, average=None if average is None or average.kind == "swa" else average)


def _arranged(population: Population, trajectories: tuple[Trajectory, ...]) -> Population:
    """The same program with other trajectories, as evenly over the devices as possible."""
    size = population.program.groups
    groups = [(trajectory,) for trajectory in trajectories]
    return replace(population, groups=(*groups, *[()] * (-len(groups) % size)))
