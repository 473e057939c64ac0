from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import watched
from detailed import NOTHING
from summaries import diverged, empty, running, study
from wellfit.report.numbers import curve_data
from wellfit.report.subjects.curves.interactive import CHARTS, charts, live_charts, live_columns
from wellfit.study.status import read_status


def drawn(summary):
    return charts(summary, NOTHING)


def line(chart: Any, tag: str) -> Any:
    (renderer,) = (r for r in chart.renderers if r.tags == [tag] and type(r.glyph).__name__ != "Scatter")
    return renderer


def test_there_is_a_chart_for_every_place_of_the_page():
    places = ["chart-loss", "chart-log-loss", "chart-accuracy", "chart-gap"]
    assert list(drawn(study(epochs=5))) == list(CHARTS) == places


def test_curves_hold_the_numbers_of_the_static_figures():
    summary = study(epochs=12)
    result = drawn(summary)
    for metric, factor in (("loss", 1), ("accuracy", 100)):
        for split in ("train", "validation"):
            data = line(result[f"chart-{metric}"], f"v1-{split}").data_source.data
            curve = curve_data(summary, "l2", f"{split}_{metric}")
            np.testing.assert_allclose(data["mean"], factor * curve.mean, rtol=1e-6)  # single precision


def test_both_loss_charts_have_the_same_renderers():
    result = drawn(study(variants=("baseline", "l2"), epochs=5))
    assert result["chart-log-loss"].renderers == result["chart-loss"].renderers
    tags = [r.tags[0] for name in ("chart-loss", "chart-gap") for r in result[name].renderers]
    assert sorted(tags) == sorted(
        f"v{v}-{what}{band}" for v in (0, 1) for what in ("gap", "train", "validation") for band in ("", "-band")
    )


def test_stopped_runs_are_marked_where_they_are_read():
    summary = study(variants=("baseline", "early-stopping"), epochs=20)
    result = drawn(summary)
    runs = summary.variants[1].runs
    for chart in ("chart-loss", "chart-accuracy"):
        (mark,) = (r for r in result[chart].renderers if r.tags == ["v1-stop"])
        data = mark.data_source.data
        assert data["epoch"] == [run.readout_epoch for run in runs]
        metric = chart.removeprefix("chart-")
        histories = summary.histories["early-stopping"]
        values = [histories[run.seed][f"validation_{metric}"][run.readout_epoch - 1] for run in runs]
        np.testing.assert_allclose(data["mean"], np.multiply(100 if metric == "accuracy" else 1, values))
    assert not [r for r in result["chart-gap"].renderers if r.tags == ["v1-stop"]]


def test_epoch_axes_are_shared():
    result = drawn(study(epochs=5))
    assert len({chart.x_range.id for chart in result.values()}) == 1
    assert result["chart-loss"].x_range.end == 5


def test_a_variant_has_the_color_of_its_name():
    result = drawn(study(variants=("dropout", "baseline"), epochs=5))
    assert [line(result["chart-gap"], f"v{v}-gap").glyph.tags for v in (0, 1)] == [["s3"], ["s0"]]


@pytest.mark.parametrize("make", [running, diverged, lambda: study(variants=("baseline",), seeds=1, epochs=1)])
def test_odd_states_have_charts(make):
    assert list(drawn(make())) == list(CHARTS)


def test_before_the_first_epoch_there_is_no_chart():
    assert drawn(empty()) == {}


# --- The live page -------------------------------------------------------------------------------------------------


def test_live_charts_have_a_renderer_for_every_curve_before_the_first_epoch(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        before = live_charts(read_status(tmp_path / "s").summary)
        assert len(line(before["chart-loss"], "v0-validation").data_source.data["epoch"]) == 0
        watched.record_epochs(store, 3)
        after = live_charts(read_status(tmp_path / "s").summary)
        assert len(line(after["chart-loss"], "v0-validation").data_source.data["epoch"]) == 3
        assert [r.tags for r in before["chart-gap"].renderers] == [r.tags for r in after["chart-gap"].renderers]


def test_the_data_sent_are_those_of_the_charts(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.record_epochs(store, 3)
        summary = read_status(tmp_path / "s").summary
    live, sent = live_charts(summary), live_columns(summary, 1)
    splits = [f"chart-{metric} v1-{split}" for metric in ("loss", "accuracy") for split in ("train", "validation")]
    assert sorted(sent) == sorted([*splits, "chart-gap v1-gap"])
    for name, columns in sent.items():
        chart, tag = name.split()
        data = line(live[chart], tag).data_source.data
        assert columns.keys() - {"mark"} == data.keys()
        for column in data:
            np.testing.assert_allclose(columns[column], data[column], rtol=1e-5)  # six digits
    curve = curve_data(summary, "l2", "validation_accuracy")
    np.testing.assert_allclose(sent["chart-accuracy v1-validation"]["mean"], 100 * curve.mean, rtol=1e-5)
    assert sent["chart-accuracy v1-validation"]["tip"] == [0, 0, 6]


def test_with_one_run_the_band_has_no_width(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.record_epochs(store, 2, (("l2", 0),))
        live = live_charts(read_status(tmp_path / "s").summary)
    data = line(live["chart-loss"], "v1-train").data_source.data
    np.testing.assert_array_equal(data["low"], data["mean"])
    np.testing.assert_array_equal(data["high"], data["mean"])
    assert data["mean"] == pytest.approx([1 / 2, 1 / 3])


def test_page_and_live_page_draw_the_same_curves():
    summary = study(variants=("baseline", "l2"), epochs=6)
    live, page = live_charts(summary), drawn(summary)
    for name, chart in page.items():
        for renderer in chart.renderers:
            same = line(live[name], renderer.tags[0])
            assert same.glyph.properties_with_values().keys() == renderer.glyph.properties_with_values().keys()
            for column in ("epoch", "mean", "low", "high"):
                np.testing.assert_array_equal(same.data_source.data[column], renderer.data_source.data[column])
