"""Advice about what to try: values beyond the edge of a sweep, and two regularizers together; from validation only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from wellfit.analysis.paths import sweep_paths
from wellfit.analysis.selection import ValidationGain, regularizers
from wellfit.analysis.settings import DIRECTION, flat_recipes
from wellfit.base import Sentence, StudySummary, SweepPath
from wellfit.narrative.options import toml_value
from wellfit.narrative.phrases import listed

__all__ = ["advise_beyond_edge", "advise_combination"]

_SHARES: Final = (
    *("dropout", "label_smoothing", "momentum"),
    *(f"augmentation.{key}" for key in ("shift", "flip", "zoom", "erasing")),
)

_ACTS: Final = {
    **dict.fromkeys(("l1", "l2", "proximal_l1", "weight_decay", "max_norm"), "on the weights"),
    **dict.fromkeys(("dropout", "augmentation"), "by noise"),
    "label_smoothing": "on the targets",
    **dict.fromkeys(("early_stopping", "average"), "on which weights are kept"),
}
"""How each regularizer acts; two that act differently may complement each other."""


def advise_beyond_edge(summary: StudySummary) -> list[Sentence]:
    """Values beyond a sweep that ends at its best value; of several such sweeps, the one with the best value.

    Returns:
      One sentence, or none.
    """
    variants = {v.name: v for v in summary.variants}
    open_ended: list[tuple[float, SweepPath, tuple[float, ...]]] = []
    for path in sweep_paths(summary):
        ended = all(run.state != "pending" for name in path.variants for run in variants[name].runs)
        if path.chosen is None or path.at_edge is None or not ended:
            continue
        best = float(path.metrics["validation_accuracy"][0][path.chosen])
        without = path.reference.get("validation_accuracy", (-math.inf,))[0]
        if (path.key not in DIRECTION or best > without) and (values := _beyond(path)):
            open_ended.append((best, path, values))
    if not open_ended:
        return []
    _, path, values = max(open_ended, key=lambda candidate: candidate[0])
    edge, name = (-1, path.variants[-1]) if path.at_edge == "high" else (0, path.variants[0])
    # A sweep that changes nothing else can be extended from the command line, in the same directory.
    if tuple(variants[name].settings) == (path.key,):
        how = f"--set 'sweeps.further.{path.key}=[{', '.join(f'{value:g}' for value in values)}]'"
    else:
        how = f"{listed([f'{value:g}' for value in values])}."
    text = (
        f"Try {'larger' if path.at_edge == 'high' else 'smaller'} values of {path.key}, because validation accuracy is "
        f"highest at the last value of the sweep, {path.values[edge]:g}: {how}"
    )
    return [Sentence(text, tuple(f"variants[{v}].mean.validation_accuracy" for v in path.variants))]


def _beyond(path: SweepPath) -> tuple[float, ...]:
    """Two values in the steps of the sweep, at most a decade each; for fractions, one halfway to the limit."""
    low = path.at_edge == "low"
    edge, neighbor = (path.values[0], path.values[1]) if low else (path.values[-1], path.values[-2])
    if path.key in _SHARES:
        values = [edge / 2 if low else (1 + edge) / 2]
    elif neighbor <= 0:  # a step from 0 has no ratio, so double the edge
        values = [2 * edge]
    else:
        ratio = min(max(edge / neighbor, neighbor / edge), 10.0)
        values = [edge / ratio, edge / ratio**2] if low else [edge * ratio, edge * ratio**2]
    integers = path.key not in DIRECTION and all(float(value).is_integer() for value in path.values)
    rounded = [float(round(value)) if integers else float(f"{value:.2g}") for value in values]
    return tuple(dict.fromkeys(value for value in rounded if value > 0 and value != edge))


def advise_combination(
    summary: StudySummary, gains: Sequence[ValidationGain], best: ValidationGain | None
) -> list[Sentence]:
    """The best regularizer together with the next one that acts differently, unless the study has tried it.

    Args:
      summary: the study.
      gains: its variants compared with the first.
      best: of these.

    Returns:
      One sentence, or none.
    """
    if best is None or not best.significant:
        return []
    for other in (gain for gain in gains if gain is not best):
        ways = [{_ACTS[kind] for kind in regularizers(summary, gain.variant.name)} for gain in (best, other)]
        if other.difference <= 0 or not all(ways) or ways[0] & ways[1] or _tried(summary, best, other):
            continue
        first, names = summary.variants[0].name, (best.variant.name, other.variant.name)
        acting = ", the other ".join(listed(sorted(way)) for way in ways)
        changes = {**best.variant.settings, **other.variant.settings}
        free = all(v.name != "both" for v in summary.variants)
        how = f": --set 'variants.both={toml_value(changes)}'" if free else "."
        score = "score" if summary.metric == "accuracy" else "have a validation accuracy"
        text = f"Combine {listed(names)}, which both {score} above {first} and act differently (one {acting}){how}"
        return [Sentence(text, tuple(f"variants[{name}].mean.validation_accuracy" for name in names))]
    return []


def _tried(summary: StudySummary, *both: ValidationGain) -> bool:
    """Whether a variant of the study already makes the changes of both."""
    flat = flat_recipes(summary)
    first = flat[summary.variants[0].name]
    together = dict(first)
    for gain in both:
        mine = flat[gain.variant.name]
        for key in first.keys() | mine.keys():
            if mine.get(key) != first.get(key):
                together[key] = mine.get(key)
    keys = {key for recipe in flat.values() for key in recipe}
    return any(all(recipe.get(key) == together.get(key) for key in keys) for recipe in flat.values())
