"""Files: which ones are tables, Parquet, Excel, and formats that are only named with their conversion."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from wellfit.base import Reading
from wellfit.data.tables.files import is_table, load_table, stem_of
from wellfit.data.tables.folders import read_table
from wellfit.errors import DataError

FRAME = pd.DataFrame(
    {
        "label": ["x", "y"] * 10,
        "a": np.arange(20) * 0.5,
        "n": pd.array([1, None] * 10, dtype="Int64"),
        "t": [True, False] * 10,
        "when": pd.date_range("2020", periods=20),
        "c": pd.Categorical(["p", "q"] * 10),
    }
)


def load(path: Path, **settings):
    return load_table(path, Reading(**settings))


@pytest.mark.parametrize(
    "name",
    [
        "a.csv",
        "A.CSV",
        "a.tsv",
        "a.txt",
        "a.data",
        "a.dat",
        "a.csv.gz",
        "a.CSV.bz2",
        "a.txt.xz",
        "a.csv.zip",
        "a.zip",
        "a.parquet",
        "a.xlsx",
        "a.pkl",
        "a.json",
        "a.feather",
        "a.xls",
        "adult.test",
    ],
)
def test_tables(name):
    assert is_table(Path(name))


@pytest.mark.parametrize(
    "name", ["a", "a.npz", "a.gz", "a.png", "train-images-idx3-ubyte.gz", "a.h5", "a.mat", "a.tar.gz"]
)
def test_no_tables(name):
    assert not is_table(Path(name))


def test_stems():
    assert [stem_of(Path(n)) for n in ("a.b.csv.gz", "A.CSV", "a.parquet", "a.npz")] == ["a.b", "A", "a", "a.npz"]


def test_parquet(tmp_path: Path):
    path = tmp_path / "a.parquet"
    FRAME.set_index("a", drop=False).to_parquet(path)
    raw = read_table(path, Reading())
    assert raw.train.labels.tolist() == FRAME["label"].tolist()
    assert [column.name for column in raw.columns] == ["a", "n", "t", "c"]
    assert raw.columns[3].categories == ("p", "q")
    np.testing.assert_array_equal(raw.train.x[:2], [[0, 1, 1, 0], [0.5, np.nan, 0, 1]])
    assert "when (dates" in dict(raw.facts)["columns left out"]
    named = tmp_path / "named.csv"
    named.write_bytes(path.read_bytes())
    assert load(named).frame.shape == (20, 6)
    zipped = tmp_path / "a.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(path, "a.parquet")
    assert load(zipped).frame.shape == (20, 6)


def test_parquet_columns_of_the_same_name_and_of_lists(tmp_path: Path):
    table = pa.table([pa.array([1.5, 2.5]), pa.array([2.5, 3.5])], names=["a", "a"])
    parquet.write_table(table, tmp_path / "a.parquet")
    assert dict(load(tmp_path / "a.parquet").facts) == {"columns of the same name": "a stands twice"}
    parquet.write_table(pa.table({"label": [0, 1], "v": [[1.0, 2.0], [3.0]]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet: column 'v': its cells are lists"):
        read_table(tmp_path / "b.parquet", Reading())


@pytest.mark.parametrize("kind", [pa.string(), pa.binary()], ids=str)
def test_a_long_text_in_many_rows_of_parquet(tmp_path: Path, kind):
    many = pa.DictionaryArray.from_arrays(pa.array(np.zeros(50_000, np.int32)), pa.array(["z" * 100_000], kind))
    table = pa.table({"label": ["x", "y"] * 25_000, "text": many})
    parquet.write_table(table, tmp_path / "a.parquet", store_schema=False)  # 5 GB as plain texts
    frame = load(tmp_path / "a.parquet").frame
    assert frame.shape == (50_000, 2)
    assert frame[1].cat.categories.size == 1


@pytest.mark.parametrize("kind", [pa.large_string(), pa.large_binary()], ids=str)
def test_texts_of_parquet_with_long_offsets(tmp_path: Path, kind):
    table = pa.table({"label": ["x", "y"] * 5_000, "text": pa.array(["z" * 1000] * 10_000, kind)})
    parquet.write_table(table, tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet").frame[1].cat.categories.size == 1


def test_parquet_that_cannot_be_read(tmp_path: Path):
    path = tmp_path / "a.parquet"
    for content in (b"PAR1" + b"\0" * 50 + b"PAR1", b"PAR1"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.parquet: not a readable Parquet file"):
            load(path)
    path.write_bytes(b"label,a\n")
    with pytest.raises(DataError, match=r"a\.parquet: not a Parquet file; replace it"):
        load(path)


def test_a_parquet_file_that_is_small_but_long(tmp_path: Path, monkeypatch):
    parquet.write_table(pa.table({"a": np.zeros(100_000), "b": np.zeros(100_000)}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 10_000
    monkeypatch.setattr("wellfit.data.tables.files.MAX_BYTES", 100_000)
    with pytest.raises(
        DataError, match=r"100,000 rows of 2 columns are too many for a file of [\d,]+ bytes; take a sample"
    ):
        load(tmp_path / "a.parquet")


def book(path: Path, **sheets) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


ROWS = [["label", "a", "t"], ["x", 1.5, True], ["y", None, False], ["x", "NA", True], ["y", 4, False]]


def test_excel(tmp_path: Path):
    raw = read_table(book(tmp_path / "a.xlsx", Empty=[], Data=[[], *ROWS], Notes=[["n"]]), Reading())
    assert raw.train.labels.tolist() == ["x", "y", "x", "y"]
    np.testing.assert_array_equal(raw.train.x, [[1.5, 1], [np.nan, 0], [np.nan, 1], [4, 0]])
    assert raw.train.lines.tolist() == [3, 4, 5, 6]
    assert dict(raw.facts)["sheet"] == "Data; not read: Empty, Notes"
    with pytest.raises(DataError, match=r"only one column is found; .*\(Notes; not read: Data\); move the sheet with"):
        read_table(book(tmp_path / "a.xlsx", Notes=[["n"], ["m"]], Data=ROWS), Reading())
    rows = [["label", "a"], ["x", 1], ["y", "bad"], *(["x", 1.5 * i] for i in range(99))]
    path = book(tmp_path / "b.xlsx", Data=[*rows, ["y", 1]])
    with pytest.raises(DataError, match=r"b\.xlsx: row 3, column 2 \(a\): 'bad' is not a number"):
        read_table(path, Reading())


def test_excel_without_a_header(tmp_path: Path):
    path = book(tmp_path / "a.xlsx", Data=[[5.1, 3.5, "setosa"], [4.9, 3.0, "setosa"], [6.5, 2.5, "virginica"]])
    assert not load(path).header
    assert len(load(path).lines) == 3
    assert load(path, header=True).names == ("5.1", "3.5", "setosa")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: book(path, A=[], B=[]), r"a\.xlsx: all sheets are empty"),
        (lambda path: book(path, A=[["label", "a"]]), r"a\.xlsx: "),
        (lambda path: path.write_bytes(b"PK\3\4" + b"\0" * 50), r"a\.xlsx: not a readable Excel file"),
        (lambda path: path.write_bytes(b"label,a\n"), r"a\.xlsx: not an Excel file; save it again"),
    ],
)
def test_excel_that_cannot_be_read(tmp_path: Path, make, message):
    make(tmp_path / "a.xlsx")
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "a.xlsx", Reading())


def test_an_excel_header_without_rows(tmp_path: Path):
    with pytest.raises(DataError, match=r"a\.xlsx: has a header but no rows"):
        load(book(tmp_path / "a.xlsx", A=[["label", "a"]]), header=True)


def test_an_excel_bomb(tmp_path: Path):
    path = book(tmp_path / "a.xlsx", A=ROWS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet2.xml", b"0" * (80 << 20))
    with pytest.raises(DataError, match=r"a\.xlsx: unpacks to 80 MiB; save it as \.csv"):
        load(path)
    renamed = tmp_path / "renamed.csv"
    book(renamed.with_suffix(".xlsx"), A=ROWS).rename(renamed)
    assert load(renamed).frame.shape == (4, 3)


@pytest.mark.parametrize(("name", "module"), [("a.parquet", "pyarrow"), ("a.xlsx", "openpyxl")])
def test_a_package_that_is_not_installed(tmp_path: Path, monkeypatch, name, module):
    path = tmp_path / name
    if module == "pyarrow":
        FRAME.to_parquet(path)
    else:
        book(path, A=ROWS)
    for loaded in [m for m in sys.modules if m == module or m.startswith(f"{module}.")]:
        monkeypatch.setitem(sys.modules, loaded, None)
    with pytest.raises(
        DataError, match=rf"needs {module}, which is not installed; install it with: pip install \"wellfit\[tables\]\""
    ):
        load(path)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.pkl", r"they can run any program when they are read; ask its author for a"),
        ("a.json", r"convert it in Python: pandas\.read_json"),
        ("a.feather", r"convert it in Python: pandas\.read_feather"),
        ("a.xls", r"save it as \.xlsx"),
        ("a.rds", r"convert it in R"),
    ],
)
def test_formats_that_are_not_read(tmp_path: Path, name, how):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=rf"\{Path(name).suffix} files are not read; {how}"):
        load(tmp_path / name)


def test_a_study_directory_is_no_table(tmp_path: Path):
    (tmp_path / "study.db").write_bytes(b"x")
    with pytest.raises(DataError, match="a study directory, which holds results and no data; wellfit show prints them"):
        load(tmp_path / "study.db")


def test_text_in_all_wrappings(tmp_path: Path):
    text = FRAME.to_csv(index=False).encode()
    (tmp_path / "a.csv").write_bytes(gzip.compress(text))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", text)
    (tmp_path / "b.csv").write_bytes(buffer.getvalue())
    assert load(tmp_path / "a.csv").frame.shape == load(tmp_path / "b.csv").frame.shape == (20, 6)
    (tmp_path / "c.csv").write_bytes(buffer.getvalue()[:40])
    with pytest.raises(DataError, match=r"c\.csv: cannot be unpacked"):
        load(tmp_path / "c.csv")
