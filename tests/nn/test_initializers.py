"""Initializers: the variance, the bounds and the truncation that Keras's formulas give."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy import stats

from wellfit.errors import UnknownNameError
from wellfit.nn.initializers import INITIALIZERS, draw_kernel, fans

# 60,000 numbers and more: their standard deviation is known to 0.3 %, so that 1.5 % is five standard errors
SHAPES = [(300, 200), (5, 5, 30, 80)]
KERAS = {
    "glorot_uniform": keras.initializers.GlorotUniform,
    "glorot_normal": keras.initializers.GlorotNormal,
    "he_uniform": keras.initializers.HeUniform,
    "he_normal": keras.initializers.HeNormal,
    "lecun_uniform": keras.initializers.LecunUniform,
    "lecun_normal": keras.initializers.LecunNormal,
    "random_uniform": keras.initializers.RandomUniform,
    "random_normal": keras.initializers.RandomNormal,
    "truncated_normal": keras.initializers.TruncatedNormal,
    "zeros": keras.initializers.Zeros,
}
SCALED = INITIALIZERS[:6]  # by the shape of the kernel


def variance(name: str, shape: tuple[int, ...]) -> float:
    """The formulas of the papers, written out."""
    field = 25 if len(shape) == 4 else 1
    fan_in, fan_out = field * shape[-2], field * shape[-1]
    return {"glorot": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in}[name.split("_", maxsplit=1)[0]]


def test_fans_count_the_positions_of_a_convolution() -> None:
    assert fans((7, 3)) == (7, 3)
    assert fans((5, 5, 6, 16)) == (150, 400)


def test_every_initializer_has_an_oracle() -> None:
    assert set(INITIALIZERS) == set(KERAS)


@pytest.mark.parametrize("shape", SHAPES, ids=["dense", "conv2d"])
@pytest.mark.parametrize("name", SCALED)
def test_mean_and_variance_are_those_of_the_formula(name: str, shape: tuple[int, ...]) -> None:
    kernel = draw_kernel(name, np.random.default_rng(0), shape)
    deviation = variance(name, shape) ** 0.5
    assert kernel.shape == shape
    assert kernel.dtype == np.float32
    assert kernel.std() == pytest.approx(deviation, rel=0.015)
    assert abs(kernel.mean()) < 5 * deviation / kernel.size**0.5


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name != "zeros"])
def test_the_distribution_is_keras_own(name: str) -> None:
    ours = draw_kernel(name, np.random.default_rng(1), (200, 100)).ravel()
    theirs = np.asarray(KERAS[name](seed=1)((200, 100))).ravel()
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3
    if name != "random_normal":
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=2e-3)  # both reach their common bound


def test_a_spread_scales_what_does_not_depend_on_the_shape() -> None:
    for name in ("random_uniform", "random_normal", "truncated_normal"):
        usual, wider = (draw_kernel(name, np.random.default_rng(1), (20, 10), spread) for spread in (0.05, 0.5))
        np.testing.assert_allclose(wider, 10 * usual, rtol=1e-6)
    for name in SCALED:
        usual, wider = (draw_kernel(name, np.random.default_rng(1), (20, 10), spread) for spread in (0.05, 0.5))
        np.testing.assert_array_equal(wider, usual)


def test_zeros() -> None:
    kernel = draw_kernel("zeros", np.random.default_rng(1), (3, 2))
    assert kernel.tolist() == np.asarray(KERAS["zeros"]()((3, 2))).tolist() == [[0, 0]] * 3
    assert kernel.dtype == np.float32


@pytest.mark.parametrize("name", SCALED)
def test_no_number_is_beyond_its_bound(name: str) -> None:
    shape = (300, 200)
    kernel = draw_kernel(name, np.random.default_rng(2), shape).astype(np.float64)
    uniform = name.endswith("uniform")
    deviation = variance(name, shape) ** 0.5
    # a normal variable cut off at two deviations has 0.8796 of its deviation left, which is made up for
    left = stats.truncnorm(-2, 2).std()
    bound = deviation * (3**0.5 if uniform else 2 / left)
    assert np.abs(kernel).max() <= bound * (1 + 1e-6)
    assert np.abs(kernel).max() > 0.99 * bound
    whole = stats.uniform(-bound, 2 * bound) if uniform else stats.truncnorm(-2, 2, scale=deviation / left)
    assert stats.kstest(kernel.ravel(), whole.cdf).pvalue > 1e-3


def test_a_generator_of_the_same_seed_draws_the_same_kernel() -> None:
    first, again, other = (draw_kernel("he_normal", np.random.default_rng(seed), (4, 3)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_an_unknown_initializer_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown initializer 'he_normel'; did you mean 'he_normal'"):
        draw_kernel("he_normel", np.random.default_rng(0), (2, 2))
