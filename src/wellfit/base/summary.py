"""What a study shows: comparisons, answers and the summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, get_args

from wellfit.base.data import IntArray
from wellfit.base.findings import Finding
from wellfit.base.ranges import Text
from wellfit.base.runs import History, RunState
from wellfit.base.search import SearchResult

__all__ = [
    "BALANCED",
    "MARGIN",
    "NO_LOOKS",
    "ONE_CLASS",
    "QUESTIONS",
    "Answer",
    "Comparison",
    "Divergence",
    "EarlierLooks",
    "Metric",
    "PairedEvidence",
    "Question",
    "QuestionKind",
    "Ranked",
    "RunSummary",
    "Sentence",
    "StudySummary",
    "VarianceComponents",
    "VariantSummary",
    "Verdict",
]

Verdict = Literal["better", "worse", "equivalent", "undecided"]

MARGIN: Final = 0.001
"""Smaller differences in accuracy (0.1 percentage points) do not matter in practice, unless a study says otherwise."""

ONE_CLASS: Final = 0.95
"""From this share of the training examples in one class on, accuracy is mostly that of always predicting it."""
BALANCED: Final = "--set compare.metric=balanced_accuracy"

QuestionKind = Literal[
    "beats", "best", "onset", "stop", "winner", "matches", "generalizes", "signs", "capacity", "impact", "patterns"
]
QUESTIONS: Final = get_args(QuestionKind)
"""The kinds of ``Question`` that a study may ask."""

Metric = Literal["train_accuracy", "train_loss", "validation_accuracy", "validation_loss", "test_accuracy", "test_loss"]
"""What the source of a study may have published."""


@dataclass(frozen=True)
class Comparison:
    """A variant compared with another, paired by seed and by test image.

    Args:
      variant, against: names of the two variants; differences are the first minus the second.
      metric: what is compared: ``"test_accuracy"`` or another mean of a ``VariantSummary``.
      difference: mean paired difference, in the unit of the metric: of losses, a negative one is better.
      interval: its 95 % interval; None with fewer than two seeds.
      p_value: two-sided; None with fewer than two seeds.
      p_adjusted: corrected for all comparisons of the study, those for its questions included.
      verdict: what the evidence supports.
      identical: whether both gave the same answers on everything that both judged. Such a pair is no question of
        statistics and does not count among the comparisons.
    """

    variant: str
    against: str
    metric: str
    difference: float
    interval: tuple[float, float] | None
    p_value: float | None
    p_adjusted: float | None
    verdict: Verdict
    identical: bool = False


class Divergence(NamedTuple):
    """How often two variants diverged, compared by Fisher's exact test.

    Args:
      variant, against: names of the two variants.
      diverged, runs: how many runs of the first diverged, of how many that ended.
      against_diverged, against_runs: those of the second.
      p_value: two-sided.
      p_adjusted: after Tarone's correction over all pairs of the study in which any run diverged.
    """

    variant: str
    against: str
    diverged: int
    runs: int
    against_diverged: int
    against_runs: int
    p_value: float
    p_adjusted: float

    @property
    def clear(self) -> bool:
        """Whether chance alone would rarely bring such a difference."""
        return self.p_adjusted < 0.05


@dataclass(frozen=True)
class PairedEvidence:
    """The evidence about two variants besides the verdict; None for what too few seeds cannot show.

    Args:
      seeds: how many seeds both have.
      interval90: of the difference, over seeds and examples. With one comparison, equivalence is judged by it.
      bootstrap_interval, bootstrap_p: over seeds and images, without assuming normality.
      paired_t_p, sign_flip_p: over the seeds, on these test images.
      mcnemar_p: over the images, for the two networks of each seed, in the order of the seeds.  # (S,)
      better_on_new_seed, worse_on_new_seed: probability that one further run of each differs by more than the margin,
        on these test images; the remainder is the probability of practical equivalence.
      further_seeds: how many more seeds would probably decide; None also if decided, or if no number would suffice.
      decided_at_last: in a sequential design, the probability that an undecided comparison is decided by the last
        planned analysis.
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
    decided_at_last: float | None = None


