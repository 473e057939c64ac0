"""The differences between two studies, drawn."""

from __future__ import annotations

import numpy as np

from sides import side_by_side
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.side_by_side.static import plot_differences


def test_every_difference_interval_and_verdict_is_drawn() -> None:
    found = side_by_side()
    figure = plot_differences(found)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [c.variant for c in found.comparisons]
    points = [np.asarray(c.get_offsets())[0] for c in axes.collections if len(np.asarray(c.get_offsets())) == 1]
    for y, c in zip(range(3, -1, -1), found.comparisons, strict=True):
        assert any(np.allclose(p, (100 * c.difference, y)) for p in points)
        drawn = [line for line in axes.lines if list(line.get_ydata()) == [y, y]]
        assert len(drawn) == (c.interval is not None)
        if c.interval is not None:
            assert np.allclose(drawn[0].get_xdata(), 100 * np.array(c.interval))
    assert [text.get_text() for text in axes.texts] == ["better", "worse", "equivalent*", "undecided"]
    assert "l2 −2.00 points [−3.00, −1.00], worse" in alt_text(figure)


def test_losses_are_drawn_as_they_are() -> None:
    found = side_by_side(metric="log_loss")
    axes = plot_differences(found).axes[0]
    assert axes.get_xlabel().startswith("test log loss, B minus A; lower is better")
    assert any(np.allclose(line.get_xdata(), (0.004, 0.0206)) for line in axes.lines)
