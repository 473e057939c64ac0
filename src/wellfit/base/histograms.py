"""Histograms of weights: the bins, and counts in them for every array of a network and every epoch.

The bins are symmetric and logarithmic, the same for every array, so that epochs, layers, variants and studies can be
compared, and nothing has to be known of the weights before they are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np

from wellfit.base.data import FloatArray, IntArray

__all__ = ["BINS", "BIN_EDGES", "FIRST_OCTAVE", "LAST_OCTAVE", "OCTAVE_BITS", "Histograms"]

FIRST_OCTAVE: Final = -10
"""Magnitudes below ``2**FIRST_OCTAVE``, about 0.001, share the middle bin with zero."""

LAST_OCTAVE: Final = 4
"""Magnitudes from ``2**LAST_OCTAVE``, 16, share the outermost bins."""

OCTAVE_BITS: Final = 2
"""Every octave in between is divided into ``2**OCTAVE_BITS`` bins of equal width.

A bin is then never wider than a quarter of its weights, whether a network's weights are about 0.01 or about 1, and the
place of a weight is its exponent and the first two bits of its mantissa, so that a weight is counted without a search.
"""

_POSITIVE: Final = [
    2.0**octave * (1 + part / 2**OCTAVE_BITS)
    for octave in range(FIRST_OCTAVE, LAST_OCTAVE)
    for part in range(2**OCTAVE_BITS)
]

BIN_EDGES: Final[FloatArray] = np.array(
    [*(-(2.0**LAST_OCTAVE), *(-edge for edge in reversed(_POSITIVE))), *_POSITIVE, 2.0**LAST_OCTAVE]
)
"""The edges between the bins, ascending; the outermost bins have no outer edge.  # (BINS - 1,)

An edge belongs to the bin that is farther from zero."""

BINS: Final = len(BIN_EDGES) + 1

Histograms: TypeAlias = Mapping[str, IntArray]
"""Array name, such as ``"dense_1/kernel"`` -> counts after each epoch.  # (epochs, BINS)

An epoch without counts has zeros: the last one of a run that diverged, and those that an earlier version trained."""
