"""NumPy's ``.npz`` archives."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.data.assemble import Part, RawData
from wellfit.errors import DataError

__all__ = ["read_npz"]


def read_npz(path: Path) -> RawData:
    """Read a NumPy archive with ``x_train``, ``y_train``, ``x_test`` and ``y_test``, or with ``x`` and ``y``.

    Args:
      path: the ``.npz`` file. Labels may have shape (N, 1).

    Returns:
      Examples and labels; no test set if the archive has ``x`` and ``y``.

    Raises:
      DataError: the file is not an ``.npz`` archive, is damaged, contains Python objects, or lacks an array.
    """
    try:
        arrays = _load_npz(path)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        text = f"{path}: not a readable .npz archive of plain arrays ({' '.join(str(error).split())}); save it again"
        raise DataError(text) from None
    keys = ("x", "y") if {"x", "y"} <= arrays.keys() else ("x_train", "y_train", "x_test", "y_test")
    missing = [key for key in keys if key not in arrays]
    if missing:
        present = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(
            f"{path}: lacks {', '.join(missing)} (it has {present}); save x_train, y_train, x_test, y_test, or x and y"
        )
    where = f"{path} ({keys[0]})"
    if len(keys) == 2:
        return RawData(Part(arrays["x"], _column(arrays["y"]), where))
    x_train, y_train, x_test, y_test = (arrays[key] for key in keys)
    return RawData(Part(x_train, _column(y_train), where), Part(x_test, _column(y_test), f"{path} ({keys[2]})"))


def _load_npz(path: Path) -> dict[str, NDArray[Any]]:
    with path.open("rb") as file:  # opened here: np.load leaves a damaged archive open
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it is a single array")
        return {key: archive[key] for key in archive.files}


def _column(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels of shape (N, 1) as (N,)."""
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
