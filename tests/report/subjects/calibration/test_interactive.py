from __future__ import annotations

import numpy as np

from detailed import NOTHING, details
from summaries import study
from wellfit.report.subjects.calibration.interactive import charts


def test_a_reliability_line_joins_only_bins_with_enough_predictions():
    summary = study(variants=("baseline",), epochs=3)
    shown = details(summary)
    chart = charts(summary, shown)["chart-reliability"]
    sources = {renderer.tags[0]: renderer.data_source.data for renderer in chart.renderers}
    counts = shown.calibration["baseline"].count
    assert len(sources["v0-reliability-points"]["sure"]) == len(counts)
    firm = counts / counts.sum() >= 0.005
    np.testing.assert_array_equal(sources["v0-reliability"]["sure"], sources["v0-reliability-points"]["sure"][firm])


def test_without_a_test_result_there_is_no_chart():
    assert charts(study(variants=("baseline",)), NOTHING) == {}
