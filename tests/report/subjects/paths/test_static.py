from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from sweeps import scored, tables
from wellfit.analysis.paths import sweep_grids, sweep_paths
from wellfit.errors import UnknownNameError
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.paths.static import plot_grid, plot_path, plot_zeros

L2 = {f"l2={s}": {"l2": s} for s in (1e-4, 1e-3, 1e-2)}
GAINS = {"l2=0.0001": 0.3, "l2=0.001": 0.4, "l2=0.01": 0.35}


def path(zeros=None, variants=L2, first="baseline", **more):
    study = tables({first: {}, **variants})
    summary = scored(study, lambda n, c, s: 0.5 + GAINS.get(n, 0.1) + 0.001 * s, **more)
    (found,) = sweep_paths(summary, zeros)
    return found


def grid(**more):
    def score(name, changes, seed):
        return 0.9 if changes.get("l2") == 1e-4 and changes.get("dropout") == 0.4 else 0.8

    (found,) = sweep_grids(scored("regularization/grid", score, seeds=2, **more))
    return found


def draw(figure):
    """Lay out and draw, so that a warning of matplotlib is an error here."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=40)
    return buffer.getvalue()


def lines(axes):
    return {to_hex(line.get_color()): line for line in axes.lines if len(line.get_xdata()) > 2}


def test_every_split_has_a_line_and_a_band_on_a_logarithmic_axis():
    found = path()
    axes = plot_path(found).axes[0]
    assert axes.get_xscale() == "log"
    for split, role in (("train", "s0"), ("validation", "s1"), ("test", "s2")):
        line = lines(axes)[LIGHT[role]]
        np.testing.assert_allclose(line.get_xdata(), found.values)
        np.testing.assert_allclose(line.get_ydata(), 100 * found.metrics[f"{split}_accuracy"][0], rtol=1e-12)
    assert sum(isinstance(drawn, PolyCollection) for drawn in axes.collections) == 3  # a band each
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.0001", "0.001", "0.01"]


def test_choices_are_marked_and_the_baseline_is_a_dotted_line():
    found = replace(path(), one_standard_error=2)
    axes = plot_path(found).axes[0]
    named = {text.get_text() for text in axes.texts}
    assert named >= {"chosen on validation: 0.001", "within one standard error: 0.01", "baseline, validation", "test"}
    marked = [tuple(np.asarray(c.get_offsets())[0]) for c in axes.collections if isinstance(c, PathCollection)]
    validation = 100 * found.metrics["validation_accuracy"][0]
    np.testing.assert_allclose(marked, [(1e-3, validation[1]), (1e-2, validation[2])])
    reference = 100 * found.reference["validation_accuracy"][0]
    assert any(np.allclose(line.get_ydata(), reference) for line in axes.lines)
    same = plot_path(replace(found, one_standard_error=1)).axes[0]
    assert "chosen on validation, also within one standard error: 0.001" in {text.get_text() for text in same.texts}


def test_zero_weights_have_a_panel_of_their_own():
    zeros = {"l2=0.0001": 0.0, "l2=0.001": 0.5, "l2=0.01": 0.75}
    figure = plot_path(path(zeros))
    assert len(figure.axes) == 2
    np.testing.assert_allclose(lines(figure.axes[1])[LIGHT["s3"]].get_ydata(), [0, 50, 75])
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert "exactly zero along l2: 0.00 % at 0.0001; 50.00 % at 0.001; 75.00 % at 0.01." in alt_text(figure)
    assert len(plot_path(path(dict.fromkeys(zeros, 0.0))).axes) == 1
    given = Figure().add_subplot()
    assert plot_path(path(zeros), "accuracy", given) is given.figure
    assert len(given.figure.axes) == 1
    assert "not known" in alt_text(plot_zeros(path()))


@pytest.mark.parametrize(
    "found",
    [
        path(seeds=1),
        path(states={(n, s): "pending" for n in ("baseline", *L2) for s in range(5)}),
        path(states={("l2=0.001", 0): "diverged", ("l2=0.01", 0): "diverged"}),
        path(first="reference"),
        replace(path(), metrics={}),
    ],
    ids=["one seed", "nothing yet", "diverged", "another name", "no metrics"],
)
@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_every_state_can_be_drawn_and_described(found, metric):
    figure = plot_path(found, metric)
    assert draw(figure)
    assert alt_text(figure).startswith(f"Path of {metric} along l2")


def test_a_linear_path_and_one_of_the_data_can_be_drawn():
    for study in ("lab5/dropout", "label-noise", "sample-size"):
        for found in sweep_paths(scored(study, lambda n, c, s: 0.9 - 0.1 * c.get("dropout", 0), seeds=2)):
            assert draw(plot_path(found))
    assert plot_path(found).axes[0].get_xticklabels()[-1].get_text() == "48,000"


def test_names_are_text_and_never_mathematics():
    found = replace(path(), baseline="$a_$", held={"optimizer": "$x$"})
    axes = plot_path(found).axes[0]
    assert r"\$a_\$, validation" in {text.get_text() for text in axes.texts}
    assert r"\$x\$" in axes.get_xlabel()
    assert draw(axes.figure)


def test_a_grid_shows_every_cell_and_frames_the_choice():
    found = grid()
    axes = plot_grid(found, "validation_accuracy").axes[0]
    cells = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in axes.texts}
    assert cells[1, 1] == "90.00"
    assert cells[0, 2] == "80.00"
    assert len(cells) == 9
    (frame,) = axes.patches
    assert (frame.get_x(), frame.get_y()) == pytest.approx((1 - 0.47, 1 - 0.44))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1e-05", "0.0001", "0.001"]
    alpha = np.asarray(axes.images[0].get_array())[..., 3]
    assert alpha[1, 1] == alpha.max()
    assert "0.0001 and 0.4: 90.00 %" in alt_text(axes.figure)


def test_a_grid_with_gaps_without_a_choice_and_of_losses_can_be_drawn():
    found = grid()
    holes = np.full((3, 3), np.nan)
    for metric, values in (("test_accuracy", holes), ("test_loss", np.where(np.eye(3) > 0, holes, 0.5))):
        figure = plot_grid(replace(found, chosen=None, metrics={metric: values}), metric)
        assert draw(figure)
        assert not figure.axes[0].patches
    assert "no result" in alt_text(figure)
    words = replace(found, rows=((64, 32), True, None), columns=("a", "b", 1000))
    assert [label.get_text() for label in plot_grid(words).axes[0].get_yticklabels()] == ["64-32", "True", "none"]


def test_unknown_metrics_are_refused():
    with pytest.raises(UnknownNameError, match="unknown metric 'accuracies'; did you mean 'accuracy'"):
        plot_path(path(), "accuracies")
    with pytest.raises(UnknownNameError, match="unknown metric 'accuracy'"):
        plot_grid(grid(), "accuracy")
