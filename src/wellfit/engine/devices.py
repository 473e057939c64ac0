"""The devices that a population is spread over: one single-threaded device a core on CPUs, one a card on GPUs."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from pathlib import Path
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from wellfit.files import cache_root

__all__ = [
    "ATTAINED",
    "ATTAINED_BY_CONVOLUTIONS",
    "COMPILE_SECONDS",
    "POPULATION",
    "ROOM_BYTES",
    "START_SECONDS",
    "STEP_SECONDS",
    "cores",
    "mesh",
    "product_rate",
    "replicated",
    "resident",
    "sharded",
    "start",
]

POPULATION: Final = "population"
"""Name of the mesh axis along which groups of runs are spread."""

ATTAINED: Final = 0.75
"""The share of ``product_rate`` that an epoch of an MLP is taken to attain before it was ever trained here; rough."""

ATTAINED_BY_CONVOLUTIONS: Final = 0.2
"""The same of a network with convolutions: laying out their patches takes longer than the products; rough."""

STEP_SECONDS: Final = 100e-6
"""What a step is taken to cost a run beside its arithmetic; rough."""

COMPILE_SECONDS: Final = 2.5
"""What the compilation of a program is taken to cost, and thrice that with convolutions; rough."""

START_SECONDS: Final = 0.5
"""What it costs to load a program that was compiled before; rough."""

ROOM_BYTES: Final = 120_000_000
"""What a compiled program and its intermediate arrays are taken to need; as much again while it is compiled; rough."""

_ONE_THREAD: Final = "--xla_cpu_multi_thread_eigen=false"


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start() -> None:
    """Ask JAX for one single-threaded CPU device a core; a JAX that is running already is left as it is.

    Two single-threaded devices finish two runs sooner than one device with two threads finishes them in turn: products
    of this size gain little from a second thread.
    """
    try:
        jax.config.update("jax_num_cpu_devices", cores())
    except RuntimeError:
        return  # JAX has its devices already, in a notebook for instance: take what there is
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_cpu_multi_thread_eigen" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_ONE_THREAD}".strip()
    _keep_programs()


def _keep_programs() -> None:
    """Keep compiled programs in wellfit's cache folder, so that a study of the same form compiles nothing again."""
    if jax.config.jax_compilation_cache_dir is not None:  # type: ignore[attr-defined]
        return  # the user has chosen a place
    folder = cache_root() / "programs"
    with contextlib.suppress(OSError):  # a cache that cannot be written is no reason not to train
        folder.mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def mesh() -> Mesh:
    """All devices of the default backend in one row, along the population axis."""
    start()
    return Mesh(np.array(jax.devices()), (POPULATION,))


def sharded(on: Mesh) -> NamedSharding:
    """Arrays whose leading axis is spread over the devices."""
    return NamedSharding(on, PartitionSpec(POPULATION))


def replicated(on: Mesh) -> NamedSharding:
    """Arrays that every device holds whole."""
    return NamedSharding(on, PartitionSpec())


@functools.cache
def product_rate() -> float:
    """Floating-point operations a second of one device on the products of a small MLP, measured once a process.

    Returns:
      The best of five products ``(256, 784) @ (784, 512)`` in float32.

    Example:
      >>> product_rate() > 1e8
      True
    """
    x, kernel = jnp.ones((256, 784), jnp.float32), jnp.ones((784, 512), jnp.float32)
    product = jax.jit(jnp.matmul).lower(x, kernel).compile()
    times = []
    for _ in range(6):
        began = time.perf_counter()
        product(x, kernel).block_until_ready()
        times.append(time.perf_counter() - began)
    return 2.0 * 256 * 784 * 512 / min(times)


def resident() -> int:
    """Bytes of memory that this process holds now; the most that it ever held where the system does not tell.

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
