"""What a study shows, in plain sentences that claim no more than its verdicts, each with its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import (
    BALANCED,
    MARGIN,
    NO_LOOKS,
    ONE_CLASS,
    Comparison,
    Divergence,
    EarlierLooks,
    PairedEvidence,
    Ranked,
    Sentence,
    VariantSummary,
)
from wellfit.narrative.caveats import (
    Evidence,
    Folds,
    certainty,
    divergence,
    earlier_looks,
    incomplete,
    keys_of,
    what_next,
)
from wellfit.narrative.metrics import NAMES, amount, best, is_loss, outward, within
from wellfit.narrative.outcomes import lost
from wellfit.narrative.phrases import (
    FEW,
    difference_with_interval,
    leader_accuracy,
    separation,
    several,
    telling,
)
from wellfit.narrative.unlike_epochs import unlike_epochs

__all__ = ["conclusion"]

_IMBALANCED: Final = 0.6  # of the training examples in one class


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
    leader_accuracy: float | None = None,
    divergences: Sequence[Divergence] = (),
    earlier_looks: EarlierLooks = NO_LOOKS,
    metric: str = "test_accuracy",
    epochs: Mapping[str, int] = MappingProxyType({}),
    elsewhere: bool = False,
    folds: Folds = "",
) -> tuple[Sentence, ...]:
    """A few sentences: the question, what the study shows and what it does not, how sure that is, what to do next.

    "Better", "worse" and "equivalent" are used only where a verdict says so. Variants without a verdict are called
    undecided, with the differences that remain possible; two seeds cannot tell. Of many variants the first few are
    named and the others counted. Diverged and pending runs are counted.

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
      largest_class: its share of the training examples.
      leader_accuracy: what to expect of the first in the ranking.
      divergences: of the compared pairs in which any run diverged.
      earlier_looks: what was seen of the test results before.
      metric: what the comparisons and the ranking are about.
      epochs: of the recipes, by variant.
      elsewhere: whether others trained the runs.
      folds: whether seeds judge parts of the examples, and have trained on others.

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
    study = Evidence(variants, comparisons, test_examples, margin, asked, evidence or {}, ranking, interim,
                     largest_class, leader_accuracy, divergences, earlier_looks, metric, epochs, elsewhere,
                     folds)  # fmt: skip
    return (*opening, *_body(study))


def _body(study: Evidence) -> list[Sentence]:
    variants = study.variants
    if not variants:
        return [Sentence("No variant has been trained.", ("variants",))]
    left_out = incomplete(variants, study.divergences)
    if not any("test_accuracy" in v.mean for v in variants):
        if all(lost(v) for v in variants):
            text = "Every run diverged, so there is nothing to compare."
            return [Sentence(text, tuple(f"variants[{v.name}].runs" for v in variants))]
        text = "None of the requested runs has been tested yet, so there is no conclusion."
        return [Sentence(text, ("variants",)), *left_out]
    if len(variants) == 1:
        return [_single(variants[0], study), *left_out]
    if not any(c.p_adjusted is not None for c in study.comparisons) and not study.identical:
        return [*divergence(study), _too_few_seeds(variants, study.elsewhere), *left_out]
    return [
        *divergence(study),
        *_compared(study),
        *unlike_epochs((v.name for v in variants if not lost(v)), study.epochs, why=True),
        *_metric(study),
        *earlier_looks(study),
        *_imbalanced(study),
        *_leader(study),
        *certainty(study),
        *what_next(study),
        *left_out,
    ]


# --- Results ----------------------------------------------------------------------------------------------------------


def _single(variant: VariantSummary, study: Evidence) -> Sentence:
    key = f"variants[{variant.name}]"
    interval, metric = variant.interval.get(study.metric), study.metric
    ends = [] if interval is None else [amount(bound, metric, 1).removesuffix(" %") for bound in interval]
    reached = f"{amount(variant.mean[metric], metric, 1)}{f' [{ends[0]}, {ends[1]}]' if ends else ''}"
    text = f"{variant.name}, the only variant, reached a {NAMES[metric]} of {reached} with {study.data}."
    return Sentence(text, (f"{key}.mean.{metric}", f"{key}.interval.{metric}", f"{key}.runs"))


