"""The report as a Jupyter notebook: it loads the results, or trains them, and shows them step by step in Python.

The steps are text files, ``notebooks/*.toml``: one for every study, and one for each lab, in the lab's own order. The
notebook runs from top to bottom, and already holds its figures and answers before it is run.
"""

from __future__ import annotations

import base64
import io
import json
import os
import tomllib
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.files import OnWriting, ignore_progress, replacing
from wellfit.narrative.techniques import techniques_in
from wellfit.report.document import Document, make_document
from wellfit.report.forms.cells import results_html
from wellfit.report.forms.figure_files import save_picture
from wellfit.report.forms.markdown import escaped
from wellfit.report.forms.notebook_helpers import helpers_for
from wellfit.report.legible import legible_summary
from wellfit.report.marks.static import alt_text
from wellfit.report.parts import Drawing
from wellfit.spec.study import from_resolved
from wellfit.spec.written import study_file

__all__ = ["Step", "make_notebook", "steps", "write_notebook"]

DPI: Final = 80


@dataclass(frozen=True)
class Step:
    """A step of a notebook, as its file says it.

    Args:
      name: a lab's step replaces the general one of that name.
      code: what its cell runs.
      section: id of the document's section that it shows: the first such step prints the section's notes, and its title
        where the step has none.
      title, text: printed above the code; may be empty.
      figure: the beginning of the name of the figure that it shows; without that figure the step is left out.
      drawn: whether that figure is what the cell shows; otherwise the cell is empty until it is run.
      asks: kinds of the questions that it answers, none for all; without such a question the step is left out.
      output: ``"results"`` where it shows the results as they show themselves.
      tested: whether it needs a tested run.
    """

    name: str
    code: str
    section: str = ""
    title: str = ""
    text: str = ""
    figure: str = ""
    drawn: bool = True
    asks: tuple[str, ...] | None = None
    output: str = ""
    tested: bool = False


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
    cells = _first_cells(summary, document, directory, helpers_for(step.code for step in walk))
    for number, step in enumerate(walk):
        progress(f"step {number + 1} of {len(walk)}", number / len(walk))
        drawing = next((d for d in drawings if d.name.startswith(step.figure)), None) if step.figure else None
        if (step.figure and drawing is None) or not _applies(step, summary):
            continue
        if text := _heading(step, document, first=step.section not in noted):
            cells.append(_markdown(text))
        noted.add(step.section)
        cells.append(_code(step.code, _outputs(step, summary, drawing if step.drawn else None)))
    cells.extend(_techniques(summary, document))
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return {
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells, 1)],
        "metadata": {**kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def steps(study: str) -> tuple[Step, ...]:
    """The steps of a study's notebook: for a lab its own, then the general ones that they do not replace.

    Example:
      >>> [step.name for step in steps("lab5")][:3]
      ['look', 'counts', 'prepare']
    """
    general = {step.name: step for step in _read("study")}
    own = [
        replace(step, section=general[step.name].section) if step.name in general else step
        for step in (_read(study) if study != "study" else ())
    ]
    replaced = {step.name for step in own}
    return (*own, *(step for step in general.values() if step.name not in replaced))


# --- Parts ------------------------------------------------------------------------------------------------------------


def _read(name: str) -> list[Step]:
    file = resources.files("wellfit.report.forms").joinpath("notebooks", f"{name}.toml")
    if not file.is_file():
        return []
    tables: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["steps"]
    fields: list[dict[str, Any]] = [
        {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()} for table in tables
    ]
    return [Step(**table) for table in fields]


def _first_cells(
    summary: StudySummary, document: Document, directory: str | None, helpers: str
) -> list[dict[str, Any]]:
    """What it is, what it needs, the notices, the study itself, and its results."""
    notices = "".join(f"\n\n> {escaped(notice)}" for notice in document.notices)
    return [
        _markdown(
            f"# {escaped(summary.title)}\n\n"
            f"The wellfit study *{escaped(summary.name)}*, on {escaped(summary.data)}. This notebook loads the results "
            f"from the study directory, or trains everything again if the directory is missing.{notices}\n\n"
            'It needs `pip install "wellfit[notebook]"`.'
        ),
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
            "results = wellfit.Results(DIRECTORY) if kept else study.run()\n" + helpers
        ),
    ]


def _applies(step: Step, summary: StudySummary) -> bool:
    """Whether the study has the questions and the tested runs that the step needs."""
    kinds = {answer.kind for answer in summary.answers}
    asked = step.asks is None or bool(kinds & set(step.asks) if step.asks else kinds)
    return asked and (not step.tested or bool(summary.confusion))


def _heading(step: Step, document: Document, first: bool) -> str:
    """Title, notes and text; notes and the section's title for the first step of a section."""
    section = next((s for s in document.sections if first and s.id == step.section), None)
    title = step.title or (escaped(section.title) if section else "")
    notes = escaped(" ".join(section.notes)) if section else ""
    return "\n\n".join(filter(None, (f"## {title}" if title else "", notes, step.text)))


def _techniques(summary: StudySummary, document: Document) -> list[dict[str, Any]]:
    """What the variants use, in words and formulas, and the call that shows the whole page of the first."""
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
    return [_markdown("\n\n".join([head, *texts])), _code(f"wellfit.technique({used[0].name!r})")]


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
