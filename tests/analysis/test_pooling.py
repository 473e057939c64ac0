import numpy as np
import pytest
import scipy.stats
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

from wellfit.analysis.crossed import VarianceComponents
from wellfit.analysis.pooling import moderated, pooled


def by_the_book(variances, df):
    """Smyth's estimates, with a root finder, and the caps; tiny variances count as a fiftieth of the median."""
    J = len(variances)
    e = np.log(np.maximum(variances, 0.02 * np.median(variances))) - digamma(df / 2) + np.log(df / 2)
    excess = np.var(e, ddof=1) - polygamma(1, df / 2)
    d0, v0 = np.inf, np.exp(e.mean())
    if excess > 0:
        half = brentq(lambda y: polygamma(1, y) - excess, 1e-3, 1e6)
        d0, v0 = 2 * half, np.exp(e.mean() + digamma(half) - np.log(half))
    prior = min(d0 / 3, (J - 3) / 2, 2 * df)
    return (prior * v0 + df * variances) / (prior + df), prior + df


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("J", [4, 18, 60])
def test_it_agrees_with_the_formulas(spread, J):
    rng = np.random.default_rng(J)
    variances = np.exp(spread * rng.normal(size=J)) * rng.chisquare(4, J) / 4
    found, df = moderated(variances, np.full(J, 4.0))
    expected, expected_df = by_the_book(variances, 4.0)
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    np.testing.assert_allclose(df, expected_df, rtol=1e-8)


def test_several_studies_at_once():
    variances = np.random.default_rng(1).chisquare(4, (3, 7))
    together = moderated(variances, np.full((3, 7), 4.0))
    for i, one in enumerate(variances):
        alone = moderated(one, np.full(7, 4.0))
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(np.broadcast_to(a, (3, 7))[i], np.broadcast_to(b, 7), rtol=1e-12)


def components(seed, seeds=5, overlap=2.0):
    return VarianceComponents(0.0, seeds, 100, seed, 2.0, overlap, 2.0, 99, seeds - 1)


def test_too_few_comparisons_too_few_seeds_and_no_disagreement_are_left_alone():
    three = [components(seed) for seed in (1.0, 2.0, 3.0)]
    assert pooled(three) == tuple(three)
    assert pooled([]) == ()
    study = [components(1.0, seeds=4), components(0.0, overlap=0.0), *(components(s) for s in (1.0, 2.0, 3.0, 4.0))]
    found = pooled(study)
    assert found[:2] == tuple(study[:2])
    np.testing.assert_allclose([c.seed / 2 for c in found[2:]], moderated(np.arange(1, 5) / 2, np.full(4, 4.0))[0])
    assert all(c.seed_df == pytest.approx(4.5) for c in found[2:])


def test_a_variance_of_0_decides_nothing_for_the_others():
    found, df = moderated(np.array([0.0, 2.0, 2.0, 2.0, 2.0, 2.0]), np.full(6, 4.0))
    assert np.isfinite(found).all()
    assert 0 < found[0] < found[1]
    assert (df > 4).all()


def first_step(rng, scale, S=5, studies=4000):
    """How often any of the comparisons with the first variant is below Bonferroni's level; none differs."""
    J = len(scale) - 1
    effect = rng.normal(size=(studies, S, J + 1)) * np.sqrt(scale)
    y = effect[:, :, 1:] - effect[:, :, :1]
    variance, df = moderated(y.var(axis=1, ddof=1) / S, np.full((studies, J), S - 1.0))
    return float(np.mean((y.mean(axis=1) ** 2 > scipy.stats.t.isf(0.025 / J, df) ** 2 * variance).any(axis=1)))


@pytest.mark.parametrize("J", [4, 18])
@pytest.mark.parametrize("where", ["none", "one", "half", "the first"])
def test_variants_that_vary_more_do_not_break_the_level(J, where):
    scale = np.ones(J + 1)
    scale[{"none": [], "one": [-1], "half": slice(1, None, 2), "the first": [0]}[where]] = 15
    rate = first_step(np.random.default_rng(3), scale)
    assert rate <= scipy.stats.binom.isf(1e-4, 4000, 0.05) / 4000
