"""Whether the machine was quiet during a measurement: how much of a core other processes used meanwhile.

Linux counts what all processes used (proc(5), /proc/stat), time that the host gave to other machines included. What
this process and those that it started used is subtracted (getrusage(2)).
"""

from __future__ import annotations

import ctypes
import os
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

MOST: Final = 0.1
"""The part of a core that other processes may use during a measurement."""

ATTEMPTS: Final = 5
"""How often a measurement is made before the runner gives up."""

_STAT: Final = Path("/proc/stat")
_BUSY: Final = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal; not idle, not waiting for a disk
_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)

T = TypeVar("T")


@dataclass(frozen=True)
class Used:
    """Processor seconds up to a moment.

    Args:
      clock: the moment, in seconds.
      all: of all processes and, on a virtual machine, of its host's others; None if the system does not say.
      own: of this process and those that it started and waited for.
    """

    clock: float
    all: float | None
    own: float


def used() -> Used:
    """Read the processor seconds up to now."""
    with suppress(OSError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):  # orphans of a peer, which otherwise count as others
            pass
    own = sum(
        u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
    return Used(time.perf_counter(), _all(), own)


def _all() -> float | None:
    try:
        ticks = [int(field) for field in _STAT.read_text().splitlines()[0].split()[1:]]
    except (OSError, ValueError, IndexError):
        return None
    return sum(ticks[i] for i in _BUSY) / os.sysconf("SC_CLK_TCK")


def by_others(before: Used, after: Used) -> float | None:
    """Return how many cores other processes used on average between two moments; None if the system does not say."""
    if before.all is None or after.all is None or after.clock <= before.clock:
        return None
    return max(0.0, (after.all - before.all - (after.own - before.own)) / (after.clock - before.clock))


def is_quiet(others: float | None) -> bool:
    """Return whether a measurement counts; one of which the system says nothing does."""
    return others is None or others <= MOST


def adopt_orphans() -> None:
    """Let orphans of the processes that this one starts become its own children, so that their time is its own."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def measured_quietly(
    measure: Callable[[], T], on_noise: Callable[[float], None], read: Callable[[], Used] = used
) -> tuple[T, float | None]:
    """Measure until the machine was quiet meanwhile.

    Args:
      measure: makes the measurement.
      on_noise: is told how many cores others used during a measurement that is discarded.
      read: reads the processor seconds.

    Returns:
      The measurement, and how many cores others used.

    Raises:
      SystemExit: no attempt was quiet.
    """
    for _ in range(ATTEMPTS):
        before = read()
        measurement = measure()
        others = by_others(before, read())
        if is_quiet(others):
            return measurement, others
        assert others is not None
        on_noise(others)
    raise SystemExit(
        f"Other processes used more than {MOST:.0%} of a core in {ATTEMPTS} attempts; nothing of them was kept. Stop "
        "what else runs on this machine, and run the command again"
    )
