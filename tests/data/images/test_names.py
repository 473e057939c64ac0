"""Names of files and folders."""

from __future__ import annotations

import pytest

from wellfit.data.images.names import (
    is_image,
    is_picture,
    is_plain_role,
    is_system,
    is_table,
    role_of,
    skipped_text,
    some,
)


@pytest.mark.parametrize(
    "name",
    [
        *("a.png", "A.PNG", "a.jpg", "a.jpeg", "a.jfif", "a.jpe", "a.bmp", "a.gif", "a.pgm", "a.ppm", "a.pbm", "a.pnm"),
        *("a.tif", "a.TIFF", "a.webp", "a.avif"),
    ],
)
def test_suffixes_of_images(name):
    assert is_image(name)
    assert is_picture(name)


@pytest.mark.parametrize("name", ["png", "a.txt", "a.eps", "a.pdf", "a", "a.png.bak", "a.mp4"])
def test_other_suffixes(name):
    assert not is_image(name)
    assert not is_picture(name)


def test_pictures_that_are_not_read():
    assert is_picture("IMG_1.HEIC")
    assert not is_image("IMG_1.HEIC")


@pytest.mark.parametrize(
    "name",
    [
        *(".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "$RECYCLE.BIN", ".ipynb_checkpoints"),
        *("._a.png", "lost+found", "System Volume Information"),
    ],
)
def test_system_files(name):
    assert is_system(name)


def test_classes_are_no_system_files():
    assert not any(is_system(name) for name in ("cat", "_", "thumbs", "0", "犬"))


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("train", "train Train training trn TRAIN training_set train-images seg_train trainset trainSet Training Data"),
        ("validation", "val valid Validation dev valset validation_images"),
        ("test", "test Test testing test1 testset Testing-Set"),
        ("unlabeled", "seg_pred unlabeled unlabelled"),
        (None, "cat trainer tested devil value 0 犬 train_test attest"),
    ],
)
def test_roles(role, names):
    for name in names.split() if role is None else names.replace("Training Data", "TrainingData").split():
        assert role_of(name) == role, name


def test_plain_roles_say_nothing_else():
    assert is_plain_role("test_images")
    assert not is_plain_role("test tube")
    assert not is_plain_role("cat")


def test_tables():
    assert is_table("labels.CSV")
    assert not is_table("labels.xlsx")


def test_some_names_are_printable():
    assert some(["a\nb", "x" * 300]) == "a\ufffdb, " + "x" * 157 + "..."
    assert some("abc", 2) == "a, b and 1 more"


def test_skipped_files_are_counted_by_suffix():
    names = ["a.txt", "b.txt", "c.md", "README", "d.svg"]
    assert (
        skipped_text(names, 0) == "5: 2 .txt, 1 without a suffix, 1 .md, 1 .svg (save .svg as PNG or JPEG to use them)"
    )
    assert skipped_text([], 1) == "1 hidden or system file"
