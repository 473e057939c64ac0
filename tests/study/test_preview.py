"""A study before training: its models, examples, and their augmented versions."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from wellfit.api import Study, make_dataset
from wellfit.base import Augmentation, ModelSpec, Recipe, Scaling
from wellfit.data.folds import division
from wellfit.errors import DataError, ShapeError, StudyFileError, UnknownNameError
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


def test_lenet5_has_the_shapes_of_the_lab():
    table = model_table(Recipe(model=ModelSpec("lenet5")), (28, 28), 10)
    shapes = {row.name: row.shape for row in table.rows}
    assert shapes["conv2d_1"] == "28 x 28 x 6"
    assert shapes["max_pool_1"] == "14 x 14 x 6"
    assert shapes["conv2d_2"] == "10 x 10 x 16"
    assert shapes["max_pool_2"] == "5 x 5 x 16"
    assert shapes["conv2d_3"] == "1 x 1 x 120"
    assert shapes["dense_1"] == "84"
    assert shapes["dense_2"] == "10"
    assert str(table).splitlines()[-1] == "61,706 parameters, 241.04 KB"


def test_totals_and_memory_match_keras():
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
        printed: list[str] = []
        keras.Sequential(stack).summary(print_fn=lambda text, printed=printed, **_: printed.append(text))
        table = model_table(Recipe(model=spec), shape, classes)
        line = next(line for line in str(table).splitlines() if line.startswith(f"{table.total:,} parameters, "))
        memory = line.rsplit(", ", 1)[1].replace(" B", ".00 B")
        assert f"Trainable params: {table.total:,} ({memory}" in "".join(printed)
        assert f"Non-trainable params: {table.statistics:,} (" in "".join(printed)
    normalized = Recipe(model=ModelSpec("mlp", (7,), batch_norm=True))
    assert "Not trained: 14 running means and variances" in str(model_table(normalized, (6,), 3))


def test_every_network_has_one_table():
    wanted = study(
        "variants.small.model.hidden=[8]",
        "variants.little.model.hidden=[8]",
        'variants.other.model={hidden=[8],activation="tanh"}',
        "variants.other.l2=1e-3",
    )
    tables = model_tables(wanted, (4, 4), 3)
    assert [table.variants for table in tables] == [
        ("baseline", "l2"), ("dropout",), ("small", "little"), ("other",)
    ]  # fmt: skip
    assert [table.base for table in tables] == [True, False, False, False]
    assert tables[2].total == 16 * 8 + 8 + 8 * 3 + 3
    assert str(tables[0]).startswith("Base recipe's model, used by baseline, l2\n")
    assert str(tables[2]).startswith("Used by small, little\n")


def test_an_unused_base_recipe_comes_first():
    settings = [f"variants.{name}.model.hidden=[5]" for name in ("baseline", "l2", "dropout")]
    base, other, dropped = model_tables(study(*settings), (4, 4), 3)
    assert base.base
    assert base.variants == ()
    assert str(base).startswith("Base recipe's model, no variant uses it\n")
    assert (other.variants, dropped.variants) == (("baseline", "l2"), ("dropout",))


def test_one_dropout_and_two_are_two_networks():
    one, two = model_tables(load_study("lab-optimizers"), (28, 28), 10)
    rates = [[row.setting for row in table.rows if row.name.startswith("dropout")] for table in (one, two)]
    assert rates == [["rate 0.5", "rate 0"], ["rate 0.5", "rate 0.5"]]
    assert two.variants == ("two-dropouts",)
    assert one.rows[-1].setting == two.rows[-1].setting == "softmax"


def test_kernels_are_named_by_their_size():
    rows = model_table(Recipe(model=ModelSpec("lenet5"), dropout=(0.1, 0.1, 0.5)), (28, 28), 10).rows
    assert [row.setting for row in rows if row.name.startswith("conv2d")] == ["5 x 5 kernel"] * 3
    assert [row.setting for row in rows if row.name.startswith("dropout")] == ["rate 0.1", "rate 0.1", "rate 0.5"]


def test_a_small_model_takes_bytes():
    assert "51 parameters, 204 B" in str(model_table(Recipe(model=ModelSpec("logistic")), (16,), 3))


def test_a_model_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="layer"):
        model_tables(study('variants.l.model.kind="lenet5"'), (4, 4), 3)


def test_every_class_has_its_first_examples(images):
    rows = class_rows(images, 4)
    expected = [i for label in range(3) for i in [j for j, y in enumerate(images.y_train) if y == label][:4]]
    assert rows.tolist() == expected
    assert len(class_rows(images, 1000)) == len(images.y_train)


def test_examples_come_with_their_labels(images):
    x, y = examples(images, [3, 1])
    np.testing.assert_array_equal(x, images.x_train[[3, 1]])
    np.testing.assert_array_equal(y, images.y_train[[3, 1]])
    for row in (-1, len(images.x_train)):
        with pytest.raises(DataError, match=f"noise has no training example {row}; choose numbers from 0 to"):
            examples(images, [0, row])


@pytest.mark.parametrize("scale", ["unit", "standardize"])
def test_a_certain_flip_mirrors_the_image(images, scale):
    scaling = study_scaling(Study(images, scale=scale).spec, images)
    x = images.x_train[:5]
    shown = augmented(x, scaling, Augmentation(flip=1), 2)
    assert shown.shape == (5, 2, 6, 8)
    # pictures are moved before they are scaled, so that a standardized picture is mirrored as truly as any
    np.testing.assert_allclose(shown, x[:, None, :, ::-1].repeat(2, axis=1), atol=1e-3)


def test_erased_pixels_are_black_under_any_scaling(images):
    scaling = study_scaling(Study(images, scale="standardize").spec, images)
    x = np.maximum(images.x_train[:10], 1)
    shown = augmented(x, scaling, Augmentation(erasing=1), 3)
    erased = np.abs(shown - x[:, None]) > 1e-3  # float32 of numbers up to 255
    assert erased.any(axis=(2, 3)).all()
    np.testing.assert_allclose(shown[erased], 0, atol=1e-3)


def test_noise_has_its_strength_in_scaled_units(images):
    x = images.x_train[:10]
    noise = augmented(x, UNIT, Augmentation(noise=0.1), 40) - x[:, None]  # 19,200 numbers
    assert abs(noise.mean()) < 5 * 25.5 / np.sqrt(noise.size)
    assert abs(noise.std() / 25.5 - 1) < 5 / np.sqrt(2 * noise.size)


def test_mixup_shows_a_share_of_another_image():
    x = 100.0 * np.eye(4)[:, None, :]  # (4, 1, 4), so that a picture tells what it is mixed of
    shown = augmented(x, Scaling("unit", np.float32(0), np.float32(1)), Augmentation(mixup=1e4), 3)
    np.testing.assert_allclose(shown.sum(axis=(2, 3)), 100, rtol=1e-5)
    own = shown[np.arange(4), :, 0, np.arange(4)]  # (4, 3)
    alone = np.isclose(own, 100)  # its own partner
    assert not alone.all()
    np.testing.assert_allclose(own[~alone], 50, atol=5)  # Beta(1e4, 1e4) is within 5 % of a half


def test_augmented_versions_differ_and_are_repeatable(images):
    strengths = Augmentation(shift=0.2, rotation=20, zoom=0.2)
    first, second = (augmented(images.x_train[:3], UNIT, strengths, 3) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first[:, 0], first[:, 1])


def test_the_scaling_is_fitted_on_the_training_split(images):
    spec = Study(images, scale="standardize", validation=0.5).spec
    of_seed_0 = division(images, 0, folds=5, validation=0.5)
    train = of_seed_0.dataset.x_train[of_seed_0.splits.train]
    assert len(train) == 24
    np.testing.assert_allclose(study_scaling(spec, images).shift, train.mean(axis=0), rtol=1e-6)


def test_equal_augmentations_are_grouped():
    spec = study("train.augmentation={flip=0.5}", "variants.l2.augmentation={shift=0.1}")
    assert augmentations(spec) == {
        Augmentation(flip=0.5): ("baseline", "dropout"),
        Augmentation(shift=0.1): ("l2",),
    }
    assert augmentations(study()) == {}
    assert augmentation_of(spec, "l2") == Augmentation(shift=0.1)
    assert augmentation_of(spec, None) == Augmentation(flip=0.5)
    assert variant_recipe(spec, None) == spec.base


def test_what_has_no_augmentation_is_refused():
    with pytest.raises(StudyFileError, match=r"variant 'l2' of study lab5 has no aug.*--set 'variants\.l2\.augm"):
        augmentation_of(study(), "l2")
    with pytest.raises(StudyFileError, match=r"the base recipe of study lab5 has no .*--set 'train\.augmentation"):
        augmentation_of(study(), None)
    with pytest.raises(UnknownNameError, match="unknown variant 'l3'"):
        augmentation_of(study(), "l3")


def test_the_suggested_setting_works():
    with pytest.raises(StudyFileError) as refused:
        augmentation_of(study(), "l2")
    hint = str(refused.value).split("--set '")[1].rstrip("'")
    assert asdict(augmentation_of(study(hint), "l2"))["shift"] == 0.1
