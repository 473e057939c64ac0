"""What we conclude: findings, comparisons, answers, and the summary of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, get_args

from wellfit.base.data import IntArray
from wellfit.base.ranges import Text
from wellfit.base.runs import History, RunState

__all__ = [
    "MARGIN",
    "QUESTIONS",
    "Answer",
    "Comparison",
    "Finding",
    "Metric",
    "PairedEvidence",
    "Question",
    "QuestionKind",
    "Ranked",
    "RunSummary",
    "Sentence",
    "StudySummary",
    "VariantSummary",
    "Verdict",
]

Verdict = Literal["better", "worse", "equivalent", "undecided"]

MARGIN: Final = 0.001
"""Smaller differences in accuracy (0.1 percentage points) do not matter in practice, unless a study says otherwise."""

QuestionKind = Literal["beats", "best", "onset", "stop", "winner", "matches"]
QUESTIONS: Final = get_args(QuestionKind)
"""The kinds of ``Question`` that a study may ask."""

Metric = Literal["train_accuracy", "train_loss", "validation_accuracy", "validation_loss", "test_accuracy", "test_loss"]
"""What the source of a study may have published."""


@dataclass(frozen=True)
class Finding:
    """Something that a check saw: a stable code, a level, the evidence in a sentence, and how to mend it."""

    code: str
    level: Literal["info", "warning", "error"]
    message: str
    fix: str


@dataclass(frozen=True)
class Comparison:
    """A variant against another, paired by seed and by test image.

    Args:
      variant, against: names of the two variants; differences are the first minus the second.
      metric: what is compared, such as ``"test_accuracy"``.
      difference: mean paired difference.
      interval: its 95 % interval, or None with fewer than two seeds.
      p_value: two-sided, or None likewise.
      p_adjusted: after Holm's correction over all that the study compares, for its questions too.
      verdict: what may be said.
    """

    variant: str
    against: str
    metric: str
    difference: float
    interval: tuple[float, float] | None
    p_value: float | None
    p_adjusted: float | None
    verdict: Verdict


@dataclass(frozen=True)
class PairedEvidence:
    """All that may be said of two variants besides the verdict; what cannot be told from so few seeds is None.

    Args:
      seeds: how many seeds both have.
      interval90: of the difference, seeds and images counted: equivalence stands on it.
      bootstrap_interval, bootstrap_p: seeds and images, without a normal distribution.
      paired_t_p, sign_flip_p: over the seeds, on these test images.
      mcnemar_p: over the images, of the two networks of each seed, in the order of the seeds.  # (S,)
      better_on_new_seed, worse_on_new_seed: probability that one further run of each differs by more than the margin,
        on these test images; what is left is that of practically equivalent.
      further_seeds: how many seeds more would probably decide it; None too if it is decided, or no number would do.
    """

    seeds: int
    interval90: tuple[float, float] | None
    bootstrap_interval: tuple[float, float] | None
    bootstrap_p: float | None
    paired_t_p: float | None
    sign_flip_p: float | None
    mcnemar_p: tuple[float, ...]
    better_on_new_seed: float | None
    worse_on_new_seed: float | None
    further_seeds: int | None


class Ranked(NamedTuple):
    """A variant in its place: those that share a letter are not told apart."""

    variant: str
    mean: float
    letters: str


@dataclass(frozen=True)
class Question:
    """What a study asks beyond "which variants differ from the first"; fields that its kind does not use stay empty.

    Args:
      ask: the question, as a reader sees it.
      kind: ``"beats"`` (is ``variant`` better than each of ``than``?), ``"best"`` (which of ``variants``?), ``"onset"``
        (when does overfitting begin in each of ``variants``?), ``"stop"`` (how many epochs should ``variant`` train,
        and what did the stopping rules of ``variants`` gain or lose?), ``"winner"`` (is the published winner
        confirmed?) or ``"matches"`` (which of ``variants`` are consistent with a published ``value`` of ``metric``?).
      variant: its name; for ``"stop"``, empty means the first.
      than: names of the variants to beat.
      variants: names; empty means all, or for ``"stop"`` those with early stopping.
      metric: of ``"matches"``.
      value: of ``"matches"``: what was published.
    """

    ask: Text
    kind: QuestionKind
    variant: str = ""
    than: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    metric: Metric = "test_accuracy"
    value: float | None = None


@dataclass(frozen=True)
class Sentence:
    """A plain sentence, and the numbers that it was made from.

    Args:
      text: ended by a full stop (a question by its mark).
      sources: keys of ``show --json``: ``"comparisons[l2].difference"`` is the difference of the comparison whose
        variant is l2. Lists are addressed by variant, answers by number, ``asked`` by ``VARIANT/AGAINST``.
    """

    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A question that the study asks, and what the evidence answers.

    Args:
      ask: the question.
      kind: of the question.
      sentences: the answer.
    """

    ask: str
    kind: str
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The answer as one paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def sources(self) -> tuple[str, ...]:
        """What all of its sentences were made from."""
        return tuple(dict.fromkeys(source for sentence in self.sentences for source in sentence.sources))


