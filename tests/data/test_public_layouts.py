"""Data sets as they are published are read right, or refused with what to do: never read wrong in silence."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layouts
from layouts import text, write_pictures
from wellfit.base import Reading
from wellfit.data.catalog import load_dataset
from wellfit.errors import DataError


@dataclass(frozen=True)
class Right:
    """What a data set is: label column and classes; features; and columns that must not be among them."""

    label: str
    classes: tuple[str, ...]
    features: int
    left_out: tuple[str, ...] = ()


YES_NO = ("no", "yes")
RIGHT: dict[str, tuple[bytes, Right]] = {
    "adult.csv": (text(layouts.adult), Right("income", ("<=50K", ">50K"), 8)),
    "titanic.csv": (
        text(layouts.titanic),
        Right("Survived", ("0", "1"), 5, ("PassengerId", "Name", "Ticket", "Cabin")),
    ),
    "mushrooms.csv": (text(layouts.mushrooms), Right("class", ("e", "p"), 5)),
    "telco.csv": (text(layouts.churn), Right("Churn", ("No", "Yes"), 4, ("customerID",))),
    "bank-full.csv": (text(layouts.bank, sep=";", quoting=2), Right("y", YES_NO, 5)),
    "winequality-red.csv": (text(layouts.wine_quality, sep=";", quoting=2), Right("quality", ("5", "6", "7"), 3)),
    "winequality.csv": (
        text(layouts.wine_quality, index=True, index_label="Id"),
        Right("quality", ("5", "6", "7"), 3, ("Id",)),
    ),
    "penguins.csv": (text(layouts.penguins, na_rep="NA"), Right("species", ("Adelie", "Chinstrap", "Gentoo"), 5)),
    "penguins_r.csv": (
        text(layouts.penguins, na_rep="NA", index=True),
        Right("species", ("Adelie", "Chinstrap", "Gentoo"), 5),
    ),
    "heart.csv": (text(layouts.heart, encoding="utf-8-sig"), Right("target", ("0", "1"), 7)),
    "data.csv": (text(layouts.breast_cancer), Right("diagnosis", ("B", "M"), 4, ("id", "Unnamed: 6"))),
    "creditcard.csv": (text(layouts.credit_card), Right("Class", ("0", "1"), 10)),
    "datatraining.csv": (text(layouts.occupancy), Right("Occupancy", ("0", "1"), 3, ("date",))),
    "Skyserver.csv": (text(layouts.sky), Right("class", ("GALAXY", "QSO", "STAR"), 2, ("objid",))),
    "letter-recognition.data": (text(layouts.letters, header=False), Right("column 1", tuple("ABCDEFGHIJKLMNOP"), 16)),
    "sonar.data": (text(layouts.sonar, header=False), Right("column 13", ("M", "R"), 12)),
    "banknote.txt": (text(layouts.banknotes, header=False), Right("column 5", ("0", "1"), 4)),
    "banknote.csv.gz": (gzip.compress(text(layouts.banknotes, header=False)), Right("column 5", ("0", "1"), 4)),
    "glass.data": (
        text(layouts.glass, header=False),
        Right("column 7", ("1", "2", "3", "5", "6", "7"), 5, ("column 1",)),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_tables_are_read_right(name: str, tmp_path: Path) -> None:
    content, right = RIGHT[name]
    (tmp_path / name).write_bytes(content)
    data = load_dataset(tmp_path / name)
    facts = dict(data.facts)
    assert facts["label column"].startswith(f"{right.label}, "), facts
    assert data.classes == right.classes
    assert data.input_shape == (right.features,)
    assert len(data.x_train) + len(data.x_test) == layouts.ROWS
    for column in right.left_out:
        assert column in facts["columns left out"]
        assert column not in [c.name for c in data.columns]


ASKED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "titanic.csv": (text(layouts.seaborn_titanic), ("survived", "class", "alive")),
    "agaricus.data": (text(layouts.mushrooms, header=False), ("column 1",)),
    "car.data": (text(layouts.cars, header=False), ("column 3",)),
    "housing.csv": (text(layouts.housing), ("ocean_proximity",)),
    "BostonHousing.csv": (text(layouts.boston), ("medv", "numbers to predict", "chas")),
    "auto-mpg.csv": (text(layouts.mpg), ("mpg", "numbers to predict", "cylinders", "origin")),
    "diamonds.csv": (text(layouts.diamonds), ("cut", "color")),
    "student-mat.csv": (text(layouts.students, sep=";", quoting=2), ("school", "G3")),
    "iris_onehot.csv": (text(layouts.iris_dummies), ("species_setosa", "species_versicolor", "species_virginica")),
    "zoo.csv": (text(layouts.zoo), ("hair", "class_type")),
}


@pytest.mark.parametrize("name", ASKED)
def test_tables_with_several_columns_that_may_be_the_label_are_not_guessed(name: str, tmp_path: Path) -> None:
    content, named = ASKED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as refused:
        load_dataset(tmp_path / name)
    message = str(refused.value)
    assert "[data] label" in message
    assert [word for word in named if word not in message] == []


def test_pixels_as_one_text_are_not_left_out_in_silence(tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").write_bytes(text(layouts.faces))
    with pytest.raises(
        DataError, match=r"column 'pixels' holds 48 numbers in a cell; give each .* drop = \[\"pixels\"\]"
    ):
        load_dataset(tmp_path / "fer2013.csv")
    data = load_dataset(tmp_path / "fer2013.csv", Reading(drop=("pixels",)))
    assert [column.name for column in data.columns] == ["Usage"]


def test_of_a_competition_the_unlabeled_test_table_is_left_for_predictions(tmp_path: Path) -> None:
    frame = text(layouts.titanic)
    (tmp_path / "train.csv").write_bytes(frame)
    without = [b",".join(line.split(b",")[:1] + line.split(b",")[2:]) for line in frame.splitlines()]
    (tmp_path / "test.csv").write_bytes(b"\n".join(without))
    data = load_dataset(tmp_path)
    assert data.classes == ("0", "1")
    assert len(data.x_train) + len(data.x_test) == layouts.ROWS
    assert any("test.csv" in said for _, said in data.facts)


# --- Folders of images ------------------------------------------------------------------------------------------------

SETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cifar": (("train/airplane", "train/bird", "test/airplane", "test/bird"), ("airplane", "bird")),
    "x-ray": (tuple(f"chest/chest/{s}/{c}" for s in ("train", "val", "test") for c in ("A", "B")), ("A", "B")),
    "brain": (("Training/glioma", "Training/notumor", "Testing/glioma", "Testing/notumor"), ("glioma", "notumor")),
    "intel": (tuple(f"seg_{s}/seg_{s}/{c}" for s in ("train", "test") for c in ("sea", "street")), ("sea", "street")),
    "cats": (("train/cats", "train/dogs", "validation/cats", "validation/dogs"), ("cats", "dogs")),
    "numbers": (("0", "10", "2"), ("0", "2", "10")),
    "nested": (("train/a/images", "train/b/images", "test/a/images", "test/b/images"), ("a", "b")),
}


@pytest.mark.parametrize("name", SETS)
def test_folders_of_images_are_read_right(name: str, tmp_path: Path) -> None:
    folders, classes = SETS[name]
    write_pictures(tmp_path, [f"{folder}/{i}.png" for folder in folders for i in range(6)])
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    data = load_dataset(tmp_path)
    assert data.classes == classes
    assert data.input_shape == (6, 8, 3)
    assert len(data.x_train) + len(data.x_test) == 6 * len(folders)
    given = sum(6 for folder in folders if "val" in folder)
    assert (0 if data.validation_rows is None else len(data.validation_rows)) == given


def test_images_and_their_masks_are_not_two_classes(tmp_path: Path) -> None:
    write_pictures(tmp_path, [f"images/Abyssinian_{i}.jpg" for i in range(6)])
    write_pictures(tmp_path, [f"annotations/trimaps/Abyssinian_{i}.png" for i in range(6)])
    with pytest.raises(DataError, match="annotations, images hold pictures and what belongs to them, not classes"):
        load_dataset(tmp_path)


def test_classes_in_the_names_of_files_are_read_and_said(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", [f"{kind}.{i}.jpg" for kind in ("cat", "dog") for i in range(6)])
    write_pictures(tmp_path / "test1", [f"{i}.jpg" for i in range(5)])
    data = load_dataset(tmp_path)
    assert data.classes == ("cat", "dog")
    assert len(data.x_train) + len(data.x_test) == 12
    assert dict(data.facts)["labels"] == "from the file names: cat.0.jpg is cat"
    assert "test1" in dict(data.facts)["left out"]


def test_a_table_of_labels_beside_flat_images_is_used(tmp_path: Path) -> None:
    write_pictures(tmp_path, [f"train/{i:04x}.jpg" for i in range(12)])
    rows = [f"{i:04x},{('boxer', 'pug', 'beagle')[i % 3]}" for i in range(12)]
    (tmp_path / "labels.csv").write_text("\n".join(["id,breed", *rows]))
    data = load_dataset(tmp_path)
    assert data.classes == ("beagle", "boxer", "pug")
    assert "breed" in dict(data.facts)["labels"]


def test_two_damaged_files_among_many_are_both_named(tmp_path: Path) -> None:
    write_pictures(tmp_path, [f"{letter}/{i}.png" for letter in "AB" for i in range(6)], mode="L")
    (tmp_path / "A" / "RGVtb2.png").write_bytes(b"")
    (tmp_path / "B" / "Q3Jvc3.png").write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(DataError, match=r"2 of 14 images cannot be read: A/RGVtb2.png.*B/Q3Jvc3.png.*skip_corrupt"):
        load_dataset(tmp_path)
    data = load_dataset(tmp_path, Reading(skip_corrupt=True))
    assert len(data.x_train) + len(data.x_test) == 12


@pytest.mark.parametrize(("color", "told"), [(0, "composited on white"), (255, 'background = "black"')])
def test_ink_in_the_transparency_is_seen_or_asked_about(color: int, told: str, tmp_path: Path) -> None:
    for i in range(12):
        pixels = np.full((6, 8, 4), color, np.uint8)
        pixels[..., 3] = np.random.default_rng(i).integers(0, 2, (6, 8)) * 255
        (tmp_path / "01"[i % 2]).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "01"[i % 2] / f"{i}.png")
    if color:
        with pytest.raises(DataError, match=told):
            load_dataset(tmp_path)
    data = load_dataset(tmp_path, Reading(background="black" if color else None))
    assert color or told in dict(data.facts)["transparency"]
    assert data.x_train.std() > 100  # the ink is there


# --- Arrays -----------------------------------------------------------------------------------------------------------


def test_street_view_digits_are_read_with_their_axes_in_order(tmp_path: Path) -> None:
    from scipy.io import savemat

    x = np.random.default_rng(0).integers(0, 256, (60, 8, 6, 3), np.uint8)
    y = np.resize(np.array([1, 2, 10], np.uint8), 60)
    for name, rows in (("train", slice(0, 40)), ("test", slice(40, 60))):
        savemat(tmp_path / f"{name}_32x32.mat", {"X": x[rows].transpose(1, 2, 3, 0), "y": y[rows, None]})
    data = load_dataset(tmp_path)
    assert data.classes == ("1", "2", "10")
    np.testing.assert_array_equal(data.x_train, x[:40])
    np.testing.assert_array_equal(data.x_test, x[40:])


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("x_train", "y_train", "x_test", "y_test"), "whole"),
        (("train_images", "train_labels", "test_images", "test_labels"), "column"),
        (("X_train", "Y_train", "X_test", "Y_test"), "hot"),
    ],
)
def test_archives_of_arrays_are_read_under_the_usual_names(names: tuple[str, ...], labels: str, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 6, 5), np.uint8)
    y = np.resize([0, 1, 2], 40)
    given = {"whole": y, "column": y[:, None].astype(np.uint8), "hot": np.eye(3)[y]}[labels]
    arrays = dict(zip(names, (x[:30], given[:30], x[30:], given[30:]), strict=True))
    np.savez(tmp_path / "data.npz", **arrays)
    data = load_dataset(tmp_path / "data.npz")
    np.testing.assert_array_equal(data.x_train, x[:30])
    np.testing.assert_array_equal(data.y_test, y[30:])
    assert data.pixel_max == 255


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.full((40, 3), 1 / 3), "one-hot rows"),
        (np.ones((40, 5), int), "one-hot rows"),
        (np.zeros((40, 6, 5), int), "one label per example"),
    ],
    ids=["probabilities", "several labels", "masks"],
)
def test_labels_of_other_tasks_are_refused(labels: np.ndarray, told: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros((40, 6, 5), np.uint8), y=labels)
    with pytest.raises(DataError, match=told):
        load_dataset(tmp_path / "data.npz")
