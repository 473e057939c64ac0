"""The labels of all examples, in a file of their own."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from wellfit.data.predictions.labels import array_named, is_labels, labels_in
from wellfit.errors import DataError


def test_labels_in_arrays_and_tables(tmp_path: Path):
    np.save(tmp_path / "labels.npy", [2, 0, 1])
    assert labels_in(tmp_path / "labels.npy")[0].tolist() == [2, 0, 1]
    (tmp_path / "labels.csv").write_text("example,label\n2,b\n0,a\n1,c\n")
    assert labels_in(tmp_path / "labels.csv")[0].tolist() == ["a", "c", "b"]
    assert is_labels(tmp_path / "labels.csv")
    assert array_named({}, ("labels",)) is None


def test_files_without_labels_are_one_line(tmp_path: Path):
    np.savez(tmp_path / "two.npz", a=np.arange(3), b=np.arange(3))
    np.savez(tmp_path / "groups.npz", labels=np.arange(3), groups=np.arange(2))
    (tmp_path / "wide.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "gaps.csv").write_text("example,label\n0,a\n2,b\n")
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04.")
    for name, message in (
        ("two.npz", "has the arrays a, b; call the one with the labels labels"),
        ("groups.npz", "groups of shape .2,. for 3 labels"),
        ("wide.csv", "has the columns a, b; call the one with the labels label"),
        ("gaps.csv", "does not number the examples 0, 1"),
        ("gone.npz", "no such file"),
        ("a.pkl", "is a pickled file"),
    ):
        with pytest.raises(DataError, match=message):
            labels_in(tmp_path / name)


def test_groups_and_names_beside_the_labels(tmp_path: Path):
    (tmp_path / "labels.csv").write_text("example,label,group\n2,b,p\n0,a,q\n1,c,p\n")
    found = labels_in(tmp_path / "labels.csv")
    assert found.groups is not None
    assert (found.values.tolist(), found.groups.tolist()) == (["a", "c", "b"], [1, 0, 0])
    (tmp_path / "y.csv").write_text("label,group,groups\na,1,1\nb,1,2\n")
    (tmp_path / "gap.csv").write_text("label,group\na,p\nb,\n")
    for name, message in (("y.csv", "'group' and 'groups' both say the group"), ("gap.csv", "group of example 1 is")):
        with pytest.raises(DataError, match=message):
            labels_in(tmp_path / name)
    np.savez(tmp_path / "named.npz", labels=[0, 1], classes=["cat", "dog"])
    assert labels_in(tmp_path / "named.npz").classes == ("cat", "dog")


def test_what_is_no_file_and_what_is_too_much_is_one_line(tmp_path: Path):
    os.mkfifo(tmp_path / "labels.csv")
    with pytest.raises(DataError, match=r"labels\.csv: .*; give a file with the labels of all examples"):
        labels_in(tmp_path / "labels.csv")
    np.savez_compressed(tmp_path / "labels.npz", labels=np.zeros(2**25, "S1"))
    with pytest.raises(DataError, match=r"33,554,432 labels of 33,554,432 bytes are too many; .*WELLFIT_LIMITS"):
        labels_in(tmp_path / "labels.npz")
    np.savez_compressed(tmp_path / "y.npz", labels=np.arange(3), classes=np.zeros(2**21, "U1"))
    with pytest.raises(DataError, match=r"2,097,152 classes of 8,388,608 bytes are too many"):
        labels_in(tmp_path / "y.npz")


def test_one_hot_labels_of_many_classes_are_not_too_many(tmp_path: Path):
    """As many cells as a thousand classes and the validation images of ImageNet have."""
    hot = np.zeros((50_000, 1000), np.uint8)
    hot[np.arange(50_000), np.arange(50_000) % 1000] = 1
    np.savez_compressed(tmp_path / "labels.npz", labels=hot)
    np.testing.assert_array_equal(labels_in(tmp_path / "labels.npz").values, np.arange(50_000) % 1000)