@dataclass(frozen=True)
class RunSummary:
    """One run in a table; what a pending or diverged run does not have is None."""

    seed: int
    state: RunState
    epochs: int | None
    readout_epoch: int | None
    best_epoch: int | None  # from 1: the epoch of the lowest validation loss
    overfit_onset: int | None  # from 1: the epoch after which validation loss rose for good; None if it did not
    train_accuracy: float | None
    train_loss: float | None
    validation_accuracy: float | None
    validation_loss: float | None
    test_accuracy: float | None
    test_loss: float | None
    seconds: float | None


@dataclass(frozen=True)
class VariantSummary:
    """One variant: its runs, and the mean and 95 % interval of every metric over them.

    Args:
      name: the variant's name.
      settings: what it changes in the base recipe, as the study file says it.
      parameters: how many trainable numbers its model has.
      runs: one entry a seed, pending ones included.
      mean: metric -> mean over the runs that have it; ``generalization_gap`` is train minus test accuracy.
      interval: metric -> (low, high), or None where fewer than two runs have it.
      seconds: training time of its runs, a shared trajectory divided among its runs.
      published: metric -> what the source of the study reports.
    """

    name: str
    settings: Mapping[str, Any]
    parameters: int
    runs: tuple[RunSummary, ...]
    mean: Mapping[str, float]
    interval: Mapping[str, tuple[float, float] | None]
    seconds: float
    published: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class StudySummary:
    """All that a report, a table or ``show --json`` says of a study; computed from the store alone.

    Args:
      name, title: of the study.
      data: name of the data set.
      state: ``"finished"``, ``"running"`` (a process works on it) or ``"interrupted"``.
      seeds: the seeds.
      epochs: epochs of the base recipe.
      seconds: time spent so far.
      directory: the study directory.
      variants: in the order of the study file; the first is the one that the others are compared with.
      comparisons: every other variant with the first.
      findings: of data, split and training.
      verdict: the conclusion's text without the title: sentences that claim no more than the comparisons do.
      histories: variant -> seed -> its epochs.
      confusion: variant -> test counts summed over its runs; empty before the test set was opened.
        # (K, K) [true, predicted]
      classes: the class names.
      provenance: command, versions, hashes, hardware, times: name -> value, as it is to be printed.
      settings: the resolved study, as nested plain data.
      margin: the largest difference in accuracy that does not matter, a share of 1; the verdicts were given with it.
      conclusion: what was asked (the title), what was found, how sure that is, and what to do next.
      answers: to the study's questions, in order.
      asked: the comparisons beyond those with the first variant that the questions needed.
      evidence: more about each comparison: by variant for ``comparisons``, by ``"VARIANT/AGAINST"`` for ``asked``.
      ranking: the variants that were tested from the best mean to the worst, with letters.
      friedman_p: of the test that no variant ranks differently from the others; None with fewer than three variants
        or two common seeds.
      advice: what to try next, the most useful first, from learning curves and validation scores alone.
    """

    name: str
    title: str
    data: str
    state: Literal["finished", "running", "interrupted"]
    seeds: tuple[int, ...]
    epochs: int
    seconds: float
    directory: str
    variants: tuple[VariantSummary, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    verdict: str
    histories: Mapping[str, Mapping[int, History]]
    confusion: Mapping[str, IntArray]
    classes: tuple[str, ...]
    provenance: Mapping[str, str]
    settings: Mapping[str, Any]
    margin: float = MARGIN
    conclusion: tuple[Sentence, ...] = ()
    answers: tuple[Answer, ...] = ()
    asked: tuple[Comparison, ...] = ()
    evidence: Mapping[str, PairedEvidence] = field(default_factory=dict)
    ranking: tuple[Ranked, ...] = ()
    friedman_p: float | None = None
    advice: tuple[Sentence, ...] = ()
