from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from summaries import study
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import series_color
from wellfit.report.marks.static import alt_text
from wellfit.report.numbers import Curve


def curve(mean, n):
    mean, n = np.array(mean, dtype=float), np.array(n)
    spread = np.where(n >= 2, 0.1, np.nan)
    return Curve(np.arange(1, len(mean) + 1), mean, mean - spread, mean + spread, n)


def test_given_axes_are_used_and_others_are_made():
    given = Figure().add_subplot()
    assert marks.own_axes(given, (1, 1)) is given
    result = marks.own_axes(None, (3, 2))
    assert tuple(result.figure.get_size_inches()) == (3, 2)


def test_the_alt_text_is_on_the_axes():
    axes = Figure().subfigures(1, 2)[1].add_subplot()
    figure = marks.done(axes, "A line.")
    assert isinstance(figure, Figure)  # the whole one, not the part of it
    assert alt_text(figure) == "A line."


def test_dollars_are_text():
    axes = Figure().add_subplot()
    axes.set_title(marks.plain("$a_b$ for $5"))
    axes.figure.draw_without_rendering()
    assert marks.plain("no money") == "no money"
    assert axes.get_title() == r"\$a_b\$ for \$5"


def test_a_band_needs_two_runs():
    axes = Figure().add_subplot()
    marks.curve(axes, curve([3, 2, 1], [3, 2, 1]), 1.0, "#000000", "solid")
    (band,) = axes.collections
    reach = band.get_paths()[0].vertices[:, 0]
    assert (reach.min(), reach.max()) == (1, 2)


def test_one_epoch_is_a_point_and_none_is_nothing():
    axes = Figure().add_subplot()
    marks.curve(axes, curve([3], [1]), 1.0, "#000000", "solid")
    assert axes.lines[0].get_marker() == "o"
    marks.curve(axes, curve([], []), 1.0, "#000000", "solid")
    assert len(axes.lines) == 1


def test_the_epoch_axis_is_the_study_s():
    axes = Figure().add_subplot()
    marks.epoch_axis(axes, 60)
    assert axes.get_xlim() == (1, 60)
    marks.epoch_axis(axes, 1)
    assert axes.get_xlim() == (1, 2)  # an axis needs a length


def test_labels_at_the_right_edge_stay_apart():
    axes = Figure().add_subplot()
    axes.plot([1, 2], [0, 1])
    marks.end_labels(axes, [("a", 0.5, "#000000"), ("b", 0.5, "#000000"), ("$c$", 0.9, "#000000")])
    places = {text.get_text(): text.xy[1] for text in axes.texts}
    height = axes.figure.get_figheight() * axes.get_position().height
    assert places["b"] - places["a"] == pytest.approx(marks.LINE / height)
    crowded = Figure().add_subplot()
    marks.end_labels(crowded, [(name, 1.0, "#000000") for name in "abcdef"])
    heights = [text.xy[1] for text in crowded.texts]
    assert max(heights) == 1.0  # not above the panel
    np.testing.assert_allclose(np.diff(heights), marks.LINE / height)
    low, high = axes.get_ylim()
    assert places[r"\$c\$"] == pytest.approx((0.9 - low) / (high - low))


def test_a_curve_that_ends_early_is_led_to_its_label():
    summary = study(variants=("baseline", "l2"), epochs=6)
    axes = Figure().add_subplot()
    marks.overlay(axes, summary, [curve([3, 2, 1], [1, 1, 1]), curve([1] * 6, [1] * 6)], 1.0, "loss")
    leaders = [line for line in axes.lines if len(line.get_xdata()) == 2]
    assert [list(line.get_xdata()) for line in leaders] == [[3, 6], [6, 6]]
    assert {text.get_text() for text in axes.texts} == {"baseline", "l2"}


def test_a_key_has_room_below_the_title():
    figure = Figure(figsize=(5, 4), layout=marks.layout())
    axes = figure.add_subplot()
    for name in "abcd":
        axes.plot([0, 1], [0, 1], label=name)
    marks.titled_key(axes, "l2", columns=2)
    figure.draw_without_rendering()
    title = next(text for text in axes.findobj(Text) if text.get_text() == "l2").get_window_extent()
    key = axes.get_legend().get_window_extent()
    assert title.y0 >= key.y1 - 8  # the legend has a margin
    assert key.y0 >= axes.get_window_extent().y1 - 1
    bare = Figure().add_subplot()
    marks.titled_key(bare, "l2")
    assert bare.get_legend() is None


