"""What to try next with a study: advice from learning curves and validation scores, never from test scores.

What the test set said must not steer what is tried next, or it is a test set no longer: nothing here reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wellfit.analysis.contests import Contest, contests, regularizes
from wellfit.analysis.paths import flattened
from wellfit.base import Sentence, StudySummary, VariantSummary
from wellfit.narrative.advice_epochs import longer, stop
from wellfit.narrative.advice_trials import beyond_the_edge, combined
from wellfit.narrative.path_words import setting
from wellfit.narrative.words import counted, points

__all__ = ["MOST", "advise", "mends"]

MOST: Final = 5
"""So much advice at most: nobody follows more."""

_MENDS: Final = (
    ("Run the whole study", "few-seeds"),
    ("Run the whole study", "still-improving"),
    ("Run five seeds", "few-seeds"),
    ("Stop ", "overfitting"),
    ("Train ", "still-improving"),
    ("Try larger values", "edge-of-sweep"),
    ("Try smaller values", "edge-of-sweep"),
)


def advise(summary: StudySummary) -> tuple[Sentence, ...]:
    """What the learning curves and validation scores of a study advise, the most useful first.

    In this order: the whole study after a quick one; more seeds where there are one or two; the variant and strength
    that validation supports, or that it supports none; when to stop; how to extend a sweep that ends at its best value;
    to train longer what still improves; to combine the two best that act differently. How many further seeds would
    probably decide a comparison says the conclusion, and it alone.

    Variants are compared by mean validation accuracy, paired by seed, with Student's paired t test and Holm's
    correction: the seeds' chance on this validation split. Compared are those of which every run has ended and none
    diverged, and that train on the same data as the first.

    Args:
      summary: the study, in any state.

    Returns:
      At most five sentences, each with the numbers that it stands on; none before a run has ended.
    """
    if not any(run.validation_accuracy is not None for v in summary.variants for run in v.runs):
        return ()
    compared = contests(summary)
    best, quick = _best(compared), summary.title.endswith("(quick)")  # whose epochs and seeds are few on purpose
    given = [
        *(_whole(summary) if quick else _first_seeds(summary)),
        *_supported(summary, compared),
        *([] if quick else stop(summary, best)),
        *beyond_the_edge(summary),
        *([] if quick else longer(summary, best)),
        *combined(summary, compared, best),
    ]
    return tuple(given[:MOST])


def mends(advice: Sequence[Sentence]) -> frozenset[str]:
    """The codes of the findings whose mend is said in advice already.

    Args:
      advice: of ``advise``.

    Example:
      >>> sorted(mends([Sentence("Stop l2 at epoch 9: ..."), Sentence("Run five seeds (--seeds 5): ...")]))
      ['few-seeds', 'overfitting']
    """
    return frozenset(code for sentence in advice for opening, code in _MENDS if sentence.text.startswith(opening))


# --- What validation prefers ------------------------------------------------------------------------------------------


def _best(compared: Sequence[Contest]) -> Contest | None:
    """The best of those that gain beyond chance; where none does, the best."""
    return next((c for c in compared if c.gains), compared[0] if compared else None)


def _supported(summary: StudySummary, compared: Sequence[Contest]) -> list[Sentence]:
    """The variant and strength that validation supports, or that it supports none."""
    best = _best(compared)
    if best is None:
        return []
    first = summary.variants[0].name
    noun = "regularizer" if all(regularizes(summary, c.variant.name) for c in compared) else "variant"
    over = f"over {len(best.variant.runs)} seeds"
    sources = (_source(best.variant, "validation_accuracy"), _source(summary.variants[0], "validation_accuracy"))
    if best.gains:
        text = (
            f"Use {_named(best.variant)}: validation supports it, {_difference(best)} points above {first} {over}, "
            f"more than chance of the seeds brings."
        )
        if best is not compared[0]:
            text = f"{text[:-1]}; {compared[0].variant.name} has a higher mean, which chance may bring."
    elif best.difference > 0:
        text = (
            f"Validation supports no {noun} yet: the best, {_named(best.variant)}, is {_difference(best)} points above "
            f"{first} {over}, which chance may bring{f' where {len(compared)} are tried' if len(compared) > 1 else ''}."
        )
    else:
        text = f"Validation supports no {noun}: none has a higher mean accuracy than {first} {over}. Keep {first}."
    return [Sentence(text, sources)]


# --- How many seeds -------------------------------------------------------------------------------------------------


def _whole(summary: StudySummary) -> list[Sentence]:
    """The whole study, after a first look."""
    text = (
        f"Run the whole study, without --quick: this was a first look, at {counted(summary.epochs, 'epoch')} and "
        f"{counted(len(summary.seeds), 'seed')}."
    )
    return [Sentence(text, ("title", "study.epochs", "study.seeds"))]


def _first_seeds(summary: StudySummary) -> list[Sentence]:
    """Five seeds, where there are one or two: nothing else can be advised well."""
    if len(summary.seeds) > 2:
        return []
    text = (
        "Run five seeds (--seeds 5): one shows no chance, so that validation cannot prefer anything."
        if len(summary.seeds) == 1
        else "Run five seeds (--seeds 5): two barely show chance."
    )
    return [Sentence(text, ("study.seeds",))]


# --- The words --------------------------------------------------------------------------------------------------------


def _source(variant: VariantSummary, metric: str) -> str:
    return f"variants[{variant.name}].mean.{metric}"


def _named(variant: VariantSummary) -> str:
    """A variant and its strength, where its name does not say it and it is not long."""
    settings = ", ".join(setting(key, value) for key, value in flattened(variant.settings))
    return variant.name if "=" in variant.name or not 1 <= len(settings) <= 60 else f"{variant.name} ({settings})"


def _difference(contest: Contest) -> str:
    bounds = "" if contest.interval is None else f" [{points(contest.interval[0])}, {points(contest.interval[1])}]"
    return f"{points(contest.difference)}{bounds}"
