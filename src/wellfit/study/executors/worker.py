"""What runs on a machine that trains a part of a study; the driver sends the work and stores what comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np

from wellfit.base import Dataset, TrainingData
from wellfit.data.subsets import subset
from wellfit.engine import devices
from wellfit.engine.final_states import UnusableStateError
from wellfit.engine.train import Epoch, Trainer
from wellfit.nn.kernels.availability import obstacle
from wellfit.spec.study import DataSpec
from wellfit.study.executors.driver import check_nodes
from wellfit.study.executors.parts import Failed, Job, Node, Reported, Trained
from wellfit.study.fold import fold_of
from wellfit.study.planning import recipe_of
from wellfit.study.provenance import machine_facts, versions

__all__ = ["CHECKPOINT_SECONDS", "check", "describe", "start", "train"]

CHECKPOINT_SECONDS: Final = 30.0
"""Seconds between checkpoints of a part."""


def start(count: int, platform: str) -> None:
    """Make the devices that a part trains on; a process does so once.

    Args:
      count: devices.
      platform: ``"cpu"``, also where there is a GPU, or ``"gpu"``.
    """
    import jax

    if platform == "cpu":
        jax.config.update("jax_platforms", "cpu")
    devices.start(count)


def describe(count: int, platform: str) -> Node:
    """What this machine says of itself.

    Args:
      count, platform: as for ``start``.

    Example:
      >>> node = describe(2, "cpu")
      >>> sorted(node.versions)
      ['code', 'jax', 'jaxlib', 'numpy', 'optax', 'python', 'wellfit']
    """
    start(count, platform)
    return Node(versions(), machine_facts(), obstacle())


def check(wanted: Mapping[str, str], *, kernels: bool) -> None:
    """Refuse to train with other programs than those of the command.

    Args:
      wanted: the versions of the command.
      kernels: whether generated kernels compute the study's convolutions.

    Raises:
      WellfitError: versions differ, or there are no generated kernels here.
    """
    check_nodes([Node(versions(), machine_facts(), obstacle())], kernels=kernels, wanted=wanted)


def train(
    job: Job, dataset: Dataset, spec: DataSpec, tell: Callable[[Reported], None], interval: float
) -> Trained | Failed:
    """Train a part.

    Args:
      job: the part.
      dataset: all data of the study.
      spec: how they are divided and scaled.
      tell: called with the progress.
      interval: seconds between two calls, at least.
    """
    population, recipe = job.population, recipe_of(job.population)
    trainer = _trainer(
        _Divided(dataset, dataset.hash, spec), job.seeds, job.places, recipe.examples, recipe.label_noise
    )
    told = saved = time.monotonic()
    last: list[Epoch] = []

    def after_epoch(epoch: Epoch) -> None:
        nonlocal told, saved
        last[:] = [epoch]
        now = time.monotonic()
        if not epoch.active or now - told < interval:
            return
        snapshot = None
        if now - saved > CHECKPOINT_SECONDS:
            snapshot, saved = epoch.snapshot(), now
        rows = {run: np.array(of) for run, of in epoch.rows().items()}
        tell(Reported(epoch.number, epoch.epochs, epoch.active, rows, snapshot))
        told = now

    try:
        records = trainer.train(population, job.start, after_epoch, None, job.ends, job.ends_of)
    except UnusableStateError as error:
        return Failed(error.name, error.reason)
    begins = {name: end.epoch for name, end in job.ends.items()}
    ends = [end for end in (last[0].ends() if last else ()) if begins.get(end.name) != end.epoch]
    return Trained(records, ends, machine_facts(kernels=population.program.kernels))


@dataclass(frozen=True)
class _Divided:
    """A data set and how it is divided, as a key of a cache: data with the same hash are the same."""

    dataset: Dataset = field(compare=False)
    hash: str
    spec: DataSpec

    def __hash__(self) -> int:
        return hash(self.hash)


@lru_cache(maxsize=1)
def _data(divided: _Divided, seed: int | None) -> TrainingData:
    return fold_of(divided.dataset, divided.spec, seed).data


@lru_cache(maxsize=1)
def _trainer(
    divided: _Divided, seeds: tuple[int, ...] | None, places: int, examples: int | None, label_noise: float
) -> Trainer:
    def of_seed(seed: int | None) -> TrainingData:
        return subset(_data(divided, seed), examples, label_noise, divided.spec.split_seed)

    if places and seeds:
        return Trainer({seed: of_seed(seed) for seed in seeds}, places=places)
    return Trainer(of_seed(seeds[0] if seeds else None))
