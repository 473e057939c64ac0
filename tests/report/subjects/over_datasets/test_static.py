"""The figure of mean ranks."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from ranked import ranked
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.over_datasets.static import plot_ranks


def lines(figure):
    """Every horizontal line: its ends, height and style."""
    return [
        (tuple(np.round(line.get_xdata(), 6)), float(line.get_ydata()[0]), line.get_linestyle(), line.get_linewidth())
        for line in figure.axes[0].lines
    ]


def test_every_variant_has_its_rank_its_bounds_and_its_interval():
    found = ranked()
    figure = plot_ranks(found)
    drawn = lines(figure)
    points = [tuple(np.round(c.get_offsets()[0], 6)) for c in figure.axes[0].collections]
    for place, name in enumerate(found.variants):
        y = len(found.variants) - 1 - place
        assert (tuple(np.round(found.bounds[name], 6)), y, "-", 7.0) in drawn
        assert (tuple(np.round(found.intervals[name], 6)), y, "-", 1.4) in drawn
        assert (round(found.mean_ranks[place], 6), y) in points
        assert f"{name} {found.mean_ranks[place]:.2f}, on these" in alt_text(figure)


def test_bars_join_what_no_verdict_and_no_test_separates():
    found = ranked()
    bars = [(ends, style) for ends, y, style, width in lines(plot_ranks(found)) if width == 3]
    first, second, third = found.mean_ranks
    solid = [ends for ends, style in bars if style == "-"]
    dashed = [ends for ends, style in bars if style != "-"]
    assert solid == [pytest.approx((first - 0.03, second + 0.03))]  # the last is worse than both
    assert dashed == [pytest.approx((first - 0.03, third + 0.03))]  # two data sets separate nothing


def test_it_is_drawn_on_given_axes():
    axes = Figure().add_subplot()
    assert plot_ranks(ranked(), axes) is axes.figure
    assert len(axes.lines) == 8
