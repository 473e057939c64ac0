"""Images of a set that are transposed, turned, flipped, shifted or inverted; sound splits are in test_checks."""

from __future__ import annotations

import numpy as np
import pytest

from planted import changed, codes, findings, halves_of_digits, images, make, message, with_given_validation
from wellfit.data.catalog import load_dataset

CODE = "images-transformed-between-splits"
WAYS = {
    "transposed": lambda x: x.swapaxes(1, 2),
    "transposed along the other diagonal": lambda x: np.rot90(x, 2, (1, 2)).swapaxes(1, 2),
    "rotated by 90° clockwise": lambda x: np.rot90(x, -1, (1, 2)),
    "rotated by 90° counterclockwise": lambda x: np.rot90(x, 1, (1, 2)),
    "rotated by 180°": lambda x: np.rot90(x, 2, (1, 2)),
    "flipped left to right": lambda x: x[:, :, ::-1],
    "flipped upside down": lambda x: x[:, ::-1],
    "inverted, dark for light": lambda x: x.max() - x,
    "shifted by 1 pixel right": lambda x: np.roll(x, 1, 2),
    "shifted by 1 pixel up and 1 pixel left": lambda x: np.roll(x, (-1, -1), (1, 2)),
}


@pytest.mark.parametrize("way", WAYS)
def test_digits_transformed(way):
    sound = halves_of_digits(0)
    found = findings(changed(sound, x_test=WAYS[way](sound.x_test)))
    assert found[CODE].level == "error"
    assert found[CODE].message.startswith(f"The test images look {way}: undoing that, their mean images by class lie ")
    assert float(found[CODE].message.split("class lie ")[1].split()[0]) > 5
    assert "labels-unrelated-in-split" not in found  # the transformation explains it
    assert "scale-shift-between-splits" not in found


@pytest.mark.parametrize("way", WAYS)
def test_the_array_in_the_remedy_undoes_it(way):
    sound = halves_of_digits(0)
    fault = changed(sound, x_test=WAYS[way](sound.x_test))
    fix = findings(fault)[CODE].fix
    if way.startswith("inverted"):
        assert fix.endswith("use the largest pixel value minus x_test.")
        return
    array = fix.split("is the wrong one, use ")[1].removesuffix(".")
    mended = eval(array, {"np": np, "x_test": fault.x_test})
    assert CODE not in codes(changed(fault, x_test=mended))
    np.testing.assert_array_equal(mended, sound.x_test)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("way", [w for w in WAYS if w != "shifted by 1 pixel up and 1 pixel left"])
def test_few_real_images_transformed(real_data, name, way):
    data, rng = load_dataset(name), np.random.default_rng(0)
    rows, held = rng.choice(60_000, 1000, replace=False), rng.choice(10_000, 300, replace=False)
    fault = changed(
        data,
        x_train=data.x_train[rows],
        y_train=data.y_train[rows],
        x_test=WAYS[way](data.x_test[held]),
        y_test=data.y_test[held],
    )
    if way.startswith("shifted"):  # a pixel of 28: the more images, the smaller the shift that can be seen
        fault = changed(fault, x_test=np.roll(fault.x_test, 2, 2))
        way = "shifted by 3 pixels right"
    assert f"The test images look {way}:" in message(fault, CODE)


def test_a_given_validation_set_is_compared_too():
    sound = halves_of_digits(0)
    fault, splits = with_given_validation(sound, sound.x_test.swapaxes(1, 2), sound.y_test)
    fault = changed(fault, x_test=halves_of_digits(1).x_test, y_test=halves_of_digits(1).y_test)
    found = findings(fault, splits)[CODE]
    assert found.message.startswith("The validation images look transposed")
    assert found.fix.endswith("x_val.swapaxes(1, 2).")


def test_wrong_labels_do_not_hide_a_transformation():
    sound = halves_of_digits(0)
    fault = changed(sound, x_test=sound.x_test.swapaxes(1, 2), y_test=(sound.y_test + 1) % 10)
    assert message(fault, CODE).startswith(
        "The test images look transposed: undoing that, their overall mean image lies "
    )
    shuffled = changed(fault, y_test=np.random.default_rng(0).permutation(sound.y_test))
    assert message(shuffled, CODE).startswith(
        "The test images look transposed: undoing that, their overall mean image lies "
    )


def test_scale_and_transformation_are_both_found():
    sound = halves_of_digits(0)
    found = codes(changed(sound, x_test=sound.x_test.swapaxes(1, 2) / np.float32(16)))
    assert {CODE, "scale-shift-between-splits"} <= found.keys()


def test_other_proportions_of_the_classes_are_no_transformation():
    """Arrows to the left and to the right: the mean of all test images is the mirror image of the training mean."""
    rng = np.random.default_rng(0)
    left = np.zeros((8, 8))
    left[3:5, :3] = left[2:6, 2] = 200

    def arrows(n, share):
        y = (rng.random(n) < share).astype(int)
        return rng.normal(0, 30, (n, 8, 8)) + np.where(y[:, None, None], left, left[:, ::-1]), y

    (x, y), (held_x, held_y) = arrows(500, 0.9), arrows(200, 0.1)
    assert CODE not in codes(make(x, y, held_x, held_y))


def test_channels_in_another_order():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(400) % 2)
    x = rng.normal([100, 50, 20], 10, (400, 6, 6, 3)) + 20 * y[:, None, None, None]
    data = make(x[:300], y[:300], x[300:], y[300:])
    assert CODE not in codes(data)
    assert message(changed(data, x_test=data.x_test[..., ::-1]), CODE).startswith("The test images look in BGR order")


def test_large_images_are_shifted_by_about():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(120) % 2)
    x = rng.normal(0, 30, (120, 64, 96))
    x[:, 16:32, 16:32] += 100
    x[y == 1, 40:48, 60:72] += 100
    data = make(x[:80], y[:80], x[80:], y[80:])
    assert CODE not in codes(data)
    fault = changed(data, x_test=np.roll(data.x_test, (-4, 6), (1, 2)))
    assert "shifted by about 4 pixels up and 6 pixels right" in message(fault, CODE)


def test_what_images_do_not_say():
    few = halves_of_digits(0, m=9)
    assert CODE not in codes(changed(few, x_test=few.x_test.swapaxes(1, 2)))
    blank = images()
    assert CODE not in codes(changed(blank, x_test=np.zeros_like(blank.x_test)))
