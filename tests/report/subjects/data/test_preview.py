from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from wellfit import cli
from wellfit.api import Study, make_dataset
from wellfit.base import Scaling
from wellfit.errors import DataError, StudyFileError, UnknownNameError
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.data.preview import augmentation_figure, examples_figure, preview_figure, write_preview
from wellfit.spec.study import load_study

UNIT = Scaling("unit", np.float32(0), np.float32(1 / 255))


@pytest.fixture(scope="module")
def images():
    """Sixty images of 6 x 8 of three classes, "c" twice as frequent as the others, in random order."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2, 2], 15))  # (60,)
    x = rng.integers(0, 256, (60, 6, 8)).astype(np.uint8)  # (60, 6, 8)
    return make_dataset(x, y, name="noise", classes=("a", "b", "c"))


def study(*settings):
    return load_study("lab5", settings=settings)


def drawn(axes):
    return [np.asarray(image.get_array()) for image in axes.images]


def command(monkeypatch, capsys, *arguments):
    """Exit status, standard output and standard error of a command."""
    monkeypatch.setattr(sys, "argv", ["wellfit", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return ended.value.code or 0, out, err


# --- Examples ---------------------------------------------------------------------------------------------------------


def test_examples_are_drawn_by_class_or_by_row(images):
    by_class = Study(images).plot_examples(count=2)
    assert alt_text(by_class).endswith("a (2), b (2), c (2).")
    by_row = Study(images).plot_examples([7, 7, 9], columns=1)
    names = ", ".join(images.classes[images.y_train[i]] for i in (7, 7, 9))
    assert alt_text(by_row) == f"{images.title}, training examples. 3 examples: {names}."
    assert len({image.get_extent()[0] for image in by_row.axes[0].images}) == 1
    np.testing.assert_array_equal(drawn(by_row.axes[0])[2][..., 0], images.x_train[9])


# --- Augmentation -----------------------------------------------------------------------------------------------------


def test_an_augmentation_is_drawn_beside_its_originals(images):
    asked = Study(images, variants={"plain": {}, "mirror": {"augmentation": {"flip": 1.0}}})
    figure = asked.plot_augmented("mirror", count=3)
    pictures = drawn(figure.axes[0])
    assert len(pictures) == 9
    for row in range(3):
        np.testing.assert_array_equal(pictures[3 * row + 1], pictures[3 * row][:, ::-1])
    assert alt_text(figure) == "mirror: flip = 1. 3 images, each with 2 augmented forms: a, b, c."
    again = augmentation_figure(asked.spec, images, "mirror", 3)
    assert alt_text(again) == alt_text(figure)


def test_a_row_too_short_for_an_augmented_image_is_refused(images):
    asked = Study(images, augmentation={"flip": 0.5})
    with pytest.raises(StudyFileError, match="a count of 1 leaves no room for an augmented image"):
        asked.plot_augmented(count=1)
    with pytest.raises(DataError, match="there are no images to show"):
        asked.plot_examples(count=0)


def test_the_preview_draws_a_part_for_every_augmentation(images):
    variants = {"plain": {}, **{f"v{i}": {"augmentation": {"flip": 0.5}} for i in range(6)}}
    variants["mixed"] = {"augmentation": {"mixup": 0.2}}
    spec = Study(images, variants=variants).spec
    figure = preview_figure(spec, images, count=4)
    assert [len(axes.images) for axes in figure.axes] == [12, 12, 12]
    shown = alt_text(figure)
    assert "v0, v1, v2, v3, 2 more: flip = 0.5." in shown
    assert "mixed: mixup = 0.2; labels are mixed like the images." in shown
    assert len(preview_figure(spec, images, "v1").axes) == 2
    assert len(preview_figure(Study(images).spec, images).axes) == 1
    assert alt_text(examples_figure(images, count=4)) in shown
    with pytest.raises(UnknownNameError, match="unknown variant ''"):
        preview_figure(spec, images, "")


def test_a_picture_of_hundreds_of_classes_is_written_smaller(images, tmp_path, monkeypatch):
    spec = Study(images).spec
    monkeypatch.setattr("wellfit.report.subjects.data.preview.PIXELS", 200)
    with Image.open(write_preview(spec, images, tmp_path / "few.png")) as picture:
        assert 195 <= picture.height <= 200


def test_the_picture_carries_its_words(images, tmp_path):
    path = write_preview(Study(images).spec, images, tmp_path / "new folder" / "look.PNG", count=2)
    with Image.open(path) as picture:
        assert picture.text["Description"].endswith("a (2), b (2), c (2).")


def test_a_picture_that_cannot_be_written_is_refused(images, tmp_path):
    spec = Study(images).spec
    with pytest.raises(StudyFileError, match=r"look\.jpg is not the name of a PNG; give one that ends in \.png"):
        write_preview(spec, images, tmp_path / "look.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyFileError, match=r"cannot write .*look\.png: .*; choose another location"):
        write_preview(spec, images, tmp_path / "file" / "look.png")


def test_the_look_command_writes_a_picture_and_prints_its_path(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = ("--set", "train.augmentation={shift=0.1,noise=0.1}")
    assert command(monkeypatch, capsys, "look", *settings) == (0, "wellfit-look-regularization.png\n", "")
    with Image.open("wellfit-look-regularization.png") as picture:
        tall = picture.height
        assert picture.format == "PNG"
    arguments = ("look", "--variant", "l1", "--count", "3", "--out", "some/where.png", *settings)
    assert command(monkeypatch, capsys, *arguments) == (0, "some/where.png\n", "")
    assert command(monkeypatch, capsys, "look", "regularization/l2", "--out", "plain.png")[0] == 0
    with Image.open("plain.png") as picture:
        assert picture.height < tall / 2 + 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--variant", "l2"), "variant 'l2' of study regularization has no augmentation"),
        (("--variant", "l22"), "unknown variant 'l22'"),
        (("--data", "rows.csv"), "rows has rows of 2 features instead of images"),
        (("--out", "look.svg"), "look.svg is not the name of a PNG"),
    ],
)
def test_a_mistake_in_the_look_command_is_one_line(monkeypatch, capsys, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("label,u,v\n" + "".join(f"{i % 2},0.{i},0.5\n" for i in range(40)))
    code, out, err = command(monkeypatch, capsys, "look", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not list(tmp_path.glob("*.png"))


def test_the_real_fashion_mnist_is_looked_at(real_data, tmp_path):
    asked = Study.from_toml("lab5")
    assert alt_text(asked.plot_examples([5, 20, 789, 4567])) == (
        "Fashion-MNIST, training examples. 4 examples: Pullover, Dress, T-shirt/top, Trouser."
    )
    assert asked.model_summary().attrs == {"total": 109386, "bytes": 437544, "statistics": 0}
