"""The report as a Jupyter notebook: it loads the results, or trains them, and shows them step by step in Python.

The steps are text files, ``notebooks/*.toml``: one for every study, and one for each lab, in the lab's own order. The
notebook runs from top to bottom, and already holds its figures and answers before it is run.
"""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.files import OnWriting, ignore_progress, replacing
from wellfit.narrative.techniques import techniques_in
from wellfit.report.document import Document, left_words, make_document, words_about
from wellfit.report.forms.cells import results_html
from wellfit.report.forms.figure_files import save_picture
from wellfit.report.forms.markdown import escaped
from wellfit.report.forms.notebook_helpers import helpers_for
from wellfit.report.forms.own_words import words_markdown
from wellfit.report.legible import legible_summary
from wellfit.report.marks.static import alt_text
from wellfit.report.notebook_steps import Step, steps
from wellfit.report.parts import Drawing
from wellfit.spec.study import from_resolved
from wellfit.spec.written import study_file

__all__ = ["make_notebook", "write_notebook"]

DPI: Final = 80


def write_notebook(
    summary: StudySummary,
    details: StudyDetails,
    path: str | os.PathLike[str],
    directory: Path | None = None,
    progress: OnWriting = ignore_progress,
) -> Path:
    """Write the report of a study as a notebook.

    Args:
      directory: of the study, if it lasts.
    """
    target = Path(path)
    place = None if directory is None else os.path.relpath(directory.resolve(), target.resolve().parent)
    notebook = make_notebook(summary, details, None if place is None else Path(place).as_posix(), progress)
    with replacing(target) as temporary:
        temporary.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def make_notebook(
    summary: StudySummary, details: StudyDetails, directory: str | None, progress: OnWriting = ignore_progress
) -> dict[str, Any]:
    """The notebook of a study as plain data (nbformat 4.5).

    Args:
      directory: of the study, relative to the notebook; None if it does not last.
    """
    summary = legible_summary(summary)
    document = make_document(summary, details)
    drawings = document.drawings
    walk, noted = steps(summary.name), set[str]()
    words = words_about(summary)
    words.pop("introduction", None)
    needs = "notebook,pdf" if any('.pdf"' in step.code for step in walk) else "notebook"
    cells = _first_cells(summary, document, directory, helpers_for(step.code for step in walk), needs)
    for number, step in enumerate(walk):
        progress(f"step {number + 1} of {len(walk)}", number / len(walk))
        drawing = next((d for d in drawings if d.name.startswith(step.figure)), None) if step.figure else None
        if (step.figure and drawing is None) or not step.applies(summary):
            continue
        if text := _heading(step, document, first=step.section not in noted):
            cells.append(_markdown(text))
        if own := _own_words(step, words):
            cells.append(_markdown(own))
        noted.add(step.section)
        cells.append(_code(step.code, _outputs(step, summary, drawing if step.drawn else None)))
    cells.extend(_techniques(summary, document))
    cells += [_markdown(f"## {title}\n\n{words_markdown(text)}") for title, text in left_words(words, summary.name)]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return {
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells, 1)],
        "metadata": {**kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


# --- Parts ------------------------------------------------------------------------------------------------------------


def _first_cells(
    summary: StudySummary, document: Document, directory: str | None, helpers: str, needs: str
) -> list[dict[str, Any]]:
    """What it is, what it needs, the notices, the study itself, and its results."""
    notices = "".join(f"\n\n> {escaped(notice)}" for notice in document.notices)
    byline = f"{escaped(document.byline)}\n\n" if document.byline else ""
    introduction = [_markdown(words_markdown(document.introduction))] if document.introduction else []
    if summary.elsewhere:
        return [*_of_others(summary, byline, notices, directory), *introduction, _code(_LOADED + helpers)]
    return [
        _markdown(
            f"# {escaped(summary.title)}\n\n{byline}"
            f"The wellfit study *{escaped(summary.name)}*, on {escaped(summary.data)}. This notebook loads the results "
            f"from the study directory, or trains everything again, into that directory, if it is missing.{notices}\n\n"
            f'It needs `pip install "wellfit[{needs}]"`.'
        ),
        *introduction,
        _code(
            "import tempfile\nfrom pathlib import Path\n\nfrom IPython.display import display\n\nimport wellfit\n\n"
            f"DIRECTORY = Path({directory or f'wellfit-{summary.name}'!r})  # of the results\n"
            f"STUDY = {_literal(study_file(from_resolved(summary.settings)))}"
        ),
        _markdown("The study. A variant is the base recipe with changes; each is compared with the first."),
        _code(
            "with tempfile.TemporaryDirectory() as folder:\n"
            '    file = Path(folder, "study.toml")\n'
            '    file.write_text(STUDY, encoding="utf-8")\n'
            "    study = wellfit.Study.from_toml(file)\nstudy"
        ),
        _code(
            'kept = (DIRECTORY / "study.db").is_file()\n'
            "results = wellfit.Results(DIRECTORY) if kept else study.run(DIRECTORY)\n" + helpers
        ),
    ]


_LOADED: Final = "results = wellfit.Results(DIRECTORY)\n"


def _of_others(summary: StudySummary, byline: str, notices: str, directory: str | None) -> list[dict[str, Any]]:
    """The first cells about runs that others trained, which no study file trains again."""
    return [
        _markdown(
            f"# {escaped(summary.title)}\n\n{byline}"
            f"The wellfit study *{escaped(summary.name)}*, on {escaped(summary.data)}: runs that were trained "
            "elsewhere, judged by what they predict. This notebook loads the results from the study directory; each "
            f'variant is compared with the first.{notices}\n\nIt needs `pip install "wellfit[notebook]"`.'
        ),
        _code(
            "from pathlib import Path\n\nfrom IPython.display import display\n\nimport wellfit\n\n"
            f"DIRECTORY = Path({directory or f'wellfit-{summary.name}'!r})  # of the results"
        ),
    ]


def _heading(step: Step, document: Document, first: bool) -> str:
    """Title, notes and text; notes and the section's title for the first step of a section."""
    section = next((s for s in document.sections if first and s.id == step.section), None)
    title = step.title or (escaped(section.title) if section else "")
    notes = escaped(" ".join(section.notes)) if section else ""
    return "\n\n".join(filter(None, (f"## {title}" if title else "", notes, step.text)))


def _own_words(step: Step, words: dict[str, str]) -> str:
    """What the authors say about a step, or about the section that it shows first; it is then no longer left."""
    texts = (words.pop(step.name, ""), words.pop(step.section, ""))
    return "\n\n".join(words_markdown(text) for text in texts if text)


def _techniques(summary: StudySummary, document: Document) -> list[dict[str, Any]]:
    """What the variants use, in words and formulas, and the call that shows a whole page."""
    section = next((s for s in document.sections if s.id == "techniques"), None)
    used = techniques_in(summary)
    if section is None or not used:
        return []
    texts = [
        text
        for t in used
        for text in (f"**{t.title}.** {escaped(t.summary)}", escaped(t.given), f"```text\n{t.formula}\n```")
        if text
    ]
    head = f"## {escaped(section.title)}\n\n{escaped(' '.join(section.notes))}"
    first, *others = (t.name for t in used)
    also = f"  # its page; the others: {', '.join(map(repr, others))}" if others else ""
    return [_markdown("\n\n".join([head, *texts])), _code(f"wellfit.technique({first!r}){also}")]


def _outputs(step: Step, summary: StudySummary, drawing: Drawing | None) -> list[dict[str, Any]]:
    """What the cell shows before it is run: what it would show after."""
    if drawing is not None:
        figure = drawing.draw()
        buffer = io.BytesIO()
        save_picture(figure, buffer, DPI)
        data = {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": _lines(alt_text(figure))}
        return [{"output_type": "display_data", "data": data, "metadata": {}}]
    if step.output == "results":
        data = {"text/html": _lines(results_html(summary)), "text/plain": _lines(summary.verdict)}
        return [{"output_type": "display_data", "data": data, "metadata": {}}]
    if step.asks is not None:
        texts = [f"{a.ask}\n{a.text}\n\n" for a in summary.answers if not step.asks or a.kind in step.asks]
        return [{"output_type": "stream", "name": "stdout", "text": _lines("".join(texts))}]
    return []


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": _lines(text), "metadata": {}}


def _code(text: str, outputs: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": _lines(text.strip("\n")),
        "metadata": {},
        "execution_count": None,
        "outputs": outputs or [],
    }


def _literal(text: str) -> str:
    """A text as Python source: over several lines, unless it holds what would end it."""
    return repr(text) if "'''" in text or "\r" in text else f"r'''{text}'''"


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
