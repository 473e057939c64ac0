"""Which images belong to which class and set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from data.images.pictures import noise, save, tree
from wellfit.base import Reading
from wellfit.data.images.folders import find_given, find_sets
from wellfit.data.images.walk import list_folder
from wellfit.errors import DataError


def find(folder: Path, **reading):
    """The sets: role -> [(class, path)], and the facts."""
    sets, facts = find_sets(list_folder(folder), Reading(**reading))
    found = {
        role: [(label, os.path.relpath(file, folder)) for label, file in zip(s.labels, s.files, strict=True)]
        for role, s in sets.items()
    }
    return found, dict(facts)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


# --- Classes ----------------------------------------------------------------------------------------------------------


def test_class_folders_in_order(tmp_path: Path):
    touch(tmp_path, "b/1.png", "a/10.png", "a/9.png", "a/B.jpg", "犬/x.gif", "a/notes.txt", ".cache/1.png")
    sets, facts = find(tmp_path)
    expected = [("a", "a/10.png"), ("a", "a/9.png"), ("a", "a/B.jpg"), ("b", "b/1.png"), ("犬", "犬/x.gif")]
    assert sets == {"train": expected}
    assert facts == {}


def test_folders_within_a_class(tmp_path: Path):
    touch(tmp_path, "a/x/1.png", "a/y/1.png", "a/0.png", "b/z/deep/1.png")
    assert find(tmp_path)[0]["train"] == [
        ("a", "a/0.png"),
        ("a", "a/x/1.png"),
        ("a", "a/y/1.png"),
        ("b", "b/z/deep/1.png"),
    ]


def test_masks_are_no_examples(tmp_path: Path):
    touch(tmp_path, "a/1.png", "a/1_mask.png", "a/2.png", "b/images/1.png", "b/masks/1.png", "c/3.png")
    sets, facts = find(tmp_path)
    assert sets["train"] == [("a", "a/1.png"), ("a", "a/2.png"), ("b", "b/images/1.png"), ("c", "c/3.png")]
    said = "2 named after the images that they belong to: a/1_mask.png, b/masks/1.png"
    assert facts == {"masks left out": said}


def test_masks_are_no_examples_of_sets_or_of_names(tmp_path: Path):
    touch(tmp_path / "s", *(f"{c}/{s}/1{m}.png" for c in "ab" for s in ("train", "test") for m in ("", "_mask")))
    sets, facts = find(tmp_path / "s")
    assert sets == {role: [("a", f"a/{role}/1.png"), ("b", f"b/{role}/1.png")] for role in ("train", "test")}
    assert facts["masks left out"].startswith("4 ")
    touch(tmp_path / "n", *(f"{c}.{i}{m}.png" for c in ("cat", "dog") for i in range(5) for m in ("", "_mask")))
    sets, facts = find(tmp_path / "n")
    assert [label for label, _ in sets["train"]] == ["cat"] * 5 + ["dog"] * 5
    assert facts["masks left out"].startswith("10 ")


def test_a_table_may_name_people_with_masks(tmp_path: Path):
    touch(tmp_path, "1.png", "1_Mask.png", "2.png", "2_Mask.png")
    (tmp_path / "labels.csv").write_text("file,label\n1.png,no\n1_Mask.png,yes\n2.png,no\n2_Mask.png,yes\n")
    assert [label for label, _ in find(tmp_path)[0]["train"]] == ["no", "yes", "no", "yes"]


def test_wrappers_are_entered_and_named(tmp_path: Path):
    tree(tmp_path / "data" / "PetImages")
    (tmp_path / "data" / "annotations").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    sets, facts = find(tmp_path)
    assert [label for label, _ in sets["train"]] == ["cat"] * 3 + ["dog"] * 3
    assert facts == {"folder": "data/PetImages"}


def test_empty_classes_are_refused(tmp_path: Path):
    tree(tmp_path)
    touch(tmp_path, "cow/1.svg", "cow/2.txt", "docs/readme.md")
    (tmp_path / "eel").mkdir()
    with pytest.raises(DataError, match=r"cow, eel contains no images \(only \.svg, \.txt\); add images or remove it"):
        find(tmp_path)


def test_an_empty_class_beside_one_with_folders(tmp_path: Path):
    touch(tmp_path, "a/x/1.png", "a/y/1.png", "b/notes.txt")
    with pytest.raises(DataError, match="b contains no images"):
        find(tmp_path)


def test_no_classes(tmp_path: Path):
    with pytest.raises(DataError, match=r"contains no images; put the images of each class in a subfolder, or a table"):
        find(tmp_path)
    touch(tmp_path, "a.svg", "b.svg")
    with pytest.raises(DataError, match=r"contains no images, but 2: a\.svg, b\.svg \(save \.svg as PNG or JPEG"):
        find(tmp_path)
    touch(tmp_path, "a.png")
    with pytest.raises(DataError, match="1 image without class folders; put the images"):
        find(tmp_path)


def test_one_class(tmp_path: Path):
    touch(tmp_path, "cat/1.png")
    with pytest.raises(DataError, match="all images are in one folder, cat; put the images of each class"):
        find(tmp_path)


def test_images_beside_the_class_folders(tmp_path: Path):
    tree(tmp_path)
    touch(tmp_path, "overview.png")
    sets, facts = find(tmp_path)
    assert len(sets["train"]) == 6
    assert facts == {"images left out": "1 outside the class folders: overview.png"}
    touch(tmp_path, *(f"{i}.png" for i in range(9)))
    with pytest.raises(DataError, match="10 of 16 images lie beside the class folders"):
        find(tmp_path)


def test_names_that_are_not_utf_8(tmp_path: Path):
    tree(tmp_path)
    os.mkdir(os.fsencode(tmp_path) + b"/\xc4rger")
    save(tmp_path / os.fsdecode(b"\xc4rger") / "1.png", noise(0))
    assert find(tmp_path)[0]["train"][-1][0] == "Ärger"


# --- Sets -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Training", "validation", "Testing"),
        ("TRN", "dev", "TEST"),
        ("training_set", "valid", "test_set"),
        ("seg_train", "seg_val", "seg_test"),
    ],
)
def test_sets_of_any_spelling(tmp_path: Path, names):
    for name in names:
        tree(tmp_path / "x" / name)
    sets, facts = find(tmp_path)
    assert {role: len(found) for role, found in sets.items()} == {"train": 6, "validation": 6, "test": 6}
    assert sets["validation"][0] == ("cat", f"x/{names[1]}/cat/0.png")
    assert facts == {"folder": "x"}


def test_wrappers_within_sets_and_unlabeled_images(tmp_path: Path):
    tree(tmp_path / "seg_train" / "seg_train")
    tree(tmp_path / "seg_test" / "seg_test")
    touch(tmp_path, "seg_pred/seg_pred/1.png")
    sets, facts = find(tmp_path)
    assert {role: len(found) for role, found in sets.items()} == {"train": 6, "test": 6}
    assert facts == {"left out": "seg_pred (images without labels)"}


def test_one_set_of_two(tmp_path: Path):
    tree(tmp_path / "train")
    tree(tmp_path / "val", per=1)
    assert {role: len(found) for role, found in find(tmp_path)[0].items()} == {"train": 6, "validation": 2}


def test_train_alone_is_a_wrapper(tmp_path: Path):
    tree(tmp_path / "train")
    assert list(find(tmp_path)[0]) == ["train"]


def test_a_test_set_alone(tmp_path: Path):
    tree(tmp_path / "test")
    with pytest.raises(DataError, match=r"there is only test/, and no training images; add train/, or give the path"):
        find(tmp_path)
    tree(tmp_path / "val")
    with pytest.raises(DataError, match="there is no training set beside test, val; add train/"):
        find(tmp_path)


def test_other_folders_beside_the_sets(tmp_path: Path):
    tree(tmp_path / "train")
    tree(tmp_path / "test")
    touch(tmp_path, "annotations/1.xml")
    assert list(find(tmp_path)[0]) == ["train", "test"]
    tree(tmp_path / "extra")
    with pytest.raises(
        DataError, match=r"beside test/ and train/ there must be no other folders with images, .* extra;"
    ):
        find(tmp_path)


def test_a_class_that_may_be_a_set(tmp_path: Path):
    tree(tmp_path, ("cat", "dog", "test"))
    with pytest.raises(
        DataError, match=r"beside test/ there must be .* cat, dog; move them, or rename test/ if it holds"
    ):
        find(tmp_path)
    (tmp_path / "test").rename(tmp_path / "test tube")
    assert sorted({label for label, _ in find(tmp_path)[0]["train"]}) == ["cat", "dog", "test tube"]


def test_two_folders_for_one_set(tmp_path: Path):
    for name in ("train", "training", "test"):
        tree(tmp_path / name)
    with pytest.raises(DataError, match="both train/ and training/ may be the train set; rename one"):
        find(tmp_path)


def test_an_empty_set(tmp_path: Path):
    tree(tmp_path / "train")
    tree(tmp_path / "val")
    (tmp_path / "test").mkdir()
    with pytest.raises(DataError, match=r"test: contains no images; add images or remove the folder"):
        find(tmp_path)


def test_classes_that_the_training_set_lacks(tmp_path: Path):
    tree(tmp_path / "train")
    tree(tmp_path / "test", ("Cat", "dog"))
    with pytest.raises(DataError, match=r"test: the test set has classes that .* lacks: Cat \(it has cat, dog\)"):
        find(tmp_path)


def test_sets_within_classes(tmp_path: Path):
    touch(tmp_path, *(f"{c}/{s}/{i}.png" for c in "ab" for s in ("train", "Test", "pred") for i in range(2)))
    sets, facts = find(tmp_path)
    assert sets["train"] == [(c, f"{c}/train/{i}.png") for c in "ab" for i in range(2)]
    assert sets["test"] == [(c, f"{c}/Test/{i}.png") for c in "ab" for i in range(2)]
    assert facts == {"folder": "each class has its own folders for the sets"}


# --- Labels without class folders -------------------------------------------------------------------------------------


def table(path: Path, rows: dict[str, str], header: str = "file,label") -> None:
    path.write_text("\n".join([header, *(f"{name},{label}" for name, label in rows.items())]) + "\n")


def test_a_table_beside_flat_images(tmp_path: Path):
    touch(tmp_path, "b.png", "a.png", "c.png")
    table(tmp_path / "labels.csv", {"a": "x", "b": "y", "z": "x", "q": "y"})
    sets, facts = find(tmp_path)
    assert sets == {"train": [("x", "a.png"), ("y", "b.png")]}
    assert facts == {
        "labels": "column label of labels.csv",
        "images left out": "1 that labels.csv does not name: c.png",
        "labels left out": "2 in labels.csv without an image: z, q",
    }


@pytest.mark.parametrize("place", ["labels.csv", "images/labels.csv", "annotations/labels.csv"])
def test_a_table_beside_the_folder_of_images(tmp_path: Path, place):
    touch(tmp_path, "images/a.png", "images/b.png", place)
    table(tmp_path / place, {"a.png": "x", "b.png": "y"})
    assert find(tmp_path)[0] == {"train": [("x", "images/a.png"), ("y", "images/b.png")]}


def test_a_table_names_the_sets(tmp_path: Path):
    touch(tmp_path, "a.png", "b.png", "c.png")
    table(tmp_path / "t.csv", {"a.png": "x,train", "b.png": "y,train", "c.png": "x,test"}, "file,label,split")
    assert find(tmp_path)[0] == {"train": [("x", "a.png"), ("y", "b.png")], "test": [("x", "c.png")]}


def test_sets_of_flat_images(tmp_path: Path):
    touch(tmp_path, "train/a.png", "train/b.png", "test/c.png", "test/d.png")
    table(tmp_path / "train.csv", {"a": "x", "b": "y"})
    (tmp_path / "sample_submission.csv").write_text("file,label\nc,x\nd,x\n")
    (tmp_path / "test.csv").write_text("file\nc\nd\n")
    sets, facts = find(tmp_path)
    assert sets == {"train": [("x", "train/a.png"), ("y", "train/b.png")]}
    assert facts["left out"] == "test (images without labels)"
    table(tmp_path / "test.csv", {"c": "x", "d": "y"})
    assert find(tmp_path)[0]["test"] == [("x", "test/c.png"), ("y", "test/d.png")]


def test_labels_in_file_names(tmp_path: Path):
    touch(
        tmp_path, *(f"train/{word}.{i}.jpg" for word in ("cat", "dog") for i in range(5)), "test1/1.jpg", "test1/2.jpg"
    )
    sets, facts = find(tmp_path)
    assert [label for label, _ in sets["train"]] == ["cat"] * 5 + ["dog"] * 5
    assert facts == {
        "labels": "from the file names: cat.0.jpg is cat",
        "left out": "test1 (images without labels)",
    }


def test_flat_training_images_without_labels(tmp_path: Path):
    touch(tmp_path, "train/1.png", "train/2.png", "test/3.png")
    with pytest.raises(DataError, match=r"train: 2 images without class folders; put the images of each class"):
        find(tmp_path)


def test_a_table_that_repeats_the_folders_changes_nothing(tmp_path: Path):
    tree(tmp_path, ("a", "b"), per=2)
    table(tmp_path / "t.csv", {"a/0.png": "x", "a/1.png": "x", "b/0.png": "y", "b/1.png": "y"})
    assert {label for label, _ in find(tmp_path)[0]["train"]} == {"a", "b"}


def test_a_table_that_contradicts_the_folders(tmp_path: Path):
    tree(tmp_path, ("part_1", "part_2"), per=2)
    rows = {"part_1/0.png": "x", "part_1/1.png": "y", "part_2/0.png": "x", "part_2/1.png": "y"}
    table(tmp_path / "t.csv", rows, "file,dx")
    with pytest.raises(DataError, match=r't\.csv gives the images in part_1/ more than one class .* label = "dx" if'):
        find(tmp_path)
    assert [label for label, _ in find(tmp_path, label="dx")[0]["train"]] == ["x", "y", "x", "y"]


def test_a_column_without_a_table(tmp_path: Path):
    tree(tmp_path)
    with pytest.raises(DataError, match=r"\[data\] label = 'dx' names a column, but no table beside the images"):
        find(tmp_path, label="dx")
    with pytest.raises(DataError, match=r"\[data\] group = 2 names a column"):
        find(tmp_path, group=2)


def test_no_training_images_in_the_table(tmp_path: Path):
    touch(tmp_path, "train/a.png", "train/b.png", "test/c.png", "test/d.png")
    table(tmp_path / "all.csv", {"a": "x,val", "b": "y,test", "c": "x,train", "d": "y,train"}, "file,label,split")
    with pytest.raises(DataError, match=r"all\.csv: no image belongs to the training set; check the column of sets"):
        find(tmp_path)
    table(tmp_path / "all.csv", {"a": "x,train", "b": "y,train", "c": "x,train", "d": "y,test"}, "file,label,split")
    with pytest.raises(DataError, match=r"test: the table of labels names other sets; remove its column of sets"):
        find(tmp_path)


def test_a_set_of_its_own(tmp_path: Path):
    tree(tmp_path / "elsewhere" / "wrapped")
    found, facts = find_given(list_folder(tmp_path / "elsewhere"), Reading(), "test")
    assert found.labels == ["cat"] * 3 + ["dog"] * 3
    assert facts == []
    touch(tmp_path, "flat/1.png")
    with pytest.raises(DataError, match="flat: 1 image without class folders"):
        find_given(list_folder(tmp_path / "flat"), Reading(), "test")
