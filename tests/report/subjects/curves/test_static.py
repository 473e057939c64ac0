from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from detailed import details, regions
from summaries import diverged, empty, hostile, running, study
from wellfit.errors import UnknownNameError
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.marks.static import alt_text
from wellfit.report.marks.svg import inline_svg
from wellfit.report.numbers import curve_data, interval_data, median_epochs
from wellfit.report.subjects.calibration.static import plot_ranking, plot_reliability
from wellfit.report.subjects.classes.static import plot_per_class
from wellfit.report.subjects.confusion.static import plot_confusion, plot_confusion_difference
from wellfit.report.subjects.curves.static import (
    plot_curves,
    plot_gap,
    plot_intervals,
    plot_learning_curve,
)
from wellfit.report.subjects.mistakes.static import plot_data_look, plot_gallery
from wellfit.report.subjects.regions.static import plot_disagreement, plot_regions
from wellfit.report.subjects.weights.static import plot_filters, plot_weight_histogram, plot_weight_norms

XLINK = "http://www.w3.org/1999/xlink"

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
    """Lay out and draw for real, so that what matplotlib would complain of is an error here."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=40)
    return buffer.getvalue()


def lines(axes):
    """Every line with more than two points, by its color and dash."""
    return {(to_hex(line.get_color()), line.is_dashed()): line for line in axes.lines if len(line.get_xdata()) > 2}


@pytest.mark.parametrize("make", STATES.values(), ids=STATES)
def test_every_state_can_be_drawn_and_told(make):
    summary = make()
    first = summary.variants[0].name
    figures = [
        plot_intervals(summary),
        plot_curves(summary),
        plot_curves(summary, "accuracy", Figure().add_subplot()),
        plot_learning_curve(summary, first),
        plot_gap(summary),
        plot_confusion(summary, first),
    ]
    for figure in figures:
        assert draw(figure)
        assert alt_text(figure)


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")  # a class name in Chinese; the page has more fonts
def test_names_are_text_and_never_mathematics():
    summary = hostile()
    figure = plot_confusion(summary, "baseline")
    assert draw(figure)
    shown = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert r"\$x\$ and \$" in shown
    for other in (plot_intervals(summary), plot_curves(summary), plot_gap(summary)):
        assert draw(other)


CONTRACT = {
    "plot_intervals": lambda s, d, **ax: plot_intervals(s, **ax),
    "plot_ranking": lambda s, d, **ax: plot_ranking(s, **ax),
    "plot_curves": lambda s, d, **ax: plot_curves(s, **ax),
    "plot_learning_curve": lambda s, d, **ax: plot_learning_curve(s, s.variants[1].name, **ax),
    "plot_gap": lambda s, d, **ax: plot_gap(s, **ax),
    "plot_confusion": lambda s, d, **ax: plot_confusion(s, s.variants[1].name, **ax),
    "plot_confusion_difference": lambda s, d, **ax: plot_confusion_difference(last(d.differences), s.classes, **ax),
    "plot_per_class": lambda s, d, **ax: plot_per_class(last(d.by_class), s.classes, **ax),
    "plot_reliability": lambda s, d, **ax: plot_reliability(last(d.calibration), **ax),
    "plot_weight_norms": lambda s, d, **ax: plot_weight_norms(s, **ax),
    "plot_weight_histogram": lambda s, d, **ax: plot_weight_histogram(last(d.weights), **ax),
    "plot_filters": lambda s, d, **ax: plot_filters(last(d.weights), **ax),
    "plot_regions": lambda s, d, **ax: plot_regions(regions("mlp"), s.classes[:2], **ax),
    "plot_disagreement": lambda s, d, **ax: plot_disagreement(regions("mlp"), s.classes[:2], **ax),
    "plot_gallery": lambda s, d, **ax: plot_gallery(d.mistakes, s.classes, "most", count=7, **ax),
    "plot_data_look": lambda s, d, **ax: plot_data_look(d.look, s.classes, **ax),
}


def last(found):
    return list(found.values())[-1]


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")  # a class name in Chinese; the page has more fonts
@pytest.mark.parametrize("plot", CONTRACT.values(), ids=CONTRACT)
@pytest.mark.parametrize("make", [study, hostile])
def test_every_figure_keeps_the_contract(plot, make):
    """A figure, on the given axes if there are any; told in words; in the page's colors; a name never mathematics."""
    summary = make()
    found = details(summary)
    figure = plot(summary, found)
    assert isinstance(figure, Figure)
    assert len(alt_text(figure)) > 30
    assert draw(figure)
    axes = Figure(figsize=(6, 4)).add_subplot()
    assert plot(summary, found, ax=axes) is axes.figure
    assert alt_text(axes.figure)
    drawn = ElementTree.fromstring(str(inline_svg(figure)).replace("<svg ", f'<svg xmlns:xlink="{XLINK}" ', 1))
    assert drawn.get("aria-label") == alt_text(figure)
    styles = " ".join(element.get("style", "") for element in drawn.iter())
    assert "var(--" in styles
    assert not [color for color in LIGHT.values() if color in styles]
    assert not re.findall("#[0-9a-f]{6}", styles)  # no color but those that follow the page


