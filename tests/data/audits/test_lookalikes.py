"""Nearly identical images in different splits; sound data are in test_checks."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from planted import changed, codes, halves_of_digits, message
from wellfit.data.catalog import load_dataset
from wellfit.data.splits import make_splits

CODE = "near-duplicate-across-splits"


def encoded(image):
    """An image after JPEG encoding."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=85)
    with Image.open(file) as copy:
        return np.asarray(copy)


WAYS = {
    "brighter": lambda x: np.clip(x * 1.1, 0, 255).astype(np.uint8),
    "lighter": lambda x: np.clip(x + 12.0, 0, 255).astype(np.uint8),
    "noisy": lambda x: np.clip(x + np.random.default_rng(1).normal(0, 3, x.shape), 0, 255).astype(np.uint8),
    "encoded": lambda x: np.stack([encoded(image) for image in x]),
}


@pytest.mark.parametrize("name", ["mnist", pytest.param("fashion-mnist", marks=pytest.mark.slow)])
@pytest.mark.parametrize("way", WAYS)
def test_copies_of_real_images(real_data, name, way):
    data = load_dataset(name)
    data = changed(data, x_train=data.x_train[:8000], y_train=data.y_train[:8000])
    splits = make_splits(data.y_train, validation=0.25)
    x_test = data.x_test[:2000].copy()
    x_test[:200] = WAYS[way](data.x_train[splits.train[:200]])
    fault = changed(data, x_test=x_test, y_test=data.y_test[:2000])
    found = message(fault, CODE, splits)
    count = int(found.split(": ")[1].split()[0])
    assert " of 2,000 test images, " in found
    assert 150 <= count <= 205
    assert codes(fault, splits)[CODE] == "warning"
    assert "duplicate-across-splits" not in codes(fault, splits)


def test_copies_of_digits_in_validation_and_test():
    data = halves_of_digits(0)
    splits = make_splits(data.y_train, validation=0.25)
    x_train, x_test = data.x_train.astype(np.float32), data.x_test.astype(np.float32)
    x_train[splits.validation[:10]] = x_train[splits.train[:10]] * np.float32(0.9)
    x_test[:20] = x_train[splits.train[10:30]] + 1
    found = message(changed(data, x_train=x_train, x_test=x_test), CODE, splits)
    assert found.startswith(
        "Some images are nearly the same as a training image: 10 of 250 validation images and 20 of 400 test images, "
    )


def test_exact_copies_have_their_own_finding():
    data = halves_of_digits(0)
    x_test = data.x_test.copy()
    x_test[:20] = data.x_train[:20]
    found = codes(changed(data, x_test=x_test))
    assert "duplicate-across-splits" in found
    assert CODE not in found


def test_many_copies_are_estimated():
    data = halves_of_digits(0, n=800, m=600)
    splits = make_splits(data.y_train, validation=0.25)
    rows = splits.train[np.arange(600)]
    fault = changed(data, x_test=data.x_train[rows] * np.float32(1.1), y_test=data.y_train[rows])
    assert 500 <= int(message(fault, CODE, splits).split(": ")[1].split()[0]) <= 600


def test_images_of_a_single_color_are_no_copies():
    data = halves_of_digits(0)
    x_train, x_test = data.x_train.astype(np.float32), data.x_test.astype(np.float32)
    x_train[:300] = 3
    x_test[:100] = np.linspace(4, 5, 100, dtype=np.float32)[:, None, None]
    assert CODE not in codes(changed(data, x_train=x_train, x_test=x_test))
