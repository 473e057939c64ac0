"""The language of loops and vectors, run: each construct against the same in NumPy."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from generated import of_registers, runnable
from wellfit.nn.kernels.machine_code import address, written
from wellfit.nn.kernels.processor import Processor
from wellfit.nn.kernels.vectors import Array, Lanes, Number, Writer

HERE = runnable()[:1]
pytestmark = pytest.mark.parametrize("processor", HERE, ids=of_registers)


def run(write: Callable[[Writer, Array], None], numbers: np.ndarray, processor: Processor) -> np.ndarray:
    """Write a function of an array of numbers, run it on them and return what it left."""
    text = written(lambda w: write(w, Array(w, w.argument, numbers.shape)), processor)
    left = numbers.astype(np.float32)
    ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(address(text, processor))(left.ctypes.data)
    return left


@pytest.mark.parametrize(("begin", "end", "step"), [(0, 5, 1), (2, 9, 3), (4, 4, 1), (5, 2, 1)])
def test_a_loop_counts_as_range_does(begin: int, end: int, step: int, processor: Processor) -> None:
    def write(w: Writer, a: Array) -> None:
        with w.range(w.larger(begin, begin - 1), end, step) as i:
            a.put(w.total(w.constant(1 / w.lanes)), i)

    expected = np.zeros(12, np.float32)
    expected[range(begin, end, step)] = 1
    np.testing.assert_array_equal(run(write, np.zeros(12), processor), expected)


@pytest.mark.parametrize("total", [1, 4, 8, 11])
def test_blocks_cover_an_axis_once(total: int, processor: Processor) -> None:
    def write(w: Writer, a: Array) -> None:
        for first, size in w.blocks(total, 4):
            for k in range(size):
                one = w.builder.fadd(
                    w.builder.load(a.part(first + k).pointer, typ=w.vector_type.element),
                    w.total(w.constant(1 / w.lanes)),
                )
                a.put(one, first + k)

    np.testing.assert_array_equal(run(write, np.zeros(12), processor), [1.0] * total + [0.0] * (12 - total))


@pytest.mark.parametrize("count", [1, 3, 16, 21, 32])
def test_chunks_load_and_store_all_lanes_and_no_others(count: int, processor: Processor) -> None:
    def write(w: Writer, a: Array) -> None:
        for lanes in w.chunks(count):
            doubled = w.variable(w.constant(0))
            doubled.add_product(a.load(0, lanes=lanes), w.constant(2))
            a.store(doubled.get(), 1, lanes=lanes)

    numbers = np.arange(80, dtype=np.float32).reshape(2, 40)
    expected = numbers.copy()
    expected[1, :count] = 2 * numbers[0, :count]
    np.testing.assert_array_equal(run(write, numbers, processor), expected)


def test_missing_lanes_are_zero_and_lanes_add_up(processor: Processor) -> None:
    def write(w: Writer, a: Array) -> None:
        a.put(w.total(a.load(lanes=Lanes(0, 3))), 40)
        a.put(w.total(a.load(lanes=Lanes(w.number(2), w.lanes))), 41)

    numbers = np.arange(1.0, 43)
    left = run(write, numbers, processor)
    assert left[40] == 6
    assert left[41] == numbers[2 : 2 + processor.registers.lanes].sum()


def test_arithmetic_of_numbers(processor: Processor) -> None:
    def write(w: Writer, a: Array) -> None:
        seven = w.number(7)
        values: list[Number] = [
            seven + 2,
            2 + seven,
            seven - 3,
            9 - seven,
            seven * 3,
            3 * seven,
            seven // 2,
            seven // 1,
        ]
        values += [w.smaller(seven, 5), w.smaller(5, seven), w.larger(seven, 5), w.larger(-1, 3)]
        for i, value in enumerate(values):
            a.put(w.builder.sitofp(value.value, w.vector_type.element), i)

    assert run(write, np.zeros(12), processor).tolist() == [9, 9, 4, 2, 21, 21, 3, 7, 5, 5, 7, 3]


def test_comparisons_choose_lane_by_lane(processor: Processor) -> None:
    def write(w: Writer, a: Array) -> None:
        whole = Lanes(0, w.lanes)
        first, second = a.load(0, lanes=whole), a.load(1, lanes=whole)
        a.store(w.select(w.greater(first, second), first, second), 2, lanes=whole)
        broken = w.either(w.either_nan(first, second), w.greater(first, w.constant(1e6)))
        a.store(w.select(broken, w.constant(1), w.constant(0)), 3, lanes=whole)
        a.store(w.select(w.equal(w.integer(2), w.integer(2)), a.splat(0, 1), second), 4, lanes=whole)

    numbers = np.zeros((5, 16))
    numbers[0, :4], numbers[1, :4] = [1, np.nan, 5, 1e7], [2, 3, np.nan, 1]
    left = run(write, numbers, processor)
    np.testing.assert_array_equal(left[2, :4], [2, 3, np.nan, 1e7])
    np.testing.assert_array_equal(left[3, :4], [0, 1, 1, 1])
    assert np.isnan(left[4, : processor.registers.lanes]).all()
