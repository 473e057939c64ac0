"""What a study shows, in plain sentences that claim no more than its verdicts, each with its sources."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import MARGIN, Comparison, PairedEvidence, Ranked, Sentence, VariantSummary
from wellfit.narrative.phrases import (
    FEW,
    counted,
    difference_with_interval,
    further_seeds_sentence,
    points,
    separation,
    several,
)

__all__ = ["conclusion"]

_IMBALANCED: Final = 0.6  # of the test examples in one class


@dataclass(frozen=True)
class _Study:
    """The arguments of ``conclusion``, for its parts."""

    variants: Sequence[VariantSummary]
    comparisons: Sequence[Comparison]
    test_examples: int
    margin: float
    asked: Sequence[Comparison]
    evidence: Mapping[str, PairedEvidence]
    ranking: Sequence[Ranked]
    interim: InterimAnalysis | None
    largest_class: float = 0.0

    def verdict(self, verdict: str) -> list[Comparison]:
        return [c for c in self.comparisons if c.verdict == verdict]

    @property
    def data(self) -> str:
        """The seeds and test examples behind the verdicts; at an interim analysis, the seeds planned for it."""
        seeds = _tested(self.variants[0]) if self.interim is None else self.interim.seeds[self.interim.number - 1]
        return f"{counted(seeds, 'seed')} and {counted(self.test_examples, 'test example')}"


def conclusion(
    variants: Sequence[VariantSummary],
    comparisons: Sequence[Comparison],
    test_examples: int,
    margin: float = MARGIN,
    *,
    title: str = "",
    asked: Sequence[Comparison] = (),
    evidence: Mapping[str, PairedEvidence] | None = None,
    ranking: Sequence[Ranked] = (),
    interim: InterimAnalysis | None = None,
    largest_class: float = 0.0,
) -> tuple[Sentence, ...]:
    """A few sentences: the question, what the study shows and what it does not, how sure that is, what to do next.

    "Better", "worse" and "equivalent" are used only where a verdict says so. Variants without a verdict are called
    undecided, with the differences that remain possible. Of many variants the first few are named and the others
    counted. Diverged and pending runs are counted.

    Args:
      variants: in the order of the study; the others are compared with the first.
      comparisons: of the others with the first.
      test_examples: size of the test set.
      margin: the margin of equivalence of the verdicts.
      title: the question, which becomes the first sentence.
      asked: further comparisons made for the study's questions.
      evidence: by variant, for ``comparisons``.
      ranking: of all variants.
      interim: the interim analysis, in a sequential design.
      largest_class: its share of the test examples.

    Returns:
      Sentences, each with its sources: keys of ``show --json``.

    Example:
      >>> runs = {"settings": {}, "parameters": 1, "runs": (), "interval": {}, "seconds": 0.0, "published": {}}
      >>> names = [VariantSummary(name=name, mean={"test_accuracy": 0.88}, **runs) for name in ("baseline", "l2")]
      >>> better = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> conclusion(names, [better], test_examples=360)[0].text
      'Of 2 variants, l2 was better than baseline in test accuracy (+0.6 points [0.2, 1.0]).'
    """
    opening = [Sentence(title, ("title",))] if title else []
    study = _Study(variants, comparisons, test_examples, margin, asked, evidence or {}, ranking, interim, largest_class)
    return (*opening, *_body(study))


def _body(study: _Study) -> list[Sentence]:
    variants = study.variants
    if not variants:
        return [Sentence("No variant has been trained.", ("variants",))]
    if not any("test_accuracy" in v.mean for v in variants):
        text = "None of the requested runs has been tested yet, so there is no conclusion."
        return [Sentence(text, ("variants",)), *_incomplete(variants)]
    if len(variants) == 1:
        return [_single(variants[0], study.test_examples), *_incomplete(variants)]
    if not any(c.p_adjusted is not None for c in study.comparisons):
        return [_too_few_seeds(variants), *_incomplete(variants)]
    return [
        *_compared(study),
        *_imbalanced(study),
        *_leader(study.ranking, [*study.comparisons, *study.asked]),
        *_certainty(study),
        *_what_next(study),
        *_incomplete(variants),
    ]


# --- Results ----------------------------------------------------------------------------------------------------------


def _single(variant: VariantSummary, test_examples: int) -> Sentence:
    key = f"variants[{variant.name}]"
    interval = variant.interval.get("test_accuracy")
    bounds = "" if interval is None else f" [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"
    accuracy = f"{100 * variant.mean['test_accuracy']:.1f} %{bounds}"
    text = (
        f"{variant.name}, the only variant, reached a test accuracy of {accuracy} "
        f"with {counted(_tested(variant), 'seed')} and {counted(test_examples, 'test example')}."
    )
    return Sentence(text, (f"{key}.mean.test_accuracy", f"{key}.interval.test_accuracy", f"{key}.runs"))


def _too_few_seeds(variants: Sequence[VariantSummary]) -> Sentence:
    if max(len(v.runs) for v in variants) <= 1:
        text = "One seed cannot separate a real difference from chance; run five seeds to compare the variants."
        return Sentence(text, ("study.seeds",))
    text = (
        f"No variant can be compared with {variants[0].name}: none shares two finished seeds with it, so differences "
        "cannot be separated from chance."
    )
    return Sentence(text, tuple(f"variants[{v.name}].runs" for v in variants))


def _compared(study: _Study) -> list[Sentence]:
    """The verdicts: what is better or worse, then what is equivalent or undecided."""
    first = study.variants[0].name
    better, worse, equivalent, compared = map(study.verdict, ("better", "worse", "equivalent", "undecided"))
    decided = {c.variant for c in (*better, *worse, *equivalent)}
    undecided = [v.name for v in study.variants[1:] if v.name not in decided]
    missing = [name for name in undecided if name not in {c.variant for c in compared}]
    open_keys = (*_keys(compared, "verdict", "interval"), *(f"variants[{name}].runs" for name in missing))
    possible = _possible_differences(compared)
    if undecided and not decided:
        return [Sentence(f"No variant differs clearly from {first} with {study.data}{possible}.", open_keys)]
    sentences = []
    groups = [group for group in (better, worse) if group]
    if groups:
        claims = ", and ".join(_verdict_group(group, first, i == 0) for i, group in enumerate(groups))
        keys = tuple(key for group in groups for key in _keys(group, "verdict", "difference", "interval"))
        sentences.append(Sentence(f"Of {len(study.variants)} variants, {claims}.", keys))
    rest = []
    if equivalent:
        names = several([c.variant for c in equivalent])
        rest.append(f"{names} {_were(equivalent)} equivalent to {first} to within {points(study.margin)} points")
    if undecided:
        rest.append(f"{several(undecided)} {'is' if len(undecided) == 1 else 'are'} undecided{possible}")
    if rest:
        keys = (*_keys(equivalent, "verdict"), *(("margin",) if equivalent else ()), *open_keys)
        sentences.append(Sentence(f"{'; '.join(rest)}.", keys))
    return sentences


def _imbalanced(study: _Study) -> list[Sentence]:
    """What accuracy does not say, if one class has most of the test examples."""
    if study.largest_class < _IMBALANCED:
        return []
    text = (
        f"{100 * study.largest_class:.1f} % of the test examples belong to one class, so accuracy says little about "
        "the others; judge the variants by recall and macro F1 too."
    )
    return [Sentence(text, _keys(study.comparisons, "difference"))]


def _verdict_group(group: Sequence[Comparison], first: str, name_metric: bool) -> str:
    """The variants with one verdict, largest differences first if there are too many to name, with their intervals."""
    ordered = group if len(group) <= FEW + 1 else sorted(group, key=lambda c: -abs(c.difference))
    shown = ordered if len(group) <= FEW + 1 else ordered[:FEW]
    differences = [f"{c.variant + ' ' if len(group) > 1 else ''}{difference_with_interval(c)}" for c in shown]
    return (
        f"{several([c.variant for c in ordered])} {_were(group)} {group[0].verdict} than {first}"
        f"{' in test accuracy' if name_metric else ''} ({'; '.join(differences)})"
    )


def _possible_differences(undecided: Sequence[Comparison]) -> str:
    """The differences that the intervals of the undecided comparisons, taken together, leave open."""
    intervals = [c.interval for c in undecided if c.interval is not None]
    if not intervals:
        return ""
    # rounded outward to a tenth of a point, so that the claim holds; accuracies lie between 0 and 1
    low = max(math.floor(1000 * min(i[0] for i in intervals) + 1e-9) / 1000, -1.0)
    high = min(math.ceil(1000 * max(i[1] for i in intervals) - 1e-9) / 1000, 1.0)
    return f": differences from {points(low, signed=True)} to {points(high, signed=True)} points remain possible"


def _leader(ranking: Sequence[Ranked], comparisons: Sequence[Comparison]) -> list[Sentence]:
    """Which variant has the highest mean, and which ones are not separated from it."""
    if len(ranking) < 3:
        return []
    leader = ranking[0]
    separated, alike = separation(leader.variant, ranking, comparisons)
    tied = [r.variant for r in ranking if round(r.mean, 9) == round(leader.mean, 9)]
    if len(tied) == len(ranking):
        return []  # the verdicts say it
    has = f"{leader.variant} has" if len(tied) == 1 else f"{several(tied)} share"
    it = "it" if len(tied) == 1 else leader.variant
    if not separated:
        rest = f"but no pairwise comparison separates {it} from the others"
    elif not alike:
        rest = f"and pairwise comparisons separate {it} from all others"
    else:
        rest = f"but no pairwise comparison separates {it} from {several(alike, 'or')}"
    text = f"{has} the highest mean test accuracy, {100 * leader.mean:.2f} %, {rest}."
    return [Sentence(text, tuple(f"ranking[{r.variant}].{k}" for r in ranking for k in r._fields[1:]))]


# --- How sure, and what next ------------------------------------------------------------------------------------------


def _certainty(study: _Study) -> list[Sentence]:
    """The probability of a false claim, and what one further run would show; nothing if nothing is claimed."""
    claimed = [c for c in study.comparisons if c.verdict in ("better", "worse")]
    if not claimed:
        return []
    number = len(study.comparisons) + len(study.asked)
    analyses = 1 if study.interim is None else len(study.interim.seeds)
    interim = f" and {analyses} interim analyses" if analyses > 1 else ""
    claims = f"of any false claim in {counted(number, 'comparison')}{interim}"
    claims = claims if number > 1 or interim else "of a false claim"
    text = f"With {study.data}, the probability {claims} is limited to 5 %, for new seeds and new images"
    keys = ["study.seeds", *_keys(claimed, "p_adjusted")]
    largest = max(claimed, key=lambda c: abs(c.difference))
    evidence, ahead = study.evidence.get(largest.variant), largest.verdict == "better"
    share = None if evidence is None else evidence.better_on_new_seed if ahead else evidence.worse_on_new_seed
    if share is not None:
        text += (
            f"; on these images, one further run of {largest.variant} would be {'ahead of' if ahead else 'behind'} one "
            f"of {largest.against} by more than {points(study.margin)} points with a probability of "
            f"{'more than 99' if share > 0.99 else f'{100 * share:.0f}'} %"
        )
        keys.append(f"evidence[{largest.variant}].{'better' if ahead else 'worse'}_on_new_seed")
    return [Sentence(f"{text}.", tuple(keys))]


def _what_next(study: _Study) -> list[Sentence]:
    """What would decide the undecided comparisons."""
    undecided, interim = study.verdict("undecided"), study.interim
    if not undecided and len(study.comparisons) < len(study.variants) - 1:
        return []  # the missing comparisons are covered by the pending runs
    if not undecided:
        text = "Every comparison is decided; more seeds would only narrow the intervals."
        return [Sentence(text, _keys(study.comparisons, "verdict"))]
    keys = _keys(undecided, "verdict")
    if interim is not None:
        if interim.number < len(interim.seeds):
            then = interim.seeds[interim.number]
            number = f"interim analysis {interim.number} of {len(interim.seeds)}"
            text = f"This is {number}; the next is planned at {then} seeds."
        else:
            text = "This was the last planned analysis: what is undecided now stays undecided."
        return [Sentence(text, (*keys, "study.seeds"))]
    if len(study.variants[0].runs) == 2:
        text = "Two seeds are too few to estimate how many more would decide; run five."
        return [Sentence(text, (*keys, "study.seeds"))]
    needed = {c.variant: study.evidence[c.variant].further_seeds for c in undecided if c.variant in study.evidence}
    if not needed:
        return []
    sources = (*keys, *(f"evidence[{name}].further_seeds" for name in needed))
    return [Sentence(further_seeds_sentence(needed), sources)]


def _incomplete(variants: Sequence[VariantSummary]) -> list[Sentence]:
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
    return [Sentence(f"{'; '.join(clauses)}.", tuple(dict.fromkeys(keys)))] if clauses else []


# --- Parts of sentences -----------------------------------------------------------------------------------------------


def _keys(comparisons: Sequence[Comparison], *fields: str) -> tuple[str, ...]:
    return tuple(f"comparisons[{c.variant}].{field}" for c in comparisons for field in fields)


def _tested(variant: VariantSummary) -> int:
    return sum(run.test_accuracy is not None for run in variant.runs)


def _were(comparisons: Sequence[Comparison]) -> str:
    return "was" if len(comparisons) == 1 else "were"
