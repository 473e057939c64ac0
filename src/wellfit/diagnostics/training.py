"""All findings about the training of a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wellfit.base import Finding, History, Recipe, RunState, RunSummary
from wellfit.diagnostics.early_stopping import stopped_at_once, stopped_too_soon
from wellfit.diagnostics.learning_rate import diverged, rate_too_high, rate_too_low, still_improving
from wellfit.diagnostics.observations import Observation, TrainedVariant, combined
from wellfit.diagnostics.overfitting import calibration_worsened, dropout_explains, overfitting
from wellfit.diagnostics.seeds import few_seeds, seeds_disagree
from wellfit.diagnostics.sweeps import sweep_edges
from wellfit.diagnostics.underfitting import TRAIN_LONGER, dead_units, underfitting
from wellfit.diagnostics.validation_gap import validation_against_test

__all__ = ["training_findings"]


def training_findings(
    histories: Mapping[str, Mapping[int, History]],
    states: Mapping[str, Mapping[int, RunState]],
    recipes: Mapping[str, Recipe],
    chance: float,
    runs: Mapping[str, Sequence[RunSummary]] | None = None,
    examples: tuple[int, int] = (0, 0),
) -> tuple[Finding, ...]:
    """Findings about the training of a study, each code once, with the variants it applies to.

    ``docs/findings.md`` lists the codes with their levels and exact conditions.

    Args:
      histories: variant -> seed -> the epochs of a run that was trained.
      states: variant -> seed -> how the run ended; pending runs count as seeds of the study.
      recipes: variant -> its recipe.
      chance: accuracy of always predicting the most frequent class, a fraction of 1.
      runs: variant -> its runs as in the summary; without them, runs are judged at their last epoch, without test
        scores.
      examples: sizes of the validation and the test set; 0 if unknown.

    Returns:
      The findings: errors first, then warnings; those about the whole study last.

    Example:
      >>> import numpy as np
      >>> columns = {name: np.full(7, 0.9) for name in ("validation_accuracy", "train_accuracy", "running_accuracy")}
      >>> risen = History({**columns, "validation_loss": np.array([0.9, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8])})
      >>> findings = training_findings({"a": {0: risen}}, {"a": {0: "finished"}}, {"a": Recipe()}, chance=0.1)
      >>> [finding.code for finding in findings]
      ['overfitting', 'few-seeds']
    """
    rows = {name: {run.seed: run for run in of} for name, of in (runs or {}).items()}
    variants = [TrainedVariant(n, recipes[n], histories[n], states[n], rows.get(n, {})) for n in histories]
    observations = [o for variant in variants for o in _of_variant(variant, variants, chance, examples)]
    findings = combined([*observations, *sweep_edges(variants)], len(variants))
    few = few_seeds(variants)
    findings.sort(key=lambda finding: ("error", "warning", "info").index(finding.level))
    return tuple([*findings, few] if few is not None else findings)


def _of_variant(
    variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float, examples: tuple[int, int]
) -> Iterator[Observation]:
    """The observations about one variant."""
    divergence = diverged(variant, variants)
    if divergence is not None:
        yield divergence
    if not variant.sound:
        return
    poor, dead = _poor_fit(variant, variants, chance), dead_units(variant, variants)
    if poor is not None and dead is not None:
        poor, dead = replace(poor, evidence=f"{poor.evidence}; {dead.evidence}"), None
    # A variant that learns too slowly or should train longer is still improving; once is enough.
    slow = poor is not None and (poor.code == "learning-rate-low" or poor.fix.startswith(TRAIN_LONGER))
    checked = (
        poor,
        dead,
        overfitting(variant, variants, chance),
        stopped_at_once(variant, variants) or stopped_too_soon(variant, variants),
        seeds_disagree(variant, variants, examples[0]),
        calibration_worsened(variant, variants),
        None if slow else still_improving(variant, variants),
        validation_against_test(variant, variants, examples),
        dropout_explains(variant),
    )
    yield from (observation for observation in checked if observation is not None)


def _poor_fit(variant: TrainedVariant, variants: Sequence[TrainedVariant], chance: float) -> Observation | None:
    """Why a variant underfits, if it does: one cause, the one with the best evidence."""
    poor = underfitting(variant, variants, chance)
    if poor is not None and poor.code == "penalty-too-strong":
        return poor
    rate = rate_too_high(variant, variants, chance) or rate_too_low(variant, variants, chance)
    # Dead units explain the poor fit by themselves.
    return rate or (poor if poor is None or dead_units(variant, variants) is None else None)
