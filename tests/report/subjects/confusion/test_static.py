from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from summaries import CLASSES, running, study
from wellfit.base import ConfusionDifference
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.confusion.static import plot_confusion, plot_confusion_difference


def test_the_confusion_matrix_names_classes_and_counts_percents():
    summary = study()
    axes = plot_confusion(summary, "l2").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(CLASSES)
    counts = summary.confusion["l2"]
    cells = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in axes.texts}
    assert cells[0, 0] == f"{100 * counts[0, 0] / counts[0].sum():.0f}"
    assert set(cells) == {tuple(pair) for pair in np.argwhere(counts > 0)}


def test_counts_of_all_runs_and_of_one():
    summary = study()
    counts = summary.confusion["l2"]
    axes = plot_confusion(summary, "l2", counts=True).axes[0]
    cells = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in axes.texts}
    assert cells == {tuple(pair): f"{counts[tuple(pair)]:,}" for pair in np.argwhere(counts > 0).tolist()}
    assert axes.get_title(loc="left") == "l2: counts"
    one = counts // 5
    figure = plot_confusion(summary, "l2", counts=True, one=(3, one))
    shown = sum(int(text.get_text().replace(",", "")) for text in figure.axes[0].texts)
    assert shown == one.sum()
    right = f"{100 * one.trace() / one.sum():.2f} % of the test predictions are correct"
    assert alt_text(figure).startswith(f"Confusion matrix of l2, seed 3: {right}")


def test_a_large_confusion_matrix_has_no_numbers():
    summary = study(variants=("baseline",), classes=tuple(f"class {i}" for i in range(70)))
    axes = plot_confusion(summary, "baseline").axes[0]
    assert not axes.texts
    axes.figure.savefig(BytesIO(), format="png", dpi=40)


def difference(shares, half):
    shares = np.array(shares)
    return ConfusionDifference("l2", "baseline", shares, shares - half, shares + half)


def test_more_right_is_blue_and_what_chance_explains_is_pale():
    found = difference([[0.03, -0.03], [0.002, -0.002]], np.array([[0.01, 0.01], [0.01, 0.01]]))
    axes = plot_confusion_difference(found, ("cat", "dog")).axes[0]
    pixels = axes.images[0].get_array()
    blue, orange = to_rgb(LIGHT["s1"]), to_rgb(LIGHT["s2"])
    wanted = [[blue, blue], [orange, orange]]  # more right; fewer mistakes; more mistakes; fewer right
    np.testing.assert_allclose(pixels[..., :3], wanted)
    assert pixels[0, :, 3].min() > 3 * pixels[1, :, 3].max()
    cells = {(int(t.get_position()[1]), int(t.get_position()[0])): t for t in axes.texts}
    assert cells[0, 1].get_text() == "−3.0"
    assert (cells[0, 1].get_fontweight(), cells[1, 0].get_fontweight()) == ("bold", "normal")


def test_the_words_name_what_is_sure():
    found = difference([[0.03, -0.03], [0.002, -0.002]], 0.01)
    shown = alt_text(plot_confusion_difference(found, ("cat", "dog")))
    assert "cat correct +3.00 points; cat classified as dog −3.00 points." in shown
    assert "dog correct" not in shown
    nothing = difference(np.zeros((2, 2)), np.full((2, 2), np.nan))
    figure = plot_confusion_difference(nothing, ("cat", "dog"))
    assert "Without intervals, any difference could be chance." in alt_text(figure)
    sure = difference(np.zeros((2, 2)), np.full((2, 2), 0.01))
    assert "No cell differs by more than chance." in alt_text(plot_confusion_difference(sure, ("cat", "dog")))


def test_no_cell_is_called_better():
    found = difference([[0.03, -0.03], [0.002, -0.002]], np.full((2, 2), 0.01))
    legend = plot_confusion_difference(found, ("cat", "dog")).axes[0].get_legend()
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown == ["more correct, or fewer mistakes", "the reverse", "pale: could be chance"]


@pytest.mark.parametrize("size", [30, 70])
def test_many_classes_have_no_numbers_and_an_absent_class_is_nothing(size):
    shares = np.full((size, size), 0.1)
    shares[2] = np.nan
    axes = plot_confusion_difference(difference(shares, 0.01), [f"class {i}" for i in range(size)]).axes[0]
    assert not axes.texts
    alpha = axes.images[0].get_array()[..., 3]
    assert alpha[2].max() == 0
    assert alpha[3].min() > 0


def test_before_the_test_the_figure_says_so():
    assert "it has not been tested" in alt_text(plot_confusion(running(), "dropout"))


def test_two_classes_leave_room_for_title_and_key():
    change = difference(np.zeros((2, 2)), np.full((2, 2), 0.01))
    figure = plot_confusion_difference(change, ("x2 = cos x1", "x2 = a + cos x1"))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    legend = axes.get_legend()
    assert legend is not None
    boxes = [part.get_window_extent() for part in (axes._left_title, legend)]
    assert all(box.width > 30 and box.x1 <= figure.bbox.x1 for box in boxes)
