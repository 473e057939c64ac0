"""A single array: a table with a column of labels, or records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

from wellfit.base import Column, Reading
from wellfit.data.arrays.npy import raw_of_fields, raw_of_table, read_npy
from wellfit.data.catalog import load_dataset
from wellfit.errors import DataError

IRIS, SPECIES = load_iris(return_X_y=True)


def save(path: Path, array) -> Path:
    np.save(path, array, allow_pickle=True)
    return path


@pytest.mark.parametrize("at", [0, 2, 4])
def test_the_only_column_that_can_be_labels(tmp_path: Path, at):
    path = save(tmp_path / "iris.npy", np.insert(IRIS, at, SPECIES, axis=1))
    raw = read_npy(path)
    np.testing.assert_array_equal(raw.train.x, IRIS)
    np.testing.assert_array_equal(raw.train.labels, SPECIES)
    assert raw.facts == (("label column", f"{at + 1} of 5"),)
    assert load_dataset(path).classes == ("0", "1", "2")


def test_the_label_setting():
    table = np.column_stack([SPECIES, IRIS, 1 - SPECIES % 2])
    with pytest.raises(
        DataError, match=r"which of the 6 columns has the labels is not known \(columns 1, 6 could be\)"
    ):
        raw_of_table(table, "a.npy", Reading())
    np.testing.assert_array_equal(raw_of_table(table, "a.npy", Reading(label=1)).train.labels, SPECIES)
    np.testing.assert_array_equal(raw_of_table(table, "a.npy", Reading(label=-6)).train.labels, SPECIES)
    for wrong in (0, 7, -7, "species"):
        with pytest.raises(DataError, match=rf"there is no column {wrong!r}, since the 6 columns have no names"):
            raw_of_table(table, "a.npy", Reading(label=wrong))


def test_columns_that_cannot_be_labels():
    columns = [np.arange(60), np.arange(60) / 7, np.zeros(60), np.full(60, np.nan)]
    with pytest.raises(DataError, match=r"\(no column looks like one\)"):
        raw_of_table(np.column_stack(columns), "a.npy", Reading())
    many = np.zeros((60, 12)) + (np.arange(60) % 2)[:, None]
    with pytest.raises(DataError, match=r"columns 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, \.\.\. could be"):
        raw_of_table(many, "a.npy", Reading())


RECORDS = np.zeros(20, [("height", "f4"), ("width", "i2"), ("species", "U3")])
RECORDS["height"], RECORDS["width"], RECORDS["species"] = np.arange(20), np.arange(20) + 5, ["oak", "elm"] * 10


def test_records(tmp_path: Path):
    raw = raw_of_fields(RECORDS, "a.npy", Reading(label="species"))
    np.testing.assert_array_equal(raw.train.x, np.column_stack([np.arange(20), np.arange(20) + 5]))
    assert raw.columns == (Column("height"), Column("width"))
    assert raw.facts == (("label column", "species, 3 of 3 fields"),)
    assert raw_of_fields(RECORDS, "a.npy", Reading(label=-1, drop=("width",))).columns == (Column("height"),)
    named = RECORDS.astype([("height", "f4"), ("width", "i2"), ("Class", "U3")])
    assert load_dataset(save(tmp_path / "a.npy", named)).classes == ("elm", "oak")
    both = np.zeros(20, [("x", "f4", (8, 8)), ("y", "i4")])
    assert raw_of_fields(both, "a.npy", Reading()).train.x.shape == (20, 8, 8)


@pytest.mark.parametrize(
    ("records", "label", "message"),
    [
        (
            RECORDS,
            None,
            r"which field has the labels is not known \(fields: height, width, species\); set \[data\] label",
        ),
        (RECORDS, "kind", r"there is no field 'kind'"),
        (RECORDS, "width", r"field 'species' has type <U3, not numbers; save the table as CSV"),
        (np.zeros(3, [("a", [("b", "f4")]), ("y", "i4")]), None, r"the records hold further records or objects"),
    ],
)
def test_records_that_are_refused(records, label, message):
    with pytest.raises(DataError, match=rf"^a\.npy: {message}"):
        raw_of_fields(records, "a.npy", Reading(label=label))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 8, 8)), r"is one array of shape \(5, 8, 8\), and labels are missing; give the folder"),
        (np.zeros(5), r"is one array of shape \(5,\)"),
        (np.array([{}, {}]), r"is an array of Python objects"),
        (np.array({}), r"is a pickled Python object"),
    ],
)
def test_arrays_that_are_refused(tmp_path: Path, array, message):
    with pytest.raises(DataError, match=rf"a\.npy: {message}"):
        read_npy(save(tmp_path / "a.npy", array))


def test_damaged_files(tmp_path: Path):
    path = save(tmp_path / "a.npy", np.zeros((20, 3)))
    content = path.read_bytes()
    for damaged in (b"", b"no array", content[:60], content[:-8], content.replace(b"(20, 3)", b"(2e, 3)")):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.npy: not a readable \.npy file") as caught:
            read_npy(path, Reading(label=1))
        assert "\n" not in str(caught.value)
    path.write_bytes(content.replace(b"(20, 3), }          ", b"(99999999999, 3), } "))
    with pytest.raises(DataError, match=r"a\.npy: an array of shape \(99999999999, 3\) takes .* GiB"):
        read_npy(path)


def test_files_of_python_2_are_read_in_silence(tmp_path: Path):
    path = save(tmp_path / "a.npy", np.insert(IRIS, 0, SPECIES, axis=1))
    path.write_bytes(path.read_bytes().replace(b"(150, 5), }  ", b"(150L, 5L), }"))
    np.testing.assert_array_equal(read_npy(path).train.x, IRIS)
