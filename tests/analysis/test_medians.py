"""The interval of a median, against its coverage by simulation and by the binomial."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.analysis.medians import median_interval


@pytest.mark.parametrize(
    ("n", "ends", "coverage"), [(1, (0, 0), 0.0), (3, (0, 2), 0.75), (6, (0, 5), 0.96875), (20, (5, 14), 0.9586)]
)
def test_it_runs_between_the_order_statistics_of_the_table(n, ends, coverage):
    found = median_interval(list(range(n)))  # Conover (1999), table A3 for n = 20
    assert (found.low, found.high) == ends
    assert found.coverage == pytest.approx(coverage, abs=1e-4)


def test_it_covers_the_true_median_as_often_as_it_says():
    rng = np.random.default_rng(0)
    found = [median_interval(rng.exponential(size=9)) for _ in range(2000)]
    share = np.mean([f.low <= np.log(2) <= f.high for f in found])
    assert share == pytest.approx(found[0].coverage, abs=0.015)  # three Monte Carlo deviations


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30))
def test_the_median_lies_within(values):
    found = median_interval(values)
    assert found.low <= found.median <= found.high
    assert found.median == np.percentile(values, 50, method="lower")


def test_infinity_is_later_than_all():
    assert median_interval([3.0, np.inf, 5.0]) == (5.0, 3.0, np.inf, 0.75)
