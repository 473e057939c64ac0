import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from wellfit.analysis import crossed
from wellfit.base import TestRows
from wellfit.errors import DataError, StudyFileError


def variances_by_loops(x):
    """The expected-mean-squares estimates as the textbook writes them, residuals and all."""
    S, n = x.shape
    seed, image, mean = x.mean(1), x.mean(0), x.mean()
    rest = sum((x[s, i] - seed[s] - image[i] + mean) ** 2 for s in range(S) for i in range(n)) / ((S - 1) * (n - 1))
    return seed.var(ddof=1) / S, image.var(ddof=1) / n, rest / (S * n)


def test_components_agree_with_the_textbook_sums():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 30)) + rng.normal(size=30) + rng.normal(size=(4, 1))
    by_seed, by_image, rest = variances_by_loops(x)
    found = crossed.variance_components(x)
    assert found[:3] == (pytest.approx(x.mean(), rel=1e-12), 4, 30)
    assert found[3:7] == pytest.approx((by_seed, by_image, rest, by_image - rest), rel=1e-9)
    assert (found.df, found.seed_df) == (pytest.approx(29, abs=8), 3)  # all but examples that tell next to nothing


def test_images_without_differences_give_no_freedom():
    x = np.zeros((3, 100))
    x[:, :4] = [[1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 1]]
    assert crossed.variance_components(x).df == 3
    assert crossed.variance_components(np.zeros((3, 100))).df == 1


def test_with_seeds_is_unbiased():
    """Unbiased where no variance is cut off at 0: the average over draws of 4 seeds, carried to 12, and of 12."""
    rng = np.random.default_rng(2)
    few, many = [], []
    for _ in range(400):
        x = rng.normal(size=(12, 1)) + 3 * rng.normal(size=30) + rng.normal(size=(12, 30))
        few.append(crossed.with_seeds(crossed.variance_components(x[:4]), 12)[3:6])
        many.append(crossed.variance_components(x)[3:6])
    # sd of one draw: four seeds know their variance to 80 %; of 400, to 4 %
    np.testing.assert_allclose(np.mean(few, axis=0), np.mean(many, axis=0), rtol=0.12)
    found = crossed.variance_components(x)
    assert crossed.with_seeds(found, 12) == pytest.approx(found, rel=1e-12)


def test_the_interval_at_the_p_value_ends_at_0():
    found = crossed.variance_components(np.random.default_rng(3).normal(0.4, 1, size=(4, 50)))
    p = crossed.p_value(found)
    assert np.sqrt(crossed.half_squared(found, p)) == pytest.approx(abs(found.mean), rel=1e-9)
    assert crossed.p_value(found._replace(mean=0.0)) == 1.0
    assert crossed.p_value(found._replace(mean=1e60)) == pytest.approx(1e-100)


def test_the_variance_is_at_least_the_floor():
    found = crossed.variance_components(np.ones((2, 5)))
    assert crossed.half_squared(found, 0.05) == 0
    floored = crossed.half_squared(found._replace(floor=4.0), 0.05)
    assert floored == pytest.approx(4 * scipy.stats.norm.isf(0.025) ** 2, rel=1e-12)


@pytest.mark.parametrize("df", [1, 4, 30.5, np.inf])
def test_t_quantile_agrees_with_scipy(df):
    assert crossed.t_quantile(df, 0.07) == pytest.approx(scipy.stats.t.isf(0.035, df), rel=1e-10)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: crossed.variance_components(np.array([1.0, np.nan])), DataError, "with NaN or infinity"),
        (lambda: crossed.seed_components([]), DataError, "scores of no seed"),
        (lambda: crossed.variance_components([np.ones(3), np.ones(())]), DataError, r"shape \(\)"),
        (lambda: crossed.variance_components([]), DataError, "no seed"),
        (
            lambda: crossed.variance_components(np.ones((2, 3)), TestRows({0: np.arange(2)}, 3)),
            DataError,
            "3 scores of",
        ),
        (lambda: crossed.variance_components(np.ones((2, 3)), TestRows({0: np.arange(3)}, 3)), DataError, "judges 0"),
        (lambda: crossed.variance_components(np.ones((3, 1))), DataError, "at least two"),
        (lambda: crossed.variance_components(np.full((2, 2), np.inf)), DataError, "NaN or infinity"),
        (lambda: crossed.checked_alpha(1.0), StudyFileError, "a level of 1.0"),
    ],
)
def test_bad_input_is_refused_with_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_booleans_are_numbers():
    yes = np.random.default_rng(2).normal(0.3, 1, (41, 30)) > 0
    assert crossed.variance_components(yes) == pytest.approx(crossed.variance_components(yes * 1.0), rel=1e-12)


