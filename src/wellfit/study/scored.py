"""The scores of a study's runs by the metric that its variants are compared on, one for each judged test example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.scores import LOSSES, scores_of
from wellfit.base import Comparison, FloatArray, IntArray, PairedEvidence, Ranked
from wellfit.store import Store

__all__ = ["in_own_unit", "scored_again", "scores_of_runs"]

Scores = Mapping[str, Mapping[int, NDArray[Any]]]
Known = TypeVar("Known", float, Comparison, PairedEvidence, Ranked)


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
      Seed -> float32 score of each example, the larger the better; and seed -> the metric of this run alone, in its own unit.
      # (m,) each

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


def in_own_unit(metric: str, known: Known) -> Known:
    """What is known of scores as it is in the unit of the metric: losses are the better, the lower they are.

    Args:
      metric: as in ``[compare]``.
      known: a mean score, or what was found by comparing scores.

    Example:
      >>> in_own_unit("log_loss", -0.3), in_own_unit("accuracy", 0.9), in_own_unit("brier", 0.0)
      (0.3, 0.9, 0.0)
      >>> better = Comparison("l2", "baseline", "test_log_loss", 0.02, (0.01, 0.03), 0.01, 0.01, "better")
      >>> in_own_unit("log_loss", better).interval
      (-0.03, -0.01)
    """
    if metric not in LOSSES:
        return known
    if isinstance(known, Comparison):
        return replace(known, difference=0.0 - known.difference, interval=_turned(known.interval))
    if isinstance(known, PairedEvidence):
        turned = (_turned(known.interval90), _turned(known.bootstrap_interval))
        return replace(known, interval90=turned[0], bootstrap_interval=turned[1])
    if isinstance(known, Ranked):
        return known._replace(mean=0.0 - known.mean)
    return 0.0 - known  # not -0.0


def _turned(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if bounds is None else (0.0 - bounds[1], 0.0 - bounds[0])
