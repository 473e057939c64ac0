"""The report: one HTML file that opens anywhere, without a network, and reads without a script.

Every number is written out here, in Python; the templates say only where it stands. Figures are inline SVG whose colors
are the page's own, so that they follow it into the dark; where a script may run, Bokeh takes the place of those that
are worth a pointer, and matrices and galleries are redrawn from the numbers of all variants.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.files import replacing
from wellfit.report import wording
from wellfit.report.forms.freshness import numbers_hash
from wellfit.report.forms.page_figures import static_figures
from wellfit.report.forms.page_template import page_environment, page_source, page_styles, prose
from wellfit.report.marks.pictures import Sheet, pack
from wellfit.report.subjects.calibration import numbers as page_scores
from wellfit.report.subjects.curves import page as page_curves
from wellfit.report.subjects.curves.interactive import bokeh_library, build_charts
from wellfit.report.subjects.data import numbers as page_data
from wellfit.report.subjects.mistakes import page as page_mistakes
from wellfit.report.subjects.paths import numbers as page_paths
from wellfit.report.subjects.ranking.page import make_ranking
from wellfit.report.subjects.results import numbers as rows
from wellfit.report.subjects.weights import numbers as page_weights

__all__ = ["render_page", "write_page"]

SCRIPTS: Final = ("base", "lines", "charts", "matrix", "gallery")

BUDGETS: Final = {"filters": 130_000, "examples": 110_000}
"""The most characters of each of these sheets of pictures; that of the mistakes has what `_room` finds."""

SECTIONS: Final = (
    ("ranking", "Ranking"),
    ("results", "Table"),
    ("curves", "Curves"),
    ("paths", "Paths"),
    ("confusion", "Confusion"),
    ("mistakes", "Mistakes"),
    ("classes", "Classes"),
    ("calibration", "Calibration"),
    ("weights", "Weights"),
    ("regions", "Regions"),
    ("data", "Data"),
    ("findings", "Findings"),
    ("published", "Published"),
    ("comparisons", "Comparisons"),
    ("reproduce", "Reproduce"),
    ("words", "Words"),
)
"""Every section by its id, in order, and what the way through the page calls it."""


def write_page(summary: StudySummary, details: StudyDetails, path: str | os.PathLike[str]) -> Path:
    """Write the report of a study into one file.

    Args:
      summary: the study.
      details: what it looks into beyond the summary.
      path: the file; its folder is made if it is missing, and an older report is replaced in one step.

    Returns:
      The file.
    """
    target = Path(path)
    text = render_page(summary, details)
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return target


def render_page(summary: StudySummary, details: StudyDetails) -> str:
    """The report of a study as HTML.

    Args:
      summary: the study, in any state.
      details: what it looks into beyond the summary.

    Returns:
      A whole document that refers to nothing outside itself.
    """
    from markupsafe import Markup

    if details.mistakes is not None and details.mistakes.images.size:
        details = replace(details, mistakes=page_mistakes.by_use(details.mistakes))
    charts = build_charts(summary, details)
    sheets = _sheets(details, _room(sum(map(len, charts.documents.values()))))
    parts = _parts(summary, details, sheets)
    present = {name for name, _ in SECTIONS if name not in parts or parts[name]}
    return (
        page_environment()
        .get_template("forms/templates/page.html.j2")
        .render(
            **parts,
            summary=summary,
            details=details,
            numbers=numbers_hash(summary),
            figures=static_figures(summary, details),
            sections=[(name, label) for name, label in SECTIONS if name in present],
            documents={name: Markup(text) for name, text in charts.documents.items()},
            roots=charts.roots,
            library=Markup(bokeh_library()) if charts.documents else "",
            css=Markup("".join([page_styles(), *map(_sheet_rule, sheets.items())])),
            js=Markup("\n".join(page_source(f"forms/scripts/{name}.js") for name in SCRIPTS)),
        )
    )


def _room(drawn: int) -> int:
    """The most characters of the sheet of mistakes: what a page below three million has left beside its charts.

    Tables, static figures and matrices take about twice as much as the charts, the library and styles 1.3 million.
    Twenty variants of ten classes stay below three million; with more of either, or a hundred classes, the page may be
    larger, for its curves, tables and counts are never left out.

    Example:
      >>> _room(80_000), _room(400_000)
      (640000, 340000)
    """
    return max(340_000, min(640_000, 1_200_000 - 3 * drawn))


def _sheets(details: StudyDetails, room: int) -> dict[str, Sheet]:
    """The pictures of the page, by name, those of mistakes in so much room; none where the data are no images."""
    mistakes = details.mistakes
    found = {
        "mistakes": None if mistakes is None or not mistakes.images.size else pack(mistakes.images, room),
        "filters": page_weights.filter_sheet(details.weights, BUDGETS["filters"]),
        "examples": None if details.look is None else page_data.data_sheet(details.look, BUDGETS["examples"]),
    }
    return {name: sheet for name, sheet in found.items() if sheet is not None}


def _parts(summary: StudySummary, details: StudyDetails, sheets: dict[str, Sheet]) -> dict[str, Any]:
    """What each section shows, by the section's id; a section with nothing to show is empty."""
    letters = wording.letters(summary)
    pictures = sheets.get("mistakes")
    gallery = page_mistakes.mistakes_data(details.mistakes, pictures) if details.mistakes and pictures else None
    matrices = page_mistakes.matrix_panels(summary)
    look = details.look
    return {
        "facts": rows.facts(summary),
        "notices": wording.notices(summary),
        "paragraphs": _paragraphs(summary),
        "ranking": make_ranking(summary),
        "variants": [rows.variant_row(summary, v, i, letters) for i, v in enumerate(summary.variants)],
        "runs": [(v.name, rows.run_row(run)) for v in summary.variants for run in v.runs],
        "curves": page_curves.curve_panels(summary),
        "stops": any(run.state == "stopped" for v in summary.variants for run in v.runs),
        "shown": page_curves.shown_first(summary),
        "paths": [*details.paths, *details.grids],
        "path_panels": [page_paths.path_panel(path) for path in details.paths],
        "grid_panels": [page_paths.grid_panel(grid, summary) for grid in details.grids],
        "confusion": matrices,
        "matrix_data": page_mistakes.matrix_data(summary, details) if matrices else None,
        "mistakes": page_mistakes.gallery_groups(gallery, summary.classes, pictures) if gallery and pictures else [],
        "mistakes_data": gallery,
        "classes": page_scores.class_panels(summary, details),
        "gains": page_scores.gain_rows(summary, details),
        "calibration": page_scores.score_rows(summary, details),
        "score_titles": [title for _, title in page_scores.score_columns(details)],
        "weights": page_weights.weight_rows(summary, details.weights, sheets.get("filters")),
        "regions": details.regions,
        "region_names": [(v.name, i) for i, v in enumerate(summary.variants) if v.name in details.regions],
        "region_axes": _region_axes(details),
        "data": page_data.data_rows(summary, look, sheets.get("examples")) if look is not None else [],
        "data_facts": page_data.data_facts(look) if look is not None else "",
        "findings": sorted(summary.findings, key=wording.urgency),
        "published": rows.published_rows(summary),
        "comparisons": [rows.comparison_row(c) for c in (*summary.comparisons, *summary.asked)],
        "evidence": _evidence(summary),
        "command": summary.provenance.get("command", ""),
        "provenance": {k: v for k, v in summary.provenance.items() if k != "command"},
        "settings": json.dumps(summary.settings, indent=2, default=str, ensure_ascii=False),
    }


