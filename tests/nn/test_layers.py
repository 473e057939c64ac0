"""Layers: affine maps, activations as Keras defines them, dropout that shares its noise between rates, its noise."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from scipy.stats import binom, chi2

from wellfit.errors import ShapeError, UnknownNameError
from wellfit.nn.layers import ACTIVATIONS, MOST_WEIGHTS, Mode, _bits, activation, dense, dropout, flatten

GENERATOR = np.random.default_rng(0)


def mode(rates: tuple[float, ...], rows: int, key: int = 0) -> Mode:
    return Mode(jax.random.key(key), jnp.array(rates, jnp.float32), jnp.ones(rows))


def test_dense_is_an_affine_map() -> None:
    layer = dense((4,), 3)
    params = layer.init(np.random.default_rng(1))
    assert params["kernel"].shape == (4, 3)
    assert params["bias"].tolist() == [0.0, 0.0, 0.0]
    params["bias"] = np.array([1.0, -2.0, 0.5], np.float32)
    x = GENERATOR.normal(size=(5, 4)).astype(np.float32)
    found, stats = layer.apply(jax.tree.map(jnp.asarray, params), {}, jnp.asarray(x), None)
    expected = x.astype(np.float64) @ params["kernel"] + params["bias"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)  # float32 sums of 4 terms
    assert stats == {}
    assert layer.output_shape == (3,)


def test_dense_without_a_bias() -> None:
    layer = dense((4,), 3, "random_uniform", bias=False, spread=0.5)
    params = layer.init(np.random.default_rng(1))
    assert list(params) == ["kernel"]
    assert 0.25 < np.abs(params["kernel"]).max() <= 0.5
    x = GENERATOR.normal(size=(5, 4)).astype(np.float32)
    found, _ = layer.apply(jax.tree.map(jnp.asarray, params), {}, jnp.asarray(x), None)
    np.testing.assert_allclose(found, x.astype(np.float64) @ params["kernel"], rtol=1e-5, atol=1e-6)


def test_dense_refuses_images_and_no_units() -> None:
    with pytest.raises(ShapeError, match=r"dense with 10 units needs one row .* got shape \(28, 28\); add a flatten"):
        dense((28, 28), 10)
    with pytest.raises(ShapeError, match=r"dense on shape \(4,\) has 0 units; give it at least 1"):
        dense((4,), 0)
    with pytest.raises(
        ShapeError, match=r"dense with 1000000 units on shape \(1000000,\) has 1,000,000,000,000 weights"
    ):
        dense((1_000_000,), 1_000_000)
    assert dense((MOST_WEIGHTS,), 1).output_shape == (1,)


def test_flatten_keeps_the_order_of_rows_columns_channels() -> None:
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    layer = flatten((2, 3, 2))
    assert layer.output_shape == (12,)
    np.testing.assert_array_equal(layer.apply({}, {}, jnp.asarray(x), None)[0], x.reshape(2, 12))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_keras_own(name: str) -> None:
    x = np.linspace(-6, 6, 401, dtype=np.float32)[None]
    layer = activation((401,), name)
    found = layer.apply({}, {}, jnp.asarray(x), None)[0]
    oracle = getattr(keras.activations, name)
    np.testing.assert_allclose(found, np.asarray(oracle(jnp.asarray(x))), rtol=1e-6, atol=1e-6)
    assert (layer.kind, layer.output_shape) == (name, (401,))


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown activation 'rulu'; did you mean 'relu'"):
        activation((3,), "rulu")


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_dropout_drops_its_share_and_scales_the_rest(rate: float) -> None:
    layer = dropout((100,), 0)
    found = np.asarray(layer.apply({}, {}, jnp.ones((200, 100)), mode((rate,), 200))[0])
    dropped = (found == 0).mean()
    assert dropped == pytest.approx(rate, abs=5 * (rate * (1 - rate) / found.size) ** 0.5)  # five standard errors
    np.testing.assert_allclose(found[found != 0], 1 / (1 - rate), rtol=1e-6)


def test_a_higher_rate_drops_what_a_lower_one_drops_and_more() -> None:
    layer = dropout((50,), 1)
    low, high = (np.asarray(layer.apply({}, {}, jnp.ones((40, 50)), mode((0.9, r), 40))[0]) == 0 for r in (0.2, 0.6))
    assert (high | ~low).all()
    assert high.sum() > low.sum()


def test_layers_and_steps_have_noise_of_their_own() -> None:
    x = jnp.ones((40, 50))
    first, second = (np.asarray(dropout((50,), i).apply({}, {}, x, mode((0.5, 0.5), 40))[0]) for i in (0, 1))
    again = np.asarray(dropout((50,), 0).apply({}, {}, x, mode((0.5, 0.5), 40))[0])
    later = np.asarray(dropout((50,), 0).apply({}, {}, x, mode((0.5, 0.5), 40, key=1))[0])
    np.testing.assert_array_equal(first, again)
    for other in (second, later):
        assert (first == other).mean() == pytest.approx(0.5, abs=0.06)  # independent: half agree; five standard errors


def test_dropout_leaves_inference_and_rate_zero_alone() -> None:
    x = jnp.asarray(GENERATOR.normal(size=(6, 7)).astype(np.float32))
    layer = dropout((7,), 0)
    for inference in (None, Mode(jax.random.key(0), None, jnp.ones(6)), mode((0.0,), 6)):
        np.testing.assert_array_equal(layer.apply({}, {}, x, inference)[0], x)


@pytest.mark.parametrize("shape", [(64, 100), (4, 6, 5, 7, 16)], ids=["rows", "tiles"])
@pytest.mark.parametrize("rate", [0.001, 0.05, 0.3, 0.5, 0.9, 0.999])
def test_rates_are_hit_as_by_a_true_coin(rate: float, shape: tuple[int, ...]) -> None:
    """Over 20 steps, the number dropped is within the range that a binomial number leaves once in a million."""
    layer, x = dropout(shape[1:], 0), jnp.ones(shape)
    drop = jax.jit(lambda key: (layer.apply({}, {}, x, Mode(key, jnp.array([rate]), jnp.ones(shape[0])))[0] == 0).sum())
    dropped = sum(int(drop(jax.random.fold_in(jax.random.key(0), step))) for step in range(20))
    low, high = binom.ppf([5e-7, 1 - 5e-7], 20 * x.size, rate)
    assert low <= dropped <= high


def test_every_rate_keeps_the_order_of_what_is_dropped() -> None:
    layer, x = dropout((50,), 0), jnp.ones((40, 50))
    dropped = [np.asarray(layer.apply({}, {}, x, mode((r,), 40))[0]) == 0 for r in np.linspace(0, 0.95, 20)]
    for less, more in itertools.pairwise(dropped):
        assert (more | ~less).all()
        assert more.sum() > less.sum()


# --- The random bits --------------------------------------------------------------------------------------------------

VALUES = 1 << 18
LAGS = (1, 16, 84, 128)  # places from a value to its neighbors: units, tiles of 16, rows of 84 and 128 units
UNLIKELY = 1e-6  # a true generator has such a p-value once in a million tests; the seeds are fixed
# The largest of 24 x 24 correlations, in standard errors; a true generator is beyond 6 once in a million
LARGEST = 6.0

Words = tuple[int, int]  # a key
Generator = Callable[[Words], np.ndarray]  # a key -> 24 bits each, (VALUES,)


def ours(words: Words) -> np.ndarray:
    return np.asarray(_bits(jax.random.wrap_key_data(jnp.array(words, jnp.uint32)), 0, (VALUES,)))


def places(words: Words) -> np.ndarray:
    """What the hash begins with."""
    return np.uint32(words[0]) + np.arange(VALUES, dtype=np.uint32) * np.uint32(0x9E3779B9)


def without_mixing(words: Words) -> np.ndarray:
    """A congruence of the places: no bit is folded back into lower ones."""
    return (places(words) * np.uint32(1664525) + np.uint32(words[1])) >> 8


def without_last_round(words: Words) -> np.ndarray:
    """The hash, stopped in the middle."""
    z = places(words)
    return ((z ^ (z >> np.uint32(16))) * np.uint32(0x85EBCA6B) ^ np.uint32(words[1])) >> np.uint32(8)


def of_the_first_word(words: Words) -> np.ndarray:
    """The hash without half of its key."""
    return ours((words[0], 0))


def linear_congruential(words: Words) -> np.ndarray:
    """Numerical Recipes' generator, ``z = 1664525 z + 1013904223``, in closed form by doubling."""
    z = np.array([words[0]], np.uint32)
    factor, shift = 1664525, 1013904223  # of as many steps as there are values
    while len(z) < VALUES:
        z = np.concatenate([z, z * np.uint32(factor) + np.uint32(shift)])
        factor, shift = factor * factor % 2**32, (factor + 1) * shift % 2**32
    return z >> np.uint32(8)


