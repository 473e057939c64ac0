from __future__ import annotations

import json
import sys
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from wellfit import cli
from wellfit.api import Study, make_dataset, mlp
from wellfit.base import Augmentation, ModelSpec, Scaling
from wellfit.data.splits import make_splits
from wellfit.errors import DataError, ShapeError, StudyFileError, UnknownNameError
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.data.preview import augmentation_figure, examples_figure, preview_figure, write_preview
from wellfit.spec.study import load_study
from wellfit.study.preview import (
    augmentation_of,
    augmentations,
    augmented,
    class_rows,
    examples,
    model_table,
    model_tables,
    study_scaling,
    variant_recipe,
)

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


# --- Models -----------------------------------------------------------------------------------------------------------


def test_lenet5_has_the_shapes_of_the_lab():
    table = model_table(ModelSpec("lenet5"), (28, 28), 10)
    lines = [line.split() for line in str(table).splitlines()]
    shapes = {words[0]: " ".join(words[1:-1]) for words in lines[1:-2]}
    assert shapes["conv2d_1"] == "28 x 28 x 6"
    assert shapes["max_pool_1"] == "14 x 14 x 6"
    assert shapes["conv2d_2"] == "10 x 10 x 16"
    assert shapes["max_pool_2"] == "5 x 5 x 16"
    assert shapes["conv2d_3"] == "1 x 1 x 120"
    assert shapes["dense_1"] == "84"
    assert shapes["dense_2"] == "10"
    assert str(table).splitlines()[-2] == "61,706 parameters, 241.04 KB"


def test_totals_and_memory_are_those_of_keras():
    import keras

    layers = keras.layers
    dense = [layers.Input((784,)), layers.Dense(128), layers.Dense(64), layers.Dense(10)]
    normal = [layers.Input((6,)), layers.Dense(7), layers.BatchNormalization(), layers.Dense(3)]
    wide = [layers.Input((784,)), layers.Dense(1000), layers.Dense(10)]
    cases = [
        (dense, ModelSpec("mlp", (128, 64)), (28, 28), 10),
        (normal, ModelSpec("mlp", (7,), batch_norm=True), (6,), 3),
        (wide, ModelSpec("mlp", (1000,)), (28, 28), 10),  # megabytes
    ]
    for stack, spec, shape, classes in cases:
        said: list[str] = []
        keras.Sequential(stack).summary(print_fn=lambda text, said=said, **_: said.append(text))
        table = model_table(spec, shape, classes)
        line = next(line for line in str(table).splitlines() if line.startswith(f"{table.total:,} parameters, "))
        memory = line.rsplit(", ", 1)[1].replace(" B", ".00 B")
        assert f"Trainable params: {table.total:,} ({memory}" in "".join(said)
        assert f"Non-trainable params: {table.statistics:,} (" in "".join(said)
    assert "Not trained: 14 running means and variances" in str(model_table(*cases[1][1:]))


def test_there_is_one_table_an_architecture():
    wanted = study(
        "variants.small.model.hidden=[8]",
        "variants.little.model.hidden=[8]",
        'variants.other.model={hidden=[8],activation="tanh"}',
        "variants.other.l2=1e-3",
    )
    tables = model_tables(wanted, (4, 4), 3)
    assert [table.variants for table in tables] == [("baseline", "l2", "dropout"), ("small", "little"), ("other",)]
    assert [table.base for table in tables] == [True, False, False]
    assert tables[1].total == 16 * 8 + 8 + 8 * 3 + 3
    assert str(tables[0]).startswith("Base recipe's model, used by baseline, l2, dropout\n")
    assert str(tables[1]).startswith("Used by small, little\n")


def test_a_base_recipe_that_no_variant_uses_is_shown_first():
    settings = [f"variants.{name}.model.hidden=[5]" for name in ("baseline", "l2", "dropout")]
    base, other = model_tables(study(*settings), (4, 4), 3)
    assert base.base
    assert base.variants == ()
    assert str(base).startswith("Base recipe's model, no variant uses it\n")
    assert other.variants == ("baseline", "l2", "dropout")


def test_a_small_model_takes_bytes():
    assert "51 parameters, 204 B" in str(model_table(ModelSpec("logistic"), (16,), 3))


