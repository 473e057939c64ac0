"""An epoch's batches: their order, and their examples as they are laid out for devices that are slow at gathering."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from wellfit.base import IntArray, TrainingData
from wellfit.engine.batches import Layouts, batch_order, rows_of
from wellfit.engine.devices import POPULATION, mesh, sharded

BATCH = 32  # 150 examples are 5 steps, the last filled up with 10
BOTH = np.ones((2, 3), bool)  # two groups of three runs, all of which train


@pytest.fixture
def pair() -> Mesh:
    if len(jax.devices()) < 2:
        pytest.skip("a machine with one core has one device")
    return Mesh(np.array(jax.devices()[:2]), (POPULATION,))


def seeds(*of_groups: int) -> IntArray:
    return np.array(of_groups, np.int32)


def expected(data: TrainingData, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """What a device is to hold: the examples and the labels of the rows, without the axis of groups."""
    rows = rows_of(seed, epoch, len(data.x_train), BATCH)
    return data.x_train[rows], data.y_train[rows]


def check(found: tuple[jax.Array, jax.Array], data: TrainingData, *runs: tuple[int, int]) -> None:
    """Compare a wave's examples with those of the seed and epoch of every group, exactly."""
    parts = [expected(data, *run) for run in runs]
    for array, wanted in zip(found, map(np.stack, zip(*parts, strict=True)), strict=True):
        assert array.dtype == wanted.dtype
        np.testing.assert_array_equal(array, wanted)


# --- Order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("examples", [1, 2, 150])
def test_an_order_is_a_permutation(examples: int) -> None:
    order = batch_order(3, 1, examples)
    assert order.dtype == np.int32
    assert sorted(order.tolist()) == list(range(examples))


def test_an_order_is_a_function_of_seed_and_epoch() -> None:
    np.testing.assert_array_equal(batch_order(1, 2, 150), batch_order(1, 2, 150))
    orders = [tuple(batch_order(seed, epoch, 150)) for seed in range(4) for epoch in range(1, 5)]
    assert len(set(orders)) == 16  # the seed and the epoch do not merely add up


@pytest.mark.parametrize(("examples", "batch_size", "shape"), [(150, 32, (5, 32)), (6, 3, (2, 3)), (2, 5, (1, 5))])
def test_rows_are_batches_padded_with_the_first_example(examples: int, batch_size: int, shape: tuple[int, int]) -> None:
    rows = rows_of(4, 2, examples, batch_size)
    assert rows.shape == shape
    assert rows.dtype == np.int32
    np.testing.assert_array_equal(rows.ravel()[:examples], batch_order(4, 2, examples))
    np.testing.assert_array_equal(rows.ravel()[examples:], 0)


# --- Layouts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("batch_size", [BATCH, 50, 200])
def test_examples_and_labels_are_those_of_the_rows(small_data: TrainingData, dtype: type, batch_size: int) -> None:
    data = replace(small_data, x_train=(small_data.x_train / 3).astype(dtype))
    one = Mesh(np.array(jax.devices()[:1]), (POPULATION,))
    x, y = Layouts(data, batch_size, one).of(seeds(7), BOTH[:1], 2)
    rows = rows_of(7, 2, 150, batch_size)
    assert (x.dtype, y.dtype) == (dtype, np.int32)
    assert x.shape == (1, *rows.shape, 4, 4)
    np.testing.assert_array_equal(x, data.x_train[rows][None])
    np.testing.assert_array_equal(y, data.y_train[rows][None])


def test_noncontiguous_examples_are_laid_out_too(small_data: TrainingData) -> None:
    data = replace(small_data, x_train=small_data.x_train.transpose(0, 2, 1))
    assert not data.x_train.flags.c_contiguous
    one = Mesh(np.array(jax.devices()[:1]), (POPULATION,))
    check(Layouts(data, BATCH, one).of(seeds(0), BOTH[:1], 1), data, (0, 1))


def test_every_device_holds_the_examples_of_its_group(small_data: TrainingData, pair: Mesh) -> None:
    found = Layouts(small_data, BATCH, pair).of(seeds(5, 6), BOTH, 1)
    check(found, small_data, (5, 1), (6, 1))
    assert (found[0].shape, found[1].shape) == ((2, 5, BATCH, 4, 4), (2, 5, BATCH))
    for array in found:
        assert array.sharding == sharded(pair)
        held = {shard.device: (shard.index[0].start, shard.data.shape[0]) for shard in array.addressable_shards}
        assert held == {device: (place, 1) for place, device in enumerate(pair.devices.flat)}


def test_all_devices_of_this_machine(small_data: TrainingData) -> None:
    on = mesh()
    groups = range(10, 10 + on.size)
    found = Layouts(small_data, BATCH, on).of(seeds(*groups), np.ones((on.size, 1), bool), 3)
    check(found, small_data, *((seed, 3) for seed in groups))


