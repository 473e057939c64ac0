"""Reliability diagrams as arrays, and the table of scores beyond accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Bounds, Calibration, FloatArray, StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.parts import Cell

__all__ = ["Column", "Reliability", "ScoreRow", "reliability", "score_columns", "score_rows"]

FIRM: Final = 0.005
"""The smallest share of the predictions with which a bin is part of the line: fewer make no trend."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """What a reliability diagram shows, bin by bin.

    Args:
      confidence, accuracy: mean confidence and accuracy of the bin's predictions, in percent.  # (B,)
      share: of all predictions.  # (B,)
      firm: bins with enough predictions to be part of the line.  # (B,)
    """

    confidence: FloatArray
    accuracy: FloatArray
    share: FloatArray
    firm: NDArray[np.bool_]


class Column(NamedTuple):
    """A column of the score table; ``low`` where lower is better."""

    key: str
    title: str
    low: bool = False


COLUMNS: Final = (
    Column("macro_f1", "Macro F1"),
    Column("top_k", "Top-3 accuracy"),
    Column("roc_auc", "ROC AUC"),
    Column("ece", "Calibration error (ECE)", low=True),
    Column("brier", "Brier score", low=True),
    Column("ensemble", "Ensemble accuracy"),
    Column("gain", "Gain over a single run"),
)


@dataclass(frozen=True)
class ScoreRow:
    """A variant's scores, one cell per column of `score_columns`."""

    index: int
    name: str
    cells: tuple[Cell, ...]


def reliability(calibration: Calibration) -> Reliability:
    """The reliability diagram of a variant."""
    share = calibration.count / max(int(calibration.count.sum()), 1)  # (B,)
    return Reliability(100 * calibration.confidence, 100 * calibration.accuracy, share, share >= FIRM)


def score_columns(details: StudyDetails) -> tuple[Column, ...]:
    """The columns that some variant has a number for."""
    known = {key for table in details.by_class.values() for key in table.averages}
    known |= {key for calibration in details.calibration.values() for key in calibration.scores}
    known |= {"ensemble", "gain"} if details.ensembles else set()
    return tuple(column for column in COLUMNS if column.key in known)


def score_rows(summary: StudySummary, details: StudyDetails) -> tuple[ScoreRow, ...]:
    """The scores of every tested variant."""
    columns = score_columns(details)
    return tuple(
        ScoreRow(index, variant.name, tuple(_cell(details, variant.name, column.key) for column in columns))
        for index, variant in enumerate(summary.variants)
        if variant.name in details.by_class or variant.name in details.calibration
    )


def _cell(details: StudyDetails, variant: str, key: str) -> Cell:
    table, calibration = details.by_class.get(variant), details.calibration.get(variant)
    ensemble = details.ensembles.get(variant)
    if key == "ensemble" and ensemble is not None:
        return Cell(wording.percent(ensemble.accuracy), wording.interval(ensemble.interval), ensemble.accuracy)
    if key == "gain" and ensemble is not None:
        gain = ensemble.accuracy - ensemble.single
        seeds = wording.count(ensemble.members, "seed")
        return Cell(f"{wording.points(gain, signed=True)} points ({seeds})", value=gain)
    if calibration is not None and key in calibration.scores:
        return _score(calibration.scores[key], calibration.intervals.get(key), key)
    if table is not None and key in table.averages:
        return _score(*table.averages[key], key)
    return Cell(wording.NOTHING)


def _score(value: float, bounds: Bounds, key: str) -> Cell:
    if not math.isfinite(value):
        return Cell(wording.NOTHING)
    if key in ("top_k", "ece"):
        return Cell(wording.percent(value), wording.interval(bounds), value)
    return Cell(wording.number(value, 4), wording.interval(bounds, 1.0, 4), value)
