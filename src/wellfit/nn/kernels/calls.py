"""The kernels as operations of JAX, for one network or a population of them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal, TypeAlias

import jax
import jax.numpy as jnp

from wellfit.nn.kernels import frame, handlers, machine_code
from wellfit.nn.kernels.blocks import Shape
from wellfit.nn.kernels.moments import Images, moments_function, products_function
from wellfit.nn.kernels.processor import Processor
from wellfit.nn.kernels.vectors import Writer

__all__ = ["channel_sums", "frame_is_known", "images_gradient", "kernel_gradient", "output"]

_lock: Final = threading.Lock()


def frame_is_known(processor: Processor) -> bool:
    """Return whether XLA calls functions as ``frame`` expects: a function copies an array after checking the frame."""
    name = _registered(machine_code.written(frame.check, processor), processor)
    given = jnp.arange(16, dtype=jnp.float32)
    returned = jax.jit(jax.ffi.ffi_call(name, jax.ShapeDtypeStruct((16,), jnp.float32)))(given)
    return bool((returned == given).all())


def output(
    shape: Shape,
    processor: Processor,
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array,
    *noise: jax.Array,
    pooled: bool,
) -> tuple[jax.Array, ...]:
    """Convolve images; with pooling, rectify and pool them too.

    Args:
      shape: of the convolution; images are padded.
      x, kernel, bias: of one network.  # (T, C, H, W, M), (K, K, C, F), (F,)
      noise: words and scale of the dropout before pooling, if there is one; see ``pooled.Noise``.  # (4,), (1,)

    Returns:
      The output (T, F, R, Q, M), or the pooled output and where its gradient goes, uint8.
    """
    kind = "dropped" if noise else "output"
    return _call(partial(_function, kind, shape, processor, pooled))(x, kernel, bias, *noise)


def images_gradient(
    shape: Shape, processor: Processor, gradient: tuple[jax.Array, ...], kernel: jax.Array, *, pooled: bool
) -> jax.Array:
    """Compute the gradient of the images.

    Args:
      gradient: of the output; with pooling, that of the pooled output, and where it goes.
    """
    return _call(partial(_function, "images", shape, processor, pooled))(*gradient, kernel)[0]


def kernel_gradient(
    shape: Shape, processor: Processor, x: jax.Array, gradient: tuple[jax.Array, ...], *, pooled: bool
) -> tuple[jax.Array, jax.Array]:
    """Compute the gradients of kernel and bias."""
    dw, db, *_ = _call(partial(_function, "kernel", shape, processor, pooled))(x, *gradient)
    return dw, db


def channel_sums(
    kind: Literal["moments", "products"], processor: Processor, *arguments: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Sum over all pixels of every channel, see ``moments``.

    Args:
      kind: of the sums.
      arguments: images, center and weight, or gradient, images and center.

    Returns:
      Two sums of every channel.  # (C,), (C,)
    """
    tiles, channels, height, width, examples = arguments[0].shape
    images = Images(channels, height * width, examples)
    flat = [a.reshape(tiles, channels, -1, examples) if a.ndim == 5 else a for a in arguments]
    first, second = _call(partial(_sums, kind, images, processor))(*flat)
    return first, second


Results: TypeAlias = Callable[[int, int], list[jax.ShapeDtypeStruct]]
"""Numbers of networks and of tiles -> the results of a function."""


def _call(function: Callable[[], tuple[str, Results]]) -> Callable[..., tuple[jax.Array, ...]]:
    """Return an operation of one network that becomes one call for all networks under ``vmap``.

    Args:
      function: returns the name that the function is registered under, and its results.
    """

    def together(networks: int, *arguments: jax.Array) -> tuple[jax.Array, ...]:
        """Compute for all networks; arguments have an axis of networks, or of 1 if they share it."""
        name, results = function()
        called = jax.ffi.ffi_call(name, results(networks, arguments[0].shape[1]), vmap_method="sequential")
        return tuple(called(*arguments))

    @jax.custom_batching.custom_vmap
    def one(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        return tuple(result[0] for result in together(1, *(a[None] for a in arguments)))

    @one.def_vmap
    def many(networks: int, batched: list[bool], *arguments: jax.Array) -> tuple[tuple[jax.Array, ...], Any]:
        given = [a if has else a[None] for a, has in zip(arguments, batched, strict=True)]
        results = together(networks, *given)
        return results, (True,) * len(results)

    return one


@functools.cache
def _sums(kind: str, images: Images, processor: Processor) -> tuple[str, Results]:
    """Compile and register a function that sums over channels; return its name and its results."""
    write = {"moments": moments_function, "products": products_function}[kind](images)

    def results(networks: int, tiles: int) -> list[jax.ShapeDtypeStruct]:
        return [jax.ShapeDtypeStruct((networks, images.channels), jnp.float32)] * 2

    return _registered(machine_code.written(write, processor), processor), results


@functools.cache
def _function(kind: str, shape: Shape, processor: Processor, pooled: bool) -> tuple[str, Results]:
    """Compile and register a function; return its name and the shapes of its results."""
    registers = processor.registers
    arrays = handlers.tails(shape, pooled=pooled)
    functions: dict[str, Callable[..., Callable[[Writer], None]]] = {
        "output": handlers.output_function,
        "dropped": partial(handlers.output_function, dropout=True),
        "images": handlers.images_function,
        "kernel": handlers.kernel_function,
    }
    write = functions[kind](shape, registers, pooled=pooled)
    name = _registered(machine_code.written(write, processor), processor)

    def image(tail: frame.Tail, kind: Any, networks: int, tiles: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((networks, tiles, *tail.shape), kind)

    def room(lengths: tuple[int, ...], networks: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((networks, *lengths), jnp.float32)

    def results(networks: int, tiles: int) -> list[jax.ShapeDtypeStruct]:
        if kind in ("output", "dropped"):
            kinds = jnp.float32, jnp.uint8
            return [image(tail, k, networks, tiles) for tail, k in zip(arrays.output, kinds, strict=False)]
        if kind == "images":
            more = [room((shape.filters, *arrays.rows, shape.examples), networks)] if pooled else []
            return [image(arrays.images, jnp.float32, networks, tiles), *more]
        sums = handlers.room_of(shape, registers, pooled=pooled)
        return [room(lengths, networks) for lengths in (arrays.kernel.shape, arrays.bias.shape, *sums)]

    return name, results


def _registered(text: str, processor: Processor) -> str:
    """Compile a function and register it with XLA under a name that identifies its code."""
    name = f"wellfit.{machine_code.digest(text, processor)}"
    with _lock:
        if name not in _names:
            jax.ffi.register_ffi_target(name, machine_code.handler(text, processor), platform="cpu")
            _names.add(name)
    return name


_names: Final[set[str]] = set()
