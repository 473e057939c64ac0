"""Whole kernels, on every processor whose code runs here, against the definition in float64."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from generated import by_definition, distance, of_registers, runnable

pytest.importorskip("llvmlite")

from wellfit.nn.kernels import calls
from wellfit.nn.kernels.blocks import Shape
from wellfit.nn.kernels.handlers import room_of, tails
from wellfit.nn.kernels.processor import AVX512, Processor

TOLERANCE = 1e-6
"""Of sums of up to 2,000 products in float32, relative to the largest: 17 roundings."""

SHAPES = [
    Shape(1, 12, 12, 6, 5, 1, 16),
    Shape(3, 9, 8, 5, 3, 2, 10),  # lanes that are not full
    Shape(2, 7, 11, 3, 2, 3, 7),  # pixels between the kernel's places
    Shape(1, 6, 5, 4, 1, 1, 34),  # two vectors and a part of one
    Shape(3, 12, 13, 7, 11, 1, 16),  # a wide kernel
    Shape(4, 5, 5, 9, 5, 1, 16),  # one place
]


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("processor", runnable(), ids=of_registers)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_kernels_and_the_definition_agree(shape: Shape, processor: Processor) -> None:
    x = drawn(3, shape.channels, shape.height, shape.width, shape.examples)
    kernel, bias = drawn(shape.size, shape.size, shape.channels, shape.filters), drawn(shape.filters)
    gradient = drawn(3, shape.filters, shape.rows, shape.columns, shape.examples)
    expected = by_definition(x, kernel, bias, shape.stride, gradient)

    @jax.jit
    def run(x: jax.Array, kernel: jax.Array, bias: jax.Array, gradient: jax.Array) -> tuple[jax.Array, ...]:
        (output,) = calls.output(shape, processor, x, kernel, bias, pooled=False)
        images = calls.images_gradient(shape, processor, (gradient,), kernel, pooled=False)
        return output, images, *calls.kernel_gradient(shape, processor, x, (gradient,), pooled=False)

    for name, found, wanted in zip(expected._fields, run(x, kernel, bias, gradient), expected, strict=True):
        assert distance(found, wanted) < TOLERANCE, name


def test_arrays_of_a_pooled_convolution_leave_out_odd_rows() -> None:
    arrays = tails(Shape(1, 9, 8, 4, 3, 1, 16), pooled=True)  # 7 x 6 places
    assert [tail.shape for tail in arrays.output] == [(4, 3, 3, 16)] * 2
    assert arrays.rows == (6, 6)
    assert tails(Shape(1, 9, 8, 4, 3, 1, 16), pooled=False).rows == (7, 6)


def test_room_holds_a_sum_per_lane_and_the_gradients_of_some_tiles() -> None:
    shape = Shape(6, 14, 14, 16, 5, 1, 16)
    assert room_of(shape, AVX512, pooled=False) == ((5, 5, 6, 16, 16), (16, 16))
    assert room_of(shape, AVX512, pooled=True)[2][1:] == (16, 10, 10, 16)
