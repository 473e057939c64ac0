"""Convolutions by generated kernels, with gradients: alone, or with the relu and the pooling that follow."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp

from wellfit.nn.kernels import calls
from wellfit.nn.kernels.blocks import Shape
from wellfit.nn.kernels.processor import Processor

__all__ = ["convolve", "convolve_and_pool", "convolve_drop_and_pool"]

Given: TypeAlias = "jax.custom_derivatives.CustomVJPPrimal"
Gradient: TypeAlias = "jax.Array | jax.custom_derivatives.SymbolicZero"
Kept: TypeAlias = tuple[jax.Array, jax.Array | None, tuple[jax.Array, ...], jax.Array]


def _shape(x: jax.Array, kernel: tuple[int, ...], stride: int) -> Shape:
    _, channels, height, width, examples = x.shape
    return Shape(channels, height, width, kernel[-1], kernel[0], stride, examples)


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def convolve(x: jax.Array, kernel: jax.Array, bias: jax.Array, stride: int, processor: Processor) -> jax.Array:
    """Convolve padded images in tiles and add the bias.

    Args:
      x: images.  # (T, C, H, W, M)
      kernel, bias: weights.  # (K, K, C, F), (F,)
      stride: of the kernel, down and across.
      processor: that the kernels are generated for.

    Returns:
      The output.  # (T, F, R, Q, M)
    """
    return calls.output(_shape(x, kernel.shape, stride), processor, x, kernel, bias, pooled=False)[0]


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def convolve_and_pool(x: jax.Array, kernel: jax.Array, bias: jax.Array, stride: int, processor: Processor) -> jax.Array:
    """Convolve like ``convolve``, then apply relu and take the largest value of every cell of 2 x 2.

    Returns:
      The pooled output.  # (T, F, R // 2, Q // 2, M)
    """
    return calls.output(_shape(x, kernel.shape, stride), processor, x, kernel, bias, pooled=True)[0]


@partial(jax.custom_vjp, nondiff_argnums=(5, 6))
def convolve_drop_and_pool(
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array,
    words: jax.Array,
    scale: jax.Array,
    stride: int,
    processor: Processor,
) -> jax.Array:
    """Do as ``convolve_and_pool``, with dropout between relu and pooling.

    Args:
      words, scale: the noise, of which there is no gradient; see ``pooled.Noise``.  # (4,), int32, and (1,)
    """
    shape = _shape(x, kernel.shape, stride)
    return calls.output(shape, processor, x, kernel, bias, words, scale, pooled=True)[0]


def _drop_forward(
    x: Given, kernel: Given, bias: Given, words: Given, scale: Given, stride: int, processor: Processor
) -> tuple[jax.Array, tuple[Kept, jax.Array]]:
    result, kept = _forward(True, x, kernel, bias, stride, processor, words.value, scale.value)
    return result, (kept, scale.value)


def _drop_backward(
    stride: int, processor: Processor, kept: tuple[Kept, jax.Array], gradient: Gradient
) -> tuple[jax.Array | None, ...]:
    of_convolution, scale = kept
    if not isinstance(gradient, jax.custom_derivatives.SymbolicZero):
        gradient = gradient * scale[0]
    return (*_backward(True, stride, processor, of_convolution, gradient), None, None)


def _forward(
    pooled: bool, x: Given, kernel: Given, bias: Given, stride: int, processor: Processor, *noise: jax.Array
) -> tuple[jax.Array, Kept]:
    """Compute the output; keep the kernel only if the gradient of the images is wanted, which the first layer's is not.

    Data that are not differentiated come with ``perturbed`` false.
    """
    shape = _shape(x.value, kernel.value.shape, stride)
    result, *which = calls.output(shape, processor, x.value, kernel.value, bias.value, *noise, pooled=pooled)
    size = jnp.zeros((0, *kernel.value.shape[:1], kernel.value.shape[-1]))  # a shape, in an array without elements
    return result, (x.value, kernel.value if x.perturbed else None, tuple(which), size)


def _backward(
    pooled: bool,
    stride: int,
    processor: Processor,
    kept: Kept,
    gradient: Gradient,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    x, kernel, which, size = kept
    shape = _shape(x, size.shape[1:], stride)
    if isinstance(gradient, jax.custom_derivatives.SymbolicZero):
        gradient = jnp.zeros(gradient.shape, gradient.dtype)
    of_output = (gradient, *which)
    of_kernel, of_bias = calls.kernel_gradient(shape, processor, x, of_output, pooled=pooled)
    if kernel is None:
        return jnp.zeros_like(x), of_kernel, of_bias
    return calls.images_gradient(shape, processor, of_output, kernel, pooled=pooled), of_kernel, of_bias


convolve.defvjp(partial(_forward, False), partial(_backward, False), symbolic_zeros=True)
convolve_and_pool.defvjp(partial(_forward, True), partial(_backward, True), symbolic_zeros=True)
convolve_drop_and_pool.defvjp(_drop_forward, _drop_backward, symbolic_zeros=True)
