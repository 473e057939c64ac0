"""Small drawings of the page as text: curves of one variant, and the regions of one, in a few thousand characters.

A study may have dozens of variants; a figure for each would make the page several times as large.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, Regions, StudySummary, VariantSummary
from wellfit.report import wording
from wellfit.report.marks.colors import LIGHT, SERIES
from wellfit.report.numbers import Curve, curve_data, last_epoch
from wellfit.report.subjects.ranking.page import ticks

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["curve_limits", "curve_panel", "region_panel"]

Limits = tuple[float, float]

WIDTH, HEIGHT = 300.0, 118.0
LEFT, TOP = 34.0, 14.0  # of the plot within the drawing
SIDE: Final = 300.0
_SPLITS: Final = ("train", "validation")
CAPS: Final = (("round", 5.0), ("square", 4.2))
"""How the examples of a class are drawn, and how large: the classes by turns."""


def curve_limits(summary: StudySummary, metric: str) -> Limits:
    """The lowest and the highest mean of all variants, training and validation, with a little air.

    Args:
      summary: the study, of which some run has gone through an epoch.
      metric: ``"loss"`` or ``"accuracy"``.

    Returns:
      The bounds; accuracies in percent.
    """
    scale = 1.0 if metric == "loss" else 100.0
    curves = [curve_data(summary, v.name, f"{split}_{metric}") for v in summary.variants for split in _SPLITS]
    means = scale * np.concatenate([curve.mean for curve in curves])
    low, high = float(means.min()), float(means.max())
    pad = 0.05 * (high - low) or 0.01
    return low - pad, high + pad


def curve_panel(summary: StudySummary, variant: VariantSummary, index: int, metric: str, limits: Limits) -> Markup:
    """Training (dashed) and validation curve of a variant, and ticks where its seeds had their lowest validation loss.

    Args:
      summary: the study.
      variant: one of its variants.
      index: its position.
      metric: ``"loss"`` or ``"accuracy"``.
      limits: of the value axis.

    Returns:
      An SVG element.
    """
    from markupsafe import Markup, escape

    scale, last = (1.0 if metric == "loss" else 100.0), max(2, last_epoch(summary))
    said, parts = [], [_grid(limits, last)]
    for split in _SPLITS:
        curve = curve_data(summary, variant.name, f"{split}_{metric}")
        if not len(curve.epochs):
            continue
        x = LEFT + WIDTH * (curve.epochs - 1) / (last - 1)
        parts += _lines(x, curve, scale, limits, index, dashed=split == "train")
        end = f"{scale * curve.mean[-1]:.{3 if metric == 'loss' else 1}f}"
        said.append(f"{'training' if split == 'train' else split} {end} at epoch {curve.epochs[-1]}")
    best = [run.best_epoch for run in variant.runs if run.best_epoch is not None]
    marks = "".join(f"M{LEFT + WIDTH * (epoch - 1) / (last - 1):.1f} {TOP + HEIGHT}v-7" for epoch in best)
    stopped = [run.readout_epoch for run in variant.runs if run.state == "stopped" and run.readout_epoch]
    if stopped:
        read = LEFT + WIDTH * (float(np.median(stopped)) - 1) / (last - 1)
        parts.append(f'<path d="M{read:.1f} {TOP}v{HEIGHT}" style="stroke:var(--muted);stroke-dasharray:1 3"/>')
        middle = min(max(read, LEFT + 26), LEFT + WIDTH - 26)  # above the curves, and within the drawing
        parts.append(f'<text x="{middle:.1f}" y="{TOP - 4:g}" style="text-anchor:middle">read here</text>')
    parts.append(f'<path d="{marks}" style="stroke:var(--ink);fill:none"/>' if marks else "")
    label = escape(f"{variant.name}, {metric}: {', '.join(said) or 'no epoch yet'}")
    box = f"0 0 {LEFT + WIDTH + 6:g} {TOP + HEIGHT + 18:g}"
    return Markup(f'<svg viewBox="{box}" role="img" aria-label="{label}" class="mini">{"".join(parts)}</svg>')


def region_panel(regions: Regions, classes: Sequence[str], disagreement: bool) -> Markup:
    """Where a variant decides for which class, or where its seeds disagree, with the training examples and true curves.

    Args:
      regions: of the variant.
      classes: the class names.
      disagreement: which of the two.

    Returns:
      An SVG element: the area as a small picture, everything else as paths.
    """
    from markupsafe import Markup, escape

    x_limits, y_limits = ((float(axis[0]), float(axis[-1])) for axis in (regions.x1, regions.x2))
    tall = SIDE * 0.8
    image = _png(_disagreement(regions.disagreement) if disagreement else _areas(regions.probability))
    parts = [f'<image href="{image}" width="{SIDE:g}" height="{tall:g}" preserveAspectRatio="none"/>']
    xs = _place(regions.points[:, 0], x_limits, SIDE)
    ys = tall - _place(regions.points[:, 1], y_limits, tall)
    for k in range(0 if disagreement else len(classes)):
        cap, size = CAPS[k % 2]
        its = regions.labels == k  # (N,)
        dots = "".join(f"M{x:.0f} {y:.0f}h.01" for x, y in zip(xs[its], ys[its], strict=True))
        style = f"stroke:var(--s{(k + 1) % SERIES});stroke-width:{size};stroke-linecap:{cap};opacity:.75"
        parts.append(f'<path d="{dots}" style="{style}"/>' if dots else "")
    for curve in regions.curves.values():
        line = _path(_place(regions.x1, x_limits, SIDE), tall - _place(curve, y_limits, tall))
        parts.append(f'<path d="{line}" style="fill:none;stroke:var(--ink);stroke-width:1.5;stroke-dasharray:5 4"/>')
    label = escape(_say_regions(regions, classes, disagreement))
    return Markup(
        f'<svg viewBox="0 0 {SIDE:g} {tall:g}" role="img" aria-label="{label}" class="area">{"".join(parts)}</svg>'
    )


# --- Parts ------------------------------------------------------------------------------------------------------------


def _grid(limits: Limits, last: int) -> str:
    """Three or four quiet lines with their values, and the first and the last epoch."""
    parts = []
    for value, text in ticks(*limits, most=4):
        y = TOP + HEIGHT - float(_place(np.array([value]), limits, HEIGHT)[0])
        parts.append(f'<path d="M{LEFT:g} {y:.1f}h{WIDTH:g}" style="stroke:var(--rule)"/>')
        parts.append(f'<text x="{LEFT - 5:g}" y="{y + 3.5:.1f}" style="text-anchor:end">{text}</text>')
    bottom = TOP + HEIGHT + 14
    parts.append(f'<text x="{LEFT:g}" y="{bottom:g}">1</text>')
    parts.append(f'<text x="{LEFT + WIDTH:g}" y="{bottom:g}" style="text-anchor:end">{last} epochs</text>')
    return "".join(parts)


def _lines(x: FloatArray, curve: Curve, scale: float, limits: Limits, index: int, dashed: bool) -> list[str]:
    def y(values: FloatArray) -> FloatArray:
        clipped = np.clip(scale * values, *limits)
        return TOP + HEIGHT - _place(clipped, limits, HEIGHT)

    color = f"var(--s{index % SERIES})"
    line = f"M{x[0]:.1f} {y(curve.mean)[0]:.1f}h2" if len(x) == 1 else _path(x, y(curve.mean))
    if dashed:
        return [f'<path d="{line}" style="fill:none;stroke:{color};stroke-dasharray:5 3;stroke-width:1.5"/>']
    low, high = (np.where(curve.n >= 2, bound, curve.mean) for bound in (curve.low, curve.high))
    band = f"{_path(x, y(high))}L{_path(x[::-1], y(low)[::-1])[1:]}Z"
    return [
        f'<path d="{band}" style="fill:{color};opacity:.15"/>',
        f'<path d="{line}" style="fill:none;stroke:{color};stroke-width:2"/>',
    ]


def _path(x: FloatArray, y: FloatArray) -> str:
    points = [f"{round(a, 1):g} {round(b, 1):g}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    return "M" + "L".join(points)


def _place(values: FloatArray, limits: Limits, length: float) -> FloatArray:
    low, high = limits
    return length * (np.asarray(values, np.float64) - low) / (high - low)


def _areas(probability: FloatArray) -> NDArray[np.uint8]:
    """The most probable class in its color, the stronger the surer.  # (G, G, 4)"""
    classes = probability.shape[-1]
    colors = np.array([_rgb(LIGHT[f"s{(k + 1) % SERIES}"]) for k in range(classes)])  # (K, 3)
    winner = probability.argmax(axis=-1)  # (G, G)
    sure = (probability.max(axis=-1) - 1 / classes) / (1 - 1 / classes)
    alpha = np.rint(20 + 90 * np.round(6 * np.clip(sure, 0, 1)) / 6)  # seven shades: a small picture
    return _upward(np.concatenate([colors[winner], alpha[..., None]], axis=-1))


def _disagreement(share: FloatArray) -> NDArray[np.uint8]:
    """Orange, the stronger the more seeds disagree with most.  # (G, G, 4)"""
    color = np.broadcast_to(np.array(_rgb(LIGHT["s2"])), (*share.shape, 3))
    return _upward(np.concatenate([color, np.rint(400 * np.clip(share, 0, 0.5))[..., None]], axis=-1))


def _upward(pixels: FloatArray) -> NDArray[np.uint8]:
    """Rows of a picture go down, x2 goes up."""
    return pixels[::-1].astype(np.uint8)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _png(pixels: NDArray[np.uint8]) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _say_regions(regions: Regions, classes: Sequence[str], disagreement: bool) -> str:
    if disagreement:
        share = wording.percent(float((regions.disagreement > 0).mean()))
        return f"{regions.variant}: the seeds disagree in {share} of the area"
    winner = regions.probability.argmax(axis=-1)
    shares: Mapping[str, float] = {name: float((winner == k).mean()) for k, name in enumerate(classes)}
    told = ", ".join(f"{name} in {wording.percent(share)}" for name, share in shares.items())
    return f"Decision regions of {regions.variant}: {told} of the area"
