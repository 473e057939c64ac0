from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import watched
from detailed import NOTHING
from summaries import diverged, empty, running, study
from wellfit.report.numbers import curve_data
from wellfit.report.subjects.curves.interactive import CHARTS, LiveCharts, charts
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


def test_epoch_axes_and_the_line_at_the_pointer_are_shared():
    result = drawn(study(epochs=5))
    assert len({chart.x_range.id for chart in result.values()}) == 1
    assert result["chart-loss"].x_range.end == 5
    tools = [tool for chart in result.values() for tool in chart.tools if type(tool).__name__ == "CrosshairTool"]
    assert len({tool.overlay.id for tool in tools}) == 1


@pytest.mark.parametrize("make", [running, diverged, lambda: study(variants=("baseline",), seeds=1, epochs=1)])
def test_odd_states_have_charts(make):
    assert list(drawn(make())) == list(CHARTS)


def test_before_the_first_epoch_there_is_no_chart():
    assert drawn(empty()) == {}


# --- The live page -------------------------------------------------------------------------------------------------


def live_line(live: LiveCharts, chart: str, tag: str) -> Any:
    return line(live.charts[chart], tag)


def test_only_curves_that_are_shown_and_have_changed_are_sent(tmp_path: Path) -> None:
    from bokeh.document import Document

    with watched.at_work(tmp_path / "s") as store:
        live = LiveCharts(read_status(tmp_path / "s").summary, {0})  # before the first epoch
        document, sent = Document(), []
        for chart in live.charts.values():
            document.add_root(chart)
        document.on_change(sent.append)
        assert len(live_line(live, "chart-loss", "v0-validation").data_source.data["epoch"]) == 0
        watched.record_epochs(store, 3)
        summary = read_status(tmp_path / "s").summary
        live.update(summary)
        data = live_line(live, "chart-accuracy", "v0-validation").data_source.data
        curve = curve_data(summary, "baseline", "validation_accuracy")
        np.testing.assert_allclose(data["mean"], 100 * curve.mean, rtol=1e-6)
        np.testing.assert_array_equal(data["epoch"], [1, 2, 3])
        np.testing.assert_array_equal(data["tip"], [0, 0, 6])
        assert len(sent) == 8  # of the variant shown: two losses, two accuracies, a gap; and three placeholders
        live.update(summary)
        assert len(sent) == 8
        assert len(live_line(live, "chart-gap", "v1-gap").data_source.data["epoch"]) == 0
        live_line(live, "chart-gap", "v1-gap").visible = True
        live.update(summary)
        assert len(live_line(live, "chart-gap", "v1-gap").data_source.data["epoch"]) == 3
        live.update(summary, every=True)
        assert len(live_line(live, "chart-loss", "v1-train").data_source.data["epoch"]) == 3


def test_with_one_run_the_band_has_no_width(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.record_epochs(store, 2, (("l2", 0),))
        live = LiveCharts(read_status(tmp_path / "s").summary, {0, 1})
    data = live_line(live, "chart-loss", "v1-train").data_source.data
    np.testing.assert_array_equal(data["low"], data["mean"])
    np.testing.assert_array_equal(data["high"], data["mean"])
    assert data["mean"] == pytest.approx([1 / 2, 1 / 3])


def test_page_and_live_page_draw_the_same_curves():
    summary = study(variants=("baseline", "l2"), epochs=6)
    live, page = LiveCharts(summary, {0, 1}), drawn(summary)
    for name, chart in page.items():
        for renderer in chart.renderers:
            same = line(live.charts[name], renderer.tags[0])
            assert same.glyph.properties_with_values().keys() == renderer.glyph.properties_with_values().keys()
            for column in ("epoch", "mean", "low", "high"):
                np.testing.assert_array_equal(same.data_source.data[column], renderer.data_source.data[column])