# --- Folds and groups -------------------------------------------------------------------------------------------------


def in_folds(rng, n, folds, rounds, groups=None):
    """Each round of seeds divides the examples, or the groups, anew."""
    units = np.arange(n) if groups is None else groups
    rows = []
    for _ in range(rounds):
        fold = rng.permutation(units.max() + 1) % folds
        rows += [np.flatnonzero(fold[units] == k) for k in range(folds)]
    return TestRows(dict(enumerate(rows)), n, groups)


def judged(tested, table):
    return [table[s][rows] for s, rows in tested.rows.items()]


def total(c):
    return c.seed + max(c.examples - c.overlap, 0)


def test_every_seed_on_all_rows_is_the_crossed_design():
    x = np.random.default_rng(4).normal(size=(4, 30))
    tested = TestRows({s: np.arange(30) for s in range(4)}, 30)
    assert crossed.variance_components(x, tested) == pytest.approx(crossed.variance_components(x), rel=1e-12)
    alone = replace(tested, groups=np.arange(30)[::-1])  # every example a group of its own
    assert crossed.variance_components(x, alone) == pytest.approx(crossed.variance_components(x), rel=1e-12)


def test_one_seed_for_each_fold_is_a_t_test_of_the_folds():
    rng = np.random.default_rng(5)
    tested = in_folds(rng, 40, 4, 1)
    x = judged(tested, rng.normal(0.2, 1, size=(4, 40)))
    found = crossed.variance_components(x, tested)
    assert found.overlap == pytest.approx(found.examples)
    within = sum(np.var(one, ddof=1) for one in x) / 4 / 40
    assert found.examples == pytest.approx(within, rel=1e-9)
    oracle = scipy.stats.ttest_1samp([one.mean() for one in x], 0).pvalue
    unbounded = found._replace(examples=0.0, overlap=0.0)  # without what the examples show besides
    assert crossed.p_value(unbounded) == pytest.approx(oracle, rel=1e-9)
    assert found.lasting == pytest.approx(found.examples / 2)  # assumed: none was judged twice