def test_a_model_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="layer"):
        model_tables(study('variants.l.model.kind="lenet5"'), (4, 4), 3)


def test_model_summary_is_a_data_frame(images):
    asked = Study(images, mlp(4), variants={"plain": {}, "deep": {"model": mlp(5, 5)}})
    frame = asked.model_summary()
    assert frame.columns.tolist() == ["layer", "output_shape", "parameters"]
    assert frame.set_index("layer").loc["dense_1"].tolist() == [(4,), 48 * 4 + 4]
    assert frame.attrs == {"total": 48 * 4 + 4 + 5 * 3, "bytes": 4 * (48 * 4 + 4 + 5 * 3), "statistics": 0}
    assert asked.model_summary("plain").equals(frame)
    assert asked.model_summary("deep").attrs["total"] == 48 * 5 + 5 + 30 + 18
    with pytest.raises(UnknownNameError, match="unknown variant 'depe' in study study; did you mean 'deep'"):
        asked.model_summary("depe")


def test_the_model_command_prints_tables(monkeypatch, capsys):
    arguments = (
        "model",
        "regularization/l2",
        "--set",
        "variants.small.model.hidden=[8]",
        "--set",
        "model.hidden=[128,64]",
    )
    code, out, err = command(monkeypatch, capsys, *arguments)
    assert (code, err) == (0, "")
    first, second = out.split("\n\n")
    assert "17,226 parameters, 67.29 KB" in first
    assert second.startswith("Used by small\nlayer ")
    code, out, _ = command(monkeypatch, capsys, *arguments, "--json")
    found = json.loads(out)
    assert code == 0
    assert [(m["base"], m["variants"][0], m["total"], m["bytes"]) for m in found["models"]] == [
        (True, "baseline", 17226, 68904),
        (False, "small", 610, 2440),
    ]
    assert found["models"][1]["layers"][1] == {"layer": "dense_1", "output_shape": [8], "parameters": 520}


def test_a_mistake_in_the_model_command_is_one_line(monkeypatch, capsys):
    code, out, err = command(monkeypatch, capsys, "model", "lab6")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "did you mean 'lab5'" in err


# --- Examples ---------------------------------------------------------------------------------------------------------


def test_the_first_examples_of_every_class_are_taken(images):
    rows = class_rows(images, 4)
    expected = [i for label in range(3) for i in [j for j, y in enumerate(images.y_train) if y == label][:4]]
    assert rows.tolist() == expected
    assert len(class_rows(images, 1000)) == len(images.y_train)


def test_examples_come_with_their_labels(images):
    x, y = examples(images, [3, 1])
    np.testing.assert_array_equal(x, images.x_train[[3, 1]])
    np.testing.assert_array_equal(y, images.y_train[[3, 1]])
    for row in (-1, len(images.x_train)):
        with pytest.raises(DataError, match=f"noise has no training example {row}; give numbers from 0 to"):
            examples(images, [0, row])


def test_examples_are_drawn_by_class_or_by_row(images):
    by_class = Study(images).plot_examples(count=2)
    assert alt_text(by_class).endswith("a (2), b (2), c (2).")
    by_row = Study(images).plot_examples([7, 7, 9], columns=1)
    names = ", ".join(images.classes[images.y_train[i]] for i in (7, 7, 9))
    assert alt_text(by_row) == f"{images.title}. 3 examples: {names}."
    assert len({image.get_extent()[0] for image in by_row.axes[0].images}) == 1
    np.testing.assert_array_equal(drawn(by_row.axes[0])[2][..., 0], images.x_train[9])


# --- Augmentation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", ["unit", "standardize"])
def test_a_sure_flip_is_the_mirrored_image(images, scale):
    scaling = study_scaling(Study(images, scale=scale).spec, images)
    x = images.x_train[:5]
    found = augmented(x, scaling, Augmentation(flip=1), 2)
    assert found.shape == (5, 2, 6, 8)
    # pictures are moved before they are scaled, so that a standardized picture is mirrored as truly as any
    np.testing.assert_allclose(found, x[:, None, :, ::-1].repeat(2, axis=1), atol=1e-3)


