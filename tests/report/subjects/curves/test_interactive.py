from __future__ import annotations

import base64
import gzip
import json

import numpy as np
import pytest

from bokeh_json import models
from detailed import NOTHING, details
from summaries import diverged, empty, hostile, running, study
from wellfit.report.numbers import curve_data
from wellfit.report.subjects.curves.interactive import bokeh_library, build_charts


def array(value):
    """A Bokeh array as NumPy's."""
    assert value["type"] == "ndarray"
    data = base64.b64decode(value["array"]["data"])
    return np.frombuffer(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, dtype=value["dtype"])


def column(source, name):
    return dict(source["attributes"]["data"]["entries"])[name]


def test_one_chart_for_each_place_of_the_page():
    summary = study(epochs=5)
    charts = build_charts(summary, details(summary))
    assert {name: set(roots) for name, roots in charts.roots.items()} == {
        "curves": {"chart-loss", "chart-log-loss", "chart-accuracy", "chart-gap"},
        "weights": {"chart-norms"},
        "paths": {"chart-path-0"},
        "calibration": {"chart-reliability"},
    }
    for name, text in charts.documents.items():
        assert {root["id"] for root in json.loads(text)["roots"]} == set(charts.roots[name].values())


def test_curves_hold_the_numbers_of_the_static_figures():
    summary = study(epochs=12)
    charts = build_charts(summary, NOTHING)
    renderers = [m for m in models(charts, "GlyphRenderer") if m["attributes"].get("name") == "l2, validation"]
    sources = {m["id"]: m for m in models(charts, "ColumnDataSource")}
    lines = [r["attributes"] for r in renderers if r["attributes"]["glyph"].get("name") == "Line"]
    found = [r["data_source"] for r in lines]
    loss, accuracy = sorted((array(column(sources[f["id"]], "mean")) for f in found), key=np.mean)
    wanted = curve_data(summary, "l2", "validation_loss")
    np.testing.assert_allclose(loss, wanted.mean, rtol=1e-6)  # stored in single precision
    wanted = curve_data(summary, "l2", "validation_accuracy")
    np.testing.assert_allclose(accuracy, 100 * wanted.mean, rtol=1e-6)


def test_both_loss_charts_have_the_same_renderers():
    charts = build_charts(study(variants=("baseline", "l2"), epochs=5), NOTHING)
    tags = [m["attributes"]["tags"][0] for m in models(charts, "GlyphRenderer")]
    # two splits of two metrics and the gap, a line and a band each, of two variants
    assert sorted(set(tags)) == sorted(
        f"v{v}-{what}{band}" for v in (0, 1) for what in ("gap", "train", "validation") for band in ("", "-band")
    )
    assert len(tags) == 2 * 5 * 2


def test_where_runs_were_stopped_is_marked():
    summary = study(variants=("baseline", "early-stopping"), epochs=20)
    charts = build_charts(summary, NOTHING)
    marks = [m["attributes"] for m in models(charts, "GlyphRenderer") if m["attributes"]["tags"] == ["v1-stop"]]
    assert len(marks) == 2  # loss and accuracy
    sources = {m["id"]: m for m in models(charts, "ColumnDataSource")}
    read = column(sources[marks[0]["data_source"]["id"]], "epoch")
    assert read == [run.readout_epoch for run in summary.variants[1].runs]


def test_epoch_axes_and_crosshairs_are_shared():
    charts = build_charts(study(epochs=5), NOTHING)
    ranges = [m for m in models(charts, "Range1d") if m["attributes"].get("end") == 5]
    assert len(ranges) == 1
    cursors = [m for m in models(charts, "Span") if "location" not in m["attributes"]]
    assert len(cursors) == 1


def test_no_name_can_end_the_script_element():
    summary = hostile()
    charts = build_charts(summary, details(summary))
    assert not any("<" in text for text in charts.documents.values())
    assert any("</script>" in str(m["attributes"].get("name")) for m in models(charts, "GlyphRenderer"))


@pytest.mark.parametrize("make", [running, diverged, lambda: study(variants=("baseline",), seeds=1, epochs=1)])
def test_odd_states_make_charts(make):
    assert "chart-loss" in build_charts(make(), NOTHING).roots["curves"]


def test_a_study_without_runs_has_no_chart():
    assert build_charts(empty(), NOTHING).documents == {}


def test_the_library_is_small_and_can_stand_in_a_script_element():
    library = bokeh_library()
    assert "</script" not in library.lower()
    assert "<!--" not in library
    assert len(library) < 1_500_000
    for left_out in ("bokeh-widgets", "bokeh-tables", "bokeh-gl", "bokeh-mathjax"):
        assert f"/* {left_out}" not in library
