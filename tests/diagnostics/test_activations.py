"""Dead units, and gradients that vanish."""

import numpy as np
import pytest

from seen_runs import fixes, history, variant
from wellfit.base import LayerSpec, ModelSpec, Recipe
from wellfit.diagnostics.activations import dead_units, vanishing
from wellfit.spec.study import load_study

LOSS = np.full(20, 0.4)


def test_dead_units_count_from_two_fifths_on():
    def found(shares, recipe=None, **columns):
        seen = variant("a", [history(validation_loss=LOSS, dead_units=s, **columns) for s in shares], recipe)
        return dead_units(seen, [seen], 0.1)

    observation = found([0.9, 0.8, 0.7], learning_rate=0.1)
    assert observation.evidence.startswith("80.0 % [55.2, 100.0] of the ReLU units are 0")
    assert fixes(observation.fix) == ["train.learning_rate=0.001"]  # Adam's usual one
    assert "l1=0.01" in found([0.9] * 3, Recipe(l1=0.1)).fix
    assert fixes(found([0.9] * 3, Recipe(l1=1e-6), learning_rate=0.1).fix) == ["train.learning_rate=0.001"]
    assert fixes(found([0.9] * 3).fix) == ["variants.leaky.model.activation=leaky_relu"]
    assert fixes(found([0.9] * 3, learning_rate=0.001).fix) == ["variants.leaky.model.activation=leaky_relu"]
    assert found([0.3] * 3) is None
    assert found([1.0, 0.3, 0.3]) is None  # one run of three is no rule
    assert found([0.39] * 3) is None


DEEP = ModelSpec(hidden=(16,) * 6, activation="sigmoid")
STUCK = {"train_loss": np.full(20, 2.3), "train_accuracy": 0.1}


def of(model, name="a", **columns):
    return variant(name, [history(validation_loss=LOSS, **columns) for _ in range(3)], Recipe(model=model))


def test_sigmoid_layers_on_a_plateau():
    stuck = of(DEEP, **STUCK)
    found = vanishing(stuck, [stuck], 0.1)
    assert "its 6 sigmoid layers pass at most (1/4)^6 = 0.00024 of the gradient" in found.evidence
    assert [load_study("lab5", settings=[text]) for text in fixes(found.fix)]
    late = of(DEEP, train_loss=np.where(np.arange(20) < 12, 2.3, 0.5))  # it left the plateau late
    assert vanishing(late, [late], 0.1) is not None


@pytest.mark.parametrize(
    "model",
    [
        ModelSpec(hidden=(16,) * 6),
        ModelSpec(hidden=(16,) * 2, activation="sigmoid"),
        ModelSpec(hidden=(16,) * 6, activation="sigmoid", batch_norm=True),
        ModelSpec("layers", layers=(LayerSpec("dense", units=9, function="sigmoid"), LayerSpec("batch_norm")) * 3),
    ],
)
def test_other_networks_are_stuck_for_other_reasons(model):
    stuck = of(model, **STUCK)
    assert vanishing(stuck, [stuck], 0.1) is None


def test_layers_in_a_list_count_too():
    stuck = of(ModelSpec("layers", layers=(LayerSpec("dense", units=9, function="sigmoid"),) * 3), **STUCK)
    assert "relu in place of sigmoid" in vanishing(stuck, [stuck], 0.1).fix


def test_depth_is_not_to_blame_if_the_same_network_learned():
    stuck, learned = of(DEEP, **STUCK), of(DEEP, "good", train_loss=np.linspace(2, 0.2, 20))
    assert vanishing(stuck, [stuck, learned], 0.1) is None
    assert vanishing(learned, [learned], 0.1) is None