def _paragraphs(summary: StudySummary) -> list[str]:
    """The answer: what was found, then how sure it is; a summary without these sentences has its verdict."""
    if len(summary.conclusion) > 1:
        found, *more = (sentence.text for sentence in summary.conclusion[1:])
        return [found, " ".join(more)] if more else [found]
    return [p for p in re.split(r"\n\s*\n", summary.verdict) if p.strip()]


def _region_axes(details: StudyDetails) -> str:
    """What the pictures of decision regions span."""
    for regions in details.regions.values():
        across, up = (f"{axis[0]:.3g} to {axis[-1]:.3g}" for axis in (regions.x1, regions.x2))
        return prose(f"across: first feature, {across}; up: second feature, {up}")
    return ""


def _evidence(summary: StudySummary) -> list[tuple[str, str, tuple[str, ...]]]:
    """Variant, the one it is compared with, and what else speaks for or against the difference."""
    pairs = [(c.variant, c.against, c.variant) for c in summary.comparisons]
    pairs += [(c.variant, c.against, f"{c.variant}/{c.against}") for c in summary.asked]
    known = summary.evidence
    return [(variant, against, rows.evidence_row(known[key])) for variant, against, key in pairs if key in known]


def _sheet_rule(named: tuple[str, Sheet]) -> str:
    """The rule that shows pieces of a sheet: an element's ``background-position`` says which."""
    name, sheet = named
    return (
        f".from-{name}{{background-image:url({sheet.uri});background-size:{100 * sheet.columns}% {100 * sheet.rows}%;"
        f"aspect-ratio:{sheet.width}/{sheet.height}}}\n"
    )
