"""The bins of histograms."""

from __future__ import annotations

import numpy as np

from wellfit.base.histograms import BIN_EDGES, BINS


def test_the_bins_are_symmetric_and_ascend() -> None:
    assert len(BIN_EDGES) == BINS - 1 == 114
    assert (np.diff(BIN_EDGES) > 0).all()
    np.testing.assert_array_equal(BIN_EDGES, -BIN_EDGES[::-1])
    assert (BIN_EDGES[BINS // 2], BIN_EDGES[-1]) == (2.0**-10, 16.0)


def test_no_bin_is_wider_than_a_quarter_of_its_weights() -> None:
    positive = BIN_EDGES[BINS // 2 :]
    assert (np.diff(positive) / positive[:-1]).max() == 0.25