def _too_few_seeds(variants: Sequence[VariantSummary], elsewhere: bool) -> Sentence:
    if max(len(v.runs) for v in variants) <= 1:
        verb = "train" if elsewhere else "run"
        text = f"One seed cannot separate a real difference from chance; {verb} five seeds to compare the variants."
        return Sentence(text, ("study.seeds",))
    text = (
        f"No variant can be compared with {variants[0].name}: none shares two finished seeds with it, so differences "
        "cannot be separated from chance."
    )
    return Sentence(text, tuple(f"variants[{v.name}].runs" for v in variants))


def _compared(study: Evidence) -> list[Sentence]:
    """The verdicts: what is better or worse, then what is equivalent, undecided, and identical."""
    first = study.variants[0].name
    better, worse, equivalent = map(study.verdict, ("better", "worse", "equivalent"))
    sentences = []
    groups = [group for group in (better, worse) if group]
    if groups:
        claims = ", and ".join(_verdict_group(group, study, i == 0) for i, group in enumerate(groups))
        keys = tuple(key for group in groups for key in keys_of(group, "verdict", "difference", "interval"))
        sentences.append(Sentence(f"Of {len(study.variants)} variants, {claims}.", keys))
    rest, keys = [], ()
    if equivalent:
        names, marks = several([c.variant for c in equivalent]), _surviving(equivalent, study)
        margin = within(study.margin, study.metric)
        rest.append(f"{names} {_were(equivalent)} equivalent to {first} to within {margin}{marks}")
        keys += (*keys_of(equivalent, "verdict"), "margin")
    open_text, open_keys = _undecided(study, alone=not groups and not rest)
    rest += [open_text] if open_text else []
    keys += open_keys
    if same := study.identical:
        names, marks = several([c.variant for c in same]), _surviving(same, study)
        same_in = "in every answer" if study.metric == "test_accuracy" else "on every test example"
        rest.append(f"{names} {'is' if len(same) == 1 else 'are'} identical to {first} {same_in}{marks}")
        keys += keys_of(same, "identical")
    if rest:
        sentences.append(Sentence(f"{'; '.join(rest)}.", keys))
    return sentences


def _undecided(study: Evidence, alone: bool) -> tuple[str, tuple[str, ...]]:
    """What is undecided, as a clause, and its sources, without the variants whose runs all diverged.

    Args:
      alone: whether nothing is better, worse or equivalent.
    """
    first, compared = study.variants[0].name, study.verdict("undecided")
    known = {c.variant for c in study.comparisons if c not in compared}
    names = [v.name for v in study.variants[1:] if v.name not in known and not lost(v)]
    if not names:
        return "", ()
    missing = [name for name in names if name not in {c.variant for c in compared}]
    keys = (*keys_of(compared, "verdict", "interval"), *(f"variants[{name}].runs" for name in missing))
    possible, marks = _possible_differences(compared, study.metric), _surviving(compared, study)
    if alone and study.seeds <= 2 and not possible and not study.identical:
        return f"Two seeds cannot tell whether any variant differs from {first}{marks}", keys
    if alone and (study.seeds > 2 or possible):
        return f"No variant differs clearly from {first} with {study.data}{marks}{possible}", keys
    why = ", because two seeds cannot tell" if study.seeds <= 2 and not possible else ""
    return f"{several(names)} {'is' if len(names) == 1 else 'are'} undecided{marks}{possible}{why}", keys


