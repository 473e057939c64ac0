"""What a report shows beyond the summary, computed from the store alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.calibration import pooled_calibration
from wellfit.analysis.confusions import confusion_difference
from wellfit.analysis.mistakes import VariantMistakes, joint_mistakes, variant_mistakes, votes
from wellfit.analysis.paths import sweep_grids, sweep_paths
from wellfit.analysis.per_class import class_table, ensemble
from wellfit.base import (
    Calibration,
    ClassTable,
    ConfusionDifference,
    DataOverview,
    Ensemble,
    FirstPredictions,
    FloatArray,
    IntArray,
    Mistakes,
    ModelTable,
    Regions,
    StudyDetails,
    StudySummary,
)
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.store import Store, open_existing
from wellfit.study.predictions import Predictions, Probabilities, predictions_of, seeds_tested
from wellfit.study.shareable import places_of, without_folders
from wellfit.study.single_runs import predictions_in
from wellfit.study.summarize import summary_of
from wellfit.study.weights import weight_overviews

__all__ = ["difference_between", "study_details", "summary_and_details"]

_SPLITS: Final = ("train", "validation", "test", "unused")

Kept = tuple[dict[str, NDArray[Any]], dict[str, Any]]


def summary_and_details(directory: Path) -> tuple[StudySummary, StudyDetails]:
    """Everything that a report of a study directory shows, finished or not.

    Raises:
      StoreUnreadableError: there is no study in the directory, or it is damaged.
    """
    with open_existing(directory) as store:
        summary = summary_of(store)
        return summary, _details(store, summary)


def study_details(directory: Path, summary: StudySummary) -> StudyDetails:
    """The data, mistakes, probabilities and weights of a summarized study.

    What the study lacks is None or empty. A study that was trained before pictures were kept has none until it
    is run again.

    Raises:
      StoreUnreadableError: there is no study in the directory, or it is damaged.
    """
    with open_existing(directory) as store:
        return _details(store, summary)


def difference_between(directory: Path, variant: str, against: str) -> ConfusionDifference:
    """The confusion matrix of one variant minus that of another, over the seeds that both have.

    Raises:
      UnknownNameError: there is no such variant.
      StudyFileError: they have no tested seed in common.
      StoreUnreadableError: there is no study in the directory, or it is damaged.
    """
    with open_existing(directory) as store:
        names = tuple(store.metadata.study()["variants"])
        for name in (variant, against):
            if name not in names:
                raise UnknownNameError("variant", name, names, f"the study in {directory}")
        labels, classes = store.keepsakes.labels()
        tested = seeds_tested(store)
        seeds = tuple(s for s in tested.get(variant, ()) if s in tested.get(against, ()))
        if not seeds:
            raise StudyFileError(f"{variant} and {against} have no tested seed in common; run the study first")
        if not classes:
            raise StudyFileError(f"{directory}: only accuracies are known, so there is no confusion matrix")
        one, other = (
            predictions_of(seeds, Probabilities(store, name, seeds), len(labels)).labels for name in (variant, against)
        )
    return confusion_difference(variant, against, one, other, labels, len(classes))


def _details(store: Store, summary: StudySummary) -> StudyDetails:
    kept = store.keepsakes.load()
    labels, classes = store.keepsakes.labels()
    first = next(iter(store.metadata.study()["variants"]))
    rows = kept[0].get("image_rows") if kept else None  # (I,)
    of_first: Predictions | None = None
    mistakes: dict[str, VariantMistakes] = {}
    pictured: list[IntArray] = []
    differences: dict[str, ConfusionDifference] = {}
    calibration: dict[str, Calibration] = {}
    by_class: dict[str, ClassTable] = {}
    ensembles: dict[str, Ensemble] = {}
    for name, seeds in seeds_tested(store).items() if classes else ():  # the first variant first
        p = Probabilities(store, name, seeds)
        predictions = predictions_of(seeds, p, len(labels))  # of one variant at a time, besides the first
        of_first = predictions if name == first else of_first
        mistakes[name] = variant_mistakes(predictions.labels, predictions.confidence, labels, len(classes))
        if rows is not None:
            pictured.append(votes(predictions.labels[:, rows], len(classes)))  # (I, K)
        difference = None if name == first else _difference(predictions, of_first, name, first, labels, len(classes))
        if difference is not None:
            differences[name] = difference
        if p.known:
            calibration[name] = pooled_calibration(name, p.with_labels(labels))
        by_class[name] = class_table(name, p.with_labels(labels), predictions.labels, labels, difference)
        if (
            p.known and len(seeds) > 1 and predictions.labels.min(initial=0) >= 0
        ):  # with folds, no ensemble judges an example
            ensembles[name] = ensemble(name, (run.probabilities for run in p), labels)
    damaged = store.runs.damaged()
    weights = weight_overviews(store, _with_weights(store, damaged), tuple(kept[1]["shape"]) if kept else None)
    with store.database.reading("what a report shows"):
        models = tuple(map(ModelTable.from_json, kept[1].get("models", ()))) if kept else ()
        first_images = _first_predictions(store, kept) if kept and mistakes else None
    return StudyDetails(
        data=_data_overview(kept, places_of(store.metadata.study()["data"])) if kept else None,
        mistakes=_mistakes(mistakes, labels, pictured, kept) if mistakes else None,
        differences=differences,
        calibration=calibration,
        by_class=by_class,
        ensembles=ensembles,
        weights=weights.overviews,
        regions=_regions(kept) if kept else {},
        paths=sweep_paths(summary, weights.zeros),
        grids=sweep_grids(summary),
        models=models,
        first=first_images,
        without_weights=tuple(sorted(damaged)),
    )


def _with_weights(store: Store, damaged: Collection[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    """Variant -> the seeds of its trained runs that did not diverge, and whose weights can be read."""
    seeds: dict[str, tuple[int, ...]] = {}
    for record in store.runs.records():
        if record.readout_epoch and (record.spec.variant, record.spec.seed) not in damaged:
            seeds[record.spec.variant] = (*seeds.get(record.spec.variant, ()), record.spec.seed)
    return seeds


def _difference(
    one: Predictions, other: Predictions | None, variant: str, first: str, labels: IntArray, classes: int
) -> ConfusionDifference | None:
    """From the first variant, over the seeds that both have; None if there are none."""
    seeds = [seed for seed in one.seeds if other is not None and seed in other.seeds]
    if other is None or not seeds:
        return None
    return confusion_difference(variant, first, one.of(seeds), other.of(seeds), labels, classes)


def _mistakes(
    of: Mapping[str, VariantMistakes], labels: IntArray, pictured: list[IntArray], kept: Kept | None
) -> Mistakes:
    """The misclassified test examples, with the pictures that were kept."""
    mistakes = joint_mistakes(of, labels)
    if kept is None or "images" not in kept[0]:
        return mistakes
    shown = np.stack(pictured)  # (V, I, K)
    return replace(mistakes, image_rows=kept[0]["image_rows"], images=kept[0]["images"], votes=shown)


def _data_overview(kept: Kept, places: tuple[str, ...]) -> DataOverview:
    """The data at a glance, without the folders that they are in."""
    arrays, plain = kept
    return DataOverview(
        title=without_folders(plain["title"], places),
        source=without_folders(plain["source"], places),
        shape=tuple(plain["shape"]),
        counts={split: arrays[f"count/{split}"] for split in _SPLITS if f"count/{split}" in arrays},
        examples=arrays.get("examples"),
        rows=tuple(tuple(row) for row in plain["rows"]),
        facts=tuple((name, without_folders(text, places)) for name, text in plain.get("facts", ())),
        total=plain.get("total"),
    )


def _first_predictions(store: Store, kept: Kept) -> FirstPredictions | None:
    """The first test images with what a run of the first tested variant predicts; None if they were not kept."""
    images = kept[0].get("first_images")
    if images is None:
        return None
    of = predictions_in(store, np.arange(len(images)), next(iter(seeds_tested(store))), partly=True)
    sure = of.probabilities.max(axis=1)  # (n,)
    return FirstPredictions(of.variant, of.seeds, of.rows, of.labels, of.predicted, sure, images[of.rows])


def _regions(kept: Kept) -> dict[str, Regions]:
    """The decision regions of every variant, for data with two features."""
    arrays, plain = kept
    prefix = "grid/"
    curves = _curves(arrays["x1"], plain["distance"]) if "x1" in arrays else {}
    first, second = plain.get("axes") or ("x1", "x2")
    return {
        name.removeprefix(prefix): Regions(
            variant=name.removeprefix(prefix),
            x1=arrays["x1"],
            x2=arrays["x2"],
            probability=p.mean(axis=0),
            disagreement=_disagreement(p.argmax(axis=3), p.shape[3]),
            points=arrays["points"],
            labels=arrays["point_labels"],
            curves=curves,
            axes=(first, second),
        )
        for name, p in arrays.items()  # p: (S, G, G, K)
        if name.startswith(prefix)
    }


def _disagreement(predicted: IntArray, classes: int) -> FloatArray:
    """The share of runs that do not predict the most frequent class.  # (S, G, G) -> (G, G)"""
    runs, *grid = predicted.shape
    most = votes(predicted.reshape(runs, -1), classes).max(axis=1)  # (G * G,)
    share: FloatArray = 1 - most / runs
    return share.reshape(grid)


def _curves(x1: FloatArray, distance: float | None) -> Mapping[str, FloatArray]:
    if distance is None:
        return {}
    upper = "x2 = cos(x1)" if distance == 0 else f"x2 = {distance:g} + cos(x1)"
    return {"x2 = cos(x1)": np.cos(x1), upper: distance + np.cos(x1)}
