"""Labels in tables and in file names."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.base import Reading
from wellfit.data.images import labels as labels_module
from wellfit.data.images.labels import find_table, labels_from_names, names_images
from wellfit.errors import DataError

NAMES = ["a.png", "b.png", "c.png", "d.png"]


def find(folder: Path, text: str, names=NAMES, role="train", file="labels.csv", **reading):
    path = folder / file
    path.write_text(text)
    return find_table([path], names, Reading(**reading), role)


# --- File names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}.{}.jpg", "{}_{}.jpg", "{}-{:03}.png", "{} ({}).JPG", "{}{}.png"])
def test_words_with_numbers_are_classes(form):
    names = [form.format(word, i) for word in ("cat", "Golden_Retriever", "犬") for i in range(5)]
    assert labels_from_names(names) == [word for word in ("cat", "Golden_Retriever", "犬") for _ in range(5)]


@pytest.mark.parametrize(
    "names",
    [
        [f"IMG_{i}.jpg" for i in range(9)] + [f"cat_{i}.jpg" for i in range(9)],
        [f"cat.{i}.jpg" for i in range(20)],
        [f"cat.{i}.jpg" for i in range(4)] + [f"dog.{i}.jpg" for i in range(4)],
        [f"cat.{i}.jpg" for i in range(20)] + ["dog.1.jpg"],
        [f"cat.{i}.jpg" for i in range(9)] + [f"dog.{i}.jpg" for i in range(9)] + ["strange.jpg"],
        [f"{i}.jpg" for i in range(20)],
    ],
)
def test_doubtful_names_are_no_classes(names):
    assert labels_from_names(names) is None


# --- Tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "filename,label\na.png,x\nb.png,y\nc.png,x\nd.png,y\n",
        "id,breed\na,x\nb,y\nc,x\nd,y\n",
        "image;class\na.png;x\nb.png;y\nc.png;x\nd.png;y\n",
        "path\tlabel\nimages/a.png\tx\nimages\\b.png\ty\nc.png\tx\nd.png\ty\n",
        "label,file,width\nx,a.png,5\ny,b.png,5\nx,c.png,5\ny,d.png,5\n",
        "a.png,x\nb.png,y\nc.png,x\nd.png,y\n",
        "image,x,y\na,1,0\nb,0,1\nc,1.0,0.0\nd,0,1\n",
        "image,class_id,class_name\na,0,x\nb,1,y\nc,0,x\nd,1,y\n",
        "\ufefffile,kind\na.png,x\nb.png,y\nc.png,x \nd.png,y\n",
    ],
)
def test_forms(tmp_path: Path, text):
    table = find(tmp_path, text)
    assert table.labels == {0: "x", 1: "y", 2: "x", 3: "y"}
    assert table.unmatched == ()


def test_numbers_find_images_with_leading_zeros(tmp_path: Path):
    names = [f"{i:04}.png" for i in range(4)]
    assert find(tmp_path, "id,label\n0,x\n1,y\n2,x\n3,y\n", names).labels == {0: "x", 1: "y", 2: "x", 3: "y"}


def test_the_column_that_names_most_images_counts(tmp_path: Path):
    names = [f"{i}.png" for i in range(10)]
    rows = "\n".join(f"{i % 2},{9 - i}" for i in range(10))
    assert find(tmp_path, f"label,number\n{rows}\n", names).labels == {9 - i: str(i % 2) for i in range(10)}


def test_names_that_do_not_match_are_listed(tmp_path: Path):
    table = find(tmp_path, "file,label\na.png,x\nb.png,y\nc.png,x\nz.png,y\n")
    assert table.labels == {0: "x", 1: "y", 2: "x"}
    assert table.unmatched == ("z.png",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name\na.png\nb.png\nc.png\nd.png\n",
        "x,y,label\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n9,9,a\n",
        "file,label\na.png,x\nn.png,y\no.png,x\np.png,y\nq.png,y\nr.png,y\n",
        "\0\1\2",
        "file,label\na.png,x,1\nb.png,y,2\nc.png,x,3\nd.png,y,4\n",
        '"',
    ],
)
def test_other_tables_are_none(tmp_path: Path, text):
    assert find(tmp_path, text) is None


def test_tables_that_cannot_be_read_are_none(tmp_path: Path, monkeypatch):
    text = "file,label\na.png,x\nb.png,y\nc.png,x\nd.png,y\n"
    assert find(tmp_path, text, encoding="no such encoding") is None
    assert find_table([tmp_path / "missing.csv"], NAMES, Reading(), "train") is None
    monkeypatch.setattr(labels_module, "_LARGEST", 10)
    assert find(tmp_path, text) is None


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str):
    (tmp_path / "a.csv").write_bytes("file,label\na,Ä\nb,é\nc,Ä\nd,é\n".encode(encoding))
    assert find_table([tmp_path / "a.csv"], NAMES, Reading(), "train").labels[0] == "Ä"


def test_the_label_column_may_be_set(tmp_path: Path):
    text = "file,color,shape\na.png,red,o\nb.png,blue,o\nc.png,red,x\nd.png,blue,x\n"
    with pytest.raises(
        DataError, match=r'which column is the class\? Set \[data\] label = "color", or .* color, shape'
    ):
        find(tmp_path, text)
    for label in ("shape", 3, -1):
        assert find(tmp_path, text, label=label).labels == {0: "o", 1: "o", 2: "x", 3: "x"}
    for label in ("form", 4, 0):
        with pytest.raises(DataError, match=r"there is no column .* for \[data\] label; use one of file, color, shape"):
            find(tmp_path, text, label=label)


def test_groups_and_sets(tmp_path: Path):
    text = "file,label,patient,split\na.png,x,p,train\nb.png,y,p,Train\nc.png,x,q,val\nd.png,y,q,test\n"
    table = find(tmp_path, text, group="patient")
    assert table.labels == {0: "x", 1: "y", 2: "x", 3: "y"}
    assert table.groups == {0: "p", 1: "p", 2: "q", 3: "q"}
    assert table.roles == {0: "train", 1: "train", 2: "validation", 3: "test"}


def test_missing_labels_are_named(tmp_path: Path):
    for missing in ("", " ", "NaN", "?"):
        with pytest.raises(DataError, match=r"b\.png \(row 2\) has no label in column label; add it or drop the row"):
            find(tmp_path, f"file,label\na.png,x\nb.png,{missing}\nc.png,x\nd.png,y\n")


def test_repeated_and_contradictory_rows(tmp_path: Path):
    rows = "file,label\na.png,x\nb.png,y\nc.png,x\nd.png,y\n"
    assert len(find(tmp_path, f"{rows}a.png,x\n").labels) == 4
    with pytest.raises(DataError, match=r"a\.png has more than one label in column label \(x, y\)"):
        find(tmp_path, f"{rows}a.png,y\n")


def test_whether_a_table_names_images(tmp_path: Path):
    (tmp_path / "a.csv").write_text("id,x\na,1\nb,2\n")
    (tmp_path / "b.csv").write_text("id,x\nv,1\nw,2\n")
    assert names_images([tmp_path / "b.csv", tmp_path / "a.csv"], ["train/a.png", "train/b.png"], Reading())
    assert not names_images([tmp_path / "b.csv"], ["train/a.png", "train/b.png"], Reading())


def test_several_tables(tmp_path: Path):
    text = "file,label\na.png,x\nb.png,y\nc.png,x\nd.png,y\n"
    for name in ("train.csv", "other.csv", "test.csv", "sample_submission.csv"):
        (tmp_path / name).write_text(text.replace("x", name))
    paths = [tmp_path / name for name in ("sample_submission.csv", "test.csv", "other.csv", "train.csv")]
    assert find_table(paths, NAMES, Reading(), "train").labels[0] == "train.csv"
    assert find_table(paths[:2], NAMES, Reading(), "train") is None
    (tmp_path / "third.csv").write_text(text)
    with pytest.raises(DataError, match=r"more than one table names the images \(other\.csv, third\.csv\); keep one"):
        find_table([tmp_path / "other.csv", tmp_path / "third.csv"], NAMES, Reading(), "train")
