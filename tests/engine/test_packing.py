"""Histograms as bytes: they come back, and bytes that are none are refused."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wellfit.base import IntArray
from wellfit.base.histograms import BINS
from wellfit.engine.packing import pack, unpack


@given(
    hnp.arrays(
        np.int64, st.tuples(st.integers(1, 3), st.integers(1, 2), st.just(BINS)), elements=st.integers(0, 2**32 - 1)
    )
)
def test_counts_come_back(counts: IntArray) -> None:
    np.testing.assert_array_equal(unpack(pack(counts), len(counts), counts.shape[1]), counts)
    np.testing.assert_array_equal(unpack(pack(counts), len(counts)), counts)


def test_an_epoch_takes_a_few_hundred_bytes() -> None:
    random = np.random.default_rng(0)
    places = np.clip(np.rint(random.normal(57, 18, size=(30, 20_000))), 0, BINS - 1).astype(int)
    counts = np.stack([np.bincount(of, minlength=BINS) for of in places])
    assert pack(counts[:, None]).size < 30 * 2 * BINS


@pytest.mark.parametrize(
    ("content", "epochs", "words"),
    [
        (np.zeros(9, np.uint8), 1, "damaged"),
        (np.zeros((2, 2), np.uint8), 1, "no packed histogram"),
        (np.zeros(9, np.float32), 1, "no packed histogram"),
        (pack(np.ones((2, 1, BINS))), 0, "no packed histogram of 0 epochs"),
        (pack(np.ones((2, 1, BINS))), 3, "not of 3 epochs"),
        (pack(np.ones((2, 1, BINS)))[:-1], 2, "not of 2 epochs"),
        (np.frombuffer(zlib.compress(bytes(10_000_000)), np.uint8), 2, "not of 2 epochs"),
    ],
)
def test_other_bytes_are_refused(content: np.ndarray, epochs: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        unpack(content, epochs, 1)
