"""The parts of a plan that are trained elsewhere, and what is sent to and fro: plain data, without arrays on devices.

The whole study is planned, and the groups of its populations are divided. Every part trains its groups in the program
of the whole, so that on processors of one kind the bits of its runs are those of one process that trains everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

import numpy as np

from wellfit.base import FloatArray, RunRecord
from wellfit.engine.final_states import FinalState
from wellfit.engine.plan import Plan, Population, Program, Trajectory
from wellfit.engine.waves import Snapshot
from wellfit.study.together import MOST

__all__ = ["Event", "Failed", "Job", "Lost", "Node", "Part", "Pool", "Reported", "Trained", "parts_of", "seeds_of_part"]

Run = tuple[str, int]
Group = tuple[Trajectory, ...]

_PARTS: Final = 4
"""Parts for each place where one can train, so that places that are done early take over."""


@dataclass(frozen=True)
class Part:
    """Some groups of a population; or several populations as one, see ``study.together``.

    Args:
      population: with these groups alone, in the program of the whole population; or of all groups of several.
      whole: the name of the whole population; empty for several.
      work: floating-point operations.
      members: the several populations; empty for one.
      places: as in ``Together``.
    """

    population: Population
    whole: str
    work: float
    members: tuple[Population, ...] = ()
    places: int = 0

    @property
    def stored(self) -> tuple[Population, ...]:
        """The populations that results and checkpoints are stored of."""
        return self.members or (self.population,)


def seeds_of_part(plan: Plan, places: int) -> int:
    """How many populations of seeds with small data of their own are at most one part, so that no place is idle.

    Args:
      plan, places: as for ``parts_of``.

    Example:
      >>> seeds_of_part(Plan((), 0, (), 0.0, 0), places=2)
      1
    """
    return min(MOST, max(1, len(plan.populations) // (_PARTS * places)))


def parts_of(plan: Plan, done: Iterable[Run], places: int, devices: int, *, at_once: bool = False) -> tuple[Part, ...]:
    """Divide a plan into parts of about equal work, which never join groups of two populations.

    Args:
      plan: what remains to be trained.
      done: runs in it that are not trained again; a group of such runs alone is left out.
      places: how many parts train side by side.
      devices: of one place.
      at_once: whether a device trains its groups at once, so that empty ones cost time; parts are then whole waves.

    Example:
      >>> from wellfit.base import Recipe, RunSpec
      >>> from wellfit.engine.plan import make_plan
      >>> runs = [RunSpec("l2", seed, Recipe()) for seed in range(8)]
      >>> plan = make_plan(runs, (28, 28), 10, (48000, 12000, 12000), devices=2)
      >>> [len(part.population.trajectories) for part in parts_of(plan, (), places=1, devices=2)]
      [2, 2, 2, 2]
    """
    finished = set(done)
    fair = plan.work / (_PARTS * places)
    parts: list[Part] = []
    for population in plan.populations:
        size, every = population.program.groups, sum(trajectory.epochs for trajectory in population.trajectories)
        groups = [group for group in population.groups if any(run not in finished for run in _runs(group))]
        each = population.work / max(1, sum(map(bool, population.groups)))
        unit = size if at_once else devices
        count = max(1, int(fair / each / unit)) * unit if each else len(groups)
        for begin in range(0, len(groups), count):
            some = groups[begin : begin + count]
            work = population.work * sum(t.epochs for group in some for t in group) / every
            waves = [_spread(some[wave : wave + size], size, devices) for wave in range(0, len(some), size)]
            spread = tuple(group for wave in waves for group in wave)
            parts.append(Part(Population(population.program, spread, work), population.name, work))
    return tuple(parts)


def _spread(groups: Sequence[Group], size: int, devices: int) -> list[Group]:
    """A wave of a size in which every device has about as many of the groups; a device has successive places."""
    wave: list[Group] = [()] * size
    for number, group in enumerate(groups):
        wave[number % devices * (size // devices) + number // devices] = group
    return wave


def _runs(group: Group) -> list[Run]:
    return [(r.run.variant, r.run.seed) for trajectory in group for r in trajectory.readouts]


# --- Messages ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """A part to be trained now.

    Args:
      population: the part's.
      seeds: whose folds it trains on; None if all seeds have the same data.
      start: where it continues within its epochs; None from the beginning, or from ``ends``.
      ends: final states that trajectories continue from, by name.
      places: as in ``Part``.
      ends_of: the program that its final states are of, if it is several populations.
    """

    population: Population
    seeds: tuple[int, ...] | None
    start: Snapshot | None = None
    ends: Mapping[str, FinalState] = field(default_factory=dict)
    places: int = 0
    ends_of: Program | None = None


@dataclass(frozen=True)
class Reported:
    """How far a part is.

    Args:
      epoch, epochs, active: as in ``engine.train.Epoch``.
      rows: (variant, seed) -> ``HISTORY_COLUMNS`` of every epoch so far.  # (epochs, columns) each
      snapshot: of the population after this epoch; None most of the time.
    """

    epoch: int
    epochs: int
    active: int
    rows: Mapping[Run, FloatArray]
    snapshot: Snapshot | None = None


@dataclass(frozen=True)
class Trained:
    """A part that has ended.

    Args:
      records: of its runs.
      ends: the final states of the trajectories that trained.
      machine: what the bits of its runs depend on, see ``provenance.machine_facts``.
    """

    records: Sequence[RunRecord]
    ends: Sequence[FinalState]
    machine: Mapping[str, str]

    def rows(self) -> dict[Run, FloatArray]:
        """(variant, seed) -> ``HISTORY_COLUMNS`` of every epoch.  # (epochs, columns) each"""
        return {(r.spec.variant, r.spec.seed): np.stack(list(r.history.columns.values()), axis=1) for r in self.records}


@dataclass(frozen=True)
class Lost:
    """A part whose process or machine died; ``reason`` is a phrase."""

    reason: str


@dataclass(frozen=True)
class Failed:
    """A part that cannot continue from what the store holds: the trajectory, empty for a checkpoint, and why."""

    name: str
    reason: str


Event: TypeAlias = Reported | Trained | Lost | Failed


@dataclass(frozen=True)
class Node:
    """What a machine says of itself.

    Args:
      versions: of what computes; they must be those of the driver.
      machine: as in ``Trained``.
      kernels: why it has no generated kernels; None if it has them.
    """

    versions: Mapping[str, str]
    machine: Mapping[str, str]
    kernels: str | None = None


class Pool(Protocol):
    """Machines that train parts.

    Args:
      lost: why parts were lost so far, in the order in which they were.
    """

    lost: list[str]

    @property
    def devices(self) -> int:
        """The number of devices that a part trains on."""

    @property
    def places(self) -> int:
        """How many parts train side by side now."""

    @property
    def here(self) -> bool:
        """Whether it is this machine."""

    @property
    def nodes(self) -> Sequence[Node]:
        """The machines."""

    def submit(self, number: int, job: Job) -> None:
        """Let a part be trained; its events have its number."""

    def events(self, seconds: float) -> Sequence[tuple[int, Event]]:
        """What happened, after waiting for at most these seconds if nothing did."""

    def stop(self) -> None:
        """Give up all parts that were submitted."""

    def close(self) -> None:
        """End the connection to the machines."""
