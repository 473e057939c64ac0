"""What the results of a study's runs show: comparisons, evidence, ranking, conclusion and answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import compare_pairs, paired_components
from wellfit.analysis.divergence import compare_divergence
from wellfit.analysis.evidence import evidence_of
from wellfit.analysis.gaps import compare_gaps
from wellfit.analysis.rankings import expected_of_leader, friedman, ranking
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import (
    MARGIN,
    NO_LOOKS,
    Answer,
    Comparison,
    Divergence,
    EarlierLooks,
    History,
    IntArray,
    PairedEvidence,
    Question,
    Ranked,
    Recipe,
    Sentence,
    TestRows,
    VariantSummary,
)
from wellfit.narrative.caveats import Folds
from wellfit.narrative.conclusions import conclusion
from wellfit.narrative.context import AnswerContext, RiseCause
from wellfit.narrative.gap_answers import gap_pairs
from wellfit.narrative.outcomes import diverged_runs
from wellfit.narrative.questions import answered, asked_pairs, published_winner
from wellfit.spec.study import StudySpec
from wellfit.study.scored import bounds_in_own_unit, comparison_in_own_unit, in_own_unit

__all__ = ["Concluded", "Further", "conclude", "pairs_of"]

Scores = Mapping[str, Mapping[int, NDArray[Any]]]


class Found(NamedTuple):
    """Fields of a ``StudySummary`` that hold numbers, under the same names."""

    comparisons: tuple[Comparison, ...]
    asked: tuple[Comparison, ...]
    evidence: Mapping[str, PairedEvidence]
    ranking: tuple[Ranked, ...]
    divergences: tuple[Divergence, ...]
    leader_accuracy: float | None


class Further(NamedTuple):
    """What answers need besides the scores.

    Args:
      correct: variant -> seed -> whether each test example was classified correctly.  # (m,)
      sampled: the number of training examples that training accuracy is measured on, see ``independent_sample``; 0 if
        unknown.
      histories: variant -> seed -> its epochs.
      confusion: variant -> test counts summed over its runs.  # (K, K) [true, predicted]
      classes: their names.
      other_causes: variants whose validation loss rises beyond noise without overfitting, and why.
    """

    correct: Scores = MappingProxyType({})
    sampled: float = 0
    histories: Mapping[str, Mapping[int, History]] = MappingProxyType({})
    confusion: Mapping[str, IntArray] = MappingProxyType({})
    classes: tuple[str, ...] = ()
    other_causes: Mapping[str, RiseCause] = MappingProxyType({})


class Concluded(NamedTuple):
    """Fields of a ``StudySummary``, under the same names."""

    comparisons: tuple[Comparison, ...]
    asked: tuple[Comparison, ...]
    evidence: Mapping[str, PairedEvidence]
    ranking: tuple[Ranked, ...]
    divergences: tuple[Divergence, ...]
    leader_accuracy: float | None
    friedman_p: float | None
    conclusion: tuple[Sentence, ...]
    verdict: str
    answers: tuple[Answer, ...]
    gaps: tuple[Comparison, ...]


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
    earlier_looks: EarlierLooks = NO_LOOKS,
    further: Further | None = None,
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
      earlier_looks: what was seen of the test results before.
      further: what the answers need besides the scores.
    """
    metric = f"test_{spec.metric}"
    found = _found(spec, recipes, variants, scores, tested, interim)
    epochs = {name: recipe.epochs for name, recipe in recipes.items()}
    judged = np.unique(np.concatenate([*tested.rows.values(), np.zeros(0, np.int64)]))  # by any seed
    sentences = conclusion(
        *(variants, found.comparisons, len(judged), spec.margin),
        title=spec.title,
        asked=found.asked,
        evidence=found.evidence,
        ranking=found.ranking,
        interim=interim,
        largest_class=largest_class,
        leader_accuracy=found.leader_accuracy,
        divergences=found.divergences,
        earlier_looks=earlier_looks,
        metric=metric,
        epochs=epochs,
        elsewhere=spec.elsewhere,
        folds=_folds(tested, len(judged)),
    )
    named = {v.name: v for v in variants}
    further = further or Further()
    gaps = _gaps(spec, variants, {name: of.keys() for name, of in scores.items()}, tested, interim, further)
    context = AnswerContext(
        *(named, found.comparisons, found.asked, found.evidence, found.ranking, _stopping(recipes)),
        *(found.leader_accuracy, found.divergences, published_differs, metric),
        *(gaps, _lowest(variants, further.histories), further.confusion, further.classes),
        epochs=epochs,
        other_causes=further.other_causes,
    )
    verdict = " ".join(sentence.text for sentence in sentences[1:])
    answers = answered(_questions(spec), context)
    return Concluded(*found, _friedman_p(scores), sentences, verdict, answers, gaps)


