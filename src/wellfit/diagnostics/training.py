"""What the runs of a study say went well or wrong in training, with the evidence and the mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wellfit.base import Finding, History, Recipe, RunState, RunSummary
from wellfit.diagnostics.cases import Case, Seen, gathered
from wellfit.diagnostics.fit import LONGER, dead_units, underfits
from wellfit.diagnostics.overfit import calibration_worsened, dropout_explains, overfitting
from wellfit.diagnostics.rates import diverged, rate_too_high, rate_too_low, still_improving
from wellfit.diagnostics.splits import validation_against_test
from wellfit.diagnostics.stopping import stopped_at_once, stopped_too_soon
from wellfit.diagnostics.studies import few_seeds, seeds_disagree, sweep_edges

__all__ = ["training_findings"]


def training_findings(
    histories: Mapping[str, Mapping[int, History]],
    states: Mapping[str, Mapping[int, RunState]],
    recipes: Mapping[str, Recipe],
    chance: float,
    runs: Mapping[str, Sequence[RunSummary]] | None = None,
    examples: tuple[int, int] = (0, 0),
) -> tuple[Finding, ...]:
    """What is to be said of the training of a study: each code once, with the variants that it holds of.

    ======================  =======  ===================================================================================
    diverged                error    a run's loss became NaN or infinite
    learning-rate-high      warning  the running loss rises, leaps, or stays near chance where a lower rate learned
    learning-rate-low       warning  the training loss falls slowly and evenly and is far from converged
    penalty-too-strong      warning  fits too little, and the same recipe with less regularization fits better
    underfitting            warning  fits too little for no reason above: near chance, or below others' validation
    dead-units              warning  40 % of the relu units or more answer no example at the end
    overfitting             warning  validation loss turned and rose for good, unless the best weights are restored
    stopped-at-once         warning  early stopping ended half of the runs or more without a single improvement
    stopped-too-soon        warning  training longer gives, or would have given, a clearly better validation metric
    seeds-disagree          warning  accuracies lie further apart than examples and other variants explain
    calibration-worsened    info     validation loss rose while validation accuracy rose too
    still-improving         info     validation loss was falling at the last epoch
    edge-of-sweep           info     the best value of a number is the least or greatest that was tried
    validation-optimism     info     validation accuracy above test accuracy by more than chance
    validation-unlike-test  warning  validation accuracy far below test accuracy: the sets are not drawn alike
    dropout-explains        info     running accuracy below validation accuracy, with dropout on
    few-seeds               info     one or two seeds
    ======================  =======  ===================================================================================

    Args:
      histories: variant -> seed -> the epochs of a run that was trained.
      states: variant -> seed -> how the run ended; pending ones count as seeds of the study.
      recipes: variant -> its recipe.
      chance: the accuracy of always answering the most frequent class, a share of 1.
      runs: variant -> its runs as the summary has them; without, a run is judged at its last epoch, and no test scores
        are known.
      examples: how many examples validate and test; 0 where that is not known.

    Returns:
      The findings, errors first, then warnings; those of the whole study last.

    Example:
      >>> import numpy as np
      >>> columns = {name: np.full(7, 0.9) for name in ("validation_accuracy", "train_accuracy", "running_accuracy")}
      >>> risen = History({**columns, "validation_loss": np.array([0.9, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8])})
      >>> found = training_findings({"a": {0: risen}}, {"a": {0: "finished"}}, {"a": Recipe()}, chance=0.1)
      >>> [f.code for f in found]
      ['overfitting', 'few-seeds']
    """
    rows = {name: {run.seed: run for run in of} for name, of in (runs or {}).items()}
    seen = [Seen(n, recipes[n], histories[n], states[n], rows.get(n, {})) for n in histories]
    cases = [case for one in seen for case in _of_one(one, seen, chance, examples)]
    found = gathered([*cases, *sweep_edges(seen)], len(seen))
    few = few_seeds(seen)
    found.sort(key=lambda finding: ("error", "warning", "info").index(finding.level))
    return tuple([*found, few] if few is not None else found)


def _of_one(seen: Seen, all_seen: Sequence[Seen], chance: float, examples: tuple[int, int]) -> Iterator[Case]:
    """The cases of one variant."""
    first = diverged(seen, all_seen)
    if first is not None:
        yield first
    if not seen.sound:
        return
    poor, dead = _poor_fit(seen, all_seen, chance), dead_units(seen, all_seen)
    if poor is not None and dead is not None:
        poor, dead = replace(poor, text=f"{poor.text}; {dead.text}"), None
    # That it still improves goes without saying where it learns too slowly, or is to be trained longer.
    slow = poor is not None and (poor.code == "learning-rate-low" or poor.fix.startswith(LONGER))
    for case in (
        poor,
        dead,
        overfitting(seen, all_seen, chance),
        stopped_at_once(seen, all_seen) or stopped_too_soon(seen, all_seen),
        seeds_disagree(seen, all_seen, examples[0]),
        calibration_worsened(seen, all_seen),
        None if slow else still_improving(seen, all_seen),
        validation_against_test(seen, all_seen, examples),
        dropout_explains(seen),
    ):
        if case is not None:
            yield case


def _poor_fit(seen: Seen, all_seen: Sequence[Seen], chance: float) -> Case | None:
    """Why a variant fits too little, if it does: one cause, the one with the best evidence."""
    found = underfits(seen, all_seen, chance)
    if found is not None and found.code == "penalty-too-strong":
        return found
    rates = rate_too_high(seen, all_seen, chance) or rate_too_low(seen, all_seen, chance)
    # Where units are dead, that is why it fits too little.
    return rates or (found if found is None or dead_units(seen, all_seen) is None else None)
