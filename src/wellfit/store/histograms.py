"""The histograms of a run's weights, which are kept in the file of its weights as packed arrays of their own."""

from __future__ import annotations

import re
from typing import Any, Final

from numpy.typing import NDArray

from wellfit.base import IntArray, RunRecord
from wellfit.base.histograms import Histograms
from wellfit.engine.packing import pack, unpack
from wellfit.store.arrays import Arrays

__all__ = ["histograms_among", "weights_among", "with_histograms"]

_PREFIX: Final = "histograms/"
"""What their names begin with; no layer has this name."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,50}_[1-9][0-9]{0,8}/[a-z_]{1,50}")  # "dense_1/kernel"


def with_histograms(record: RunRecord) -> Arrays:
    """The arrays of a run's file: its weights, and their histograms by epoch."""
    packed = {_PREFIX + name: pack(counts[:, None]) for name, counts in record.histograms.items()}
    return {**record.weights, **packed}


def weights_among(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The weights among the arrays of a run's file.

    Raises:
      ValueError: a kernel that is none.
    """
    weights = {name: array for name, array in arrays.items() if not name.startswith(_PREFIX)}
    for name, array in weights.items():
        is_kernel = _NAME.fullmatch(name) and array.dtype.kind == "f" and array.ndim in (2, 4) and array.size
        if name.endswith("/kernel") and not is_kernel:
            raise ValueError(f"{name} ({array.dtype}, {array.shape}) is no kernel")
    return weights


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
            if not _NAME.fullmatch(array):
                raise ValueError(f"{name} is of no weights")
            found[array] = counts = unpack(content, epochs, 1)[:, 0]  # (epochs, BINS)
            totals = set(counts.sum(axis=1).tolist()) - {0}
            if len(totals) > 1 or (array in arrays and totals - {arrays[array].size}):
                raise ValueError(f"{name} does not count the weights of {array}")
    return found
