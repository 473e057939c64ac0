"""Learning-rate schedules: the factor of the recipe's learning rate at every step, computed on the host."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

import numpy as np

from wellfit.base import FloatArray, Schedule
from wellfit.errors import StudyFileError, UnknownNameError

__all__ = ["SCHEDULES", "multipliers"]

SCHEDULES: Final[tuple[str, ...]] = ("constant", "step", "exponential", "cosine", "warmup", "one-cycle")

_SETTINGS: Final[Mapping[str, Mapping[str, float]]] = {
    "constant": {"warmup": 0.0},
    "step": {"warmup": 0.0, "every": 1 / 3, "factor": 0.1},
    "exponential": {"warmup": 0.0, "factor": 0.1},
    "cosine": {"warmup": 0.0, "factor": 0.0},
    "warmup": {"warmup": 0.1},
    "one-cycle": {"warmup": 0.0, "peak": 0.3, "div": 25.0, "final_div": 1e4},
}
"""Kind -> its settings with their defaults."""


@functools.lru_cache(maxsize=256)  # called for every trajectory in every epoch
def multipliers(schedule: Schedule, steps: int) -> FloatArray:
    """Compute every step's learning rate relative to the recipe's, which for ``"one-cycle"`` is the peak.

    Let ``p`` be the completed fraction of the steps after warm-up, from 0 at the first to just below 1 at the last:

    - step: ``factor ** floor(p / every)``
    - exponential: ``factor ** p``
    - cosine: ``factor + (1 - factor) * (1 + cos(pi * p)) / 2``
    - one-cycle: half a cosine from ``1 / div`` up to 1 at ``p = peak``, then one down to ``1 / (div * final_div)``

    Step ``t`` (from 0) of ``w`` warm-up steps has ``(t + 1) / (w + 1)`` of the first rate after warm-up, so that no
    step has rate 0.

    Args:
      steps: number of training steps that the schedule spans.

    Returns:
      The factors, float64, read-only.  # (steps,)

    Raises:
      UnknownNameError: an unknown kind of schedule.
      StudyFileError: a setting that the kind does not have, or that is out of range.

    Source: Loshchilov & Hutter (2017), "SGDR", eq. 5, for cosine; Smith & Topin (2018), "Super-convergence", for
    one-cycle, with the cosine phases and defaults of PyTorch and optax; Goyal et al. (2017), "Accurate, large minibatch
    SGD", section 2.2, for warm-up.

    Example:
      >>> multipliers(Schedule("step", every=0.5), 4).tolist()
      [1.0, 1.0, 0.1, 0.1]
    """
    settings = _settings(schedule)
    rising = round(settings["warmup"] * steps)
    after = steps - rising
    progress = np.arange(max(after, 1)) / max(after, 1)  # (after,), or (1,) for the warm-up's target
    values = _shape(schedule.kind, settings, progress)  # (after,)
    ramp = values[0] * np.arange(1, rising + 1) / (rising + 1)  # (rising,)
    factors = np.concatenate([ramp, values[:after]])  # (steps,)
    factors.flags.writeable = False  # the cache returns the same array again
    return factors


def _settings(schedule: Schedule) -> dict[str, float]:
    """Check a schedule's settings and fill in its kind's defaults."""
    kind = schedule.kind
    if kind not in _SETTINGS:
        raise UnknownNameError("schedule", kind, SCHEDULES)
    given = {name: value for name, value in vars(schedule).items() if name != "kind" and value is not None}
    for name, value in given.items():
        if name not in _SETTINGS[kind]:
            settings = ", ".join(_SETTINGS[kind])
            raise StudyFileError(f"schedule {kind!r} has no setting {name!r}; remove it, or use one of: {settings}")
        if name in ("div", "final_div"):
            if not 1 <= value < np.inf:
                raise StudyFileError(
                    f"schedule {kind!r}: {name} = {value:g} is out of range; use a finite number of at least 1"
                )
        elif not 0 <= value <= 1:
            raise StudyFileError(f"schedule {kind!r}: {name} = {value:g} is out of range; use a number from 0 to 1")
        elif name == "every" and value == 0:
            raise StudyFileError(f"schedule {kind!r}: every = 0 leaves no step between drops; use a number above 0")
    return {**_SETTINGS[kind], **given}


def _shape(kind: str, settings: Mapping[str, float], progress: FloatArray) -> FloatArray:
    """Evaluate a kind after warm-up, as a function of the completed fraction of its steps."""
    if kind == "step":
        drops = np.floor(progress / settings["every"] + 1e-9)  # 0.3 / 0.1 is just below 3 in floating point
        return np.asarray(settings["factor"] ** drops)
    if kind == "exponential":
        return np.asarray(settings["factor"] ** progress)
    if kind == "cosine":
        return _half_cosine(1.0, settings["factor"], progress)
    if kind == "one-cycle":
        peak, first = settings["peak"], 1 / settings["div"]
        up = _half_cosine(first, 1.0, progress / max(peak, 1e-9))
        down = _half_cosine(1.0, first / settings["final_div"], (progress - peak) / max(1 - peak, 1e-9))
        return np.where(progress < peak, up, down)
    return np.ones_like(progress)


def _half_cosine(begin: float, end: float, share: FloatArray) -> FloatArray:
    """Interpolate from ``begin`` at 0 to ``end`` at 1 along half a cosine, with slope 0 at both ends."""
    return np.asarray(end + (begin - end) * (1 + np.cos(np.pi * share)) / 2)
