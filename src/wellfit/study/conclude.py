"""What the results of a study's runs show: comparisons, evidence, ranking, conclusion and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import compare_pairs, paired_components
from wellfit.analysis.divergence import compare_divergence
from wellfit.analysis.evidence import evidence_of
from wellfit.analysis.rankings import expected_of_leader, friedman, ranking
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import (
    Answer,
    Comparison,
    Divergence,
    PairedEvidence,
    Question,
    Ranked,
    Recipe,
    Sentence,
    TestRows,
    VariantSummary,
)
from wellfit.narrative.conclusions import conclusion
from wellfit.narrative.context import AnswerContext
from wellfit.narrative.outcomes import diverged_runs
from wellfit.narrative.questions import answered, asked_pairs, published_winner
from wellfit.spec.study import StudySpec

__all__ = ["Concluded", "conclude", "pairs_of"]

Correctness = Mapping[str, Mapping[int, NDArray[np.bool_]]]


class Concluded(NamedTuple):
    """Fields of a ``StudySummary``, under the same names."""

    comparisons: tuple[Comparison, ...]
    asked: tuple[Comparison, ...]
    evidence: Mapping[str, PairedEvidence]
    ranking: tuple[Ranked, ...]
    friedman_p: float | None
    divergences: tuple[Divergence, ...]
    leader_accuracy: float | None
    conclusion: tuple[Sentence, ...]
    verdict: str
    answers: tuple[Answer, ...]


def pairs_of(spec: StudySpec, recipes: Mapping[str, Recipe]) -> tuple[list[tuple[str, str]], Sequence[tuple[str, str]]]:
    """What a study compares, fixed before any result: every variant with the first, and what its questions ask further.

    Args:
      spec: the study.
      recipes: of its variants.
    """
    names = list(spec.variants)
    usual = [(name, names[0]) for name in names[1:]]
    return usual, asked_pairs(_questions(spec), names[0], spec.published, _stopping(recipes))


def _questions(spec: StudySpec) -> Sequence[Question]:
    """Those that can be answered: the stored study may lack a variant that a question names."""
    names = list(spec.variants)
    known = [q for q in spec.questions if {q.variant, *q.than, *q.variants} <= {"", *names}]
    return published_winner(known, spec.published)


def _stopping(recipes: Mapping[str, Recipe]) -> list[str]:
    return [name for name, recipe in recipes.items() if recipe.early_stopping is not None]


def conclude(
    spec: StudySpec,
    recipes: Mapping[str, Recipe],
    variants: Sequence[VariantSummary],
    correctness: Correctness,
    tested: TestRows,
    interim: InterimAnalysis | None = None,
    largest_class: float = 0.0,
    published_differs: str = "",
    earlier_looks: Sequence[int] = (),
) -> Concluded:
    """Compare the variants, rank them, and draw the conclusion.

    Every variant is compared with the first one; the study's questions may add further pairs. Holm's correction covers
    all of these comparisons together, which the study fixes before any result.

    Args:
      spec: the study.
      recipes: of its variants.
      variants: their summaries.
      correctness: variant -> seed -> whether each test example that it judges was classified correctly.  # bool (m,)
      tested: which test examples each seed judges.
      interim: the interim analysis that this is; None if none were planned.
      largest_class: its share of the test examples.
      published_differs: how the published settings differ from those here, see ``comparable.published_caution``.
      earlier_looks: the numbers of seeds whose test results were seen before more were added.
    """
    names = list(spec.variants)
    judged = np.unique(np.concatenate([*tested.rows.values(), np.zeros(0, np.int64)]))  # by any seed
    questions, stopping = _questions(spec), _stopping(recipes)
    usual, further = pairs_of(spec, recipes)
    pairs = [*usual, *further]
    compared = compare_pairs(correctness, pairs, spec.margin, interim, tested)
    components = paired_components(correctness, pairs, tested)
    counted = sum(not c.identical for c in compared)
    comparisons = tuple(c for c in compared if (c.variant, c.against) in usual)
    asked = tuple(c for c in compared if (c.variant, c.against) in further)
    ended = {v.name: (diverged_runs(v), sum(run.state != "pending" for run in v.runs)) for v in variants}
    divergences = compare_divergence(ended, pairs)
    evidence = {
        c.variant if c.against == names[0] else f"{c.variant}/{c.against}": evidence_of(
            c, correctness, counted, spec.margin, interim, tested, components[c.variant, c.against]
        )
        for c in compared
    }
    ranked = ranking(correctness, interim=interim, compared=compared, tested=tested)
    expected = expected_of_leader(correctness, tested)
    sentences = conclusion(
        variants,
        comparisons,
        len(judged),
        spec.margin,
        title=spec.title,
        asked=asked,
        evidence=evidence,
        ranking=ranked,
        interim=interim,
        largest_class=largest_class,
        leader_accuracy=expected,
        divergences=divergences,
        earlier_looks=earlier_looks,
    )
    named = {v.name: v for v in variants}
    context = AnswerContext(named, comparisons, asked, evidence, ranked, stopping, expected, divergences,
                            published_differs)  # fmt: skip
    return Concluded(
        comparisons,
        asked,
        evidence,
        ranked,
        _friedman_p(correctness),
        divergences,
        expected,
        sentences,
        " ".join(sentence.text for sentence in sentences[1:]),
        answered(questions, context),
    )


def _friedman_p(correctness: Correctness) -> float | None:
    """Friedman's test over the variants with tested runs and the seeds that all of these have in common."""
    tested = {name: runs for name, runs in correctness.items() if runs}
    seeds = set.intersection(*(set(runs) for runs in tested.values())) if tested else set()
    if len(tested) < 3 or len(seeds) < 2:
        return None
    return friedman(np.array([[runs[seed].mean() for seed in sorted(seeds)] for runs in tested.values()]))  # (V, S)
