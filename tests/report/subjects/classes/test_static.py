from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from detailed import details
from summaries import CLASSES, study
from wellfit.base import ConfusionDifference
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.classes.static import plot_confusion_difference, plot_per_class

TABLES = details(study(variants=("baseline", "l2"))).by_class


def test_every_class_has_recall_interval_and_precision():
    table = TABLES["l2"]
    axes = plot_per_class(table, CLASSES).axes[0]
    recall, precision = (np.asarray(found.get_offsets()) for found in axes.collections)
    np.testing.assert_allclose(recall[:, 0], 100 * table.recall)
    np.testing.assert_allclose(precision[:, 0], 100 * table.precision)
    np.testing.assert_array_equal(recall[:, 1], np.arange(10)[::-1])  # the first class at the top
    bounds = [line.get_xdata() for line in axes.lines]
    np.testing.assert_allclose(bounds, 100 * np.stack([table.recall_low, table.recall_high], axis=1))
    assert [label.get_text() for label in axes.get_yticklabels()] == list(CLASSES)


def test_a_gain_is_bold_where_chance_does_not_explain_it():
    low, high = np.full(10, -0.01), np.full(10, 0.03)
    low[3] = 0.002
    table = replace(TABLES["l2"], gain=np.full(10, 0.01), gain_low=low, gain_high=high)
    gains = [text for text in plot_per_class(table, CLASSES).axes[0].texts if "[" in text.get_text()]
    assert [text.get_fontweight() for text in gains] == ["bold" if k == 3 else "normal" for k in range(10)]
    assert gains[0].get_text() == "+1.0 [−1.0, +3.0]"


def test_the_first_variant_gains_nothing_and_one_seed_has_no_interval():
    nothing = np.full(10, np.nan)
    table = replace(TABLES["baseline"], recall_low=nothing, recall_high=nothing)
    figure = plot_per_class(table, CLASSES)
    assert not figure.axes[0].lines
    assert not [text for text in figure.axes[0].texts if "[" in text.get_text()]
    assert f"Bag recall {100 * table.recall[8]:.2f} %, precision" in alt_text(figure)


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
    said = alt_text(plot_confusion_difference(found, ("cat", "dog")))
    assert "cat recognized +3.00 points; cat taken for dog −3.00 points." in said
    assert "dog recognized" not in said
    nothing = difference(np.zeros((2, 2)), np.full((2, 2), np.nan))
    figure = plot_confusion_difference(nothing, ("cat", "dog"))
    assert "It has no intervals, so any of it may be chance." in alt_text(figure)
    sure = difference(np.zeros((2, 2)), np.full((2, 2), 0.01))
    assert "No cell differs by more than chance." in alt_text(plot_confusion_difference(sure, ("cat", "dog")))


def test_no_cell_is_called_better():
    found = difference([[0.03, -0.03], [0.002, -0.002]], np.full((2, 2), 0.01))
    legend = plot_confusion_difference(found, ("cat", "dog")).axes[0].get_legend()
    said = [text.get_text() for text in legend.get_texts()]
    assert said == ["more right, or fewer mistakes", "the reverse", "pale: could be chance"]


@pytest.mark.parametrize("size", [30, 70])
def test_many_classes_have_no_numbers_and_an_absent_class_is_nothing(size):
    shares = np.full((size, size), 0.1)
    shares[2] = np.nan
    axes = plot_confusion_difference(difference(shares, 0.01), [f"class {i}" for i in range(size)]).axes[0]
    assert not axes.texts
    alpha = axes.images[0].get_array()[..., 3]
    assert alpha[2].max() == 0
    assert alpha[3].min() > 0
