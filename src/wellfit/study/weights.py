"""The weights of every variant, looked at: how they are distributed, how many are zero, the first ones as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, WeightLook
from wellfit.store import Store

__all__ = ["Looks", "filter_pictures", "kernels", "weight_looks"]

BINS: Final = 61  # odd: the middle one straddles zero
SMALL: Final = 1e-3  # as ``small_weights`` of the history
FILTERS: Final = 32
_INSIDE: Final = 0.995  # share of the widest variant's weights, and of the filters' pixels, that the range holds


class Looks(NamedTuple):
    """What there is to see, and the share of all kernel weights that are exactly zero, by variant."""

    looks: dict[str, WeightLook]
    zeros: dict[str, float]


def weight_looks(store: Store, runs: Mapping[str, tuple[int, ...]], shape: tuple[int, ...] | None) -> Looks:
    """Look at the weights of every variant.

    All histograms have the same bins, from ``-r`` to ``r``, so that variants can be compared: r holds 99.5 % of the
    weights of the variant with the widest ones (at its lowest seed), and what lies beyond counts in the outermost bins.

    Args:
      store: the study.
      runs: variant -> the seeds of its runs that have weights, at least one each.
      shape: of one example, as far as it is an image; None where it is none, or is not known.

    Raises:
      StoreUnreadableError: a file is missing or damaged.
    """
    every = {variant: kernels(store.runs.weights(variant, min(seeds))) for variant, seeds in runs.items()}
    first = {variant: arrays for variant, arrays in every.items() if arrays}  # a list of layers may have no kernel
    widest = max((_range(list(arrays.values())) for arrays in first.values()), default=0.0)
    edges = np.linspace(-1, 1, BINS + 1) * (widest or 1.0)  # (B + 1,)
    looks, zeros = {}, {}
    for variant, arrays in first.items():
        layers = tuple(arrays)
        rest = (kernels(store.runs.weights(variant, seed)) for seed in sorted(runs[variant])[1:])
        shares = [[_shares(of[name], edges) for name in layers] for of in (arrays, *rest)]
        mean = np.mean(shares, axis=0)  # (L, B + 2)
        sizes = [arrays[name].size for name in layers]
        zeros[variant] = float(np.average(mean[:, 0], weights=sizes))
        pictures = filter_pictures(arrays[layers[0]], shape)
        looks[variant] = WeightLook(variant, layers, edges, mean[:, 2:], mean[:, 0], mean[:, 1], pictures)
    return Looks(looks, zeros)


def kernels(weights: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """The kernels among a run's weights, from the first layer to the last: convolutions stand before dense layers.

    Example:
      >>> zero = np.zeros(1)
      >>> weights = {"dense_10/kernel": zero, "dense_2/kernel": zero, "dense_2/bias": zero, "conv2d_1/kernel": zero}
      >>> list(kernels(weights))
      ['conv2d_1/kernel', 'dense_2/kernel', 'dense_10/kernel']
    """

    def place(name: str) -> tuple[str, int]:
        kind, number = name.removesuffix("/kernel").rsplit("_", 1)
        return kind, int(number)

    return {name: weights[name] for name in sorted((n for n in weights if n.endswith("/kernel")), key=place)}


def _range(arrays: list[FloatArray]) -> float:
    """What holds nearly all weights of some kernels."""
    return float(np.quantile(np.abs(np.concatenate([array.ravel() for array in arrays])), _INSIDE))


def _shares(kernel: FloatArray, edges: FloatArray) -> FloatArray:
    """The share of zeros, the share of small weights, and of those in each bin.  # (B + 2,)."""
    bins = len(edges) - 1
    place = np.floor((kernel.ravel() - edges[0]) * (bins / (edges[-1] - edges[0])))  # (size,)
    counts = np.bincount(np.clip(place, 0, bins - 1).astype(np.int64), minlength=bins)  # (B,)
    zeros, small = np.count_nonzero(kernel == 0), np.count_nonzero(np.abs(kernel) < SMALL)
    return np.concatenate([[zeros, small], counts]) / kernel.size


def filter_pictures(kernel: FloatArray, shape: tuple[int, ...] | None) -> NDArray[np.uint8] | None:
    """The filters of a first layer as pictures: zero is mid-gray, positive weights are lighter, negative ones darker.

    One scale serves all filters of a variant, so that strong ones stand out: 99.5 % of the pixels are within it. Of
    several channels the mean is shown.

    Args:
      kernel: of a convolution, or of a dense layer on whole images.  # (h, w, C, F) or (H * W * C, F)
      shape: of one image, for a dense layer.

    Returns:
      At most 32 pictures, those of the largest norm first; None where weights do not stand for pixels.  # (F, H, W)

    Example: two units that look at one pixel each.
      >>> filter_pictures(np.array([[0.0, 1.0], [-2.0, 0.0]]), (1, 2)).tolist()
      [[[128, 1]], [[192, 128]]]
    """
    if kernel.ndim == 2:
        if shape is None or len(shape) < 2 or kernel.shape[0] != np.prod(shape):
            return None
        height, width = shape[:2]
        kernel = kernel.reshape(height, width, -1, kernel.shape[1])
    filters = kernel.transpose(3, 0, 1, 2)  # (F, h, w, C)
    norms = np.linalg.norm(filters.reshape(len(filters), -1), axis=1)  # (F,)
    strongest = filters[np.argsort(-norms, kind="stable")[:FILTERS]].mean(axis=3)  # (F, h, w)
    scale = float(np.quantile(np.abs(strongest), _INSIDE)) or 1.0
    pictures: NDArray[np.uint8] = np.rint(128 + 127 * np.clip(strongest / scale, -1, 1)).astype(np.uint8)
    return pictures
