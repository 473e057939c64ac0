"""What every peer's script shares: its arguments, the data, the clock, and the line of JSON that it prints.

A peer trains the given variants one after another in one process, as its users do in a notebook.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias

import clock
import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1]))  # at the end: nothing of ours hides a library's module

from workloads import WORKLOADS, Variant, Workload


class UnsupportedError(Exception):
    """What this library does not have."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """The splits as peers take them: float32, scaled to [0, 1]; an MLP's flattened.

    Args:
      x_train, y_train: what trains.  # (n, D) or (n, 28, 28), (n,)
      x_validation, y_validation: what is scored after every epoch.  # (v, D) or (v, 28, 28), (v,)
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int32]
    x_validation: NDArray[np.float32]
    y_validation: NDArray[np.int32]


Train: TypeAlias = Callable[[Arrays, Workload, Variant, int, Callable[[], None]], float]
"""Trains one network: data, workload, variant, epochs, what to call after an epoch -> the validation accuracy."""


def parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments that every peer takes; a peer adds its own."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--workload", choices=WORKLOADS, required=True)
    arguments.add_argument("--epochs", type=int, default=2, help="epochs to time, after the first")
    return arguments


def load(workload: Workload) -> Arrays:
    """The data as wellfit splits them."""
    from wellfit.data.catalog import load_dataset
    from wellfit.data.splits import make_splits, training_data

    dataset = load_dataset(workload.data)
    data = training_data(dataset, make_splits(dataset.y_train, validation=0.2), "unit")

    def scaled(x: NDArray[Any]) -> NDArray[np.float32]:
        x = x.astype(np.float32) * np.float32(data.scaling.factor)
        return x.reshape(len(x), -1) if workload.hidden else x

    return Arrays(scaled(data.x_train), data.y_train, scaled(data.x_validation), data.y_validation)


def peak_memory() -> int:
    """The most bytes that this process had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def report(options: argparse.Namespace, train: Train, library: str) -> None:
    """Train the variants, and print what was measured. The library has been imported just before.

    Args:
      options: of ``parser``, with ``variants``.
      train: the peer.
      library: the package whose version is reported.
    """
    imported = time.perf_counter()
    workload = WORKLOADS[options.workload]
    arrays = load(workload)
    loaded = time.perf_counter()
    trainings = []
    for name in options.variants.split(","):
        ends = [time.perf_counter()]
        try:
            variant, ended = workload.variant(name), partial(_note, ends)
            accuracy = train(arrays, workload, variant, 1 + options.epochs, ended)
        except UnsupportedError as reason:
            trainings.append({"variant": name, "unsupported": str(reason)})
            continue
        seconds = np.diff(ends).tolist()
        trainings.append(
            {
                "variant": name,
                "first_epoch_seconds": seconds[0],
                "epoch_seconds": seconds[1:],
                "validation_accuracy": accuracy,
            }
        )
    measured = {
        "import_seconds": imported - clock.BEGAN,
        "data_seconds": loaded - imported,
        "examples": [len(arrays.x_train), len(arrays.x_validation)],
        "trainings": trainings,
        "peak_bytes": peak_memory(),
        "version": metadata.version(library),
    }
    print(json.dumps(measured))


def _note(ends: list[float]) -> None:
    ends.append(time.perf_counter())
