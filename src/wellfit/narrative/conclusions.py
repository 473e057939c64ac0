"""What a study shows, in plain sentences that claim no more than its verdicts, each with the numbers it stands on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from wellfit.analysis.comparisons import MARGIN
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Comparison, PairedEvidence, Ranked, Sentence, VariantSummary
from wellfit.narrative.words import FEW, bounded, counted, further, peers, points, several

__all__ = ["conclusion"]


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
    look: InterimAnalysis | None = None,
) -> tuple[Sentence, ...]:
    """A few sentences: what was asked, what the study shows and what it does not, how sure that is, what to do next.

    "Better" and "worse" stand only where a verdict says so, "equivalent" likewise; of the others it says that the
    evidence does not decide, and what differences remain possible. Of many variants the first few are named and the
    others counted. Diverged and pending runs are counted.

    Args:
      variants: in the order of the study; the first is the one that the others are compared with.
      comparisons: of the others with the first.
      test_examples: how many examples the test set holds.
      margin: the margin of equivalence that the verdicts were given with.
      title: what was asked, the first sentence; empty leaves it out.
      asked: further comparisons that were made for the study's questions.
      evidence: by variant, of ``comparisons``.
      ranking: of all variants.
      look: which look of which, where there are several.

    Returns:
      Sentences, each with the keys of ``show --json`` that it was made from.

    Example:
      >>> runs = {"settings": {}, "parameters": 1, "runs": (), "interval": {}, "seconds": 0.0, "published": {}}
      >>> names = [VariantSummary(name=name, mean={"test_accuracy": 0.88}, **runs) for name in ("baseline", "l2")]
      >>> found = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> conclusion(names, [found], test_examples=360)[0].text
      'Of 2 variants, l2 was better than baseline in test accuracy (+0.6 points [0.2, 1.0]).'
    """
    opening = [Sentence(title, ("title",))] if title else []
    return (*opening, *_told(variants, comparisons, test_examples, margin, asked, evidence or {}, ranking, look))


def _told(
    variants: Sequence[VariantSummary],
    comparisons: Sequence[Comparison],
    test_examples: int,
    margin: float,
    asked: Sequence[Comparison],
    evidence: Mapping[str, PairedEvidence],
    ranking: Sequence[Ranked],
    look: InterimAnalysis | None,
) -> list[Sentence]:
    if not variants:
        return [Sentence("No variant has been trained.", ("variants",))]
    if not any("test_accuracy" in v.mean for v in variants):
        text = "No run of the study as it is asked for now has been tested yet, so nothing is concluded."
        return [Sentence(text, ("variants",)), *_incomplete(variants)]
    if len(variants) == 1:
        return [_alone(variants[0], test_examples), *_incomplete(variants)]
    if not any(c.p_adjusted is not None for c in comparisons):
        return [_too_few_seeds(variants), *_incomplete(variants)]
    return [
        *_compared(variants, comparisons, _data(variants[0], test_examples, look), margin),
        *_leader(ranking, [*comparisons, *asked]),
        *_how_sure(comparisons, len(asked), _data(variants[0], test_examples, look), margin, evidence, look),
        *_what_next(variants, comparisons, evidence, look),
        *_incomplete(variants),
    ]


# --- What was found ---------------------------------------------------------------------------------------------------


def _alone(variant: VariantSummary, test_examples: int) -> Sentence:
    key = f"variants[{variant.name}]"
    interval = variant.interval.get("test_accuracy")
    bounds = "" if interval is None else f" [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"
    text = (
        f"There is one variant and nothing to compare it with: {variant.name} reached a test accuracy of "
        f"{100 * variant.mean['test_accuracy']:.1f} %{bounds} with {counted(_finished(variant), 'seed')} and "
        f"{counted(test_examples, 'test example')}."
    )
    return Sentence(text, (f"{key}.mean.test_accuracy", f"{key}.interval.test_accuracy", f"{key}.runs"))


def _too_few_seeds(variants: Sequence[VariantSummary]) -> Sentence:
    if max(len(v.runs) for v in variants) <= 1:
        text = "One seed cannot tell a real difference from chance: run five to compare the variants."
        return Sentence(text, ("study.seeds",))
    text = (
        f"No variant can be compared with {variants[0].name}: no two seeds are finished for both. Differences of "
        "single runs are not told from chance."
    )
    return Sentence(text, tuple(f"variants[{v.name}].runs" for v in variants))


def _compared(
    variants: Sequence[VariantSummary], comparisons: Sequence[Comparison], data: str, margin: float
) -> list[Sentence]:
    first = variants[0].name
    by_verdict = {v: [c for c in comparisons if c.verdict == v] for v in ("better", "worse", "equivalent", "undecided")}
    decided = {c.variant for c in comparisons if c.verdict != "undecided"}
    undecided = [v.name for v in variants[1:] if v.name not in decided]
    limit = _still_possible(by_verdict["undecided"])
    missing = [name for name in undecided if name not in {c.variant for c in by_verdict["undecided"]}]
    open_keys = (
        *_keys(by_verdict["undecided"], "verdict", "interval"),
        *(f"variants[{name}].runs" for name in missing),
    )
    if undecided and not decided:
        return [Sentence(f"No variant could be told apart from {first} with {data}{limit}.", open_keys)]
    sentences = []
    apart = [by_verdict[v] for v in ("better", "worse") if by_verdict[v]]
    if apart:
        told = ", and ".join(_apart(found, first, i == 0) for i, found in enumerate(apart))
        keys = tuple(key for found in apart for key in _keys(found, "verdict", "difference", "interval"))
        sentences.append(Sentence(f"Of {len(variants)} variants, {told}.", keys))
    rest = []
    if same := by_verdict["equivalent"]:
        names = several([c.variant for c in same])
        rest.append(f"{names} {_were(same)} equivalent to {first}, to within {points(margin)} points")
    if undecided:
        rest.append(f"{'for' if same else 'For'} {several(undecided)} the evidence does not decide{limit}")
    if rest:
        keys = (*_keys(same, "verdict"), *(("margin",) if same else ()), *open_keys)
        sentences.append(Sentence(f"{'; '.join(rest)}.", keys))
    return sentences


def _apart(found: Sequence[Comparison], first: str, whole: bool) -> str:
    """Those of one verdict, the largest differences first where there are too many to name; each with its interval."""
    ordered = found if len(found) <= FEW + 1 else sorted(found, key=lambda c: -abs(c.difference))
    shown = ordered if len(found) <= FEW + 1 else ordered[:FEW]
    told = [f"{c.variant + ' ' if len(found) > 1 else ''}{bounded(c)}" for c in shown]
    return (
        f"{several([c.variant for c in ordered])} {_were(found)} {found[0].verdict} than {first}"
        f"{' in test accuracy' if whole else ''} ({'; '.join(told)})"
    )


def _still_possible(undecided: Sequence[Comparison]) -> str:
    """What differences the intervals of the undecided comparisons leave open, all of them together."""
    intervals = [c.interval for c in undecided if c.interval is not None]
    if not intervals:
        return ""
    # rounded outward to a tenth of a point, so that the claim holds
    low = max(math.floor(1000 * min(i[0] for i in intervals) + 1e-9) / 1000, -1.0)  # accuracies are shares
    high = min(math.ceil(1000 * max(i[1] for i in intervals) - 1e-9) / 1000, 1.0)
    return f": differences from {points(low, signed=True)} to {points(high, signed=True)} points remain possible"


def _leader(ranking: Sequence[Ranked], compared: Sequence[Comparison]) -> list[Sentence]:
    """Who has the highest mean, and who is not told apart from it."""
    if len(ranking) < 3:
        return []
    leader = ranking[0]
    apart, alike = peers(leader.variant, ranking, compared)
    level = [r.variant for r in ranking if round(r.mean, 9) == round(leader.mean, 9)]
    of = f"is that of {leader.variant}" if len(level) == 1 else f"is shared by {several(level)}"
    told = f"The highest mean test accuracy, {100 * leader.mean:.2f} %, {of}"
    if len(level) == len(ranking):
        return []  # the verdicts say it
    if not apart:
        rest = "but comparing every pair tells it apart from none of the others"
    elif not alike:
        rest = "and comparing every pair tells it apart from all others"
    else:
        rest = f"and comparing every pair does not tell it apart from {several(alike)}"
    return [Sentence(f"{told}, {rest}.", tuple(f"ranking[{r.variant}].{k}" for r in ranking for k in r._fields[1:]))]


# --- How sure, and what next ------------------------------------------------------------------------------------------


def _how_sure(
    comparisons: Sequence[Comparison],
    asked: int,
    data: str,
    margin: float,
    evidence: Mapping[str, PairedEvidence],
    look: InterimAnalysis | None,
) -> list[Sentence]:
    """The chance of a false claim, and what one further run would show; nothing where nothing is claimed."""
    claimed = [c for c in comparisons if c.verdict in ("better", "worse")]
    if not claimed:
        return []
    number = len(comparisons) + asked
    looks = f" and {len(look.seeds)} looks" if look is not None and len(look.seeds) > 1 else ""
    several_made = number > 1 or looks
    every = f"of any false claim in {counted(number, 'comparison')}{looks}" if several_made else "of a false claim"
    text = f"With {data}, the chance {every} is held to 5 %, for new seeds and new images"
    keys = ["study.seeds", *_keys(claimed, "p_adjusted")]
    most = max(claimed, key=lambda c: abs(c.difference))
    known = evidence.get(most.variant)
    ahead = most.verdict == "better"
    side = None if known is None else known.better_on_new_seed if ahead else known.worse_on_new_seed
    if side is not None:
        share = "more than 99" if side > 0.99 else f"{100 * side:.0f}"
        text += (
            f"; one further run of {most.variant} would be {'ahead of' if ahead else 'behind'} one of {most.against} "
            f"by more than {points(margin)} points with a probability of {share} %, on these images"
        )
        keys.append(f"evidence[{most.variant}].{'better' if ahead else 'worse'}_on_new_seed")
    return [Sentence(f"{text}.", tuple(keys))]


def _what_next(
    variants: Sequence[VariantSummary],
    comparisons: Sequence[Comparison],
    evidence: Mapping[str, PairedEvidence],
    look: InterimAnalysis | None,
) -> list[Sentence]:
    undecided = [c for c in comparisons if c.verdict == "undecided"]
    if not undecided and len(comparisons) < len(variants) - 1:
        return []  # what is not compared yet is told among the runs that are missing
    if not undecided:
        text = "Every comparison is decided: more seeds would only narrow the intervals."
        return [Sentence(text, _keys(comparisons, "verdict"))]
    keys = _keys(undecided, "verdict")
    if look is not None:
        if look.number < len(look.seeds):
            then = look.seeds[look.number]
            text = f"This is look {look.number} of {len(look.seeds)}; the next is planned at {then} seeds."
        else:
            text = "This was the last of the planned looks: what is undecided stays so."
        return [Sentence(text, (*keys, "study.seeds"))]
    if len(variants[0].runs) == 2:
        text = "Two seeds barely show chance, so that nothing says how many more would decide: run five."
        return [Sentence(text, (*keys, "study.seeds"))]
    needed = {c.variant: found.further_seeds for c in undecided if (found := evidence.get(c.variant)) is not None}
    if not needed:
        return []
    return [Sentence(further(needed), (*keys, *(f"evidence[{name}].further_seeds" for name in needed)))]


def _incomplete(variants: Sequence[VariantSummary]) -> list[Sentence]:
    """One sentence on the runs that are not among the numbers."""
    told, keys = [], []
    for state, words in (("diverged", "diverged and {} left out"), ("pending", "{} still to be made")):
        counts = {v.name: sum(run.state == state for run in v.runs) for v in variants}
        counts = {name: n for name, n in counts.items() if n}
        if counts:
            total = sum(counts.values())
            shown = [f"{name}: {n}" for name, n in counts.items()]
            where = ", ".join(shown if len(shown) <= FEW + 1 else [*shown[:FEW], f"{len(shown) - FEW} others"])
            told.append(f"{counted(total, 'run')} {words.format('is' if total == 1 else 'are')} ({where})")
            keys += [f"variants[{name}].runs" for name in counts]
    return [Sentence(f"{'; '.join(told)}.", tuple(dict.fromkeys(keys)))] if told else []


# --- Parts of sentences -----------------------------------------------------------------------------------------------


def _keys(found: Sequence[Comparison], *fields: str) -> tuple[str, ...]:
    return tuple(f"comparisons[{c.variant}].{field}" for c in found for field in fields)


def _data(first: VariantSummary, test_examples: int, look: InterimAnalysis | None) -> str:
    """On how many seeds and images it all stands; at a look, on the seeds that were planned for it."""
    seeds = _finished(first) if look is None else look.seeds[look.number - 1]
    return f"{counted(seeds, 'seed')} and {counted(test_examples, 'test example')}"


def _finished(variant: VariantSummary) -> int:
    return sum(run.test_accuracy is not None for run in variant.runs)


def _were(found: Sequence[Comparison]) -> str:
    return "was" if len(found) == 1 else "were"
