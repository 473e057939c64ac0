"""Sweeps whose best value is at an edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from wellfit.analysis.intervals import t_interval
from wellfit.base import Recipe
from wellfit.diagnostics.observations import Observation, TrainedVariant
from wellfit.narrative.options import new_variant_option
from wellfit.narrative.phrases import points

__all__ = ["sweep_edges"]

_SWEPT: Final = (
    *("learning_rate", "momentum", "l1", "l2", "proximal_l1", "weight_decay", "dropout", "label_smoothing"),
    *("max_norm", "clip_norm", "global_clip_norm", "batch_size", "epochs"),
)
_SHARES: Final = ("dropout", "label_smoothing", "momentum")  # below 1, on a linear scale


def sweep_edges(variants: Sequence[TrainedVariant]) -> list[Observation]:
    """Settings whose best value is the smallest or the largest that was tried.

    Variants form a sweep if their recipes differ in one number only and at least three values of it were tried. The
    value with the highest mean validation accuracy must be at an edge and clearly better than its neighbor: the 97.5 %
    t interval of the difference paired by seed, for two edges, lies above 0. An edge of 0 is natural and no finding.
    Assumes near-normal differences; needs three seeds. Source: Bengio (2012), arXiv:1206.5533, section 3.3: "if the
    best value found is near the border, explore further".

    Args:
      variants: of the study.

    Example:
      >>> sweep_edges([])
      []
    """
    observations = []
    for key in _SWEPT:
        groups: dict[Recipe, list[tuple[float, TrainedVariant]]] = {}
        for variant in variants:
            if variant.sound and (value := _value(variant, key)) is not None:
                groups.setdefault(replace(variant.recipe, **{key: getattr(Recipe(), key)}), []).append((value, variant))
        for group in groups.values():
            edge = _edge(key, sorted(group, key=lambda pair: pair[0]))
            observations += [edge] if edge is not None else []
    return observations


def _value(variant: TrainedVariant, key: str) -> float | None:
    if key == "learning_rate":
        return variant.learning_rate
    value = getattr(variant.recipe, key)
    if isinstance(value, tuple):
        return None
    return 0.0 if value is None and key == "dropout" and variant.recipe.model.kind != "layers" else value


def _edge(key: str, group: Sequence[tuple[float, TrainedVariant]]) -> Observation | None:
    if len({value for value, _ in group}) < 3:
        return None
    place = int(np.argmax([variant.score("validation_accuracy") for _, variant in group]))
    if place not in (0, len(group) - 1) or group[place][0] == 0:
        return None
    (value, best), (other, neighbor) = group[place], group[1 if place == 0 else -2]
    mine, theirs = best.scores("validation_accuracy"), neighbor.scores("validation_accuracy")
    differences = [mine[s] - theirs[s] for s in mine if s in theirs]
    interval = t_interval(differences, 0.975) if len(differences) >= 3 else None
    if interval is None or interval[0] <= 0:
        return None
    mean, following = float(np.mean(differences)), _next(key, value, other)
    evidence = (
        f"validation accuracy is highest at the {'smallest' if place == 0 else 'largest'} {key} tried, {value:g} "
        f"({len(group)} values from {group[0][0]:g} to {group[-1][0]:g}), {points(mean)} points "
        f"[{points(interval[0])}, {points(interval[1])}] above {other:g}"
    )
    fix = f"Try a value beyond the edge: {new_variant_option(f'try-{key}={following}', {key: following})}"
    return Observation("edge-of-sweep", "info", best.name, "did best at the edge of a sweep", evidence, fix, mean)


def _next(key: str, value: float, neighbor: float) -> str:
    """The value after the edge: on a linear scale for fractions, on a logarithmic one otherwise."""
    if key in _SHARES:
        following = value + (1 - value) / 2 if value > neighbor else value / 2
    else:
        following = value * value / neighbor if neighbor > 0 else 2 * value
    if key in ("batch_size", "epochs"):
        return str(max(1, round(following)))
    return f"{following:.2g}"