def _folds(tested: TestRows, judged: int) -> Folds:
    """Whether seeds judge parts of the examples, each once or several times."""
    sizes = [len(rows) for rows in tested.rows.values()]
    if all(size == judged for size in sizes):
        return ""
    return "once" if sum(sizes) == judged else "repeated"


def _gaps(
    spec: StudySpec,
    variants: Sequence[VariantSummary],
    seeds: Mapping[str, Collection[int]],
    tested: TestRows,
    interim: InterimAnalysis | None,
    further: Further,
) -> tuple[Comparison, ...]:
    """The comparisons of generalization gaps that the questions ask for, over the seeds that are compared."""
    pairs = gap_pairs(_questions(spec), list(spec.variants))
    if not pairs or not further.sampled:
        return ()
    train = {
        v.name: {run.seed: run.train_accuracy for run in v.runs if run.train_accuracy is not None} for v in variants
    }
    right = {name: {seed: of[seed] for seed in of if seed in seeds[name]} for name, of in further.correct.items()}
    margin = spec.margin if spec.metric == "accuracy" else MARGIN
    return compare_gaps(*(right, train, pairs), sampled=further.sampled, margin=margin, interim=interim, tested=tested)


def _lowest(
    variants: Sequence[VariantSummary], histories: Mapping[str, Mapping[int, History]]
) -> dict[str, tuple[float, float, int]]:
    """Of each variant's validation loss, mean over the runs that did not diverge: lowest, last, epoch of the lowest."""
    found = {}
    sound = {v.name: {run.seed for run in v.runs if run.state in ("finished", "stopped")} for v in variants}
    for name, of in histories.items():
        losses = [h["validation_loss"] for seed, h in of.items() if len(h) and seed in sound.get(name, ())]
        epochs = min(map(len, losses), default=0)
        mean = np.mean([loss[:epochs] for loss in losses], axis=0) if epochs else np.zeros(0)  # (E,)
        if epochs and np.isfinite(mean).all():
            found[name] = float(mean.min()), float(mean[-1]), int(mean.argmin()) + 1
    return found


def _found(
    spec: StudySpec,
    recipes: Mapping[str, Recipe],
    variants: Sequence[VariantSummary],
    scores: Scores,
    tested: TestRows,
    interim: InterimAnalysis | None,
) -> Found:
    """What the scores show, without words."""
    usual, further = pairs_of(spec, recipes)
    pairs = [*usual, *further]
    components = paired_components(scores, pairs, tested)
    scored = compare_pairs(scores, pairs, spec.margin, interim, tested, f"test_{spec.metric}", components)
    compared = [comparison_in_own_unit(spec.metric, c) for c in scored]
    counted = sum(not c.identical for c in compared)
    evidence: dict[str, PairedEvidence] = {}
    for c in compared:
        pair = components[c.variant, c.against]
        of_pair = evidence_of(c, scores, counted, spec.margin, interim, tested, pair)
        key = c.variant if (c.variant, c.against) in usual else f"{c.variant}/{c.against}"
        evidence[key] = _evidence(spec.metric, of_pair)
    ended = {v.name: (diverged_runs(v), sum(run.state != "pending" for run in v.runs)) for v in variants}
    ranks = ranking(scores, interim=interim, compared=compared, tested=tested)
    leader = expected_of_leader(scores, tested)
    return Found(
        tuple(c for c in compared if (c.variant, c.against) in usual),
        tuple(c for c in compared if (c.variant, c.against) in further),
        evidence,
        tuple(rank._replace(mean=in_own_unit(spec.metric, rank.mean)) for rank in ranks),
        compare_divergence(ended, pairs),
        None if leader is None else in_own_unit(spec.metric, leader),
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
