"""What guessing reaches, and who got no further."""

import numpy as np
import pytest

from seen_runs import history, variant
from wellfit.base import Recipe
from wellfit.diagnostics.chance import barely_below_chance, hardly_learned, loss_at_chance


def runs(train, loss=0.3):
    return [history(validation_loss=np.full(5, 0.4), train_accuracy=train, train_loss=loss) for _ in range(3)]


GOOD = variant("baseline", runs(0.9))


def test_hardly_learned_is_less_than_half_of_the_way():
    far = variant("far", runs(0.45))
    assert hardly_learned(far, [GOOD, far], 0.1)
    assert not hardly_learned(GOOD, [GOOD, far], 0.1)
    weighted = variant("weighted", runs(0.45), Recipe(class_weights=(1.0, 9.0)))
    assert not hardly_learned(weighted, [GOOD, weighted], 0.1)


def test_the_loss_at_chance_is_an_entropy():
    assert loss_at_chance(0.25) == pytest.approx(np.log(4))
    assert loss_at_chance(0.5) == pytest.approx(np.log(2))
    assert loss_at_chance(0.9) == pytest.approx(-0.9 * np.log(0.9) - 0.1 * np.log(0.1))
    assert loss_at_chance(0.0) < 14


def test_a_loss_barely_below_chance():
    assert barely_below_chance(variant("a", runs(0.3, 2.1)), 0.1)
    assert not barely_below_chance(variant("a", runs(0.3, 1.5)), 0.1)
    assert not barely_below_chance(variant("a", runs(0.3, 2.1), Recipe(label_noise=0.5)), 0.1)
    assert not barely_below_chance(variant("a", []), 0.1)
