"""Divergence, learning rates that are too high or too low, and training that was short."""

import numpy as np
import pytest

from seen_runs import fixes, history, variant
from wellfit.base import Augmentation, History, Recipe
from wellfit.diagnostics.learning_rate import diverged, rate_too_high, rate_too_low, still_improving

E = np.arange(1, 21)
CONVERGED = 0.4 + 0.5 * np.exp(-E / 2)
FALLING = 1.0 - 0.03 * E


def test_divergence_names_seeds_and_epochs():
    runs = [
        history(validation_loss=CONVERGED),
        history(validation_loss=[0.9, 0.8, np.nan]),
        history(validation_loss=[0.9, 0.8]),
        History({}),
    ]
    seen = variant("l2", runs, Recipe(learning_rate=0.5), ["finished", *["diverged"] * 3])
    found = diverged(seen, [seen], 0.1)
    assert found.level == "error"
    assert "in 3 of 4 runs (seed 1 in epoch 3, seed 2 in epoch 3 and seed 3 in epoch 1)" in found.evidence
    assert found.fix == "Lower the learning rate (now 0.5): --set train.learning_rate=0.001"
    assert diverged(variant("a", runs[:1]), [], 0.1) is None


def test_many_that_diverged_without_a_history_are_counted():
    seen = variant("a", [], states=["diverged"] * 9)
    found = diverged(seen, [seen], 0.1)
    assert "seed 4 in epoch 1 and 4 more" in found.evidence
    assert fixes(found.fix) == ["train.learning_rate=0.0001"]  # a tenth of the usual one


def high(curves, recipe=None, **columns):
    seen = variant("a", [history(running_loss=c, **columns) for c in curves], recipe or Recipe(learning_rate=0.5))
    return rate_too_high(seen, [seen], 0.1)


def test_a_running_loss_that_rises_or_jumps():
    rising = 1.0 + np.exp(-E) + 0.05 * np.maximum(E - 6, 0)
    assert "rises from 1.01 to 1.65 by the end (3 of 3 runs)" in high([rising] * 3).evidence
    leaping = [CONVERGED + 0.4 * np.random.default_rng(s).normal(size=20) for s in range(3)]
    found = high(leaping)
    assert "jumps from epoch to epoch" in found.evidence
    assert fixes(found.fix) == ["train.learning_rate=0.03"]  # the noise is 5 times the limit, and a third is safe
    assert high(leaping, Recipe(augmentation=Augmentation(mixup=0.2))) is None


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.03])
def test_usual_noise_of_a_running_loss_is_fine(spread):
    rng = np.random.default_rng(0)
    found = [high(CONVERGED + spread * rng.normal(size=(3, 20))) for _ in range(100)]
    assert sum(f is not None for f in found) <= 2  # 0.03 is half of the threshold, 15 % of 0.4
    assert high([1e-3 * (2 + np.sin(E))] * 3) is None  # next to nothing leaps by half of itself


def test_a_rate_that_fails_where_a_lower_one_learns_is_too_high():
    dead = [history(running_loss=2.3 + 0 * E, train_accuracy=0.1) for _ in range(3)]
    good = variant("low", [history(running_loss=CONVERGED)] * 3, Recipe(learning_rate=1e-3))
    bad = variant("learning_rate=1.0", dead, Recipe(learning_rate=1.0))
    found = rate_too_high(bad, [good, bad], 0.1)
    assert "ends at 10.0 % with a learning rate of 1, and at 90.0 % with 0.001" in found.evidence
    assert fixes(found.fix) == ["variants.'try-learning_rate=0.001'.learning_rate=0.001"]  # the one that learned
    other = variant("low", [history(running_loss=CONVERGED)] * 3, Recipe(learning_rate=1e-3, batch_size=7))
    assert rate_too_high(bad, [other, bad], 0.1) is None


def test_a_penalty_that_rises_or_jumps_is_no_fault_of_the_rate():
    penalty = 3 + np.maximum(E - 6, 0) + np.random.default_rng(0).normal(size=20)
    assert high([CONVERGED + penalty] * 3) is not None
    assert high([CONVERGED + penalty] * 3, penalty=penalty) is None


