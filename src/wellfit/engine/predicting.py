"""Prediction for scores: many networks on the same examples, one after another, each in inference mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from wellfit.base import FloatArray, ModelSpec, Scaling
from wellfit.engine.evaluation import params_and_stats, predict_program
from wellfit.engine.release import MOST_PROGRAMS
from wellfit.nn.models import build, without_rates

__all__ = ["predict_proba"]

_ROWS: Final = 2000  # examples of a batch


@lru_cache(maxsize=MOST_PROGRAMS)
def _predictor(model: ModelSpec, shape: tuple[int, ...], classes: int) -> Callable[..., jax.Array]:
    return predict_program(build(model, shape, classes))


def predict_proba(
    model: ModelSpec,
    weights: Mapping[str, FloatArray],
    x: np.ndarray,
    classes: int,
    scaling: Scaling,
    most: int = 0,
) -> FloatArray:
    """Predict class probabilities with a trained network in inference mode, always in float32.

    Args:
      weights: a ``RunRecord``'s weights.
      x: unscaled examples.  # (M, ...)
      classes: number of classes that the run was trained for.
      scaling: the scaling that it was trained with.
      most: the largest number of examples of all calls that shall share a program, where these have various numbers.

    Returns:
      Probabilities, float32; rows sum to 1.  # (M, classes)
    """
    shape = tuple(x.shape[1:])
    program = _predictor(without_rates(model), shape, classes)
    scales = jnp.asarray(scaling.shift, jnp.float32), jnp.asarray(scaling.factor, jnp.float32)
    arrays, stats = params_and_stats(build(model, shape, classes), weights)
    rows = min(_ROWS, max(len(x), most))
    parts = []
    for begin in range(0, len(x), rows):
        part = x[begin : begin + rows]
        padded = np.concatenate([part, np.repeat(part[:1], rows - len(part), axis=0)])  # one shape compiles once
        parts.append(np.asarray(program(arrays, stats, jnp.asarray(padded), scales))[: len(part)])
    return np.concatenate(parts)  # (M, classes)
