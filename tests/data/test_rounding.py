"""Numbers that float32 blurs."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.data.rounding import float32_blurs


@pytest.mark.parametrize(
    ("low", "high", "whole", "blurs"),
    [
        (1.7e9, 1.7e9 + 3600, True, True),  # an hour in seconds since 1970
        (48.123, 48.133, False, True),  # a town in degrees
        (1990, 2020, True, False),
        (2**24 - 1, 2**24, True, False),  # exact
        (2**24 + 1, 2**24 + 2, True, True),
        (0.0, 1e30, False, False),
        (5e9, 5e9, True, False),  # a constant has no differences
        (np.nan, np.nan, False, False),  # no value
    ],
)
def test_what_float32_blurs(low: float, high: float, whole: bool, blurs: bool) -> None:
    assert bool(float32_blurs(low, high, whole=whole)) is blurs


def test_it_is_what_float32_does() -> None:
    rng = np.random.default_rng(0)
    for low, high in ((1.7e9, 1.7e9 + 3600), (48.123, 48.133), (0.0, 1e6), (100.0, 101.0)):
        values = rng.uniform(low, high, 1000)
        error = float(np.abs(values.astype(np.float32) - values).max()) / (high - low)
        # A rounding error of 1e-4 of the range is the limit; near a power of two it may be twice as small as foreseen.
        assert bool(float32_blurs(low, high, whole=False)) is (error > 0.5e-4)