@pytest.mark.parametrize("place", [Figure().add_subplot(), Figure(layout=marks.layout())])
def test_both_splits_are_in_the_legend(place):
    marks.split_legend(place, "#000000")
    legend = place.legends[0] if isinstance(place, Figure) else place.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]


def test_tints_are_blue_in_the_mask_and_orange_elsewhere():
    alpha = np.linspace(0, 1, 9).reshape(3, 3)
    tints = marks.tinted(np.eye(3, dtype=bool), alpha)
    assert tints.shape == (3, 3, 4)
    assert len(np.unique(tints[..., :3].reshape(9, 3), axis=0)) == 2
    blue = [int(series_color(1)[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    np.testing.assert_allclose(tints[1, 1, :3], blue, rtol=1e-12)
    np.testing.assert_array_equal(tints[..., 3], alpha)


def test_a_logarithmic_axis_is_labeled_with_plain_numbers():
    axes = Figure().add_subplot()
    axes.plot([1, 2], [0.03, 0.7])
    marks.log_axis(axes)
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
    marks.picture_axes(axes, 3, 2)
    assert axes.get_aspect() == 1
    assert axes.yaxis_inverted()
    assert not [*axes.get_xticks(), *axes.get_yticks()]


def test_a_large_matrix_does_not_name_its_classes():
    axes = Figure().add_subplot()
    marks.class_axes(axes, [f"$class_{i}$" for i in range(60)])
    assert axes.get_yticklabels()[0].get_text() == r"\$class_0\$"
    assert axes.get_xticklabels()[0].get_rotation() == 45
    short = Figure().add_subplot()
    marks.class_axes(short, [str(i) for i in range(10)])
    assert short.get_xticklabels()[0].get_rotation() == 0
    crowded = Figure().add_subplot()
    marks.class_axes(crowded, [f"class {i}" for i in range(61)])
    assert "class 0" not in [label.get_text() for label in crowded.get_yticklabels()]


def test_an_epoch_is_marked_and_labeled():
    axes = Figure().add_subplot()
    marks.stop_mark(axes, 12, "read at epoch 12")
    assert list(axes.lines[0].get_xdata()) == [12, 12]
    assert axes.texts[0].get_text() == "read at epoch 12"
    marks.stop_mark(axes, 12, "above", above=True)
    assert [text.get_va() for text in axes.texts] == ["top", "bottom"]


def test_a_legend_names_its_marks():
    axes = Figure().add_subplot()
    marks.legend(axes, [{"marker": "o", "label": "a"}, {"marker": "s", "label": "b"}])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]


def test_an_image_has_its_place_its_proportions_and_its_pixels():
    axes = Figure().add_subplot()
    image = np.arange(8, dtype=np.uint8).reshape(4, 2)
    marks.show_image(axes, image, 3.0, 1.0, smooth=False)
    (drawn,) = axes.images
    assert tuple(drawn.get_extent()) == (3.0, 3.5, 2.0, 1.0)
    np.testing.assert_array_equal(drawn.get_array()[..., 1], image)
    assert drawn.get_interpolation() == "none"
    color = np.zeros((2, 2, 3), np.uint8)
    marks.show_image(axes, color, 0.0, 0.0)
    np.testing.assert_array_equal(axes.images[1].get_array(), color)


def test_long_names_of_classes_are_wrapped_where_there_is_room():
    long = "a name of a class that is so long that no figure could hold it in one line, or in three"
    few = marks.class_labels([long, "$b"])
    assert [len(line) <= 16 for line in few[0].split("\n")] == [True] * 3
    assert few[0].endswith("…")
    assert few[1] == r"\$b"
    many = marks.class_labels([long] * 13)
    assert many[0].count("\n") == 0
    assert len(many[0]) <= 20


def test_a_figure_of_the_reader_s_own_gets_a_layout_and_keeps_one_that_it_has():
    bare = Figure()
    marks.own_axes(bare.add_subplot(1, 2, 1), (1, 1))
    assert bare.get_layout_engine() is not None
    tight = Figure(layout="tight")
    engine = tight.get_layout_engine()
    marks.own_axes(tight.add_subplot(), (1, 1))
    assert tight.get_layout_engine() is engine
    placed = Figure()
    marks.own_axes(placed.add_axes((0, 0, 1, 1)), (1, 1))
    assert placed.get_layout_engine() is None  # where its reader put it


def test_a_title_is_as_wide_as_its_panel():
    figure = Figure(figsize=(9, 3))
    axes = figure.subplots(1, 3)[0]
    marks.title(axes, "a name of a variant that is much longer than the panel is wide")
    assert axes.get_title(loc="left").count("\n") >= 1
    assert marks.filled(axes, "short", 12) == "short"
