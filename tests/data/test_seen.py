"""Hashes by which examples are recognized, however they come."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.base import Column
from wellfit.data.seen import example_hashes

PIXELS = np.random.default_rng(0).integers(0, 256, (5000, 4, 4)).astype(np.uint8)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_the_same_pixels_have_the_same_hash_in_any_type(kind: type) -> None:
    hashes = example_hashes(PIXELS)
    assert len(np.unique(hashes)) == len(np.unique(PIXELS.reshape(5000, -1), axis=0))
    np.testing.assert_array_equal(example_hashes(PIXELS[4090:4100].astype(kind)), hashes[4090:4100])
    changed = PIXELS.copy()
    changed[7, 3, 3] ^= 1
    assert np.flatnonzero(example_hashes(changed) != hashes).tolist() == [7]


def test_rows_are_the_same_by_number_text_and_gap() -> None:
    columns = Column("a"), Column("b", ("1", "x")), Column("c")
    rows = np.array([[0.1, 0, 5], [np.nan, 1, 6], [-0.0, np.nan, 7]])
    hashes = example_hashes(rows, columns, {"a", "b"})
    others = Column("a"), Column("b", ("y", "x", "1.0")), Column("c")
    again = np.array([[np.float32(0.1), 2, np.nan], [np.nan, 1, np.nan], [0.0, np.nan, np.nan], [0.1, 0, 5]])
    assert example_hashes(again, others, {"a", "b"})[:3].tolist() == hashes.tolist()
    assert example_hashes(again, others, {"a", "b"})[3] not in hashes
    assert not np.isin(example_hashes(rows, columns, {"a", "b", "c"}), hashes).any()


def test_no_example_has_no_hash() -> None:
    assert len(example_hashes(PIXELS[:0])) == 0
