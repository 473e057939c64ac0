"""Why a variant gave exactly the answers of the first one, where the training curves that are kept show it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wellfit.base import History, StudySummary, VariantSummary

__all__ = ["no_effect"]

_LOSSES: Final = ("train_loss", "validation_loss")

_NEVER_ACTED: Final = {
    "max_norm": "its limit never binds",
    "clip_norm": "its limit never binds",
    "global_clip_norm": "its limit never binds",
    "early_stopping": "it reads the same epoch in every run",
}
"""A variant's only setting -> what it means that every epoch of its training is that of the first variant."""


def no_effect(summary: StudySummary) -> dict[str, str]:
    """Why the variants that are identical to the first one are: variant -> a clause."""
    if not summary.variants:
        return {}
    first, by_name = summary.variants[0], {variant.name: variant for variant in summary.variants}
    return {
        c.variant: _reason(by_name[c.variant], first, summary)
        for c in summary.comparisons
        if c.identical and c.against == first.name
    }


def _reason(variant: VariantSummary, first: VariantSummary, summary: StudySummary) -> str:
    if _recipe(summary, variant) == _recipe(summary, first) is not None:
        return f"its settings are those of {first.name}"
    mine, other = summary.histories.get(variant.name, {}), summary.histories.get(first.name, {})
    settings = list(variant.settings)
    if len(settings) != 1 or not mine or not all(seed in other and _same(mine[seed], other[seed]) for seed in mine):
        return "in every answer"
    if settings[0] == "early_stopping":
        reads = {run.seed: run.readout_epoch for run in first.runs}
        if any(run.readout_epoch != reads.get(run.seed) for run in variant.runs):
            return "in every answer"
    return _NEVER_ACTED.get(settings[0], "in every epoch of its training")


def _recipe(summary: StudySummary, variant: VariantSummary) -> Any:
    """The complete recipe of a variant as plain data; None if it is not known."""
    return summary.settings.get("variants", {}).get(variant.name, {}).get("recipe")


def _same(one: History, other: History) -> bool:
    """Whether two runs had the same losses after every epoch that both have."""
    both = min(len(one), len(other))
    return all(
        column in one.columns
        and column in other.columns
        and np.array_equal(one.columns[column][:both], other.columns[column][:both], equal_nan=True)
        for column in _LOSSES
    )
