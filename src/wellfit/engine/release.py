"""Returning memory after a study, so that a process that trains thousands of them stays small.

JAX keeps every program that it compiled, one or two megabytes each, as long as the process lives; studies of different
shapes share none. The C library keeps what was freed.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from typing import Final

import jax

__all__ = ["MOST_PROGRAMS", "programs_kept", "release"]

MOST_PROGRAMS: Final = 64
"""Compiled programs that are kept for the next study; a study of one network compiles 5 to 35."""


def programs_kept() -> int:
    """The number of compiled programs in memory, over all devices of the default backend."""
    return len(jax.devices()[0].client.live_executables())


def release(most: int = MOST_PROGRAMS) -> None:
    """Drop compiled programs if there are more than ``most``, and return freed memory to the system.

    Programs that are called again are compiled again, or loaded from the compilation cache. On a GPU nothing is done:
    its programs are not in the process's memory.

    Args:
      most: the number of programs that may stay.

    Example:
      >>> release(0)
      >>> programs_kept()
      0
    """
    if jax.default_backend() != "cpu":
        return
    if programs_kept() > most:
        jax.clear_caches()
        gc.collect()  # functions and their programs refer to each other
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library without it, for example musl
            ctypes.CDLL(None).malloc_trim(0)
