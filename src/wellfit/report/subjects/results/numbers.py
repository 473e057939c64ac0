"""The rows of the page's tables, every number already written as it is to be read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from wellfit.base import Comparison, PairedEvidence, RunSummary, StudySummary, VariantSummary
from wellfit.report import wording

__all__ = [
    "Cell",
    "ComparisonRow",
    "PublishedRow",
    "VariantRow",
    "comparison_row",
    "evidence_row",
    "facts",
    "published_rows",
    "run_row",
    "variant_row",
]


@dataclass(frozen=True)
class Cell:
    """A mean and its interval as they stand in a table, and the number to sort by: None where there is none."""

    mean: str
    interval: str
    value: float | None = None


@dataclass(frozen=True)
class VariantRow:
    """A row of the results table."""

    index: int
    name: str
    letters: str
    settings: tuple[str, ...]
    test: Cell
    train: Cell
    validation: Cell
    gap: Cell
    loss: Cell
    best_epoch: Cell
    parameters: Cell
    seconds: Cell
    verdict: str
    runs: str


@dataclass(frozen=True)
class PublishedRow:
    """What the source of the study reports of a variant, beside what was measured here."""

    index: int
    variant: str
    metric: str
    published: str
    ours: Cell
    lowest_highest: str
    difference: str
    interval: str  # of the difference: what was published is taken as it stands


@dataclass(frozen=True)
class ComparisonRow:
    """A row of the comparisons table."""

    variant: str
    against: str
    metric: str
    difference: str
    interval: str
    p_value: str
    p_adjusted: str
    verdict: str


def facts(summary: StudySummary) -> list[tuple[str, str]]:
    """The study in a line: name and value of what a reader wants to know first."""
    runs = [run for variant in summary.variants for run in variant.runs]
    few = len(summary.seeds) <= 5
    seeds = ", ".join(map(str, summary.seeds)) if few else f"{summary.seeds[0]} … {summary.seeds[-1]}"
    return [
        ("Data", summary.data),
        ("State", summary.state),
        ("Variants", str(len(summary.variants))),
        ("Seeds", f"{len(summary.seeds)} ({seeds})"),
        ("Epochs", str(summary.epochs)),
        ("Runs", f"{sum(run.state != 'pending' for run in runs)} of {len(runs)}"),
        ("Time", wording.duration(summary.seconds)),
    ]


def variant_row(summary: StudySummary, variant: VariantSummary, index: int, letters: Mapping[str, str]) -> VariantRow:
    """A variant's row; ``index`` is its position in the study, from 0, ``letters`` those of the ranking."""
    verdict = wording.verdict_against_first(summary, variant)
    gap = variant.mean.get("generalization_gap")
    unusual = any(run.state in ("diverged", "pending") for run in variant.runs)
    best, spread = wording.best_epoch(variant.runs)
    return VariantRow(
        index=index,
        name=variant.name,
        letters=letters.get(variant.name, ""),
        settings=wording.settings(variant.settings) or ("the base recipe",),
        test=_cell(variant, "test_accuracy"),
        train=_cell(variant, "train_accuracy"),
        validation=_cell(variant, "validation_accuracy"),
        gap=Cell(wording.points(gap), wording.interval(variant.interval.get("generalization_gap")), _known(gap)),
        loss=_loss(variant, "test_loss"),
        best_epoch=Cell(best, spread, None if best == wording.NOTHING else float(best)),
        parameters=Cell(f"{variant.parameters:,}", "", float(variant.parameters)),
        seconds=Cell(wording.number(variant.seconds, 1), "", _known(variant.seconds)),
        verdict="reference" if index == 0 else verdict or wording.NOTHING,
        runs=wording.run_states(variant.runs) if unusual else "",
    )


def _cell(variant: VariantSummary, metric: str) -> Cell:
    value = variant.mean.get(metric)
    return Cell(wording.percent(value), wording.interval(variant.interval.get(metric)), _known(value))


