"""Labels that the features do not predict, in all sets or in one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, hypergeom

from planted import changed, codes, findings, halves_of_digits, make, message, toy, with_given_validation
from wellfit.data.audits.signal import agreement, at_least
from wellfit.data.catalog import load_dataset

NONE, UNLIKE = "features-without-signal", "labels-unrelated-in-split"


def test_probabilities_are_scipys():
    for right, total, share in ((0, 9, 0.2), (3, 9, 0.2), (9, 9, 0.2), (50, 400, 0.1)):
        assert at_least(right, total, share) == pytest.approx(binom.sf(right - 1, total, share), rel=1e-9)
    assert at_least(10, 9, 0.5) == 0
    predicted, labels = np.array([0, 0, 1, 1, 1, 1]), np.array([0, 1, 1, 1, 1, 0])
    tail = min(hypergeom.sf(0, 6, 2, 2), hypergeom.sf(2, 6, 4, 4)) * 2
    found = agreement(predicted, labels, 2)
    assert (found.right, found.total) == (4, 6)
    assert found.chance == pytest.approx((2 * 2 + 4 * 4) / 36)
    assert found.p == pytest.approx(min(1, 2 * min(tail, binom.sf(3, 6, found.chance))))
    assert agreement(labels, labels, 2).kappa == pytest.approx(1)


def test_a_rare_class_is_a_sign_too():
    labels = np.arange(2000) < 20
    predicted = labels.copy()
    predicted[15:100] = ~predicted[15:100]  # 15 of 20 found, with 80 false alarms: accuracy below that of guessing
    found = agreement(predicted.astype(int), labels.astype(int), 2)
    assert found.right < 1980
    assert found.p < 1e-9


def shuffled(seed):
    """Digits of which all labels are shuffled."""
    digits, rng = halves_of_digits(seed), np.random.default_rng(seed)
    return changed(digits, y_train=rng.permutation(digits.y_train), y_test=rng.permutation(digits.y_test))


def test_nearly_all_shuffled_labels_are_found():
    found = sum(NONE in codes(shuffled(seed)) for seed in range(20))
    assert found >= 18  # one in a hundred shows a sign by chance


def test_what_is_said_of_shuffled_labels():
    fault = shuffled(0)
    found = findings(fault)[NONE]
    assert found.level == "info"  # 750 training examples
    assert found.message.startswith("There is no sign that the features predict the labels: of single features,")
    assert "A network may learn what these miss" in found.message
    assert UNLIKE not in codes(fault)


def test_shuffled_rows_of_a_larger_table():
    data = toy(n=2000)
    y = np.random.default_rng(0).permutation(data.y_train)
    assert codes(changed(data, y_train=y))[NONE] == "warning"
    small = toy(n=100)
    assert NONE not in codes(changed(small, y_train=np.random.default_rng(0).permutation(small.y_train)))


def xor(n, rng):
    x = rng.normal(size=(n, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def rings(n, rng):
    y, angle = rng.permutation(np.arange(n) % 2), rng.uniform(0, 7, n)
    return (1 + y)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) + rng.normal(0, 0.2, (n, 2)), y


def checkerboard(n, rng):
    x = rng.uniform(0, 4, (n, 2))
    return x, (x.astype(int).sum(axis=1) % 2)


def weak(n, rng):
    y = rng.permutation(np.arange(n) % 2)
    return rng.normal(size=(n, 10)) + 0.5 * y[:, None] * (np.arange(10) == 3), y


def rare(n, rng):
    y = (rng.random(n) < 0.03).astype(int)
    return rng.normal(size=(n, 10)) + y[:, None] * (np.arange(10) == 0), y


@pytest.mark.parametrize("problem", [xor, rings, checkerboard, weak, rare])
@pytest.mark.parametrize("seed", range(3))
def test_hard_problems_show_a_sign(problem, seed):
    rng = np.random.default_rng(seed)
    (x, y), (held, held_y) = problem(1500, rng), problem(300, rng)
    assert not {NONE, UNLIKE} & codes(make(x, y, held, held_y)).keys()


@pytest.mark.parametrize("a", [0.05, 0.5, 2])
def test_cosines_show_a_sign(a):
    assert NONE not in codes(load_dataset(f"cosines:{a}"))


def test_labels_of_one_set_shuffled():
    sound = halves_of_digits(0)
    shuffled = np.random.default_rng(0).permutation(sound.y_test)
    found = findings(changed(sound, y_test=shuffled))[UNLIKE]
    assert found.level == "error"
    assert found.message.startswith("The test labels do not fit the test examples: the ")
    assert ", no more than by chance (" in found.message
    fault, splits = with_given_validation(sound, sound.x_test, shuffled)
    fault = changed(fault, x_test=halves_of_digits(1).x_test, y_test=halves_of_digits(1).y_test)
    assert message(fault, UNLIKE, splits).startswith("The validation labels do not fit the validation examples")


def test_most_labels_of_one_set_shuffled():
    sound = halves_of_digits(0)
    y, some = sound.y_test.copy(), np.arange(300)
    y[some] = np.random.default_rng(0).permutation(y[some])
    assert codes(changed(sound, y_test=y))[UNLIKE] == "warning"


def test_few_shuffled_labels_of_one_set_are_not_seen():
    sound = halves_of_digits(0)
    y = sound.y_test.copy()
    y[:40] = np.random.default_rng(0).permutation(y[:40])
    assert UNLIKE not in codes(changed(sound, y_test=y))
