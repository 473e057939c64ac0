"""What single runs of a study predict: their probabilities, confusion matrices and decision regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Dataset, FloatArray, IntArray, Regions
from wellfit.errors import DataError, StudyFileError, UnknownNameError
from wellfit.store import Store, open_existing
from wellfit.study.predictions import seeds_tested

__all__ = [
    "RunPredictions",
    "confusion_of_run",
    "pictures_of",
    "predictions_in",
    "predictions_of_run",
    "regions_of_run",
    "variant_with_tests",
]


class RunPredictions(NamedTuple):
    """What runs of one variant predict for some test examples.

    Args:
      rows: of the test set.  # (n,)
      labels: the true classes.  # (n,)
      seeds: of the run that judged each example.  # (n,)
      probabilities: of every class, by that run.  # (n, K)
      classes_only: whether only the predicted classes are known, which then have the probability 1.
    """

    variant: str
    rows: IntArray
    labels: IntArray
    seeds: IntArray
    probabilities: FloatArray
    classes_only: bool = False

    @property
    def predicted(self) -> IntArray:
        """The most probable class of each example; of equals the first.  # (n,)"""
        return np.asarray(self.probabilities.argmax(axis=1))


def predictions_of_run(
    directory: Path, rows: Sequence[int] | IntArray | int, variant: str | None = None, seed: int | None = None
) -> RunPredictions:
    """What one run predicts for test examples.

    Args:
      directory: of the study.
      rows: of the test set; a number stands for so many of the first rows that runs were tested on.
      variant: by default the first.
      seed: of the run; by default, for each example the first that was tested on it.

    Raises:
      UnknownNameError: there is no such variant.
      StudyFileError: there is no such tested run.
      DataError: there is no such row, or the run was not tested on it.
      StoreUnreadableError: there is no study in the directory, or it is damaged.
    """
    with open_existing(directory) as store:
        if not isinstance(rows, int):
            return predictions_in(store, rows, variant, seed)
        of = predictions_in(store, range(len(store.keepsakes.labels()[0])), variant, seed, partly=True)
    first = slice(rows)
    return of._replace(
        rows=of.rows[first], labels=of.labels[first], seeds=of.seeds[first], probabilities=of.probabilities[first]
    )


def predictions_in(
    store: Store,
    rows: Sequence[int] | IntArray,
    variant: str | None = None,
    seed: int | None = None,
    *,
    partly: bool = False,
) -> RunPredictions:
    """The same for an open store.

    Args:
      partly: whether to leave out rows that no run was tested on.
    """
    name, seeds = _tested(store, variant, seed)
    labels, classes = store.keepsakes.labels()
    for row in rows:
        if not 0 <= row < len(labels):
            raise DataError(f"there is no test row {row}; give rows from 0 to {len(labels) - 1}")
    chosen = np.asarray(rows, np.int64)  # (n,)
    judges = np.full(len(chosen), -1, np.int64)  # (n,)
    found = np.zeros((len(chosen), len(classes)), np.float32)  # (n, K)
    classes_only = False
    for run in seeds:
        tested = store.runs.tested(name, run)
        classes_only = classes_only or tested.classes_only
        places = np.full(len(labels), -1, np.int64)  # (M,), of the examples among the run's
        places[tested.of(np.arange(len(labels)))] = np.arange(len(tested.probabilities))
        mine = (judges < 0) & (places[chosen] >= 0)  # (n,)
        found[mine], judges[mine] = tested.probabilities[places[chosen[mine]]], run
        if (judges >= 0).all():
            break
    if partly:
        chosen, found, judges = chosen[judges >= 0], found[judges >= 0], judges[judges >= 0]
    if (judges < 0).any():
        row = int(chosen[judges < 0][0])
        who = "no run" if seed is None else f"the run with seed {seed}"
        raise DataError(f"{who} of {name} was tested on row {row}; leave the seed out, or choose other rows")
    return RunPredictions(name, chosen, labels[chosen], judges, found, classes_only)


def confusion_of_run(directory: Path, variant: str | None, seed: int) -> tuple[str, IntArray]:
    """A variant's name, and the confusion matrix of one of its runs as counts.  # (K, K) [true, predicted]

    Raises:
      UnknownNameError, StudyFileError, StoreUnreadableError: as `predictions_of_run`.
    """
    with open_existing(directory) as store:
        name, _ = _tested(store, variant, seed)
        labels, classes = store.keepsakes.labels()
        tested = store.runs.tested(name, seed)
        counts = np.zeros((len(classes), len(classes)), np.int64)
        np.add.at(counts, (tested.of(labels), tested.probabilities.argmax(axis=1)), 1)
    return name, counts


