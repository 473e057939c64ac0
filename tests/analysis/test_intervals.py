import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis import intervals
from wellfit.analysis.crossed import variance_components
from wellfit.base import TestRows
from wellfit.errors import DataError, StudyFileError


def test_t_interval_agrees_with_scipy():
    values = np.random.default_rng(0).normal(size=7)
    oracle = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert intervals.t_interval(values, 0.9) == pytest.approx(tuple(oracle), rel=1e-12)
    assert intervals.t_interval([0.5]) is None
    assert intervals.t_interval([]) is None


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0.5, 0.999))
@settings(max_examples=60, deadline=None)
def test_wilson_interval_agrees_with_scipy(n, share, level):
    k = round(share * n)
    oracle = scipy.stats.binomtest(k, n).proportion_ci(level, method="wilson")
    assert intervals.wilson_interval(k, n, level) == pytest.approx(tuple(oracle), abs=1e-12)


def test_it_becomes_the_t_interval_where_one_source_is_all_there_is():
    seeds, images = np.random.default_rng(3).normal(size=(2, 6)) + 5
    _, by_seeds = intervals.two_way_interval(np.repeat(seeds[:, None], 40, axis=1))
    assert by_seeds == pytest.approx(intervals.t_interval(seeds), rel=1e-9)
    _, by_images = intervals.two_way_interval(np.repeat(images[None], 5, axis=0))
    assert by_images == pytest.approx(intervals.t_interval(images), rel=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 50), st.floats(0, 1))
@settings(max_examples=80, deadline=None)
def test_the_interval_of_an_accuracy_holds_the_mean_within_0_and_1(seed, S, n, share):
    correct = np.random.default_rng(seed).random((S, n)) < share
    mean, (low, high) = intervals.two_way_interval(correct)
    assert 0 <= low <= mean <= high <= 1
    assert low < high  # a finite test set never makes certain


def test_all_right_with_every_seed_counts_each_image_once():
    _, interval = intervals.two_way_interval(np.ones((5, 100), dtype=bool))
    assert interval == pytest.approx(intervals.exact_interval(100, 100))
    # Every seed right on half of the images, each on others: no chance is left to see, and none is invented.
    _, (low, high) = intervals.two_way_interval(np.array([[True, False], [False, True]]))
    assert (low, high) == pytest.approx(intervals.exact_interval(1, 2))


def test_judging_an_example_again_makes_it_no_other_example():
    right = np.ones((10, 360), dtype=bool)
    right[3, 17] = False  # one answer of one run; by counting runs as examples, [0.9981, 0.99996]
    _, (low, _) = intervals.two_way_interval(right)
    assert low == pytest.approx(intervals.exact_interval(359.9, 360)[0], rel=1e-9)


def test_groups_that_are_right_throughout_count_once():
    tested = TestRows({s: np.arange(100) for s in range(5)}, 100, np.repeat(np.arange(20), 5))
    _, interval = intervals.two_way_interval(np.ones((5, 100), dtype=bool), tested=tested)
    assert interval == pytest.approx(intervals.exact_interval(20, 20))


def test_folds_have_intervals():
    rng = np.random.default_rng(4)
    tested = TestRows({s: np.arange(200)[s::5] for s in range(5)}, 200)
    mean, (low, high) = intervals.two_way_interval([rng.random(40) < 0.8 for _ in range(5)], tested=tested)
    assert low < mean < high


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0.5, 0.999))
@settings(max_examples=60, deadline=None)
def test_exact_interval_agrees_with_scipy(n, share, level):
    k = round(share * n)
    oracle = scipy.stats.binomtest(k, n).proportion_ci(level, method="exact")
    assert intervals.exact_interval(k, n, level) == pytest.approx(tuple(oracle), abs=1e-10)


def test_the_interval_is_that_of_the_formula_in_its_docstring():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 30)) + rng.normal(size=30) + rng.normal(size=(4, 1))
    seed, image, mean = x.mean(1), x.mean(0), x.mean()
    rest = np.sum((x - seed[:, None] - image + mean) ** 2) / (3 * 29)
    t = scipy.stats.t.isf(0.025, [3, variance_components(x).df])
    half = np.sqrt(t[0] ** 2 * seed.var(ddof=1) / 4 + t[1] ** 2 * (image.var(ddof=1) / 30 - rest / 120))
    found, interval = intervals.two_way_interval(x)
    assert found == pytest.approx(mean, rel=1e-12)
    assert interval == pytest.approx((mean - half, mean + half), rel=1e-9)


