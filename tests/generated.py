"""Generated kernels under test: the processors whose code runs here, and a convolution in float64 by definition."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from wellfit.base import FloatArray
from wellfit.nn.kernels.processor import AVX2, AVX512, Processor


class Convolved(NamedTuple):
    """A convolution's output and gradients, in float64 and tiles."""

    output: FloatArray
    images: FloatArray
    kernel: FloatArray
    bias: FloatArray


def header() -> str:
    """The header of XLA's interface for functions, which comes with JAX."""
    import jax

    return (Path(jax.ffi.include_dir()) / "xla" / "ffi" / "api" / "c_api.h").read_text()


def interface() -> tuple[int, int]:
    """Its version."""
    major, minor = re.findall(r"#define XLA_FFI_API_(?:MAJOR|MINOR) (\d+)", header())
    return int(major), int(minor)


def runnable() -> list[Processor]:
    """The processor here, and an older one whose code it runs too; none where JAX is too old for the kernels."""
    from wellfit.nn.kernels import frame
    from wellfit.nn.kernels.machine_code import this_processor

    here = this_processor()
    if here is None or interface() < frame.VERSION:
        return []
    older = [dataclasses.replace(here, cpu="haswell", features="", registers=AVX2)] if here.registers is AVX512 else []
    return [here, *older]


def of_registers(processor: object) -> str | None:
    """The name of a test for a processor; None where there is none, so that the test is skipped."""
    return processor.registers.name if isinstance(processor, Processor) else None


def by_definition(x: FloatArray, kernel: FloatArray, bias: FloatArray, stride: int, gradient: FloatArray) -> Convolved:
    """Convolve images in tiles (T, C, H, W, M), and send a gradient (T, F, R, Q, M) back."""
    x, kernel, gradient = (a.astype(np.float64) for a in (x, kernel, gradient))
    size = kernel.shape[0]
    windows = sliding_window_view(x, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]  # (T, C, R, Q, M, K, K)
    output = np.einsum("tcrqmij,ijcf->tfrqm", windows, kernel) + bias[:, None, None, None]
    images = np.zeros_like(x)
    rows, columns = gradient.shape[2:4]
    for i in range(size):
        for j in range(size):
            reached = images[
                :, :, i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride
            ]
            reached += np.einsum("tfrqm,cf->tcrqm", gradient, kernel[i, j])
    of_kernel = np.einsum("tcrqmij,tfrqm->ijcf", windows, gradient)
    return Convolved(output, images, of_kernel, gradient.sum(axis=(0, 2, 3, 4)))


def distance(found: object, expected: FloatArray) -> float:
    """The largest difference, relative to the largest number expected."""
    largest = float(np.abs(expected).max())
    return float(np.abs(np.asarray(found, np.float64) - expected).max()) / (largest or 1.0)
