"""A model trained at once on the examples at hand, without a test set and without a study directory."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from wellfit import __version__
from wellfit.base import (
    Dataset,
    IntArray,
    Preparation,
    RunRecord,
    RunSpec,
    RunSummary,
    Scaling,
    StudySummary,
    VariantSummary,
)
from wellfit.data.later import Form
from wellfit.data.preparation import fit_preparation
from wellfit.data.splits import make_splits, stratified_order
from wellfit.data.subsets import subset
from wellfit.engine import devices
from wellfit.engine.plan import Plan
from wellfit.engine.train import Epoch, Trainer
from wellfit.errors import StudyFileError
from wellfit.model.chosen import supported_variant
from wellfit.model.fitted import FittedModel, Network, Origin
from wellfit.spec.reading import plain_of
from wellfit.spec.study import StudySpec, recipes
from wellfit.study.fold import Fold
from wellfit.study.planning import choose_and_plan, recipe_of
from wellfit.study.run import Progress

__all__ = ["Direct", "held_out_rows", "train_direct"]

_METRICS = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss")


@dataclass(frozen=True, eq=False)
class Direct:
    """What direct training gives.

    Args:
      summary: the validation scores, by which a variant is chosen; everything about a test set is empty.
      records: all runs.
      dataset: what they trained on.
      inputs: what precedes the networks of each seed.
    """

    summary: StudySummary
    records: tuple[RunRecord, ...]
    dataset: Dataset
    inputs: Mapping[int, tuple[Preparation, Scaling]]

    def model(self, variant: str | None = None) -> FittedModel:
        """The networks of a variant, by default of the one that validation supports.

        Raises:
          StudyFileError: every network of it diverged.
        """
        return _model(self.summary, self.dataset, self.records, self.inputs, variant)


def held_out_rows(
    labels: IntArray, seeds: Sequence[int], share: float, folds: int, split_seed: int
) -> dict[int, IntArray]:
    """The rows that each seed validates on: consecutive parts of a circle of all rows, so that they overlap least.

    Args:
      labels: from 0.  # (N,)
      seeds: of the networks.
      share: of the rows that each holds out; at least one, and not all.
      folds: how many parts there are before another circle is drawn; with 1, all seeds hold out the same rows.
      split_seed: draws the circles, in which every class is spread evenly.

    Returns:
      Seed -> rows, ascending.  # (round(share * N),) each

    Example: five seeds hold out every row once.
      >>> rows = held_out_rows(np.array([0, 1] * 10), range(5), 0.2, 5, 0)
      >>> np.bincount(np.concatenate(list(rows.values()))).tolist() == [1] * 20
      True
    """
    n = len(labels)
    count = min(max(round(n * share), 1), n - 1)
    rows = {}
    for at, seed in enumerate(seeds):
        turn = 0 if folds == 1 else at // folds
        order = stratified_order(labels, np.random.Generator(np.random.PCG64([split_seed, turn])))  # (N,)
        rows[seed] = np.sort(order[(at % folds * n // folds + np.arange(count)) % n])
    return rows


def train_direct(
    spec: StudySpec,
    dataset: Dataset,
    held_out: Mapping[int, IntArray],
    on_progress: Callable[[Progress], None] | None = None,
) -> Direct:
    """Train every variant of a study with every seed.

    Args:
      spec: the study; its seeds are not used. A batch has at most all training examples.
      dataset: all examples in ``x_train``; the test set is not read and may be empty.
      held_out: seed -> the rows that it validates on, equally many for every seed. Seeds that all hold out the same
        rows train side by side, others one after the other.
      on_progress: called after every epoch.

    Raises:
      StudyFileError, ShapeError, DataError: the settings do not fit the data, or every network that counts diverged.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> from wellfit.spec.study import study_from_mapping
      >>> spec = study_from_mapping({"data": {"name": "digits"}, "train": {"epochs": 1}, "model": {"hidden": [8]}})
      >>> digits = load_dataset("digits")
      >>> train_direct(spec, digits, held_out_rows(digits.y_train, (0, 1), 0.2, 5, 0)).model()
      FittedModel('baseline', ensemble of 2 networks, 10 classes)
    """
    features = fit_preparation(dataset, np.arange(len(dataset.x_train)))

    @lru_cache(maxsize=1)
    def fold(seed: int) -> Fold:
        splits = make_splits(dataset.y_train, validation=spec.data.validation, given=held_out[seed])
        return Fold(dataset, splits, None, spec.data.scale, features)

    first = fold(next(iter(held_out))).data
    mesh = devices.mesh()
    runs = [
        RunSpec(name, seed, dataclasses.replace(recipe, batch_size=min(recipe.batch_size, len(first.x_train))))
        for name, recipe in recipes(spec).items()
        for seed in held_out
    ]
    counts = np.maximum(np.bincount(dataset.y_train, minlength=len(dataset.classes)), 1)  # (K,)
    balanced = tuple((len(dataset.y_train) / (len(counts) * counts)).tolist())
    apart = len({rows.tobytes() for rows in held_out.values()}) > 1
    _, plan = choose_and_plan(runs, first, mesh.size, spec.precision, None, apart=apart, balanced=balanced)
    report = _reporter(plan, len(first.x_train), on_progress)
    records: list[RunRecord] = []
    inputs: dict[int, tuple[Preparation, Scaling]] = {}
    for population in plan.populations:
        seeds, recipe = {trajectory.seed for trajectory in population.trajectories}, recipe_of(population)
        of = fold(min(seeds) if apart else next(iter(held_out)))
        data = of.data
        inputs |= dict.fromkeys(seeds, (of.preparation, data.scaling))
        data = subset(data, recipe.examples, recipe.label_noise, spec.data.split_seed)
        records += Trainer(data, mesh).train(population, on_epoch=report)
    summary = _summary(spec, dataset, held_out, records)
    return Direct(summary, tuple(records), dataset, inputs)


def _reporter(
    plan: Plan, examples: int, on_progress: Callable[[Progress], None] | None
) -> Callable[[Epoch], None] | None:
    """What to call after an epoch of any population.

    Args:
      examples: training examples of a run that does not ask for fewer.
    """
    if on_progress is None:
        return None
    total = sum(
        trajectory.epochs * (recipe_of(population).examples or examples)
        for population in plan.populations
        for trajectory in population.trajectories
    )
    done = 0
    times: list[float] = []

    def report(epoch: Epoch) -> None:
        nonlocal done
        done += epoch.examples
        times.append(time.monotonic())
        trained = done - first if (first := epoch.examples) < done else 0  # the first epoch compiles
        left = (times[-1] - times[0]) * (total - done) / trained if len(times) > 2 and trained else None
        on_progress(Progress(epoch.number, epoch.epochs, epoch.active, epoch.examples, done / total, left, epoch.rows))

    return report


def _model(
    summary: StudySummary,
    dataset: Dataset,
    records: Sequence[RunRecord],
    inputs: Mapping[int, tuple[Preparation, Scaling]],
    variant: str | None,
) -> FittedModel:
    sound = [record for record in records if record.usable]
    if variant is not None:
        name, choice = variant, f"{variant}, as asked"
    else:
        name, choice = supported_variant(summary) if sound else ("", "")
    chosen = [record for record in sound if record.spec.variant == name]
    if not chosen:
        which = f"every network of {name!r}" if name else "every network"
        raise StudyFileError(f"{which} diverged; choose a smaller learning_rate, or set clip_norm")
    networks = tuple(Network(record.spec.seed, record.weights, *inputs[record.spec.seed]) for record in chosen)
    scores = [record.scores["validation_accuracy"] for record in chosen]
    recipe = chosen[0].spec.recipe
    origin = Origin(
        study=summary.name,
        title=summary.title,
        data=dataset.title,
        data_hash=dataset.hash,
        variant=name,
        recipe=plain_of(recipe),
        choice=choice,
        accuracy=None,
        interval=None,
        tested=0,
        expected=f"not tested; one network classifies {100 * np.mean(scores):.2f} % of the "
        f"{summary.validation_examples:,} examples that it held out correctly (mean over the seeds)",
        fingerprint=None,
        version=__version__,
    )
    used = tuple(column.name for column in networks[0].preparation.columns)
    form = Form(dataset.input_shape, dataset.pixel_max, dataset.columns, used, dataset.header)
    return FittedModel(recipe.model, dataset.classes, networks, form, origin)


def _summary(
    spec: StudySpec, dataset: Dataset, held_out: Mapping[int, IntArray], records: Sequence[RunRecord]
) -> StudySummary:
    """What the rule of choice reads: the validation scores, and how much the validation sets overlap."""
    variants = []
    for name, changes in spec.variants.items():
        of = [record for record in records if record.spec.variant == name]
        scored = [record.scores for record in of if record.scores]
        mean = {metric: float(np.mean([scores[metric] for scores in scored])) for metric in _METRICS if scored}
        variants.append(VariantSummary(name, changes, 0, tuple(map(_run, of)), mean, {}, 0.0, {}))
    rows = list(held_out.values())
    times, pairs = np.bincount(np.concatenate(rows)), len(rows) * (len(rows) - 1)
    return StudySummary(
        name=spec.name,
        title=spec.title,
        data=dataset.title,
        state="finished",
        seeds=tuple(held_out),
        epochs=spec.base.epochs,
        seconds=sum(record.seconds for record in records),
        directory="",
        variants=tuple(variants),
        comparisons=(),
        findings=(),
        verdict="",
        histories={},
        confusion={},
        classes=dataset.classes,
        provenance={},
        settings={"variants": {name: {"recipe": plain_of(recipe)} for name, recipe in recipes(spec).items()}},
        validation_examples=len(rows[0]),
        validation_overlap=float((times * (times - 1)).sum() / (pairs * len(rows[0]))) if pairs else 1.0,
    )


def _run(record: RunRecord) -> RunSummary:
    return RunSummary(
        seed=record.spec.seed,
        state=record.state,
        epochs=record.epochs,
        readout_epoch=record.readout_epoch or None,
        best_epoch=None,
        overfit_onset=None,
        **{metric: record.scores.get(metric) for metric in _METRICS},
        test_accuracy=None,
        test_loss=None,
        seconds=record.seconds,
    )
