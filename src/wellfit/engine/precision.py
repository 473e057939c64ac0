"""The precision of a network's matrix products, and whether bfloat16 is faster on this machine.

Whether a CPU multiplies bfloat16 fast is measured, because its features do not say: on a processor with AVX512-BF16,
mixed precision trained lab5 1.4 times slower than float32. GPUs: NVIDIA (2020), "A100 Tensor Core GPU Architecture",
compute capability 8.0.
"""

from __future__ import annotations

import functools
import math
import re
import time
from collections.abc import Callable, Collection
from typing import Any, Final

import jax
import numpy as np
from jax.sharding import PartitionSpec

from wellfit.base import ModelSpec
from wellfit.engine import devices, machine_file
from wellfit.errors import UnknownNameError
from wellfit.nn.products import PRECISIONS, Precision, product

__all__ = ["CHOICES", "has_convolution", "in_words", "mixed_is_faster", "resolve"]

CHOICES: Final = (*PRECISIONS, "auto")
"""The precisions that a study may choose."""

_GAIN: Final = 0.9  # mixed precision is chosen only below this fraction of float32's time; less gain is noise
_SIZES: Final = (256, 784, 128)  # batch, inputs and units of a first layer, whose products take most of an epoch
_ROUNDS: Final = 12
_PRODUCTS: Final = 8  # a round


@functools.cache
def mixed_is_faster() -> bool:
    """Return whether products in mixed precision are faster than in float32 here.

    On a CPU the products of a layer are timed once per machine, which takes about two seconds of processor time; the
    result is kept in wellfit's cache folder. A GPU says by its compute capability.

    Example:
      >>> resolve("auto", ModelSpec("logistic", ())) == ("mixed" if mixed_is_faster() else "float32")
      True
    """
    device = devices.mesh().devices.flat[0]
    if device.platform != "cpu":
        capability = re.fullmatch(r"(\d+)\.\d+", str(getattr(device, "compute_capability", "")))  # AMD reports a name
        return capability is not None and int(capability[1]) >= 8
    seconds = _as_seconds(machine_file.read("precision").get(machine_file.name()))
    if seconds is None:
        seconds = _measured()
        machine_file.write("precision", machine_file.name(), seconds)
    return seconds["mixed"] < _GAIN * seconds["float32"]


def _as_seconds(kept: Any) -> dict[str, float] | None:
    """Check a saved measurement; None if it is missing or malformed."""
    if not isinstance(kept, dict) or kept.keys() != set(PRECISIONS):
        return None
    sound = all(type(seconds) is float and 0 < seconds < math.inf for seconds in kept.values())
    return dict(kept) if sound else None


def _measured() -> dict[str, float]:
    """The seconds of a layer's products, forward and backward, in turns: the best of each, with all devices busy.

    Other processes only ever make a turn longer, so that the best is what the machine can do.
    """
    programs = {precision: _products(precision) for precision in PRECISIONS}
    best = dict.fromkeys(PRECISIONS, math.inf)
    for number in range(1 + _ROUNDS):
        for precision, run in programs.items():
            began = time.perf_counter()
            run()
            seconds = time.perf_counter() - began
            if number:  # the first compiles
                best[precision] = min(best[precision], seconds)
    return best


def _products(precision: Precision) -> Callable[[], None]:
    """A function that computes a layer's products several times on every device, and waits for them."""
    batch, inputs, units = _SIZES
    mesh = devices.mesh()
    spread = PartitionSpec(devices.POPULATION)
    generator = np.random.default_rng(0)

    def normal(*shape: int) -> jax.Array:
        return jax.device_put(generator.normal(size=(mesh.size, *shape)).astype(np.float32), devices.sharded(mesh))

    def steps(x: jax.Array, kernel: jax.Array, deeper: jax.Array) -> jax.Array:
        """Descend a few steps, so that no product can be left out or computed once for all."""

        def step(_: int, kernels: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            def loss(first: jax.Array, second: jax.Array) -> jax.Array:
                hidden = jax.nn.relu(product(x[0], first, precision))  # (batch, units)
                return (product(hidden, second, precision) ** 2).mean()

            grads = jax.grad(loss, (0, 1))(*kernels)
            return kernels[0] - 1e-3 * grads[0], kernels[1] - 1e-3 * grads[1]

        return jax.lax.fori_loop(0, _PRODUCTS, step, (kernel[0], deeper[0]))[0][None]

    mapped = jax.shard_map(steps, mesh=mesh, in_specs=(spread,) * 3, out_specs=spread, check_vma=False)
    program = jax.jit(mapped)
    given = normal(batch, inputs), normal(inputs, units), normal(units, units)

    def run() -> None:
        program(*given).block_until_ready()

    return run


def resolve(precision: str, model: ModelSpec) -> Precision:
    """Resolve the precision of a model's matrix products.

    Args:
      precision: one of ``CHOICES``. ``"auto"`` means ``"mixed"`` if that is faster on this machine and the model has no
        convolutions, which are slower in bfloat16 on CPUs (LeNet-5 took 3.5 s per epoch, against 1.6 s in float32).

    Raises:
      UnknownNameError: no such precision.

    Example:
      >>> resolve("mixed", ModelSpec("lenet5", ())), resolve("auto", ModelSpec("lenet5", ()))
      ('mixed', 'float32')
    """
    if precision not in CHOICES:
        raise UnknownNameError("precision", precision, CHOICES)
    if precision == "auto":
        return "mixed" if not has_convolution(model) and mixed_is_faster() else "float32"
    return "mixed" if precision == "mixed" else "float32"


def has_convolution(model: ModelSpec) -> bool:
    """Return whether a model has a convolutional layer.

    Example:
      >>> has_convolution(ModelSpec("lenet5", ())), has_convolution(ModelSpec("logistic", ()))
      (True, False)
    """
    return model.kind in ("lenet5", "cnn") or any(layer.kind == "conv2d" for layer in model.layers)


def in_words(precisions: Collection[Precision]) -> str:
    """Describe the precisions of a plan's programs in words.

    Args:
      precisions: the distinct precisions; both only if the study chose ``"auto"``.

    Example:
      >>> in_words({"mixed"})
      'products in bfloat16, sums in float32'
    """
    if "mixed" not in precisions:
        return "products in float32"
    rest = "; those of convolutional networks in float32" if "float32" in precisions else ""
    return f"products in bfloat16, sums in float32{rest}"
