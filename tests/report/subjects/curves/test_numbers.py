from __future__ import annotations

import statistics

import numpy as np
import pytest

from summaries import empty, study
from wellfit.errors import UnknownNameError
from wellfit.report.numbers import curve_data, scale
from wellfit.report.subjects.curves.numbers import FOOT, best_epochs, epoch_mark, gap_data, stopped_at, value_limits


def test_the_gap_is_paired_within_runs():
    summary = study(variants=("baseline",), seeds=3, epochs=10)
    runs = summary.histories["baseline"].values()
    gaps = np.array([h["train_accuracy"] - h["validation_accuracy"] for h in runs])
    gap = gap_data(summary, "baseline")
    np.testing.assert_allclose(gap.mean, gaps.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(gap.high, gaps.max(axis=0), rtol=1e-12)


def test_a_variant_is_marked_at_its_median_epoch():
    summary = study()
    runs = {v.name: v.runs for v in summary.variants}
    best = statistics.median(run.best_epoch for run in runs["baseline"])
    assert epoch_mark(summary, "baseline") == (best, f"lowest loss at epoch {best:g}")
    read = statistics.median(run.readout_epoch for run in runs["early-stopping"])
    assert epoch_mark(summary, "early-stopping") == (read, f"read at epoch {read:g}")
    assert epoch_mark(empty(), "l2") is None


def test_stopped_runs_have_their_readout_epoch():
    summary = study()
    runs = summary.variants[-1].runs
    assert stopped_at(summary, "early-stopping") == {run.seed: run.readout_epoch for run in runs}
    assert stopped_at(summary, "baseline") == {}


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_the_limits_hold_the_ends_of_all_curves(metric):
    summary = study(epochs=6)
    low, high = value_limits(summary, metric)
    factor, _ = scale(metric)
    means = [factor * curve_data(summary, v.name, f"{s}_{metric}").mean[-1]
             for v in summary.variants for s in ("train", "validation")]  # fmt: skip
    assert low < min(means)
    assert max(means) < high


@pytest.mark.parametrize("ask", [gap_data, best_epochs, stopped_at, epoch_mark])
def test_an_unknown_variant_is_refused(ask):
    with pytest.raises(UnknownNameError, match="unknown variant 'dropuot' in study 'lab5'; did you mean 'dropout'"):
        ask(study(), "dropuot")


def test_an_unknown_metric_is_refused():
    with pytest.raises(UnknownNameError, match="unknown metric 'accuracies'; did you mean 'accuracy'"):
        scale("accuracies")


def test_limits_where_no_run_finished_an_epoch():
    assert value_limits(empty(), "loss") == (-FOOT, 1.0)
