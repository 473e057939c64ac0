"""How the weights of every layer are distributed, at the end and by epoch; the first layer's filters on one sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from wellfit.base import FloatArray, IntArray, StudySummary, WeightHistory, WeightOverview
from wellfit.base.histograms import BIN_EDGES, BINS
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet, pack
from wellfit.report.numbers import FEW, of_variants

__all__ = ["Layer", "Ridge", "WeightRow", "filter_sheet", "ridge", "weight_rows", "zeros_text"]

WIDTH, HEIGHT = 240, 68
LOWEST: Final = 1e-5
"""The smallest share of a bin that an outline shows: its scale is logarithmic, so that a few large weights are seen."""


class Layer(NamedTuple):
    """One kernel: its name, the outline of its histogram, its spread and its zeros in words."""

    name: str
    outline: str
    spread: str
    zeros: str


@dataclass(frozen=True)
class WeightRow:
    """A variant: its kernels, and the places of its filters on the sheet."""

    index: int
    name: str
    layers: tuple[Layer, ...]
    filters: tuple[str, ...]


CUT: Final = 1.3
"""The height at which the middle of a ridge is cut off: exact zeros would flatten everything else to a line."""


@dataclass(frozen=True, eq=False)
class Ridge:
    """The distribution of an array's weights after some epochs, on one linear scale.

    Args:
      name: of the array.
      seed: of the run.
      epochs: the first, the last, and some between.  # (E,)
      places: values of weights, from ``-r`` to ``r``.  # (P,)
      heights: density, relative to the highest outside of the middle.  # (E, P)
      inside: the central range with 90 % of the weights, to a bin: (low, high) for the first and the last epoch.
    """

    name: str
    seed: int
    epochs: IntArray
    places: FloatArray
    heights: FloatArray
    inside: tuple[tuple[float, float], tuple[float, float]]


def ridge(history: WeightHistory, layer: str, epochs: int = 12, points: int = 61) -> Ridge:
    """The ridge of one array, whose weights are drawn where 99.5 % of them are in every epoch.

    Args:
      history: of a run.
      layer: the array.
      epochs: the most that are drawn.
      points: places of the ridge; odd, so that the middle one is centered on zero.

    Raises:
      KeyError: there is no such array.
    """
    if layer not in history.layers:
        raise KeyError(layer)
    of_layer = history.shares[history.layers.index(layer)]  # (E, BINS)
    chosen = np.unique(np.linspace(0, len(history.epochs) - 1, epochs).round().astype(int))
    shares = of_layer[chosen]  # (E, BINS)
    edges = BIN_EDGES
    below = np.cumsum(shares, axis=1)[:, :-1]  # (E, BINS - 1) at the edges
    outside = below + 1 - below[:, ::-1]  # the share beyond each edge on its side and the mirrored one
    wide = [-edges[np.flatnonzero(of <= 0.005)[-1:]].min(initial=-edges[BINS // 2]) for of in outside[:, : BINS // 2]]
    reach = max(wide)
    grid = np.linspace(-reach, reach, points + 1)  # (P + 1,)
    density = np.stack([np.diff(np.interp(grid, edges, of)) for of in below])  # (E, P)
    sides = np.delete(density, points // 2, axis=1)
    heights = np.minimum(density / (sides.max() or density.max() or 1.0), CUT)
    ends = [_spread(edges, shares[at, 1:-1]) for at in (0, -1)]
    return Ridge(layer, history.seed, history.epochs[chosen], (grid[1:] + grid[:-1]) / 2, heights, (ends[0], ends[1]))


def weight_rows(summary: StudySummary, weights: Mapping[str, WeightOverview], sheet: Sheet | None) -> list[WeightRow]:
    """One row per variant that has weights.

    Args:
      weights: by variant.
      sheet: the result of `filter_sheet` for them.
    """
    rows, start = [], 0
    most = _filters_each(weights)
    for index, name, overview in of_variants(summary, weights):
        count = 0 if overview.filters is None else min(most, len(overview.filters))
        kept = range(start, min(start + count, sheet.count if sheet else 0))
        start += count
        layers = tuple(_layer(overview, at) for at in range(len(overview.layers)))
        rows.append(WeightRow(index, name, layers, tuple(sheet.place(i) for i in kept) if sheet else ()))
    return rows


def filter_sheet(weights: Mapping[str, WeightOverview], budget: int) -> Sheet | None:
    """The first filters of every variant on one sheet: 16 of each, or 8 if there are many variants.

    Args:
      weights: by variant, in the study's order.
      budget: the most characters of the sheet.

    Returns:
      The sheet; None if no variant has filters or their shapes differ.
    """
    most = _filters_each(weights)
    kept = [w.filters[:most] for w in weights.values() if w.filters is not None and len(w.filters)]
    shapes = {filters.shape[1:] for filters in kept}
    if len(shapes) != 1:
        return None
    return pack(np.concatenate(kept), budget, levels=16)


def zeros_text(overview: WeightOverview, at: int) -> str:
    """The share of a layer's weights that are nearly or exactly zero."""
    zeros, small = float(overview.zeros[at]), float(overview.small[at])
    exact = f", {wording.number(100 * zeros, 1, ' %')} exactly 0" if zeros > 0 else ""
    return f"{wording.number(100 * small, 1, ' %')} below 0.001{exact}"


def _filters_each(weights: Mapping[str, WeightOverview]) -> int:
    return 16 if len(weights) <= FEW else 8


def _layer(overview: WeightOverview, at: int) -> Layer:
    low, high = _spread(overview.edges, overview.histogram[at])
    name = overview.layers[at].removesuffix("/kernel")
    spread = wording.true_minus(f"{name}: 90 % of the weights are between {low:.2g} and {high:.2g}")
    return Layer(name, _outline(overview.histogram[at]), spread, zeros_text(overview, at))


def _outline(shares: FloatArray) -> str:
    """A histogram as an SVG path of a closed area, on a logarithmic scale."""
    top = max(float(shares.max()), 10 * LOWEST)
    step = WIDTH / len(shares)
    steps = [f"M0 {HEIGHT}"]
    for place, share in enumerate(shares):
        tall = max(0.0, math.log(max(float(share), LOWEST) / LOWEST) / math.log(top / LOWEST))
        steps.append(f"V{HEIGHT * (1 - tall):.0f}H{step * (place + 1):.0f}")
    return "".join([*steps, f"V{HEIGHT}Z"])


def _spread(edges: FloatArray, shares: FloatArray) -> tuple[float, float]:
    """Bounds of the central 90 % of the weights, to a bin."""
    below = np.cumsum(shares) / max(float(shares.sum()), 1e-12)
    low, high = (int(np.searchsorted(below, q)) for q in (0.05, 0.95))
    return float(edges[low]), float(edges[min(high + 1, len(edges) - 1)])
