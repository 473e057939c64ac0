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
        tests = list(Probabilities(store, "baseline", (1, 0)))
        labels, _ = store.keepsakes.labels()
        np.testing.assert_array_equal(tests[0].probabilities, store.runs.tested("baseline", 1).probabilities)
        pairs = list(Probabilities(store, "baseline", (1, 0)).with_labels(labels))
    assert tests[0].probabilities.dtype == np.float32
    assert tests[0].probabilities.shape == (359, 10)
    predictions = predictions_of((1, 0), tests, 1797)
    for place, (p, rows, *_) in enumerate(tests):
        assert rows is not None  # of its fold
        np.testing.assert_array_equal(predictions.of([1 - place])[0, rows], p.argmax(axis=1))
        np.testing.assert_array_equal(predictions.confidence[place, rows], p.max(axis=1))
        assert (np.delete(predictions.labels[place], rows) == -1).all()
        assert np.isnan(np.delete(predictions.confidence[place], rows)).all()
        np.testing.assert_array_equal(pairs[place][1], labels[rows])
    assert predictions.labels.dtype == np.int8
