"""Masks beside the images that they belong to: pictures of where something is, not examples of the class."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

from wellfit.data.images.names import MASKS

__all__ = ["split_masks"]

_MASK: Final = re.compile(
    r"(?P<image>.+?)[ _.\-]*[ _.\-](masks?|seg|segmentation|superpixels|trimap|gt|ground[ _\-]?truth)"
    r"([ _.\-]?\(?\d+\)?)?",
    re.IGNORECASE,
)


def split_masks(files: Sequence[str], root: str) -> tuple[list[str], list[str]]:
    """Divide the images of a class into examples and masks.

    A mask is named after an image in the same folder, as ``1_mask.png`` after ``1.png``; or it lies in a folder named
    ``masks``, for example, with the name of an image elsewhere in the class, as in ``images/1.png``, ``masks/1.png``.

    Args:
      files: paths of all images of a class.
      root: its folder, which may be called ``mask`` itself.

    Example:
      >>> split_masks(["cat/1.png", "cat/1_mask.png", "cat/2_mask.png"], "cat")
      (['cat/1.png', 'cat/2_mask.png'], ['cat/1_mask.png'])
    """
    stems = [os.path.splitext(file)[0] for file in files]
    apart = [any(part.lower() in MASKS for part in _folders(file, root)) for file in files]
    beside = set(stems)
    elsewhere = {os.path.basename(stem) for stem, inside in zip(stems, apart, strict=True) if not inside}

    def is_mask(stem: str, inside: bool) -> bool:
        folder, name = os.path.split(stem)
        named = _MASK.fullmatch(name)
        if named is not None and os.path.join(folder, named["image"]) in beside:
            return True
        return inside and (name in elsewhere or (named is not None and named["image"] in elsewhere))

    found = [is_mask(stem, inside) for stem, inside in zip(stems, apart, strict=True)]
    return (
        [file for file, mask in zip(files, found, strict=True) if not mask],
        [file for file, mask in zip(files, found, strict=True) if mask],
    )


def _folders(file: str, root: str) -> list[str]:
    """The folders between a file and the folder of its class."""
    return os.path.dirname(file)[len(root) :].split(os.sep)
