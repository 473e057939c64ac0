import itertools
from dataclasses import replace

import numpy as np
import pytest

from wellfit.analysis import bootstrap
from wellfit.base import TestRows
from wellfit.errors import DataError, StudyFileError


def every_mean(x):
    """The means of all ``S**S * n**n`` draws, each as probable as the others."""
    S, n = x.shape
    rows = list(itertools.product(range(S), repeat=S))
    columns = list(itertools.product(range(n), repeat=n))
    return np.array([x[np.ix_(r, c)].mean() for r in rows for c in columns])


@pytest.mark.parametrize(
    "x",
    [
        np.array([[1, 0, 1, -1], [0, 0, 1, -1]]),  # images three and four alike to none, two alike
        np.array([[0.3, -0.2, 1.1], [0.8, 0.4, -0.9], [0.3, 0.0, 0.7]]),
        np.array([[True, True, False, True], [True, True, True, True]]),
    ],
)
@pytest.mark.parametrize("many", [0, 2000])  # both ways to draw the counts of patterns
def test_the_draws_are_those_of_enumeration(x, many, monkeypatch):
    monkeypatch.setattr(bootstrap, "_MANY", many)
    monkeypatch.setattr(bootstrap, "_CHUNK", 7 * x.shape[1])  # several chunks, the last one shorter
    means = every_mean(x)
    found = bootstrap.two_way_bootstrap(x, level=0.8, draws=20_000)
    assert found.mean == pytest.approx(x.mean())
    # 20,000 draws know a share to 0.35 %: between the quantiles 1.5 % to either side, four deviations
    for end, share in zip(found.interval, (0.1, 0.9), strict=True):
        assert np.quantile(means, share - 0.015) - 1e-9 <= end <= np.quantile(means, share + 0.015) + 1e-9
    tail = min(np.mean(means <= 1e-12), np.mean(means >= -1e-12))
    assert found.p_value == pytest.approx(min(1, 2 * tail), abs=0.03)


def test_the_variance_is_that_of_the_pigeonhole_bootstrap():
    """Owen (2007), theorem 3: the exact variance of a draw's mean, from sums over rows, columns and cells."""
    x = np.random.default_rng(0).normal(size=(4, 30)) + np.arange(4)[:, None]
    S, n = x.shape
    d = x - x.mean()
    rows, columns, cells = np.sum(d.mean(1) ** 2) / S, np.sum(d.mean(0) ** 2) / n, np.mean(d**2)
    exact = (1 - 1 / n) * rows / S + (1 - 1 / S) * columns / n + cells / (S * n)
    low, high = bootstrap.two_way_bootstrap(x, level=0.6826895, draws=20_000).interval
    assert (high - low) / 2 == pytest.approx(np.sqrt(exact), rel=0.1)  # not quite normal: four rows
    assert exact == pytest.approx(every_variance(x), rel=1e-9)


def every_variance(x):
    """By the covariances of multinomial counts, without enumeration."""
    S, n = x.shape
    u = (np.eye(S) - 1 / S) + np.ones((S, S))  # E[r r'] of the counts of rows
    v = (np.eye(n) - 1 / n) + np.ones((n, n))
    return np.einsum("ij,kl,ik,jl->", x, x, u, v, optimize=True) / (S * n) ** 2 - x.mean() ** 2


def test_the_same_seed_gives_the_same_numbers_and_one_seed_none():
    x = np.random.default_rng(1).random((3, 50)) < 0.8
    assert bootstrap.two_way_bootstrap(x) == bootstrap.two_way_bootstrap(x)
    assert bootstrap.two_way_bootstrap(x) != bootstrap.two_way_bootstrap(x, seed=1)
    assert bootstrap.two_way_bootstrap(x[:1]) == (x[0].mean(), None, None)


def test_no_difference_at_all_and_one_that_is_never_lost():
    assert bootstrap.two_way_bootstrap(np.zeros((3, 9)))[1:] == ((0.0, 0.0), 1.0)
    assert bootstrap.two_way_bootstrap(np.ones((3, 9)), draws=999).p_value == 2 / 1000


def in_folds(n, folds, groups=None):
    return TestRows({s: np.arange(n)[s::folds] for s in range(folds)}, n, groups)


def test_every_seed_on_all_rows_is_the_crossed_bootstrap():
    x = np.random.default_rng(2).integers(-1, 2, (3, 40))
    tested = TestRows({s: np.arange(40) for s in range(3)}, 40)
    assert bootstrap.two_way_bootstrap(x, tested=tested) == bootstrap.two_way_bootstrap(x)
    alone = bootstrap.two_way_bootstrap(x, tested=replace(tested, groups=np.arange(40)))
    assert alone == bootstrap.two_way_bootstrap(x)


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(60), 5)])
def test_folds_are_resampled_with_their_examples(groups):
    """By loops: seeds, then examples or groups, and the mean of what the drawn seeds judge of them."""
    tested = in_folds(300, 4, groups)
    rng = np.random.default_rng(3)
    units = np.arange(300) if groups is None else groups
    common = rng.normal(size=units.max() + 1)[units]
    x = [common[rows] + rng.normal(size=75) for rows in tested.rows.values()]
    means = []
    for _ in range(8000):
        times = np.bincount(rng.integers(0, units.max() + 1, units.max() + 1), minlength=units.max() + 1)[units]
        drawn = rng.integers(0, 4, 4)
        weights = [times[tested.rows[s]] for s in drawn]
        means.append(sum(w @ x[s] for w, s in zip(weights, drawn, strict=True)) / sum(w.sum() for w in weights))
    found = bootstrap.two_way_bootstrap(x, level=0.8, draws=20_000, tested=tested)
    # ends known to 2 % of a standard deviation, four standard errors
    np.testing.assert_allclose(found.interval, np.quantile(means, [0.1, 0.9]), atol=0.09 * np.std(means))
    assert found.mean == pytest.approx(np.concatenate(x).mean())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bootstrap.two_way_bootstrap(np.ones(3)), DataError, r"shapes \[\(\)\]"),
        (lambda: bootstrap.two_way_bootstrap(np.full((2, 2), np.nan)), DataError, "NaN or infinity"),
        (lambda: bootstrap.two_way_bootstrap(np.ones((2, 2)), draws=99), DataError, "99 bootstrap draws"),
        (lambda: bootstrap.two_way_bootstrap(np.ones((2, 2)), level=0), StudyFileError, "a level of 0"),
    ],
)
def test_bad_input_is_refused_with_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_columns_taken_in_blocks_give_the_same_means(monkeypatch):
    scores = np.random.default_rng(4).integers(-1, 2, (6, 60))
    sizes, whole = [], bootstrap._blocks

    def narrow(patterns):
        for begin in range(0, patterns.shape[1], 7):
            columns = slice(begin, begin + 7)
            sizes.append(patterns[:, columns].shape[1])
            yield columns, patterns[:, columns].astype(np.float64)

    at_once = bootstrap.two_way_bootstrap(scores)
    assert [part.shape[0] for _, part in whole(scores)] == [6]
    monkeypatch.setattr(bootstrap, "_blocks", narrow)
    assert bootstrap.two_way_bootstrap(scores) == at_once
    assert max(sizes) == 7
