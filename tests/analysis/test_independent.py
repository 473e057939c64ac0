"""The difference of two independent means: Welch's test where seeds alone vary, and its level where examples do too."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wellfit.analysis.comparisons import judged, summarized
from wellfit.analysis.crossed import VarianceComponents, p_value, variance_components
from wellfit.analysis.independent import independent_components


def components(scores: np.ndarray) -> VarianceComponents:
    return variance_components(list(scores))


def test_with_seeds_alone_it_is_welch() -> None:
    generator = np.random.default_rng(0)
    for sizes in ((5, 5), (3, 9)):
        first, second = (generator.normal(0.8, spread, n) for n, spread in zip(sizes, (0.1, 0.3), strict=True))
        both = [components(np.repeat(of[:, None], 4000, axis=1)) for of in (first, second)]  # (S, M) each
        found = independent_components(*both)
        welch = stats.ttest_ind(first, second, equal_var=False)
        assert found.seed_df == pytest.approx(welch.df)
        assert p_value(found) == pytest.approx(welch.pvalue, rel=1e-6)
        ends = welch.confidence_interval(0.95)
        assert summarized(found, most=np.inf).interval == pytest.approx((ends.low, ends.high))


@pytest.mark.parametrize("studies", [300, pytest.param(6000, marks=pytest.mark.slow)])
def test_the_level_holds_where_seeds_and_examples_vary(studies: int) -> None:
    """Of pairs of studies that do not differ, at most 5 % are called different, up to 2.5 standard errors."""
    generator = np.random.default_rng(1)
    wrong = 0
    for _ in range(studies):
        both = []
        for seeds, examples in ((5, 150), (3, 60)):
            hard = generator.normal(0, 1.5, examples)  # of one test set
            luck = generator.normal(0, 0.3, (seeds, 1))  # of one training
            right = generator.random((seeds, examples)) < 1 / (1 + np.exp(-1.5 - hard - luck))  # (S, M)
            both.append(components(right))
        (c,) = judged({("a", "a"): independent_components(*both)})
        wrong += c.verdict in ("better", "worse")
    assert wrong / studies <= 0.05 + 2.5 * (0.05 * 0.95 / studies) ** 0.5
    assert wrong > 0  # else the test could not fail


def test_a_difference_that_is_there_is_found() -> None:
    generator = np.random.default_rng(2)
    both = [components(generator.random((5, 2000)) < share) for share in (0.9, 0.8)]
    (c,) = judged({("a", "a"): independent_components(*both)})
    assert c.verdict == "better"
    assert c.difference == pytest.approx(0.1, abs=0.02)


def test_perfect_scores_on_both_sides_differ_by_nothing_but_are_not_sure() -> None:
    both = [components(np.ones((3, n), dtype=bool)) for n in (98, 198)]
    found = independent_components(*both)
    assert found.floor == pytest.approx(1 / 100**2 + 1 / 200**2)
    low, high = summarized(found).interval or (0.0, 0.0)
    assert low == pytest.approx(-high)
    assert high == pytest.approx(1.96 * found.floor**0.5, rel=1e-3)
    assert p_value(found) == 1.0
