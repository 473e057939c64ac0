"""What to do next with a study: advice from learning curves and validation scores, never from test scores.

What the test set said must not steer what is tried next, or it is a test set no longer: nothing here reads it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from wellfit.analysis.contests import ACTS, Contest, contests, regularizes
from wellfit.analysis.crossed import t_quantile
from wellfit.analysis.curves import still_falling
from wellfit.analysis.intervals import t_interval
from wellfit.analysis.path_words import setting
from wellfit.analysis.paths import DIRECTION, flat_recipes, flattened, sweep_paths
from wellfit.analysis.words import counted, listed, points
from wellfit.base import Sentence, StudySummary, VariantSummary
from wellfit.details import SweepPath

__all__ = ["MOST", "advise", "mends"]

MOST: Final = 5
"""So much advice at most: nobody follows more."""

_MOST_SEEDS: Final = 50  # a difference that needs more of them to be seen is of no interest
_MENDS: Final = (
    ("Run the whole study", "few-seeds"),
    ("Run the whole study", "still-improving"),
    ("Run five seeds", "few-seeds"),
    ("Stop ", "overfitting"),
    ("Train ", "still-improving"),
    ("Try larger values", "edge-of-sweep"),
    ("Try smaller values", "edge-of-sweep"),
)
_SHARES: Final = (
    *("dropout", "label_smoothing", "momentum"),
    *(f"augmentation.{key}" for key in ("shift", "flip", "zoom", "erasing")),
)


def advise(summary: StudySummary) -> tuple[Sentence, ...]:
    """What the learning curves and validation scores of a study advise, the most useful first.

    In this order: the whole study after a quick one; more seeds where there are one or two; the variant and strength
    that validation supports, or that it supports none; when to stop; how to extend a sweep that ends at its best value;
    to train longer what still improves; how many seeds would tell the best variant from the first; to combine the two
    best that act differently.

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
        *([] if quick else _stop(summary, best)),
        *_beyond_the_edge(summary),
        *([] if quick else _longer(summary, best)),
        *([] if quick else _seeds(summary, best, len(compared))),
        *_combined(summary, compared),
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
            f"{first} {over}, which chance of the seeds may bring."
        )
    else:
        text = f"Validation supports no {noun}: none has a higher mean accuracy than {first} {over}. Keep {first}."
    return [Sentence(text, sources)]


# --- When to stop, and when not yet -----------------------------------------------------------------------------------


def _judged(summary: StudySummary, best: Contest | None) -> list[VariantSummary]:
    """The first variant, and the one that validation prefers to it."""
    first = summary.variants[0]
    return [first, best.variant] if best is not None and best.difference > 0 else [first]


def _stop(summary: StudySummary, best: Contest | None) -> list[Sentence]:
    """The epoch to stop at, where over-fitting begins in half of the runs or more and no rule stops them."""
    flat = flat_recipes(summary)
    told, sources = [], []
    for variant in _judged(summary, best):
        ended = [run for run in variant.runs if run.validation_accuracy is not None and run.best_epoch is not None]
        risen = sum(run.overfit_onset is not None for run in ended)
        if not risen or 2 * risen < len(ended) or flat[variant.name].get("early_stopping.restore_best_weights"):
            continue
        epochs = [float(run.best_epoch or 0) for run in ended]
        last = max(run.epochs or 1 for run in ended)
        if _falling(summary, variant) or np.mean(epochs) > last - 1:
            continue
        told.append(f"{variant.name} at epoch {np.mean(epochs):.0f}{_epochs_between(epochs, last)}")
        sources.append(f"variants[{variant.name}].runs")
    if not told:
        return []
    text = f"Stop {listed(told)}: there its validation loss is lowest on average, and later it rises for good."
    return [Sentence(text if len(told) == 1 else text.replace("its validation", "their validation"), tuple(sources))]


