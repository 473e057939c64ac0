from pathlib import Path

import numpy as np

import stores
from wellfit.store import open_existing
from wellfit.study.predictions import Probabilities, predictions_of, seeds_tested


def test_tested_seeds_follow_the_order_of_the_study(finished_study: Path) -> None:
    with open_existing(finished_study) as store:
        found = seeds_tested(store)
        order = [name for name in store.metadata.study()["variants"] if name in found]
    rows = stores.rows(finished_study, "SELECT variant, seed FROM runs WHERE test_sha256 IS NOT NULL")
    assert {(variant, seed) for variant, seeds in found.items() for seed in seeds} == set(rows)
    assert list(found) == order
    assert all(seeds == (0, 1) for seeds in found.values())


def test_probabilities_are_read_seed_by_seed(finished_study: Path) -> None:
    with open_existing(finished_study) as store:
        p = np.stack(list(Probabilities(store, "baseline", (1, 0))))
        np.testing.assert_array_equal(p[0], store.runs.probabilities("baseline", 1))
    assert p.dtype == np.float32
    assert p.shape == (2, 359, 10)
    predictions = predictions_of((1, 0), p)
    np.testing.assert_array_equal(predictions.of([0]), p[1:].argmax(axis=2))
    np.testing.assert_array_equal(predictions.confidence, p.max(axis=2))
    assert predictions.labels.dtype == np.uint8
