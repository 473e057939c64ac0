"""Tiles: a batch comes back from them as it was, and their size divides it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wellfit.nn import tiles
from wellfit.nn.layers import flatten
from wellfit.nn.layers import tiles as tiles_layer
from wellfit.nn.tiles import channel_axis, from_tiles, tile_size, to_tiles

SIDES = st.integers(1, 5)


def counting(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


# What goes in has a new shape nearly every time: eager operations, each compiled for its shape
@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 70), tile=st.integers(1, 70), height=SIDES, width=SIDES, channels=SIDES)
@example(batch=32, tile=16, height=2, width=3, channels=4)
@example(batch=17, tile=17, height=3, width=2, channels=1)
def test_any_batch_in_any_tiles_comes_back(batch: int, tile: int, height: int, width: int, channels: int) -> None:
    size = max(m for m in range(1, tile + 1) if batch % m == 0)
    x = counting((batch, height, width, channels))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "tile_size", lambda examples: size)
        laid = to_tiles(jnp.asarray(x))
    assert laid.shape == (batch // size, channels, height, width, size)
    np.testing.assert_array_equal(from_tiles(laid), x)


def test_a_tile_holds_consecutive_examples_on_its_last_axis() -> None:
    x = counting((32, 2, 3, 4))
    laid = np.asarray(to_tiles(jnp.asarray(x)))
    for example_ in (0, 15, 16, 31):
        tile, place = divmod(example_, 16)
        np.testing.assert_array_equal(laid[tile, :, :, :, place], np.moveaxis(x[example_], 2, 0))


def test_gray_images_get_their_one_channel() -> None:
    x = counting((10, 3, 4))
    np.testing.assert_array_equal(from_tiles(to_tiles(jnp.asarray(x)))[..., 0], x)


def test_a_cpu_tile_is_the_largest_divisor_from_8_to_16() -> None:
    for examples in range(1, 600):
        divisors = [m for m in range(8, 17) if examples % m == 0]
        assert tile_size(examples) == (max(divisors) if divisors else examples)
    assert [tile_size(n) for n in (16, 32, 100, 128, 256, 257, 7)] == [16, 16, 10, 16, 16, 257, 7]


def test_elsewhere_the_batch_is_one_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert [tile_size(n) for n in (128, 1000, 7)] == [128, 1000, 7]
    x = counting((32, 2, 3, 4))
    laid = to_tiles(jnp.asarray(x))
    assert laid.shape == (1, 4, 2, 3, 32)
    np.testing.assert_array_equal(from_tiles(laid), x)


def test_the_axis_of_channels() -> None:
    x = jnp.zeros((20, 2, 3, 4))
    assert channel_axis(to_tiles(x)) == 1
    assert channel_axis(x) == 3
    assert channel_axis(x.reshape(20, -1)) == 1


def test_flatten_restores_the_order_rows_columns_channels() -> None:
    x = counting((20, 2, 3, 4))
    laid = tiles_layer((2, 3, 4)).apply({}, {}, jnp.asarray(x), None)[0]
    assert laid.shape == (2, 4, 2, 3, 10)
    np.testing.assert_array_equal(flatten((2, 3, 4)).apply({}, {}, laid, None)[0], x.reshape(20, 24))
    assert tiles_layer((2, 3, 4)).output_shape == (2, 3, 4)
    assert tiles_layer((2, 3)).output_shape == (2, 3, 1)
