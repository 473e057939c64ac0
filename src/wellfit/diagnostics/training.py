"""All findings about the training of a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from wellfit.base import Finding, History, Recipe, RunState, RunSummary
from wellfit.diagnostics.activations import dead_units, vanishing
from wellfit.diagnostics.chance import barely_below_chance
from wellfit.diagnostics.classes import Classes, accuracy_hides_recall, majority_guess, unrelated_labels
from wellfit.diagnostics.early_stopping import never_stopped, stopped_at_once, stopped_too_soon
from wellfit.diagnostics.learning_rate import diverged, rate_too_high, rate_too_low, still_improving
from wellfit.diagnostics.observations import Observation, TrainedVariant, combined
from wellfit.diagnostics.overfitting import calibration_worsened, dropout_explains, onset, overfitting
from wellfit.diagnostics.penalties import penalty_beaten, penalty_dominates
from wellfit.diagnostics.seeds import few_seeds, seeds_disagree
from wellfit.diagnostics.sweeps import sweep_edges
from wellfit.diagnostics.underfitting import TRAIN_LONGER, fits_poorly, underfitting
from wellfit.diagnostics.validation_gap import validation_above_training, validation_against_test

__all__ = ["training_findings"]


def training_findings(
    histories: Mapping[str, Mapping[int, History]],
    states: Mapping[str, Mapping[int, RunState]],
    recipes: Mapping[str, Recipe],
    chance: float,
    runs: Mapping[str, Sequence[RunSummary]] | None = None,
    examples: tuple[int, int] = (0, 0),
    classes: Classes | None = None,
    verdicts: Mapping[str, str] = MappingProxyType({}),
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
      classes: their names, sizes and confusions, if known.
      verdicts: variant -> its verdict against the first; no fix recommends again what was worse.

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
    variants = [
        TrainedVariant(name, recipes[name], of, states[name], rows.get(name, {}), verdicts.get(name, ""))
        for name, of in histories.items()
    ]
    study = _Study(variants, chance, examples, classes or Classes())
    observations = [o for variant in variants for o in _of_variant(variant, study)]
    findings = combined([*observations, *sweep_edges(variants)], len(variants))
    hidden, few = accuracy_hides_recall(variants, chance, study.classes), few_seeds(variants)
    findings += [hidden] if hidden is not None else []
    findings.sort(key=lambda finding: ("error", "warning", "info").index(finding.level))
    return tuple([*findings, few] if few is not None else findings)


@dataclass(frozen=True)
class _Study:
    """What the checks of one variant need to know of the whole study."""

    variants: Sequence[TrainedVariant]
    chance: float
    examples: tuple[int, int]
    classes: Classes


def _of_variant(variant: TrainedVariant, study: _Study) -> Iterator[Observation]:
    """The observations about one variant."""
    variants, chance = study.variants, study.chance
    divergence = diverged(variant, variants, chance)
    if divergence is not None:
        yield divergence
    if not variant.sound:
        return
    cause, dead = _cause(variant, study), dead_units(variant, variants, chance)
    if cause is not None and dead is not None and cause.code != "dead-units":
        cause, dead = replace(cause, evidence=f"{cause.evidence}; {dead.evidence}"), None
    elif cause is not None:
        dead = None
    code = cause.code if cause is not None else ""
    # A cause explains its consequences: one finding, with one fix, for each thing that went wrong.
    over = None if code == "labels-unrelated" else overfitting(variant, variants, chance)
    never = never_stopped(variant, variants)
    over = None if never is not None else over  # its fix includes that of overfitting
    longer = code in _NOT_SHORT or (cause is not None and cause.fix.startswith(TRAIN_LONGER))
    stopping = None if over is not None else stopped_at_once(variant, variants) or stopped_too_soon(variant, variants)
    checked = (
        cause,
        dead,
        over,
        never,
        stopping,
        None if code in _FAILED else seeds_disagree(variant, variants, study.examples[0]),
        calibration_worsened(variant, variants),
        None if longer else still_improving(variant, variants),
        validation_against_test(variant, variants, study.examples),
        validation_above_training(variant, variants, study.examples[0]),
        dropout_explains(variant),
    )
    yield from (observation for observation in checked if observation is not None)


_FAILED = ("labels-unrelated", "majority-guess", "vanishing-gradients")
_NOT_SHORT = (*_FAILED, "learning-rate-low", "learning-rate-high", "penalty-too-strong", "dead-units")
"""Causes with a better fix than more epochs."""


def _cause(variant: TrainedVariant, study: _Study) -> Observation | None:
    """Why a variant learns badly, if it does: one cause, the one with the best evidence.

    In this order: a variant that differs in one thing alone and learned; what the curves of this one show; slow
    progress; a poor fit that nothing explains. Overfitting refutes slow progress: it has learned more than it should.
    """
    variants, chance = study.variants, study.chance
    poor = fits_poorly(variant, variants, chance)
    dead = dead_units(variant, variants, chance)
    overfits = onset(variant, variants, chance) is not None
    slow = None if overfits else rate_too_low(variant, variants, chance)
    little = poor or slow is not None or barely_below_chance(variant, chance)
    return (
        unrelated_labels(variant, variants, chance, study.examples)
        or (penalty_beaten(variant, variants, chance) if poor else None)
        or (penalty_dominates(variant, variants, chance) if little else None)
        or rate_too_high(variant, variants, chance)
        or (dead if poor else None)
        or majority_guess(variant, variants, chance, study.classes, study.examples[0])
        or vanishing(variant, variants, chance)
        or slow
        or (None if dead is not None else underfitting(variant, variants, chance))
    )