def regions_of_run(directory: Path, regions: Regions, seed: int) -> Regions:
    """The decision regions of one run.

    Args:
      directory: of the study.
      regions: those of its variant.
      seed: of the run.

    Raises:
      StudyFileError: there is no such tested run, or its regions were not kept.
      StoreUnreadableError: there is no study in the directory, or it is damaged.
    """
    with open_existing(directory) as store:
        _tested(store, regions.variant, seed)
        seeds = sorted(seeds_tested(store)[regions.variant])
        kept = store.keepsakes.load()
    grids = kept[0].get(f"grid/{regions.variant}") if kept else None  # (S, G, G, K), by seed
    if grids is None or len(grids) != len(seeds):
        raise StudyFileError(f"the regions of seed {seed} were not kept; run the study again: nothing is trained again")
    probability = grids[seeds.index(seed)]
    return replace(regions, probability=probability, disagreement=np.zeros(probability.shape[:2]), seed=seed)


def pictures_of(directory: Path, rows: IntArray, data: str | Path | Dataset | None = None) -> NDArray[np.uint8]:
    """Test images as bytes.

    Args:
      directory: of the study, which keeps the first ones and misclassified ones.
      rows: of the test set.  # (n,)
      data: where others come from; by default, they are read from where the study found its data.

    Returns:
      The images.  # (n, H, W) or (n, H, W, 3)

    Raises:
      DataError: the examples are not images, or the data are not those of the study.
      WellfitError: the data cannot be read.
    """
    from wellfit.study.report_data import are_images, pictures_of_tests

    with open_existing(directory) as store:
        kept, spec = store.keepsakes.load(), store.metadata.spec()
        recorded = store.metadata.provenance().get("data hash", "")
    if not len(rows):
        return np.zeros((0, 1, 1), np.uint8)
    arrays: dict[str, NDArray[Any]] = kept[0] if kept else {}
    if kept and not are_images(tuple(kept[1]["shape"])):
        raise DataError("the test examples are not images, so there are none to show; see Results.predictions()")
    known = dict(enumerate(arrays.get("first_images", ())))
    known |= dict(zip(arrays.get("image_rows", np.zeros(0)).tolist(), arrays.get("images", ()), strict=True))
    if all(int(row) in known for row in rows):
        return np.stack([known[int(row)] for row in rows])
    from wellfit.data.catalog import load_dataset
    from wellfit.study.session import Session

    if not isinstance(data, Dataset):
        data = load_dataset(spec.data.name_or_path if data is None else data, spec.data)
    session = Session(spec, data, directory)
    if recorded and session.hashes[0] != recorded:
        raise DataError(f"{data.source}: not the data of the study in {directory}; give those with data=")
    if not are_images(data.input_shape):
        raise DataError("the test examples are not images, so there are none to show; see Results.predictions()")
    return pictures_of_tests(session, rows)


def variant_with_tests(directory: Path, variant: str | None = None) -> str:
    """The name of a variant that has a tested run, by default the first variant.

    Raises:
      UnknownNameError, StudyFileError, StoreUnreadableError: as `predictions_of_run`.
    """
    with open_existing(directory) as store:
        return _tested(store, variant, None)[0]


def _tested(store: Store, variant: str | None, seed: int | None) -> tuple[str, tuple[int, ...]]:
    """A variant's name, and the seeds of its tested runs, or the one that is asked for."""
    names = tuple(store.metadata.study()["variants"])
    if variant is not None and variant not in names:
        raise UnknownNameError("variant", variant, names, f"the study in {store.directory}")
    name = names[0] if variant is None else variant
    if store.metadata.study().get("elsewhere") and not len(store.keepsakes.labels()[0]):
        raise StudyFileError(f"{store.directory}: only accuracies are known, so there are no predictions")
    seeds = seeds_tested(store).get(name, ())
    if not seeds:
        raise StudyFileError(f"no run of {name} in {store.directory} has been tested; run the study first")
    if seed is not None and seed not in seeds:
        raise StudyFileError(f"{name} has no tested run with seed {seed}; it has {', '.join(map(str, seeds))}")
    return name, seeds if seed is None else (seed,)
