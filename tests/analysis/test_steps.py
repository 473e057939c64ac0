"""The step between neighboring values that accuracies can have."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.analysis import crossed
from wellfit.analysis.comparisons import difference_components
from wellfit.analysis.steps import step_of


@pytest.mark.parametrize(("examples", "right"), [(360, (349, 350, 351)), (10_000, (9_123, 9_124)), (7, (5, 6))])
def test_a_step_of_accuracies_in_full_precision_is_one_example(examples, right):
    assert 1 / step_of([one / examples for one in right]) == pytest.approx(examples)
    assert 1 / step_of([np.mean(np.arange(examples) < one) for one in right]) == pytest.approx(examples)
    assert 1 / step_of([100 * one / examples / 100 for one in right]) == pytest.approx(examples)


def test_numbers_that_are_no_shares_have_no_step():
    values = np.random.default_rng(0).uniform(0.8, 0.9, 50)
    assert all(step_of([one]) < 1e-12 for one in values)
    assert step_of([1 / 999_983, 1 / 999_979]) < 1e-14  # two primes, whose product is too large


def test_a_step_in_decimal_places_is_as_written():
    assert step_of([0.5, 0.75]) == pytest.approx(0.01)
    assert step_of([0.123456789]) == pytest.approx(1e-9)


@pytest.mark.parametrize("scale", [1, 100])
def test_accuracies_in_float32_are_the_shortest_decimals_they_may_stand_for(scale):
    of = [float(np.float32(scale * one)) / scale for one in (0.9, 0.91, 0.92, 0.93)]
    assert step_of(of) == pytest.approx(0.01)
    first, second = (
        [float(np.float32(scale * one)) / scale for one in a] for a in ((0.91, 0.92, 0.93), (0.9, 0.91, 0.92))
    )
    assert crossed.p_value(difference_components(first, second)) > 0.05
    assert step_of([float(np.float32(scale * one / 360)) / scale for one in (349, 350, 351)]) == pytest.approx(1 / 360)


@pytest.mark.parametrize("places", [4, 5, 7, 8])
def test_a_step_of_rounded_shares_is_one_example(places):
    assert 1 / step_of([round(one / 36, places) for one in (35, 34, 31)]) == pytest.approx(36)


def test_numbers_in_float32_that_are_no_shares_have_its_resolution():
    values = np.random.default_rng(0).uniform(0.5, 1, 40).astype(np.float32)
    for few in (values, [float(str(one)) for one in values]):
        for count in (1, 4, 40):
            assert 5e-8 < step_of(few[:count]) < 1.1e-7
    assert step_of([np.nan, np.inf, 0.25]) == pytest.approx(0.01)