def _epochs_between(epochs: Sequence[float], last: int) -> str:
    """The interval of the mean over the seeds, rounded outward; empty with one seed."""
    bounds = t_interval(epochs)
    if bounds is None:
        return ""
    return f" [{max(math.floor(bounds[0] + 1e-9), 1)}, {min(math.ceil(bounds[1] - 1e-9), last)}]"


def _falling(summary: StudySummary, variant: VariantSummary) -> int:
    """The last epoch, where validation loss still fell there in half of the runs or more; else 0."""
    histories = summary.histories.get(variant.name, {})
    read = [histories[r.seed] for r in variant.runs if r.state == "finished" and r.seed in histories]
    return max(map(len, read)) if read and 2 * sum(map(still_falling, read)) >= len(read) else 0


def _longer(summary: StudySummary, best: Contest | None) -> list[Sentence]:
    """More epochs, where validation loss was still falling at the last one in half of the runs or more."""
    judged = [v for v in _judged(summary, best) if not _rate_is_low(summary, v)]  # which is the better mend
    falling = [(v, epochs) for v in judged if (epochs := _falling(summary, v))]
    if not falling:
        return []
    names, most = listed([variant.name for variant, _ in falling]), max(epochs for _, epochs in falling)
    own = [v for v, _ in falling if "epochs" in v.settings]
    how = f"try {2 * most}" if own else f"try --epochs {2 * most}"
    text = f"Train {names} longer: after {most} epochs the validation loss was still falling; {how}."
    return [Sentence(text, tuple(f"variants[{variant.name}].runs" for variant, _ in falling))]


def _rate_is_low(summary: StudySummary, variant: VariantSummary) -> bool:
    """Whether a finding tells of a variant that its learning rate is too low."""
    found = [finding.message for finding in summary.findings if finding.code == "learning-rate-low"]
    return any(f" {message}".find(f" {variant.name}: ") >= 0 for message in found)


# --- What to try next -------------------------------------------------------------------------------------------------


def _beyond_the_edge(summary: StudySummary) -> list[Sentence]:
    """Values beyond a sweep that ends at its best one; of several such sweeps, the one with the best value."""
    variants = {v.name: v for v in summary.variants}
    open_ended: list[tuple[float, SweepPath, tuple[float, ...]]] = []
    for path in sweep_paths(summary):
        ended = all(run.state != "pending" for name in path.variants for run in variants[name].runs)
        if path.chosen is None or path.at_edge is None or not ended:
            continue
        reached = float(path.metrics["validation_accuracy"][0][path.chosen])
        without = path.reference.get("validation_accuracy", (-math.inf,))[0]
        if (path.key not in DIRECTION or reached > without) and (values := _further(path)):
            open_ended.append((reached, path, values))
    if not open_ended:
        return []
    _, path, values = max(open_ended, key=lambda found: found[0])
    edge, name = (-1, path.variants[-1]) if path.at_edge == "high" else (0, path.variants[0])
    # Where the sweep changes nothing else, it can be extended from the command line, in the same directory.
    listing = ", ".join(f"{value:g}" for value in values)
    own = tuple(variants[name].settings) == (path.key,)
    option = f": --set 'sweeps.further.{path.key}=[{listing}]'" if own else f": {listed([f'{v:g}' for v in values])}"
    text = (
        f"Try {'larger' if path.at_edge == 'high' else 'smaller'} values of {path.key}, for validation accuracy is "
        f"highest at the last one of the sweep, {path.values[edge]:g}{option}."
    )
    return [Sentence(text, tuple(f"variants[{v}].mean.validation_accuracy" for v in path.variants))]


def _further(path: SweepPath) -> tuple[float, ...]:
    """Values beyond the edge: two in the sweep's own steps, a decade at most; of a share, one halfway to its limit."""
    low = path.at_edge == "low"
    edge, neighbor = (path.values[0], path.values[1]) if low else (path.values[-1], path.values[-2])
    if path.key in _SHARES:
        found = [edge / 2 if low else (1 + edge) / 2]
    elif neighbor <= 0:  # the step from 0 is none to go on with, but twice as much is
        found = [2 * edge]
    else:
        ratio = min(max(edge / neighbor, neighbor / edge), 10.0)
        found = [edge / ratio, edge / ratio**2] if low else [edge * ratio, edge * ratio**2]
    counts = path.key not in DIRECTION and all(float(value).is_integer() for value in path.values)
    rounded = [float(round(value)) if counts else float(f"{value:.2g}") for value in found]
    return tuple(dict.fromkeys(value for value in rounded if value > 0 and value != edge))


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


