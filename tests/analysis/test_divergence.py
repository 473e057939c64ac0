import math

import numpy as np
import pytest

from wellfit.analysis.divergence import compare_divergence


def p(k, n, j, m):
    """Fisher's two-sided p-value from its definition: the tables with these totals that are at most as probable."""
    total = k + j
    weights = {at: math.comb(n, at) * math.comb(m, total - at) for at in range(max(0, total - m), min(n, total) + 1)}
    return sum(w for w in weights.values() if w <= weights[k]) / math.comb(n + m, total)


@pytest.mark.parametrize("table", [(6, 6, 0, 6), (5, 5, 0, 5), (3, 5, 1, 5), (0, 5, 4, 5), (2, 3, 2, 5)])
def test_the_p_value_follows_its_definition(table):
    k, n, j, m = table
    (found,) = compare_divergence({"b": (k, n), "a": (j, m)}, [("b", "a")])
    assert found.p_value == pytest.approx(p(k, n, j, m))
    assert found[2:6] == (k, n, j, m)


def test_all_against_none_is_never_no_difference():
    for runs in range(4, 21):  # 3 of 3 against none has p = 0.1: three runs cannot say it
        for others in (0, 1, 18):  # variants that never diverge do not count
            ended = {"a": (0, runs), "b": (runs, runs), **{f"v{i}": (0, runs) for i in range(others)}}
            (found,) = compare_divergence(ended, [(name, "a") for name in ended if name != "a"])
            assert found.clear
    assert not compare_divergence({"a": (0, 3), "b": (3, 3)}, [("b", "a")])[0].clear


def test_only_pairs_with_a_diverged_run_are_compared():
    assert compare_divergence({"a": (0, 5), "b": (0, 5)}, [("b", "a")]) == ()
    assert compare_divergence({"a": (0, 5), "b": (5, 5)}, [("c", "a"), ("b", "c")]) == ()
    assert compare_divergence({}, []) == ()


def test_equal_variants_are_rarely_called_different():
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(300):
        ended = {f"v{i}": (int(rng.binomial(5, 0.4)), 5) for i in range(9)}
        wrong += any(d.clear for d in compare_divergence(ended, [(f"v{i}", "v0") for i in range(1, 9)]))
    assert wrong <= 15  # 0 when written: exact tests of five runs are conservative
