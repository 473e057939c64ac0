"""Test and validation sets that settings name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wellfit.base import Reading
from wellfit.data.catalog import load_dataset
from wellfit.data.given import with_given_sets
from wellfit.data.parts import Part, RawData
from wellfit.errors import DataError

X, Y = np.arange(80.0).reshape(20, 4), np.arange(20) % 2


def save(path: Path, x=X, y=Y) -> Path:
    np.savez(path, x=x, y=y)
    return path


def test_files_in_the_settings_are_used(tmp_path: Path, monkeypatch):
    path, test = save(tmp_path / "a.npz"), save(tmp_path / "b.npz", X + 1)
    np.savez(tmp_path / "c.npz", x_val=X[:4], y_val=Y[:4])
    for named in (str(test), "b.npz"):
        data = load_dataset(path, Reading(test_file=named, validation_file="c.npz"))
        np.testing.assert_array_equal(data.x_test, (X + 1).astype(np.float32))
        assert data.validation_rows.tolist() == [20, 21, 22, 23]
    monkeypatch.chdir(tmp_path)
    assert len(load_dataset(path, Reading(test_file="b.npz")).x_train) == 20


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("absent.npz", r'\[data\] test_file = "absent\.npz": no such file or folder'),
        ("table.csv", r'test_file = "table\.csv": is in another form than .*a\.npz'),
        ("both.npz", r'test_file = "both\.npz": has several sets; save the test set alone'),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, named, message):
    path = save(tmp_path / "a.npz")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    np.savez(tmp_path / "both.npz", x_train=X, y_train=Y, x_test=X, y_test=Y)
    with pytest.raises(DataError, match=message):
        load_dataset(path, Reading(test_file=named))


def test_two_test_sets_are_one_too_many(tmp_path: Path):
    part = Part(X, Y, "a")
    with pytest.raises(DataError, match=r"a\.npz: has a test set already; leave out \[data\] test_file"):
        with_given_sets(RawData(part, part), tmp_path / "a.npz", Reading(test_file="b"), lambda path, reading: None)
