"""The rows of the results, comparisons, published numbers and runs, every number formatted as it is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from wellfit.base import Comparison, PairedEvidence, RunSummary, StudySummary, VariantSummary
from wellfit.narrative.outcomes import verdict_label
from wellfit.narrative.phrases import telling
from wellfit.report import wording
from wellfit.report.parts import Cell, Table

__all__ = [
    "VariantRow",
    "accuracy_heading",
    "comparison_table",
    "evidence_row",
    "evidence_table",
    "known_only",
    "published_table",
    "run_columns",
    "run_row",
    "variant_row",
    "variant_rows",
    "without_constant",
]

_RUN_COLUMNS = (
    "Seed",
    "State",
    "Epochs",
    "Read at",
    "Best epoch",
    "Rises after",
    "Training",
    "Validation",
    "Test",
    "Test loss",
    "Seconds",
)

_ACCURACIES = ("Training", "Validation", "Test")

EVIDENCE_COLUMNS = (
    "Seeds",
    "Bootstrap interval",
    "Bootstrap p",
    "Paired t p",
    "Sign-flip p",
    "McNemar p < 0.05",
    "Next seed better",
    "same",
    "worse",
)
"""Headings of `evidence_row`."""


@dataclass(frozen=True)
class VariantRow:
    """A row of the results table.

    Args:
      index: position of the variant in the study, from 0.
      letters: in the ranking; empty if nothing was compared.
      best_epoch: the median over the runs; its ``interval`` is the range.
      test: the metric that variants are compared on.
      accuracy: test accuracy.
      verdict: on ``test``, against the first variant, itself the ``"reference"``; a star marks surviving runs.
      states: how many runs ended in which state.
      runs: the same, where a run diverged or has not ended; empty otherwise.
    """

    index: int
    name: str
    letters: str
    settings: tuple[str, ...]
    test: Cell
    accuracy: Cell
    train: Cell
    validation: Cell
    gap: Cell
    loss: Cell
    best_epoch: Cell
    parameters: Cell
    seconds: Cell
    verdict: str
    states: str
    runs: str


def variant_rows(summary: StudySummary) -> tuple[VariantRow, ...]:
    """A row for every variant, in the study's order."""
    return tuple(variant_row(summary, index) for index in range(len(summary.variants)))


def variant_row(summary: StudySummary, index: int) -> VariantRow:
    """The row of the variant at this position, from 0."""
    variant = summary.variants[index]
    verdict = wording.verdict_against_first(summary, variant)
    unusual = any(run.state in ("diverged", "pending") for run in variant.runs)
    best, spread = wording.best_epoch(variant.runs)
    return VariantRow(
        index=index,
        name=variant.name,
        letters=wording.letters(summary).get(variant.name, ""),
        settings=wording.settings_or_none(variant.settings, elsewhere=summary.elsewhere),
        test=_cell(variant, summary.compared),
        accuracy=_cell(variant, "test_accuracy"),
        train=_cell(variant, "train_accuracy"),
        validation=_cell(variant, "validation_accuracy"),
        gap=_cell(variant, "generalization_gap"),
        loss=_cell(variant, "test_loss"),
        best_epoch=Cell(best, spread, None if best == wording.NOTHING else float(best)),
        parameters=_NOTHING if summary.elsewhere else Cell(f"{variant.parameters:,}", value=float(variant.parameters)),
        seconds=_NOTHING
        if summary.elsewhere
        else Cell(wording.number(variant.seconds, 1), value=_finite(variant.seconds)),
        verdict="reference" if index == 0 else verdict or wording.NOTHING,
        states=wording.run_states(variant.runs),
        runs=wording.run_states(variant.runs) if unusual else "",
    )


def comparison_table(summary: StudySummary) -> Table:
    """Every comparison, those of the study's questions last; differences in the metric's own unit."""
    headings = ("Variant", "Against", "Metric", "Difference", "95 % interval", "p", "Adjusted p", "Verdict")
    by_name = {v.name: v for v in summary.variants}
    return Table(headings, tuple(_comparison_row(c, by_name) for c in (*summary.comparisons, *summary.asked)), text=3)


def without_constant(table: Table, names: tuple[str, ...]) -> Table:
    """A table without those of the named columns that say the same in every row; a note says it once.

    Example:
      >>> without_constant(Table(("Variant", "Against", "p"), (("a", "b", "1"), ("c", "b", "2")), 2), ("Against",))
      Table(headings=('Variant', 'p'), rows=(('a', '1'), ('c', '2')), text=1)
    """
    same = [at for at, name in enumerate(table.headings) if name in names and len({r[at] for r in table.rows}) == 1]
    kept = [at for at in range(len(table.headings)) if at not in same]
    text = table.text - sum(at < table.text for at in same)
    rows = tuple(tuple(row[at] for at in kept) for row in table.rows)
    return Table(tuple(table.headings[at] for at in kept), rows, text)


def known_only(table: Table) -> Table:
    """A table without the columns in which nothing is known of any row: of runs that others trained there are several.

    Example:
      >>> known_only(Table(("Run", "Epochs", "Test"), (("1", "–", "90 %"), ("2", "–", "–"))))
      Table(headings=('Run', 'Test'), rows=(('1', '90 %'), ('2', '–')), text=1)
    """
    known = [at for at in range(len(table.headings)) if any(row[at] != wording.NOTHING for row in table.rows)]
    rows = tuple(tuple(row[at] for at in known) for row in table.rows)
    return Table(tuple(table.headings[at] for at in known), rows, sum(at < table.text for at in known))