class Ranked(NamedTuple):
    """A variant in the ranking; no pairwise comparison separates variants that share a letter."""

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
        and what did the stopping rules of ``variants`` gain or lose?), ``"winner"`` (is the published winner of
        ``variants`` confirmed?), ``"matches"`` (which of ``variants`` are consistent with a published ``value`` of
        ``metric``?), ``"generalizes"`` (which of ``variants`` has the smallest generalization gap?), ``"signs"``
        (which of ``variants`` show signs of overfitting, and which narrow the gap of the first?), ``"capacity"`` (how
        do gap and onset change along ``variants``, from the smallest network on?), ``"impact"`` (what did ``variant``
        change against ``than`` in accuracy, gap and effort?) or ``"patterns"`` (which classes does ``variant``
        confuse?).
      variant: its name; for ``"stop"`` and ``"patterns"``, empty means the first.
      than: names of the variants to compare with; for ``"impact"``, empty means the first.
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
    """A plain sentence with the numbers behind it.

    Args:
      text: with its full stop or question mark, unless it ends with a command-line option.
      sources: keys of ``show --json``: ``"comparisons[l2].difference"`` is the difference of the comparison whose
        variant is l2. Lists are addressed by variant, answers by number, ``asked`` and ``gaps`` by ``VARIANT/AGAINST``.
    """

    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A question of the study and its answer."""

    ask: str
    kind: str
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The answer as one paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of all of its sentences."""
        return tuple(dict.fromkeys(source for sentence in self.sentences for source in sentence.sources))


@dataclass(frozen=True)
class RunSummary:
    """One run in a table; None for what a pending or diverged run does not have."""

    seed: int
    state: RunState
    epochs: int | None
    readout_epoch: int | None
    best_epoch: int | None  # from 1, of the lowest validation loss
    overfit_onset: int | None  # from 1, after which validation loss rose for good; None if it did not
    train_accuracy: float | None
    train_loss: float | None
    validation_accuracy: float | None
    validation_loss: float | None
    test_accuracy: float | None
    test_loss: float | None
    seconds: float | None
    test_score: float | None = None  # the metric that variants are compared on, unless that is accuracy


@dataclass(frozen=True, repr=False)
class VariantSummary:
    """One variant: its runs, and the mean and 95 % interval of every metric over them.

    Args:
      name: the variant's name.
      settings: its changes to the base recipe, as in the study file.
      parameters: number of trainable parameters of its model.
      runs: one entry per seed, pending ones included.
      mean: metric -> mean over the runs that have it; ``generalization_gap`` is train minus test accuracy. Another
        metric that variants are compared on is there too, as ``"test_macro_f1"``, say.
      interval: metric -> (low, high); None if fewer than two runs have it.
      seconds: training time of its runs; the time of a shared trajectory is divided among its runs.
      published: metric -> value reported by the source of the study.
    """

    name: str
    settings: Mapping[str, Any]
    parameters: int
    runs: tuple[RunSummary, ...]
    mean: Mapping[str, float]
    interval: Mapping[str, tuple[float, float] | None]
    seconds: float
    published: Mapping[str, float]

    def __repr__(self) -> str:
        """One line: name, validation and test accuracy with their intervals, number of runs."""
        scores = [
            f"{metric} {self.mean[metric]:.4f}" + ("" if bounds is None else f" [{bounds[0]:.4f}, {bounds[1]:.4f}]")
            for metric in ("validation_accuracy", "test_accuracy")
            if metric in self.mean
            for bounds in [self.interval.get(metric)]
        ]
        ended = sum(run.state != "pending" for run in self.runs)
        return f"VariantSummary({', '.join([repr(self.name), *scores, f'{ended} of {len(self.runs)} runs'])})"


class VarianceComponents(NamedTuple):
    """The mean of scores and the parts of its variance; floats, or arrays of one shape for many means at once.

    Args:
      mean: over everything that was judged; each judgment counts the same.
      seeds: their number.
      judged: the number of examples that any seed judged.
      seed: variance of the mean as the spread of the seeds' means shows it, with ``seed_df`` degrees of freedom.
      examples: variance of the mean as the spread of the examples shows it, with ``df`` degrees of freedom. It counts
        the examples alone: differences between the seeds' means are removed.
      overlap: the part of ``examples`` that ``seed`` contains too, since a seed's mean varies with its examples.
      lasting: the part of ``examples`` that no number of further seeds removes; an assumption where each example was
        judged once.
      floor: smallest variance that the mean is credited with.
    """

    mean: float
    seeds: int
    judged: int
    seed: float
    examples: float
    overlap: float
    lasting: float
    df: float
    seed_df: float
    floor: float = 0.0


