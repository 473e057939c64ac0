import itertools
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis import paired
from wellfit.errors import DataError

counts = st.lists(st.integers(-40, 40), min_size=2, max_size=9)  # images won, net, by each seed


@given(counts)
@settings(max_examples=80, deadline=None)
def test_paired_t_agrees_with_scipy(net):
    d = np.array(net) / 1000
    if len(set(net)) == 1:
        assert paired.paired_t(d) == float(net[0] == 0)
    else:
        assert paired.paired_t(d) == pytest.approx(scipy.stats.ttest_1samp(d, 0).pvalue, rel=1e-9)


@given(counts)
@settings(max_examples=80, deadline=None)
def test_sign_flip_agrees_with_exact_enumeration(net):
    """In whole numbers of images, where no rounding can break a tie."""
    flips = [abs(sum(s * x for s, x in zip(signs, net, strict=True))) for signs in
             itertools.product((1, -1), repeat=len(net))]  # fmt: skip
    exact = Fraction(sum(f >= abs(sum(net)) for f in flips), len(flips))
    assert paired.sign_flip(np.array(net) / 1000) == float(exact)


def test_sign_flip_agrees_with_scipy():
    d = np.random.default_rng(0).normal(0.3, 1, 9)
    oracle = scipy.stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert paired.sign_flip(d) == pytest.approx(oracle.pvalue, abs=1e-12)


def test_five_seeds_never_reach_five_percent_by_signs():
    assert paired.sign_flip([0.1] * 5) == 2 / 2**5
    assert paired.sign_flip([0.1] * 6) == 2 / 2**6


def test_random_signs_agree_with_the_exact_distribution():
    net = np.random.default_rng(1).integers(-8, 12, 25)
    distribution = np.ones(1)
    for x in np.abs(net):  # of the sum, by convolution: from -total to total
        one = np.zeros(2 * x + 1)
        one[0] += 0.5
        one[-1] += 0.5
        distribution = np.convolve(distribution, one)
    sums = np.arange(len(distribution)) - np.abs(net).sum()
    exact = distribution[np.abs(sums) >= abs(net.sum())].sum()
    found = paired.sign_flip(net / 1000)
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 2**16))
    assert found == paired.sign_flip(net / 1000)
    assert paired.sign_flip([0.1] * 30) >= 1 / 2**16  # the observed one counts


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 10), st.integers(0, 10))
@settings(max_examples=60, deadline=None)
def test_mcnemar_agrees_with_the_exact_binomial_test(won, lost, both, none):
    first = np.repeat([True, False, True, False], [won, lost, both, none])
    second = np.repeat([False, True, True, False], [won, lost, both, none])
    expected = scipy.stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert paired.mcnemar(first, second) == pytest.approx(expected, rel=1e-9)


@given(counts, st.floats(0, 0.02))
@settings(max_examples=60, deadline=None)
def test_probability_better_is_students(net, margin):
    d = np.array(net) / 1000
    if len(set(net)) == 1:
        assert paired.probability_better(d) == (0.5 if net[0] == 0 else float(net[0] > 0))
        return
    scale = d.std(ddof=1) * np.sqrt(1 + 1 / len(d))
    expected = scipy.stats.t.sf(margin, len(d) - 1, loc=d.mean(), scale=scale)
    assert paired.probability_better(d, margin) == pytest.approx(expected, rel=1e-8, abs=1e-12)
    worse = paired.probability_better(-d, margin)
    assert 1 - expected - worse + 1e-9 >= 0  # what is left is that of practically equivalent


def test_too_few_seeds_give_none():
    assert paired.paired_t([0.1]) is None
    assert paired.probability_better([0.1]) is None
    assert paired.sign_flip([]) is None
    assert paired.sign_flip([0.1]) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired.paired_t([0.1, np.nan]), "NaN or infinity"),
        (lambda: paired.sign_flip([[0.1, 0.2]]), "one number per seed"),
        (lambda: paired.probability_better([np.inf, 1.0]), "NaN or infinity"),
        (lambda: paired.mcnemar(np.ones(3, bool), np.ones(2, bool)), "one boolean per image"),
        (lambda: paired.mcnemar(np.ones(3), np.ones(3)), "float64"),
    ],
)
def test_bad_input_is_refused_with_one_line(call, message):
    with pytest.raises(DataError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seeds", [21, 400, 1001])
def test_random_signs_drawn_in_blocks_are_those_drawn_at_once(seeds):
    d = np.random.default_rng(seeds).normal(0.02, 1, seeds).round(3) / 10
    drawn = np.random.default_rng(3).integers(0, 256, (2**16 - 1, -(-seeds // 8)), dtype=np.uint8)
    signs = 2.0 * np.unpackbits(drawn, axis=1)[:, :seeds] - 1
    sums = np.append(signs @ d, d.sum())
    assert paired.sign_flip(d, seed=3) == float(np.mean(np.abs(sums) >= abs(d.sum()) - 1e-9 * np.abs(d).sum()))


def test_a_thousand_seeds_take_little_memory():
    tracemalloc.start()
    assert paired.sign_flip(np.random.default_rng(0).normal(size=1000)) is not None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # all signs at once take 1 GB
