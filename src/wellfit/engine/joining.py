"""Populations of one program whose seeds have small data of their own, trained as one.

Each group computes what it computes alone, on the data of its seed. A call for many groups saves what calling costs,
and keeps all devices at work where a population alone has too few groups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from wellfit.engine.plan import Population, Trajectory

__all__ = ["joined"]


def joined(members: Sequence[Population], places: int, devices: int) -> Population:
    """Join populations of one program; each device trains its groups in turn, in one wave.

    Args:
      members: the populations, of which each has data of its own.
      places: the number of populations that the program is compiled for, which may be larger.
      devices: their number; groups are distributed evenly.

    Returns:
      One population, filled up with empty groups, which cost nothing.
    """
    groups = [group for member in members for group in member.groups if group]
    of_member = max(sum(bool(group) for group in member.groups) for member in members)
    lanes = math.ceil(places * of_member / devices)
    share = math.ceil(len(groups) / devices)
    empty: list[tuple[Trajectory, ...]] = [()] * lanes
    placed = [(groups[d * share : (d + 1) * share] + empty)[:lanes] for d in range(devices)]
    program = replace(members[0].program, groups=devices * lanes)
    return Population(program, tuple(g for of_device in placed for g in of_device), sum(m.work for m in members))
