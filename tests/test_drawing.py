from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from wellfit.report import drawing
from wellfit.report.colors import LIGHT, series_color
from wellfit.report.figure_data import Curve, IntervalRow
from wellfit.report.figures import alt_text


def curve(mean, n):
    mean, n = np.array(mean, dtype=float), np.array(n)
    spread = np.where(n >= 2, 0.1, np.nan)
    return Curve(np.arange(1, len(mean) + 1), mean, mean - spread, mean + spread, n)


def test_given_axes_are_used_and_others_are_made():
    given = Figure().add_subplot()
    assert drawing.own_axes(given, (1, 1)) is given
    made = drawing.own_axes(None, (3, 2))
    assert tuple(made.figure.get_size_inches()) == (3, 2)


def test_what_is_said_lies_on_the_axes():
    axes = Figure().subfigures(1, 2)[1].add_subplot()
    figure = drawing.done(axes, "A line.")
    assert isinstance(figure, Figure)  # the whole one, not the part of it
    assert alt_text(figure) == "A line."


def test_dollars_are_text():
    axes = Figure().add_subplot()
    axes.set_title(drawing.plain("$a_b$ for $5"))
    axes.figure.draw_without_rendering()
    assert drawing.plain("no money") == "no money"
    assert axes.get_title() == r"\$a_b\$ for \$5"


def test_a_band_stands_only_where_two_runs_are_going():
    axes = Figure().add_subplot()
    drawing.curve(axes, curve([3, 2, 1], [3, 2, 1]), 1.0, "#000000", "solid")
    (band,) = axes.collections
    reach = band.get_paths()[0].vertices[:, 0]
    assert (reach.min(), reach.max()) == (1, 2)


def test_one_epoch_is_a_point_and_none_is_nothing():
    axes = Figure().add_subplot()
    drawing.curve(axes, curve([3], [1]), 1.0, "#000000", "solid")
    assert axes.lines[0].get_marker() == "o"
    drawing.curve(axes, curve([], []), 1.0, "#000000", "solid")
    assert len(axes.lines) == 1


def test_the_epoch_axis_is_the_study_s():
    axes = Figure().add_subplot()
    drawing.epoch_axis(axes, 60)
    assert axes.get_xlim() == (1, 60)
    drawing.epoch_axis(axes, 1)
    assert axes.get_xlim() == (1, 2)  # an axis without length is none


def test_a_row_without_runs_says_so():
    axes = Figure().add_subplot()
    drawing.interval(axes, IntervalRow("l2", 1, {}, None, None, None), 0)
    assert [text.get_text() for text in axes.texts] == ["no result"]
    assert axes.texts[0].get_color() == LIGHT["muted"]


def test_the_legend_speaks_of_published_values_only_where_there_are_any():
    rows = [IntervalRow("l2", 1, {0: 0.9}, 0.9, None, None)]
    axes = Figure().add_subplot()
    drawing.interval_legend(axes, rows)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "mean over seeds",
        "95 % interval",
        "one seed",
    ]
    drawing.interval_legend(axes, [*rows, IntervalRow("l1", 2, {}, None, None, 0.88)])
    assert axes.get_legend().get_texts()[-1].get_text() == "published"


def test_right_answers_are_blue_and_mistakes_orange():
    tints = drawing.tints(3)
    assert tints.shape == (3, 3, 3)
    assert len(np.unique(tints.reshape(9, 3), axis=0)) == 2
    blue = [int(series_color(1)[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    np.testing.assert_allclose(tints[1, 1], blue, rtol=1e-12)
