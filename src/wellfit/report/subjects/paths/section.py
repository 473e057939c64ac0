"""Sweeps in the report: a figure and a table for every path, a table for every grid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.marks.svg import inline_svg
from wellfit.report.parts import Drawing, Paragraph, Part
from wellfit.report.subjects.paths.numbers import grid_metric, grid_table, path_sentences, path_strokes, path_table
from wellfit.report.subjects.paths.static import plot_grid, plot_path

__all__ = ["fragment", "parts"]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """Every path with its sentences, then every grid."""
    sequence: list[Part] = []
    for at, path in enumerate(details.paths, 1):
        sequence.append(Paragraph(wording.true_minus(" ".join(path_sentences(path))), path.key))
        name = f"path-{at}-{re.sub('[^A-Za-z0-9=.+_]+', '-', path.key).strip('-.')}"
        sequence.append(Drawing(name, f"Accuracy by {path.key}.", partial(plot_path, path)))
    for at, grid in enumerate(details.grids, 1):
        metric = grid_metric(grid)
        caption = f"{wording.METRICS[metric].capitalize()} by {grid.keys[0]} and {grid.keys[1]}."
        sequence.append(Drawing(f"grid-{at}", caption, partial(plot_grid, grid, metric)))
    return sequence


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The paths with figure, key, sentences and table, and the grids as tables."""
    if not details.paths and not details.grids:
        return {}
    return {
        "paths": [
            (path_table(path), path_strokes(path), path_sentences(path), inline_svg(plot_path(path)))
            for path in details.paths
        ],
        "grids": [grid_table(grid, summary) for grid in details.grids],
    }
