"""The chosen recipe trained again on the examples that the study held out: networks to use, not to judge."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from wellfit.base import Dataset, RunRecord, RunSpec, Splits
from wellfit.data.subsets import subset
from wellfit.engine.train import Trainer
from wellfit.errors import DataError, StudyFileError
from wellfit.nn.kernels.availability import obstacle
from wellfit.store import Store
from wellfit.study.fold import Fold
from wellfit.study.planning import plan_runs
from wellfit.study.session import Session

__all__ = ["Refitted", "refit"]

_SAMPLE: Final = 1000  # training examples that stand in for the validation set; nothing is decided by them


@dataclass(frozen=True, eq=False)
class Refitted:
    """Networks that were trained on held-out examples too.

    Args:
      records: the runs that did not diverge.
      folds: what precedes the network of each.
      epochs: for which they were trained.
    """

    records: tuple[RunRecord, ...]
    folds: tuple[Fold, ...]
    epochs: int

    @property
    def counts(self) -> str:
        """The number of training examples, in words: with groups, seeds may have different ones."""
        numbers = {len(fold.splits.train) for fold in self.folds}
        return " to ".join(f"{number:,}" for number in sorted({min(numbers), max(numbers)}))


def refit(session: Session, store: Store, variant: str, *, with_test: bool = False) -> Refitted:
    """Train a variant again for every seed, on training and validation examples together.

    The number of epochs is the median of those after which the variant's networks were read, and nothing stops
    training earlier; a schedule of the learning rate ends with them. A limit on the number of training examples is
    lifted; label noise stays.

    Args:
      session: the study with the data that it was trained on.
      store: its directory.
      variant: with finished runs.
      with_test: whether the test examples are used too.

    Raises:
      DataError: the data are not those of the study.
      StudyFileError: no run of the variant has finished well, or every network diverges.

    Example:
      >>> from wellfit import Study, mlp
      >>> from wellfit.store import open_existing
      >>> study = Study("digits", mlp(16), epochs=2, seeds=2)
      >>> results = study.run()
      >>> with open_existing(results.directory) as store:
      ...     session = Session(store.metadata.spec(), study._data(), results.directory)
      ...     refit(session, store, "baseline", with_test=True).counts
      '1,797'
    """
    saved = store.metadata.provenance().get("data hash", "")
    if session.hashes[0] != saved:
        raise DataError(
            f"{session.dataset.source}: not the data of the study in {store.directory} (SHA-256 {session.hashes[0]}, "
            f"there {saved}); give the data that it was trained on"
        )
    before = [r for r in store.runs.records() if r.spec.variant == variant and r.usable]
    if not before:
        raise StudyFileError(f"{store.directory}: no run of {variant} has finished well; run the study first")
    epochs = max(1, round(median(record.readout_epoch for record in before)))
    recipe = dataclasses.replace(before[0].spec.recipe, epochs=epochs, early_stopping=None, examples=None)
    runs = [RunSpec(variant, record.spec.seed, recipe) for record in before]
    apart = session.folds > 1 and not with_test
    choices = dataclasses.replace(session.choices, kernels=session.choices.kernels and not obstacle())  # or without
    records, folds = [], []
    for together in [[run] for run in runs] if apart else [runs]:
        fold = _whole(session, together[0].seed, with_test)
        data = subset(fold.data, None, recipe.label_noise, session.spec.data.split_seed)
        automatic = session.spec.precision == "auto"
        plan = plan_runs(together, data, session.mesh.size, choices, automatic, balanced=session.balanced)
        trainer = Trainer(data, session.mesh)
        for population in plan.populations:
            ended = [record for record in trainer.train(population) if record.usable]
            records += ended
            folds += [fold] * len(ended)
    if not records:
        raise StudyFileError(f"{variant}: every network diverged when it was trained on all examples; choose another")
    return Refitted(tuple(records), tuple(folds), epochs)


def _whole(session: Session, seed: int, with_test: bool) -> Fold:
    """The data of a seed with all examples in the training split."""
    fold = session.fold(seed)
    dataset = fold.dataset
    if with_test:  # folds leave out an example where they would differ in size
        dataset = _joined(session.dataset if session.spec.data.train_share == 1 else dataset)
    rows = np.arange(len(dataset.x_train))
    sample = rows[:: max(1, len(rows) // _SAMPLE)]
    splits = Splits(rows, sample, sample, fold.splits.seed, "")
    return Fold(dataset, splits, None, fold.scale, fold.features)


def _joined(dataset: Dataset) -> Dataset:
    """The data with the test examples among the training examples."""
    x = np.concatenate([dataset.x_train, dataset.x_test])
    y = np.concatenate([dataset.y_train, dataset.y_test])
    return dataclasses.replace(
        dataset, x_train=x, y_train=y, validation_rows=None, groups=None, test_groups=None, pool=None
    )
