"""Why a variant gave exactly the answers of the first one, where the training curves that are kept show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from wellfit.base import Comparison, History, VariantSummary

__all__ = ["no_effect"]

_LOSSES: Final = ("train_loss", "validation_loss")

_NEVER_ACTED: Final = {
    "max_norm": "its limit never binds",
    "clip_norm": "its limit never binds",
    "global_clip_norm": "its limit never binds",
    "early_stopping": "it reads the same epoch in every run",
}
"""A variant's only setting -> what it means that every epoch of its training is that of the first variant."""


def no_effect(
    variants: Sequence[VariantSummary],
    comparisons: Sequence[Comparison],
    histories: Mapping[str, Mapping[int, History]],
) -> dict[str, str]:
    """Why the variants that are identical to the first one are: variant -> a clause.

    Args:
      variants: in the order of the study.
      comparisons: of the others with the first.
      histories: variant -> seed -> its epochs.

    Example:
      >>> from wellfit.base import RunSummary
      >>> runs = (RunSummary(0, "finished", 2, 2, 2, None, *[None] * 7),)
      >>> def made(name, **settings): return VariantSummary(name, settings, 1, runs, {}, {}, 0.0, {})
      >>> same = Comparison("max-norm", "a", "test_accuracy", 0.0, (0.0, 0.0), 1.0, 1.0, "undecided", identical=True)
      >>> h = {0: History({"train_loss": np.array([0.9, 0.7]), "validation_loss": np.array([0.9, 0.8])})}
      >>> no_effect([made("a"), made("max-norm", max_norm=2.0)], [same], {"a": h, "max-norm": h})
      {'max-norm': 'its limit never binds'}
    """
    if not variants:
        return {}
    by_name = {variant.name: variant for variant in variants}
    return {
        c.variant: _reason(by_name[c.variant], variants[0], histories)
        for c in comparisons
        if c.identical and c.against == variants[0].name
    }


def _reason(variant: VariantSummary, first: VariantSummary, histories: Mapping[str, Mapping[int, History]]) -> str:
    mine, other = histories.get(variant.name, {}), histories.get(first.name, {})
    settings = list(variant.settings)
    if len(settings) != 1 or not mine or not all(seed in other and _same(mine[seed], other[seed]) for seed in mine):
        return "in every answer"
    if settings[0] == "early_stopping":
        reads = {run.seed: run.readout_epoch for run in first.runs}
        if any(run.readout_epoch != reads.get(run.seed) for run in variant.runs):
            return "in every answer"
    return _NEVER_ACTED.get(settings[0], "in every epoch of its training")


def _same(one: History, other: History) -> bool:
    """Whether two runs had the same losses after every epoch that both have."""
    both = min(len(one), len(other))
    return all(
        column in one.columns
        and column in other.columns
        and np.array_equal(one.columns[column][:both], other.columns[column][:both], equal_nan=True)
        for column in _LOSSES
    )
