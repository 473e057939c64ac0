import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis.sequential import InterimAnalysis, nominal_level, over_all_analyses
from wellfit.errors import DataError, StudyFileError

plans = st.lists(st.integers(2, 60), min_size=1, max_size=5, unique=True).map(lambda n: tuple(sorted(n)))


def levels(seeds, alpha=0.05):
    return [nominal_level(InterimAnalysis(k, seeds), alpha) for k in range(1, len(seeds) + 1)]


@pytest.mark.parametrize("seeds", [(5, 10, 15, 20), (5, 8, 20), (3, 30), (2, 4, 8, 16)])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_the_spent_error_matches_an_integral_by_scipy(seeds, alpha):
    """SciPy integrates the normal distribution with correlations sqrt(t_k / t_l) between the scores."""
    z = scipy.stats.norm.isf(np.array(levels(seeds, alpha)) / 2)
    t = np.array(seeds) / seeds[-1]
    for k in range(1, len(seeds) + 1):
        correlation = np.sqrt(np.minimum.outer(t[:k], t[:k]) / np.maximum.outer(t[:k], t[:k]))
        normal = scipy.stats.multivariate_normal(cov=correlation, abseps=1e-7, releps=1e-7, seed=0)
        inside = normal.cdf(z[:k], lower_limit=-z[:k])
        assert 1 - inside == pytest.approx(alpha * t[k - 1], abs=2e-6)


def test_a_single_analysis_tests_at_alpha():
    assert levels((7,)) == pytest.approx([0.05], rel=1e-9)
    assert over_all_analyses(0.03, InterimAnalysis(1, (7,))) == 0.03


def test_two_analyses_match_quadrature():
    (first, second) = levels((5, 10))
    assert first == pytest.approx(0.025, rel=1e-9)
    a, b = scipy.stats.norm.isf([first / 2, second / 2])
    inside, _ = scipy.integrate.quad(
        lambda u: (
            scipy.stats.norm.pdf(u)
            * (scipy.stats.norm.cdf(b * np.sqrt(2) - u) - scipy.stats.norm.cdf(-b * np.sqrt(2) - u))
        ),
        -a,
        a,
        epsabs=1e-12,
    )
    assert 1 - inside == pytest.approx(0.05, abs=1e-9)


@given(plans, st.floats(1e-8, 0.3), st.floats(1.01, 1.6))
@settings(max_examples=40, deadline=None)
def test_levels_rise_with_alpha_within_the_spent_error(seeds, alpha, factor):
    shares = np.array(seeds) / seeds[-1]
    spent = np.diff(shares, prepend=0) * alpha
    low, high = np.array(levels(seeds, alpha)), np.array(levels(seeds, alpha * factor))
    assert (high > low).all()  # which Holm's correction at every analysis requires
    assert (low >= spent * (1 - 1e-6)).all()
    assert (low <= shares * alpha * (1 + 1e-6)).all()


@given(plans, st.integers(0, 4), st.floats(1e-12, 0.45))
@settings(max_examples=40, deadline=None)
def test_adjusting_inverts_the_nominal_level(seeds, place, alpha):
    interim = InterimAnalysis(1 + place % len(seeds), seeds)
    assert over_all_analyses(nominal_level(interim, alpha), interim) == pytest.approx(alpha, rel=1e-6)


def test_extreme_p_values():
    interim = InterimAnalysis(2, (5, 10, 20))
    assert over_all_analyses(None, interim) is None
    assert over_all_analyses(1.0, interim) == 1.0
    assert 0 < over_all_analyses(0.0, interim) < 1e-29


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nominal_level(InterimAnalysis(1, (5, 5))), StudyFileError, r"interim analyses at \(5, 5\) seeds"),
        (lambda: nominal_level(InterimAnalysis(1, ())), StudyFileError, "increasing numbers"),
        (lambda: nominal_level(InterimAnalysis(1, (1, 5))), StudyFileError, "the first 2 or more"),
        (lambda: nominal_level(InterimAnalysis(3, (5, 10))), StudyFileError, "interim analysis 3 of 2"),
        (lambda: nominal_level(InterimAnalysis(0, (5, 10))), StudyFileError, "interim analysis 0 of 2"),
        (lambda: nominal_level(InterimAnalysis(1, (5, 10)), 1.0), StudyFileError, "alpha = 1.0"),
        (lambda: over_all_analyses(1.5, InterimAnalysis(1, (5, 10))), DataError, "p-value 1.5"),
        (lambda: over_all_analyses(float("nan"), InterimAnalysis(1, (5, 10))), DataError, "p-value nan"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
