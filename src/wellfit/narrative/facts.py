"""What the answers to a study's questions are made from, and how two of its variants compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from wellfit.base import Comparison, PairedEvidence, Ranked, RunSummary, Sentence, VariantSummary, Verdict
from wellfit.narrative.words import several

__all__ = ["Against", "Facts", "against", "ended", "not_yet"]

_OPPOSITE: Final[Mapping[Verdict, Verdict]] = {"better": "worse", "worse": "better"}


class Facts(NamedTuple):
    """What the answers are made from.

    Args:
      variants: by name, in the order of the study; the first is the one that the others are compared with.
      comparisons: of the others with the first.
      asked: those beyond them.
      evidence: by variant, and by ``"VARIANT/AGAINST"``.
      ranking: of all variants.
      stopping: names of the variants that stop early.
    """

    variants: Mapping[str, VariantSummary]
    comparisons: Sequence[Comparison]
    asked: Sequence[Comparison]
    evidence: Mapping[str, PairedEvidence]
    ranking: Sequence[Ranked]
    stopping: Sequence[str]


class Against(NamedTuple):
    """A comparison seen from one of the two, and its key in ``show --json``."""

    comparison: Comparison
    key: str  # of the comparison as it was made
    further_seeds: int | None

    @property
    def keys(self) -> tuple[str, ...]:
        """What a sentence about it is made from."""
        return tuple(f"{self.key}.{field}" for field in ("verdict", "difference", "interval"))


def against(variant: str, against: str, facts: Facts) -> Against | None:
    """The comparison of two variants, whichever way round and for whatever it was made.

    Args:
      variant: seen from this one.
      against: the other.
      facts: the evidence.

    Returns:
      The comparison, or None where they share no seed or were not compared.

    Example: seen from the other side, better is worse.
      >>> found = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> seen = against("baseline", "l2", Facts({}, [found], [], {}, [], []))
      >>> seen.comparison.verdict, seen.comparison.difference, seen.key
      ('worse', -0.0061, 'comparisons[l2]')
    """
    for c in (*facts.comparisons, *facts.asked):
        if {c.variant, c.against} == {variant, against}:
            name = c.variant if c in facts.comparisons else f"{c.variant}/{c.against}"
            key = f"{'comparisons' if c in facts.comparisons else 'asked'}[{name}]"
            found = facts.evidence.get(name)
            seeds = found.further_seeds if found is not None and found.seeds > 2 else None  # two barely show chance
            return Against(c if c.variant == variant else _turned(c), key, seeds)
    return None


def _turned(c: Comparison) -> Comparison:
    interval = None if c.interval is None else (-c.interval[1], -c.interval[0])
    verdict = _OPPOSITE.get(c.verdict, c.verdict)
    return Comparison(c.against, c.variant, c.metric, -c.difference, interval, c.p_value, c.p_adjusted, verdict)


def ended(variant: VariantSummary | None) -> list[RunSummary]:
    """The runs of a variant that ended well."""
    return [run for run in variant.runs if run.state in ("finished", "stopped")] if variant is not None else []


def not_yet(names: Sequence[str]) -> Sentence:
    """What is answered where runs are missing."""
    return Sentence(
        f"Not yet: no seed is tested for each of {several(names)}.", tuple(f"variants[{name}].runs" for name in names)
    )
