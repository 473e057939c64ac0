"""Resizing beside Pillow's own."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from data.images.pictures import noise
from wellfit.data.images.sizes import fit, inner_size, suggested_size


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (7, 300), (300, 7), (20, 20)])
def test_letterbox_keeps_proportions_as_pillow_does(size):
    image = Image.new("L", size[::-1])
    height, width = inner_size(size, (32, 24), "letterbox")
    contained = ImageOps.contain(image, (24, 32))
    assert abs(height - contained.height) <= 1
    assert abs(width - contained.width) <= 1
    assert height == 32 or width == 24
    assert inner_size(size, (32, 24), "stretch") == (32, 24)


def test_bytes_are_resized_by_pillow():
    image = Image.fromarray(noise(0, (40, 30, 3)))
    expected = image.resize((7, 8), Image.Resampling.LANCZOS, reducing_gap=3.0)
    np.testing.assert_array_equal(np.asarray(fit(image, (8, 7))), np.asarray(expected))


def test_words_are_resized_with_all_their_bits():
    x = noise(0, (40, 30, 3), np.uint16)
    words = fit(x, (8, 7))
    assert words.dtype == np.uint16
    for c in range(3):
        channel = Image.fromarray(x[:, :, c].astype(np.float32)).resize((7, 8), Image.Resampling.LANCZOS)
        np.testing.assert_array_equal(words[:, :, c], np.round(np.clip(np.asarray(channel), x.min(), x.max())))


def test_floats_stay_in_range():
    x = np.zeros((16, 16), np.float32)
    x[:, 8:] = 1
    enlarged = fit(x, (32, 32))
    assert (enlarged.dtype, enlarged.shape) == (np.float32, (32, 32))
    assert enlarged.min() == 0
    assert enlarged.max() == 1


def test_the_same_size_is_unchanged():
    x = noise(0, dtype=np.uint16)
    assert fit(x, (4, 5)) is x
    assert fit(x, None) is x


def test_suggested_size():
    assert [suggested_size([n]) for n in (1, 5, 8, 28, 31, 33, 1000)] == [1, 5, 8, 28, 28, 32, 64]
