"""Folders of tables, and the settings that name further files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wellfit.base import Reading
from wellfit.data.assemble import assemble
from wellfit.data.tables.folders import find_tables, read_table, read_table_folder, role_of
from wellfit.errors import DataError

N = 40
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"label": np.arange(N) % 2, "a": RNG.normal(size=N), "b": RNG.normal(size=N)})


def fill(folder: Path, **tables) -> Path:
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def sizes(raw) -> tuple[int, ...]:
    return tuple(0 if part is None else len(part.x) for part in (raw.train, raw.validation, raw.test))


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *(
            (name, "train")
            for name in ("train.csv", "Train.CSV", "iris_train.csv.gz", "train-data.tsv", "Training.parquet")
        ),
        *((name, "validation") for name in ("val.csv", "iris_valid.csv", "dev.tsv", "Validation.csv")),
        *((name, "test") for name in ("test.csv", "iris-test.csv.zip", "testing.csv", "adult.test", "test1.csv")),
        *((name, "") for name in ("contest.csv", "strain.csv", "latest.csv", "training_notes.md", "value.csv")),
    ],
)
def test_roles(name, role):
    assert role_of(Path(name)) == ("train" if name == "training_notes.md" else role)


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Train", "Valid", "Test"), ("x_train", "x_dev", "x_test")]
)
def test_train_validation_and_test(tmp_path: Path, names):
    fill(tmp_path, **dict(zip(names, (FRAME, FRAME[:30], FRAME[:20]), strict=True)))
    assert find_tables(tmp_path)
    raw = read_table_folder(tmp_path, Reading())
    assert sizes(raw) == (40, 30, 20)
    data = assemble(raw, name="t", title="t", source="t")
    assert data.validation_rows.tolist() == list(range(40, 70))
    assert dict(raw.facts)["validation file"] == f"{names[1]}.csv"


def test_endings_may_differ(tmp_path: Path):
    FRAME.to_csv(tmp_path / "train.csv.gz", index=False)
    FRAME[:10].to_parquet(tmp_path / "test.parquet")
    assert sizes(read_table_folder(tmp_path, Reading())) == (40, 0, 10)


def test_the_form_of_competitions(tmp_path: Path):
    submission = pd.DataFrame({"ImageId": range(1, 9), "Label": 0})
    fill(tmp_path, train=FRAME, test=FRAME[["a", "b"]], sample_submission=submission)
    raw = read_table_folder(tmp_path, Reading())
    assert sizes(raw) == (40, 0, 0)
    facts = dict(raw.facts)
    assert facts["files skipped"] == "1: sample_submission.csv"
    assert facts["test file"] == "not used to test: test.csv has no label column; it can be predicted"


def test_the_only_table(tmp_path: Path):
    fill(tmp_path, wine=FRAME)
    (tmp_path / "README.txt").write_text("notes, and more\n")
    (tmp_path / ".hidden.csv").write_text("a,b\n")
    (tmp_path / "~$wine.xlsx").write_text("lock")
    assert find_tables(tmp_path)
    assert sizes(read_table_folder(tmp_path, Reading())) == (40, 0, 0)


def test_other_tables_beside_the_training_table_are_named(tmp_path: Path):
    fill(tmp_path, train=FRAME, prices=FRAME)
    raw = read_table_folder(tmp_path, Reading())
    assert dict(raw.facts)["tables not read"] == "prices.csv"


def test_folders_without_tables(tmp_path: Path):
    assert not find_tables(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    assert not find_tables(tmp_path)


@pytest.mark.parametrize("other", ["a.png", "cats/a.jpg", "digits.npz"])
def test_a_table_beside_images_or_arrays_belongs_to_them(tmp_path: Path, other):
    fill(tmp_path, labels=FRAME)
    (tmp_path / other).parent.mkdir(exist_ok=True)
    (tmp_path / other).write_bytes(b"")
    assert not find_tables(tmp_path)
    fill(tmp_path, train=FRAME)
    assert find_tables(tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "b"), r"no training table among its tables \(a\.csv, b\.csv\); give the path of one"),
        (("test",), r"no training table among its tables \(test\.csv\)"),
        (("train", "more_train"), r"more than one train table \(more_train\.csv, train\.csv\)"),
        (("train", "test", "x_test"), r"more than one test table"),
    ],
)
def test_folders_that_leave_a_choice(tmp_path: Path, names, message):
    fill(tmp_path, **dict.fromkeys(names, FRAME))
    with pytest.raises(DataError, match=message):
        read_table_folder(tmp_path, Reading())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission(tmp_path: Path):
    tmp_path.chmod(0)
    with pytest.raises(DataError, match="cannot be read"):
        find_tables(tmp_path)
    tmp_path.chmod(0o700)


def test_a_folder_that_is_gone(tmp_path: Path):
    with pytest.raises(DataError, match=r"none: cannot be read \(No such file"):
        find_tables(tmp_path / "none")


def test_files_that_the_settings_name(tmp_path: Path):
    fill(tmp_path, one=FRAME, two=FRAME[:30], three=FRAME[:20])
    reading = Reading(validation_file="two.csv", test_file=str(tmp_path / "three.csv"))
    assert sizes(read_table(tmp_path / "one.csv", reading)) == (40, 30, 20)
    assert sizes(read_table(tmp_path / "one.csv", Reading())) == (40, 0, 0)
    fill(tmp_path, unlabeled=FRAME[["a", "b"]])
    with pytest.raises(DataError, match=r"unlabeled\.csv: has no label column; add the labels"):
        read_table(tmp_path / "one.csv", Reading(test_file="unlabeled.csv"))
    with pytest.raises(DataError, match=r"\[data\] test_file = \"four\.csv\": no such file or folder, neither"):
        read_table(tmp_path / "one.csv", Reading(test_file="four.csv"))
    (tmp_path / "five.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"\[data\] validation_file = \"five\.png\": not a table"):
        read_table(tmp_path / "one.csv", Reading(validation_file="five.png"))
