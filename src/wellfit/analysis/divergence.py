"""Runs that diverged are evidence too: how often a variant diverges, compared with another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wellfit.base import Divergence

__all__ = ["compare_divergence"]


def compare_divergence(
    ended: Mapping[str, tuple[int, int]], pairs: Sequence[tuple[str, str]], level: float = 0.05
) -> tuple[Divergence, ...]:
    """Fisher's exact test of every pair in which any run diverged.

    The p-values are adjusted for the number of pairs that could reach the level at all (Tarone): two variants without a
    diverged run cannot differ, and one diverged run of ten proves nothing however it falls. The probability of any
    false claim about divergence is at most ``level``, beside that of the comparisons of accuracy.

    Assumes runs that diverge independently. Seeds that two variants share make equal counts more likely than that, so
    the test errs on the safe side. Sources: Fisher (1935), JRSS 98:39-82; Tarone (1990), Biometrics 46:515-522;
    computed by SciPy.

    Args:
      ended: variant -> how many of its runs diverged, how many ended in any way.
      pairs: ``(variant, against)``.
      level: of the probability of a false claim.

    Returns:
      One entry for each pair with a diverged run and with runs of both, in order.

    Example: six of six runs against none is no chance, one of six may be.
      >>> found = compare_divergence({"a": (0, 6), "b": (6, 6), "c": (1, 6)}, [("b", "a"), ("c", "a")])
      >>> [(d.variant, round(d.p_value, 4), d.clear) for d in found]
      [('b', 0.0022, True), ('c', 1.0, False)]
    """
    found, smallest = [], []
    for variant, against in pairs:
        (k, n), (j, m) = ended.get(variant, (0, 0)), ended.get(against, (0, 0))
        if k + j and n and m:
            found.append(Divergence(variant, against, k, n, j, m, _fisher(k, n, j, m), 1.0))
            few, many = max(0, k + j - m), min(n, k + j)  # the most extreme tables with these totals
            smallest.append(min(_fisher(at, n, k + j - at, m) for at in (few, many)))
    tests = next((t for t in range(1, len(found) + 1) if sum(p <= level / t for p in smallest) <= t), 1)
    return tuple(d._replace(p_adjusted=min(1.0, tests * d.p_value)) for d in found)


def _fisher(k: int, n: int, j: int, m: int) -> float:
    """The two-sided p-value of k of n against j of m."""
    from scipy.stats import fisher_exact

    return min(1.0, float(fisher_exact([[k, n - k], [j, m - j]]).pvalue))
