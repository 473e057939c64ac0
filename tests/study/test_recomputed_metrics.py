"""The second computation of every metric agrees with the first, which shares no code with it."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.analysis.scores import SCORED, scores_of
from wellfit.study.recomputed_metrics import confusion, mean_over, metric_of_seed
from wellfit.study.scored import in_own_unit


def predictions_of(seeds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(3)
    labels = [generator.choice(3, 60 + seed, p=[0.7, 0.2, 0.1]) for seed in range(seeds)]
    wide = [generator.dirichlet(np.ones(3), len(y)) + 0.6 * np.eye(3)[y] for y in labels]
    return [(p / p.sum(axis=1, keepdims=True), y) for p, y in zip(wide, labels, strict=True)]


@pytest.mark.parametrize("metric", SCORED)
def test_one_run_agrees(metric: str) -> None:
    for p, y in predictions_of(3):
        (scores,) = scores_of(metric, [(p, y)])
        assert metric_of_seed(metric, p, y) == pytest.approx(in_own_unit(metric, float(scores.mean())), abs=1e-12)


@pytest.mark.parametrize("metric", SCORED)
@pytest.mark.parametrize("folds", [True, False])
@pytest.mark.parametrize("seeds", [(0, 1, 2, 3), (0, 2), (3,)])
def test_some_seeds_agree(metric: str, folds: bool, seeds: tuple[int, ...]) -> None:
    tests = predictions_of(4)
    judged = {s: (metric_of_seed(metric, p, y), confusion(p, y)) for s, (p, y) in enumerate(tests)}
    scores = scores_of(metric, tests, together=folds)
    mean = np.concatenate([scores[s] for s in seeds]).mean()
    assert mean_over(metric, judged, seeds, folds) == pytest.approx(in_own_unit(metric, float(mean)), abs=1e-7)


def test_ties_count_half() -> None:
    p = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1]])
    assert metric_of_seed("roc_auc", p, np.array([0, 1, 0])) == 0.75
