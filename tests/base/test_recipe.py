"""The names that a recipe allows are those that networks and training implement."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from wellfit.base import Activation, Initializer, LayerKind, Loss, ModelKind, Optimizer, ScheduleKind
from wellfit.nn import initializers, layers, losses, models, optimizers, schedules


@pytest.mark.parametrize(
    ("names", "implemented"),
    [
        (Optimizer, optimizers.OPTIMIZERS),
        (Loss, losses.LOSSES),
        (ScheduleKind, schedules.SCHEDULES),
        (ModelKind, models.MODELS),
        (LayerKind, models.LAYERS),
        (Activation, layers.ACTIVATIONS),
        (Initializer, initializers.INITIALIZERS),
    ],
)
def test_every_allowed_name_is_implemented(names: Any, implemented: Any) -> None:
    assert sorted(get_args(names)) == sorted(implemented)
