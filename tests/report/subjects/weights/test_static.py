from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from detailed import details
from summaries import empty, study
from wellfit.base import History
from wellfit.errors import DataError, UnknownNameError
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.weights.static import (
    plot_filters,
    plot_weight_histogram,
    plot_weight_norms,
    plot_weight_ridge,
)

SUMMARY = study(variants=("baseline", "l2"))
OVERVIEW = details(SUMMARY).weights["l2"]


def test_the_norms_are_those_of_the_history():
    norms = {"baseline": np.linspace(5, 20, 60), "l2": np.linspace(5, 8, 60)}
    histories = {
        name: {s: History({**h.columns, "weight_norm": norms[name]}) for s, h in runs.items()}
        for name, runs in SUMMARY.histories.items()
    }
    figure = plot_weight_norms(replace(SUMMARY, histories=histories))
    drawn = [line.get_ydata() for line in figure.axes[0].lines if len(line.get_xdata()) == 60]
    np.testing.assert_allclose(drawn, [norms["l2"], norms["baseline"]])  # the first variant above the others
    assert "At the last epoch: baseline 20; l2 8." in alt_text(figure)
    assert "no epoch yet" in alt_text(plot_weight_norms(empty()))


def test_a_histogram_has_a_line_a_layer_and_says_what_is_zero():
    axes = plot_weight_histogram(OVERVIEW).axes[0]
    shares = np.array([patch.get_data().values for patch in axes.patches])
    np.testing.assert_allclose(np.nan_to_num(shares), 100 * OVERVIEW.histogram)
    assert axes.get_yscale() == "log"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[2] == "dense_3/kernel: 60.0 % below 0.001, 50.0 % exactly 0"


def test_empty_bins_are_left_out_of_a_logarithmic_axis():
    one = np.zeros((1, len(OVERVIEW.edges) - 1))
    one[0, 20] = 1.0
    axes = plot_weight_histogram(replace(OVERVIEW, layers=("dense_1/kernel",), histogram=one)).axes[0]
    assert axes.get_ylim()[0] == pytest.approx(70)
    assert np.isnan(axes.patches[0].get_data().values).sum() == len(OVERVIEW.edges) - 2


def test_filters_are_blue_where_positive_and_nothing_where_zero():
    filters = np.full((9, 2, 3), 128, np.uint8)
    filters[0, 0, 0], filters[0, 1, 2] = 255, 1
    axes = plot_filters(replace(OVERVIEW, filters=filters)).axes[0]
    assert len(axes.images) == 9
    picture = axes.images[0].get_array()
    np.testing.assert_allclose(picture[0, 0], (*to_rgb(LIGHT["s1"]), 1.0))
    np.testing.assert_allclose(picture[1, 2], (*to_rgb(LIGHT["s2"]), 1.0))
    assert picture[0, 1, 3] == 0
    left, right, bottom, top = axes.images[0].get_extent()
    assert (bottom - top) / (right - left) == pytest.approx(2 / 3)  # rows stand as they are in the data


@pytest.mark.parametrize("filters", [None, np.zeros((0, 2, 2), np.uint8)])
def test_weights_that_are_no_pictures_are_refused(filters):
    with pytest.raises(DataError, match="l2: its first-layer weights are not images; use plot_weight_histogram"):
        plot_filters(replace(OVERVIEW, filters=filters))


def test_many_layers_have_two_columns_in_the_legend():
    count = 6
    repeated = replace(
        OVERVIEW,
        layers=tuple(f"dense_{i}/kernel" for i in range(count)),
        histogram=np.resize(OVERVIEW.histogram, (count, OVERVIEW.histogram.shape[1])),
        zeros=np.resize(OVERVIEW.zeros, count),
        small=np.resize(OVERVIEW.small, count),
    )
    figure = plot_weight_histogram(repeated)
    assert figure.get_size_inches()[0] > plot_weight_histogram(OVERVIEW).get_size_inches()[0]
    figure.draw_without_rendering()
    legend = figure.axes[0].get_legend().get_window_extent()
    assert legend.x1 <= figure.bbox.x1
    assert legend.y0 >= figure.axes[0].get_window_extent().y1 - 1


def test_a_ridge_has_the_first_epoch_at_the_top():
    figure = plot_weight_ridge(OVERVIEW, "dense_2")
    axes = figure.axes[0]
    bases = [path.vertices[:, 1].min() for path in axes.collections[0].get_paths()[1::2]]  # each in front of its paper
    assert len(bases) == 12
    assert bases == sorted(bases, reverse=True)
    ticks = [label.get_text() for label in axes.get_yticklabels()]
    assert (ticks[0], ticks[-1]) == ("1", "20")
    assert alt_text(figure).startswith(
        "Distribution of the weights dense_2/kernel of l2, seed 0, by epoch: after epoch 1 "
    )
    assert axes.get_title(loc="left") == "l2: dense_2/kernel"


def test_a_ridge_needs_histograms_and_a_layer():
    with pytest.raises(DataError, match="l2: an earlier version, which kept no histograms by epoch, trained it"):
        plot_weight_ridge(replace(OVERVIEW, history=None))
    with pytest.raises(UnknownNameError, match="unknown layer 'dense_9'"):
        plot_weight_ridge(OVERVIEW, "dense_9")