def _loss(variant: VariantSummary, metric: str) -> Cell:
    value = variant.mean.get(metric)
    return Cell(wording.number(value, 4), wording.interval(variant.interval.get(metric), 1.0, 4), _known(value))


def _known(value: float | None) -> float | None:
    """A number that a column can be sorted by."""
    return value if value is not None and math.isfinite(value) else None


def published_rows(summary: StudySummary) -> list[PublishedRow]:
    """Every number that the source of the study reports, beside ours: mean, interval, lowest and highest run."""
    rows = []
    for index, variant in enumerate(summary.variants):
        for metric, value in variant.published.items():
            ours, bounds = _known(variant.mean.get(metric)), variant.interval.get(metric)
            single = [x for run in variant.runs if (x := _known(getattr(run, metric, None))) is not None]
            shifted = None if bounds is None else (bounds[0] - value, bounds[1] - value)
            told = ("", "") if ours is None else wording.difference(ours - value, shifted, metric)
            loss = metric.endswith("_loss")
            show = (lambda x: wording.number(x, 4)) if loss else wording.percent
            rows.append(
                PublishedRow(
                    index=index,
                    variant=variant.name,
                    metric=wording.METRICS.get(metric, metric),
                    published=show(value),
                    ours=_loss(variant, metric) if loss else _cell(variant, metric),
                    lowest_highest=f"{show(min(single))} to {show(max(single))}"
                    if len(single) > 1
                    else wording.NOTHING,
                    difference=told[0] or wording.NOTHING,
                    interval=told[1],
                )
            )
    return rows


def run_row(run: RunSummary) -> tuple[str, ...]:
    """A run's row: seed, state, four epochs, three accuracies, test loss, seconds."""
    return (
        str(run.seed),
        "stopped early" if run.state == "stopped" else run.state,
        *map(wording.number, (run.epochs, run.readout_epoch, run.best_epoch, run.overfit_onset)),
        wording.percent(run.train_accuracy),
        wording.percent(run.validation_accuracy),
        wording.percent(run.test_accuracy),
        wording.number(run.test_loss, 4),
        wording.number(run.seconds, 1),
    )


def comparison_row(comparison: Comparison) -> ComparisonRow:
    """A comparison's row, the difference in the metric's own unit."""
    difference, bounds = wording.difference(comparison.difference, comparison.interval, comparison.metric)
    return ComparisonRow(
        variant=comparison.variant,
        against=comparison.against,
        metric=wording.METRICS.get(comparison.metric, comparison.metric),
        difference=difference,
        interval=bounds or wording.NOTHING,
        p_value=wording.p_value(comparison.p_value),
        p_adjusted=wording.p_value(comparison.p_adjusted),
        verdict=comparison.verdict,
    )


def evidence_row(evidence: PairedEvidence) -> tuple[str, ...]:
    """What else speaks for or against a difference.

    Args:
      evidence: of a comparison.

    Returns:
      Seeds, bootstrap interval and p-value, paired t and sign-flip p-values, how often McNemar's p-value is below 0.05,
      the probabilities that a further seed shows better, the same (within the margin) and worse, and how many seeds
      more would probably decide.
    """
    better, worse = evidence.better_on_new_seed, evidence.worse_on_new_seed
    same = None if better is None or worse is None else max(0.0, 1.0 - better - worse)
    few = sum(p < 0.05 for p in evidence.mcnemar_p)
    return (
        str(evidence.seeds),
        wording.interval(evidence.bootstrap_interval, signed=True) or wording.NOTHING,
        *(wording.p_value(p) for p in (evidence.bootstrap_p, evidence.paired_t_p, evidence.sign_flip_p)),
        f"{few} of {len(evidence.mcnemar_p)}" if evidence.mcnemar_p else wording.NOTHING,
        *(wording.number(None if share is None else 100 * share, 0, " %") for share in (better, same, worse)),
        wording.NOTHING if evidence.further_seeds is None else str(evidence.further_seeds),
    )
