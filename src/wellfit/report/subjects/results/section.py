"""The table of the variants: one for the page, three that fit the width of a written form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.narrative.no_effect import no_effect
from wellfit.narrative.techniques import techniques_in
from wellfit.report import wording
from wellfit.report.parts import Part, Table
from wellfit.report.subjects.results.numbers import (
    VariantRow,
    accuracy_heading,
    known_only,
    variant_rows,
    without_constant,
)

__all__ = ["fragment", "parts", "score_table"]

COSTS: Final = {"loss": "Test loss", "best_epoch": "Best epoch", "parameters": "Parameters", "seconds": "Seconds"}
"""Field of a row -> heading, of the page's second table."""

WITHOUT_INTERVAL: Final = ("train", "validation")
"""Fields whose intervals are in the page's second table only: no verdict rests on them."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """Accuracies and verdicts, then losses and costs, then what each variant changes."""
    rows = variant_rows(summary)
    costs = tuple(
        (
            *(row.name, row.loss.mean, row.loss.interval or wording.NOTHING, row.best_epoch.mean),
            *(row.best_epoch.interval or wording.NOTHING, row.parameters.mean, row.seconds.mean),
            row.runs or "all ended",
        )
        for row in rows
    )
    headings = ("Variant", "Test loss", "95 % interval", "Best epoch", "Range", "Parameters", "Seconds", "Runs")
    changes = tuple((row.name, wording.in_one_line(row.settings)) for row in rows)
    given = Table(("Variant", _settings(summary)), changes, text=2)
    if not summary.elsewhere:
        return [score_table(summary), without_constant(Table(headings, costs), ("Runs",)), given]
    further = known_only(Table(headings[:-1], tuple(row[:-1] for row in costs)))
    return [
        score_table(summary),
        *([further] if len(further.headings) > 1 else []),
        *([given] if any(v.settings for v in summary.variants) else []),
    ]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """The accuracies, and folded the settings, losses and costs; what is the same for all variants is a sentence."""
    rows = variant_rows(summary)
    scores = {
        **({} if summary.metric == "accuracy" else {"accuracy": "Test accuracy"}),
        "train": accuracy_heading("Training", summary.metric),
        "validation": accuracy_heading("Validation", summary.metric),
        "gap": "Gap",
    }
    costs = dict(COSTS)
    if summary.elsewhere:
        scores, costs = (
            {
                key: heading
                for key, heading in of.items()
                if any(getattr(row, key).mean != wording.NOTHING for row in rows)
            }
            for of in (scores, costs)
        )
    same = _same_for_all(rows, {**scores, **costs})
    known = {key: any(getattr(row, key).interval for row in rows) for key in ("test", *scores, *COSTS)}
    inner = {key: scores[key] for key in WITHOUT_INTERVAL if key in scores and key not in same and known[key]}
    return {
        "rows": rows,
        "compared": wording.capitalized(wording.compared(summary)),
        "scores": {key: heading for key, heading in scores.items() if key not in same},
        "costs": {**inner, **{key: heading for key, heading in costs.items() if key not in same}},
        "settings": _settings(summary),
        "further": "Settings and losses" if summary.elsewhere else "Settings, losses and costs",
        "brackets": known | dict.fromkeys(WITHOUT_INTERVAL, False),
        "inner_brackets": known,
        "of_seeds": tuple(heading.lower() for heading in inner.values()),
        "same": f"The same for every variant: {'; '.join(same.values())}." if same else "",
        "effects": no_effect(summary),
        "techniques": techniques_in(summary),
    }


def _settings(summary: StudySummary) -> str:
    """The heading of the variants' settings."""
    return "Settings" if summary.elsewhere else "Changes to the base recipe"


def _same_for_all(rows: tuple[VariantRow, ...], headings: Mapping[str, str]) -> dict[str, str]:
    """The columns that say the same in every row, each with what it says."""
    cells = {key: {getattr(row, key) for row in rows} for key in headings}
    return {
        key: f"{headings[key].lower()}{' accuracy' if headings[key] in ('Training', 'Validation') else ''} "
        f"{cell.mean}{f' {cell.interval}' if cell.interval else ''}"
        for key, found in cells.items()
        for cell in found
        if len(found) == 1 < len(rows)
    }


def score_table(summary: StudySummary) -> Table:
    """Scores, gap and verdict, with a first column of letters where variants were compared."""
    rows = variant_rows(summary)
    other = summary.metric != "accuracy"
    lettered = any(row.letters for row in rows)
    name = wording.capitalized(wording.compared(summary))
    beside = tuple(
        accuracy_heading(of, summary.metric) for of in ("Test", "Validation", "Training")[0 if other else 1 :]
    )
    headings = ("Variant", name, "95 % interval", *beside, "Gap, points", "Verdict")
    cells = tuple(
        (
            *((row.letters,) if lettered else ()),
            *(row.name, row.test.mean, row.test.interval or wording.NOTHING),
            *((row.accuracy.mean,) if other else ()),
            *(row.validation.mean, row.train.mean),
            *(row.gap.mean, row.verdict),
        )
        for row in rows
    )
    table = Table(("", *headings) if lettered else headings, cells, text=2 if lettered else 1)
    return known_only(table) if summary.elsewhere else table
