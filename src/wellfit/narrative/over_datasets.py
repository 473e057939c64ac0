"""What several data sets say of the same variants, in sentences."""

from __future__ import annotations

from wellfit.analysis.over_datasets import OverDatasets, least_datasets
from wellfit.base import Comparison
from wellfit.narrative.phrases import counted, difference_with_interval, listed, several

__all__ = ["dataset_sentences"]


def dataset_sentences(found: OverDatasets) -> tuple[str, ...]:
    """On these data sets; on each of them; and on other data sets like these.

    Example:
      >>> import numpy as np
      >>> better = Comparison("l2", "none", "test_accuracy", 0.02, (0.01, 0.03), 0.001, 0.001, "better")
      >>> found = OverDatasets(("a", "b"), ("l2", "none"), np.ones((2, 2)), np.ones((2, 2)), np.array([1.0, 2.0]),
      ...     {"l2": (1.0, 1.8), "none": (1.2, 2.0)}, {}, None, 1.4, {("l2", "none"): 0.5}, (better,), {"a": (better,)})
      >>> for text in dataset_sentences(found):
      ...     print(text)
      On average over these 2 data sets, l2 is better than none (+2.0 points [1.0, 3.0]).
      By data set: on a, l2 is better than none; on b, no pair differs clearly.
      On other data sets like these: nothing yet. 2 data sets cannot separate 2 variants; that takes at least 6.
    """
    return _on_average(found), _one_by_one(found), _elsewhere(found)


def _on_average(found: OverDatasets) -> str:
    these = f"On average over these {counted(len(found.datasets), 'data set')}"
    apart = [c for c in found.averages if c.verdict in ("better", "worse")]
    told = [f"{_claim(c)} ({difference_with_interval(c)})" for c in apart]
    alike = [f"{c.variant} and {c.against}" for c in found.averages if c.verdict == "equivalent"]
    if alike:
        told.append(f"{several(alike)} are equivalent")
    rest = sum(c.verdict == "undecided" for c in found.averages)
    if not told:
        return f"{these}, no pair of variants differs clearly."
    undecided = f"; {counted(rest, 'pair')} {'is' if rest == 1 else 'are'} undecided" if rest else ""
    return f"{these}, {'; '.join(told)}{undecided}."


def _one_by_one(found: OverDatasets) -> str:
    parts = []
    for name in found.datasets:
        apart = [_claim(c) for c in found.verdicts.get(name, ()) if c.verdict in ("better", "worse")]
        parts.append(f"on {name}, {several(apart) if apart else 'no pair differs clearly'}")
    return f"By data set: {'; '.join(parts)}."


def _elsewhere(found: OverDatasets) -> str:
    K, V = len(found.datasets), len(found.variants)
    start = "On other data sets like these:"
    apart = [f"{a} ranks before {b} (p = {p:.2g})" for (a, b), p in found.p_values.items() if p < 0.05]
    if (least := least_datasets(V)) > K:
        sizes = counted(K, "data set"), counted(V, "variant")
        return f"{start} nothing yet. {sizes[0]} cannot separate {sizes[1]}; that takes at least {least}."
    leader, low, high = found.variants[0], *found.intervals[found.variants[0]]
    rank = f"{leader} has the best mean rank, {found.mean_ranks[0]:.1f} [{low:.1f}, {high:.1f}] of {V}"
    return f"{start} {rank}; {listed(apart) if apart else 'the signed-rank test separates no pair'}."


def _claim(c: Comparison) -> str:
    return f"{c.variant} is {c.verdict} than {c.against}"
