from __future__ import annotations

import json

import numpy as np
import pytest

from summaries import study
from wellfit.report.marks.colors import FORMS, LIGHT, SERIES
from wellfit.report.marks.interactive import (
    MARKERS,
    add_curve,
    add_marks,
    add_renderer,
    bokeh_library,
    bokeh_models,
    charts_json,
    curve_columns,
    empty_chart,
    epoch_chart,
    series_role,
)
from wellfit.report.numbers import Curve, curve_data


@pytest.fixture
def curve():
    return curve_data(study(epochs=23), "baseline", "validation_accuracy")


@pytest.fixture
def chart():
    return empty_chart("epoch", "loss")


def source(columns):
    return bokeh_models().ColumnDataSource(columns)


def test_columns_are_the_curve_in_its_unit(curve):
    columns = curve_columns(curve, 100.0, 0)
    np.testing.assert_array_equal(columns["epoch"], np.arange(1, 24))
    for name in ("mean", "low", "high"):
        np.testing.assert_allclose(columns[name], 100 * getattr(curve, name), rtol=1e-6)  # single precision
    assert not columns["mark"].any()  # the first colors need no mark


def test_marks_are_few_and_at_different_epochs(curve):
    marked = [np.flatnonzero(curve_columns(curve, 1.0, index)["mark"]) for index in (SERIES, SERIES + 1)]
    assert all(4 <= len(places) <= 7 for places in marked)
    assert not set(marked[0]) & set(marked[1])


def test_a_single_epoch_is_a_mark():
    curve = curve_data(study(epochs=1), "baseline", "validation_loss")
    for index in range(0, SERIES * FORMS, SERIES):
        assert curve_columns(curve, 1.0, index)["mark"].tolist() == [MARKERS[index // SERIES][1]]


def test_every_form_is_another_mark(chart, curve):
    looks = []
    for index in range(1, SERIES * FORMS, SERIES):
        columns = source(curve_columns(curve, 1.0, index))
        renderer = add_marks(chart, f"v{index}-mark", "name", index, columns, x="epoch", y="mean", size="mark")
        filled = renderer.glyph.fill_color == LIGHT["s1"]
        assert renderer.glyph.tags == ["s1", "s1" if filled else "paper"]
        looks.append((renderer.glyph.marker, filled))
    assert len(set(looks)) == FORMS


def test_training_is_dashed_and_bands_are_behind(chart, curve):
    columns = curve_columns(curve, 1.0, 0)
    band, dashed = add_curve(chart, "v0-train", "name", 0, columns)
    _, solid = add_curve(chart, "v0-validation", "name", 0, columns)
    assert dashed.glyph.line_dash == [6, 4]
    assert solid.glyph.line_dash == []
    assert (band.level, band.tags, band.name) == ("underlay", ["v0-train-band"], "name")


def test_a_column_of_marks_is_sent_where_there_are_any(chart, curve):
    _, line, mark = add_curve(chart, "v7-gap", "name", SERIES, curve_columns(curve, 1.0, SERIES))
    assert (mark.tags, mark.glyph.size) == (["v7-gap-mark"], "mark")
    _, bare = add_curve(chart, "v0-gap", "name", 0, curve_columns(curve, 1.0, 0))
    assert line.data_source.data.keys() - bare.data_source.data.keys() == {"mark"}
    assert mark.view is line.view is not bare.view


@pytest.mark.parametrize(("count", "kind"), [(200, np.uint8), (300, np.uint16)])
def test_epochs_take_as_few_bytes_as_they_need(count, kind):
    values = np.linspace(0, 1, count)
    columns = curve_columns(Curve(np.arange(1, count + 1), values, values, values, np.ones(count, int)), 1.0, 0)
    assert columns["epoch"].dtype == kind
    np.testing.assert_array_equal(columns["epoch"], np.arange(1, count + 1))


def test_epoch_axes_are_shared_and_have_no_half_epochs():
    epochs = bokeh_models().Range1d(1, 8)
    chart = epoch_chart("loss", 8, "log", epochs=epochs, height=440)
    assert chart.x_range is epochs
    assert chart.xaxis[0].ticker.min_interval == 1
    assert (chart.tags, chart.height) == (["by-epoch"], 440)
    ticks = np.array(chart.yaxis[0].ticker.ticks)
    assert (ticks[1:] / ticks[:-1]).max() < 1.7  # any axis that spans a factor of two has one


def test_renderers_are_tagged(chart):
    line = bokeh_models().Line(x="x", y="y")
    drawn = add_renderer(chart, line, source({"x": [1], "y": [2]}), "what", "name", series_role(SERIES + 2))
    assert (drawn.tags, drawn.name, drawn.glyph.tags) == (["what"], "name", ["s2"])


def test_a_swipe_on_a_chart_scrolls_the_page(chart):
    assert chart.toolbar.active_drag is None
    assert chart.sizing_mode == "stretch_width"


def test_charts_are_one_document_without_tags_of_html(chart, curve):
    add_curve(chart, "v0-gap", "</script>", 0, curve_columns(curve, 1.0, 0))
    other = empty_chart("epoch", "accuracy")
    text = charts_json({"chart-loss": chart, "chart-accuracy": other})
    assert "<" not in text
    assert "</script>" in json.dumps(json.loads(text))
    assert [root["id"] for root in json.loads(text)["roots"]] == [chart.id, other.id]


def test_the_library_is_small_and_fits_into_a_script_element():
    library = bokeh_library()
    assert "</script" not in library.lower()
    assert "<!--" not in library
    assert len(library) < 1_500_000
    for left_out in ("bokeh-widgets", "bokeh-tables", "bokeh-gl", "bokeh-mathjax"):
        assert f"/* {left_out}" not in library