@pytest.mark.parametrize("log", [False, True])
def test_curves_can_be_logarithmic_and_names_stay_apart(log):
    summary = study()
    figure = plot_curves(summary, log=log)
    assert {axes.get_yscale() for axes in figure.axes} == {"log" if log else "linear"}
    axes = Figure().add_subplot()
    plot_curves(summary, "loss", axes, log=log)
    assert axes.get_yscale() == ("log" if log else "linear")
    heights = sorted(text.xy[1] for text in axes.texts)
    assert min(np.diff(heights)) >= 0.999 / 17


def test_curves_say_where_their_runs_are_read():
    summary = study()
    marks = {axes.get_title(loc="left"): [text.get_text() for text in axes.texts] for axes in plot_curves(summary).axes}
    _, read = median_epochs(summary, "early-stopping")
    best, _ = median_epochs(summary, "baseline")
    assert marks["early-stopping"] == [f"read at epoch {read:g}"]
    assert marks["baseline"] == [f"lowest loss at epoch {best:g}"]
    assert f"lowest loss at epoch {best:g}" in alt_text(plot_learning_curve(summary, "baseline"))
    assert not plot_learning_curve(empty(), "baseline").axes[0].texts


def test_a_learning_curve_draws_both_splits():
    summary = study()
    axes = plot_learning_curve(summary, "dropout", "accuracy").axes[0]
    color = series_color(3)
    for split, dashed in (("train", True), ("validation", False)):
        wanted = curve_data(summary, "dropout", f"{split}_accuracy")
        np.testing.assert_allclose(lines(axes)[color, dashed].get_ydata(), 100 * wanted.mean, rtol=1e-12)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert len(axes.collections) == 2  # a band each


@pytest.mark.parametrize("plot", [plot_intervals, plot_ranking])
def test_the_longest_names_leave_room_for_the_numbers(plot):
    summary = study(variants=("baseline", "l2"))
    name = "W" * 64  # as long as a study file takes it
    long = replace(summary, variants=(summary.variants[0], replace(summary.variants[1], name=name)))
    figure = plot(long)
    assert draw(figure)
    assert figure.axes[0].get_position().width > 0.2
    assert name in alt_text(figure)


def test_panels_share_their_axes_and_label_the_outer_ones():
    figure = plot_curves(study(variants=("baseline", "l2", "l1", "dropout")))
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["baseline", "l2", "l1", "dropout"]
    assert len({axes.get_ylim() for axes in panels}) == 1
    assert [bool(axes.get_xlabel()) for axes in panels] == [False, True, True, True]
    assert [bool(axes.get_ylabel()) for axes in panels] == [True, False, False, True]


def test_curves_can_be_drawn_on_given_axes_each_named():
    summary = study()
    axes = Figure().add_subplot()
    assert plot_curves(summary, "loss", axes) is axes.figure
    assert {text.get_text() for text in axes.texts} == {variant.name for variant in summary.variants}
    heights = sorted(text.xy[1] for text in axes.texts)
    assert min(np.diff(heights)) >= 0.999 / 17  # of the axes: no two names overlap


def test_the_interval_plot_shows_seeds_mean_interval_and_published():
    summary = study()
    axes = plot_intervals(summary).axes[0]
    points = [np.asarray(found.get_offsets()) for found in axes.collections]  # scatter: seeds, mean, published
    for row in interval_data(summary):
        y = len(summary.variants) - 1 - row.index
        assert any(len(p) == 5 and np.allclose(p[:, 0], [100 * x for x in row.runs.values()]) for p in points)
        assert row.mean is not None
        assert row.interval is not None
        assert any(len(p) == 1 and np.allclose(p[0], (100 * row.mean, y)) for p in points)
        assert any(np.allclose(line.get_xdata(), 100 * np.array(row.interval)) for line in axes.lines)
        published = [p for p in points if row.published and len(p) == 1 and np.allclose(p[0], (100 * row.published, y))]
        assert bool(published) == (row.published is not None)


def test_alt_text_tells_the_numbers():
    summary = study()
    said = alt_text(plot_intervals(summary))
    assert "baseline 88.36 % [88.26, 88.46], published 88.35 %" in said
    assert "best 98." in alt_text(plot_learning_curve(summary, "baseline", "accuracy"))
    assert alt_text(plot_curves(summary)).count("Learning curves of") == len(summary.variants)
    assert "l1: no result" in alt_text(plot_intervals(diverged()))
    assert alt_text(Figure()) == ""


def test_more_variants_than_colors_get_another_dash():
    summary = study(variants=("baseline",))
    axes = Figure().add_subplot()
    plot_gap(replace(summary, variants=summary.variants * 9), axes)
    same = [line for line in axes.lines if to_hex(line.get_color()) == series_color(0) and len(line.get_xdata()) > 2]
    assert {line.is_dashed() for line in same} == {False, True}


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="unknown metric 'accuracies'; did you mean 'accuracy'"):
        plot_curves(study(), "accuracies")
    with pytest.raises(UnknownNameError, match="unknown metric 'error'"):
        plot_learning_curve(study(), "l2", "error")
    with pytest.raises(UnknownNameError, match="unknown variant 'l3'"):
        plot_confusion(study(), "l3")
    with pytest.raises(UnknownNameError, match="unknown metric 'loss'"):
        plot_intervals(study(), "loss")


def test_nothing_is_loaded_before_it_is_needed_and_pyplot_never():
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
    here = Path(__file__).parents[3]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent / "src")])}
