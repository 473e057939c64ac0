"""From the p-values of a study's comparisons to verdicts, with the chance of any false one limited to 5 %."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wellfit.analysis.crossed import VarianceComponents, alpha_of, checked_alpha
from wellfit.analysis.sequential import InterimAnalysis, over_all_analyses
from wellfit.base import Verdict
from wellfit.errors import DataError, StudyFileError

__all__ = ["adjusted", "equivalence_alpha", "equivalence_p", "holm", "verdict"]

_PASSED_ON: Final = 0.5  # the share of a decided comparison's error rate that the others receive


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """P-values adjusted so that the probability of any false positive among them stays at the level.

    With the m values in ascending order, the i-th becomes ``max over j <= i of min(1, (m - j + 1) * p_j)``.

    Valid under any dependence between the tests. Source: Holm (1979), Scand. J. Statist. 6:65-70.

    Args:
      p_values: in any order; None marks a test that could not be made: it stays None and does not count.

    Raises:
      DataError: a value outside [0, 1].

    Example: ``3 * 0.01``, ``2 * 0.03``, and 0.04 raised to its predecessor.
      >>> holm([0.04, 0.01, 0.03])
      (0.06, 0.03, 0.06)
    """
    tested = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(tested):
        if not 0 <= p <= 1:
            raise DataError(f"a p-value of {p} at position {i}; p-values lie between 0 and 1")
        largest = max(largest, min(1.0, (len(tested) - rank) * p))
        adjusted[i] = largest
    return tuple(adjusted)


def adjusted(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """P-values for "different" by Holm's procedure, truncated so that "equivalent" can be claimed beside it.

    Each of m comparisons has the error rate ``alpha / m``. Holm's procedure passes that of a decided comparison on to
    the others in full. A comparison that was decided rightly may still be one that must not be called equivalent, so
    half of its rate stays with it: the i-th smallest p-value is tested at ``alpha (1/2 / (m - i + 1) + 1/2 / m)``.
    Together with ``equivalence_p``, the probability of any false "better", "worse" or "equivalent" in the study stays
    at ``alpha``, however many variants do not differ and however many differ by the margin.

    Valid under any dependence between the tests. Source: Holm (1979), Scand. J. Statist. 6:65-70; Dmitrienko, Tamhane
    & Wiens (2008), Biometrical J. 50:667-677, for truncated procedures and what they leave for a second family.

    Args:
      p_values: in any order; None marks a test that could not be made: it stays None and does not count.

    Raises:
      DataError: a value outside [0, 1].

    Example: the smallest of three as by Bonferroni and by Holm; the second at ``alpha (1/2 / 2 + 1/2 / 3)``.
      >>> [round(p, 3) for p in adjusted([0.04, 0.01, 0.03])]
      [0.072, 0.03, 0.072]
    """
    tested = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    largest, m = 0.0, len(tested)
    for rank, (p, i) in enumerate(tested):
        if not 0 <= p <= 1:
            raise DataError(f"a p-value of {p} at position {i}; p-values lie between 0 and 1")
        share = _PASSED_ON / (m - rank) + (1 - _PASSED_ON) / m
        largest = max(largest, min(1.0, p / share))
        found[i] = largest
    return tuple(found)


def equivalence_alpha(comparisons: int, alpha: float = 0.05) -> float:
    """The error rate of the interval that must lie within the margin for "equivalent".

    One comparison: ``2 alpha``, two one-sided tests at alpha each. A difference cannot be both 0 and as large as the
    margin, so this costs "better" and "worse" nothing. Each of m comparisons: ``2 alpha / (2 m)``, half of what a
    comparison has, the half that ``adjusted`` does not pass on.

    Args:
      comparisons: how many the study makes.
      alpha: probability of any false verdict in the study.

    Example:
      >>> equivalence_alpha(1), equivalence_alpha(5)
      (0.1, 0.01)
    """
    return 2 * alpha if comparisons == 1 else 2 * (1 - _PASSED_ON) * alpha / comparisons


def equivalence_p(
    components: VarianceComponents, margin: float, comparisons: int = 1, interim: InterimAnalysis | None = None
) -> float | None:
    """The p-value for "equivalent", corrected for the number of comparisons: two one-sided tests against the margin.

    It is below 5 % if the interval of level ``1 - equivalence_alpha(comparisons)`` lies within ``+-margin``.

    Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657-680.

    Args:
      components: of the difference.
      margin: largest difference of no practical interest.
      comparisons: how many the study makes.
      interim: the interim analysis, in a sequential design.

    Returns:
      None with fewer than two seeds.

    Raises:
      StudyFileError: a negative ``margin``, or no ``comparisons``.

    Example: the same answers on 10,000 examples, by itself and as one of 18 comparisons.
      >>> same = VarianceComponents(0.0, 5, 10_000, 0.0, 0.0, 0.0, 0.0, 1, 4, floor=2 / 10_002**2)
      >>> round(equivalence_p(same, 0.0003), 3), round(equivalence_p(same, 0.0003, 18), 3)
      (0.017, 0.609)
    """
    if not margin >= 0 or comparisons < 1:
        raise StudyFileError(f"a margin of {margin} for {comparisons} comparisons; use 0 or the largest difference of "
                             "no practical interest, and at least 1")  # fmt: skip
    if components.seeds < 2:
        return None
    half = margin - abs(components.mean)
    if half < 0:
        return 1.0
    two_sided = float(alpha_of(components, half))
    if interim is not None:
        two_sided = over_all_analyses(two_sided, interim) or 0.0
    return min(1.0, two_sided * 0.05 / equivalence_alpha(comparisons))


def verdict(
    difference: float, p_adjusted: float | None, p_equivalent: float | None = None, level: float = 0.05
) -> Verdict:
    """What the evidence allows one to say about two variants.

    ``better`` or ``worse``, by the sign of the difference, if ``p_adjusted < level``; else ``equivalent`` if
    ``p_equivalent < level``; else ``undecided``, as with one seed.

    Args:
      difference: mean paired difference.
      p_adjusted: its p-value after ``adjusted``.
      p_equivalent: from ``equivalence_p``.
      level: probability of any false verdict in the study.

    Raises:
      StudyFileError: a ``level`` that is not between 0 and 1.

    Example:
      >>> verdict(0.006, 0.01), verdict(0.0, 1.0, 0.02), verdict(0.0, 1.0, 0.2)
      ('better', 'equivalent', 'undecided')
    """
    checked_alpha(level)
    if p_adjusted is not None and p_adjusted < level:
        return "better" if difference > 0 else "worse"
    return "equivalent" if p_equivalent is not None and p_equivalent < level else "undecided"
