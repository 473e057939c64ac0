"""The lines of a path are the same in the static figure, the interactive chart and the page's key."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from detailed import NOTHING, path
from summaries import study
from wellfit.report.forms.page_template import page_environment
from wellfit.report.marks.colors import LIGHT
from wellfit.report.subjects.paths.interactive import charts
from wellfit.report.subjects.paths.section import fragment
from wellfit.report.subjects.paths.static import plot_path

NAMES = ("baseline", "l2", "l1", "dropout", "l2 + dropout", "early-stopping")
SUMMARY = study(epochs=2)
WITH_REFERENCE = replace(
    path(NAMES),
    baseline="none",
    reference={"validation_accuracy": (0.871, 0.86, 0.88), "test_accuracy": (0.9, 0.89, 0.91)},
)


def drawn(found):
    return charts(SUMMARY, replace(NOTHING, paths=(found,)))["chart-path-0"]


def static_lines(found):
    """Name and place -> color, and dashes in widths of the line, of what matplotlib draws."""
    lines = {}
    splits = {tuple(100 * found.metrics[f"{s}_accuracy"][0]): s for s in ("train", "validation", "test")}
    for line in plot_path(found).axes[0].lines:
        x, y = line.get_xdata(), line.get_ydata()
        if len(x) == len(found.values):
            name, place = splits[tuple(y)], None
        else:
            name, place = ("upright", float(x[0])) if x[0] == x[1] else ("level", float(y[0]))
        dash = line._unscaled_dash_pattern[1] or ()
        lines[name, place] = (to_hex(line.get_color()), tuple(dash))
    return lines


def interactive_lines(found):
    """The same of what Bokeh draws."""
    lines = {}
    chart = drawn(found)
    for renderer in chart.renderers:
        glyph = renderer.glyph
        colors = [getattr(glyph, name, None) for name in ("line_color", "fill_color")]
        assert LIGHT[glyph.tags[0]] in colors  # which the script replaces in dark mode
        if type(glyph).__name__ == "Line":
            dash = tuple(part / glyph.line_width for part in glyph.line_dash)
            lines[renderer.tags[0], None] = (glyph.line_color, dash)
    for span in chart.center:
        if type(span).__name__ == "Span":
            way = "upright" if span.dimension == "height" else "level"
            lines[way, span.location] = (span.line_color, tuple(span.line_dash))
    return lines


def key_lines(found):
    """Label -> color, dashes and whether it is level, of the key below the chart."""
    details = replace(NOTHING, paths=(found,))
    template = page_environment().get_template("subjects/paths/section.html.j2")
    html = template.render(fragment(SUMMARY, details, {}), summary=SUMMARY)
    key = re.search(r'class="caption key">(.*?)</p>', html, re.DOTALL)
    assert key is not None
    lines = re.findall(r'd="(.*?)" style="stroke: var\(--(\w+)\); stroke-width: (\d)(.*?)"/></svg>(.*?)</span>', key[1])
    return {
        label: (LIGHT[role], tuple(int(part) / int(width) for part in re.findall(r"\d+", dash)), "H" in way)
        for way, role, width, dash, label in lines
    }


def test_figure_chart_and_key_show_the_same_lines():
    static, key = static_lines(WITH_REFERENCE), key_lines(WITH_REFERENCE)
    assert static == interactive_lines(WITH_REFERENCE)
    assert len(static) == 6
    chosen, simpler = (float(WITH_REFERENCE.values[at])
                       for at in (WITH_REFERENCE.chosen, WITH_REFERENCE.one_standard_error))  # fmt: skip
    named = {
        "training": ("train", None),
        "validation": ("validation", None),
        "test": ("test", None),
        "chosen on validation": ("upright", chosen),
        "within one standard error": ("upright", simpler),
        "validation of none": ("level", pytest.approx(87.1)),
    }
    assert set(key) == set(named)
    for label, which in named.items():
        (line,) = (line for place, line in static.items() if place == which)
        assert key[label] == (*line, which[0] != "upright")
    assert len(set(static.values())) == 6  # no two look alike; the splits differ in color and in dashes
    assert len({dash for (name, _), (_, dash) in static.items() if name not in ("upright", "level")}) == 3


def test_one_value_is_marked_by_one_line():
    same = replace(path(NAMES), one_standard_error=path(NAMES).chosen)
    assert sum(name == "upright" for name, _ in interactive_lines(same)) == 1


def test_points_hold_the_numbers_of_the_path():
    found = path(NAMES)
    (points,) = (r for r in drawn(found).renderers if r.tags == ["test-point"])
    data = points.data_source.data
    np.testing.assert_allclose(data["mean"], 100 * found.metrics["test_accuracy"][0], rtol=1e-6)  # single precision
    assert data["variant"] == list(NAMES)
    assert data["value"][0] == "1e-05"
    assert re.fullmatch(r"\[[\d.]+, [\d.]+\]", data["interval"][0])


def test_without_intervals_a_band_has_no_width():
    nothing = np.full(len(NAMES), np.nan)
    alone = {name: (mean, nothing, nothing) for name, (mean, _, _) in path(NAMES).metrics.items()}
    (band,) = (r for r in drawn(replace(path(NAMES), metrics=alone)).renderers if r.tags == ["test-band"])
    data = band.data_source.data
    np.testing.assert_array_equal(data["bottom"], data["top"])
    assert set(data["interval"]) == {"–"}


def test_every_path_has_a_chart():
    found = path(NAMES)
    assert list(charts(SUMMARY, replace(NOTHING, paths=(found, found)))) == ["chart-path-0", "chart-path-1"]
    assert charts(SUMMARY, NOTHING) == {}
