"""Training without a directory: what is held out, which variant is taken, and that the choice is that of a study."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from wellfit.base import Dataset
from wellfit.data.catalog import load_dataset
from wellfit.errors import StudyFileError
from wellfit.model.direct import Direct, held_out_rows, train_direct
from wellfit.spec.study import study_from_mapping
from wellfit.study.fold import validation_overlap
from wellfit.study.run import Progress


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """The first 200, without a test set."""
    whole = load_dataset("digits")
    x, y = whole.x_train[:200], whole.y_train[:200]
    return replace(whole, x_train=x, y_train=y, x_test=x[:0], y_test=y[:0], pool=None)


def direct(dataset: Dataset, seeds: int, progress: list[Progress] | None = None, **tables: Any) -> Direct:
    usual: dict[str, Any] = {"data": {"name": "digits"}, "train": {"epochs": 2}, "model": {"hidden": [8]}}
    spec = study_from_mapping({**usual, **tables})
    rows = held_out_rows(dataset.y_train, range(seeds), spec.data.validation, spec.data.folds, 0)
    return train_direct(spec, dataset, rows, None if progress is None else progress.append)


@pytest.mark.parametrize("seeds", [1, 2, 5, 7])
def test_the_overlap_is_that_of_the_rows_held_out(digits: Dataset, seeds: int) -> None:
    rows = list(held_out_rows(digits.y_train, range(seeds), 0.2, 5, 0).values())
    pairs = [len(np.intersect1d(a, b)) / 40 for at, a in enumerate(rows) for b in rows[:at]]
    assert direct(digits, seeds).summary.validation_overlap == pytest.approx(np.mean(pairs) if pairs else 1.0)


def test_folds_of_a_study_overlap_as_much(digits: Dataset) -> None:
    spec = study_from_mapping({"data": {"name": "digits"}})
    with_test = replace(digits, x_test=digits.x_train[:1], y_test=digits.y_train[:1])
    assert direct(digits, 5).summary.validation_overlap == validation_overlap(with_test, spec.data, range(5)) == 0.0


@pytest.mark.parametrize(("share", "count"), [(0.2, 40), (0.001, 1), (0.999, 199)])
def test_what_is_held_out_is_stratified_and_never_nothing_or_all(digits: Dataset, share: float, count: int) -> None:
    drawn = held_out_rows(digits.y_train, (3, 8), share, 5, 1)
    assert {len(rows) for rows in drawn.values()} == {count}
    assert all((np.diff(rows) > 0).all() for rows in drawn.values())
    shares = np.bincount(digits.y_train, minlength=10) * count / 200
    for rows in drawn.values():
        assert np.abs(np.bincount(digits.y_train[rows], minlength=10) - shares).max() < 2


def test_one_fold_is_the_same_for_all_seeds_and_the_networks_differ(digits: Dataset) -> None:
    rows = held_out_rows(digits.y_train, range(3), 0.2, 1, 0)
    assert (rows[0] == rows[1]).all()
    assert (rows[0] == rows[2]).all()
    done = direct(digits, 3, data={"name": "digits", "folds": 1})
    first, second, _ = (network.weights["dense_1/kernel"] for network in done.model().networks)
    assert np.abs(first - second).max() > 0.01
    assert done.summary.validation_overlap == 1.0
    alone = direct(digits, 1).model().networks[0]  # seed 0 holds out the same rows with five folds
    np.testing.assert_allclose(alone.weights["dense_1/kernel"], first, atol=1e-6)


def test_progress_ends_at_all_of_the_work(digits: Dataset) -> None:
    seen: list[Progress] = []
    direct(digits, 2, seen)
    assert [p.share for p in seen] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert {(p.epochs, p.active, p.examples) for p in seen[:1]} == {(2, 1, 160)}


def test_variants_may_train_on_fewer_examples(digits: Dataset) -> None:
    done = direct(digits, 2, variants={"all": {}, "half": {"examples": 80}})
    assert done.model().origin.variant == "all"
    assert [record.spec.variant for record in done.records].count("half") == 2


def test_runs_that_diverged_are_left_out(digits: Dataset) -> None:
    with pytest.raises(StudyFileError, match="every network diverged; choose a smaller learning_rate"):
        direct(digits, 2, train={"epochs": 2, "learning_rate": 1e38}).model()
    with pytest.raises(StudyFileError, match="every network of 'wild' diverged"):
        direct(digits, 2, variants={"wild": {"learning_rate": 1e38}, "tame": {}}).model()
    done = direct(digits, 2, variants={"tame": {}, "wild": {"learning_rate": 1e38}})
    assert (done.model().origin.variant, len(done.model().networks)) == ("tame", 2)
    assert done.model("tame").origin.choice == "tame, as asked"
    with pytest.raises(StudyFileError, match="every network of 'wild' diverged"):
        done.model("wild")
    wild = done.summary.variants[1]
    assert {run.state for run in wild.runs} == {"diverged"}
    assert wild.mean == {}
