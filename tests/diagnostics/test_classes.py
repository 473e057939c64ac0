"""Majorities, recall, and labels of other rows."""

import numpy as np
import pytest

from seen_runs import fixes, history, row, variant
from wellfit.base import Recipe
from wellfit.diagnostics.classes import Classes, accuracy_hides_recall, majority_guess, unrelated_labels
from wellfit.spec.study import load_study

ALL_ZERO, SOME, MOST = ([[97, 0], [3, 0]], [[95, 2], [2, 1]], [[80, 17], [1, 2]])


def classes(**confusion):
    return Classes(("no", "yes"), (1940, 60), {name: np.array(counts) for name, counts in confusion.items()})


def guess(accuracy=0.97, train=0.97, recipe=None, known=None, chance=0.97, others=()):
    runs = [history(validation_loss=[0.1] * 3, validation_accuracy=accuracy, train_accuracy=train) for _ in range(3)]
    seen = variant("a", runs, recipe)
    return majority_guess(seen, [seen, *others], chance, known or Classes(), 500)


def test_one_class_is_all_that_is_predicted():
    found = guess(known=classes(a=ALL_ZERO))
    assert "always predicting the most frequent class gives 97.0 %; the recall of the other classes is 0.0 %" in (
        found.evidence
    )
    assert fixes(found.fix) == ["variants.weighted.class_weights=balanced"]
    assert load_study("lab5", settings=fixes(found.fix)).variants["weighted"]
    assert guess(known=classes(a=SOME)) is None
    assert guess(chance=0.5, known=classes(a=ALL_ZERO)) is None
    assert guess(recipe=Recipe(class_weights=(1.0, 30.0)), known=classes(a=ALL_ZERO)) is None


def test_before_the_test_accuracies_tell():
    assert guess() is not None
    assert guess(train=0.99) is None  # it has learned something
    assert guess(accuracy=0.99) is None
    assert "class_weights" in guess().fix
    weighted = variant("weighted", [], Recipe(class_weights=(1.0, 30.0)))
    assert guess(others=[weighted]).fix.endswith("as weighted does.")


def test_a_lower_accuracy_may_find_the_rare_class():
    variants = [variant("plain", []), variant("weighted", [])]
    found = accuracy_hides_recall(variants, 0.97, classes(plain=ALL_ZERO, weighted=MOST))
    assert found.message.startswith(
        "weighted has the highest mean recall over the classes, 74.6 %, and plain, with the highest accuracy, 50.0 %."
    )
    assert "15.0 points lower" in found.message
    assert found.fix.endswith("--set compare.metric=balanced_accuracy")
    assert accuracy_hides_recall(variants, 0.97, classes(plain=ALL_ZERO)) is None
    assert accuracy_hides_recall(variants, 0.97, classes(plain=MOST, weighted=ALL_ZERO)) is not None
    assert accuracy_hides_recall(variants, 0.97, classes(plain=ALL_ZERO, weighted=ALL_ZERO)) is None
    assert accuracy_hides_recall(variants, 0.5, classes(plain=ALL_ZERO, weighted=MOST)) is None


def memorized(validation=0.34, train=0.9, loss=1.3, examples=(300, 0), test=None, others=()):
    runs = [
        history(validation_loss=np.full(9, loss), train_accuracy=train, validation_accuracy=validation)
        for _ in range(3)
    ]
    known = {"train_accuracy": train, "validation_accuracy": validation, "test_accuracy": test}
    seen = variant("a", runs, rows={s: row(s, **known) for s in range(3)})
    return unrelated_labels(seen, [seen, *others], 1 / 3, examples)


def test_labels_that_only_training_predicts():
    assert memorized().level == "error"
    assert memorized(train=0.588).claim == "learned nothing that holds for other examples"
    assert memorized(train=0.97).claim == "memorized its training examples and learned nothing else"
    assert "validation loss was never clearly below 1.1, that of guessing" in memorized().evidence
    assert memorized(test=0.33, examples=(100, 300)) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"validation": 0.5},
        {"train": 0.36},
        {"loss": 1.0},
        {"examples": (30, 0)},
        {"examples": (0, 0)},
        {"test": 0.5, "examples": (100, 300)},
        {"others": [variant("good", [history(validation_loss=[0.4] * 9, validation_accuracy=0.9)])]},
    ],
)
def test_labels_that_something_predicts(changed):
    assert memorized(**changed) is None


def test_noise_alone_is_seldom_called_unrelated():
    """A variant that is right 12 points more often than by chance, in validation sets of 300."""
    rng = np.random.default_rng(0)
    shares = rng.binomial(300, 1 / 3 + 0.12, 300) / 300
    assert sum(memorized(validation=share) is not None for share in shares) <= 15  # 5 %
