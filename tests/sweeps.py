"""Made-up studies with the settings of real ones and the scores that a test needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wellfit.analysis.intervals import t_interval
from wellfit.base import History, RunState, RunSummary, StudySummary, VariantSummary
from wellfit.narrative.advice import advise
from wellfit.spec.study import StudySpec, load_study, resolved, study_from_mapping

SPLITS = ("train", "validation", "test")
FALLING = np.linspace(1.0, 0.4, 20)
RISEN = np.concatenate([np.linspace(1.0, 0.4, 10), np.linspace(0.4, 0.6, 10)])
FLAT = np.full(20, 0.4)


def scored(
    study: str | Mapping[str, Any],
    score: Callable[[str, Mapping[str, Any], int], float],
    seeds: int = 5,
    test: Callable[[str, int], float] = lambda name, seed: 0.8,
    states: Mapping[tuple[str, int], RunState] | None = None,
    loss: Callable[[str], Any] = lambda name: FLAT,
) -> StudySummary:
    """A study, built-in or as tables, with the validation accuracy ``score(name, settings, seed)`` of every run.

    ``test`` gives test accuracies, ``states`` how single runs ended, ``loss`` a variant's validation losses by epoch.
    """
    spec = load_study(study, seeds=seeds) if isinstance(study, str) else study_from_mapping(study)
    states = states or {}
    variants, histories = [], {}
    for name, settings in spec.variants.items():
        runs = [_run(s, states.get((name, s), "finished"), score(name, settings, s), test(name, s), loss(name))
                for s in range(seeds)]  # fmt: skip
        variants.append(_variant(name, settings, tuple(runs)))
        ended = [run.seed for run in runs if run.state in ("finished", "stopped")]
        histories[name] = {s: History({"validation_loss": np.asarray(loss(name))}) for s in ended}
    return _summary(spec, tuple(variants), histories, seeds)


def tables(variants: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A study's tables with these variants, on the digits."""
    return {"data": {"name": "digits"}, "variants": variants, **more}


NOISE = np.array([0.003, -0.002, 0.001, -0.004, 0.002])
FOUR = tables({"baseline": {}, "l2": {"l2": 1e-3}, "dropout": {"dropout": 0.3}, "smooth": {"label_smoothing": 0.1}})


def advised(summary: StudySummary) -> list[str]:
    """The advice as plain text."""
    return [sentence.text for sentence in advise(summary)]


def gaining(gains: Mapping[str, float], spread: float = 0.0) -> Callable[..., float]:
    """Scores that gain this over the baseline's, with the same chance in every variant and some of its own."""

    def score(name: str, changes: Mapping[str, Any], seed: int) -> float:
        own = np.random.default_rng([seed, len(name)]).standard_normal()
        return 0.8 + gains.get(name, 0.0) + NOISE[seed] + (spread * own if name != "baseline" else 0.0)

    return score


def _run(seed: int, state: RunState, accuracy: float, test: float, losses: Any) -> RunSummary:
    if state in ("pending", "diverged"):
        return RunSummary(seed, state, *[None] * 11)
    best, epochs = int(np.argmin(losses)) + 1, len(losses)
    onset = best if losses[-1] > 1.01 * min(losses) else None
    return RunSummary(seed, state, epochs, epochs, best, onset, accuracy, 0.1, accuracy, float(losses[-1]), test, 0.5,
                      1.0)  # fmt: skip


def _variant(name: str, settings: Mapping[str, Any], runs: tuple[RunSummary, ...]) -> VariantSummary:
    mean, interval = {}, {}
    for metric in (f"{split}_{what}" for split in SPLITS for what in ("accuracy", "loss")):
        values = [value for run in runs if (value := getattr(run, metric)) is not None]
        if values:
            mean[metric], interval[metric] = float(np.mean(values)), t_interval(values)
    return VariantSummary(name, settings, 1, runs, mean, interval, 1.0, {})


def _summary(spec: StudySpec, variants: tuple[VariantSummary, ...], histories: Any, seeds: int) -> StudySummary:
    return StudySummary(
        name=spec.name,
        title=spec.title,
        data="digits",
        state="finished",
        seeds=tuple(range(seeds)),
        epochs=20,
        seconds=1.0,
        directory="studies/it",
        variants=variants,
        comparisons=(),
        findings=(),
        verdict="",
        histories=histories,
        confusion={},
        classes=("a", "b"),
        provenance={},
        settings=resolved(spec),
        validation_examples=500,
        validation_overlap=0.0,  # a fold for every seed: chance is between seeds alone
    )
