"""What the results of a study's runs show: comparisons, evidence, ranking, conclusion and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

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
from wellfit.study.scored import bounds_in_own_unit, comparison_in_own_unit, in_own_unit

__all__ = ["Concluded", "conclude", "pairs_of"]

Scores = Mapping[str, Mapping[int, NDArray[Any]]]


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
    scores: Scores,
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
      scores: variant -> seed -> score of each test example that it judges, by the study's metric: the larger the
        better.  # (m,)
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
    components = paired_components(scores, pairs, tested)
    scored = compare_pairs(scores, pairs, spec.margin, interim, tested, f"test_{spec.metric}", components)
    compared = [comparison_in_own_unit(spec.metric, c) for c in scored]
    counted = sum(not c.identical for c in compared)
    comparisons = tuple(c for c in compared if (c.variant, c.against) in usual)
    asked = tuple(c for c in compared if (c.variant, c.against) in further)
    ended = {v.name: (diverged_runs(v), sum(run.state != "pending" for run in v.runs)) for v in variants}
    divergences = compare_divergence(ended, pairs)
    evidence = {
        c.variant if c.against == names[0] else f"{c.variant}/{c.against}": _evidence(
            spec.metric, evidence_of(c, scores, counted, spec.margin, interim, tested, components[c.variant, c.against])
        )
        for c in compared
    }
    ranks = ranking(scores, interim=interim, compared=compared, tested=tested)
    ranked = tuple(rank._replace(mean=in_own_unit(spec.metric, rank.mean)) for rank in ranks)
    leader = expected_of_leader(scores, tested)
    expected = None if leader is None else in_own_unit(spec.metric, leader)
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
        metric=f"test_{spec.metric}",
    )
    named = {v.name: v for v in variants}
    context = AnswerContext(named, comparisons, asked, evidence, ranked, stopping, expected, divergences,
                            published_differs, f"test_{spec.metric}")  # fmt: skip
    return Concluded(
        comparisons,
        asked,
        evidence,
        ranked,
        _friedman_p(scores),
        divergences,
        expected,
        sentences,
        " ".join(sentence.text for sentence in sentences[1:]),
        answered(questions, context),
    )


def _evidence(metric: str, found: PairedEvidence) -> PairedEvidence:
    """Evidence from scores in the unit of the metric."""
    bounds = bounds_in_own_unit(metric, found.interval90), bounds_in_own_unit(metric, found.bootstrap_interval)
    return replace(found, interval90=bounds[0], bootstrap_interval=bounds[1])


def _friedman_p(scores: Scores) -> float | None:
    """Friedman's test over the variants with tested runs and the seeds that all of these have in common."""
    tested = {name: runs for name, runs in scores.items() if runs}
    seeds = set.intersection(*(set(runs) for runs in tested.values())) if tested else set()
    if len(tested) < 3 or len(seeds) < 2:
        return None
    return friedman(
        np.array([[runs[seed].mean(dtype=np.float64) for seed in sorted(seeds)] for runs in tested.values()])
    )  # (V, S)
