"""The kernels as operations of JAX: the frame, names that identify the code, loops and devices."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from generated import of_registers, runnable

pytest.importorskip("llvmlite")

from jax.sharding import PartitionSpec

from wellfit.engine.devices import POPULATION, mesh
from wellfit.nn.kernels import calls, frame
from wellfit.nn.kernels.blocks import Shape
from wellfit.nn.kernels.processor import Processor

SHAPE = Shape(2, 6, 6, 3, 3, 1, 16)
HERE = runnable()[:1]


@pytest.mark.parametrize("processor", runnable(), ids=of_registers)
def test_this_xla_calls_as_expected(processor: Processor) -> None:
    assert calls.frame_is_known(processor)


@pytest.mark.parametrize("structure", ["frame", "list", "buffer"])
@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_a_structure_of_another_size_is_noticed(
    structure: str, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(frame._SIZES, structure, frame._SIZES[structure] + 8)
    assert not calls.frame_is_known(processor)


@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_xla_refuses_another_major_version(processor: Processor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "VERSION", (7, 0))
    with pytest.raises((RuntimeError, ValueError), match=r"[Vv]ersion"):
        calls.frame_is_known(processor)


@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_loops_and_devices_see_the_same_bits(processor: Processor) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(4, 2, 2, 6, 6, 16)).astype(np.float32)  # four groups of two tiles
    kernel, bias = generator.normal(size=(3, 3, 2, 3)).astype(np.float32), np.ones(3, np.float32)

    def one(x: jax.Array) -> jax.Array:
        return calls.output(SHAPE, processor, x, jnp.asarray(kernel), jnp.asarray(bias), pooled=False)[0]

    expected = np.stack([jax.jit(one)(group) for group in x])
    mapped = jax.jit(lambda x: jax.lax.map(one, x))(x)
    scanned = jax.jit(lambda x: jax.lax.scan(lambda c, now: (c, one(now)), 0, x)[1])(x)
    spread = PartitionSpec(POPULATION)
    devices = jax.sharding.Mesh(mesh().devices[:2], (POPULATION,))
    sharded = jax.jit(
        jax.shard_map(lambda x: jax.lax.map(one, x), mesh=devices, in_specs=spread, out_specs=spread, check_vma=False)
    )(x)
    for found in (mapped, scanned, sharded):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_a_call_names_the_code_that_it_runs(processor: Processor) -> None:
    def text(processor: Processor) -> str:
        def run(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
            return calls.output(SHAPE, processor, x, kernel, bias, pooled=False)[0]

        given = jnp.zeros((1, 2, 6, 6, 16)), jnp.zeros((3, 3, 2, 3)), jnp.zeros(3)
        return jax.jit(run).lower(*given).as_text()

    texts = {text(p) for p in runnable()} | {text(processor)}
    assert len(texts) == len(runnable())  # the cache of compiled programs takes the text as its key
    assert all("wellfit." in each for each in texts)
