from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.contour import QuadContourSet

from detailed import regions
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.regions.static import plot_disagreement, plot_region_panels, plot_regions

CLASSES = ("below", "above")


def contours(figure, filled):
    return [c for c in figure.axes[0].collections if isinstance(c, QuadContourSet) and c.filled == filled]


def test_the_boundary_is_where_the_probabilities_are_equal():
    found = regions("mlp")
    figure = plot_regions(found, CLASSES)
    (boundary,) = contours(figure, filled=False)
    line = np.concatenate([path.vertices for path in boundary.get_paths()])
    # np.cos(x) + 0.5 in the example; contours run straight between grid points 6 / 39 apart
    np.testing.assert_allclose(line[:, 1], np.cos(line[:, 0]) + 0.5, atol=0.02)
    assert len(contours(figure, filled=True)) == 8  # two classes, four steps


def test_three_classes_meet_in_their_boundaries():
    x = np.linspace(-1, 1, 30)
    center = np.array([[-0.6, -0.4], [0.6, -0.4], [0.0, 0.6]])
    grid = np.stack(np.meshgrid(x, x), -1)[:, :, None]  # (G, G, 1, 2) [x2, x1]
    logits = -4 * np.square(grid - center).sum(-1)
    probability = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found = replace(regions("mlp"), x1=x, x2=x, probability=probability, disagreement=np.zeros((30, 30)), curves={})
    figure = plot_regions(replace(found, labels=np.arange(80) % 3), ("a", "b", "c"))
    assert len(contours(figure, filled=False)) == 2
    shares = [(probability.argmax(-1) == k).mean() for k in range(3)]
    assert f"a in {100 * shares[0]:.2f} %" in alt_text(figure)
    points = [c for c in figure.axes[0].collections if not isinstance(c, QuadContourSet)]
    assert sum(len(c.get_offsets()) for c in points) == 80
    assert len({c.get_paths()[0].vertices.tobytes() for c in points}) == 3  # a marker each


def test_the_true_curves_are_drawn_and_named():
    figure = plot_regions(regions("mlp"), CLASSES)
    named = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert named == ["below", "above", "true curve: class 0", "true curve: class 1"]


def test_disagreement_says_where_and_how_much():
    found = regions("mlp")
    figure = plot_disagreement(found, CLASSES)
    assert f"{100 * (found.disagreement > 0).mean():.2f} % of the area" in alt_text(figure)
    assert "at most 40.00 % of them" in alt_text(figure)
    assert len(contours(figure, filled=True)) == 5


def test_seeds_that_agree_leave_the_paper_white():
    found = replace(regions("mlp"), disagreement=np.zeros((40, 40)))
    figure = plot_disagreement(found, CLASSES)
    assert not contours(figure, filled=True)
    assert "seeds disagree in 0.00 % of the area" in alt_text(figure)


def test_the_training_examples_can_be_left_out():
    figure = plot_disagreement(regions("mlp"), CLASSES, points=False)
    assert not [c for c in figure.axes[0].collections if not isinstance(c, QuadContourSet)]


def test_the_axes_are_named_after_the_columns():
    axes = plot_regions(replace(regions("mlp"), axes=("time $1$", "h" * 60)), CLASSES).axes[0]
    assert axes.get_xlabel().replace("\\", "") == "time $1$"
    assert axes.get_ylabel().startswith("hhh")
    assert len(axes.get_ylabel()) <= 40


def test_the_legend_is_beside_or_above():
    for beside in (True, False):
        figure = plot_regions(regions("mlp"), CLASSES, beside=beside)
        figure.draw_without_rendering()
        legend, axes = figure.axes[0].get_legend().get_window_extent(), figure.axes[0].get_window_extent()
        assert legend.x0 >= axes.x1 if beside else legend.y0 >= axes.y1


def test_panels_share_axes_and_name_the_outer_ones():
    figure = plot_region_panels({name: regions(name) for name in ("a", "b", "c", "d")}, CLASSES)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == ["a", "b", "c", "d"]
    assert [bool(axes.get_ylabel()) for axes in shown] == [True, False, False, True]
    assert [bool(axes.get_xlabel()) for axes in shown] == [False, True, True, True]
    assert alt_text(figure).count("Decision regions of ") == 4
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*CLASSES, "true curve: class 0", "true curve: class 1"]


def test_true_curves_are_drawn_over_the_points_in_dashes_of_their_own():
    axes = plot_regions(regions("mlp"), CLASSES).axes[0]
    lines = axes.get_lines()
    assert len({str(line.get_linestyle()) + str(line._unscaled_dash_pattern) for line in lines}) == 2
    points = [c for c in axes.collections if not isinstance(c, QuadContourSet)]
    assert min(line.get_zorder() for line in lines) > max(c.get_zorder() for c in points)
