"""Block sizes: everything that stays in registers fits, for any shape and any number of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wellfit.nn.kernels.blocks import Shape, blocks_of

SIDES = st.integers(1, 40)


@settings(max_examples=40, deadline=None)
@given(
    channels=SIDES,
    filters=SIDES,
    size=st.integers(1, 13),
    stride=st.integers(1, 3),
    more=SIDES,
    registers=st.sampled_from((16, 32)),
)
@example(channels=1, filters=1, size=1, stride=1, more=1, registers=16)
def test_blocks_fit_into_the_registers(
    channels: int, filters: int, size: int, stride: int, more: int, registers: int
) -> None:
    shape = Shape(channels, size + more, size + 2 * more, filters, size, stride, 16)
    blocks = blocks_of(shape, registers)
    f, q = blocks.forward
    assert f * q + q < registers
    assert 4 * blocks.pooled + 4 < registers
    c, q, k = blocks.images
    assert c * ((q - 1) * stride + k) < registers
    f, c, k = blocks.kernel
    assert f * c * k + c * k < registers
    assert 1 <= blocks.width <= shape.columns
    assert blocks.together >= 1


@pytest.mark.parametrize(("height", "width", "stride", "expected"), [(14, 14, 1, (10, 10)), (9, 8, 2, (3, 2))])
def test_places_of_a_kernel(height: int, width: int, stride: int, expected: tuple[int, int]) -> None:
    shape = Shape(1, height, width, 1, 5, stride, 16)
    assert (shape.rows, shape.columns) == expected


def test_small_images_are_taken_together_and_large_ones_alone() -> None:
    assert blocks_of(Shape(1, 4, 4, 2, 3, 1, 16), 32).together > 10
    assert blocks_of(Shape(64, 32, 32, 64, 3, 1, 16), 32).together == 1
