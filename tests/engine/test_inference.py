"""Prediction with several networks, against NumPy; few programs for any number of examples."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from wellfit import lenet5, mlp
from wellfit.base import ModelSpec, Scaling
from wellfit.engine import inference
from wellfit.engine.inference import padded_rows, predict_each
from wellfit.nn.models import build

RNG = np.random.Generator(np.random.PCG64(3))
HALF = Scaling("unit", np.float32(0.5), np.float32(2))


def network(spec: ModelSpec, shape: tuple[int, ...], classes: int = 3) -> dict[str, Any]:
    params = build(spec, shape, classes).init(0)
    return {f"{layer}/{name}": np.asarray(array) for layer, of in params.items() for name, array in of.items()}


@pytest.mark.parametrize("count", [1, 15, 33, 1500])
def test_rows_of_any_number_are_those_of_numpy(count: int) -> None:
    weights = network(mlp(4), (5,))
    first, second = (RNG.random((count, 5), np.float32) for _ in range(2))
    found = predict_each(mlp(4), [(weights, first, HALF), (weights, second, HALF)], 3)
    assert found.shape == (2, count, 3)
    assert found.dtype == np.float32
    for got, x in zip(found, (first, second), strict=True):
        hidden = np.maximum((x - 0.5) * 2 @ weights["dense_1/kernel"] + weights["dense_1/bias"], 0)
        logits = hidden @ weights["dense_2/kernel"] + weights["dense_2/bias"]
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        np.testing.assert_allclose(got, exponents / exponents.sum(axis=1, keepdims=True), atol=1e-6)  # float32


def test_the_number_of_examples_does_not_matter_to_an_image() -> None:
    weights, x = network(lenet5(), (28, 28)), RNG.integers(0, 256, (70, 28, 28), np.uint8)
    scaling = Scaling("unit", np.float32(0), np.float32(1 / 255))
    whole = predict_each(lenet5(), [(weights, x, scaling)], 3)[0]
    alone = predict_each(lenet5(), [(weights, x[69:], scaling)], 3)[0]
    np.testing.assert_allclose(alone[0], whole[69], atol=1e-6)  # another program sums in another order


def test_all_numbers_of_examples_share_a_few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    inference._program.cache_clear()
    weights, x = network(mlp(4), (5,)), RNG.random((3000, 5), np.float32)
    for count in (1, 5, 20, 33, 600, 1025, 3000):
        predict_each(mlp(4), [(weights, x[:count], HALF)], 3)
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("population",))
    program = inference._program(mlp(4), (5,), 3, mesh)
    sizes = {padded_rows(n, len(jax.devices())) for n in (1, 5, 20, 33, 600, 1025, 3000)}
    assert program._cache_size() <= len(sizes) <= 7  # type: ignore[attr-defined]


def test_no_padding_is_larger_than_a_chunk() -> None:
    assert [padded_rows(n, 1) for n in (1, 16, 17, 512, 10**6)] == [16, 16, 32, 512, 512]
