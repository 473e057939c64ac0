"""The kernels' own parts: loops over columns of a wide kernel, and the sums of the bias."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from generated import by_definition, distance, of_registers, runnable
from wellfit.nn.kernels.blocks import Shape, blocks_of
from wellfit.nn.kernels.convolve import (
    add_bias_gradient,
    add_kernel_gradient,
    clear,
    images_gradient,
    output,
    reduce,
)
from wellfit.nn.kernels.machine_code import address, written
from wellfit.nn.kernels.processor import Processor
from wellfit.nn.kernels.vectors import POINTER, Array, Writer

SHAPE = Shape(2, 12, 13, 3, 10, 2, 5)


@pytest.mark.parametrize("processor", runnable(), ids=of_registers)
@pytest.mark.parametrize("blocks", [(2, 1), (3, 2), (1, 2)])
def test_any_blocks_give_the_definition(blocks: tuple[int, int], processor: Processor) -> None:
    """One tile, called without XLA."""
    generator = np.random.default_rng(0)
    lanes = processor.registers.lanes
    sizes = {
        "x": (2, 12, 13, 5),
        "kernel": (10, 10, 2, 3),
        "bias": (3,),
        "dy": (3, SHAPE.rows, SHAPE.columns, 5),
        "y": (3, SHAPE.rows, SHAPE.columns, 5),
        "dx": (2, 12, 13, 5),
        "dw": (600,),
        "db": (3,),
        "total": (10, 10, 2, 3, lanes),
        "of_bias": (3, lanes),
    }
    arrays = {name: generator.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    rows = SHAPE.rows, SHAPE.columns

    def write(w: Writer) -> None:
        a = {n: Array(w, w.read(w.argument, 8 * i, POINTER), size) for i, (n, size) in enumerate(sizes.items())}
        flat = Array(w, a["total"].pointer, (600, lanes))
        output(w, SHAPE, blocks, a["x"], a["kernel"], a["bias"], a["y"])
        images_gradient(w, SHAPE, (*blocks, 4), a["dy"], a["kernel"], a["dx"], rows)
        clear(w, flat)
        clear(w, a["of_bias"])
        chosen = blocks_of(SHAPE, 16)._replace(kernel=(*blocks, 3), width=1)
        add_kernel_gradient(w, SHAPE, chosen, lambda t: (a["x"], a["dy"]), (0, 1), a["total"], rows)
        add_bias_gradient(w, SHAPE, a["dy"], a["of_bias"], rows)
        reduce(w, flat, a["dw"])
        reduce(w, a["of_bias"], a["db"])

    pointers = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays.values()))
    ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(address(written(write, processor), processor))(pointers)
    x, kernel, bias, dy = (arrays[name] for name in ("x", "kernel", "bias", "dy"))
    expected = by_definition(x[None], kernel, bias, 2, dy[None])
    assert distance(arrays["y"][None], expected.output) < 1e-6
    assert distance(arrays["dx"][None], expected.images) < 1e-6
    assert distance(arrays["dw"].reshape(kernel.shape), expected.kernel) < 1e-6
    assert distance(arrays["db"], expected.bias) < 1e-6
