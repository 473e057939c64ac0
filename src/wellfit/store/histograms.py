"""The histograms of a run's weights, which are kept in the file of its weights as packed arrays of their own."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from wellfit.base import IntArray, RunRecord
from wellfit.base.histograms import Histograms
from wellfit.engine.packing import pack, unpack
from wellfit.store.arrays import Arrays

__all__ = ["histograms_among", "weights_among", "with_histograms"]

_PREFIX: Final = "histograms/"
"""What their names begin with; no layer has this name."""


def with_histograms(record: RunRecord) -> Arrays:
    """The arrays of a run's file: its weights, and their histograms by epoch."""
    packed = {_PREFIX + name: pack(counts[:, None]) for name, counts in record.histograms.items()}
    return {**record.weights, **packed}


def weights_among(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The weights among the arrays of a run's file."""
    return {name: array for name, array in arrays.items() if not name.startswith(_PREFIX)}


def histograms_among(arrays: Arrays, epochs: int) -> Histograms:
    """The histograms among the arrays of a run's file; empty if it has none.

    Args:
      arrays: of the file.
      epochs: that the run has.

    Raises:
      ValueError: they cannot be those of this run and these weights.
    """
    found: dict[str, IntArray] = {}
    for name, content in arrays.items():
        if name.startswith(_PREFIX):
            array = name.removeprefix(_PREFIX)
            found[array] = counts = unpack(content, epochs, 1)[:, 0]  # (epochs, BINS)
            totals = set(counts.sum(axis=1).tolist()) - {0}
            if len(totals) > 1 or (array in arrays and totals - {arrays[array].size}):
                raise ValueError(f"{name} does not count the weights of {array}")
    return found
