from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from summaries import diverged, empty, study
from wellfit.base import Ranked
from wellfit.errors import UnknownNameError
from wellfit.report.subjects.ranking.numbers import IntervalRow, glance_axis, interval_rows, ranked_rows, score_axis


def rows_of(*means: float | None) -> list[IntervalRow]:
    return [IntervalRow(str(i), i, {} if m is None else {0: m}, m, None, None) for i, m in enumerate(means)]


def test_rows_have_every_variant_and_only_finite_runs():
    rows = interval_rows(diverged())
    assert [row.variant for row in rows] == ["baseline", "l2", "l1", "dropout"]
    assert sorted(rows[1].runs) == [0, 2, 4]
    assert (rows[2].runs, rows[2].mean, rows[2].interval) == ({}, None, None)
    assert rows[0].published == 0.8835
    assert rows[0].mean == pytest.approx(np.mean(list(rows[0].runs.values())))


def test_an_unknown_metric_is_refused():
    with pytest.raises(UnknownNameError, match="unknown metric 'test_loss'"):
        interval_rows(study(), "test_loss")


def test_the_ranking_sorts_by_mean_and_has_letters():
    rows = ranked_rows(replace(study(), ranking=(Ranked("dropout", 0.9, "a"), Ranked("l2 + dropout", 0.88, "ab"))))
    means = [row.mean for row in rows]
    assert means == sorted(means, reverse=True)
    letters = {row.variant: row.letters for row in rows}
    assert (letters["dropout"], letters["l2 + dropout"], letters["l1"]) == ("a", "ab", "")


def test_variants_without_a_result_are_ranked_last():
    assert [row.variant for row in ranked_rows(diverged())][-1] == "l1"
    assert [row.variant for row in ranked_rows(empty())] == ["baseline", "l2", "l1"]


def test_one_seed_gives_no_letters():
    alone = study(seeds=1, epochs=2)
    alone = replace(alone, comparisons=tuple(replace(c, p_value=None) for c in alone.comparisons))
    assert len(alone.ranking) == 6
    assert {row.letters for row in ranked_rows(alone)} == {""}


def test_without_a_mean_there_is_no_axis():
    assert score_axis(interval_rows(empty())) is None


def test_the_axis_holds_every_number():
    rows = interval_rows(study())
    axis = score_axis(rows)
    assert axis is not None
    values = [x for row in rows for x in row.values]
    assert axis.low < min(values)
    assert max(values) < axis.high
    assert axis.cut == 0


def test_a_mean_far_below_the_others_is_cut():
    axis = score_axis(rows_of(0.881, 0.883, 0.1, 0.882, 0.884, 0.88, None))
    assert axis is not None
    assert axis.cut == 1
    assert axis.low > 0.87


def test_what_reaches_beyond_a_mean_that_is_left_out_makes_room_for_its_row():
    rows = rows_of(0.947, 0.948, 0.948, 0.949, 0.949, 0.947, 0.937, 0.932, 0.6)
    rows[6] = replace(rows[6], runs={0: 0.921, 1: 0.953})  # inside; its seed reaches below the next one
    rows[7] = replace(rows[7], interval=(0.905, 0.959))
    axis = score_axis(rows)
    assert axis is not None
    assert axis.cut == 1  # the last one alone
    assert 0.88 < axis.low < 0.905


def test_the_first_screen_leaves_out_only_what_the_ranking_leaves_out():
    """The four that it shows are alone too few to tell what is far away."""
    summary = replace(study(), ranking=())
    rows = [row for row in ranked_rows(summary) if row.mean is not None]
    whole = score_axis(rows)
    assert whole is not None
    far = replace(rows[-1], mean=0.5, interval=None, runs={})
    axis = glance_axis(summary, [*rows[:2], rows[-1], far])
    assert axis is not None
    assert axis.cut == 1
    assert axis.shows(rows[-1].mean)
    assert whole.low <= axis.low < axis.high <= whole.high
    assert glance_axis(empty(), ()) is None


def test_one_mean_has_an_axis():
    axis = score_axis(rows_of(0.5))
    assert axis is not None
    assert axis.low < 0.5 < axis.high


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@example([0.0, 1.2e-38])
def test_ticks_are_round_and_inside(means):
    axis = score_axis(rows_of(*means))
    assert axis is not None
    assert 1 <= len(axis.ticks) <= 8
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    for tick, label in zip(axis.ticks, axis.labels, strict=True):
        assert float(label.replace("−", "-")) == pytest.approx(100 * tick, abs=1e-9)
        assert len(label) <= 8


def test_losses_far_above_the_others_are_cut():
    axis = score_axis(rows_of(0.31, 0.32, 2.5, 0.3, 0.33, 0.315, None), "test_log_loss")
    assert axis is not None
    assert axis.cut == 1
    assert axis.low < 0.3 < 0.33 < axis.high < 1
    assert [axis.shows(mean) for mean in (0.31, 2.5)] == [True, False]
    assert [float(label) for label in axis.labels] == pytest.approx(axis.ticks)


def test_the_lowest_loss_is_ranked_first():
    of_losses = replace(
        study(),
        metric="brier",
        ranking=(),
        variants=tuple(
            replace(
                v,
                mean={**v.mean, "test_brier": v.mean["test_loss"]},
                runs=tuple(replace(run, test_score=0.5) for run in v.runs),
            )
            for v in study().variants
        ),
    )
    rows = ranked_rows(of_losses)
    means = [row.mean for row in rows]
    assert means == sorted(means)
    assert all(set(row.runs.values()) == {0.5} for row in rows)
    assert interval_rows(of_losses, "test_accuracy")[0].mean == of_losses.variants[0].mean["test_accuracy"]


@pytest.mark.parametrize(("published", "shown"), [(0.87, True), (0.73, False), (0.99, False), (None, True)])
def test_a_published_value_far_from_what_was_measured_does_not_squeeze_the_axis(published, shown):
    rows = [replace(row, published=published) for row in rows_of(0.88, 0.89, 0.9)]
    axis = score_axis(rows)
    assert axis.shows(0.88)
    assert axis.shows(0.9)
    assert published is None or axis.shows(published) == shown
    assert axis.high - axis.low < 0.06
