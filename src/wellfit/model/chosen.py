"""From a study directory to a model: the variant that validation supports, and the networks of its seeds."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from wellfit import __version__
from wellfit.analysis.intervals import exact_interval
from wellfit.analysis.selection import accuracy_may_choose, validation_gains
from wellfit.base import Recipe, RunRecord, StudySummary, VariantSummary
from wellfit.data.seen import example_hashes
from wellfit.errors import StoreUnreadableError, StudyFileError, UnknownNameError, WellfitError, one_line
from wellfit.model.fitted import FittedModel, Network, Origin
from wellfit.model.sound import check_sound
from wellfit.spec.reading import plain_of
from wellfit.store import Store
from wellfit.study.elsewhere import refuse_elsewhere
from wellfit.study.inputs import load_form, load_inputs, load_trained
from wellfit.study.refit import refit
from wellfit.study.session import Session

__all__ = ["fitted_model", "refitted_model", "supported_variant"]


class Expected(NamedTuple):
    """The accuracy to expect of one network on new examples, its interval, the test examples behind it, a sentence."""

    accuracy: float | None
    interval: tuple[float, float] | None
    tested: int
    text: str


def supported_variant(summary: StudySummary) -> tuple[str, str]:
    """The variant that validation supports, and why: the best that is better than the first beyond chance.

    Where validation supports none, it is the first. The test set decides nothing.

    Raises:
      StudyFileError: no run has finished.
    """
    first = summary.variants[0]
    if not any("validation_accuracy" in variant.mean for variant in summary.variants):
        ended = any(run.state == "diverged" for variant in summary.variants for run in variant.runs)
        raise StudyFileError(
            f"every run of the study {summary.name!r} diverged; run it with another recipe"
            if ended
            else f"no run of the study {summary.name!r} has finished; run it first"
        )
    if len(summary.variants) == 1:
        return first.name, f"{first.name}; the only variant"
    if not accuracy_may_choose(summary):
        return first.name, f"{first.name}, the first; validation accuracy, which is kept, cannot choose by this metric"
    gains = validation_gains(summary)
    if not gains:
        return first.name, f"{first.name}, the first; validation could not compare the others with it"
    best = next((gain for gain in gains if gain.significant), None)
    if best is None:
        return first.name, (
            f"{first.name}; validation supports no other variant over it, and the test set does not choose"
        )
    bounds = "" if best.interval is None else " [{:.1f}, {:.1f}]".format(*(100 * bound for bound in best.interval))
    return best.variant.name, (
        f"{best.variant.name}; its validation accuracy is {100 * best.difference:.1f} points{bounds} above that of "
        f"{first.name}"
    )


def fitted_model(
    store: Store, summary: StudySummary, variant: str | None = None, seed: int | None = None
) -> FittedModel:
    """A model of a study.

    Args:
      store: the study directory.
      summary: of it.
      variant: by default that of ``supported_variant``.
      seed: of the only network; None for the ensemble of all seeds. Diverged runs are left out.

    Raises:
      UnknownNameError: there is no such variant.
      StudyFileError: no run of the variant has finished well, the seed's diverged or is not there, or the study was
        trained by the first edition, which did not keep what precedes its networks.
      StoreError: a file is missing or damaged.
    """
    refuse_elsewhere(summary)
    of, choice = _chosen(summary, variant)
    records = _usable(store, of.name, seed)
    networks, inputs = [], None
    for record in records:
        inputs = load_inputs(store, record.spec.seed)
        if inputs is None:  # a run that was tested has them since there are any
            raise StudyFileError(
                f"{store.directory}: does not hold how examples become inputs of its networks, as wellfit's first "
                "edition left it; run the study again with the same command: nothing is trained again"
            )
        weights = store.runs.weights(of.name, record.spec.seed)
        networks.append(Network(record.spec.seed, weights, inputs.preparation, inputs.scaling))
    assert inputs is not None
    expected = _expected(store, of, alone=len(records) == 1)
    origin = _origin(store, summary, of, records[0].spec.recipe, choice, expected)
    _, classes = store.keepsakes.labels()
    trained = load_trained(store, (record.spec.seed for record in records), records[0].spec.recipe.examples)
    form = load_form(store, inputs)
    model = FittedModel(records[0].spec.recipe.model, classes, tuple(networks), form, origin, trained)
    try:
        check_sound(model)
    except (WellfitError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StoreUnreadableError(
            f"{store.directory}: the model of {of.name} is damaged: {one_line(error)}; see wellfit verify"
        ) from None
    return model


def refitted_model(
    session: Session, store: Store, summary: StudySummary, variant: str | None = None, *, with_test: bool = False
) -> FittedModel:
    """A model whose networks are trained again on training and validation examples together; never evaluated.

    Args:
      session: the study with its data.
      store, summary: of its directory.
      variant: by default that of ``supported_variant``.
      with_test: whether the test examples are used too.

    Raises:
      UnknownNameError: there is no such variant.
      StudyFileError, DataError: as for ``study.refit.refit``.
    """
    refuse_elsewhere(summary)
    of, choice = _chosen(summary, variant)
    done = refit(session, store, of.name, with_test=with_test)
    pairs = zip(done.records, done.folds, strict=True)
    networks = tuple(
        Network(record.spec.seed, record.weights, fold.preparation, fold.data.scaling) for record, fold in pairs
    )
    first = done.records[0]
    inputs = load_inputs(store, first.spec.seed)
    assert inputs is not None  # a run that was tested has them
    inputs = dataclasses.replace(inputs, preparation=done.folds[0].preparation)  # may use columns that were constant
    before = _expected(store, of, alone=True)
    which = "training, validation and test" if with_test else "training and validation"
    expected = Expected(
        None,
        None,
        0,
        f"not evaluated: trained again for {done.epochs} epochs on {done.counts} {which} examples; "
        f"in the study, {before.text}",
    )
    origin = _origin(store, summary, of, first.spec.recipe, choice, expected)
    _, classes = store.keepsakes.labels()
    trained = [
        example_hashes(fold.dataset.x_train, fold.dataset.columns, [column.name for column in fold.preparation.columns])
        for fold in {id(fold): fold for fold in done.folds}.values()
    ]
    form = load_form(store, inputs)
    return FittedModel(first.spec.recipe.model, classes, networks, form, origin, np.unique(np.concatenate(trained)))


def _chosen(summary: StudySummary, variant: str | None) -> tuple[VariantSummary, str]:
    """The variant, and why it is this one."""
    name, choice = supported_variant(summary) if variant is None else (variant, f"{variant}, as asked")
    of = next((v for v in summary.variants if v.name == name), None)
    if of is None:
        raise UnknownNameError("variant", name, [v.name for v in summary.variants], "the variants of the study")
    return of, choice


def _origin(
    store: Store, summary: StudySummary, of: VariantSummary, recipe: Recipe, choice: str, expected: Expected
) -> Origin:
    return Origin(
        study=summary.name,
        title=summary.title,
        data=summary.data,
        data_hash=store.metadata.provenance().get("data hash", ""),
        variant=of.name,
        recipe=plain_of(recipe),
        choice=choice,
        accuracy=expected.accuracy,
        interval=expected.interval,
        tested=expected.tested,
        expected=expected.text,
        fingerprint=summary.fingerprint,
        version=__version__,
    )


def _usable(store: Store, variant: str, seed: int | None) -> list[RunRecord]:
    """The runs whose networks can be used: those that were tested and did not diverge."""
    records = [record for record in store.runs.records() if record.spec.variant == variant]
    if seed is not None:
        records = [record for record in records if record.spec.seed == seed]
        if not records:
            raise StudyFileError(f"{store.directory}: {variant} has no finished run with seed {seed}; see wellfit show")
    if not records:
        raise StudyFileError(f"{store.directory}: no run of {variant} has finished; run the study first")
    sound = [record for record in records if record.usable]
    if not sound:
        which = "the run" if len(records) == 1 else "every run"
        raise StudyFileError(f"{store.directory}: {which} of {variant} diverged; choose another variant or seed")
    tested = store.runs.test_scores()
    sound = [record for record in sound if (variant, record.spec.seed) in tested]
    if not sound:
        raise StudyFileError(f"{store.directory}: {variant} was not tested yet; run the study again to its end")
    return sound


def _expected(store: Store, variant: VariantSummary, *, alone: bool) -> Expected:
    """What accuracy to expect on new examples: that of one network, since an ensemble is seldom tested.

    Args:
      alone: whether the model has one network.
    """
    mean, interval = variant.mean.get("test_accuracy"), variant.interval.get("test_accuracy")
    if mean is None:
        return Expected(None, None, 0, "unknown: the test set has not been opened")
    labels, _ = store.keepsakes.labels()
    groups = store.keepsakes.test_groups()
    records = _usable(store, variant.name, None)
    judged = np.zeros(len(labels), bool)
    total, shared = np.zeros(()), True
    for record in records:
        tested = store.runs.tested(variant.name, record.spec.seed)
        shared &= tested.rows is None
        judged[tested.of(np.arange(len(labels)))] = True
        total = total + tested.probabilities if shared else total
    count, seeds = int(judged.sum()), len(records)
    one = f"one network classifies {100 * mean:.2f} % {_bounds(interval, seeds)}of new examples correctly"
    diverged = sum(run.state == "diverged" for run in variant.runs)
    out = f", {diverged} of {len(variant.runs)} trainings diverged and are left out" if diverged else ""
    one += f" ({'1 seed' if seeds == 1 else f'{seeds} seeds'}, {count:,} test examples{out})"
    if alone:
        return Expected(mean, interval, count, one)
    if not shared:
        text = f"{one}; the ensemble was not tested, since the test examples of a seed train other seeds"
        return Expected(mean, interval, count, text)
    right = float((total.argmax(axis=1) == labels).mean())
    independent = count if groups is None else len(np.unique(groups))
    low, high = (100 * bound for bound in exact_interval(right * independent, independent))
    text = f"{one}; the ensemble classifies {100 * right:.2f} % [{low:.2f}, {high:.2f}]"
    return Expected(mean, interval, count, text)


def _bounds(interval: tuple[float, float] | None, seeds: int) -> str:
    """An interval in brackets; two seeds have none that says anything."""
    if interval is None or seeds < 3:
        return ""
    return f"[{100 * interval[0]:.2f}, {100 * interval[1]:.2f}] "
