"""The charts of the live page: what is sent, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import watched
from wellfit.report.numbers import curve_data
from wellfit.report.subjects.curves.live import CHARTS, LiveCharts
from wellfit.study.status import read_status


def line(charts: LiveCharts, chart: str, what: str) -> Any:
    (found,) = (r for r in charts.charts[chart].renderers if r.tags == [what])
    return found


def test_curves_grow_and_only_what_is_shown_and_new_is_sent(tmp_path: Path) -> None:
    from bokeh.document import Document

    with watched.at_work(tmp_path / "s") as store:
        charts = LiveCharts(read_status(tmp_path / "s").summary, {0})  # before the first epoch
        document, sent = Document(), []
        for name in CHARTS:
            document.add_root(charts.charts[name])
        document.on_change(sent.append)
        assert len(line(charts, "loss", "v0-validation").data_source.data["epoch"]) == 0
        watched.tell(store, 3)
        summary = read_status(tmp_path / "s").summary
        charts.update(summary)
        data = line(charts, "accuracy", "v0-validation").data_source.data
        curve = curve_data(summary, "baseline", "validation_accuracy")
        np.testing.assert_allclose(data["mean"], 100 * curve.mean, rtol=1e-6)
        np.testing.assert_array_equal(data["epoch"], [1, 2, 3])
        np.testing.assert_array_equal(data["tip"], [0, 0, 6])
        assert len(sent) == 8  # of the variant that is shown: two losses, two accuracies, a gap; and three empty charts
        charts.update(summary)
        assert len(sent) == 8
        assert len(line(charts, "gap", "v1-gap").data_source.data["epoch"]) == 0
        line(charts, "gap", "v1-gap").visible = True
        charts.update(summary)
        assert len(line(charts, "gap", "v1-gap").data_source.data["epoch"]) == 3
        charts.update(summary, every=True)
        assert len(line(charts, "loss", "v1-train").data_source.data["epoch"]) == 3


def test_one_run_has_a_band_of_no_width(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.tell(store, 2, (("l2", 0),))
        charts = LiveCharts(read_status(tmp_path / "s").summary, {0, 1})
    data = line(charts, "loss", "v1-train").data_source.data
    np.testing.assert_array_equal(data["low"], data["mean"])
    np.testing.assert_array_equal(data["high"], data["mean"])
    assert data["mean"] == pytest.approx([1 / 2, 1 / 3])
