"""The devices that a population is sharded over: one single-threaded device per CPU core, or one per GPU.

A CPU has at least two devices, also where the process may use one core only. XLA partitions a program for two devices
or more in the same way, and compiles one for a single device to other code, whose sums round differently.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from wellfit.engine.programs import keep_programs
from wellfit.errors import WellfitError
from wellfit.nn import accelerator

__all__ = [
    "AGAIN_SECONDS",
    "ATTAINED",
    "ATTAINED_BY_CONVOLUTIONS",
    "ATTAINED_BY_KERNELS",
    "COMPILE_SECONDS",
    "FEWEST",
    "POPULATION",
    "READ_SECONDS",
    "ROOM_BYTES",
    "RUN_SECONDS",
    "START_SECONDS",
    "STEP_SECONDS",
    "cores",
    "memory_limit",
    "mesh",
    "product_rates",
    "replicated",
    "resident",
    "sharded",
    "start",
    "start_to_predict",
]

POPULATION: Final = "population"
"""Name of the mesh axis along which groups of runs are sharded."""

ATTAINED: Final = 0.75
"""Fraction of ``machine.product_rate`` that an MLP epoch is assumed to reach before any was timed here; rough."""

ATTAINED_BY_CONVOLUTIONS: Final = 0.2
"""The same for a network with convolutions, where laying out patches takes longer than the products; rough."""

ATTAINED_BY_KERNELS: Final = 0.6
"""The same with generated kernels; rough."""

STEP_SECONDS: Final = 100e-6
"""Assumed overhead of a training step per run, besides its arithmetic; rough."""

COMPILE_SECONDS: Final = 2.5
"""Assumed time to compile a program; three times as much with convolutions; rough."""

START_SECONDS: Final = 0.5
"""Assumed time to load a program from the compilation cache; rough."""

AGAIN_SECONDS: Final = 0.05
"""Assumed time between two populations of one program, to save runs and to prepare the next data; rough."""

READ_SECONDS: Final = 0.06
"""Assumed time to check a megabyte of data before training; rough."""

RUN_SECONDS: Final = 0.03
"""Assumed time to test a run, besides the arithmetic, and to keep what a report shows of it; rough."""

ROOM_BYTES: Final = 120_000_000
"""Assumed memory of a compiled program and its intermediate arrays; as much again during compilation; rough."""

_USUAL: Final = {
    "jax_enable_x64": False,
    "jax_disable_jit": False,
    "jax_default_prng_impl": "threefry2x32",
    "jax_threefry_partitionable": True,
    "jax_debug_nans": False,
    "jax_debug_infs": False,
}
"""Settings of JAX that wellfit's results, and a study's continuation with the same bits, depend on."""

FEWEST: Final = 2
"""Devices of a CPU, so that the bits of a run do not depend on the number of its cores."""

_FEWEST_PRODUCTS: Final = 6

_ONE_THREAD: Final = "--xla_cpu_multi_thread_eigen=false"


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start(count: int = 0) -> None:
    """Configure JAX for one single-threaded CPU device per core, but at least two, unless JAX is already initialized.

    Two single-threaded devices finish two runs sooner than one two-threaded device training them in turn: matrix
    products of this size gain little from a second thread.

    Args:
      count: of the devices, where others use the remaining cores.

    Raises:
      WellfitError: JAX is set up to compute other numbers than those that wellfit promises, or has no such device.
    """
    _check_settings()
    try:
        jax.config.update("jax_num_cpu_devices", max(FEWEST, count or cores()))
    except RuntimeError:
        return  # JAX is already initialized, for example in a notebook: use the devices it has
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_cpu_multi_thread_eigen" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_ONE_THREAD}".strip()
    keep_programs()


def start_to_predict() -> None:
    """Configure JAX as ``start`` does; where its settings forbid training, it stays as it is, which suffices here.

    Example:
      >>> start_to_predict()
    """
    with suppress(WellfitError):
        start()


def _check_settings() -> None:
    """Refuse settings of JAX that change results, stop at the first NaN, or interpret programs."""
    for setting, usual in _USUAL.items():
        value = getattr(jax.config, setting, usual)
        if value != usual:
            name = setting.upper()
            raise WellfitError(f"{name} is {value}, but wellfit needs {usual}; unset {name} in the environment")


def mesh() -> Mesh:
    """Return a one-dimensional mesh of all devices of the default backend, along the population axis."""
    start()
    try:
        found = jax.devices()
    except RuntimeError as error:
        reason = str(error).split(". ")[0].split(" (set ")[0]
        wanted = os.environ.get("JAX_PLATFORMS", "")
        raise WellfitError(f"JAX_PLATFORMS = {wanted!r}: {reason}; unset JAX_PLATFORMS to use what there is") from None
    return Mesh(np.array(found), (POPULATION,))


def sharded(mesh: Mesh) -> NamedSharding:
    """Sharding of arrays whose leading axis is split over the devices."""
    return NamedSharding(mesh, PartitionSpec(POPULATION))


def replicated(mesh: Mesh) -> NamedSharding:
    """Sharding of arrays that every device holds in full."""
    return NamedSharding(mesh, PartitionSpec())


def product_rates(seconds: float) -> tuple[float, float]:
    """Measure one device's rate on a small MLP's matrix products while all devices are busy.

    Each product waits for the slowest device, as training does.

    Args:
      seconds: how long to measure, at least.

    Returns:
      Floating-point operations per second: the best of float32 products ``(256, 784) @ (784, 512)``, for which a moment
      without other processes suffices, and the mean.

    Example:
      >>> best, mean = product_rates(0.01)
      >>> best >= mean > 1e7
      True
    """
    over = mesh()
    x = jax.device_put(np.ones((over.size, 256, 784), np.float32), sharded(over))
    kernel = jax.device_put(np.ones((784, 512), np.float32), replicated(over))
    product = jax.jit(lambda x, kernel: x @ kernel).lower(x, kernel).compile()
    product(x, kernel).block_until_ready()
    times: list[float] = []
    while len(times) < _FEWEST_PRODUCTS or sum(times) < seconds:
        began = time.perf_counter()
        product(x, kernel).block_until_ready()
        times.append(time.perf_counter() - began)
    operations = 2.0 * 256 * 784 * 512
    return operations / min(times), operations * len(times) / sum(times)


def memory_limit() -> int | None:
    """Return the bytes that programs may take on an accelerator; None on CPUs, and where a device does not say."""
    if not accelerator.in_use():
        return None
    return int((jax.devices()[0].memory_stats() or {}).get("bytes_limit", 0)) or None


def resident() -> int:
    """Return this process's resident memory in bytes, or its peak where the system does not report the current value.

    Example:
      >>> resident() > 10_000_000
      True
    """
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    try:
        import resource
    except ImportError:  # Windows
        return 300_000_000
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
