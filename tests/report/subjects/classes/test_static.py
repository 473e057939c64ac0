from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import details
from summaries import CLASSES, study
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.classes.static import plot_per_class

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
