"""The limit: what the processor's registers alone multiply and add, and the products that a study computes.

A training's share of the limit is the number of operations in its matrix products, divided by its time and by the rate
of a loop that multiplies and adds in registers, measured in the same minute on all cores. Nothing can be faster, so
that no share exceeds 100 %. Everything else (activations, optimizer, gathering batches) counts as overhead. NumPy's
product is measured beside it: it is no limit, because its speed depends on how OpenBLAS knows the processor.

Usage: python benchmarks/machine.py
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from workloads import Workload

LIBRARIES: Final = (
    "wellfit",
    "jax",
    "jaxlib",
    "optax",
    "numpy",
    "keras",
    "tensorflow-cpu",
    "torch",
    "scikit-learn",
    "llvmlite",
)
SQUARE: Final = "2048 x 2048 x 2048"
REGISTERS: Final = "registers"
WINDOWS: Final = 3
WINDOW_SECONDS: Final = 0.3


def sgemm_rate(rows: int, inner: int, columns: int) -> float:
    """Measure NumPy's float32 product on all cores, in operations per second: the best of three sustained windows.

    Args:
      rows, inner, columns: shape of the product ``(rows, inner) @ (inner, columns)``.
    """
    generator = np.random.default_rng(0)
    a = generator.random((rows, inner), np.float32)  # (rows, inner)
    b = generator.random((inner, columns), np.float32)  # (inner, columns)
    out = np.empty((rows, columns), np.float32)
    np.matmul(a, b, out=out)  # starts the threads
    rates = []
    for _ in range(WINDOWS):
        products, began = 0, time.perf_counter()
        while (seconds := time.perf_counter() - began) < WINDOW_SECONDS:
            np.matmul(a, b, out=out)
            products += 1
        rates.append(2.0 * rows * inner * columns * products / seconds)
    return max(rates)


def sgemm_rates() -> dict[str, float]:
    """Measure NumPy's rate for a large square product and for that of a small network's first layer."""
    return {SQUARE: sgemm_rate(2048, 2048, 2048), "256 x 784 x 128": sgemm_rate(256, 784, 128)}


def register_rate() -> float | None:
    """Measure the limit, in operations per second of all cores; None without llvmlite or for an unknown processor."""
    try:
        from wellfit.nn.kernels import machine_code
        from wellfit.nn.kernels.peak import peak_rate
    except ImportError:
        return None
    processor = machine_code.this_processor()
    return None if processor is None else peak_rate(processor, _cores())


def rates() -> dict[str, float]:
    """Measure the limit, where that is possible, and NumPy's product."""
    registers = register_rate()
    return sgemm_rates() | ({} if registers is None else {REGISTERS: registers})


def limit(rates: Mapping[str, float]) -> float | None:
    """Return the limit; None if it was not measured."""
    return rates.get(REGISTERS)


def facts() -> dict[str, Any]:
    """Describe processor, cores, memory, system and versions, without paths or host names."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), [])
    return {
        "processor": model[0] if model else platform.processor(),
        "cores": _cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "avx512": "avx512f" in flags,
        "avx512_bf16": "avx512_bf16" in flags,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **{n: v for n in LIBRARIES if (v := _version(n))}},
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def products(workload: Workload) -> tuple[tuple[int, int], ...]:
    """List the layers' products for one example as (kernel weights, positions), the first layer first.

    A dense layer applies its kernel at one position, a convolution at every pixel of its output.
    """
    if filters := workload.filters:  # 3 x 3 kernels; height and width halve between blocks: 28, 14, 7
        kernels = [9 * before * after for before, after in pairwise((1, *filters))]
        sides = [28 // 2**block for block in range(len(filters))]
        return (*((kernel, side**2) for kernel, side in zip(kernels, sides, strict=True)), (filters[-1] * 10, 1))
    if not workload.hidden:  # LeNet-5 on 28 x 28: 6, 16 and 120 kernels of 5 x 5, then 84 and 10 units
        return ((25 * 6, 28 * 28), (25 * 6 * 16, 10 * 10), (25 * 16 * 120, 1), (120 * 84, 1), (84 * 10, 1))
    inputs = 64 if workload.data == "digits" else 784
    widths = (inputs, *workload.hidden, 10)
    return tuple((before * after, 1) for before, after in pairwise(widths))


def forward_operations(workload: Workload) -> int:
    """Count the operations of one example's forward pass: two per weight and position."""
    return sum(2 * weights * positions for weights, positions in products(workload))


def training_operations(workload: Workload) -> int:
    """Count one example's training operations: forward, kernel gradients, and input gradients after the first layer."""
    weights, positions = products(workload)[0]
    return 3 * forward_operations(workload) - 2 * weights * positions


def epoch_operations(workload: Workload, training: int, evaluated: int) -> int:
    """Count the operations of one epoch of one training.

    Args:
      training: number of training examples.
      evaluated: examples evaluated after the epoch: the validation split and, for wellfit, the training sample.
    """
    return training_operations(workload) * training + forward_operations(workload) * evaluated


if __name__ == "__main__":
    print(json.dumps(rates()))
