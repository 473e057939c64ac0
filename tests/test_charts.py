from __future__ import annotations

import base64
import gzip
import json

import numpy as np
import pytest

from summaries import diverged, empty, hostile, running, study
from wellfit.report.charts import bokeh_library, build_charts
from wellfit.report.figure_data import curve_data


def objects(node):
    """Every Bokeh model in a document's JSON, references left out."""
    if isinstance(node, dict):
        if node.get("type") == "object" and "name" in node:
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def models(charts, name):
    return [model for model in objects(json.loads(charts.document)) if model["name"] == name]


def array(value):
    """A Bokeh array as NumPy's."""
    assert value["type"] == "ndarray"
    data = base64.b64decode(value["array"]["data"])
    return np.frombuffer(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, dtype=value["dtype"])


def column(source, name):
    return dict(source["attributes"]["data"]["entries"])[name]


def test_one_chart_for_each_place_of_the_page():
    charts = build_charts(study(epochs=5))
    places = {"chart-intervals", "chart-loss", "chart-log-loss", "chart-accuracy", "chart-gap"}
    assert set(charts.roots) == places
    document = json.loads(charts.document)
    assert {root["id"] for root in document["roots"]} == set(charts.roots.values())


def test_curves_hold_the_numbers_of_the_static_figures():
    summary = study(epochs=12)
    charts = build_charts(summary)
    sources = [s for s in models(charts, "ColumnDataSource") if "split" in dict(s["attributes"]["data"]["entries"])]
    stored = [s for s in sources if (column(s, "variant")[0], column(s, "split")[0]) == ("l2", "validation")]
    loss, accuracy = sorted((array(column(s, "mean")) for s in stored), key=np.mean)
    wanted = curve_data(summary, "l2", "validation_loss")
    np.testing.assert_allclose(loss, wanted.mean, atol=1e-6)  # stored with six decimals
    np.testing.assert_allclose(accuracy, 100 * curve_data(summary, "l2", "validation_accuracy").mean, atol=1e-6)
    # Loss, accuracy (two splits each) and gap; the log axis draws from the sources of the linear one.
    assert len(sources) == len(summary.variants) * 5


def test_epoch_axes_and_crosshairs_are_shared():
    charts = build_charts(study(epochs=5))
    ranges = [m for m in models(charts, "Range1d") if m["attributes"].get("end") == 5]
    assert len(ranges) == 1
    cursors = [m for m in models(charts, "Span") if "location" not in m["attributes"]]
    assert len(cursors) == 1


def test_renderers_say_what_they_are():
    charts = build_charts(study(variants=("baseline", "l2"), epochs=5))
    names = {m["attributes"].get("name") for m in models(charts, "GlyphRenderer")}
    assert {"v0-train", "v0-validation", "v1-gap", "v1-validation-band"} <= names


def test_no_name_can_end_the_script_element():
    charts = build_charts(hostile())
    assert "<" not in charts.document
    assert any("</script>" in str(m["attributes"].get("text")) for m in models(charts, "Label"))


@pytest.mark.parametrize("make", [running, diverged, lambda: study(variants=("baseline",), seeds=1, epochs=1)])
def test_odd_states_make_charts(make):
    assert "chart-loss" in build_charts(make()).roots


def test_a_study_without_runs_has_no_chart():
    assert build_charts(empty()).roots == {}


def test_the_library_is_small_and_can_stand_in_a_script_element():
    library = bokeh_library()
    assert "</script" not in library.lower()
    assert "<!--" not in library
    assert len(library) < 1_500_000
    for left_out in ("bokeh-widgets", "bokeh-tables", "bokeh-gl", "bokeh-mathjax"):
        assert f"/* {left_out}" not in library
