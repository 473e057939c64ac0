from __future__ import annotations

import numpy as np

from detailed import NOTHING
from summaries import diverged, empty, study
from wellfit.report.numbers import curve_data
from wellfit.report.subjects.weights.interactive import charts


def test_the_norms_are_those_of_the_history():
    summary = study(variants=("baseline", "l2"), epochs=7)
    chart = charts(summary, NOTHING)["chart-norms"]
    (line,) = (r for r in chart.renderers if r.tags == ["v1-norm"])
    curve = curve_data(summary, "l2", "weight_norm")
    np.testing.assert_allclose(line.data_source.data["mean"], curve.mean, rtol=1e-6)  # single precision
    assert line.name == "l2"
    assert chart.x_range.end == 7


def test_a_variant_without_epochs_has_no_curve():
    summary = diverged()
    curves = {v.name for v in summary.variants if len(curve_data(summary, v.name, "weight_norm").epochs)}
    names = {r.name for r in charts(summary, NOTHING)["chart-norms"].renderers}
    assert names == curves


def test_before_the_first_epoch_there_is_no_chart():
    assert charts(empty(), NOTHING) == {}
