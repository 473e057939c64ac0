"""Populations of one program whose seeds have small data of their own, trained as one.

Each group computes what it computes alone, on the data of its seed. A call for many groups saves what calling costs,
and keeps all devices at work where a population alone has too few groups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from wellfit.engine.plan import Population, Trajectory

__all__ = ["joined", "rounded"]


def rounded(count: int) -> int:
    """The number of populations that a program is compiled for: the next power of two, so that there are few programs.

    Example:
      >>> [rounded(count) for count in (1, 2, 3, 10)]
      [1, 2, 4, 16]
    """
    return 1 << (count - 1).bit_length()


def joined(parts: Sequence[Population], devices: int) -> Population:
    """Join populations of one program; each device trains its groups in turn, in one wave.

    Args:
      parts: the populations, of which each has data of its own.
      devices: their number; groups are distributed evenly.

    Returns:
      One population, filled up with empty groups, which cost nothing.
    """
    groups = [group for part in parts for group in part.groups if group]
    of_part = max(sum(bool(group) for group in part.groups) for part in parts)
    lanes = math.ceil(rounded(len(parts)) * of_part / devices)
    share = math.ceil(len(groups) / devices)
    empty: list[tuple[Trajectory, ...]] = [()] * lanes
    placed = [(groups[d * share : (d + 1) * share] + empty)[:lanes] for d in range(devices)]
    program = replace(parts[0].program, groups=devices * lanes)
    return Population(program, tuple(g for of_device in placed for g in of_device), sum(part.work for part in parts))
