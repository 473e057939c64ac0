"""What the outcomes of a study's runs say of its variants: comparisons, evidence, ranking, conclusion and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import compare_pairs
from wellfit.analysis.evidence import evidence_of
from wellfit.analysis.rankings import friedman, ranking
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Answer, Comparison, PairedEvidence, Ranked, Sentence, VariantSummary
from wellfit.narrative.conclusions import conclusion
from wellfit.narrative.facts import Facts
from wellfit.narrative.questions import answered, asked_pairs, published_winner
from wellfit.spec.study import StudySpec, recipes

__all__ = ["Concluded", "conclude"]

Correctness = Mapping[str, Mapping[int, NDArray[np.bool_]]]


class Concluded(NamedTuple):
    """The fields of a ``StudySummary`` that are concluded from its outcomes, under their names there."""

    comparisons: tuple[Comparison, ...]
    asked: tuple[Comparison, ...]
    evidence: Mapping[str, PairedEvidence]
    ranking: tuple[Ranked, ...]
    friedman_p: float | None
    conclusion: tuple[Sentence, ...]
    verdict: str
    answers: tuple[Answer, ...]


def conclude(
    spec: StudySpec,
    variants: Sequence[VariantSummary],
    correctness: Correctness,
    test_examples: int,
    look: InterimAnalysis | None = None,
) -> Concluded:
    """Compare, rank and conclude.

    Every variant is compared with the first, and what the study's questions ask beyond that; Holm's correction is over
    all of these comparisons together, which were fixed by the study before any outcome.

    Args:
      spec: the study.
      variants: its variants.
      correctness: variant -> seed -> whether each test image was classified correctly.  # bool (M,)
      test_examples: how many examples the test set holds.
      look: which look of which, where the study is looked at until it is decided; None for a single look.

    Returns:
      All that is concluded.
    """
    names = list(spec.variants)
    stopping = [name for name, recipe in recipes(spec).items() if recipe.early_stopping is not None]
    # Another process may have taken a variant away since the study was read; a question about it goes too.
    known = [q for q in spec.questions if {q.variant, *q.than, *q.variants} <= {"", *names}]
    questions = published_winner(known, spec.published)
    usual = [(name, names[0]) for name in names[1:]]
    further = asked_pairs(questions, names[0], spec.published, stopping)
    made = compare_pairs(correctness, [*usual, *further], spec.margin, look)
    comparisons = tuple(c for c in made if (c.variant, c.against) in usual)
    asked = tuple(c for c in made if (c.variant, c.against) in further)
    evidence = {
        c.variant if c.against == names[0] else f"{c.variant}/{c.against}": evidence_of(
            c, correctness, len(made), spec.margin, look
        )
        for c in made
    }
    ranked = ranking(correctness, look=look)
    told = conclusion(
        variants,
        comparisons,
        test_examples,
        spec.margin,
        title=spec.title,
        asked=asked,
        evidence=evidence,
        ranking=ranked,
        look=look,
    )
    facts = Facts({v.name: v for v in variants}, comparisons, asked, evidence, ranked, stopping)
    return Concluded(
        comparisons,
        asked,
        evidence,
        ranked,
        _friedman_p(correctness),
        told,
        " ".join(sentence.text for sentence in told[1:]),
        answered(questions, facts),
    )


def _friedman_p(correctness: Correctness) -> float | None:
    """Friedman's test over the variants that have runs and the seeds that all of these have."""
    tested = {name: runs for name, runs in correctness.items() if runs}
    seeds = set.intersection(*(set(runs) for runs in tested.values())) if tested else set()
    if len(tested) < 3 or len(seeds) < 2:
        return None
    return friedman(np.array([[runs[seed].mean() for seed in sorted(seeds)] for runs in tested.values()]))  # (V, S)
