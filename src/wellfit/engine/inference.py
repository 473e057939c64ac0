"""Prediction with trained networks for people: large batches spread over the devices, few programs for any number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from numpy.typing import NDArray

from wellfit.base import FloatArray, ModelSpec, Scaling
from wellfit.engine.devices import POPULATION, start_to_predict
from wellfit.engine.evaluation import params_and_stats, rescale
from wellfit.nn.models import ModelParams, build, without_rates

__all__ = ["padded_rows", "predict_each"]

_MOST_ROWS: Final = 512  # of a device at once: the activations of a small CNN stay near the cache
_FEWEST_ROWS: Final = 16  # a tile of images, see ``nn.tiles``


def predict_each(
    model: ModelSpec, networks: Iterable[tuple[Mapping[str, FloatArray], NDArray[Any], Scaling]], classes: int
) -> FloatArray:
    """Predict class probabilities with several networks of one architecture, in inference mode, always in float32.

    Later calls compile nothing, whatever their number of examples, as soon as each of a few sizes has been used.

    Args:
      model: the architecture.
      networks: for each its weights, as in ``RunRecord``, unscaled examples (M, ...) and its scaling.
      classes: number of classes.

    Returns:
      Probabilities, float32; rows sum to 1.  # (S, M, classes)

    Example:
      >>> from wellfit.base import ModelSpec
      >>> weights = {"dense_1/kernel": np.zeros((3, 2), np.float32), "dense_1/bias": np.zeros(2, np.float32)}
      >>> one = weights, np.ones((4, 3), np.float32), Scaling("unit", np.float32(0), np.float32(1))
      >>> predict_each(ModelSpec("logistic"), [one, one], 2).shape
      (2, 4, 2)
    """
    start_to_predict()
    mesh = Mesh(np.array(jax.devices()), (POPULATION,))
    waiting = [_started(model, weights, x, scaling, classes, mesh) for weights, x, scaling in networks]
    return np.stack([np.concatenate([np.asarray(p)[:n] for p, n in parts]) for parts in waiting])


def _started(
    model: ModelSpec,
    weights: Mapping[str, FloatArray],
    x: NDArray[Any],
    scaling: Scaling,
    classes: int,
    mesh: Mesh,
) -> list[tuple[jax.Array, int]]:
    """The probabilities of one network, still being computed, and how many rows of each array count."""
    shape = tuple(x.shape[1:])
    program = _program(without_rates(model), shape, classes, mesh)
    arrays, stats = params_and_stats(build(model, shape, classes), weights)
    scales = jnp.asarray(scaling.shift, jnp.float32), jnp.asarray(scaling.factor, jnp.float32)
    parts = []
    for part in _pieces(x, padded_rows(len(x), mesh.size)):
        rows = padded_rows(len(part), mesh.size)
        full = np.concatenate([part, np.repeat(part[:1], rows - len(part), axis=0)]) if rows > len(part) else part
        parts.append((program(arrays, stats, full, scales), len(part)))
    return parts


def _pieces(x: NDArray[Any], rows: int) -> Iterator[NDArray[Any]]:
    return (x[begin : begin + rows] for begin in range(0, len(x), rows))


def padded_rows(examples: int, devices: int) -> int:
    """How many rows a program gets at once: powers of two for each device, so that few programs are compiled.

    Example:
      >>> [padded_rows(n, 2) for n in (1, 33, 500, 10_000)]
      [32, 64, 512, 1024]
    """
    of_device = _FEWEST_ROWS
    while of_device < _MOST_ROWS and of_device * devices < examples:
        of_device *= 2
    return of_device * devices


@lru_cache(maxsize=32)
def _program(model: ModelSpec, shape: tuple[int, ...], classes: int, mesh: Mesh) -> Callable[..., jax.Array]:
    """The jitted function from weights, statistics, unscaled examples and scaling to probabilities."""
    built = build(model, shape, classes)

    def predict(
        params: ModelParams, stats: ModelParams, x: jax.Array, scaling: tuple[jax.Array, jax.Array]
    ) -> jax.Array:
        return jax.nn.softmax(built.apply(params, stats, rescale(x, *scaling))[0])  # (rows, K)

    whole, spread = PartitionSpec(), PartitionSpec(POPULATION)
    return jax.jit(
        jax.shard_map(predict, mesh=mesh, in_specs=(whole, whole, spread, whole), out_specs=spread, check_vma=False)
    )
