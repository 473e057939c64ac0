"""The limit of this processor: how many multiplications and additions its registers alone can do.

A loop multiplies and adds in registers, without a load or a store. No training can be faster, so that a training's
share of this rate is never above 100 %.
"""

from __future__ import annotations

import ctypes
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from wellfit.nn.kernels import machine_code
from wellfit.nn.kernels.processor import Processor
from wellfit.nn.kernels.vectors import Array, Lanes, Writer

__all__ = ["peak_rate", "write_peak"]

_SUMS: Final = 12  # independent ones, so that none waits for the one before; all fit into the registers of AVX2 too
_TURNS: Final = 2_000_000  # a few milliseconds, so that waking the threads does not count
_REPEATS: Final = 50  # long enough for the system to give every thread a core of its own


def write_peak(w: Writer) -> None:
    """Write the loop: the argument points to two factors and to the sums (2 + 12, lanes)."""
    numbers = Array(w, w.argument, (2 + _SUMS, w.lanes))
    whole = Lanes(0, w.lanes)
    a, b = (numbers.load(i, lanes=whole) for i in range(2))
    sums = [w.variable(numbers.load(2 + i, lanes=whole)) for i in range(_SUMS)]
    with w.range(_TURNS):
        for total in sums:
            total.set(w.multiply_add(total.get(), a, b))
    for i, total in enumerate(sums):
        numbers.store(total.get(), 2 + i, lanes=whole)


def peak_rate(processor: Processor, cores: int = 1) -> float:
    """Measure the operations per second of cores that multiply and add in registers; the best of several turns.

    Args:
      cores: how many work at the same time.
    """
    address = machine_code.address(machine_code.written(write_peak, processor), processor)
    function = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(address)  # runs without Python's lock
    lanes = processor.registers.lanes
    operations = 2.0 * lanes * _SUMS * _TURNS * cores

    def turn(_: int) -> None:
        numbers = np.full((2 + _SUMS, lanes), 1e-9, np.float32)
        numbers[0] = 1 - 1e-6
        function(numbers.ctypes.data)

    best = 0.0
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(_REPEATS):
            began = time.perf_counter()
            list(pool.map(turn, range(cores)))
            best = max(best, operations / (time.perf_counter() - began))
    return best