def evidence_table(summary: StudySummary) -> Table:
    """Further evidence on the compared pairs, where there is any."""
    pairs = [(c.variant, c.against, c.variant) for c in summary.comparisons]
    pairs += [(c.variant, c.against, f"{c.variant}/{c.against}") for c in summary.asked]
    known = summary.evidence
    rows = tuple(
        (variant, against, *evidence_row(known[key], summary.compared))
        for variant, against, key in pairs
        if key in known
    )
    return Table(("Variant", "Against", *EVIDENCE_COLUMNS), rows, text=2)


def published_table(summary: StudySummary) -> Table:
    """Every number that the study's source reports, and what was measured here."""
    headings = ("Variant", "Metric", "Published", "Measured", "95 % interval", "Lowest to highest seed")
    rows = [
        (variant.name, wording.METRICS.get(metric, metric), *_published_row(variant, metric, value))
        for variant in summary.variants
        for metric, value in variant.published.items()
    ]
    return Table((*headings, "Measured − published"), tuple(rows), text=2)


def run_columns(metric: str) -> tuple[str, ...]:
    """Headings of `run_row`; they say "accuracy" where variants are compared on another metric.

    Example:
      >>> run_columns("accuracy")[6:9], run_columns("brier")[8]
      (('Training', 'Validation', 'Test'), 'Test accuracy')
    """
    return tuple(accuracy_heading(name, metric) if name in _ACCURACIES else name for name in _RUN_COLUMNS)


def accuracy_heading(name: str, metric: str) -> str:
    """The heading of a column of accuracies, named so where variants are compared on another metric.

    Example:
      >>> accuracy_heading("Training", "accuracy"), accuracy_heading("Training", "log_loss")
      ('Training', 'Training accuracy')
    """
    return name if metric == "accuracy" else f"{name} accuracy"


def run_row(run: RunSummary) -> tuple[str, ...]:
    """The cells of a run: see `run_columns`."""
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


def evidence_row(evidence: PairedEvidence, metric: str = "test_accuracy") -> tuple[str, ...]:
    """Cells of `EVIDENCE_COLUMNS`: ``same`` means within the study's margin; what few seeds cannot show is a dash."""
    better, worse = evidence.better_on_new_seed, evidence.worse_on_new_seed
    same = None if better is None or worse is None else max(0.0, 1.0 - better - worse)
    significant = sum(p < 0.05 for p in evidence.mcnemar_p)
    return (
        str(evidence.seeds),
        wording.bounds(evidence.bootstrap_interval, metric, signed=True) or wording.NOTHING,
        *(wording.p_value(p) for p in (evidence.bootstrap_p, evidence.paired_t_p, evidence.sign_flip_p)),
        f"{significant} of {len(evidence.mcnemar_p)}" if evidence.mcnemar_p else wording.NOTHING,
        *(wording.number(None if share is None else 100 * share, 0, " %") for share in (better, same, worse)),
    )


_NOTHING = Cell(wording.NOTHING)

# --- Parts ------------------------------------------------------------------------------------------------------------


def _cell(variant: VariantSummary, metric: str) -> Cell:
    """Shares in percent, the gap in points, losses as they are."""
    value, bounds = variant.mean.get(metric), variant.interval.get(metric)
    shown = wording.points(value) if metric == "generalization_gap" else wording.amount(value, metric)
    text = wording.bounds(bounds, metric)
    alone = shown.removesuffix(" %")
    return Cell(shown, "" if text == f"[{alone}, {alone}]" else text, _finite(value))


def _comparison_row(comparison: Comparison, by_name: Mapping[str, VariantSummary]) -> tuple[str, ...]:
    shown = comparison.interval if telling(comparison.interval) else None
    difference, bounds = wording.difference(comparison.difference, shown, comparison.metric)
    return (
        comparison.variant,
        comparison.against,
        wording.METRICS.get(comparison.metric, comparison.metric),
        difference,
        bounds or wording.NOTHING,
        wording.p_value(comparison.p_value),
        wording.p_value(comparison.p_adjusted),
        verdict_label(comparison, by_name),
    )


def _published_row(variant: VariantSummary, metric: str, value: float) -> tuple[str, ...]:
    """Published, mean, interval, range of the seeds, and the difference with its interval: ours, shifted."""
    mean, bounds = _finite(variant.mean.get(metric)), variant.interval.get(metric)
    runs = [x for run in variant.runs if (x := _finite(getattr(run, metric, None))) is not None]
    shifted = None if bounds is None else (bounds[0] - value, bounds[1] - value)
    difference = "" if mean is None else " ".join(wording.difference(mean - value, shifted, metric)).rstrip()
    measured = _cell(variant, metric)

    return (
        wording.amount(value, metric),
        measured.mean,
        measured.interval or wording.NOTHING,
        f"{wording.amount(min(runs), metric)} to {wording.amount(max(runs), metric)}"
        if len(runs) > 1
        else wording.NOTHING,
        difference or wording.NOTHING,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
