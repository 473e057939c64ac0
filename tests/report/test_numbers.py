from __future__ import annotations

import statistics
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from summaries import diverged, empty, study
from wellfit.base import HISTORY_COLUMNS, History, Ranked
from wellfit.errors import UnknownNameError
from wellfit.report.numbers import (
    curve_data,
    find_variant,
    gap_data,
    interval_data,
    last_epoch,
    median_epochs,
    ranked_intervals,
)


def with_losses(runs):
    """A study of one variant whose validation losses are these lists."""
    plain = study(variants=("baseline",), seeds=len(runs), epochs=3)
    histories = {
        seed: History({name: np.array(run, dtype=np.float64) for name in HISTORY_COLUMNS})
        for seed, run in enumerate(runs)
    }
    return replace(plain, histories={"baseline": histories})


def test_a_curve_is_mean_and_range():
    curve = curve_data(with_losses([[1.0, 0.5], [3.0, 0.7]]), "baseline", "validation_loss")
    np.testing.assert_array_equal(curve.epochs, [1, 2])
    np.testing.assert_allclose(curve.mean, [2.0, 0.6], rtol=1e-15)
    np.testing.assert_array_equal(curve.low, [1.0, 0.5])
    np.testing.assert_array_equal(curve.high, [3.0, 0.7])


def test_a_curve_speaks_of_the_runs_still_going():
    curve = curve_data(with_losses([[1.0, 2.0, 3.0], [3.0], [5.0, 6.0]]), "baseline", "validation_loss")
    np.testing.assert_array_equal(curve.n, [3, 2, 1])
    np.testing.assert_array_equal(curve.mean, [3.0, 4.0, 3.0])
    assert np.isnan(curve.low[2])  # no band where one run is left
    assert np.isnan(curve.high[2])


def test_a_diverged_run_leaves_the_curve_where_it_diverged():
    curve = curve_data(with_losses([[1.0, np.nan], [2.0, 2.0], [3.0, np.inf]]), "baseline", "validation_loss")
    np.testing.assert_array_equal(curve.n, [3, 1])
    np.testing.assert_array_equal(curve.mean, [2.0, 2.0])


@given(st.lists(st.lists(st.floats(0.01, 10) | st.just(np.nan), min_size=1, max_size=6), min_size=1, max_size=5))
def test_curves_agree_with_pandas(runs):
    curve = curve_data(with_losses(runs), "baseline", "validation_loss")
    table = pd.DataFrame([pd.Series(run, dtype=float) for run in runs])
    table = table.loc[:, table.notna().any()]
    np.testing.assert_array_equal(curve.epochs, table.columns.to_numpy() + 1)
    np.testing.assert_allclose(curve.mean, table.mean().to_numpy(), rtol=1e-12)
    np.testing.assert_array_equal(curve.n, table.count().to_numpy())
    many = table.count().to_numpy() >= 2
    np.testing.assert_array_equal(curve.low[many], table.min().to_numpy()[many])
    np.testing.assert_array_equal(curve.high[many], table.max().to_numpy()[many])


def test_no_run_no_curve():
    curve = curve_data(empty(), "baseline", "train_loss")
    assert len(curve.epochs) == len(curve.mean) == len(curve.low) == 0


def test_the_gap_is_paired_within_runs():
    summary = study(variants=("baseline",), seeds=3, epochs=10)
    runs = summary.histories["baseline"].values()
    wanted = np.array([h["train_accuracy"] - h["validation_accuracy"] for h in runs])
    gap = gap_data(summary, "baseline")
    np.testing.assert_allclose(gap.mean, wanted.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(gap.high, wanted.max(axis=0), rtol=1e-12)


def test_intervals_hold_every_variant_and_only_real_runs():
    rows = interval_data(diverged())
    assert [row.variant for row in rows] == ["baseline", "l2", "l1", "dropout"]
    assert sorted(rows[1].runs) == [0, 2, 4]
    assert (rows[2].runs, rows[2].mean, rows[2].interval) == ({}, None, None)
    assert rows[0].published == 0.8835
    assert rows[0].mean == pytest.approx(np.mean(list(rows[0].runs.values())))


@pytest.mark.parametrize("ask", [find_variant, gap_data])
def test_an_unknown_variant_is_refused(ask):
    with pytest.raises(UnknownNameError, match="unknown variant 'dropuot' in study 'lab5'; did you mean 'dropout'"):
        ask(study(), "dropuot")


def test_an_unknown_column_or_metric_is_refused():
    with pytest.raises(UnknownNameError, match="unknown history column 'val_loss'"):
        curve_data(study(), "l2", "val_loss")
    with pytest.raises(UnknownNameError, match="unknown metric 'test_loss'"):
        interval_data(study(), "test_loss")


def test_the_ranking_sorts_by_mean_and_carries_its_letters():
    summary = replace(study(), ranking=(Ranked("dropout", 0.9, "a"), Ranked("l2 + dropout", 0.88, "ab")))
    rows = ranked_intervals(summary)
    means = [row.mean for row, _ in rows]
    assert means == sorted(means, reverse=True)
    letters = {row.variant: told for row, told in rows}
    assert (letters["dropout"], letters["l2 + dropout"], letters["l1"]) == ("a", "ab", "")


def test_what_has_no_result_is_ranked_last():
    assert [row.variant for row, _ in ranked_intervals(diverged())][-1] == "l1"
    assert [row.variant for row, _ in ranked_intervals(empty())] == ["baseline", "l2", "l1"]


def test_the_median_epochs_are_those_of_the_runs():
    summary = study()
    runs = {v.name: v.runs for v in summary.variants}
    for name in ("baseline", "early-stopping"):
        best, read = median_epochs(summary, name)
        assert best == statistics.median(run.best_epoch for run in runs[name])
        assert read == statistics.median(run.readout_epoch for run in runs[name])
    assert median_epochs(empty(), "l2") == (None, None)
    with pytest.raises(UnknownNameError, match="unknown variant 'l3'"):
        median_epochs(summary, "l3")


def test_the_last_epoch_is_that_of_the_variant_that_trains_longest() -> None:
    plain = study(variants=("baseline", "l2"), seeds=2, epochs=3)
    assert last_epoch(plain) == 3
    longer = replace(plain.variants[1], settings={"epochs": 8})
    assert last_epoch(replace(plain, variants=(plain.variants[0], longer))) == 8
    assert last_epoch(replace(with_losses([[1.0, 0.5, 0.4, 0.3], [3.0]]), epochs=2)) == 4
