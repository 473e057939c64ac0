"""What to try next with a study: advice from learning curves and validation scores, never from test scores.

Nothing here reads test scores: a test set that decides what to try next is no longer a test set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from wellfit.analysis.selection import (
    ValidationGain,
    accuracy_may_choose,
    reads_validation,
    regularizers,
    validation_gains,
)
from wellfit.analysis.settings import flat_recipes, flattened
from wellfit.base import Sentence, StudySummary, VariantSummary
from wellfit.narrative.advice_epochs import advise_longer, advise_stopping
from wellfit.narrative.advice_trials import advise_beyond_edge, advise_combination
from wellfit.narrative.options import seeds_option, setting_text
from wellfit.narrative.phrases import counted, points, several

__all__ = ["MOST", "advise", "codes_fixed_by"]

MOST: Final = 5
"""The most sentences of advice; nobody follows more."""

_FIXES: Final = (
    ("Run the full study", "few-seeds"),
    ("Run the full study", "still-improving"),
    ("Run five seeds", "few-seeds"),
    ("Stop ", "overfitting"),
    ("Train ", "still-improving"),
    ("Raise the learning rate", "learning-rate-low"),
    ("Try larger values", "edge-of-sweep"),
    ("Try smaller values", "edge-of-sweep"),
)
"""How a sentence of advice begins, and the code of the finding that it fixes."""


def advise(summary: StudySummary) -> tuple[Sentence, ...]:
    """What the learning curves and validation scores of a study suggest, the most useful first.

    In this order: the full study after a quick one; more seeds if there are one or two; the variant that validation
    supports, or that it supports none; when to stop; a higher learning rate if most learned too slowly; how to extend a
    sweep that ends at its best value; to train longer what still improves; to combine the two best variants that act
    differently. How many further seeds would probably decide a comparison is left to the conclusion.

    Variants are compared by ``selection.validation_gains``.

    Args:
      summary: the study, in any state.

    Returns:
      At most five sentences with their sources; none before a run has ended.
    """
    if not any(run.validation_accuracy is not None for v in summary.variants for run in v.runs):
        return ()
    if summary.elsewhere:
        return tuple(_more_seeds(summary))
    gains = validation_gains(summary) if accuracy_may_choose(summary) else []
    best, quick = _best(gains), summary.title.endswith("(quick)")  # a quick study has few epochs and seeds by design
    advice = [
        *(_full_study(summary) if quick else _more_seeds(summary)),
        *_supported(summary, gains),
        *([] if quick else advise_stopping(summary, best)),
        *([] if quick else _raise_rate(summary)),
        *advise_beyond_edge(summary),
        *([] if quick else advise_longer(summary, best)),
        *advise_combination(summary, gains, best),
    ]
    return tuple(advice[:MOST])


def codes_fixed_by(advice: Sequence[Sentence]) -> frozenset[str]:
    """The codes of the findings whose fix is already among the advice.

    Example:
      >>> sorted(codes_fixed_by([Sentence("Stop l2 at epoch 9, ..."), Sentence("Run five seeds (--seeds 5): ...")]))
      ['few-seeds', 'overfitting']
    """
    return frozenset(code for sentence in advice for opening, code in _FIXES if sentence.text.startswith(opening))


# --- What validation prefers ------------------------------------------------------------------------------------------


def _best(gains: Sequence[ValidationGain]) -> ValidationGain | None:
    """The best significant gain, or the best of all if none is significant."""
    return next((gain for gain in gains if gain.significant), gains[0] if gains else None)


def _supported(summary: StudySummary, gains: Sequence[ValidationGain]) -> list[Sentence]:
    """The variant that validation supports, or that it supports none."""
    best = _best(gains)
    if best is None:
        return _not_compared(summary)
    other = summary.metric != "accuracy"  # than what validation chooses by
    first = summary.variants[0].name
    noun = "regularizer" if all(regularizers(summary, gain.variant.name) for gain in gains) else "variant"
    over = f"over {len(best.variant.runs)} seeds"
    sources = tuple(f"variants[{name}].mean.validation_accuracy" for name in (best.variant.name, first))
    if best.significant:
        text = (
            f"Use {_with_settings(best.variant)}: its validation accuracy is {_difference(best)} above {first} {over}, "
            "more than chance explains"
        )
        if best is not gains[0]:
            text += f"; {gains[0].variant.name} has a higher mean, but that could be chance"
        epochs = {name: int(recipe["epochs"]) for name, recipe in flat_recipes(summary).items() if "epochs" in recipe}
        own, base = epochs.get(best.variant.name), epochs.get(first)
        if own is not None and base is not None and own != base:
            text += f". {best.variant.name} trained for {own} epochs, {first} for {base}"
    elif best.difference > 0:
        among = "" if len(gains) == 1 else f" of the {len(gains)} that it can compare with {first}"
        text = (
            f"Validation supports no {noun} yet: the best{' by validation accuracy' if other else ''}{among}, "
            f"{_with_settings(best.variant)}, is {_difference(best)} above {'it' if among else first} {over}; "
            f"{_adjusted(best, len(gains))}this could be chance. Test results do not choose: the model stays {first}"
        )
    else:
        mean = "validation accuracy" if other else "accuracy"
        text = f"Validation supports no {noun}: none has a higher mean {mean} than {first} {over}. Keep {first}"
    return [Sentence(f"{text}.", sources), *_not_compared(summary)]


def _raise_rate(summary: StudySummary) -> list[Sentence]:
    """The learning rate that helps the slowest, if most variants learned too slowly and all have the base recipe's.

    Otherwise a comparison shows who learns faster.
    """
    slow = next((finding for finding in summary.findings if finding.code == "learning-rate-low"), None)
    own = {setting for v in summary.variants for setting in v.settings} & {"learning_rate", "optimizer", "schedule"}
    if slow is None or own or summary.search is not None:
        return []
    count = re.match(r"(\d+) of (\d+) variants", slow.message)
    rate = re.search(r"learning_rate=([\d.e-]+)$", slow.fix)
    if count is None or rate is None or 2 * int(count[1]) <= int(count[2]):
        return []
    text = f"Raise the learning rate, because {count[0]} learned too slowly: --set train.learning_rate={rate[1]}"
    return [Sentence(text, ("findings",))]


def _not_compared(summary: StudySummary) -> list[Sentence]:
    """The variants whose epochs validation chose, which it therefore cannot judge."""
    flat = flat_recipes(summary)
    names = [v.name for v in summary.variants if reads_validation(flat[v.name])]
    if not names or len(summary.variants) < 2 or len(summary.seeds) < 2:
        return []
    its = "its epochs were" if len(names) == 1 else "their epochs were"
    text = f"Judge {several(names)} by the test results alone: {its} chosen on the validation data."
    return [Sentence(text, tuple(f"variants[{name}].mean.validation_accuracy" for name in names))]


def _with_settings(variant: VariantSummary) -> str:
    """A variant with its settings, unless its name states them or they are long."""
    settings = ", ".join(setting_text(key, value) for key, value in flattened(variant.settings))
    return variant.name if "=" in variant.name or not 1 <= len(settings) <= 60 else f"{variant.name} ({settings})"


def _difference(gain: ValidationGain) -> str:
    bounds = "" if gain.interval is None else f" [{points(gain.interval[0])}, {points(gain.interval[1])}]"
    return f"{points(gain.difference)} points{bounds}"


def _adjusted(gain: ValidationGain, compared: int) -> str:
    """Why a gain may be chance although its interval, which covers one comparison, excludes 0."""
    if gain.interval is None or gain.interval[0] <= 0 or gain.p is None or compared < 2:
        return ""
    return f"the interval covers this comparison alone, and adjusted for all {compared}, p = {gain.p:.2g}, so "


# --- How many seeds -------------------------------------------------------------------------------------------------


def _full_study(summary: StudySummary) -> list[Sentence]:
    text = (
        f"Run the full study (without --quick): this was a quick run with {counted(summary.epochs, 'epoch')} and "
        f"{counted(len(summary.seeds), 'seed')}."
    )
    return [Sentence(text, ("title", "study.epochs", "study.seeds"))]


def _more_seeds(summary: StudySummary) -> list[Sentence]:
    """Advice to run five seeds, if there are one or two: all other advice would be unreliable."""
    if len(summary.seeds) > 2:
        return []
    how = "Train five seeds" if summary.elsewhere else f"Run five seeds ({seeds_option(summary.seeds, 5)})"
    text = (
        f"{how}: with one seed, any difference could be chance, and validation favors no variant."
        if len(summary.seeds) == 1
        else f"{how}: two are too few for useful intervals."
    )
    return [Sentence(text, ("study.seeds",))]
