"""Rates to try."""

import numpy as np
import pytest

from seen_runs import fixes, history, variant
from wellfit.base import Recipe
from wellfit.diagnostics.remedies import USUAL_RATES, higher_rate, lower_rate, rounded, usual_rate

E = np.arange(1, 21)


def at(rate, name="a", accuracy=0.9, loss=0.3, **recipe):
    runs = [history(validation_loss=0.4 + 0 * E, train_accuracy=accuracy, train_loss=loss) for _ in range(3)]
    return variant(name, runs, Recipe(learning_rate=rate, **recipe))


def test_the_usual_rates_are_the_optimizers():
    from wellfit.nn.optimizers import OPTIMIZERS

    assert {name: defaults.learning_rate for name, defaults in OPTIMIZERS.items()} == USUAL_RATES
    assert usual_rate(Recipe()) == OPTIMIZERS["adam"].learning_rate


@pytest.mark.parametrize("value", [1e-7, 0.02, 0.9, 1.0, 4.4, 70.0, 3e5])
def test_rounding_is_at_most_by_a_factor_of_two(value):
    assert 0.5 < rounded(value) / value < 2
    assert f"{rounded(value):e}"[0] in "13"
    assert rounded(rounded(value)) == rounded(value)


def test_a_rate_that_worked_is_the_best_remedy():
    bad, good, other = at(1.0, accuracy=0.1, loss=2.3), at(0.02, "good"), at(0.2, "other", batch_size=8)
    variants = [bad, good, other]
    assert lower_rate(bad, variants, 0.1).endswith("as in good: --set variants.a.learning_rate=0.02")
    slow = at(1e-5, accuracy=0.1, loss=2.3)
    assert higher_rate(slow, [slow, good], 0.1).endswith("as in good: --set variants.a.learning_rate=0.02")
    failed = at(0.02, "good", accuracy=0.1, loss=2.3)
    assert fixes(lower_rate(bad, [bad, failed], 0.1)) == ["variants.a.learning_rate=0.001"]


def test_without_one_the_rate_follows_from_how_far_off_it_is():
    assert fixes(lower_rate(at(1.0), [], 0.1)) == ["train.learning_rate=0.001"]  # Adam's usual one
    assert fixes(lower_rate(at(0.001), [], 0.1)) == ["train.learning_rate=0.0001"]
    assert fixes(lower_rate(at(1.0), [], 0.1, factor=9)) == ["train.learning_rate=0.1"]
    assert fixes(higher_rate(at(1e-5, loss=2.3 - 0.01 * E), [], 0.1)) == ["train.learning_rate=0.0003"]
    assert fixes(higher_rate(at(1e-5, loss=2.3 - 1e-4 * E), [], 0.1)) == ["train.learning_rate=0.003"]  # no further
    assert fixes(higher_rate(at(1e-5, loss=2.3 + 0 * E), [], 0.1)) == ["train.learning_rate=0.0001"]


def test_an_unknown_rate_is_the_usual_one():
    unknown = variant("a", [])
    assert fixes(lower_rate(unknown, [], 0.1)) == ["train.learning_rate=0.0001"]
    assert fixes(higher_rate(unknown, [], 0.1)) == ["train.learning_rate=0.003"]
