from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from summaries import diverged, empty, hostile, running, study
from wellfit.base import History
from wellfit.errors import UnknownNameError
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.marks.static import LINE, alt_text
from wellfit.report.numbers import FEW, curve_data
from wellfit.report.subjects.curves.numbers import epoch_mark, value_limits
from wellfit.report.subjects.curves.static import plot_curves, plot_gap, plot_learning_curve, plot_small

STATES = {
    "finished": study,
    "empty": empty,
    "running": running,
    "diverged": diverged,
    "one seed": lambda: study(variants=("baseline", "l2"), seeds=1),
    "one variant": lambda: study(variants=("baseline",)),
    "one epoch": lambda: study(variants=("baseline", "l2"), epochs=1),
}


def draw(figure):
    """Lay out and draw, so that a warning of matplotlib is an error here."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=40)
    return buffer.getvalue()


def lines(axes):
    """Every line with more than two points, by its color and dash."""
    return {(to_hex(line.get_color()), line.is_dashed()): line for line in axes.lines if len(line.get_xdata()) > 2}


def marks(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("make", STATES.values(), ids=STATES)
def test_every_state_can_be_drawn_and_described(make):
    summary = make()
    first = summary.variants[0].name
    figures = [
        plot_curves(summary),
        plot_curves(summary, "accuracy", Figure().add_subplot()),
        plot_learning_curve(summary, first),
        plot_small(summary, first),
        plot_gap(summary),
    ]
    for figure in figures:
        assert draw(figure)
        assert alt_text(figure)


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")  # a name in Chinese; the page has more fonts
def test_names_are_never_mathematics():
    for plot in (plot_curves, plot_gap):
        assert draw(plot(hostile()))


@pytest.mark.parametrize("log", [False, True])
def test_curves_can_be_logarithmic_and_labels_stay_apart(log):
    summary = study()
    figure = plot_curves(summary, log=log)
    assert {axes.get_yscale() for axes in figure.axes} == {"log" if log else "linear"}
    axes = Figure().add_subplot()
    plot_curves(summary, "loss", axes, log=log)
    assert axes.get_yscale() == ("log" if log else "linear")
    heights = sorted(text.xy[1] for text in axes.texts)
    assert min(np.diff(heights)) >= 0.999 * LINE / (4.8 * 0.77)  # inches of the panel


def test_panels_mark_where_runs_are_best_or_read():
    summary = study()
    labels = {axes.get_title(loc="left"): marks(axes) for axes in plot_curves(summary).axes}
    for name in ("early-stopping", "baseline"):
        assert labels[name] == [epoch_mark(summary, name)[1]]
    assert epoch_mark(summary, "baseline")[1] in alt_text(plot_learning_curve(summary, "baseline"))
    assert not plot_learning_curve(empty(), "baseline").axes[0].texts


def test_a_learning_curve_draws_both_splits():
    summary = study()
    axes = plot_learning_curve(summary, "dropout", "accuracy").axes[0]
    color = series_color(3)
    for split, dashed in (("train", True), ("validation", False)):
        curve = curve_data(summary, "dropout", f"{split}_accuracy")
        np.testing.assert_allclose(lines(axes)[color, dashed].get_ydata(), 100 * curve.mean, rtol=1e-12)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert len(axes.collections) == 2  # a band each


def test_each_seed_has_a_tick_at_its_best_epoch():
    summary = study()
    (ticks,) = [line for line in plot_learning_curve(summary, "l2").axes[0].lines if line.get_marker() == "|"]
    assert list(ticks.get_xdata()) == [run.best_epoch for run in summary.variants[1].runs]


def test_a_small_panel_has_the_curves_and_no_labels():
    summary = study()
    limits = value_limits(summary, "loss")
    axes = plot_small(summary, "dropout", limits=limits).axes[0]
    curve = curve_data(summary, "dropout", "validation_loss")
    np.testing.assert_allclose(lines(axes)[series_color(3), False].get_ydata(), curve.mean, rtol=1e-12)
    assert axes.get_ylim() == limits
    assert not any((axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left"), axes.get_legend()))


@pytest.mark.parametrize("epoch", [1, 20])
def test_the_label_of_a_small_panel_is_above_it_and_within_its_width(epoch):
    summary = study(variants=("early-stopping",), epochs=20)
    runs = tuple(replace(run, state="stopped", readout_epoch=epoch) for run in summary.variants[0].runs)
    stopped = replace(summary, variants=(replace(summary.variants[0], runs=runs),))
    figure = plot_small(stopped, "early-stopping")
    figure.draw_without_rendering()
    (label,) = figure.axes[0].texts
    box, panel = label.get_window_extent(), figure.axes[0].get_window_extent()
    assert label.get_text() == f"read at epoch {epoch}"
    assert box.y0 > panel.y1
    assert panel.x0 - 10 < box.x0 < box.x1 < panel.x1 + 10


@pytest.mark.parametrize(
    ("count", "lowest", "leftmost"),
    [(1, [True], [True]), (4, [False, False, True, True], [True, False, True, False]),
     (5, [False, False, True, True, True], [True, False, False, True, False])],
)  # fmt: skip
def test_panels_share_their_axes_and_only_the_outer_ones_have_labels(count, lowest, leftmost):
    names = ("baseline", "l2", "l1", "dropout", "l2 + dropout")[:count]
    figure = plot_curves(study(variants=names))
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == list(names)
    assert len({axes.get_ylim() for axes in panels}) == 1
    assert [bool(axes.get_xlabel()) for axes in panels] == lowest
    assert [bool(axes.get_ylabel()) for axes in panels] == leftmost
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["training", "validation"]


def test_panels_of_chosen_variants():
    figure = plot_curves(study(), names=["l1", "baseline"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["l1", "baseline"]
    with pytest.raises(UnknownNameError, match="unknown variant 'l3'"):
        plot_curves(study(), names=["l3"])


def test_curves_on_given_axes_are_labeled():
    summary = study()
    axes = Figure().add_subplot()
    assert plot_curves(summary, "loss", axes) is axes.figure
    assert set(marks(axes)) == {variant.name for variant in summary.variants}


def test_the_alt_text_has_the_numbers():
    summary = study()
    assert "best 98." in alt_text(plot_learning_curve(summary, "baseline", "accuracy"))
    assert alt_text(plot_curves(summary)).count("Learning curves of") == len(summary.variants)
    assert "no epoch yet" in alt_text(plot_gap(empty()))


def of(*names):
    """A study of variants that differ in name alone."""
    one = study(variants=("baseline",))
    variants = tuple(replace(one.variants[0], name=name) for name in names)
    return replace(one, variants=variants, histories=dict.fromkeys(names, one.histories["baseline"]))


def test_variants_of_one_color_have_different_marks():
    axes = Figure().add_subplot()
    plot_gap(of("l2", "max-norm", "shift"), axes)
    same = [line for line in axes.lines if to_hex(line.get_color()) == series_color(1) and len(line.get_xdata()) > 2]
    assert [line.get_marker() for line in same] == ["D", "o", ""]  # the first variant is drawn last, above the others
    assert not any(line.is_dashed() for line in same)  # dashes are for training


def test_of_many_variants_most_are_gray_and_have_no_label():
    names = [f"v{at}" for at in range(FEW + 4)]
    for metric in ("loss", "accuracy"):
        axes = Figure().add_subplot()
        plot_curves(of(*names), metric, axes)
        gray = [line for line in axes.lines if to_hex(line.get_color()) == LIGHT["crowd"]]
        assert (len(gray), len(axes.texts)) == (4, FEW)


def test_the_value_axis_leaves_out_the_first_epochs_and_an_arrow_points_to_what_is_outside():
    summary = study(variants=("baseline", "l2", "dropout"), epochs=12)
    far = {
        seed: History({**dict(run.columns), "validation_loss": np.full(12, 1e6)})
        for seed, run in summary.histories["l2"].items()
    }
    summary = replace(summary, histories={**summary.histories, "l2": far})
    axes = Figure().add_subplot()
    plot_curves(summary, "loss", axes)
    assert axes.get_ylim()[1] < max(h["train_loss"][0] for h in summary.histories["baseline"].values())
    assert [text.get_text() for text in axes.texts if text.get_text().startswith("↑")] == ["↑ l2"]
    assert max(text.xy[1] for text in axes.texts) <= 1.0


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="unknown metric 'accuracies'; did you mean 'accuracy'"):
        plot_curves(study(), "accuracies")
    with pytest.raises(UnknownNameError, match="unknown metric 'error'"):
        plot_learning_curve(study(), "l2", "error")
    with pytest.raises(UnknownNameError, match="unknown variant 'l3'"):
        plot_small(study(), "l3")


def test_heavy_libraries_are_loaded_late_and_pyplot_never():
    code = (
        "import sys, wellfit.report.subjects.curves.static, wellfit.report.forms.page;"
        "heavy = {'matplotlib', 'bokeh', 'pandas', 'jax', 'jinja2'} & set(sys.modules); assert not heavy, heavy;"
        "from summaries import study; from detailed import NOTHING; from wellfit.report.forms.page import render_page;"
        "render_page(study(epochs=3), NOTHING);"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_environment(), check=False)
    assert done.returncode == 0, done.stderr


def _environment():
    tests = Path(__file__).parents[3]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent / "src")])}


@pytest.mark.parametrize(("count", "bands"), [(3, 3), (4, 0)])
def test_few_bands_or_none(count, bands):
    axes = Figure().add_subplot()
    plot_curves(of(*[f"v{at}" for at in range(count)]), "loss", axes)
    assert len(axes.collections) == bands