def test_the_interval_is_at_least_that_of_the_images():
    x = np.array([[1.0, 0, 0, 1, 0, 3], [0.0, 1, 0, 1, 2, 1]])
    x -= x.mean(axis=1, keepdims=True) - 1  # the seeds agree better than the rest of the chance would let them
    _, interval = intervals.two_way_interval(x)
    half = scipy.stats.t.isf(0.025, 5) * np.sqrt(x.mean(0).var(ddof=1) / 6)
    assert interval == pytest.approx((1 - half, 1 + half), rel=1e-9)


def test_one_seed_has_a_mean_and_no_interval():
    assert intervals.two_way_interval(np.array([[True, False, True, True]])) == (0.75, None)


def test_the_order_of_seeds_and_images_does_not_matter():
    x = np.random.default_rng(8).random((3, 12)) < 0.7
    expected = intervals.two_way_interval(x)
    for order in itertools.permutations(range(3)):
        mean, interval = intervals.two_way_interval(x[list(order)][:, ::-1])
        assert mean == pytest.approx(expected[0])
        assert interval == pytest.approx(expected[1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: intervals.t_interval([1.0, np.nan]), DataError, "NaN or infinity"),
        (lambda: intervals.t_interval([1.0, 2.0], 1.0), StudyFileError, "a level of 1.0"),
        (lambda: intervals.wilson_interval(3, 2), DataError, "3 successes of 2 trials"),
        (lambda: intervals.wilson_interval(0, 0), DataError, "n > 0"),
        (lambda: intervals.exact_interval(3, 2), DataError, "3 successes of 2 trials"),
        (lambda: intervals.two_way_interval(np.ones((3, 1))), DataError, "at least two"),
    ],
)
def test_bad_input_is_refused_with_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("n", "ends", "coverage"), [(1, (0, 0), 0.0), (3, (0, 2), 0.75), (6, (0, 5), 0.96875), (20, (5, 14), 0.9586)]
)
def test_median_intervals_use_the_tabled_order_statistics(n, ends, coverage):
    found = intervals.median_interval(list(range(n)))  # Conover (1999), table A3 for n = 20
    assert (found.low, found.high) == ends
    assert found.coverage == pytest.approx(coverage, abs=1e-4)


def test_median_intervals_have_their_stated_coverage():
    rng = np.random.default_rng(0)
    found = [intervals.median_interval(rng.exponential(size=9)) for _ in range(2000)]
    share = np.mean([f.low <= np.log(2) <= f.high for f in found])
    assert share == pytest.approx(found[0].coverage, abs=0.015)  # three Monte Carlo standard errors


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30))
def test_the_median_lies_within_its_interval(values):
    found = intervals.median_interval(values)
    assert found.low <= found.median <= found.high
    assert found.median == np.percentile(values, 50, method="lower")


def test_infinity_counts_as_later_than_all_values():
    assert intervals.median_interval([3.0, np.inf, 5.0]) == (5.0, 3.0, np.inf, 0.75)


def test_the_prediction_interval_agrees_with_the_formula():
    values = np.random.default_rng(2).normal(size=5)
    half = scipy.stats.t.isf(0.025, 4) * values.std(ddof=1) * np.sqrt(1 + 1 / 5)
    expected = (values.mean() - half, values.mean() + half)
    assert intervals.prediction_interval(values) == pytest.approx(expected, rel=1e-9)
    assert intervals.prediction_interval([0.5]) is None


def test_the_prediction_interval_covers_the_next_value():
    rng = np.random.default_rng(3)
    inside = 0
    for *values, following in rng.normal(size=(2000, 5)):
        low, high = intervals.prediction_interval(values)
        inside += low <= following <= high
    assert inside / 2000 == pytest.approx(0.95, abs=0.015)  # three Monte Carlo standard errors
