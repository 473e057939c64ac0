"""How sure a conclusion is: divergence, earlier looks, the probability of a false claim, what would decide the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import (
    NO_LOOKS,
    Comparison,
    Divergence,
    EarlierLooks,
    PairedEvidence,
    Ranked,
    Sentence,
    VariantSummary,
)
from wellfit.narrative.metrics import NAMES, within
from wellfit.narrative.outcomes import of_survivors
from wellfit.narrative.phrases import FEW, counted, further_seeds_sentence, several

__all__ = ["Evidence", "certainty", "divergence", "earlier_looks", "incomplete", "keys_of", "runs_tested", "what_next"]

_TELLING: Final = 5  # seeds whose spread tells whether more seeds would decide
_LOOKS: Final = ("Second", "Third", "Fourth", "Fifth")


Folds = Literal["", "once", "repeated"]
"""Whether each seed judges all examples, or a part of them: each example once, or several times."""


@dataclass(frozen=True)
class Evidence:
    """What a conclusion is drawn from: the arguments of ``conclusions.conclusion``."""

    variants: Sequence[VariantSummary]
    comparisons: Sequence[Comparison]
    test_examples: int
    margin: float
    asked: Sequence[Comparison] = ()
    evidence: Mapping[str, PairedEvidence] = field(default_factory=dict)
    ranking: Sequence[Ranked] = ()
    interim: InterimAnalysis | None = None
    largest_class: float = 0.0
    leader_accuracy: float | None = None
    divergences: Sequence[Divergence] = ()
    earlier_looks: EarlierLooks = NO_LOOKS
    metric: str = "test_accuracy"
    epochs: Mapping[str, int] = field(default_factory=dict)
    elsewhere: bool = False
    folds: Folds = ""

    def verdict(self, verdict: str) -> list[Comparison]:
        """The comparisons with the first variant that have this verdict, without identical variants."""
        return [c for c in self.comparisons if c.verdict == verdict and not c.identical]

    @property
    def by_name(self) -> dict[str, VariantSummary]:
        """The variants by name."""
        return {v.name: v for v in self.variants}

    @property
    def identical(self) -> list[Comparison]:
        """The comparisons of variants that gave the same answers as the first."""
        return [c for c in self.comparisons if c.identical]

    def surviving(self, c: Comparison) -> bool:
        """Whether a comparison leaves out diverged runs."""
        return of_survivors(c, self.by_name)

    @property
    def seeds(self) -> int:
        """The seeds behind the verdicts; at an interim analysis, those planned for it."""
        return runs_tested(self.variants[0]) if self.interim is None else self.interim.seeds[self.interim.number - 1]

    @property
    def data(self) -> str:
        """The seeds and test examples behind the verdicts; the seeds alone where no examples are known."""
        if not self.test_examples:
            return counted(self.seeds, "seed")
        return f"{counted(self.seeds, 'seed')} and {counted(self.test_examples, 'test example')}"


def divergence(study: Evidence) -> list[Sentence]:
    """The variants that diverged clearly more or less often than the first."""
    sentences = []
    for word in ("more", "less"):
        clear = [d for d in study.divergences if d.clear and d.against == study.variants[0].name]
        group = [d for d in clear if (d.diverged * d.against_runs > d.against_diverged * d.runs) == (word == "more")]
        if not group:
            continue
        shown = [
            f"{d.variant + ' ' if len(group) > 1 else ''}{d.diverged} of {d.runs} runs against {d.against_diverged} of "
            f"{d.against_runs}, p = {d.p_adjusted:.2g}"
            for d in group[: FEW + 1]
        ]
        text = f"{several([d.variant for d in group])} diverged {word} often than {group[0].against}"
        keys = tuple(f"divergences[{d.variant}].diverged" for d in group)
        sentences.append(Sentence(f"{text} ({'; '.join(shown)}, Fisher's exact test).", keys))
    return sentences


def earlier_looks(study: Evidence) -> list[Sentence]:
    """That test results were seen before seeds were added, or metric or margin chosen, which no verdict allows for.

    The plan of interim analyses counts the look that it began with, but none before that.
    """
    planned = () if study.interim is None else study.interim.seeds
    unplanned = tuple(number for number in study.earlier_looks.seeds if number not in planned)
    return [*_fewer_seeds(unplanned), *_other_metrics(study), *_other_margins(study)]


def _fewer_seeds(unplanned: Sequence[int]) -> list[Sentence]:
    """That the results of these numbers of seeds were seen before more were added."""
    if not unplanned:
        return []
    number = len(unplanned)
    which = f"{_LOOKS[number - 1]} look" if number <= len(_LOOKS) else f"Look {number + 1}"
    seen = several([str(n) for n in unplanned])
    text = (
        f"{which}, unadjusted: the results of {seen} seed{'' if seen == '1' else 's'} were seen before more were "
        "added, so the probability of a false claim is above 5 %."
    )
    return [Sentence(text, ("earlier_looks",))]


def _other_metrics(study: Evidence) -> list[Sentence]:
    """That the variants were compared by other metrics before this one was chosen."""
    seen = study.earlier_looks.metrics
    if not seen:
        return []
    text = (
        f"The metric was chosen after results were seen: the variants were first compared by "
        f"{several([NAMES[f'test_{name}'] for name in seen])}, so the probability of a false claim is above 5 %."
    )
    return [Sentence(text, ("earlier_metrics",))]


def _other_margins(study: Evidence) -> list[Sentence]:
    """That variants called equivalent were compared with other margins before this one was chosen."""
    seen = study.earlier_looks.margins
    if not seen or not study.verdict("equivalent"):
        return []
    text = (
        f"The margin of {within(study.margin, study.metric)} was chosen after results were seen, first with "
        f"{several([within(margin, study.metric) for margin in seen])}: a margin that was fitted to the results "
        "makes equivalence no finding."
    )
    return [Sentence(text, ("earlier_margins",))]


def certainty(study: Evidence) -> list[Sentence]:
    """The probability of a false claim, and what one further run would show; nothing if nothing is claimed."""
    claimed = [c for c in study.comparisons if c.verdict in ("better", "worse")]
    if not claimed:
        return []
    number = len(study.comparisons) + len(study.asked)
    analyses = 1 if study.interim is None else len(study.interim.seeds)
    interim = f" and {analyses} interim analyses" if analyses > 1 else ""
    claims = f"of any false claim in {counted(number, 'comparison')}{interim}"
    claims = claims if number > 1 or interim else "of a false claim"
    single = "in a single look" if study.interim is None else "without the earlier looks"
    limited = f"would be limited to 5 % {single}" if earlier_looks(study) else "is limited to 5 %"
    new = "new seeds and new examples" if study.test_examples else "new seeds and the same test set"
    if study.folds == "once":
        limited, new = limited.replace("limited to", "about"), f"{new}, though not for another training set"
    if study.folds == "repeated":
        limited = "is above 5 %, since repeated splits share training and test examples"
    text = f"With {study.data}, the probability {claims} {limited}{', for ' + new if study.folds != 'repeated' else ''}"
    keys = ["study.seeds", *keys_of(claimed, "p_adjusted")]
    largest = max(claimed, key=lambda c: abs(c.difference))
    evidence, ahead = study.evidence.get(largest.variant), largest.verdict == "better"
    share = None if evidence is None else evidence.better_on_new_seed if ahead else evidence.worse_on_new_seed
    if share is not None:
        here = "these test examples" if study.test_examples else "this test set"
        text += (
            f"; on {here}, one further run of {largest.variant} would be "
            f"{'ahead of' if ahead else 'behind'} one of {largest.against} by more than "
            f"{within(study.margin, study.metric)} with a probability of "
            f"{'more than 99' if share > 0.99 else f'{100 * share:.0f}'} %"
        )
        keys.append(f"evidence[{largest.variant}].{'better' if ahead else 'worse'}_on_new_seed")
    return [Sentence(f"{text}.", tuple(keys))]


def what_next(study: Evidence) -> list[Sentence]:
    """What would decide the undecided comparisons."""
    undecided, interim = study.verdict("undecided"), study.interim
    if not undecided and len(study.comparisons) < len(study.variants) - 1:
        return []  # the missing comparisons are covered by the pending and diverged runs
    if not undecided and len(study.identical) == len(study.comparisons):
        return []
    if not undecided:
        text = "Every comparison is decided; more seeds would only narrow the intervals."
        return [Sentence(text, keys_of(study.comparisons, "verdict"))]
    keys = keys_of(undecided, "verdict")
    if interim is not None:
        if interim.number < len(interim.seeds):
            then = interim.seeds[interim.number]
            number = f"interim analysis {interim.number} of {len(interim.seeds)}"
            text = f"This is {number}; the next is planned at {then} seeds."
        else:
            text = "This was the last planned analysis: what is undecided now stays undecided."
        return [Sentence(text, (*keys, "study.seeds"))]
    needed = {c.variant: study.evidence[c.variant].further_seeds for c in undecided if c.variant in study.evidence}
    if study.seeds < _TELLING:  # too few to say that more would not help
        needed = {name: number for name, number in needed.items() if number is not None}
    if study.seeds <= 2 or (study.seeds < _TELLING and not needed):
        verb = "Train" if study.elsewhere else "Run"
        return [Sentence(f"{verb} five seeds to decide more.", (*keys, "study.seeds"))]
    if not needed:
        return []
    sources = (*keys, *(f"evidence[{name}].further_seeds" for name in needed))
    return [Sentence(further_seeds_sentence(needed, study.elsewhere, known=study.test_examples > 0), sources)]


def incomplete(variants: Sequence[VariantSummary], divergences: Sequence[Divergence] = ()) -> list[Sentence]:
    """One sentence about the runs that the numbers do not include."""
    clauses, keys = [], []
    for state, predicate in (("diverged", "diverged and {} left out"), ("pending", "{} pending")):
        counts = {v.name: sum(run.state == state for run in v.runs) for v in variants}
        counts = {name: n for name, n in counts.items() if n}
        if counts:
            total = sum(counts.values())
            shown = [f"{name}: {n}" for name, n in counts.items()]
            where = ", ".join(shown if len(shown) <= FEW + 1 else [*shown[:FEW], f"{len(shown) - FEW} others"])
            clauses.append(f"{counted(total, 'run')} {predicate.format('is' if total == 1 else 'are')} ({where})")
            keys += [f"variants[{name}].runs" for name in counts]
            if state == "diverged" and divergences and not any(d.clear for d in divergences):
                smallest = min(d.p_adjusted for d in divergences)
                clauses[-1] += f", which could be chance (Fisher's exact test, p = {smallest:.2g})"
    return [Sentence(f"{'; '.join(clauses)}.", tuple(dict.fromkeys(keys)))] if clauses else []


def keys_of(comparisons: Sequence[Comparison], *fields: str) -> tuple[str, ...]:
    """The sources of a sentence about comparisons with the first variant."""
    return tuple(f"comparisons[{c.variant}].{field}" for c in comparisons for field in fields)


def runs_tested(variant: VariantSummary) -> int:
    """How many of a variant's runs were tested.

    Example:
      >>> runs_tested(VariantSummary("l2", {}, 1, (), {}, {}, 0.0, {}))
      0
    """
    return sum(run.test_accuracy is not None for run in variant.runs)
