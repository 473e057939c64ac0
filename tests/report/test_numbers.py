from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from summaries import empty, study
from wellfit.base import HISTORY_COLUMNS, History
from wellfit.errors import UnknownNameError
from wellfit.report.numbers import (
    FEW,
    HIGHLIGHTED,
    Curve,
    curve_data,
    ends_early,
    find_variant,
    has_epochs,
    highlighted,
    interesting,
    last_epoch,
    mean_curve,
    of_variants,
    shown_first,
)


def with_losses(runs):
    """A study of one variant whose validation losses are these lists."""
    plain = study(variants=("baseline",), seeds=len(runs), epochs=3)
    histories = {
        seed: History({name: np.array(run, dtype=np.float64) for name in HISTORY_COLUMNS})
        for seed, run in enumerate(runs)
    }
    return replace(plain, histories={"baseline": histories})


def in_state(summary, state):
    """The study with all runs in this state."""
    variants = tuple(replace(v, runs=tuple(replace(run, state=state) for run in v.runs)) for v in summary.variants)
    return replace(summary, variants=variants)


def test_a_curve_is_mean_and_range():
    curve = curve_data(with_losses([[1.0, 0.5], [3.0, 0.7]]), "baseline", "validation_loss")
    np.testing.assert_array_equal(curve.epochs, [1, 2])
    np.testing.assert_allclose(curve.mean, [2.0, 0.6], rtol=1e-15)
    np.testing.assert_array_equal(curve.low, [1.0, 0.5])
    np.testing.assert_array_equal(curve.high, [3.0, 0.7])


def test_a_curve_ends_where_the_first_run_that_ended_does():
    summary = with_losses([[1.0, 2.0, 3.0], [3.0, 4.0], [5.0, 6.0, 7.0]])
    curve = curve_data(summary, "baseline", "validation_loss")
    np.testing.assert_array_equal(curve.n, [3, 3])
    np.testing.assert_array_equal(curve.mean, [3.0, 4.0])
    assert ends_early(summary)
    assert not ends_early(with_losses([[1.0, 2.0], [3.0, 4.0]]))


def test_a_curve_of_runs_that_still_train_has_no_cliff():
    summary = in_state(with_losses([[1.0, 2.0, 3.0], [3.0], [5.0, 6.0]]), "pending")
    curve = curve_data(summary, "baseline", "validation_loss")
    np.testing.assert_array_equal(curve.n, [2, 2])  # the runs that have come as far as half of them, to there
    np.testing.assert_array_equal(curve.mean, [3.0, 4.0])
    runs = with_losses([[1.0, 2.0, 3.0], [9.0], [5.0, 6.0, 7.0]]).variants[0].runs
    begun = replace(summary.variants[0], runs=(runs[0], replace(runs[1], state="pending"), runs[2]))
    mixed = replace(with_losses([[1.0, 2.0, 3.0], [9.0], [5.0, 6.0, 7.0]]), variants=(begun,))
    np.testing.assert_array_equal(curve_data(mixed, "baseline", "validation_loss").mean, [3.0, 4.0, 5.0])


def test_diverged_runs_are_part_of_no_mean_unless_there_are_no_others():
    summary = with_losses([[1.0, 2.0], [9.0]])
    runs = summary.variants[0].runs
    lost = replace(summary.variants[0], runs=(runs[0], replace(runs[1], state="diverged")))
    curve = curve_data(replace(summary, variants=(lost,)), "baseline", "validation_loss")
    np.testing.assert_array_equal(curve.mean, [1.0, 2.0])
    np.testing.assert_array_equal(curve.n, [1, 1])
    np.testing.assert_array_equal(
        curve_data(in_state(summary, "diverged"), "baseline", "validation_loss").mean, [5.0, 2.0]
    )


def test_a_diverged_run_leaves_the_curve_where_it_diverged():
    curve = curve_data(with_losses([[1.0, np.nan], [2.0, 2.0], [3.0, np.inf]]), "baseline", "validation_loss")
    np.testing.assert_array_equal(curve.n, [3, 1])
    np.testing.assert_array_equal(curve.mean, [2.0, 2.0])


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_every_epoch_of_a_curve_is_of_the_same_runs(lengths, ended):
    summary = with_losses([[float(n)] * n for n in lengths])
    (variant,) = summary.variants
    states = ["finished" if of else "pending" for of in ended[: len(lengths)]]
    runs = tuple(replace(run, state=state) for run, state in zip(variant.runs, states, strict=True))
    curve = curve_data(replace(summary, variants=(replace(variant, runs=runs),)), "baseline", "validation_loss")
    of_ended = [n for n, state in zip(lengths, states, strict=True) if state == "finished"]
    assert len(set(curve.n.tolist())) == 1
    assert curve.n[0] == sum(n >= len(curve.epochs) for n in lengths)
    if of_ended:
        assert len(curve.epochs) == min(of_ended)
    else:
        assert 2 * curve.n[0] >= len(lengths)  # half of the runs have come that far
        assert 2 * sum(n > len(curve.epochs) for n in lengths) < len(lengths) + 1


