"""The report as one HTML file: it opens anywhere, without a network, and can be read without a script.

Figures are inline SVG in the page's own colors, light or dark; where scripts run, Bokeh replaces those that gain from a
pointer, and matrices and galleries are drawn again from the numbers of all variants.
"""

from __future__ import annotations

import base64
import gc
import gzip
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.files import replacing
from wellfit.report.document import make_document
from wellfit.report.forms.freshness import UNSEALED, page_record, sealed
from wellfit.report.forms.page_template import page_environment, page_source, page_styles
from wellfit.report.legible import legible, legible_summary
from wellfit.report.marks.interactive import bokeh_library, charts_json
from wellfit.report.marks.pictures import Sheet, pack
from wellfit.report.subjects.data import numbers as data_numbers
from wellfit.report.subjects.mistakes.gallery_data import by_use
from wellfit.report.subjects.ranking.section import glance
from wellfit.report.subjects.weights import numbers as weight_numbers
from wellfit.study.shareable import last_part

__all__ = ["render_page", "write_page"]

SCRIPTS: Final = ("base", "folds", "copies", "lines", "pointer", "charts", "matrix", "gallery")

BUDGETS: Final = {"filters": 130_000, "examples": 110_000, "first": 40_000}
"""The most characters of each of these sheets of pictures; that of the mistakes has what `_room` leaves."""


def write_page(summary: StudySummary, details: StudyDetails, path: str | os.PathLike[str]) -> Path:
    """Write the report of a study into one file, or leave the file as it is if it would be the same.

    Args:
      path: the file; its folder is made if it is missing, and an older report is replaced in one step.
    """
    page = render_page(summary, details).encode()
    if not _holds(Path(path), page):
        with replacing(path) as temporary:
            temporary.write_bytes(page)
    return Path(path)


def render_page(summary: StudySummary, details: StudyDetails) -> str:
    """The report of a study as HTML.

    Args:
      summary: in any state.

    Returns:
      A whole document that refers to nothing outside itself.
    """
    with _uncollected():
        return _rendered(summary, details)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _rendered(summary: StudySummary, details: StudyDetails) -> str:
    from markupsafe import Markup

    if details.mistakes is not None and details.mistakes.images.size:
        details = replace(details, mistakes=by_use(details.mistakes))
    record = page_record(summary)
    summary = replace(legible_summary(summary), directory=last_part(summary.directory))
    details = legible(details)
    document = make_document(summary, details)
    # one Bokeh document per section, with the element of the page that shows each chart
    drawn = [charts for section in document.sections if (charts := section.charts())]
    documents = [(charts_json(charts), {element: chart.id for element, chart in charts.items()}) for charts in drawn]
    sheets = _sheets(details, _room(sum(len(text) for text, _ in documents)))
    environment = page_environment()
    contents, styles = [], dict[str, str]()
    small = glance(summary)
    for section in document.sections:
        if variables := section.fragment(sheets):
            template = environment.get_template(section.template)
            text = template.render(variables, section=section, summary=summary, notices=document.notices, glance=small)
            # a section that says its gist is folded under it, unless the authors wrote something on it
            gist = "" if section.words else variables.get("gist", "")
            contents.append((section, Markup(_with_classes(text, styles)), gist))
        elif section.words:
            contents.append((section, Markup(""), ""))
    rules = [_sheet_rule(name, sheet) for name, sheet in sheets.items()]
    rules += [f".{name}{{{style}}}" for style, name in styles.items()]
    page = environment.get_template("forms/templates/page.html.j2").render(
        summary=summary,
        unsealed=UNSEALED,
        record=record,
        document=document,
        answer=contents[0],
        sections=contents[1:],
        documents=[(Markup(text), roots) for text, roots in documents],
        library=_packed(bokeh_library()) if documents else "",
        css=Markup("".join([page_styles(), *rules])),
        js=Markup("\n".join(page_source(f"forms/scripts/{name}.js") for name in SCRIPTS)),
    )
    return sealed(page)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection, a tenth of the time: charts are many small objects that live until the page is written."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _packed(text: str) -> str:
    """Text compressed with gzip, in base64; the same text gives the same result.

    Example:
      >>> gzip.decompress(base64.b64decode(_packed("let a;"))).decode()
      'let a;'
    """
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _room(drawn: int) -> int:
    """The most characters of the sheet of mistakes: what a page below 2.5 million has left beside its charts.

    Tables, static figures and matrices take about twice as much as the charts, the packed library and styles half a
    million. Twenty variants of ten classes stay below 2.5 million; with more of either, or a hundred classes, the page
    may be larger, because its curves, tables and counts are never left out.

    Example:
      >>> _room(80_000), _room(400_000)
      (640000, 300000)
    """
    return max(300_000, min(640_000, 1_450_000 - 3 * drawn))


def _sheets(details: StudyDetails, room: int) -> dict[str, Sheet]:
    """The pictures of the page, by name; none where the data are not images."""
    mistakes = details.mistakes
    sheets = {
        "mistakes": None if mistakes is None or not mistakes.images.size else pack(mistakes.images, room),
        "filters": weight_numbers.filter_sheet(details.weights, BUDGETS["filters"]),
        "examples": None if details.data is None else data_numbers.data_sheet(details.data, BUDGETS["examples"]),
        "first": None if details.first is None else pack(details.first.images, BUDGETS["first"]),
    }
    return {name: sheet for name, sheet in sheets.items() if sheet is not None}


def _with_classes(text: str, classes: dict[str, str]) -> str:
    """HTML with a class in place of each style in a drawing; hundreds of small panels repeat the same few.

    Args:
      classes: style -> class, extended here.

    Example:
      >>> classes = {}
      >>> _with_classes('<path d="M0 0" style="fill:none"/><b style="top: 0">', classes), classes
      ('<path d="M0 0" class="g0"/><b style="top: 0">', {'fill:none': 'g0'})
    """

    def shorter(match: re.Match[str]) -> str:
        return f'{match[1]} class="{classes.setdefault(match[2], f"g{len(classes)}")}"'

    return re.sub(r'(<(?:path|text|use|rect)\b[^>]*?) style="([^"]*)"', shorter, text)


def _sheet_rule(name: str, sheet: Sheet) -> str:
    """The CSS rule that shows pieces of a sheet; an element's ``background-position`` says which one."""
    return (
        f".from-{name}{{background-image:url({sheet.uri});background-size:{100 * sheet.columns}% {100 * sheet.rows}%;"
        f"aspect-ratio:{sheet.width}/{sheet.height}}}\n"
    )
