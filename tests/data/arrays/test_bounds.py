"""Arrays far larger than their file, and Python objects."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.data.arrays.bounds import check_size, refuse_objects
from wellfit.errors import DataError


def test_arrays_that_the_file_cannot_hold():
    with pytest.raises(DataError, match=r"a\.npz: an array of shape \(1000000000, 9\) takes 67\.1 GiB, .* 1,000 bytes"):
        check_size((10**9, 9), np.dtype("f8"), 1000, "a.npz")
    check_size((10**9, 9), np.dtype("f8"), 9 * 8 * 10**9, "a.npz")
    check_size((1000, 1000), np.dtype("f8"), 100, "zeros.npz")


def test_objects_are_refused_with_how_to_save_them():
    with pytest.raises(DataError, match=r"a pickled Python object .*np\.savez\(file, x=d\['x'\], y=d\['y'\]\)"):
        refuse_objects("a.npz (d)", ())
    with pytest.raises(DataError, match=r"array of Python objects, .*np\.stack\(list\(x\)\).*y\.astype\(str\)"):
        refuse_objects("a.npz (x)", (5,))
