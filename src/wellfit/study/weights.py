"""Overviews of each variant's weights: their distribution, the share of zeros, the first layer as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, WeightHistory, WeightOverview
from wellfit.base.histograms import Histograms
from wellfit.store import Store

__all__ = ["Overviews", "filter_pictures", "kernel_place", "kernels", "weight_history", "weight_overviews"]

BINS: Final = 61  # odd, so that the middle bin is centered on zero
SMALL: Final = 1e-3  # as in the history's ``small_weights``
FILTERS: Final = 32
EPOCHS: Final = 24
_INSIDE: Final = 0.995  # share of the weights, and of the filters' pixels, within the range shown


class Overviews(NamedTuple):
    """The overview of each variant, and the share of its kernel weights that are exactly zero."""

    overviews: dict[str, WeightOverview]
    zeros: dict[str, float]


def weight_overviews(store: Store, runs: Mapping[str, tuple[int, ...]], shape: tuple[int, ...] | None) -> Overviews:
    """Overviews of the weights of every variant.

    All histograms have the same bins from ``-r`` to ``r``, so that variants can be compared: 99.5 % of the weights of
    the variant with the widest distribution (at its lowest seed) are within r. Weights beyond r count in the outermost
    bins.

    Args:
      store: the study.
      runs: variant -> the seeds of its runs with weights, at least one each.
      shape: of one example; None if unknown.

    Raises:
      StoreUnreadableError: a file is missing or damaged.
    """
    every = {variant: kernels(store.runs.weights(variant, min(seeds))) for variant, seeds in runs.items()}
    first = {variant: arrays for variant, arrays in every.items() if arrays}  # a model may have no kernels
    widest = max((_range(list(arrays.values())) for arrays in first.values()), default=0.0)
    edges = np.linspace(-1, 1, BINS + 1) * (widest or 1.0)  # (B + 1,)
    overviews, zeros = {}, {}
    for variant, arrays in first.items():
        layers = tuple(arrays)
        rest = (kernels(store.runs.weights(variant, seed)) for seed in sorted(runs[variant])[1:])
        shares = [[_shares(of[name], edges) for name in layers] for of in (arrays, *rest)]
        mean = np.mean(shares, axis=0)  # (L, B + 2)
        sizes = [arrays[name].size for name in layers]
        zeros[variant] = float(np.average(mean[:, 0], weights=sizes))
        pictures = filter_pictures(arrays[layers[0]], shape)
        seed = min(runs[variant])
        history = weight_history(store.runs.histograms(variant, seed), layers, seed)
        numbers = mean[:, 2:], mean[:, 0], mean[:, 1]
        overviews[variant] = WeightOverview(variant, layers, edges, *numbers, pictures, history)
    return Overviews(overviews, zeros)


def weight_history(histograms: Histograms, kernels: Sequence[str], seed: int) -> WeightHistory | None:
    """The histograms of a run at 24 epochs at most, the first and the last among them; None if it has none.

    Args:
      histograms: of every array by epoch.
      kernels: the names that come first.
      seed: of the run.
    """
    names = tuple(sorted(histograms, key=lambda name: (name not in kernels, *kernel_place(name))))
    kept = [np.flatnonzero(histograms[name].any(axis=1)) for name in names[:1]]
    if not kept or not len(kept[0]):
        return None
    known = kept[0][np.unique(np.linspace(0, len(kept[0]) - 1, EPOCHS).round().astype(int))]  # (E,)
    counts = np.stack([histograms[name][known] for name in names])  # (A, E, BINS)
    return WeightHistory(seed, names, known + 1, counts / np.maximum(counts.sum(axis=2, keepdims=True), 1))


def kernel_place(name: str) -> tuple[str, int]:
    """The place of an array in the order of layers: convolutions, then batch normalization, then dense layers.

    Example:
      >>> kernel_place("dense_10/kernel") > kernel_place("dense_2/bias") > kernel_place("conv2d_3/kernel")
      True
    """
    kind, _, number = name.partition("/")[0].rpartition("_")
    return ("" if kind == "conv2d" else kind), int(number)


def kernels(weights: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """The kernels among a run's weights, from the first layer to the last; convolutions come before dense layers.

    Example:
      >>> zero = np.zeros(1)
      >>> weights = {"dense_10/kernel": zero, "dense_2/kernel": zero, "dense_2/bias": zero, "conv2d_1/kernel": zero}
      >>> list(kernels(weights))
      ['conv2d_1/kernel', 'dense_2/kernel', 'dense_10/kernel']
    """
    names = (name for name in weights if name.endswith("/kernel"))
    return {name: weights[name] for name in sorted(names, key=kernel_place)}


def _range(arrays: list[FloatArray]) -> float:
    """The range that contains nearly all weights of some kernels."""
    return float(np.quantile(np.abs(np.concatenate([array.ravel() for array in arrays])), _INSIDE))


def _shares(kernel: FloatArray, edges: FloatArray) -> FloatArray:
    """The shares of zeros, of small weights, and of the weights in each bin.  # (B + 2,)."""
    bins = len(edges) - 1
    place = np.floor((kernel.ravel() - edges[0]) * (bins / (edges[-1] - edges[0])))  # (size,)
    counts = np.bincount(np.clip(place, 0, bins - 1).astype(np.int64), minlength=bins)  # (B,)
    zeros, small = np.count_nonzero(kernel == 0), np.count_nonzero(np.abs(kernel) < SMALL)
    return np.concatenate([[zeros, small], counts]) / kernel.size


def filter_pictures(kernel: FloatArray, shape: tuple[int, ...] | None) -> NDArray[np.uint8] | None:
    """The filters of a first layer as pictures: zero is mid-gray, positive weights are lighter, negative ones darker.

    All filters of a variant share one scale, which covers 99.5 % of the pixels, so that strong filters are conspicuous.
    Several channels are averaged.

    Args:
      kernel: of a convolution, or of a dense layer on whole images.  # (h, w, C, F) or (H * W * C, F)
      shape: of one image, for a dense layer.

    Returns:
      At most 32 pictures, largest norm first; None if weights do not correspond to pixels.  # (F, H, W)

    Example: two units with one pixel each.
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
