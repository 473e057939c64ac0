from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.colors import to_hex

from detailed import details
from summaries import study
from wellfit.report.marks.colors import series_color
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.calibration.static import plot_reliability, plot_small

CALIBRATION = details(study(variants=("baseline",))).calibration["baseline"]


def test_a_reliability_diagram_shows_every_bin_and_the_diagonal():
    axes = plot_reliability(CALIBRATION).axes[0]
    points = [np.asarray(found.get_offsets()) for found in axes.collections if len(found.get_offsets()) == 10]
    wanted = 100 * np.stack([CALIBRATION.confidence, CALIBRATION.accuracy], axis=1)
    assert any(np.allclose(p, wanted) for p in points)
    diagonal = axes.lines[0]
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.texts[0].get_text().splitlines()[0] == "ECE 5.00 points [4.50, 6.10]"


def test_the_words_say_which_way_it_leans():
    assert "On average overconfident" in alt_text(plot_reliability(CALIBRATION))
    modest = replace(CALIBRATION, accuracy=np.minimum(CALIBRATION.confidence + 0.05, 1.0), scores={}, intervals={})
    text = alt_text(plot_reliability(modest))
    assert "On average underconfident." in text
    assert ", 0 of them below the diagonal" in text


def test_a_small_panel_leaves_name_and_scores_to_the_page():
    assert series_color(2) in {to_hex(line.get_color()) for line in plot_reliability(CALIBRATION, slot=2).axes[0].lines}
    axes = plot_small(CALIBRATION, slot=2).axes[0]
    assert axes.get_title(loc="left") == ""
    assert not axes.texts
    assert to_hex(axes.lines[1].get_color()) == series_color(2)
    assert alt_text(axes.figure) == alt_text(plot_reliability(CALIBRATION))
