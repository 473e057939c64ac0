"""The noise of learning curves, and what smoothing does to it."""

import numpy as np
import pytest

from wellfit.analysis.smoothing import ALPHA, final_level, half_window, noise_bound, noise_quantile, noise_sd, smooth


def test_noise_is_measured_on_the_smoothed_curve():
    rng = np.random.default_rng(0)
    assert noise_sd(rng.normal(size=(400, 9))) * 3**0.5 == pytest.approx(1, abs=0.25)  # few differences overestimate it
    assert noise_sd(rng.normal(size=(400, 39))) * 3**0.5 == pytest.approx(1, abs=0.1)


def test_smoothing_keeps_constants_and_straight_lines():
    assert smooth(np.ones((2, 50))) == pytest.approx(np.ones((2, 50)))
    assert smooth(np.arange(9.0))[1:-1] == pytest.approx(np.arange(1.0, 8.0))


def test_the_window_grows_with_the_epochs():
    assert [half_window(epochs) for epochs in (5, 39, 40, 80)] == [1, 1, 2, 3]


def test_the_final_level_ignores_one_outlier():
    assert final_level(np.array([1.0, 2.0, 9.0])) == 2.0
    assert final_level(np.array([1.0, 2.0, 9.0, 0.0]), 3) == 2.0


def test_more_tests_need_a_larger_quantile():
    assert noise_quantile(5, 30, 1) < noise_quantile(5, 30, 10)
    assert noise_quantile(1, 5, 1) > noise_quantile(5, 100, 1)


def test_noise_alone_seldom_exceeds_its_bound():
    rng = np.random.default_rng(1)
    exceeded = 0
    for _ in range(1000):
        curves = rng.normal(size=(3, 30))
        change = (final_level(curves) - smooth(curves)[:, 10]).mean()
        exceeded += change > noise_bound(curves)
    assert exceeded / 1000 <= ALPHA + 0.01  # three Monte Carlo standard errors
