"""The results of a variant, read from their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from predictions import LABELS, all_runs
from wellfit.judging import judge
from wellfit.store import open_existing
from wellfit.study.outcomes import outcomes_of


def test_results_are_those_of_the_predictions(tmp_path: Path):
    runs = all_runs(2)
    place = judge(LABELS, runs, out=tmp_path / "judged").directory
    with open_existing(place) as store:
        found = outcomes_of(store, "accuracy", "l2", {0: 0.0, 1: 0.0}, LABELS, 3)
        brier = outcomes_of(store, "brier", "l2", {0: 0.0, 1: 0.0}, LABELS, 3)
    for seed, p in enumerate(runs["l2"]):
        np.testing.assert_array_equal(found.correct[seed], p.argmax(axis=1) == LABELS)
        expected = -np.log(p.astype(np.float64)[np.arange(len(p)), LABELS])
        np.testing.assert_allclose(found.loss[seed], expected, rtol=1e-9)
        score = np.square(p.astype(np.float64) - np.eye(3)[LABELS]).sum(axis=1).mean()
        assert abs(brier.of_run[seed] - score) < 1e-9
    assert found.confusion.sum() == 2 * len(LABELS)


def test_accuracies_alone_are_one_score_a_run(tmp_path: Path):
    place = judge(None, {"a": [0.5, 0.75]}, out=tmp_path / "judged").directory
    with open_existing(place) as store:
        found = outcomes_of(store, "accuracy", "a", {0: 0.5, 1: 0.75}, np.zeros(0, np.int64), 0)
    assert {seed: (score.shape, float(score)) for seed, score in found.scores.items()} == {0: ((), 0.5), 1: ((), 0.75)}
    assert not found.correct