def _seeds(summary: StudySummary, best: Contest | None, comparisons: int) -> list[Sentence]:
    """How many seeds would probably tell the best variant from the first in validation accuracy.

    The smallest S with ``(t(S - 1, 1 - alpha / 2) + t(S - 1, 0.8)) sd / sqrt(S) <= difference``, the usual count for a
    power of 0.8, with the level divided by the number of comparisons, Holm's first step.
    """
    if best is None or best.gains or best.difference <= 0 or not best.deviation > 1e-9 or len(summary.seeds) < 3:
        return []  # of two seeds, no spread is known to count with
    first, seeds, name = summary.variants[0].name, len(summary.seeds), best.variant.name
    sources = (_source(best.variant, "validation_accuracy"), _source(summary.variants[0], "validation_accuracy"))
    for n in range(seeds + 1, _MOST_SEEDS + 1):
        needed = t_quantile(n - 1, 0.05 / comparisons) + t_quantile(n - 1, 0.4)
        if needed * best.deviation / math.sqrt(n) <= best.difference:
            option = f" (--seeds {n})" if summary.seeds == tuple(range(seeds)) else ""
            text = (
                f"Run {n} seeds{option} to tell {name} from {first} on validation: if its accuracy there stays "
                f"{points(best.difference)} points higher, that many will probably do."
            )
            return [Sentence(text, sources)]
    text = (
        f"Do not add seeds for {name}: more than {_MOST_SEEDS} would be needed to tell {points(best.difference)} "
        f"points of validation accuracy from chance."
    )
    return [Sentence(text, sources)]


def _combined(summary: StudySummary, compared: Sequence[Contest]) -> list[Sentence]:
    """The best regularizer together with the next that acts differently, where nobody has tried it."""
    best = _best(compared)
    if best is None or not best.gains:
        return []
    for other in (c for c in compared if c is not best):
        ways = [{ACTS[kind] for kind in regularizes(summary, c.variant.name)} for c in (best, other)]
        if other.difference <= 0 or not all(ways) or ways[0] & ways[1] or _tried(summary, best, other):
            continue
        first, names = summary.variants[0].name, (best.variant.name, other.variant.name)
        acting = " and ".join(listed(sorted(way)) for way in ways)
        changes = {**best.variant.settings, **other.variant.settings}
        options = " ".join(f"--set 'variants.combined.{key}={_toml(value)}'" for key, value in changes.items())
        how = f": {options}" if all(v.name.lower() != "combined" for v in summary.variants) else ""
        text = f"Combine {listed(names)}, which both score above {first} and act differently, {acting}{how}."
        return [Sentence(text, tuple(_source(c.variant, "validation_accuracy") for c in (best, other)))]
    return []


def _tried(summary: StudySummary, *both: Contest) -> bool:
    """Whether a variant of the study has the changes of both already."""
    flat = flat_recipes(summary)
    first = flat[summary.variants[0].name]
    together = dict(first)
    for contest in both:
        mine = flat[contest.variant.name]
        for key in first.keys() | mine.keys():
            if mine.get(key) != first.get(key):
                together[key] = mine.get(key)
    keys = {key for recipe in flat.values() for key in recipe}
    return any(all(recipe.get(key) == together.get(key) for key in keys) for recipe in flat.values())


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


def _toml(value: Any) -> str:
    """A setting's value as TOML.

    Example:
      >>> _toml({"patience": 3, "monitor": "val_loss", "restore_best_weights": True})
      '{ patience = 3, monitor = "val_loss", restore_best_weights = true }'
    """
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
