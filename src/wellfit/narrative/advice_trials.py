"""Advice on what to try next: values beyond a sweep's edge, and two regularizers together; from validation alone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wellfit.analysis.contests import ACTS, Contest, regularizes
from wellfit.analysis.paths import DIRECTION, flat_recipes, sweep_paths
from wellfit.base import Sentence, StudySummary, SweepPath
from wellfit.narrative.words import listed

__all__ = ["beyond_the_edge", "combined"]

_SHARES: Final = (
    *("dropout", "label_smoothing", "momentum"),
    *(f"augmentation.{key}" for key in ("shift", "flip", "zoom", "erasing")),
)


def beyond_the_edge(summary: StudySummary) -> list[Sentence]:
    """Values beyond a sweep that ends at its best one; of several such sweeps, the one with the best value.

    Args:
      summary: the study.

    Returns:
      One sentence, or none.
    """
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
    option = f": --set 'sweeps.further.{path.key}=[{listing}]'" if own else f": {listed([f'{v:g}' for v in values])}."
    text = (
        f"Try {'larger' if path.at_edge == 'high' else 'smaller'} values of {path.key}, for validation accuracy is "
        f"highest at the last one of the sweep, {path.values[edge]:g}{option}"
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


def combined(summary: StudySummary, compared: Sequence[Contest], best: Contest | None) -> list[Sentence]:
    """The best regularizer together with the next that acts differently, where nobody has tried it.

    Args:
      summary: the study.
      compared: its variants against the first.
      best: of these.

    Returns:
      One sentence, or none.
    """
    if best is None or not best.gains:
        return []
    for other in (c for c in compared if c is not best):
        ways = [{ACTS[kind] for kind in regularizes(summary, c.variant.name)} for c in (best, other)]
        if other.difference <= 0 or not all(ways) or ways[0] & ways[1] or _tried(summary, best, other):
            continue
        first, names = summary.variants[0].name, (best.variant.name, other.variant.name)
        acting = " and ".join(listed(sorted(way)) for way in ways)
        changes = {**best.variant.settings, **other.variant.settings}
        how = f": --set 'variants.both={_toml(changes)}'" if all(v.name != "both" for v in summary.variants) else "."
        text = f"Combine {listed(names)}, which both score above {first} and act differently, {acting}{how}"
        return [Sentence(text, tuple(f"variants[{c.variant.name}].mean.validation_accuracy" for c in (best, other)))]
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


def _toml(value: Any) -> str:
    """A setting's value as TOML in one line, as short as it can be: it has to fit a line of a terminal.

    Example:
      >>> _toml({"patience": 3, "monitor": "val_loss", "restore_best_weights": True, "shift": [0.1, 0.0]})
      '{patience=3,restore_best_weights=true,shift=[0.1,0.0]}'
    """
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if (key, item) != ("monitor", "val_loss")}  # its default
        return "{" + ",".join(f"{key}={_toml(item)}" for key, item in kept.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_toml, value))}]"
    return json.dumps(value)
