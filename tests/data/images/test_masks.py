"""Masks beside the images that they belong to."""

from __future__ import annotations

import os

import pytest

from wellfit.data.images.masks import split_masks


def masks(*names: str, root: str = "cat") -> list[str]:
    files = [os.path.join(root, *name.split("/")) for name in names]
    examples, found = split_masks(files, root)
    assert sorted(examples + found) == sorted(files)
    return [os.path.relpath(file, root).replace(os.sep, "/") for file in found]


@pytest.mark.parametrize(
    "name",
    ["1_mask.png", "1-mask.tif", "1_mask_2.png", "1_Segmentation.PNG", "1.gt.png", "1_ground_truth.png", "1__mask.png"],
)
def test_a_mask_is_named_after_an_image_in_its_folder(name: str) -> None:
    assert masks("1.jpg", name) == [name]
    assert masks("2.jpg", name) == []
    assert masks("a/1.jpg", f"b/{name}") == []


def test_names_of_public_data_sets() -> None:
    assert masks("benign (1).png", "benign (1)_mask.png", "benign (1)_mask_1.png") == [
        "benign (1)_mask.png",
        "benign (1)_mask_1.png",
    ]
    assert masks("ISIC_0000.jpg", "ISIC_0000_segmentation.png", "ISIC_0000_superpixels.png") == [
        "ISIC_0000_segmentation.png",
        "ISIC_0000_superpixels.png",
    ]
    assert masks("images/COVID-1.png", "masks/COVID-1.png", root="COVID") == ["masks/COVID-1.png"]
    assert masks("x/7.png", "x/Masks/7_mask.png", "x/Masks/8_mask.png") == ["x/Masks/7_mask.png"]


def test_people_with_masks_are_examples() -> None:
    assert masks("1.png", "2.png", root="mask") == []
    assert masks("1-with-mask.jpg", "2-with-mask.jpg", root="with_mask") == []
    assert masks("1.png", "1_masked.png", "mask.png", "1mask.png") == []