def key(seed: int, step: int = 0, layer: int = 0) -> Words:
    """The key of a dropout layer, made as the population makes it."""
    result = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), step), layer)
    first, second = np.asarray(jax.random.key_data(result)).tolist()
    return first, second


def uneven(bits: np.ndarray) -> bool:
    """Whether the high byte or the low byte is less, or more, uniform than chance (chi-square)."""
    for byte in (bits >> 16, bits & 255):
        expected = VALUES / 256
        statistic = np.square(np.bincount(byte, minlength=256) - expected).sum() / expected
        if not UNLIKELY < chi2.sf(statistic, 255) < 1 - UNLIKELY:
            return True
    return False


def unsteady(bits: np.ndarray) -> bool:
    """Whether the drops in windows of 64 values at rate 1/2 vary less, or more, than a binomial number."""
    dropped = (bits.reshape(-1, 64) < 1 << 23).sum(axis=1)
    statistic = np.square(dropped - 32).sum() / 16
    return not UNLIKELY < chi2.sf(statistic, len(dropped)) < 1 - UNLIKELY


def correlated(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether any of a's 24 bits is correlated with any of b's at the same position."""
    signs = [2 * ((bits[:, None] >> np.arange(24)) & 1).astype(np.float32) - 1 for bits in (a, b)]
    return bool(np.abs(signs[0].T @ signs[1]).max() > LARGEST * len(a) ** 0.5)


def faults(generator: Generator) -> set[str]:
    """The tests that a generator fails for any of a few keys."""
    found = set()
    for seed in range(3):
        bits = generator(key(seed))
        checks = {
            "bytes": uneven(bits),
            "windows": unsteady(bits),
            "neighbors": any(correlated(bits[:-lag], bits[lag:]) for lag in LAGS),
            "steps": correlated(bits, generator(key(seed, step=1))),
            "layers": correlated(bits, generator(key(seed, layer=1))),
            "seeds": correlated(bits, generator(key(seed + 1))),
        }
        found |= {name for name, fails in checks.items() if fails}
    return found


def test_random_bits_are_uniform_and_independent() -> None:
    assert faults(ours) == set()


@pytest.mark.parametrize(
    ("generator", "fails"),
    [
        (without_mixing, {"bytes", "windows", "neighbors", "steps", "layers", "seeds"}),
        (without_last_round, {"neighbors"}),
        (linear_congruential, {"bytes", "neighbors"}),
        (lambda words: ours((1, 2)), {"steps", "layers", "seeds"}),
    ],
    ids=["no-mixing", "no-last-round", "congruential", "no-key"],
)
def test_poor_generators_are_told_from_ours(generator: Generator, fails: set[str]) -> None:
    assert faults(generator) >= fails


def test_keys_that_share_a_word_drop_different_values() -> None:
    """With tens of thousands of steps some keys share the first word, or nearly: the second must distinguish them.

    One round is mixed after it, so that a correlation of a few percent is left, which does no harm.
    """

    def largest(generator: Generator) -> float:
        pairs = [
            [generator((first, second)) < 1 << 23 for second in np.random.default_rng(first).integers(0, 2**32, 2)]
            for first in range(0, 2**32, 2**32 // 10)
        ]
        return max(abs(np.corrcoef(a, b)[0, 1]) for a, b in pairs)

    assert largest(ours) < 0.05
    assert largest(of_the_first_word) > 0.99


def test_the_bits_are_of_a_values_place_whatever_the_shape() -> None:
    result = jax.random.key(7)
    flat = _bits(result, 0, (2 * 3 * 4 * 5 * 8,))
    for shape in ((960,), (30, 32), (8, 120), (2, 3, 4, 5, 8), (1, 960)):
        bits = _bits(result, 0, shape)
        assert (bits.shape, bits.dtype) == (shape, jnp.int32)
        np.testing.assert_array_equal(bits.reshape(-1), flat)
    assert 0 <= int(flat.min()) < int(flat.max()) < 1 << 24


def test_vectorized_keys_have_the_bits_of_each() -> None:
    keys = jax.random.split(jax.random.key(7), 3)
    together = jax.vmap(lambda one: _bits(one, 0, (5, 6)))(keys)
    np.testing.assert_array_equal(together, np.stack([_bits(one, 0, (5, 6)) for one in keys]))
