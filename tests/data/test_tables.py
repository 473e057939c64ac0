"""CSV: round trips, layouts, and the line that is to blame."""

from __future__ import annotations

import csv
import gzip
import io
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wellfit.data.assemble import assemble
from wellfit.data.tables import find_csv_pair, is_csv, read_csv, read_csv_pair
from wellfit.errors import DataError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def dataset(raw):
    return assemble(raw, name="t", title="t", source="t")


# --- CSV --------------------------------------------------------------------------------------------------------------

names = st.text(string.ascii_letters + ' ,"éß', min_size=1, max_size=8).filter(lambda s: s.strip() == s)
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.integers(1, 4).flatmap(
        lambda d: st.lists(st.tuples(names, st.lists(numbers, min_size=d, max_size=d)), min_size=1, max_size=8)
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read(tmp_path: Path, rows, header, label_last, newline):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=newline)
    columns = [f"f{i}" for i in range(len(rows[0][1]))]
    if header or label_last:
        writer.writerow([*columns, "Class"] if label_last else ["label", *columns])
    for label, features in rows:
        cells = [repr(v) for v in features]
        writer.writerow([*cells, label] if label_last else [label, *cells])
    raw = read_csv(write(tmp_path / "t.csv", buffer.getvalue()))
    assert raw.train.labels.tolist() == [label for label, _ in rows]
    # A decimal that float32 wrote is read back exactly.
    np.testing.assert_array_equal(raw.train.x, np.array([f for _, f in rows], dtype=np.float32))


@pytest.mark.parametrize(
    "text",
    [
        "0,1.5,2\n1,3,4\n0,5,6\n",
        "label,a,b\n0,1.5,2\n1,3,4\n0,5,6\n",
        "a,b,Y\n1.5,2,0\n3,4,1\n5,6,0\n",
        "a,target,b\n1.5,0,2\n3,1,4\n5,0,6\n",
        "kind,a,b\n0,1.5,2\n1,3,4\n0,5,6\n",
        "label,0,1\n0,1.5,2\n1,3,4\n0,5,6\n",  # a header of numbers, but for the label
        "\ufeff\n\nlabel,a,b\n0,1.5,2\n\n1,3,4\n0,5,6\n\n",
        '"label","a","b"\r\n"0","1.5"," 2"\r\n"1","3","4"\r\n"0","5","6"',
    ],
)
def test_layouts(tmp_path: Path, text):
    raw = read_csv(write(tmp_path / "t.csv", text))
    assert raw.train.labels.tolist() == ["0", "1", "0"]
    np.testing.assert_array_equal(raw.train.x, [[1.5, 2], [3, 4], [5, 6]])
    assert raw.test.x is None


def test_gzipped(tmp_path: Path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"cat,1\ndog,2\n"))
    assert is_csv(path)
    assert read_csv(path).labels_train.tolist() == ["cat", "dog"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the file is empty"),
        ("\n\n", r"the file is empty"),
        ("label,a\n\n", r"a header but no rows"),
        ("0;1;2\n1;3;4\n", r"only one column; separate label and features by commas"),
        ("label,a,class\n0,1,2\n", r"more than one label column \(label, class\)"),
        ("label,a,b\n0,1,2\n1,2\n", r"line 3 has 2 columns, but the first line has 3"),
        ("0,1,2\n\n1,2,3,4\n", r"line 3 has 4 columns, but the first line has 3"),
        ("label,a\n0,1,2\n1,2,3\n", r"line 2 has 3 columns, but the first line has 2"),
        ("0,1,2\n1,x,3\n", r"line 2, column 2: 'x' is not a finite number"),
        ("0,1,2\n1,,3\n", r"line 2, column 2: '' is not a finite number"),
        ("0,1,2\n1,2,nan\n", r"line 2, column 3: 'nan' is not a finite number"),
        ("0,1,2\n1,2,inf\n", r"line 2, column 3: 'inf' is not a finite number"),
        ("0,1,2\n1,2,1e300\n", r"has a value that is too large for float32"),
        ("0,1,2\n1,2,1_0\n", r"could not convert string '1_0'"),  # a number to Python, not to NumPy
        ("0,1,2\n ,2,3\n", r"line 2 has no label"),
    ],
)
def test_the_faulty_line_is_named(tmp_path: Path, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read_csv(write(tmp_path / "t.csv", text))
    assert str(caught.value).startswith(str(tmp_path / "t.csv"))
    assert "\n" not in str(caught.value)


def test_files_that_are_no_text(tmp_path: Path):
    latin = tmp_path / "latin.csv"
    latin.write_bytes("café,1\nthé,2\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.csv: line 1 is not UTF-8 text"):
        read_csv(latin)
    latin.write_bytes(b"tea,1\n" * 5000 + "thé,2\n".encode("latin-1"))  # beyond the first block that is decoded
    with pytest.raises(DataError, match=r"line 5001 is not UTF-8 text"):
        read_csv(latin)
    long = write(tmp_path / "long.csv", "x" * 200_000)
    with pytest.raises(DataError, match=r"long\.csv: cannot be read \(field larger than field limit"):
        read_csv(long)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(b"cat,1\ndog,2\n" * 100)[:-12])
    with pytest.raises(DataError, match=r"cut\.csv\.gz: cannot be read"):
        read_csv(cut)


