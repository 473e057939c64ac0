"""Under-fitting and whose fault it is."""

import numpy as np
import pytest

from seen_runs import fixes, history, variant
from wellfit.base import ModelSpec, Recipe
from wellfit.diagnostics.underfitting import TRAIN_LONGER, dead_units, hardly_learned, underfitting
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


def test_a_penalty_is_blamed_if_less_of_it_learns():
    found = judged(Recipe(l2=0.1), 0.1, GOOD, small_weights=0.95)
    assert found.code == "penalty-too-strong"
    assert "with l2 = 0.1; with less regularization, baseline reaches 90.1 %; 95 % of its weights" in found.evidence
    assert "most frequent class gives 10.0 %" in found.evidence
    assert fixes(found.fix) == ["variants.mine.l2=0.01"]
    weaker = judged(Recipe(l2=0.1), 0.72, GOOD)  # far from chance, yet far too strong
    assert weaker.code == "penalty-too-strong"
    assert "most frequent" not in weaker.evidence


def test_a_penalty_is_not_blamed_if_the_baseline_fails_too():
    failed = variant("baseline", runs(0.1, 0.1))
    assert judged(Recipe(l2=0.1), 0.1, failed).code == "underfitting"
    assert judged(Recipe(), 0.1, failed).code == "underfitting"


def test_a_penalty_without_a_baseline_is_blamed():
    found = judged(Recipe(l2=(0.1, 0.3), dropout=0.9), 0.1)
    assert found.code == "penalty-too-strong"
    assert "(now l2 = 0.3 and dropout = 0.9)" in found.fix


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


def test_hardly_learned_is_less_than_half_of_the_way():
    far = variant("far", runs(0.45))
    assert hardly_learned(far, [GOOD, far], 0.1)
    assert not hardly_learned(GOOD, [GOOD, far], 0.1)


def test_dead_units_count_from_two_fifths_on():
    def found(shares, recipe=None, **columns):
        seen = variant("a", [history(validation_loss=LOSS, dead_units=s, **columns) for s in shares], recipe)
        return dead_units(seen, [seen])

    observation = found([0.9, 0.8, 0.7], learning_rate=0.1)
    assert observation.evidence.startswith("80.0 % [55.2, 100.0] of the ReLU units are 0")
    assert fixes(observation.fix) == ["train.learning_rate=0.01"]
    assert "l1=0.01" in found([0.9] * 3, Recipe(l1=0.1)).fix
    assert fixes(found([0.9] * 3).fix) == ["variants.leaky.model.activation=leaky_relu"]
    assert found([0.3] * 3) is None
    assert found([1.0, 0.3, 0.3]) is None  # one run of three is no rule
    assert found([0.39] * 3) is None
