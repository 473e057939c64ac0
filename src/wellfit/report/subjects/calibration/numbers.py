"""Scores beyond the accuracy: of every class, of the probabilities, and of a variant's seeds asked together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from wellfit.base import Bounds, ClassTable, FloatArray, StudyDetails, StudySummary
from wellfit.report import wording

__all__ = ["ClassPanel", "ClassRow", "Gain", "ScoreRow", "class_panels", "gain_rows", "score_columns", "score_rows"]

AVERAGES: Final = {"macro_f1": "F1, mean of classes", "top_k": "right among first three", "roc_auc": "ROC AUC"}
"""The averages of a class table that are shown, and what a table's head calls them."""


@dataclass(frozen=True)
class Gain:
    """How much better a class is recognized than by the first variant: text, strength of the tint, kind, full text."""

    text: str
    strength: int
    kind: str  # "up", "down" or "open": the interval holds zero
    full: str
    interval: str


@dataclass(frozen=True)
class ClassRow:
    """One class in the table of a variant, every number as text."""

    name: str
    support: str
    recall: str
    interval: str
    precision: str
    f1: str
    gain: Gain | None


@dataclass(frozen=True)
class ClassPanel:
    """The table of a variant."""

    index: int
    name: str
    rows: tuple[ClassRow, ...]


@dataclass(frozen=True)
class ScoreRow:
    """A variant in the table of further scores: (value to sort by, text, interval) by column."""

    index: int
    name: str
    cells: tuple[tuple[float | None, str, str], ...]


def class_panels(summary: StudySummary, details: StudyDetails) -> list[ClassPanel]:
    """A table of every class for every variant that was tested."""
    return [
        ClassPanel(index, variant.name, tuple(_class_row(summary, details.by_class[variant.name], k) for k in classes))
        for classes in [range(len(summary.classes))]
        for index, variant in enumerate(summary.variants)
        if variant.name in details.by_class
    ]


def gain_rows(summary: StudySummary, details: StudyDetails) -> list[tuple[int, str, tuple[Gain, ...]]]:
    """Position and name of every variant but the first, and its gain in each class."""
    return [
        (index, variant.name, tuple(_gain(table, k, summary.classes[k]) for k in range(len(summary.classes))))
        for index, variant in enumerate(summary.variants)
        if (table := details.by_class.get(variant.name)) is not None and table.gain is not None
    ]


def score_columns(details: StudyDetails) -> list[tuple[str, str]]:
    """Key and title of every column that some variant has a number for."""
    known = {key for table in details.by_class.values() for key in table.averages}
    scored = {key for c in details.calibration.values() for key in c.scores}
    titles = [("ece", "calibration error (ECE)"), ("brier", "Brier score")]
    together = [("ensemble", "ensemble of the seeds"), ("more", "gain on a single run")] if details.ensembles else []
    return [
        *((k, t) for k, t in AVERAGES.items() if k in known),
        *((k, t) for k, t in titles if k in scored),
        *together,
    ]


def score_rows(summary: StudySummary, details: StudyDetails) -> list[ScoreRow]:
    """Averages, calibration and ensemble of every variant that was tested."""
    columns = [key for key, _ in score_columns(details)]
    return [
        ScoreRow(index, variant.name, tuple(_score(details, variant.name, key) for key in columns))
        for index, variant in enumerate(summary.variants)
        if variant.name in details.by_class or variant.name in details.calibration
    ]


def _score(details: StudyDetails, variant: str, key: str) -> tuple[float | None, str, str]:
    """Value, text and interval of one cell."""
    table, calibration = details.by_class.get(variant), details.calibration.get(variant)
    ensemble = details.ensembles.get(variant)
    if key in ("ensemble", "more"):
        if ensemble is None:
            return None, wording.NOTHING, ""
        if key == "ensemble":
            return ensemble.accuracy, wording.percent(ensemble.accuracy), wording.interval(ensemble.interval)
        more = ensemble.accuracy - ensemble.single
        return more, f"{wording.points(more, signed=True)} points ({wording.count(ensemble.members, 'seed')})", ""
    if calibration is not None and key in calibration.scores:
        return _plain(calibration.scores[key], calibration.intervals.get(key), key)
    if table is not None and key in table.averages:
        return _plain(*table.averages[key], key)
    return None, wording.NOTHING, ""


def _plain(value: float, bounds: Bounds, key: str) -> tuple[float | None, str, str]:
    if not math.isfinite(value):
        return None, wording.NOTHING, ""
    if key in ("top_k", "ece"):
        return value, wording.percent(value), wording.interval(bounds)
    return value, wording.number(value, 4), wording.interval(bounds, 1.0, 4)


def _class_row(summary: StudySummary, table: ClassTable, k: int) -> ClassRow:
    return ClassRow(
        name=summary.classes[k],
        support=f"{int(table.support[k]):,}",
        recall=_percent(table.recall, k),
        interval=_bounds(table.recall_low, table.recall_high, k),
        precision=_percent(table.precision, k),
        f1=_percent(table.f1, k),
        gain=None if table.gain is None else _gain(table, k, summary.classes[k]),
    )


def _gain(table: ClassTable, k: int, name: str) -> Gain:
    assert table.gain is not None
    value = float(table.gain[k])
    bounds = _bounds(table.gain_low, table.gain_high, k, signed=True)
    low, high = (math.nan if array is None else float(array[k]) for array in (table.gain_low, table.gain_high))
    kind = "up" if low > 0 else "down" if high < 0 else "open"
    text = wording.points(value, signed=True)
    if not math.isfinite(value):
        return Gain(text, 0, "open", f"{name}: {wording.NOTHING}", "")
    full = f"{table.variant}, {name}: {text} points {bounds}".rstrip()
    shown = wording.number(100 * value, 1, signed=True) if abs(value) >= 0.0005 else "0"
    return Gain(shown, min(100, round(1000 * abs(value))), kind, full, bounds)


def _percent(values: FloatArray, k: int) -> str:
    return wording.percent(float(values[k]), "")


def _bounds(low: FloatArray | None, high: FloatArray | None, k: int, signed: bool = False) -> str:
    if low is None or high is None:
        return ""
    pair: Any = (float(low[k]), float(high[k]))
    return wording.interval(pair, signed=signed)
