import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis import verdicts
from wellfit.analysis.crossed import VarianceComponents, half_squared
from wellfit.analysis.sequential import InterimAnalysis, nominal_level
from wellfit.errors import DataError, StudyFileError


def by_rejection(p_values, i, threshold):
    """A step-down procedure itself: the smallest level at which test i is rejected, by bisection."""
    order = sorted((p, j) for j, p in enumerate(p_values))

    def rejected(level):
        for step, (p, j) in enumerate(order):
            if p > level * threshold(step, len(order)):
                return False
            if j == i:
                return True
        return False

    low, high = 0.0, 1.0
    if not rejected(1.0):
        return 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rejected(middle) else (middle, high)
    return high


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_both_corrections_agree_with_the_procedures_that_define_them(p_values):
    full, truncated = verdicts.holm(p_values), verdicts.adjusted(p_values)
    for i in range(len(p_values)):
        assert full[i] == pytest.approx(by_rejection(p_values, i, lambda step, m: 1 / (m - step)), abs=1e-9)
        half = by_rejection(p_values, i, lambda step, m: 0.5 / (m - step) + 0.5 / m)
        assert truncated[i] == pytest.approx(half, abs=1e-9)


def test_corrections_by_hand():
    assert verdicts.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert verdicts.holm([None, 0.02, None, 0.5]) == pytest.approx((None, 0.04, None, 0.5))
    assert verdicts.holm([0.9, 0.8]) == (1.0, 1.0)
    assert verdicts.holm([]) == verdicts.adjusted([]) == ()
    assert verdicts.adjusted([0.03, None, 0.01]) == pytest.approx((0.04, None, 0.02))
    assert verdicts.adjusted([0.2]) == (0.2,)


def test_verdict_by_hand():
    table = [
        (0.006, 0.01, None, "better"),
        (-0.006, 0.049, 0.9, "worse"),
        (0.0001, 0.01, 0.01, "better"),
        (0.0001, 0.9, 0.049, "equivalent"),
        (0.0001, 0.9, 0.05, "undecided"),
        (0.006, 0.05, 1.0, "undecided"),
        (0.1, None, None, "undecided"),
    ]
    for difference, p, p_equivalent, expected in table:
        assert verdicts.verdict(difference, p, p_equivalent) == expected


def components(mean, se, df=1e6):
    return VarianceComponents(mean, 5, 1000, 0.0, se**2, 0.0, se**2, df, 4)


@pytest.mark.parametrize("m", [1, 2, 18])
@pytest.mark.parametrize("interim", [None, InterimAnalysis(1, (5, 10))])
def test_equivalent_means_that_the_interval_lies_within_the_margin(m, interim):
    found = components(0.1, 1.0)
    alpha = verdicts.equivalence_alpha(m)
    half = np.sqrt(half_squared(found, alpha if interim is None else nominal_level(interim, alpha)))
    assert verdicts.equivalence_p(found, 0.1 + half + 1e-6, m, interim) < 0.05
    assert verdicts.equivalence_p(found, 0.1 + half - 1e-6, m, interim) > 0.05


def test_equivalence_agrees_with_two_one_sided_tests():
    found = components(0.3, 0.5, df=7.0)
    t = (np.array([0.3, -0.3]) + 1) / 0.5
    oracle = scipy.stats.t.sf(t, 7).max()
    assert verdicts.equivalence_p(found, 1.0) == pytest.approx(oracle, rel=1e-6)
    assert verdicts.equivalence_p(found, 0.2) == 1.0
    assert verdicts.equivalence_p(found._replace(seeds=1), 1.0) is None


@pytest.mark.parametrize("equal", [0, 9, 17])
@pytest.mark.parametrize("margin", [3.0, 4.0, 6.0])
def test_all_false_verdicts_together_stay_below_5_percent(equal, margin):
    """18 independent comparisons, some without a difference and the others that differ by the margin."""
    rng = np.random.default_rng(equal)
    studies, m = 1000, 18
    truth = np.where(np.arange(m) < equal, 0.0, margin)
    half = np.sqrt(half_squared(components(0, 1.0), verdicts.equivalence_alpha(m)))
    false = 0
    for z in rng.normal(size=(studies, m)) + truth:
        p = verdicts.adjusted((2 * scipy.stats.norm.sf(np.abs(z))).tolist())
        alike = np.where(np.abs(z) + half < margin, 0.01, 1.0)
        found = [verdicts.verdict(*one) for one in zip(z, p, alike, strict=True)]
        for said, true in zip(found, truth, strict=True):
            if said in (("better", "worse") if true == 0 else ("equivalent", "worse")):
                false += 1
                break
    assert false / studies <= scipy.stats.binom.isf(1e-4, studies, 0.05) / studies


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: verdicts.holm([0.1, 1.5]), DataError, "1.5 at position 1"),
        (lambda: verdicts.holm([float("nan")]), DataError, "nan at position 0"),
        (lambda: verdicts.adjusted([0.1, -1.0]), DataError, "-1.0 at position 1"),
        (lambda: verdicts.verdict(0.0, None, level=0), StudyFileError, "a level of 0"),
        (lambda: verdicts.equivalence_p(components(0, 1), -1.0), StudyFileError, "a margin of -1"),
        (lambda: verdicts.equivalence_p(components(0, 1), 1.0, 0), StudyFileError, "0 comparisons"),
    ],
)
def test_bad_input_is_refused_with_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
