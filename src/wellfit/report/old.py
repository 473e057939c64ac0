"""What the subjects' section.py do not say yet, as the first edition said it; it goes as soon as they do."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import document_figures, wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Drawing, Paragraph, Part, Table
from wellfit.report.subjects.calibration import numbers as page_scores
from wellfit.report.subjects.curves import page as page_curves
from wellfit.report.subjects.data import numbers as page_data
from wellfit.report.subjects.mistakes import page as page_mistakes
from wellfit.report.subjects.paths import numbers as page_paths
from wellfit.report.subjects.ranking.page import make_ranking
from wellfit.report.subjects.results import numbers as rows
from wellfit.report.subjects.weights import numbers as page_weights
from wellfit.report.wording import true_minus as prose


def parts(name: str, summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The written parts of a section."""
    found = {
        "ranking": lambda: _drawings(document_figures.ranking(summary)),
        "curves": lambda: _drawings(document_figures.curves(summary)),
        "paths": lambda: _sweeps(details),
        "regions": lambda: _drawings(document_figures.regions(summary, details)),
        "confusion": lambda: _drawings(document_figures.confusions(summary, details)),
        "mistakes": lambda: _drawings(document_figures.galleries(summary, details)),
        "classes": lambda: _drawings(document_figures.classes(summary, details)),
        "calibration": lambda: _scores(summary, details),
        "weights": lambda: _drawings(document_figures.weights(summary, details)),
        "data": lambda: _data(summary, details),
    }
    return found[name]()


def fragment(name: str, summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """All that the page's templates took, where the section has something to show."""
    from wellfit.report.forms.page_figures import static_figures

    made = _page(summary, details, dict(sheets))
    shows = made.get(name)
    return {**made, "details": details, "figures": static_figures(summary, details)} if shows else {}


def charts(name: str, summary: StudySummary, details: StudyDetails) -> dict[str, Any]:
    """The interactive charts of a section."""
    curves = importlib.import_module("wellfit.report.subjects.curves.interactive")
    if name in ("curves", "weights") and any(len(h) for runs in summary.histories.values() for h in runs.values()):
        return curves._curve_charts(summary) if name == "curves" else {"chart-norms": curves._norms_chart(summary)}
    if name == "paths":
        return {f"chart-path-{i}": curves._path_chart(path) for i, path in enumerate(details.paths)}
    if name == "calibration" and details.calibration:
        return {"chart-reliability": curves._reliability_chart(summary, details)}
    return {}


def _drawings(found: Any) -> list[Part]:
    return [Drawing(name, caption, draw) for name, caption, draw in found]


SCORES = 4


def _sweeps(details: StudyDetails) -> list[Part]:
    parts: list[Part] = []
    for path, drawn in zip(details.paths, _drawings(document_figures.paths(details)), strict=True):
        panel = page_paths.path_panel(path)
        parts += [Paragraph(prose(" ".join(panel.said)), path.key), drawn]
    return [*parts, *_drawings(document_figures.grids(details))]


def _scores(summary: StudySummary, details: StudyDetails) -> list[Part]:
    titles = [title for _, title in page_scores.score_columns(details)]
    made = page_scores.score_rows(summary, details)
    told = (
        "A network that says 90 % should be right nine times out of ten: on the dotted diagonal. The calibration error "
        "(ECE) is how far, on average, what it says lies from how often it is right. In brackets: 95 % intervals, as "
        "far as they are known."
    )
    tables = []
    for start in range(0, len(titles), SCORES):
        which = slice(start, start + SCORES)
        cells = [tuple(f"{text} {_unbroken(bounds)}".rstrip() for _, text, bounds in row.cells[which]) for row in made]
        body = tuple((row.name, *its) for row, its in zip(made, cells, strict=True))
        tables.append(Table(("Variant", *titles[which]), body))
    drawn = _drawings(document_figures.reliability(summary, details))
    return [Paragraph(told, kind="small"), *tables, *drawn] if made and titles else []


def _data(summary: StudySummary, details: StudyDetails) -> list[Part]:
    if details.look is None:
        return []
    splits = tuple(f"{split} examples" for split in details.look.counts)
    table = tuple((row.name, *row.counts) for row in page_data.data_rows(summary, details.look, None))
    drawn = _drawings(document_figures.data(summary, details.look))
    counted = [Table(("Class", *splits), table)] if len(table) <= page_data.LARGEST else []
    return [Paragraph(page_data.data_facts(details.look), kind="small"), *drawn, *counted]


def _unbroken(bounds: str) -> str:
    """An interval that is not broken at the end of a line."""
    return bounds.replace(" ", "\u00a0")


def _page(summary: StudySummary, details: StudyDetails, sheets: dict[str, Sheet]) -> dict[str, Any]:
    """What each section shows, by the section's id; a section with nothing to show is empty."""
    pictures = sheets.get("mistakes")
    gallery = page_mistakes.mistakes_data(details.mistakes, pictures) if details.mistakes and pictures else None
    matrices = page_mistakes.matrix_panels(summary)
    look = details.look
    return {
        "paragraphs": _paragraphs(summary),
        "ranking": make_ranking(summary),
        "variants": rows.variant_rows(summary),
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


