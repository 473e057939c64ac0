"""Histograms beside the weights: they come back, and are none of the weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saved_runs import opened, record
from wellfit.base.histograms import BINS
from wellfit.engine.packing import pack
from wellfit.errors import StoreUnreadableError
from wellfit.store.histograms import histograms_among, weights_among, with_histograms


def counts(size: int, epochs: int = 4) -> np.ndarray:
    """Histograms of an array of so many weights.  # (epochs, BINS)"""
    places = np.random.default_rng(size).integers(0, BINS, (epochs, size))
    return np.stack([np.bincount(of, minlength=BINS) for of in places])


def test_histograms_come_back(tmp_path: Path) -> None:
    kept = {"dense_1/kernel": counts(6), "dense_1/bias": counts(2)}
    with opened(tmp_path / "s") as store:
        store.runs.save([record("l2", 0, histograms=kept), record("l2", 1)])
        read = store.runs.histograms("l2", 0)
        assert set(read) == set(kept)
        for name, of in kept.items():
            np.testing.assert_array_equal(read[name], of)
        assert set(store.runs.weights("l2", 0)) == set(record("l2", 0).weights)
        assert store.runs.parameters("l2") == 8
        assert store.runs.histograms("l2", 1) == {}
        with pytest.raises(KeyError):
            store.runs.histograms("l2", 9)


def test_an_epoch_without_counts_is_no_damage() -> None:
    late = counts(6)
    late[:2] = 0
    kept = with_histograms(record(histograms={"dense_1/kernel": late}))
    np.testing.assert_array_equal(histograms_among(kept, 4)["dense_1/kernel"], late)
    assert set(weights_among(kept)) == set(record().weights)


@pytest.mark.parametrize("of", [counts(7), np.concatenate([counts(6, 3), counts(5, 1)]), counts(6, 3)])
def test_counts_of_other_weights_are_refused(tmp_path: Path, of: np.ndarray) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record("l2", 0, histograms={"dense_1/kernel": of})])
        with pytest.raises(StoreUnreadableError, match=r"weights/l2\.0\.npz: not a file of wellfit \(.*; restore it"):
            store.runs.histograms("l2", 0)


def test_counts_of_a_diverged_run_agree_with_each_other() -> None:
    arrays: dict[str, Any] = {"histograms/dense_1/kernel": pack(np.concatenate([counts(6, 1), counts(5, 1)])[:, None])}
    with pytest.raises(ValueError, match="does not count the weights of dense_1/kernel"):
        histograms_among(arrays, 2)


@pytest.mark.parametrize("name", ["evil", "", "evil/kernel", "dense_x/kernel", "dense_1", "../dense_1/kernel"])
def test_histograms_of_no_weights_are_refused(tmp_path: Path, name: str) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record("l2", 0, histograms={name: counts(6)})])
        with pytest.raises(StoreUnreadableError, match=r"l2\.0\.npz: not .* \(.* is of no weights\)"):
            store.runs.histograms("l2", 0)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("evil/kernel", np.zeros((2, 2), np.float32)),
        ("dense_1/kernel", np.zeros(2, np.float32)),
        ("dense_1/kernel", np.zeros((2, 0), np.float32)),
        ("dense_1/kernel", np.zeros((2, 2), bool)),
    ],
)
def test_kernels_that_are_none_are_refused(tmp_path: Path, name: str, array: Any) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([dataclasses.replace(record("l2", 0), weights={name: array})])
        with pytest.raises(StoreUnreadableError, match=r"l2\.0\.npz: not a file of wellfit \(.* is no kernel\)"):
            store.runs.weights("l2", 0)
