"""Under-fitting and whose fault it is."""

import numpy as np
import pytest

from seen_runs import fixes, history, variant
from wellfit.base import ModelSpec, Recipe
from wellfit.diagnostics.underfitting import TRAIN_LONGER, underfitting
from wellfit.spec.study import load_study

E = np.arange(1, 21)
LOSS = 0.4 + 0.5 * np.exp(-E)


def runs(train, validation=0.88, seeds=3, **columns):
    return [
        history(validation_loss=LOSS, train_accuracy=train + 0.001 * s, validation_accuracy=validation, **columns)
        for s in range(seeds)
    ]


GOOD = variant("baseline", runs(0.9))


def judged(recipe, accuracy, *others, **columns):
    seen = variant("mine", runs(accuracy, accuracy, **columns), recipe)
    return underfitting(seen, [*others, seen], 0.1)


def test_a_network_at_chance_is_not_enlarged():
    failed = variant("baseline", runs(0.1, 0.1))
    for recipe in (Recipe(l2=0.1), Recipe(), Recipe(learning_rate=0.01)):
        found = judged(recipe, 0.1, failed)
        assert found.code == "underfitting"
        assert "hidden" not in found.fix
        (rates,) = fixes(found.fix)
        assert load_study("lab5", settings=[rates])


def test_another_network_is_no_evidence():
    found = judged(Recipe(l2=1e-3, model=ModelSpec(hidden=(2,))), 0.5, GOOD)
    assert found.code == "underfitting"
    assert "baseline reaches 88.0 % on validation examples" in found.evidence


def test_a_small_network_grows_and_a_learning_one_goes_on():
    narrow = judged(Recipe(model=ModelSpec(hidden=(4,))), 0.7, GOOD)
    assert [load_study("lab5", settings=[text]) for text in fixes(narrow.fix)]
    assert "hidden=[8]" in narrow.fix
    slow = judged(Recipe(model=ModelSpec(hidden=(4,))), 0.7, GOOD, train_loss=2 - E / 20)
    assert slow.fix.startswith(TRAIN_LONGER)


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(l2=0.1), Recipe(label_noise=0.3, l2=0.1)])
def test_a_good_fit_and_one_of_noisy_labels_are_none(recipe):
    assert judged(recipe, 0.7 if recipe.label_noise else 0.87, GOOD) is None


def test_seeds_that_vary_do_not_make_a_poor_fit():
    rng, false = np.random.default_rng(0), 0
    for _ in range(200):
        result = [
            variant(
                name,
                [history(validation_loss=LOSS, train_accuracy=a, validation_accuracy=a - 0.005) for a in accuracies],
            )
            for name, accuracies in zip("abcd", 0.88 + 0.01 * rng.normal(size=(4, 5)), strict=True)
        ]
        false += any(underfitting(seen, result, 0.1) is not None for seen in result)
    assert false <= 10  # 5 %


def test_class_weights_trade_accuracy_for_recall():
    assert judged(Recipe(class_weights=(1.0, 30.0)), 0.6, GOOD) is None


def test_a_logistic_model_gets_hidden_layers_and_a_regularized_one_less_regularization():
    assert "hidden layers" in judged(Recipe(model=ModelSpec("logistic", hidden=())), 0.7, GOOD).fix
    assert "dropout=0.2" in judged(Recipe(model=ModelSpec(hidden=(4,)), dropout=0.4), 0.7, GOOD).fix
