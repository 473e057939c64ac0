"""Schedules against Keras's and optax's, and every refusal."""

from __future__ import annotations

import keras
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.base import Schedule
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.nn.schedules import SCHEDULES, multipliers

TOLERANCE = 2e-6  # the oracles compute in float32


def of(oracle: object, steps: int) -> np.ndarray:
    """An oracle's rate at every step."""
    return np.array([float(oracle(step)) for step in range(steps)])  # type: ignore[operator]


def test_constant_is_one() -> None:
    assert multipliers(Schedule(), 5).tolist() == [1.0] * 5
    assert multipliers(Schedule(), 5).dtype == np.float64


@pytest.mark.parametrize("factor", [None, 0.05])
def test_cosine_is_keras_cosine_decay(factor: float | None) -> None:
    oracle = keras.optimizers.schedules.CosineDecay(1.0, 50, alpha=factor or 0.0)
    np.testing.assert_allclose(multipliers(Schedule("cosine", factor=factor), 50), of(oracle, 50), atol=TOLERANCE)


def test_cosine_after_warmup_is_keras_and_optax() -> None:
    ours = multipliers(Schedule("cosine", warmup=0.2, factor=0.1), 50)
    kerases = keras.optimizers.schedules.CosineDecay(1 / 11, 40, alpha=0.1, warmup_target=1.0, warmup_steps=10)
    optaxs = optax.schedules.warmup_cosine_decay_schedule(1 / 11, 1.0, 10, 50, end_value=0.1)
    np.testing.assert_allclose(ours, of(kerases, 50), atol=TOLERANCE)
    np.testing.assert_allclose(ours, of(optaxs, 50), atol=TOLERANCE)


def test_exponential_is_keras_exponential_decay() -> None:
    for factor, rate in ((None, 0.1), (0.01, 0.01)):
        oracle = keras.optimizers.schedules.ExponentialDecay(1.0, 40, rate)
        np.testing.assert_allclose(
            multipliers(Schedule("exponential", factor=factor), 40), of(oracle, 40), atol=TOLERANCE
        )


def test_step_is_keras_piecewise_constant_decay() -> None:
    oracle = keras.optimizers.schedules.PiecewiseConstantDecay(
        [29, 59], [1.0, 0.1, 0.01]
    )  # a boundary is the last step
    np.testing.assert_allclose(multipliers(Schedule("step"), 90), of(oracle, 90), atol=TOLERANCE)


@given(st.integers(1, 20), st.integers(1, 50))
def test_step_drops_once_in_every_share(drops: int, each: int) -> None:
    expected = np.repeat(0.5 ** np.arange(drops), each)
    np.testing.assert_allclose(multipliers(Schedule("step", every=1 / drops, factor=0.5), drops * each), expected)


def test_step_of_a_third_drops_twice_where_steps_are_no_multiple() -> None:
    drops = np.flatnonzero(np.diff(multipliers(Schedule("step"), 100))) + 1
    assert drops.tolist() == [34, 67]


def test_warmup_is_optax_warmup_constant() -> None:
    oracle = optax.schedules.warmup_constant_schedule(1 / 5, 1.0, 4)
    np.testing.assert_allclose(multipliers(Schedule("warmup"), 40), of(oracle, 40), atol=TOLERANCE)
    np.testing.assert_allclose(multipliers(Schedule("constant", warmup=0.1), 40), of(oracle, 40), atol=TOLERANCE)


def test_one_cycle_is_optax_onecycle() -> None:
    oracle = optax.schedules.cosine_onecycle_schedule(100, 1.0)  # its defaults: 0.3, 25, 1e4
    np.testing.assert_allclose(multipliers(Schedule("one-cycle"), 100), of(oracle, 100), atol=TOLERANCE)
    oracle = optax.schedules.cosine_onecycle_schedule(80, 1.0, 0.25, 10.0, 100.0)
    ours = multipliers(Schedule("one-cycle", peak=0.25, div=10.0, final_div=100.0), 80)
    np.testing.assert_allclose(ours, of(oracle, 80), atol=TOLERANCE)


def test_warmup_leads_to_where_the_kind_begins() -> None:
    cycle = multipliers(Schedule("one-cycle", warmup=0.2), 50)
    np.testing.assert_allclose(cycle[:11], np.arange(1, 12) / 11 / 25)
    np.testing.assert_allclose(cycle[10:], multipliers(Schedule("one-cycle"), 40))


@given(st.sampled_from(SCHEDULES), st.integers(0, 200), st.sampled_from([None, 0.0, 0.3, 1.0]))
def test_every_kind_gives_a_share_for_every_step(kind: str, steps: int, warmup: float | None) -> None:
    values = multipliers(Schedule(kind, warmup=warmup), steps)
    assert values.shape == (steps,)
    assert values.dtype == np.float64
    assert ((values >= 0) & (values <= 1)).all()
    assert (values[:1] > 0).all()  # the first step is not wasted


@pytest.mark.parametrize("peak", [0.0, 1.0])
def test_one_cycle_may_only_fall_or_only_rise(peak: float) -> None:
    values = multipliers(Schedule("one-cycle", peak=peak), 20)
    assert (np.diff(values) > 0).all() if peak else (np.diff(values) < 0).all()
    assert values[0] == pytest.approx(1 / 25 if peak else 1)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown schedule 'cosin'; did you mean 'cosine'"):
        multipliers(Schedule("cosin"), 10)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Schedule("cosine", warmup=1.5), "warmup = 1.5 is out of range; use a number from 0 to 1"),
        (Schedule("cosine", factor=-0.1), "factor = -0.1 is out of range; use a number from 0 to 1"),
        (Schedule("step", every=float("nan")), "every = nan is out of range; use a number from 0 to 1"),
        (Schedule("step", every=0.0), "every = 0 leaves no step between drops; use a number above 0"),
        (Schedule("one-cycle", peak=2.0), "peak = 2 is out of range; use a number from 0 to 1"),
        (Schedule("one-cycle", div=0.5), "div = 0.5 is out of range; use a finite number of at least 1"),
        (
            Schedule("one-cycle", final_div=float("inf")),
            "final_div = inf is out of range; use a finite number of at least 1",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_line(schedule: Schedule, message: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        multipliers(schedule, 10)
    assert str(caught.value) == f"schedule {schedule.kind!r}: {message}"


def test_setting_of_another_kind_is_refused() -> None:
    with pytest.raises(StudyFileError) as caught:
        multipliers(Schedule("cosine", peak=0.3), 10)
    assert str(caught.value) == "schedule 'cosine' has no setting 'peak'; remove it, or use one of: warmup, factor"