def test_pixels_become_images(tmp_path: Path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (10, 784))
    labels = np.arange(10) % 2
    lines = [",".join(map(str, [y, *row])) for y, row in zip(labels, pixels, strict=True)]
    head = ",".join(["label", *(f"pixel{i + 1}" for i in range(784))])
    write(tmp_path / "f_train.csv", "\n".join([head, *lines]))
    write(tmp_path / "f_test.csv", "\n".join([head, *lines[:4]]))
    pair = find_csv_pair(tmp_path)
    assert pair is not None
    found = dataset(read_csv_pair(*pair))
    assert (found.x_train.dtype, found.x_train.shape, found.x_test.shape) == ("uint8", (10, 28, 28), (4, 28, 28))
    assert found.pixel_max == 255
    np.testing.assert_array_equal(found.x_train.reshape(10, 784), pixels)
    np.testing.assert_array_equal(found.y_test, labels[:4])


def test_numbers_that_are_no_pixels_stay_features(tmp_path: Path):
    for odd in ("0.5", "256", "-1"):
        rows = [",".join([str(i % 2), *["3"] * 783, odd]) for i in range(6)]
        found = dataset(read_csv(write(tmp_path / "t.csv", "\n".join(rows))))
        assert (found.x_train.dtype, found.input_shape, found.pixel_max) == ("float32", (784,), None)


def test_pairs(tmp_path: Path):
    assert find_csv_pair(tmp_path) is None
    write(tmp_path / "notes.csv", "0,1\n")
    assert find_csv_pair(tmp_path) is None
    train = write(tmp_path / "train.csv", "label,a,b\n0,1,2\n1,3,4\n")
    with pytest.raises(DataError, match=r"train\.csv has no matching test\.csv"):
        find_csv_pair(tmp_path)
    test = write(tmp_path / "test.csv", "label,b,a\n0,1,2\n")
    assert find_csv_pair(tmp_path) == (train, test)
    with pytest.raises(DataError, match=r"the header differs from that of train\.csv"):
        read_csv_pair(train, test)
    write(tmp_path / "more_train.csv", "0,1\n")
    with pytest.raises(DataError, match=r"more than one training table \(more_train\.csv, train\.csv\)"):
        find_csv_pair(tmp_path)


def test_pair_of_unlike_width(tmp_path: Path):
    train = write(tmp_path / "train.csv", "0,1,2\n1,3,4\n")
    test = write(tmp_path / "test.csv", "0,1\n")
    with pytest.raises(
        DataError, match=r"test\.csv: the examples have shape \(1,\), but those of .*train\.csv have shape \(2,\)"
    ):
        dataset(read_csv_pair(train, test))


def test_a_first_row_whose_label_is_y_is_data(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Y,1,2\nN,3,4\n" * 10)
    assert len(read_csv(path).x_train) == 20
    path.write_text("y,height,width\n" + "1,1,2\n0,3,4\n" * 10)
    assert len(read_csv(path).x_train) == 20
