from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from summaries import diverged, empty, hostile, study
from wellfit.base import Ranked
from wellfit.errors import UnknownNameError
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.ranking.numbers import interval_rows, score_axis
from wellfit.report.subjects.ranking.static import plot_intervals, plot_ranking


def legend(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def names(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_seeds_mean_interval_and_published_value_are_drawn():
    summary = study()
    axes = plot_intervals(summary).axes[0]
    points = [np.asarray(c.get_offsets()) for c in axes.collections]  # scatter: seeds, mean, published
    for row in interval_rows(summary):
        y = len(summary.variants) - 1 - row.index
        assert any(len(p) == 5 and np.allclose(p[:, 0], [100 * x for x in row.runs.values()]) for p in points)
        assert row.mean is not None
        assert row.interval is not None
        assert any(len(p) == 1 and np.allclose(p[0], (100 * row.mean, y)) for p in points)
        assert any(np.allclose(line.get_xdata(), 100 * np.array(row.interval)) for line in axes.lines)
        published = [p for p in points if row.published and len(p) == 1 and np.allclose(p[0], (100 * row.published, y))]
        assert bool(published) == (row.published is not None)


def test_the_axis_is_that_of_the_numbers():
    axis = score_axis(interval_rows(study()))
    axes = plot_intervals(study()).axes[0]
    assert axes.get_xlim() == pytest.approx((100 * axis.low, 100 * axis.high))
    assert tuple(label.get_text() for label in axes.get_xticklabels()) == axis.labels


def test_a_mean_far_below_is_a_number_only():
    summary = study()
    low = replace(summary.variants[1], mean={"test_accuracy": 0.1}, interval={}, published={})
    axes = plot_intervals(replace(summary, variants=(summary.variants[0], low, *summary.variants[2:]))).axes[0]
    assert "◂ far below" in [text.get_text() for text in axes.texts]
    assert "10.00 %" in [text.get_text() for text in axes.texts]
    assert all(np.asarray(c.get_offsets())[:, 0].min() > 80 for c in axes.collections)


def test_the_ranking_has_letters_beside_the_names():
    summary = study(variants=("baseline", "l2", "dropout"))
    letters = (Ranked("dropout", 0.9, "a"), Ranked("baseline", 0.88, "b"), Ranked("l2", 0.87, "b"))
    figure = plot_ranking(replace(summary, ranking=letters))
    assert names(figure) == ["dropout   a", "baseline   b", "l2   b"]
    assert "do not differ clearly" in figure.axes[0].get_xlabel()
    assert alt_text(figure).startswith("Variants ranked by mean test accuracy: 1. dropout")
    assert "; 2. baseline" in alt_text(figure)
    assert "(b)" in alt_text(figure)


def test_one_seed_has_no_letters():
    alone = study(variants=("baseline", "l2"), seeds=1)
    alone = replace(alone, comparisons=tuple(replace(c, p_value=None) for c in alone.comparisons))
    axes = plot_ranking(alone).axes[0]
    assert "letter" not in axes.get_xlabel()


def test_a_variant_without_a_result_is_last():
    figure = plot_ranking(replace(diverged(), ranking=()))
    assert names(figure)[-1] == "l1"
    assert "no result" in [text.get_text() for text in figure.axes[0].texts]
    assert "l1: no result" in alt_text(figure)


def test_nothing_tested_can_be_drawn():
    figure = plot_ranking(empty())
    figure.draw_without_rendering()
    assert "baseline: no result" in alt_text(figure)


def test_the_legend_explains_only_what_is_drawn():
    assert legend(plot_intervals(study())) == ["mean over seeds", "95 % interval", "one seed", "published"]
    alone = study(variants=("baseline",), seeds=1)
    bare = replace(alone, variants=tuple(replace(v, published={}, interval={}) for v in alone.variants))
    assert legend(plot_intervals(bare)) == ["mean over seeds", "one seed"]


def test_the_alt_text_has_the_numbers():
    assert "baseline 88.36 % [88.26, 88.46], published 88.35 %" in alt_text(plot_intervals(study()))


@pytest.mark.parametrize("plot", [plot_intervals, plot_ranking])
def test_the_longest_names_leave_room_for_the_plot(plot):
    summary = study(variants=("baseline", "l2"))
    name = "W" * 64  # as long as a study file allows
    figure = plot(replace(summary, variants=(summary.variants[0], replace(summary.variants[1], name=name))))
    figure.draw_without_rendering()
    assert figure.axes[0].get_position().width > 0.2
    assert name in alt_text(figure)


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")  # a name in Chinese
def test_names_are_never_mathematics():
    plot_intervals(hostile()).draw_without_rendering()


def test_an_unknown_metric_is_refused():
    with pytest.raises(UnknownNameError, match="unknown metric 'loss'"):
        plot_intervals(study(), "loss")


def test_a_published_value_beyond_the_axis_is_written_at_its_edge():
    summary = study()
    far = replace(summary.variants[0], published={"test_accuracy": 0.5})
    axes = plot_intervals(replace(summary, variants=(far, *summary.variants[1:]))).axes[0]
    assert "◂ published 50.00 %" in [text.get_text() for text in axes.texts]