def test_erased_pixels_are_black_whatever_the_scaling(images):
    scaling = study_scaling(Study(images, scale="standardize").spec, images)
    x = np.maximum(images.x_train[:10], 1)
    found = augmented(x, scaling, Augmentation(erasing=1), 3)
    erased = np.abs(found - x[:, None]) > 1e-3  # float32 of numbers up to 255
    assert erased.any(axis=(2, 3)).all()
    np.testing.assert_allclose(found[erased], 0, atol=1e-3)


def test_noise_has_its_strength_in_scaled_units(images):
    x = images.x_train[:10]
    noise = augmented(x, UNIT, Augmentation(noise=0.1), 40) - x[:, None]  # 19,200 numbers
    assert abs(noise.mean()) < 5 * 25.5 / np.sqrt(noise.size)
    assert abs(noise.std() / 25.5 - 1) < 5 / np.sqrt(2 * noise.size)


def test_mixup_shows_a_share_of_another_image():
    x = 100.0 * np.eye(4)[:, None, :]  # (4, 1, 4), so that a picture tells what it is mixed of
    found = augmented(x, Scaling("unit", np.float32(0), np.float32(1)), Augmentation(mixup=1e4), 3)
    np.testing.assert_allclose(found.sum(axis=(2, 3)), 100, rtol=1e-5)
    own = found[np.arange(4), :, 0, np.arange(4)]  # (4, 3)
    alone = np.isclose(own, 100)  # its own partner
    assert not alone.all()
    np.testing.assert_allclose(own[~alone], 50, atol=5)  # Beta(1e4, 1e4) is within 5 % of a half


def test_forms_differ_and_can_be_had_again(images):
    strengths = Augmentation(shift=0.2, rotation=20, zoom=0.2)
    first, second = (augmented(images.x_train[:3], UNIT, strengths, 3) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first[:, 0], first[:, 1])


def test_the_scaling_is_fitted_on_the_training_split_alone(images):
    spec = Study(images, scale="standardize", validation=0.5).spec
    train = make_splits(images.y_train, validation=0.5).train
    np.testing.assert_allclose(study_scaling(spec, images).shift, images.x_train[train].mean(axis=0), rtol=1e-6)


def test_variants_that_augment_alike_are_shown_together():
    spec = study("train.augmentation={flip=0.5}", "variants.l2.augmentation={shift=0.1}")
    assert augmentations(spec) == {
        Augmentation(flip=0.5): ("baseline", "dropout"),
        Augmentation(shift=0.1): ("l2",),
    }
    assert augmentations(study()) == {}
    assert augmentation_of(spec, "l2") == Augmentation(shift=0.1)
    assert augmentation_of(spec, None) == Augmentation(flip=0.5)
    assert variant_recipe(spec, None) == spec.base


def test_what_has_no_augmentation_is_refused(images):
    with pytest.raises(StudyFileError, match=r"variant 'l2' of study lab5 has no aug.*--set 'variants\.l2\.augm"):
        augmentation_of(study(), "l2")
    with pytest.raises(StudyFileError, match=r"the base recipe of study lab5 has no .*--set 'train\.augmentation"):
        augmentation_of(study(), None)
    with pytest.raises(UnknownNameError, match="unknown variant 'l3'"):
        augmentation_of(study(), "l3")
    with pytest.raises(StudyFileError, match="the base recipe of study study has no augmentation"):
        Study(images).plot_augmented()


def test_the_hint_of_a_refusal_mends_it():
    with pytest.raises(StudyFileError) as refused:
        augmentation_of(study(), "l2")
    hint = str(refused.value).split("--set '")[1].rstrip("'")
    assert asdict(augmentation_of(study(hint), "l2"))["shift"] == 0.1


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
    said = alt_text(figure)
    assert "v0, v1, v2, v3, 2 more: flip = 0.5." in said
    assert "mixed: mixup = 0.2; labels are mixed like the images." in said
    assert len(preview_figure(spec, images, "v1").axes) == 2
    assert len(preview_figure(Study(images).spec, images).axes) == 1
    assert alt_text(examples_figure(images, count=4)) in said
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
        (("--data", "rows.csv"), "rows has no images to look at, but rows of 2 features"),
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
        "Fashion-MNIST. 4 examples: Pullover, Dress, T-shirt/top, Trouser."
    )
    assert asked.model_summary().attrs == {"total": 109386, "bytes": 437544, "statistics": 0}
