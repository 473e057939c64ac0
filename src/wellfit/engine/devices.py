"""The devices that a population is spread over: one single-threaded device a core on CPUs, one a card on GPUs."""

from __future__ import annotations

import os
from typing import Final

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

__all__ = ["POPULATION", "cores", "mesh", "replicated", "sharded", "start"]

POPULATION: Final = "population"
"""Name of the mesh axis along which groups of runs are spread."""

_ONE_THREAD: Final = "--xla_cpu_multi_thread_eigen=false"


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start() -> None:
    """Ask JAX for one single-threaded CPU device a core; a JAX that is running already is left as it is.

    Two single-threaded devices finish two runs sooner than one device with two threads finishes them in turn: products
    of this size gain little from a second thread.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_cpu_multi_thread_eigen" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_ONE_THREAD}".strip()
    try:
        jax.config.update("jax_num_cpu_devices", cores())
    except RuntimeError:
        return  # JAX has its devices already, in a notebook for instance: take what there is


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
