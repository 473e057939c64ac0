"""Turning points and falls: false alarms and power, by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis.curves import best_epoch, lowest_epochs, relative_fall, rise_after_minimum, stacked
from wellfit.analysis.smoothing import final_level
from wellfit.base import History

E = np.arange(1, 21)
CONVERGED = 0.4 + 0.5 * np.exp(-E / 2)
RISING = 0.4 + 0.4 * np.exp(-E) + 0.01 * np.maximum(E - 8, 0)
FALLING = 1.0 - 0.03 * E


def run(loss):
    return History({"validation_loss": np.asarray(loss, dtype=float)})


def onset(loss):
    """The epoch after which one run's loss rises for good, counting finite losses; None if it does not."""
    losses = stacked([run(loss)], "validation_loss")  # (1, E)
    found = rise_after_minimum(losses)
    return int(lowest_epochs(losses)[0]) if found is not None and found.real else None


def test_best_epoch_is_the_first_of_the_lowest_and_passes_over_nan():
    assert best_epoch(run([0.5, np.nan, 0.3, 0.3, np.inf])) == 3
    assert best_epoch(run([np.nan, -np.inf])) is None
    assert best_epoch(run([])) is None


def test_onset_is_found_where_the_loss_begins_to_rise():
    assert onset(RISING) == pytest.approx(8, abs=1)  # smoothing may move a corner by an epoch
    noisy = RISING + np.random.default_rng(0).normal(size=20) * 0.002
    assert onset(noisy) == pytest.approx(8, abs=2)


@pytest.mark.parametrize("loss", [CONVERGED, FALLING, [0.9, 0.5, 0.6, 0.7], [np.nan] * 9, 0.4 + 0 * E, 0.4 + 1e-4 * E])
def test_no_onset_without_a_real_rise(loss):
    assert onset(loss) is None


@pytest.mark.parametrize("where", [2, 19])
def test_a_single_leap_neither_hides_a_rise_nor_makes_one(where):
    leap = np.zeros(20)
    leap[where] = 5.0
    assert onset(RISING + leap) is not None
    assert onset(CONVERGED + leap) is None


@given(st.lists(st.floats(0.1, 5) | st.just(np.nan), max_size=30))
@settings(max_examples=60, deadline=None)
def test_onset_is_an_epoch_with_a_loss_or_none(loss):
    found = onset(loss)
    assert found is None or 1 <= found <= np.isfinite(loss).sum()


@pytest.mark.parametrize(("seeds", "variants", "epochs"), [(1, 1, 10), (1, 5, 30), (3, 1, 30), (5, 1, 8), (5, 5, 30)])
def test_noisy_plateaus_are_seldom_called_overfitting(seeds, variants, epochs):
    rng = np.random.default_rng(epochs + seeds)
    start = np.exp(-np.arange(epochs))

    def study():
        losses = 0.5 + start + 0.02 * rng.normal(size=(variants, seeds, epochs)) + 0.01 * rng.normal(size=(seeds, 1))
        return [bool(rise_after_minimum(each, tests=variants).real) for each in losses], [
            relative_fall(e, variants) for e in losses
        ]

    studies = [study() for _ in range(200)]
    # 0 to 3 % were measured; of 200 studies with 3 %, more than 13 would turn in one of 1000 tests
    assert sum(any(turned) for turned, _ in studies) <= 13
    if epochs >= 10:
        assert sum(any(f is not None for f in fell) for _, fell in studies) <= 13


def test_correlated_noise_is_seldom_called_overfitting():
    rng = np.random.default_rng(5)

    def wandering():
        steps, curve = rng.normal(size=(5, 31)), np.zeros((5, 31))
        for epoch in range(1, 31):
            curve[:, epoch] = 0.5 * curve[:, epoch - 1] + steps[:, epoch]
        return 0.5 + 0.02 * curve[:, 1:]

    assert sum(rise_after_minimum(wandering()).real for _ in range(200)) <= 24  # 3 to 7 % were measured


@pytest.mark.parametrize(("seeds", "epochs", "spread"), [(2, 30, 0.005), (3, 12, 0.01), (5, 20, 0.02), (5, 60, 0.02)])
def test_smooth_u_shapes_are_called_overfitting(seeds, epochs, spread):
    rng, e = np.random.default_rng(seeds), np.arange(1, epochs + 1)
    turn = epochs / 3
    curve = 0.35 + 0.4 * np.exp(-e / (turn / 3)) + 0.15 * np.maximum(0, (e - turn) / epochs)
    found = [rise_after_minimum(curve + spread * rng.normal(size=(seeds, epochs)), tests=5).real for _ in range(60)]
    assert np.mean(found) >= 0.9


def test_a_change_is_told_with_each_run_and_an_interval_over_them():
    losses = np.stack([RISING, RISING + 0.05, RISING + 0.01 * E / 20])
    found = rise_after_minimum(losses)
    assert found.real
    assert found.per_run.shape == (3,)
    assert found.mean == pytest.approx(found.per_run.mean())
    assert found.half_width == pytest.approx(4.303 * found.per_run.std(ddof=1) / 3**0.5, rel=1e-3)  # t(2) at 97.5 %
    assert rise_after_minimum(RISING[None]).half_width == np.inf
    assert rise_after_minimum(losses[:, :4]) is None
    up = rise_after_minimum(losses, np.broadcast_to(np.linspace(0.5, 0.69, 20), (3, 20)))
    assert up.mean == pytest.approx(0.01 * (19 - 8), abs=0.02)  # level of the last three is one epoch back


def test_one_run_in_five_that_rises_is_not_all_of_them():
    assert not rise_after_minimum(np.stack([RISING + 0.1, *[CONVERGED] * 4])).real


def test_falling_needs_runs_that_agree_and_a_lowest_end():
    assert relative_fall(np.stack([FALLING] * 3)) == pytest.approx(0.03 * 4 / final_level(FALLING), rel=1e-6)
    assert relative_fall(np.stack([RISING] * 3)) is None
    assert relative_fall(np.stack([FALLING, CONVERGED, CONVERGED])) is None
    assert relative_fall(np.array([[0.9]])) is None
    assert relative_fall(np.array([[0.9, 0.7], [0.8, 0.6]])) == pytest.approx(0.2 / 0.65)
    assert relative_fall(np.array([[0.9, 0.7], [0.6, 0.8]])) is None


def test_stacked_cuts_to_the_shortest_and_drops_infinite_epochs():
    runs = [run([3, 2, np.inf, 1]), run([1, 1, 1])]
    assert stacked(runs, "validation_loss").tolist() == [[3, 2], [1, 1]]


def test_the_lowest_epoch_is_that_of_each_run():
    assert lowest_epochs(np.stack([RISING, FALLING])).tolist() == [pytest.approx(8, abs=1), 20]
