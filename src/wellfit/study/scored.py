"""The scores of a study's runs by the metric that its variants are compared on, one for each judged test example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval
from wellfit.analysis.scores import LOSSES, scores_of
from wellfit.base import Comparison, FloatArray, IntArray
from wellfit.store import Store

__all__ = ["bounds_in_own_unit", "comparison_in_own_unit", "in_own_unit", "scored_again", "scores_of_runs"]

Scores = Mapping[str, Mapping[int, NDArray[Any]]]


def scores_of_runs(
    store: Store, metric: str, variant: str, rows: Mapping[int, IntArray], labels: IntArray
) -> tuple[dict[int, NDArray[Any]], dict[int, float]]:
    """Score the tested runs of a variant, but not by accuracy; the probabilities of one seed at a time are in memory.

    Args:
      store: the study.
      metric: as in ``[compare]``.
      variant: its name.
      rows: seed -> which test examples it judges.  # (m,) each
      labels: of all test examples.  # (N,)

    Returns:
      Seed -> float32 score of each example, the larger the better; and seed -> the metric of this run alone, in its
      own unit.  # (m,) each

    Raises:
      DataError: ROC AUC of a seed whose test examples all belong to one class.
    """
    alone: dict[int, float] = {}

    def tests() -> Iterator[tuple[FloatArray, IntArray]]:
        for seed, of_seed in rows.items():
            test = store.runs.tested(variant, seed).probabilities.astype(np.float64), labels[of_seed]  # (m, K), (m,)
            alone[seed] = in_own_unit(metric, float(scores_of(metric, [test])[0].mean()))
            yield test

    folds = len({of_seed.tobytes() for of_seed in rows.values()}) > 1
    scores = [of.astype(np.float32) for of in scores_of(metric, tests(), together=folds)]
    return dict(zip(rows, scores, strict=True)), alone


def scored_again(
    store: Store, metric: str, scores: Scores, compared: Scores, rows: Mapping[int, IntArray], labels: IntArray
) -> Scores:
    """The scores of the runs that an interim analysis compares: with folds they depend on which runs these are.

    Args:
      store, metric, labels: as for ``scores_of_runs``.
      scores: of all runs.
      compared: of the runs that are compared.
      rows: seed -> which test examples it judges.  # (m,) each
    """
    if metric == "accuracy" or all(compared[name].keys() == of.keys() for name, of in scores.items()):
        return compared
    again = {name: {seed: rows[seed] for seed in of} for name, of in compared.items()}
    return {name: scores_of_runs(store, metric, name, of, labels)[0] for name, of in again.items()}


def in_own_unit(metric: str, score: float) -> float:
    """A score, or a difference of scores, as a value of the metric: losses are the better, the lower they are.

    Args:
      metric: as in ``[compare]``.
      score: the larger the better.

    Example:
      >>> in_own_unit("log_loss", -0.3), in_own_unit("accuracy", 0.9), in_own_unit("brier", 0.0)
      (0.3, 0.9, 0.0)
    """
    return 0.0 - score if metric in LOSSES else score  # not -0.0


def bounds_in_own_unit(metric: str, bounds: Interval | None) -> Interval | None:
    """An interval of scores as one of the metric.

    Example:
      >>> bounds_in_own_unit("brier", (-0.2, -0.1)), bounds_in_own_unit("roc_auc", None)
      ((0.1, 0.2), None)
    """
    if bounds is None or metric not in LOSSES:
        return bounds
    return in_own_unit(metric, bounds[1]), in_own_unit(metric, bounds[0])


def comparison_in_own_unit(metric: str, comparison: Comparison) -> Comparison:
    """A comparison of scores as one of values of the metric.

    Example:
      >>> scored = Comparison("l2", "baseline", "test_brier", 0.1, (0.0, 0.25), 0.01, 0.01, "better")
      >>> comparison_in_own_unit("brier", scored).difference, comparison_in_own_unit("brier", scored).interval
      (-0.1, (-0.25, 0.0))
    """
    bounds = bounds_in_own_unit(metric, comparison.interval)
    return replace(comparison, difference=in_own_unit(metric, comparison.difference), interval=bounds)