@pytest.mark.parametrize(("folds", "rounds", "grouped"), [(5, 1, 0), (5, 3, 0), (3, 2, 0), (5, 1, 4), (5, 2, 6)])
def test_the_variance_is_that_of_the_mean(folds, rounds, grouped):
    """The estimate, on average, against the variance of the mean itself, over draws of the whole experiment."""
    rng = np.random.default_rng(6)
    n = 120
    groups = np.arange(n) // grouped if grouped else None
    means, estimates, cut = [], [], []
    for _ in range(1500):
        tested = in_folds(rng, n, folds, rounds, groups)
        S = len(tested.rows)
        table = rng.normal(size=n) + 0.3 * rng.normal(size=(S, 1)) + rng.normal(size=(S, n))
        if grouped:
            table += rng.normal(size=n // grouped)[groups]
        found = crossed.variance_components(judged(tested, table), tested)
        means.append(found.mean)
        estimates.append(found.seed + found.examples - found.overlap)
        cut.append(found.lasting)
    # 1500 squared normal deviates know their mean to 3.7 %, one standard error
    assert np.mean(estimates) == pytest.approx(np.var(means), rel=0.15)
    if rounds > 1:  # what further seeds leave: the examples' own part, and the groups'
        assert np.mean(cut) == pytest.approx((1 + grouped) / n, rel=0.15)


@pytest.mark.parametrize(("groups", "folds", "rounds"), [(10, 5, 2), (20, 5, 4), (12, 3, 8), (30, 5, 1)])
def test_repeated_folds_of_few_groups_keep_the_variance_of_the_groups(groups, folds, rounds):
    """Although every seed's mean, which is removed, contains the group itself."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(1500):
        tested = in_folds(rng, groups, folds, rounds)
        table = np.tile(rng.normal(size=groups), (folds * rounds, 1))
        found.append(groups * crossed.variance_components(judged(tested, table), tested).examples)
    # a variance of ten normal deviates has a relative standard error of 0.47, that of 1500 of them 0.012
    assert np.mean(found) == pytest.approx(1, abs=0.04)


def test_seeds_that_have_not_judged_everything_yet_bring_new_examples():
    rng = np.random.default_rng(7)
    whole = in_folds(rng, 100, 5, 1)
    x = judged(whole, rng.normal(size=(5, 100)))
    few = crossed.variance_components(x[:2], whole.only([0, 1]))
    assert few.judged == 40
    assert few.lasting == pytest.approx(0.5 * 0.4 * few.examples)
    grown = crossed.with_seeds(few, 4)
    assert grown.examples == pytest.approx(few.examples / 2)
    for seeds, rounds in ((5, 1), (10, 2), (500, 100)):  # each example judged many times is still one
        share = 0.5 + 0.5 / rounds
        assert crossed.with_seeds(few, seeds).examples == pytest.approx(0.4 * few.examples * share)
    assert crossed.with_seeds(few, 4).seed_df == 3


def test_few_groups_leave_few_degrees_of_freedom():
    groups = np.repeat(np.arange(4), [40, 20, 20, 20])
    tested = TestRows({s: np.arange(100) for s in range(3)}, 100, groups)
    found = crossed.variance_components(np.random.default_rng(8).normal(size=(3, 100)), tested)
    assert found.df == pytest.approx(100**2 / (40**2 + 3 * 20**2) - 1)  # Kish's effective number, minus one


def test_a_group_that_is_a_fold_is_left_to_the_seeds():
    groups = np.repeat(np.arange(3), 10)
    tested = TestRows({s: np.flatnonzero(groups == s) for s in range(3)}, 30, groups)
    found = crossed.variance_components(judged(tested, np.random.default_rng(9).normal(size=(3, 30))), tested)
    assert (found.examples, found.overlap, found.df) == pytest.approx((0, 0, 1), abs=1e-20)
    assert found.seed > 0


def test_memory_grows_with_the_examples_alone():
    tracemalloc.start()
    crossed.variance_components(np.zeros(5000, bool) for _ in range(400))  # 2 MB as bytes, 16 MB as floats
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_arrays_find_their_p_values_at_once():
    rng = np.random.default_rng(10)
    several = [crossed.variance_components(rng.normal(0.2, 1, (4, 30))) for _ in range(3)]
    stacked = crossed.VarianceComponents(*(np.array(values) for values in zip(*several, strict=True)))
    np.testing.assert_allclose(crossed.p_value(stacked), [crossed.p_value(one) for one in several], rtol=1e-9)
    half = np.sqrt(crossed.half_squared(stacked, 0.03))
    np.testing.assert_allclose(crossed.alpha_of(stacked, half), 0.03, rtol=1e-9)


def test_laying_t_on_the_excess_alone_would_err():
    """Why it lies on the whole of what the seeds show: five folds, seeds that contribute twice what examples do."""
    q = (np.arange(20_000) + 0.5) / 20_000
    spread = 3 * scipy.stats.chi2.ppf(q, 4) / 4  # the variance that five seeds show, in units of that of the examples
    t, z = scipy.stats.t.isf(0.025, 4), scipy.stats.norm.isf(0.025)
    excess = z**2 + t**2 * np.maximum(spread - 1, 0)
    ours = crossed.half_squared(crossed.VarianceComponents(0, 5, 99, spread, 1, 1, 1, np.inf, 4), 0.05)
    rates = [np.mean(2 * scipy.stats.norm.sf(np.sqrt(h / 3))) for h in (excess, ours)]
    assert rates[0] > 0.07
    assert rates[1] <= 0.05


def test_scores_of_runs_alone_give_student_s_t():
    values = np.random.default_rng(3).normal(0.9, 0.01, 6)
    components = crossed.variance_components(values)
    reference = scipy.stats.ttest_1samp(values, 0.9)
    assert crossed.p_value(components._replace(mean=components.mean - 0.9)) == pytest.approx(reference.pvalue, rel=1e-9)
    half = np.sqrt(crossed.half_squared(components, 0.05))
    assert half == pytest.approx(scipy.stats.t.ppf(0.975, 5) * scipy.stats.sem(values), rel=1e-12)
