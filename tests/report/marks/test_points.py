from __future__ import annotations

import numpy as np

from wellfit.report.marks import static as marks
from wellfit.report.marks.column import one_column
from wellfit.report.marks.points import class_color, name_axes, scatter, titled_beside


def test_every_class_has_its_points_color_and_marker() -> None:
    axes = marks.own_axes(None, (5, 4))
    points, labels = np.arange(12.0).reshape(6, 2), np.array([0, 1, 2, 0, 1, 0])
    scatter(axes, points, labels, ("a", "b", "$c$"))
    drawn = axes.collections
    for k, collection in enumerate(drawn):
        np.testing.assert_array_equal(collection.get_offsets(), points[labels == k])
    assert len({collection.get_paths()[0].vertices.tobytes() for collection in drawn}) == 3
    assert [collection.get_label() for collection in drawn] == ["a", "b", r"\$c\$"]
    assert len({class_color(k) for k in range(3)}) == 3


def test_the_legend_is_beside_the_picture_and_above_it_in_one_column() -> None:
    for narrow in (False, True):
        axes = marks.own_axes(None, (5, 4))
        scatter(axes, np.zeros((2, 2)), np.array([0, 1]), ("a", "b"))
        name_axes(axes, ("x1", "a name that is longer than the forty characters of an axis"))
        if narrow:
            with one_column():
                titled_beside(axes, "points")
        else:
            titled_beside(axes, "points")
        axes.figure.draw_without_rendering()
        legend, picture = axes.get_legend().get_window_extent(), axes.get_window_extent()
        assert legend.y0 >= picture.y1 - 1 if narrow else legend.x0 >= picture.x1
        assert axes.get_title(loc="left") == "points"
        assert (axes.get_xlabel(), axes.get_ylabel()[-1]) == ("x1", "…")


def test_without_labels_there_is_no_legend() -> None:
    axes = marks.own_axes(None, (5, 4))
    titled_beside(axes, "nothing")
    assert axes.get_legend() is None
