from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.marks.static import alt_text
from wellfit.report.numbers import Curve, IntervalRow


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


def test_the_legend_speaks_of_intervals_and_published_values_only_where_there_are_any():
    rows = [IntervalRow("l2", 1, {0: 0.9}, 0.9, None, None)]
    alone = Figure().add_subplot()
    drawing.interval_legend(alone, rows)
    assert [text.get_text() for text in alone.get_legend().get_texts()] == ["mean over seeds", "one seed"]
    rows = [IntervalRow("l2", 1, {0: 0.9, 1: 0.8}, 0.85, (0.8, 0.9), None)]
    axes = Figure().add_subplot()
    drawing.interval_legend(axes, rows)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "mean over seeds",
        "95 % interval",
        "one seed",
    ]
    drawing.interval_legend(axes, [*rows, IntervalRow("l1", 2, {}, None, None, 0.88)])
    assert axes.get_legend().get_texts()[-1].get_text() == "published"


def test_tints_are_blue_where_told_and_orange_elsewhere():
    alpha = np.linspace(0, 1, 9).reshape(3, 3)
    tints = drawing.tinted(np.eye(3, dtype=bool), alpha)
    assert tints.shape == (3, 3, 4)
    assert len(np.unique(tints[..., :3].reshape(9, 3), axis=0)) == 2
    blue = [int(series_color(1)[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    np.testing.assert_allclose(tints[1, 1, :3], blue, rtol=1e-12)
    np.testing.assert_array_equal(tints[..., 3], alpha)


def test_a_logarithmic_axis_is_labeled_with_plain_numbers():
    axes = Figure().add_subplot()
    axes.plot([1, 2], [0.03, 0.7])
    drawing.log_axis(axes)
    axes.figure.draw_without_rendering()
    low, high = axes.get_ylim()
    shown = {
        label.get_text()
        for label, at in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
        if low <= at <= high
    }
    assert shown == {"0.05", "0.1", "0.2", "0.5"}
    assert not [label for label in axes.get_yticklabels(minor=True) if label.get_text()]


def test_pictures_are_not_distorted():
    axes = Figure().add_subplot()
    drawing.picture_axes(axes, 3, 2)
    assert axes.get_aspect() == 1
    assert axes.yaxis_inverted()
    assert not [*axes.get_xticks(), *axes.get_yticks()]


def test_a_large_matrix_does_not_name_its_classes():
    axes = Figure().add_subplot()
    drawing.class_axes(axes, [f"$class_{i}$" for i in range(60)])
    assert axes.get_yticklabels()[0].get_text() == r"\$class_0\$"
    assert axes.get_xticklabels()[0].get_rotation() == 45
    short = Figure().add_subplot()
    drawing.class_axes(short, [str(i) for i in range(10)])
    assert short.get_xticklabels()[0].get_rotation() == 0
    crowded = Figure().add_subplot()
    drawing.class_axes(crowded, [f"class {i}" for i in range(61)])
    assert "class 0" not in [label.get_text() for label in crowded.get_yticklabels()]


def test_a_mark_stands_at_its_epoch():
    axes = Figure().add_subplot()
    drawing.stop_mark(axes, 12, "read at epoch 12")
    assert list(axes.lines[0].get_xdata()) == [12, 12]
    assert axes.texts[0].get_text() == "read at epoch 12"


def test_a_legend_names_its_marks():
    axes = Figure().add_subplot()
    drawing.legend(axes, [{"marker": "o", "label": "a"}, {"marker": "s", "label": "b"}])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
