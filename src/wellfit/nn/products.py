"""The matrix products of dense and convolutional layers, in float32 or with bfloat16 factors.

In ``"mixed"`` precision the factors of a product are rounded to bfloat16 and its sums are float32; weights, statistics,
losses and optimizer state stay float32. The gradient that a convolution passes to the previous layer is also rounded to
bfloat16. Source: Micikevicius et al. (2018), "Mixed precision training"; bfloat16 has float32's exponent range, so no
loss scaling is needed (Kalamkar et al., 2019).
"""

from __future__ import annotations

from functools import partial
from typing import Final, Literal, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from wellfit.nn import accelerator

__all__ = ["PRECISIONS", "Precision", "dot", "factor", "product", "squared_norm"]

Precision: TypeAlias = Literal["float32", "mixed"]

PRECISIONS: Final = ("float32", "mixed")


def factor(x: jax.Array, precision: Precision) -> jax.Array:
    """Round an array to the type of this precision's factors.

    Example:
      >>> factor(jnp.ones(2), "mixed").dtype
      dtype(bfloat16)
    """
    return x.astype(jnp.bfloat16) if precision == "mixed" else x


def dot(a: jax.Array, b: jax.Array, precision: Precision) -> jax.Array:
    """Matrix product ``a @ b`` with factors in the given precision and float32 sums.

    Args:
      a, b: float32 or already rounded.  # (..., I, J), (..., J, K)
      precision: of the factors.

    Example:
      >>> dot(jnp.array([[1 + 2**-10]]), jnp.ones((1, 1)), "mixed").tolist()
      [[1.0]]
    """
    if precision == "mixed":
        return _of_bfloat16(factor(a, precision), factor(b, precision))
    return jnp.matmul(a, b, precision=_float32())


def _float32() -> lax.Precision | None:
    """What to ask for products of float32: by default, JAX rounds their factors to fewer bits on accelerators."""
    return lax.Precision.HIGHEST if accelerator.in_use() else None


@jax.custom_batching.custom_vmap
def _of_bfloat16(a: jax.Array, b: jax.Array) -> jax.Array:
    """Materialize both factors: on a CPU, XLA computes products of transposed factors in float32, at half the speed."""
    return jnp.matmul(*lax.optimization_barrier((a, b)), preferred_element_type=jnp.float32)


@_of_bfloat16.def_vmap
def _of_a_population(size: int, batched: list[bool], a: jax.Array, b: jax.Array) -> tuple[jax.Array, bool]:
    """Avoid a batch of one product, which XLA would compute in float32 too."""
    if size == 1:
        return _of_bfloat16(*(each[0] if has else each for each, has in zip((a, b), batched, strict=True)))[None], True
    matmul = partial(jnp.matmul, preferred_element_type=jnp.float32)
    return jax.vmap(matmul, [0 if has else None for has in batched])(a, b), True


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def product(x: jax.Array, kernel: jax.Array, precision: Precision = "float32") -> jax.Array:
    """Matrix product ``x @ kernel`` with a gradient that is fast for populations.

    Args:
      x: a batch.  # (B, I)
      kernel: weights.  # (I, O)
      precision: of the factors, in the backward pass too.

    Returns:
      The products.  # (B, O)

    Example:
      >>> product(jnp.ones((2, 3)), jnp.ones((3, 4))).tolist()[0]
      [3.0, 3.0, 3.0, 3.0]
    """
    return dot(x, kernel, precision)  # (B, O)


def _forward(x: jax.Array, kernel: jax.Array, precision: Precision) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return dot(x, kernel, precision), (x, kernel)


def _backward(
    precision: Precision, kept: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = kept
    return dot(gradient, kernel.T, precision), _kernel_gradient(precision, x, gradient)


product.defvjp(_forward, _backward)


def _kernel_gradient(precision: Precision, x: jax.Array, gradient: jax.Array) -> jax.Array:
    """Compute ``x.T @ gradient``.  # (I, O)

    On a CPU, XLA is slow at products of transposed matrices and rejects them in bfloat16. The barriers therefore
    materialize either the transposed batch, or the transposed gradient, whose product is the transposed result and slow
    to read; the cheaper one in memory traffic is chosen. Variants that share their batch share one wide product.
    """
    (batch, inputs), outputs = x.shape, gradient.shape[1]
    if outputs * (batch + inputs) < batch * inputs:
        return dot(lax.optimization_barrier(factor(gradient, precision).T), x, precision).T  # (I, O)
    return dot(lax.optimization_barrier(factor(x, precision).T), gradient, precision)  # (I, O)


def squared_norm(array: jax.Array) -> jax.Array:
    """Return the sum of an array's squares, as a dot product, which is faster than squaring and summing.

    Example:
      >>> float(squared_norm(jnp.array([[3.0], [4.0]])))
      25.0
    """
    flat = array.reshape(-1)
    return jnp.vdot(flat, flat, precision=_float32())