class EarlierLooks(NamedTuple):
    """What was seen of the test results before the present verdicts, which do not allow for it.

    Args:
      seeds: the numbers of seeds whose results were seen before more were added, ascending.
      metrics: by which variants were compared before the present metric was chosen, in that order, as in a study file.
      margins: of equivalence, with which they were compared by the present metric before the present margin was chosen.
    """

    seeds: tuple[int, ...] = ()
    metrics: tuple[str, ...] = ()
    margins: tuple[float, ...] = ()


NO_LOOKS: Final = EarlierLooks()
"""Nothing was seen before."""


@dataclass(frozen=True, eq=False)
class StudySummary:
    """Everything that a report, a table or ``show --json`` says about a study; computed from the store alone.

    Args:
      name, title: of the study.
      data: name of the data set.
      state: ``"running"`` while a process works on it.
      epochs: of the base recipe.
      seconds: time spent so far.
      variants: in the order of the study file; the others are compared with the first.
      comparisons: every other variant with the first.
      findings: about data, split and training.
      verdict: the text of the conclusion without the title; it claims no more than the comparisons do.
      histories: variant -> seed -> its epochs.
      confusion: variant -> test counts summed over its runs; empty before the test set was opened.
        # (K, K) [true, predicted]
      provenance: name -> value, ready to print: command, versions, hashes, hardware, times.
      settings: the resolved study, as nested plain data.
      margin: largest difference of no practical interest, in the unit of the metric, as used by the verdicts.
      metric: what variants are compared on, as in a study file: ``"accuracy"`` ...
      conclusion: the question (the title), what the study shows, how sure that is, and what to do next.
      answers: to the study's questions, in order.
      asked: comparisons for the questions, besides those with the first variant.
      gaps: comparisons of generalization gaps for the questions; "better" means a smaller one.
      evidence: more about each comparison: by variant for ``comparisons``, by ``"VARIANT/AGAINST"`` for ``asked``.
      ranking: the tested variants from the best mean to the worst, with letters.
      friedman_p: of the test that all variants rank alike; None with fewer than three variants or two common seeds.
      divergences: the pairs among ``comparisons`` and ``asked`` in which any run diverged.
      leader_accuracy: what to expect of the first in the ranking, without the luck of being the first; in the study's
        metric and its unit, whatever that is. None with fewer than two variants or two common seeds.
      advice: what to try next, the most useful first, from learning curves and validation scores only.
      earlier_looks: what was seen of the test results before; not at planned interim analyses.
      analyses: planned, in a sequential design, for which intervals of differences are widened; 1 without one.
      validation_examples: of each seed; 0 if unknown.
      validation_overlap: the share of them that two seeds have in common on average: 1 for one split, 0 for disjoint
        folds.
      validation: variant -> what its difference from the first in correctness on the validation examples varies with,
        for the variants that validation can compare and whose answers are kept.
      search: what was tried before the study, and what is left of it on fresh seeds; None without a search.
      fingerprint: of everything in the study directory; None while or after a command changes it without ending.
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
    gaps: tuple[Comparison, ...] = ()
    evidence: Mapping[str, PairedEvidence] = field(default_factory=dict)
    ranking: tuple[Ranked, ...] = ()
    friedman_p: float | None = None
    divergences: tuple[Divergence, ...] = ()
    leader_accuracy: float | None = None
    advice: tuple[Sentence, ...] = ()
    earlier_looks: EarlierLooks = NO_LOOKS
    analyses: int = 1
    validation_examples: int = 0
    validation_overlap: float = 1.0
    validation: Mapping[str, VarianceComponents] = field(default_factory=dict)
    search: SearchResult | None = None
    fingerprint: str | None = None
    metric: str = "accuracy"

    @property
    def compared(self) -> str:
        """The key of the compared metric among the means of a variant."""
        return f"test_{self.metric}"

    @property
    def elsewhere(self) -> bool:
        """Whether others trained its runs, so that wellfit knows nothing but what they predict."""
        return bool(self.settings.get("elsewhere"))

    @property
    def accuracies_alone(self) -> bool:
        """Whether nothing is known of single test examples."""
        return self.elsewhere and not self.classes