def _metric(study: Evidence) -> list[Sentence]:
    """What variants are compared on, unless it is accuracy."""
    if study.metric == "test_accuracy":
        return []
    lower = ", where lower is better" if is_loss(study.metric) else ""
    return [Sentence(f"The variants are compared on {NAMES[study.metric]}{lower}.", ("metric",))]


def _surviving(comparisons: Sequence[Comparison], study: Evidence) -> str:
    """That some comparisons leave out diverged runs."""
    names = [c.variant for c in comparisons if study.surviving(c)]
    if not names:
        return ""
    return " in surviving runs" if len(names) == len(comparisons) else f" ({several(names)} in surviving runs)"


def _imbalanced(study: Evidence) -> list[Sentence]:
    """What accuracy does not say, if one class has most of the test examples."""
    if study.largest_class < _IMBALANCED or study.metric != "test_accuracy":
        return []
    advice = "judge the variants by recall and macro F1 too."
    if study.largest_class >= ONE_CLASS:
        advice = f"{BALANCED} compares the variants by the mean recall of all classes."
    text = (
        f"{100 * study.largest_class:.1f} % of the examples belong to one class, so accuracy says little about "
        f"the others; {advice}"
    )
    return [Sentence(text, keys_of(study.comparisons, "difference"))]


def _verdict_group(group: Sequence[Comparison], study: Evidence, name_metric: bool) -> str:
    """The variants with one verdict, largest differences first if there are too many to name, with their intervals."""
    ordered = group if len(group) <= FEW + 1 else sorted(group, key=lambda c: -abs(c.difference))
    shown = ordered if len(group) <= FEW + 1 else ordered[:FEW]
    differences = [
        f"{c.variant + ' ' if len(group) > 1 else ''}{difference_with_interval(c, study.surviving(c))}" for c in shown
    ]
    return (
        f"{several([c.variant for c in ordered])} {_were(group)} {group[0].verdict} than {study.variants[0].name}"
        f"{f' in {NAMES[study.metric]}' if name_metric else ''} ({'; '.join(differences)})"
    )


def _possible_differences(undecided: Sequence[Comparison], metric: str) -> str:
    """The differences that the intervals of the undecided comparisons, taken together, leave open."""
    intervals = [c.interval for c in undecided if c.interval is not None and telling(c.interval)]
    if not intervals or len(intervals) < sum(c.interval is not None for c in undecided):
        return ""
    widest = min(i[0] for i in intervals), max(i[1] for i in intervals)
    return f": differences {outward(widest, metric)} remain possible"


def _leader(study: Evidence) -> list[Sentence]:
    """Which variant has the best mean, what to expect of it, and which ones are not separated from it."""
    ranking = study.ranking
    if len(ranking) < 3:
        return []
    leader = ranking[0]
    behind, alike, ahead = separation(leader.variant, ranking, [*study.comparisons, *study.asked])
    tied = [r.variant for r in ranking if round(r.mean, 9) == round(leader.mean, 9)]
    if len(tied) == len(ranking):
        return []  # the verdicts say it
    has = f"{leader.variant} has" if len(tied) == 1 else f"{several(tied)} share"
    it = "it" if len(tied) == 1 else leader.variant
    if ahead:
        rest = f"but it was worse than {several(ahead)} on the seeds that both finished"
    elif not behind:
        rest = f"but no pairwise comparison separates {it} from the others"
    elif not alike:
        rest = f"and pairwise comparisons separate {it} from all others"
    else:
        rest = f"but no pairwise comparison separates {it} from {several(alike, 'or')}"
    mean = leader_accuracy(leader, ranking, study.leader_accuracy, study.by_name.get(leader.variant), study.metric)
    text = f"{has} the {best(study.metric)} mean {NAMES[study.metric]}, {mean}, {rest}."
    keys = tuple(f"ranking[{r.variant}].{k}" for r in ranking for k in r._fields[1:])
    return [Sentence(text, keys)]


def _were(comparisons: Sequence[Comparison]) -> str:
    return "was" if len(comparisons) == 1 else "were"
