"""What the answers to a study's questions are based on, and how two of its variants compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from wellfit.base import (
    Comparison,
    Divergence,
    IntArray,
    PairedEvidence,
    Ranked,
    RunSummary,
    Sentence,
    VariantSummary,
    Verdict,
)
from wellfit.narrative.outcomes import lost, of_survivors
from wellfit.narrative.phrases import difference_with_interval, several

__all__ = [
    "AnswerContext",
    "OrientedComparison",
    "RiseCause",
    "comparison_of",
    "no_answer_yet",
    "runs_that_ended",
    "turned",
]

_OPPOSITE: Final[Mapping[Verdict, Verdict]] = {"better": "worse", "worse": "better"}

RiseCause = Literal["hardly learned", "training loss rose"]
"""Why a validation loss that rises beyond noise shows no overfitting."""


class AnswerContext(NamedTuple):
    """What answers are based on.

    Args:
      variants: by name, in the order of the study; the others are compared with the first.
      comparisons: of the others with the first.
      asked: further comparisons for the study's questions.
      evidence: by variant for ``comparisons``, by ``"VARIANT/AGAINST"`` for ``asked``.
      ranking: of all variants.
      stopping: names of the variants that stop early.
      leader_accuracy: what to expect of the first in the ranking.
      divergences: of the compared pairs in which any run diverged.
      published_differs: how the settings of the published numbers differ from those here, in a sentence; empty if they
        do not.
      metric: what the comparisons and the ranking are about.
      gaps: comparisons of generalization gaps for the study's questions; "better" means smaller.
      losses: variant -> of the mean validation loss over the seeds: its lowest value, its last, and the epoch of the
        lowest.
      confusion: variant -> test counts summed over its runs.  # (K, K) [true, predicted]
      classes: their names.
      epochs: of the recipes, by variant.
      other_causes: variants whose validation loss rises beyond noise without overfitting, and why.
    """

    variants: Mapping[str, VariantSummary]
    comparisons: Sequence[Comparison]
    asked: Sequence[Comparison]
    evidence: Mapping[str, PairedEvidence]
    ranking: Sequence[Ranked]
    stopping: Sequence[str]
    leader_accuracy: float | None = None
    divergences: Sequence[Divergence] = ()
    published_differs: str = ""
    metric: str = "test_accuracy"
    gaps: Sequence[Comparison] = ()
    losses: Mapping[str, tuple[float, float, int]] = MappingProxyType({})
    confusion: Mapping[str, IntArray] = MappingProxyType({})
    classes: tuple[str, ...] = ()
    epochs: Mapping[str, int] = MappingProxyType({})
    other_causes: Mapping[str, RiseCause] = MappingProxyType({})


class OrientedComparison(NamedTuple):
    """A comparison seen from one of its two variants, with its key in ``show --json``."""

    comparison: Comparison
    key: str  # of the comparison as the study made it
    further_seeds: int | None
    surviving: bool = False  # whether diverged runs were left out

    @property
    def text(self) -> str:
        """The difference with its interval."""
        return difference_with_interval(self.comparison, self.surviving)

    @property
    def keys(self) -> tuple[str, ...]:
        """The sources of a sentence about it."""
        return tuple(f"{self.key}.{field}" for field in ("verdict", "difference", "interval"))


def comparison_of(variant: str, against: str, context: AnswerContext) -> OrientedComparison | None:
    """The comparison of two variants, in this orientation, whether made with the first variant or for a question.

    Returns:
      None if the two share no seed or were not compared.

    Example: seen from the other side, better is worse.
      >>> better = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> turned = comparison_of("baseline", "l2", AnswerContext({}, [better], [], {}, [], []))
      >>> turned.comparison.verdict, turned.comparison.difference, turned.key
      ('worse', -0.0061, 'comparisons[l2]')
    """
    for c in (*context.comparisons, *context.asked):
        if {c.variant, c.against} == {variant, against}:
            name = c.variant if c in context.comparisons else f"{c.variant}/{c.against}"
            key = f"{'comparisons' if c in context.comparisons else 'asked'}[{name}]"
            evidence = context.evidence.get(name)
            # Two seeds are too few to say how many more are needed.
            seeds = evidence.further_seeds if evidence is not None and evidence.seeds > 2 else None
            oriented = c if c.variant == variant else turned(c)
            return OrientedComparison(oriented, key, seeds, of_survivors(c, context.variants))
    return None


def turned(c: Comparison) -> Comparison:
    """A comparison seen from its other side.

    Example:
      >>> better = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> turned(better).variant, turned(better).interval, turned(better).verdict
      ('baseline', (-0.01, -0.002), 'worse')
    """
    return replace(
        c,
        variant=c.against,
        against=c.variant,
        difference=-c.difference,
        interval=None if c.interval is None else (-c.interval[1], -c.interval[0]),
        verdict=_OPPOSITE.get(c.verdict, c.verdict),
    )


def runs_that_ended(variant: VariantSummary | None) -> list[RunSummary]:
    """The runs of a variant that ended without diverging.

    Example:
      >>> runs_that_ended(None)
      []
    """
    return [run for run in variant.runs if run.state in ("finished", "stopped")] if variant is not None else []


def no_answer_yet(names: Sequence[str], context: AnswerContext | None = None) -> Sentence:
    """The answer while runs are missing, or if all runs of a variant diverged.

    Example:
      >>> no_answer_yet(["l2", "dropout"]).text
      'No answer yet: l2 and dropout have no finished seed in common.'
    """
    known = {} if context is None else context.variants
    gone = [name for name in names if name in known and lost(known[name])]
    if gone:
        text = f"Accuracies cannot be compared: every run of {several(gone)} diverged."
        return Sentence(text, tuple(f"variants[{name}].runs" for name in names))
    missing = "has no finished seed" if len(names) == 1 else "have no finished seed in common"
    text = f"No answer yet: {several(names)} {missing}." if names else "No answer yet: there is no variant."
    return Sentence(text, tuple(f"variants[{name}].runs" for name in names) or ("variants",))
