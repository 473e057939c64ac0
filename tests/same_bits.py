"""Records that must be equal to the last bit."""

from __future__ import annotations

import numpy as np

from wellfit.base import RunRecord


def assert_same_bits(a: RunRecord, b: RunRecord) -> None:
    """Compare what was trained: state, history and weights."""
    assert (a.spec, a.state, a.epochs, a.readout_epoch) == (b.spec, b.state, b.epochs, b.readout_epoch)
    for column in a.history.columns:
        np.testing.assert_array_equal(a.history[column], b.history[column])
    assert a.weights.keys() == b.weights.keys()
    for name, weights in a.weights.items():
        np.testing.assert_array_equal(weights, b.weights[name])
