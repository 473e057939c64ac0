"""The evidence of a study in plain sentences that claim no more than its verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wellfit.analysis.comparisons import MARGIN
from wellfit.base import Comparison, VariantSummary

__all__ = ["conclusion", "listed", "points"]


def points(difference: float, signed: bool = False) -> str:
    """A difference of accuracies in percentage points: one decimal, two where it is below 0.1.

    For sentences, which are also read on terminals of any encoding; tables have two decimals and a true minus sign.

    Args:
      difference: as a share of 1.
      signed: whether a positive one shows its sign.

    Example:
      >>> points(0.0061, signed=True), points(-0.0123), points(0.0004), points(0.0)
      ('+0.6', '-1.2', '0.04', '0.0')
    """
    value = 100 * difference
    decimals = 1 if abs(value) >= 0.1 or value == 0 else 2
    value = round(value, decimals) + 0.0  # + 0.0 makes -0.0 a plain 0
    return f"{value:{'+' if signed and value > 0 else ''}.{decimals}f}"


def conclusion(
    variants: Sequence[VariantSummary], comparisons: Sequence[Comparison], test_examples: int, margin: float = MARGIN
) -> str:
    """One to three sentences on what the study shows, and on what it does not.

    "Better" and "worse" stand only where a verdict says so, "equivalent" likewise; of the others it says that the
    evidence does not decide, and what differences remain possible. Diverged and pending runs are counted.

    Args:
      variants: in the order of the study; the first is the one that the others are compared with.
      comparisons: of the others with the first.
      test_examples: how many examples the test set holds.
      margin: the margin of equivalence that the verdicts were given with.

    Returns:
      Plain text, each sentence ended by a full stop.

    Example:
      >>> runs = {"settings": {}, "parameters": 1, "runs": (), "interval": {}, "seconds": 0.0, "published": {}}
      >>> names = [VariantSummary(name=name, mean={"test_accuracy": 0.88}, **runs) for name in ("baseline", "l2")]
      >>> found = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> conclusion(names, [found], test_examples=360)
      'Of 2 variants, l2 was better than baseline in test accuracy (+0.6 points [0.2, 1.0]).'
    """
    if not variants:
        return "No variant has been trained."
    if not any("test_accuracy" in v.mean for v in variants):
        sentences = ["The test set has not been opened yet, so nothing is concluded."]
    elif len(variants) == 1:
        sentences = [_alone(variants[0], test_examples)]
    elif not any(c.p_adjusted is not None for c in comparisons):
        sentences = [_too_few_seeds(variants)]
    else:
        sentences = _compared(variants, comparisons, test_examples, margin)
    return " ".join([*sentences, *_incomplete(variants)])


def _alone(variant: VariantSummary, test_examples: int) -> str:
    seeds = _finished(variant)
    interval = variant.interval.get("test_accuracy")
    bounds = "" if interval is None else f" [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"
    return (
        f"There is one variant and nothing to compare it with: {variant.name} reached a test accuracy of "
        f"{100 * variant.mean['test_accuracy']:.1f} %{bounds} with {_count(seeds, 'seed')} and "
        f"{_count(test_examples, 'test example')}."
    )


def _too_few_seeds(variants: Sequence[VariantSummary]) -> str:
    if max(len(v.runs) for v in variants) <= 1:
        return "One seed cannot tell a real difference from chance: run five to compare the variants."
    return (
        f"No variant can be compared with {variants[0].name}: no two seeds are finished for both. Differences of "
        "single runs are not told from chance."
    )


def _compared(
    variants: Sequence[VariantSummary], comparisons: Sequence[Comparison], test_examples: int, margin: float
) -> list[str]:
    first = variants[0].name
    by_verdict = {v: [c for c in comparisons if c.verdict == v] for v in ("better", "worse", "equivalent", "undecided")}
    apart = [
        f"{listed([c.variant for c in found])} {_were(found)} {verdict} than {first}"
        f"{' in test accuracy' if i == 0 else ''} ({'; '.join(_evidence(found))})"
        for i, (verdict, found) in enumerate((v, by_verdict[v]) for v in ("better", "worse") if by_verdict[v])
    ]
    same = by_verdict["equivalent"]
    decided = {c.variant for c in comparisons if c.verdict != "undecided"}
    undecided = [v.name for v in variants[1:] if v.name not in decided]
    limit = _still_possible(by_verdict["undecided"])
    if undecided and not decided:
        data = f"{_count(_finished(variants[0]), 'seed')} and {_count(test_examples, 'test example')}"
        return [f"No variant could be told apart from {first} with {data}{limit}."]
    rest = []
    if same:
        names = listed([c.variant for c in same])
        rest.append(f"{names} {_were(same)} equivalent to {first}, to within {points(margin)} points")
    if undecided:
        rest.append(f"{'for' if same else 'For'} {listed(undecided)} the evidence does not decide{limit}")
    sentences = [f"Of {len(variants)} variants, {', and '.join(apart)}."] if apart else []
    return [*sentences, *([f"{'; '.join(rest)}."] if rest else [])]


def _still_possible(undecided: Sequence[Comparison]) -> str:
    """What differences the intervals of the undecided comparisons leave open, all of them together."""
    intervals = [c.interval for c in undecided if c.interval is not None]
    if not intervals:
        return ""
    # rounded outward to a tenth of a point, so that the claim holds
    low = math.floor(1000 * min(i[0] for i in intervals) + 1e-9) / 1000
    high = math.ceil(1000 * max(i[1] for i in intervals) - 1e-9) / 1000
    return f": differences from {points(low, signed=True)} to {points(high, signed=True)} points remain possible"


def _incomplete(variants: Sequence[VariantSummary]) -> list[str]:
    """One sentence on the runs that are not among the numbers."""
    told = []
    for state, words in (("diverged", "diverged and {} left out"), ("pending", "{} still to be made")):
        counts = {v.name: sum(run.state == state for run in v.runs) for v in variants}
        total = sum(counts.values())
        if total:
            where = ", ".join(f"{name}: {n}" for name, n in counts.items() if n)
            told.append(f"{_count(total, 'run')} {words.format('is' if total == 1 else 'are')} ({where})")
    return [f"{'; '.join(told)}."] if told else []


def _finished(variant: VariantSummary) -> int:
    return sum(run.test_accuracy is not None for run in variant.runs)


def _evidence(found: Sequence[Comparison]) -> list[str]:
    """Each difference with its interval, with its name where there are several."""
    told = []
    for c in found:
        bounds = "" if c.interval is None else f" [{points(c.interval[0])}, {points(c.interval[1])}]"
        told.append(f"{c.variant + ' ' if len(found) > 1 else ''}{points(c.difference, signed=True)} points{bounds}")
    return told


def listed(names: Sequence[str]) -> str:
    """Words as a sentence lists them.

    Example:
      >>> listed(["l2"]), listed(["l1", "l2", "dropout"])
      ('l2', 'l1, l2 and dropout')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _were(found: Sequence[Comparison]) -> str:
    return "was" if len(found) == 1 else "were"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
