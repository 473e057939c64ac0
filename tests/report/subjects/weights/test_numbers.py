from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from detailed import details
from summaries import study
from wellfit.base.histograms import BINS
from wellfit.report.subjects.weights.numbers import CUT, filter_sheet, ridge, weight_rows


def result():
    summary = study(variants=("baseline", "l2"), epochs=3)
    return summary, details(summary).weights


def test_layers_say_their_zeros_and_their_spread():
    summary, weights = result()
    row = weight_rows(summary, weights, None)[1]
    assert (row.name, row.filters) == ("l2", ())
    assert [layer.zeros for layer in row.layers] == [
        "2.0 % below 0.001",
        "20.0 % below 0.001, 10.0 % exactly 0",
        "60.0 % below 0.001, 50.0 % exactly 0",
    ]
    assert row.layers[0].name == "dense_1"
    low, high = map(float, re.findall(r"−?[\d.]+$|(?<=between )\S+", row.layers[0].spread.replace("−", "-")))
    assert -0.2 < low < 0 < high < 0.2


def test_the_outline_is_closed_and_as_high_as_the_highest_bin():
    summary, weights = result()
    outline = weight_rows(summary, weights, None)[0].layers[0].outline
    heights = [int(h) for h in re.findall(r"V(\d+)H", outline)]
    assert (min(heights), max(heights)) == (0, 68)
    assert outline.endswith("V68Z")


def test_every_variant_finds_its_own_filters():
    summary, weights = result()
    sheet = filter_sheet(weights, 300_000)
    assert sheet is not None
    rows = weight_rows(summary, weights, sheet)
    assert rows[0].filters == tuple(sheet.place(i) for i in range(16))
    assert rows[1].filters == tuple(sheet.place(i) for i in range(16, 32))


def test_filters_of_different_shapes_make_no_sheet():
    _, weights = result()
    smaller = replace(weights["l2"], filters=weights["l2"].filters[:, :5, :5])
    assert filter_sheet({**weights, "l2": smaller}, 300_000) is None
    assert filter_sheet({"l2": replace(weights["l2"], filters=None)}, 300_000) is None


def test_a_ridge_is_the_density_of_the_weights():
    history = result()[1]["l2"].history
    drawn = ridge(history, "dense_2/kernel")
    assert (drawn.name, drawn.seed) == ("dense_2/kernel", 0)
    assert (len(drawn.epochs), drawn.epochs[0], drawn.epochs[-1]) == (12, 1, 20)
    reach = drawn.places[-1] + (drawn.places[1] - drawn.places[0]) / 2
    assert 0.56 < reach < 0.7  # 99.5 % of a normal distribution of width 0.2, to a bin
    last = norm.pdf(drawn.places / 0.2) / norm.pdf(0)  # of the height of the last epoch's
    np.testing.assert_allclose(drawn.heights[-1] / drawn.heights[-1].max(), last, atol=0.13)  # to a bin's width
    wide = [np.sqrt(np.average(drawn.places**2, weights=heights)) for heights in drawn.heights]
    np.testing.assert_allclose(wide[6:], drawn.epochs[6:] / 100, rtol=0.06)
    (low, high), (_, end) = drawn.inside
    assert low == -high
    assert 0.0164 <= high <= 0.0164 * 1.25
    assert 0.33 <= end <= 0.33 * 1.25


def test_a_peak_at_zero_is_cut():
    history = result()[1]["l2"].history
    shares = 0.05 * history.shares[:1]
    shares[:, :, BINS // 2] += 0.95
    drawn = ridge(replace(history, layers=("a/kernel",), shares=shares), "a/kernel")
    assert drawn.heights.max() == CUT
    assert np.delete(drawn.heights, 30, axis=1).max() == 1


def test_weights_that_are_all_zero_have_a_ridge():
    history = result()[1]["l2"].history
    shares = np.zeros_like(history.shares)
    shares[:, :, BINS // 2] = 1
    drawn = ridge(replace(history, shares=shares), "dense_1/kernel")
    assert np.isfinite(drawn.heights).all()
    assert drawn.heights.max() > 0
    with pytest.raises(KeyError):
        ridge(history, "dense_9/kernel")
