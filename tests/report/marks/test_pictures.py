from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from wellfit.report.marks.pictures import LARGEST_SIDE, pack


def opened(sheet):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet.uri.partition(",")[2]))))


def piece(sheet, index):
    """The picture that a browser would show: CSS positions are shares of what is left over."""
    x, y = (float(part.rstrip("%")) / 100 for part in sheet.place(index).split())
    left, top = round(x * (sheet.columns - 1) * sheet.width), round(y * (sheet.rows - 1) * sheet.height)
    return opened(sheet)[top : top + sheet.height, left : left + sheet.width]


@pytest.mark.parametrize("shape", [(7, 8, 6), (7, 8, 6, 3), (1, 5, 5)])
def test_every_picture_is_found_again(shape):
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    sheet = pack(images, budget=100_000)
    assert sheet is not None
    assert sheet.count == len(images)
    for index, image in enumerate(images):
        np.testing.assert_array_equal(piece(sheet, index), image)


def test_pictures_that_do_not_fit_the_budget_are_left_out_from_the_end():
    images = np.random.default_rng(1).integers(0, 256, (200, 12, 12)).astype(np.uint8)
    sheet = pack(images, budget=12_000)
    assert sheet is not None
    assert 20 < sheet.count < 200
    assert len(sheet.uri) <= 12_000
    np.testing.assert_array_equal(piece(sheet, sheet.count - 1), images[sheet.count - 1])


def test_fewer_shades_take_less_room():
    images = np.random.default_rng(2).normal(128, 30, (40, 16, 16)).clip(0, 255).astype(np.uint8)
    full, coarse = pack(images, 100_000), pack(images, 100_000, levels=16)
    assert full is not None
    assert coarse is not None
    assert len(coarse.uri) < 0.7 * len(full.uri)


def test_large_pictures_are_made_smaller_and_keep_their_form():
    sheet = pack(np.full((2, 200, 100, 3), 90, np.uint8), 100_000)
    assert sheet is not None
    assert (sheet.height, sheet.width) == (LARGEST_SIDE, LARGEST_SIDE // 2)


def test_no_picture_is_no_sheet():
    assert pack(np.zeros((0, 8, 8), np.uint8), 1000) is None
    assert pack(np.random.default_rng(3).integers(0, 256, (1, 64, 64)).astype(np.uint8), 50) is None
