"""A recipe's numbers: what is left open is filled in, and one strength reaches every layer that it is meant for."""

from __future__ import annotations

import math
from typing import Any

import pytest

from wellfit.base import Augmentation, ModelSpec, Recipe, Schedule
from wellfit.engine.hyperparameters import TRACED, Hyperparameters, hyperparameters_of, uses
from wellfit.errors import StudyFileError
from wellfit.nn.models import build
from wellfit.nn.optimizers import OPTIMIZERS


def hyperparameters(**changes: Any) -> Hyperparameters:
    recipe = Recipe(**changes)
    return hyperparameters_of("v", recipe, build(recipe.model, (28, 28), 10), 10)


def test_a_single_strength_leaves_the_output_layer_alone() -> None:
    assert hyperparameters(l2=1e-3).l2 == (1e-3, 1e-3, 0.0)
    assert hyperparameters(l1=(1e-3, 2e-3)).l1 == (1e-3, 2e-3, 0.0)
    assert hyperparameters(l1=(1e-3, 2e-3, 3e-3)).l1 == (1e-3, 2e-3, 3e-3)
    assert hyperparameters(model=ModelSpec("logistic", ()), l2=1e-3).l2 == (1e-3,)  # it has no other


def test_what_is_left_open_is_the_optimizers_or_rests() -> None:
    found = hyperparameters(optimizer="sgd", momentum=0.5)
    assert (found.learning_rate, found.momentum) == (OPTIMIZERS["sgd"].learning_rate, 0.5)
    assert (found.max_norm, found.clip_norm, found.class_weights) == (math.inf, math.inf, (1.0,) * 10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropout": (0.1, 0.2, 0.3)}, "dropout of variant 'v' has 3 values, the model has 2 places for it"),
        ({"l2": (0.1, 0.2, 0.3, 0.4)}, "l2 of variant 'v' has 4 values, the model has 2 places for it"),
        ({"class_weights": (1.0, 2.0)}, "class_weights of variant 'v' has 2 values, the data have 10 classes"),
    ],
)
def test_a_list_that_fits_nothing_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        hyperparameters(**changes)


def test_what_rests_in_every_run_is_not_in_use() -> None:
    assert uses([hyperparameters(learning_rate=0.0)]) == set()
    assert uses(
        [hyperparameters(), hyperparameters(max_norm=3.0), hyperparameters(augmentation=Augmentation(shift=0.1))]
    ) == {
        "learning_rate",
        "max_norm",
        "shift",
    }
    assert uses([hyperparameters(class_weights=(2.0, *[1.0] * 9))]) == {"learning_rate", "class_weights"}


def test_a_schedule_is_laid_over_the_epochs_and_is_not_traced() -> None:
    schedule = Schedule("cosine")
    assert (hyperparameters(schedule=schedule, epochs=7).span, hyperparameters(epochs=7).span) == (7, 0)
    assert not {"schedule", "span"} & set(TRACED)