def test_a_loss_above_that_of_guessing():
    curve = np.linspace(24, 8, 20)
    found = high([curve] * 3, Recipe(learning_rate=3.0), train_loss=curve)
    assert "the training loss ends at 8, and guessing gives 2.3 (3 of 3 runs); the rate, 3, is 3000 times" in (
        found.evidence
    )
    assert fixes(found.fix) == ["train.learning_rate=0.001"]
    assert high([curve] * 3, Recipe(learning_rate=1e-4), train_loss=curve) is None
    assert high([curve] * 3, Recipe(learning_rate=3.0, class_weights=(1.0, 9.0)), train_loss=curve) is None
    seen = variant("a", [history(train_loss=curve)] * 3, Recipe(learning_rate=3.0))
    assert rate_too_low(seen, [seen], 0.1) is None


def low(curve, recipe=None, others=()):
    seen = variant("a", [history(train_loss=curve, learning_rate=1e-5)] * 3, recipe)
    return rate_too_low(seen, [seen, *others], 0.1)


def test_a_slow_steady_fall_far_from_convergence():
    found = low(np.linspace(2.28, 1.7, 20))
    assert "falls steadily" in found.evidence
    assert fixes(found.fix) == ["train.learning_rate=3e-05"]  # the way left is 2.5 times the way made
    assert "falls steadily" in low(np.linspace(2.45, 2.44, 20)).evidence  # by almost nothing, yet steadily
    assert low(2.3 + 0.01 * np.random.default_rng(0).normal(size=20)) is None


@pytest.mark.parametrize(
    "curve",
    [CONVERGED, np.linspace(2.2, 0.5, 20), 2.3 - np.maximum(E - 12, 0) / 8, 2.3 + 0 * E, np.array([2.2, 2.0, 1.8])],
)
def test_other_curves_are_not_too_slow(curve):
    assert low(curve) is None


@pytest.mark.parametrize(
    ("train", "validation", "slow"),
    [
        (np.linspace(2.0, 1.2, 20), np.linspace(2.0, 1.25, 20), True),
        (np.linspace(2.0, 1.2, 20), np.linspace(2.0, 1.8, 20), True),
        (np.linspace(2.0, 1.2, 20), 1.9 - 0.2 * np.minimum(E, 8) / 8, False),  # stays where it was after 8 epochs
        (np.linspace(2.0, 1.2, 20), 1.7 + abs(E - 9) / 100, False),
        (np.linspace(2.28, 2.2, 20), 2.3 + 0 * E, True),  # nothing is learned yet
    ],
)
def test_a_network_that_overfits_slowly_needs_no_higher_rate(train, validation, slow):
    runs = [history(train_loss=train, validation_loss=validation, learning_rate=1e-5)] * 3
    seen = variant("a", runs)
    assert (rate_too_low(seen, [seen], 0.1) is not None) == slow


def test_a_fall_that_another_optimizer_overtook():
    slow = 0.8 + 1.2 * np.exp(-E / 8)
    fast = variant("adam", [history(train_loss=CONVERGED)] * 3, Recipe(learning_rate=1e-3))
    assert (
        "where adam was after epoch 1 of 20"
        in low(slow, Recipe(optimizer="adagrad", learning_rate=1e-3), [fast]).evidence
    )
    assert low(slow, Recipe(learning_rate=1e-2), [fast]) is None  # the other's rate is lower
    assert low(slow, Recipe(l2=0.1, learning_rate=1e-5), [fast]) is None  # the other is another recipe


def test_still_improving_counts_runs_that_used_all_their_epochs():
    def found(loss, states=("finished",) * 3):
        seen = variant("a", [history(validation_loss=loss)] * 3, Recipe(epochs=20), states)
        return still_improving(seen, [seen])

    observation = found(FALLING)
    assert "fell by 27.9 % in the last 4 epochs, up to epoch 20 (mean of 3 runs)" in observation.evidence
    assert observation.fix.endswith(": --epochs 40")
    assert found(FALLING, ["stopped"] * 3) is None
    assert found(FALLING, ["finished", "stopped", "stopped"]) is None
    assert found(CONVERGED) is None
    assert "in the last epoch, up to epoch 2 (" in found(FALLING[:2] / [1, 2]).evidence
