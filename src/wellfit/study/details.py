"""What a report looks into beyond the summary, computed from the store alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.calibration import pooled_calibration
from wellfit.analysis.confusions import confusion_difference
from wellfit.analysis.mistakes import count_mistakes, votes
from wellfit.analysis.paths import sweep_grids, sweep_paths
from wellfit.analysis.per_class import class_table, ensemble
from wellfit.base import (
    Calibration,
    ClassTable,
    ConfusionDifference,
    DataLook,
    Ensemble,
    FloatArray,
    IntArray,
    Mistakes,
    Regions,
    StudyDetails,
    StudySummary,
)
from wellfit.store import Store, open_existing
from wellfit.study.summary import summarize
from wellfit.study.tested import Answers, answered_seeds, answers, probabilities
from wellfit.study.weights import weight_looks

__all__ = ["study_details"]

Kept = tuple[dict[str, NDArray[Any]], dict[str, Any]]


def study_details(directory: Path, summary: StudySummary | None = None) -> StudyDetails:
    """Look into a study: its data, its mistakes, its probabilities and its weights.

    Args:
      directory: the study directory, finished or not; a study that was made before pictures were kept has none until
        it is run again.
      summary: the study's summary, where the caller has it already.

    Returns:
      The details; what the study has nothing of is None or empty.

    Raises:
      StoreUnreadableError: there is no study in it, or it is damaged.
    """
    with open_existing(directory) as store:
        kept = store.keepsakes.load()
        labels, classes = store.keepsakes.labels()
        runs = answered_seeds(store)
        scores = _Scores(labels, len(classes), next(iter(store.metadata.study()["variants"])))
        for variant, seeds in runs.items():
            scores.add(variant, seeds, probabilities(store, variant, seeds))
        weights = weight_looks(store, _read_out(store), tuple(kept[1]["shape"]) if kept else None)
        summary = summary or summarize(directory)
        return StudyDetails(
            look=_look(kept) if kept else None,
            mistakes=_mistakes(scores, kept) if runs else None,
            differences=scores.differences,
            calibration=scores.calibration,
            by_class=scores.by_class,
            ensembles=scores.ensembles,
            weights=weights.looks,
            regions=_regions(kept) if kept else {},
            paths=sweep_paths(summary, weights.zeros),
            grids=sweep_grids(summary),
        )


def _read_out(store: Store) -> dict[str, tuple[int, ...]]:
    """The seeds of every variant's runs that have weights: all that were trained and did not diverge."""
    seeds: dict[str, tuple[int, ...]] = {}
    for record in store.runs.records():
        if record.readout_epoch:
            seeds[record.spec.variant] = (*seeds.get(record.spec.variant, ()), record.spec.seed)
    return seeds


class _Scores:
    """What is concluded from test probabilities, one variant after another: they are not all in memory at once."""

    def __init__(self, labels: IntArray, classes: int, first: str) -> None:
        self.labels, self.classes, self.first = labels, classes, first
        self.said: dict[str, Answers] = {}
        self.differences: dict[str, ConfusionDifference] = {}
        self.calibration: dict[str, Calibration] = {}
        self.by_class: dict[str, ClassTable] = {}
        self.ensembles: dict[str, Ensemble] = {}

    def add(self, variant: str, seeds: tuple[int, ...], p: FloatArray) -> None:
        """Take in a variant; the first one comes before the others, if it has tested runs.  # p (S, M, K)"""
        self.said[variant] = answers(seeds, p)
        difference = self._difference(variant)
        if difference is not None:
            self.differences[variant] = difference
        self.calibration[variant] = pooled_calibration(variant, p, self.labels)
        self.by_class[variant] = class_table(variant, p, self.labels, difference)
        if len(seeds) > 1:
            self.ensembles[variant] = ensemble(variant, p, self.labels)

    def _difference(self, variant: str) -> ConfusionDifference | None:
        """From the first variant, over the seeds that both have; None for the first, or without a common seed."""
        if variant == self.first or self.first not in self.said:
            return None
        one, other = self.said[variant], self.said[self.first]
        seeds = [seed for seed in one.seeds if seed in other.seeds]
        if not seeds:
            return None
        return confusion_difference(variant, self.first, one.of(seeds), other.of(seeds), self.labels, self.classes)


def _mistakes(scores: _Scores, kept: Kept | None) -> Mistakes:
    """What was got wrong, with the pictures that were kept."""
    predicted = {variant: said.predicted for variant, said in scores.said.items()}
    confidence = {variant: said.confidence for variant, said in scores.said.items()}
    found = count_mistakes(predicted, confidence, scores.labels, scores.classes)
    if kept is None or "images" not in kept[0]:
        return found
    rows = kept[0]["image_rows"]  # (I,)
    counts = np.stack([votes(said[:, rows], scores.classes) for said in predicted.values()])  # (V, I, K)
    return replace(found, image_rows=rows, images=kept[0]["images"], votes=counts)


def _look(kept: Kept) -> DataLook:
    arrays, facts = kept
    return DataLook(
        title=facts["title"],
        source=facts["source"],
        shape=tuple(facts["shape"]),
        counts={split: arrays[f"count/{split}"] for split in ("train", "validation", "test")},
        examples=arrays.get("examples"),
        rows=tuple(tuple(row) for row in facts["rows"]),
    )


def _regions(kept: Kept) -> dict[str, Regions]:
    """The decision regions of every variant, where the data have two features."""
    arrays, facts = kept
    prefix = "grid/"
    curves = _curves(arrays["x1"], facts["distance"]) if "x1" in arrays else {}
    return {
        name.removeprefix(prefix): Regions(
            variant=name.removeprefix(prefix),
            x1=arrays["x1"],
            x2=arrays["x2"],
            probability=said.mean(axis=0),
            disagreement=_disagreement(said.argmax(axis=3), said.shape[3]),
            points=arrays["points"],
            labels=arrays["point_labels"],
            curves=curves,
        )
        for name, said in arrays.items()  # said: (S, G, G, K)
        if name.startswith(prefix)
    }


def _disagreement(predicted: IntArray, classes: int) -> FloatArray:
    """The share of runs whose class is not the most frequent one, at every point.  # (S, G, G) -> (G, G)"""
    runs, *grid = predicted.shape
    most = votes(predicted.reshape(runs, -1), classes).max(axis=1)  # (G * G,)
    share: FloatArray = 1 - most / runs
    return share.reshape(grid)


def _curves(x1: FloatArray, distance: float | None) -> Mapping[str, FloatArray]:
    if distance is None:
        return {}
    upper = "x2 = cos(x1)" if distance == 0 else f"x2 = {distance:g} + cos(x1)"
    return {"x2 = cos(x1)": np.cos(x1), upper: distance + np.cos(x1)}