def test_what_was_given_is_unchanged_until_the_one_after_next(small_data: TrainingData, pair: Mesh) -> None:
    layouts = Layouts(small_data, BATCH, pair)
    before = layouts.of(seeds(0, 1), BOTH, 1)
    for epoch in range(2, 7):
        now = layouts.of(seeds(0, 1), BOTH, epoch)
        check(before, small_data, (0, epoch - 1), (1, epoch - 1))
        check(now, small_data, (0, epoch), (1, epoch))
        before = now


def test_buffers_are_used_again_and_again(small_data: TrainingData, pair: Mesh) -> None:
    layouts = Layouts(small_data, BATCH, pair)
    filled = []
    for epoch in range(1, 7):
        layouts.of(seeds(0, 1), BOTH, epoch)
        wanted = [expected(small_data, seed, epoch)[0].reshape(-1, 16) for seed in (0, 1)]
        filled.append({i for rows in wanted for i, b in enumerate(layouts.buffers) if np.array_equal(b, rows)})
    assert all(len(places) == 2 for places in filled)
    assert filled[0] == filled[2] == filled[4] != filled[1] == filled[3] == filled[5]
    addresses = {b.ctypes.data for b in layouts.buffers}
    assert len(addresses) == 4
    assert {address % 64 for address in addresses} == {0}


def test_devices_with_the_same_seed_share_a_buffer(small_data: TrainingData, pair: Mesh) -> None:
    layouts = Layouts(small_data, BATCH, pair)
    before: list[tuple[Any, tuple[tuple[int, int], ...]]] = []
    for epoch in (1, 2, 3):  # as the waves of three variants and two seeds on two devices follow each other
        for groups in ((0, 0), (0, 1), (1, 1)):
            now = layouts.of(seeds(*groups), BOTH, epoch)
            check(now, small_data, *((seed, epoch) for seed in groups))
            for found, of in before:
                check(found, small_data, *of)  # what the wave before may still read is as it was
            before = [(now, tuple((seed, epoch) for seed in groups))]
            x = [shard.data.unsafe_buffer_pointer() for shard in now[0].addressable_shards]
            if jax.default_backend() == "cpu":
                assert (x[0] == x[1]) == (groups[0] == groups[1])


def test_a_cpu_reads_the_buffers_where_they_lie(small_data: TrainingData, pair: Mesh) -> None:
    if jax.default_backend() != "cpu":
        pytest.skip("other devices have a memory of their own")
    layouts = Layouts(small_data, BATCH, pair)
    x, _ = layouts.of(seeds(0, 1), BOTH, 1)
    read = {shard.device: shard.data.unsafe_buffer_pointer() for shard in x.addressable_shards}
    held = [layouts.buffers[layouts.held.index((seed, 1))] for seed in (0, 1)]
    assert read == {device: buffer.ctypes.data for device, buffer in zip(pair.devices.flat, held, strict=True)}


def test_a_seed_that_stays_is_not_laid_out_again(
    small_data: TrainingData, pair: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def counted(seed: int, epoch: int, examples: int, batch_size: int) -> IntArray:
        asked.append((seed, epoch))
        return rows_of(seed, epoch, examples, batch_size)

    monkeypatch.setattr("wellfit.engine.batches.rows_of", counted)
    layouts = Layouts(small_data, BATCH, pair)
    for groups in ((0, 1), (0, 1), (0, 2), (0, 2)):
        check(layouts.of(seeds(*groups), BOTH, 1), small_data, *((seed, 1) for seed in groups))
    assert asked == [(0, 1), (1, 1), (2, 1)]
    check(layouts.of(seeds(0, 2), BOTH, 2), small_data, (0, 2), (2, 2))  # another epoch is another order
    assert asked[3:] == [(0, 2), (2, 2)]


def test_an_inactive_group_keeps_its_devices_buffer(small_data: TrainingData, pair: Mesh) -> None:
    layouts = Layouts(small_data, BATCH, pair)
    layouts.of(seeds(0, 1), BOTH, 1)
    some = np.array([[False, True, False], [False, False, False]])
    check(layouts.of(seeds(2, 3), some, 2), small_data, (2, 2), (1, 1))
    check(layouts.of(seeds(2, 3), some, 3), small_data, (2, 3), (1, 1))
    check(layouts.of(seeds(2, 3), BOTH, 3), small_data, (2, 3), (3, 3))  # what it was given before is not its own


def test_an_empty_device_gets_examples_without_active_runs(small_data: TrainingData, pair: Mesh) -> None:
    found = Layouts(small_data, BATCH, pair).of(seeds(4, 4), np.zeros((2, 3), bool), 1)
    check(found, small_data, (4, 1), (4, 1))
