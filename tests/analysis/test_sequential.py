import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis.sequential import Look, nominal_level, over_all_looks
from wellfit.errors import DataError, StudyFileError

plans = st.lists(st.integers(2, 60), min_size=1, max_size=5, unique=True).map(lambda n: tuple(sorted(n)))


def levels(seeds, alpha=0.05):
    return [nominal_level(Look(k, seeds), alpha) for k in range(1, len(seeds) + 1)]


@pytest.mark.parametrize("seeds", [(5, 10, 15, 20), (5, 8, 20), (3, 30), (2, 4, 8, 16)])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_no_look_has_crossed_with_the_probability_that_is_promised(seeds, alpha):
    """SciPy's integral of the normal distribution whose k-th and l-th scores are correlated by sqrt(t_k / t_l)."""
    z = scipy.stats.norm.isf(np.array(levels(seeds, alpha)) / 2)
    t = np.array(seeds) / seeds[-1]
    for k in range(1, len(seeds) + 1):
        correlation = np.sqrt(np.minimum.outer(t[:k], t[:k]) / np.maximum.outer(t[:k], t[:k]))
        normal = scipy.stats.multivariate_normal(cov=correlation, abseps=1e-7, releps=1e-7, seed=0)
        inside = normal.cdf(z[:k], lower_limit=-z[:k])
        assert 1 - inside == pytest.approx(alpha * t[k - 1], abs=2e-6)


def test_one_look_tests_at_the_level_itself():
    assert levels((7,)) == pytest.approx([0.05], rel=1e-9)
    assert over_all_looks(0.03, Look(1, (7,))) == 0.03


def test_two_looks_by_quadrature():
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
def test_the_level_of_a_look_rises_with_alpha_and_stays_within_what_is_spent(seeds, alpha, factor):
    shares = np.array(seeds) / seeds[-1]
    spent = np.diff(shares, prepend=0) * alpha
    low, high = np.array(levels(seeds, alpha)), np.array(levels(seeds, alpha * factor))
    assert (high > low).all()  # what Holm's correction at every look needs
    assert (low >= spent * (1 - 1e-6)).all()
    assert (low <= shares * alpha * (1 + 1e-6)).all()


@given(plans, st.integers(0, 4), st.floats(1e-12, 0.45))
@settings(max_examples=40, deadline=None)
def test_the_adjusted_p_value_is_the_alpha_whose_level_it_is(seeds, place, alpha):
    look = Look(1 + place % len(seeds), seeds)
    assert over_all_looks(nominal_level(look, alpha), look) == pytest.approx(alpha, rel=1e-6)


def test_the_ends():
    look = Look(2, (5, 10, 20))
    assert over_all_looks(None, look) is None
    assert over_all_looks(1.0, look) == 1.0
    assert 0 < over_all_looks(0.0, look) < 1e-29


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nominal_level(Look(1, (5, 5))), StudyFileError, r"looks at \(5, 5\) seeds"),
        (lambda: nominal_level(Look(1, ())), StudyFileError, "rising numbers"),
        (lambda: nominal_level(Look(1, (1, 5))), StudyFileError, "the first 2 or more"),
        (lambda: nominal_level(Look(3, (5, 10))), StudyFileError, "look 3 of 2"),
        (lambda: nominal_level(Look(0, (5, 10))), StudyFileError, "look 0 of 2"),
        (lambda: nominal_level(Look(1, (5, 10)), 1.0), StudyFileError, "an alpha of 1.0"),
        (lambda: over_all_looks(1.5, Look(1, (5, 10))), DataError, "a p-value of 1.5"),
        (lambda: over_all_looks(float("nan"), Look(1, (5, 10))), DataError, "a p-value of nan"),
    ],
)
def test_bad_input_is_refused_with_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
