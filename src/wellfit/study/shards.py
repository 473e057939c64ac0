"""A part of a study's plan, for schedulers that run many commands side by side without telling them of one another.

The whole study is planned, and the groups of the plan are divided. So every part trains its groups in the program that
the whole study would train them in, and the merged parts have the bits of one run on such a machine.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from wellfit.base import RunSpec
from wellfit.engine.plan import Plan, Population, Trajectory
from wellfit.errors import StudyFileError

__all__ = ["Shard", "check_grown", "part_of", "read_shard", "restricted", "runs_of"]

Group = tuple[Trajectory, ...]


class Shard(NamedTuple):
    """One of several parts of a study.

    Args:
      number: from 1.
      of: how many parts there are.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def read_shard(text: str) -> Shard:
    """The part that ``--shard`` asks for.

    Raises:
      StudyFileError: not two whole numbers I/N with 1 <= I <= N.

    Example:
      >>> read_shard("3/10")
      Shard(number=3, of=10)
    """
    found = re.fullmatch(r"\s*(\d{1,18})\s*/\s*(\d{1,18})\s*", text, re.ASCII)
    if found is None:
        raise StudyFileError(f"--shard {text[:40]}: not a part; write I/N, such as 3/10 for the third of ten parts")
    shard = Shard(int(found[1]), int(found[2]))
    if not 1 <= shard.number <= shard.of:
        raise StudyFileError(f"--shard {shard}: there is no such part; in I/N, I is from 1 to N")
    return shard


def part_of(plan: Plan, shard: Shard) -> Plan:
    """The part of a plan that one shard trains.

    Groups with the same program stay together, so that a shard compiles few programs; shards get about equal work.

    Args:
      plan: of the whole study.
      shard: which part.

    Raises:
      StudyFileError: there are more shards than groups, so that some would have nothing to train.
    """
    programs = list(dict.fromkeys(population.program for population in plan.populations))
    groups = [(group, programs.index(p.program)) for p in plan.populations for group in p.groups if group]
    if shard.of > len(groups):
        raise StudyFileError(
            f"--shard {shard}: the study can be divided into at most {len(groups)} part{'s' * (len(groups) > 1)}; "
            f"use --shard I/{len(groups)}"
        )
    ordered = [group for group, _ in sorted(groups, key=lambda pair: pair[1])]
    begin, end = (_cut(ordered, number, shard.of) for number in (shard.number - 1, shard.number))
    return restricted(plan, [run for group in ordered[begin:end] for run in _runs(group)])


def check_grown(
    shard: Shard, directory: Path, asked: Collection[RunSpec], outgrown: Collection[tuple[str, int]]
) -> None:
    """Refuse to train a part with more epochs where the directory holds other parts too, which would all continue.

    Args:
      shard: which part.
      directory: of the study.
      asked: the runs of the part.
      outgrown: variant and seed of the stored runs that have fewer epochs than are asked for.

    Raises:
      StudyFileError: it holds some; nothing was changed.
    """
    others = set(outgrown) - {(run.variant, run.seed) for run in asked}
    if others:
        have = f"{len(others)} results" if len(others) > 1 else "one result"
        raise StudyFileError(
            f"--shard {shard}: {directory} also holds {have} of other parts, which more epochs continue as well; leave "
            "out --shard to continue all, or choose another --out"
        )


def _cut(groups: list[Group], number: int, of: int) -> int:
    """How many groups the first shards have: about their share of all epochs, and one for every shard at least."""
    epochs = [sum(trajectory.epochs for trajectory in group) for group in groups]
    share, total = number / of, sum(epochs)
    before = sum(sum(epochs[:at]) + epochs[at] / 2 < share * total for at in range(len(groups)))
    return min(max(before, number), len(groups) - (of - number))


def restricted(plan: Plan, runs: Collection[RunSpec]) -> Plan:
    """The groups of a plan in which some of these runs are trained, in the programs of the whole plan.

    Args:
      plan: of the whole study.
      runs: of it.
    """
    wanted = {(run.variant, run.seed) for run in runs}
    populations = tuple(filter(None, (_with(population, wanted) for population in plan.populations)))
    part = replace(plan, populations=populations, work=sum(population.work for population in populations))
    return replace(part, runs=len(runs_of(part)))


def _with(population: Population, wanted: Collection[tuple[str, int]]) -> Population | None:
    """A population with only the groups that train wanted runs, filled up to whole waves; None without any."""
    groups = [g for g in population.groups if any((run.variant, run.seed) in wanted for run in _runs(g))]
    if not groups:
        return None
    before, now = (sum(t.epochs for group in of for t in group) for of in (population.groups, groups))
    empty: list[Group] = [()] * (-len(groups) % population.program.groups)
    return Population(population.program, (*groups, *empty), population.work * now / before)


def runs_of(plan: Plan) -> frozenset[tuple[str, int]]:
    """Variant and seed of every run in a plan."""
    groups = (group for population in plan.populations for group in population.groups)
    return frozenset((run.variant, run.seed) for group in groups for run in _runs(group))


def _runs(group: Iterable[Trajectory]) -> list[RunSpec]:
    """The runs that are read from the trajectories of a group."""
    return [readout.run for trajectory in group for readout in trajectory.readouts]
