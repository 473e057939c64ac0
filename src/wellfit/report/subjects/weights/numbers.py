"""What the weights look like at the end: how they are spread, how many are zero, what the first layer looks for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from wellfit.base import FloatArray, StudySummary, WeightLook
from wellfit.report.marks.pictures import Sheet, pack
from wellfit.report.subjects.curves.page import FEW

__all__ = ["LayerCell", "WeightRow", "filter_sheet", "weight_rows"]

WIDTH, HEIGHT = 240, 68
LOWEST: Final = 1e-5
"""The smallest share of a bin that is drawn: the scale is logarithmic, so that the few large weights can be seen."""


@dataclass(frozen=True)
class LayerCell:
    """One kernel of a variant: its name, the outline of its histogram, and its zeros in words."""

    layer: str
    outline: str
    said: str
    zeros: str


@dataclass(frozen=True)
class WeightRow:
    """A variant: its kernels, and where its filters stand on the sheet."""

    index: int
    name: str
    layers: tuple[LayerCell, ...]
    filters: tuple[str, ...]


def weight_rows(summary: StudySummary, weights: Mapping[str, WeightLook], sheet: Sheet | None) -> list[WeightRow]:
    """The variants with weights.

    Args:
      summary: the study.
      weights: by variant.
      sheet: what `filter_sheet` returned for them.

    Returns:
      A row for each.
    """
    rows, start = [], 0
    most = _filters_each(weights)
    for index, variant in enumerate(summary.variants):
        look = weights.get(variant.name)
        if look is None:
            continue
        count = 0 if look.filters is None else min(most, len(look.filters))
        kept = range(start, min(start + count, sheet.count if sheet else 0))
        start += count
        layers = tuple(_layer(look, at) for at in range(len(look.layers)))
        rows.append(WeightRow(index, variant.name, layers, tuple(sheet.place(i) for i in kept) if sheet else ()))
    return rows


def filter_sheet(weights: Mapping[str, WeightLook], budget: int) -> Sheet | None:
    """The first filters of every variant on one sheet: 16 of each where there are few variants, 8 where there are many.

    Args:
      weights: by variant, in the study's order.
      budget: the most characters of the sheet.

    Returns:
      The sheet, or None where no variant has filters.
    """
    most = _filters_each(weights)
    kept = [look.filters[:most] for look in weights.values() if look.filters is not None and len(look.filters)]
    shapes = {filters.shape[1:] for filters in kept}
    if len(shapes) != 1:  # models of different first layers: their filters fit no common sheet
        return None
    return pack(np.concatenate(kept), budget, levels=16)


def _filters_each(weights: Mapping[str, WeightLook]) -> int:
    return 16 if len(weights) <= FEW else 8


def _layer(look: WeightLook, at: int) -> LayerCell:
    zeros, small = float(look.zeros[at]), float(look.small[at])
    low, high = _spread(look.edges, look.histogram[at])
    name = look.layers[at].removesuffix("/kernel")
    return LayerCell(
        layer=name,
        outline=_outline(look.histogram[at]),
        said=f"{name}: nine of ten weights lie between {low:.2g} and {high:.2g}".replace("-", "−"),
        zeros=f"{100 * small:.1f} % near zero" + (f", {100 * zeros:.1f} % zero" if zeros > 0 else ""),
    )


def _outline(shares: FloatArray) -> str:
    """A histogram as the path of a closed area, on a logarithmic scale."""
    top = max(float(shares.max()), 10 * LOWEST)
    step = WIDTH / len(shares)
    parts = [f"M0 {HEIGHT}"]
    for place, share in enumerate(shares):
        tall = max(0.0, math.log(max(float(share), LOWEST) / LOWEST) / math.log(top / LOWEST))
        parts.append(f"V{HEIGHT * (1 - tall):.0f}H{step * (place + 1):.0f}")
    return "".join([*parts, f"V{HEIGHT}Z"])


def _spread(edges: FloatArray, shares: FloatArray) -> tuple[float, float]:
    """Bounds that hold nine of ten weights, to a bin."""
    below = np.cumsum(shares) / max(float(shares.sum()), 1e-12)
    low, high = (int(np.searchsorted(below, q)) for q in (0.05, 0.95))
    return float(edges[low]), float(edges[min(high + 1, len(edges) - 1)])
