"""The rows of the page's tables, every number already written as it is to be read."""

from __future__ import annotations

from dataclasses import dataclass

from wellfit.base import Comparison, RunSummary, StudySummary, VariantSummary
from wellfit.report import wording
from wellfit.report.colors import SERIES

__all__ = ["Cell", "ComparisonRow", "VariantRow", "comparison_row", "facts", "run_row", "variant_row"]


@dataclass(frozen=True)
class Cell:
    """A mean and its interval as they stand in a table."""

    mean: str
    interval: str


@dataclass(frozen=True)
class VariantRow:
    """A row of the results table."""

    name: str
    color: int
    settings: tuple[str, ...]
    test: Cell
    train: Cell
    validation: Cell
    gap: Cell
    best_epoch: Cell
    parameters: str
    seconds: str
    verdict: str
    published: tuple[str, ...]
    runs: str


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


def variant_row(summary: StudySummary, variant: VariantSummary, index: int) -> VariantRow:
    """A variant's row; ``index`` is its position in the study, from 0."""
    verdict = wording.verdict_against_first(summary, variant)
    gap = variant.mean.get("generalization_gap")
    published = (_published(metric, value, len(variant.published)) for metric, value in variant.published.items())
    unusual = any(run.state in ("diverged", "pending") for run in variant.runs)
    return VariantRow(
        name=variant.name,
        color=index % SERIES,
        settings=wording.settings(variant.settings) or ("the base recipe",),
        test=_cell(variant, "test_accuracy"),
        train=_cell(variant, "train_accuracy"),
        validation=_cell(variant, "validation_accuracy"),
        gap=Cell(wording.points(gap), wording.interval(variant.interval.get("generalization_gap"))),
        best_epoch=Cell(*wording.best_epoch(variant.runs)),
        parameters=f"{variant.parameters:,}",
        seconds=f"{variant.seconds:.1f}",
        verdict="reference" if index == 0 else verdict or wording.NOTHING,
        published=tuple(published),
        runs=wording.run_states(variant.runs) if unusual else "",
    )


def _cell(variant: VariantSummary, metric: str) -> Cell:
    return Cell(wording.percent(variant.mean.get(metric)), wording.interval(variant.interval.get(metric)))


def _published(metric: str, value: float, count: int) -> str:
    text = f"{value:.4f}" if metric.endswith("_loss") else wording.percent(value)
    return text if count == 1 and metric == "test_accuracy" else f"{wording.METRICS.get(metric, metric)} {text}"


def run_row(run: RunSummary) -> tuple[str, ...]:
    """A run's row: seed, state, four epochs, three accuracies, test loss, seconds."""

    def number(value: float | None, digits: int = 0) -> str:
        return wording.NOTHING if value is None else f"{value:.{digits}f}"

    return (
        str(run.seed),
        "stopped early" if run.state == "stopped" else run.state,
        number(run.epochs),
        number(run.readout_epoch),
        number(run.best_epoch),
        number(run.overfit_onset),
        wording.percent(run.train_accuracy),
        wording.percent(run.validation_accuracy),
        wording.percent(run.test_accuracy),
        number(run.test_loss, 4),
        number(run.seconds, 1),
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
