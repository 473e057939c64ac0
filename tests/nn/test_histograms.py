"""Histograms in a compiled program: counted as NumPy counts them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wellfit.base import FloatArray, IntArray
from wellfit.base.histograms import BIN_EDGES, BINS
from wellfit.nn.histograms import array_names, weight_counts


def counted(weights: FloatArray) -> IntArray:
    """The counts of one array by NumPy, which puts a value on an edge into the bin above: that of its magnitude."""
    magnitudes = np.concatenate([[0.0], BIN_EDGES[BINS // 2 :], [np.inf]])
    above, below = (np.histogram(np.abs(of), magnitudes)[0] for of in (weights[weights >= 0], weights[weights < 0]))
    return np.concatenate([below[:0:-1], [above[0] + below[0]], above[1:]])


@pytest.mark.parametrize("scale", [0.0, 1e-42, 1e-3, 0.05, 1.0, 30.0])
def test_counts_are_those_of_numpy(scale: float) -> None:
    drawn = np.random.default_rng(0).normal(scale=scale, size=(3, 40, 7)).astype(np.float32)  # (W, ...)
    counts = np.asarray(jax.jit(weight_counts)({"dense_1": {"kernel": drawn}}))  # (W, 1, BINS)
    for network, of in zip(drawn, counts[:, 0], strict=True):
        np.testing.assert_array_equal(of, counted(network))


def test_a_weight_on_an_edge_is_in_the_bin_away_from_zero() -> None:
    edges = BIN_EDGES.astype(np.float32)
    inside = np.nextafter(edges, np.float32(0))
    counts = np.asarray(weight_counts({"a": {"b": jnp.stack([edges, inside])}}))[:, 0]
    middle = BINS // 2
    on_edges, near = np.ones(BINS), np.ones(BINS)
    on_edges[middle] = near[0] = near[-1] = 0
    near[middle] = 2
    np.testing.assert_array_equal(counts, [on_edges, near])


def test_what_is_not_finite_is_in_an_outermost_bin() -> None:
    values = jnp.array([[jnp.inf, -jnp.inf, jnp.nan, 0.0, -0.0]])
    counts = np.asarray(weight_counts({"a": {"b": values}}))[0, 0]
    assert counts[BINS // 2] == 2
    assert counts[0] + counts[-1] == 3


def test_arrays_are_in_the_order_of_their_names() -> None:
    params = {"dense_2": {"kernel": jnp.ones((1, 4)), "bias": jnp.ones((1, 2))}, "dense_1": {"bias": jnp.ones((1, 3))}}
    assert array_names(params) == ("dense_1/bias", "dense_2/bias", "dense_2/kernel")
    assert np.asarray(weight_counts(params)).sum(axis=2).tolist() == [[3, 2, 4]]