@given(st.lists(st.lists(st.floats(0.01, 10) | st.just(np.nan), min_size=1, max_size=6), min_size=1, max_size=5))
def test_curves_agree_with_pandas(runs):
    curve = mean_curve([np.array(run) for run in runs])
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


def test_the_last_epoch_is_that_of_the_variant_that_trains_longest() -> None:
    plain = study(variants=("baseline", "l2"), seeds=2, epochs=3)
    assert last_epoch(plain) == 3
    longer = replace(plain.variants[1], settings={"epochs": 8})
    assert last_epoch(replace(plain, variants=(plain.variants[0], longer))) == 8
    assert last_epoch(replace(with_losses([[1.0, 0.5, 0.4, 0.3], [3.0]]), epochs=2)) == 4


def many(count):
    """Variants whose mean validation accuracy rises with their position."""
    summary = study(variants=("baseline", "l2"), epochs=3)
    variants = tuple(
        replace(summary.variants[1], name=f"v{i}", mean={"validation_accuracy": 0.5 + 0.01 * i}) for i in range(count)
    )
    histories = {v.name: summary.histories["l2"] for v in variants}
    return replace(summary, variants=variants, histories=histories)


def test_a_few_variants_are_all_shown():
    assert shown_first(many(FEW)) == frozenset(range(FEW))


def test_of_many_the_first_and_the_five_best_on_validation_are_shown():
    assert shown_first(many(19)) == {0, 14, 15, 16, 17, 18}


def lines(*means):
    return [Curve(np.arange(1, len(m) + 1), np.array(m, float), *[np.full(len(m), np.nan)] * 2, np.ones(len(m), int))
            for m in means]  # fmt: skip


def test_the_first_epochs_do_not_stretch_the_axis():
    low, high = interesting(lines([50, 2, 1.0, 0.9, 0.8, 0.7], [60, 3, 1.2, 1.1, 1.05, 1.0]))
    assert 0.6 < low < 0.7
    assert 1.2 > high > 1.1


def test_the_ends_of_all_curves_are_on_the_axis():
    low, high = interesting(lines(*[[2, 1, 0.5 + 0.01 * at] for at in range(20)], [2, 2, 1.4]))
    assert low < 0.5
    assert high > 1.4


def test_a_curve_far_from_all_others_may_leave_the_axis():
    low, high = interesting(lines([1, 0.5, 0.4], [1, 0.6, 0.5], [1, 0.55, 0.45], [1e6, 1e6, 1e6]))
    assert (low > 0.3, high < 0.7) == (True, True)
    assert interesting(lines([1, 0.5, 0.5], [1, 0.5, 0.5]))[1] == pytest.approx(0.51)  # without any spread all count
    assert interesting(lines([1, -0.5, -0.4]))[0] < -0.5
    assert interesting([]) == (0.0, 1.0)


def test_the_first_and_the_best_are_highlighted_in_the_study_s_order():
    assert highlighted(many(HIGHLIGHTED)) == ("v0", "v1", "v2", "v3")
    assert highlighted(many(9)) == ("v0", "v6", "v7", "v8")


def test_a_study_has_epochs_once_a_run_has_one():
    assert has_epochs(study(variants=("baseline",), epochs=1))
    assert not has_epochs(empty())


def test_an_unknown_variant_or_column_is_refused():
    with pytest.raises(UnknownNameError, match="unknown variant 'dropuot' in study 'lab5'; did you mean 'dropout'"):
        find_variant(study(), "dropuot")
    with pytest.raises(UnknownNameError, match="unknown variant 'l3'"):
        curve_data(study(), "l3", "train_loss")
    with pytest.raises(UnknownNameError, match="unknown history column 'val_loss'"):
        curve_data(study(), "l2", "val_loss")


def test_what_is_known_of_variants_is_in_the_order_of_the_study():
    summary = study(variants=("baseline", "l2", "l1"), epochs=2)
    assert of_variants(summary, {"l1": 1.0, "baseline": 2.0}) == [(0, "baseline", 2.0), (2, "l1", 1.0)]
