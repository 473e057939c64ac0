"""Hyperparameters: defaults are filled in, and a single strength applies to every layer but the output layer."""

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
    assert hyperparameters(model=ModelSpec("logistic", ()), l2=1e-3).l2 == (1e-3,)  # its only layer


def test_defaults_are_the_optimizers_or_neutral() -> None:
    resolved = hyperparameters(optimizer="sgd", momentum=0.5)
    assert (resolved.learning_rate, resolved.momentum) == (OPTIMIZERS["sgd"].learning_rate, 0.5)
    assert (resolved.max_norm, resolved.clip_norm, resolved.class_weights) == (math.inf, math.inf, (1.0,) * 10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropout": (0.1, 0.2, 0.3)}, "variant 'v': dropout has 3 values, but applies to 2 of the model's layers"),
        ({"l2": (0.1, 0.2, 0.3, 0.4)}, "variant 'v': l2 has 4 values, but applies to 2 of the model's layers"),
        ({"class_weights": (1.0, 2.0)}, "variant 'v': class_weights has 2 values, but the data have 10 classes"),
    ],
)
def test_lists_of_the_wrong_length_are_rejected(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        hyperparameters(**changes)


def test_values_that_are_neutral_in_every_run_are_not_used() -> None:
    assert uses([hyperparameters(learning_rate=0.0)]) == set()
    assert uses(
        [hyperparameters(), hyperparameters(max_norm=3.0), hyperparameters(augmentation=Augmentation(shift=0.1))]
    ) == {
        "learning_rate",
        "max_norm",
        "shift",
    }
    assert uses([hyperparameters(class_weights=(2.0, *[1.0] * 9))]) == {"learning_rate", "class_weights"}


def test_a_schedule_spans_the_epochs_and_is_not_traced() -> None:
    schedule = Schedule("cosine")
    assert (hyperparameters(schedule=schedule, epochs=7).span, hyperparameters(epochs=7).span) == (7, 0)
    assert not {"schedule", "span"} & set(TRACED)


def test_balanced_class_weights_are_those_of_the_data() -> None:
    recipe = Recipe(class_weights="balanced")
    model = build(recipe.model, (4,), 2)
    assert hyperparameters_of("v", recipe, model, 2, (0.5, 4.0)).class_weights == (0.5, 4.0)
