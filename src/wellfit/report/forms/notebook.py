"""The report as a Jupyter notebook: it loads the results or makes them anew, and shows them step by step in Python.

The steps are text files, ``study/recipes/notebooks/*.toml``: one for every study, and one for each lab, in its own
order. The notebook runs from top to bottom, and has its figures and answers in it before it is run.
"""

from __future__ import annotations

import base64
import io
import json
import os
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.document import make_document
from wellfit.report.forms.cells import results_html
from wellfit.report.forms.figure_files import save_picture
from wellfit.report.forms.markdown import escaped
from wellfit.report.forms.saving import Tell, in_one_step, untold
from wellfit.report.marks.static import alt_text
from wellfit.report.parts import Drawing
from wellfit.spec.study import from_resolved
from wellfit.spec.written import study_file

__all__ = ["Step", "make_notebook", "steps", "write_notebook"]

DPI: Final = 80

HELPERS: Final = '''
def answers(*kinds):
    """The study's questions, all or those of some kinds, and what the evidence answers."""
    for answer in results.summary.answers:
        if not kinds or answer.kind in kinds:
            print(f"{answer.ask}\\n{answer.text}\\n")


def advice():
    """What to try next, by the learning curves and the validation scores alone."""
    for sentence in results.summary.advice:
        print(sentence.text)
'''


@dataclass(frozen=True)
class Step:
    """A step of a notebook, as its file says it.

    Args:
      name: of the step; a lab's step stands for the general one of that name.
      code: what its cell runs.
      title, text: what stands before it; may be empty.
      figure: how the name of the figure begins that it shows; without that figure the step is left out.
      asks: kinds of the questions that it answers, none for all; without such a question the step is left out.
      output: ``"results"`` where it shows the results as they show themselves.
      tested: whether it needs a tested run.
    """

    name: str
    code: str
    title: str = ""
    text: str = ""
    figure: str = ""
    asks: tuple[str, ...] | None = None
    output: str = ""
    tested: bool = False


@dataclass
class _Cells:
    """The cells of a notebook, with names that do not change from one writing to the next."""

    made: list[dict[str, Any]] = field(default_factory=list)

    def markdown(self, text: str) -> None:
        self._add({"cell_type": "markdown", "source": _lines(text), "metadata": {}})

    def code(self, text: str, outputs: list[dict[str, Any]] | None = None) -> None:
        cell: dict[str, Any] = {
            "cell_type": "code",
            "source": _lines(text.strip("\n")),
            "metadata": {},
            "execution_count": None,
        }
        self._add({**cell, "outputs": outputs or []})

    def _add(self, cell: dict[str, Any]) -> None:
        self.made.append({"id": f"cell-{len(self.made) + 1}", **cell})


def write_notebook(
    summary: StudySummary,
    details: StudyDetails,
    path: str | os.PathLike[str],
    directory: Path | None = None,
    tell: Tell = untold,
) -> Path:
    """Write the report of a study as a notebook.

    Args:
      summary: the study, in any state.
      details: what it looks into beyond the summary.
      path: the file; it appears in one step.
      directory: where the study lies, if it lasts.
      tell: is told how far it is.

    Returns:
      The file.
    """
    target = Path(path)
    place = None if directory is None else os.path.relpath(directory.resolve(), target.resolve().parent)
    notebook = make_notebook(summary, details, None if place is None else Path(place).as_posix(), tell)
    with in_one_step(target) as temporary:
        temporary.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def make_notebook(
    summary: StudySummary, details: StudyDetails, directory: str | None, tell: Tell = untold
) -> dict[str, Any]:
    """The notebook of a study as plain data (nbformat 4.5).

    Args:
      summary, details: the study.
      directory: where its results lie, as seen from the notebook; None where they do not last.
      tell: is told how far it is.

    Returns:
      What `json` writes.
    """
    cells = _Cells()
    _begin(cells, summary, directory)
    drawings = make_document(summary, details).drawings
    walk = steps(summary.name)
    for number, step in enumerate(walk):
        tell(f"step {number + 1} of {len(walk)}", number / len(walk))
        drawing = next((d for d in drawings if d.name.startswith(step.figure)), None) if step.figure else None
        if (step.figure and drawing is None) or not _wanted(step, summary):
            continue
        head = f"## {step.title}\n\n" if step.title else ""
        if head or step.text:
            cells.markdown(f"{head}{step.text}".strip())
        cells.code(step.code, _outputs(step, summary, drawing))
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    metadata = {**kernel, "language_info": {"name": "python"}}
    return {"cells": cells.made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def steps(study: str) -> tuple[Step, ...]:
    """The steps of a study's notebook.

    Args:
      study: its name.

    Returns:
      Those of every study; for a lab, its own before them, in the place of those that have the same names.

    Example:
      >>> [step.name for step in steps("lab5")][:3]
      ['look', 'counts', 'prepare']
    """
    own = _read(study) if study != "study" else []
    named = {step.name for step in own}
    return (*own, *(step for step in _read("study") if step.name not in named))


# --- Parts ------------------------------------------------------------------------------------------------------------


def _read(name: str) -> list[Step]:
    file = resources.files("wellfit.report.forms").joinpath("notebooks", f"{name}.toml")
    if not file.is_file():
        return []
    tables: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["steps"]
    made: list[dict[str, Any]] = [
        {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()} for table in tables
    ]
    return [Step(**table) for table in made]


def _begin(cells: _Cells, summary: StudySummary, directory: str | None) -> None:
    """What it is, how to install what it needs, the study itself, and its results."""
    cells.markdown(
        f"# {escaped(summary.title)}\n\n"
        f"The wellfit study *{escaped(summary.name)}*, on {escaped(summary.data)}: it takes the results from the study "
        "directory, or trains all of it anew where that is not there.\n\n"
        'It needs `pip install "wellfit[notebook]"`.'
    )
    cells.code(
        "import tempfile\nfrom pathlib import Path\n\nfrom IPython.display import display\n\nimport wellfit\n\n"
        f"DIRECTORY = Path({directory or f'wellfit-{summary.name}'!r})  # where the results lie\n"
        f"STUDY = {_literal(study_file(from_resolved(summary.settings)))}"
    )
    cells.markdown("The study itself. A variant is the base recipe with changes; all are compared with the first.")
    cells.code(
        "with tempfile.TemporaryDirectory() as folder:\n"
        '    file = Path(folder, "study.toml")\n'
        '    file.write_text(STUDY, encoding="utf-8")\n'
        "    study = wellfit.Study.from_toml(file)\nstudy"
    )
    cells.code(
        'kept = (DIRECTORY / "study.db").is_file()\n'
        "results = wellfit.Results(DIRECTORY) if kept else study.run()\n" + HELPERS
    )


def _wanted(step: Step, summary: StudySummary) -> bool:
    kinds = {answer.kind for answer in summary.answers}
    asked = step.asks is None or bool(kinds & set(step.asks) if step.asks else kinds)
    return asked and (not step.tested or bool(summary.confusion))


def _outputs(step: Step, summary: StudySummary, drawing: Drawing | None) -> list[dict[str, Any]]:
    """What the cell shows before it is run: the same that it shows when it was."""
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
        told = [f"{a.ask}\n{a.text}\n\n" for a in summary.answers if not step.asks or a.kind in step.asks]
        return [{"output_type": "stream", "name": "stdout", "text": _lines("".join(told))}]
    return []


def _literal(text: str) -> str:
    """A text as Python reads it: over several lines, unless it holds what would end it."""
    return repr(text) if "'''" in text or "\r" in text else f"r'''{text}'''"


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
