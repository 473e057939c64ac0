"""In which forms a report is written, and where: by the name of a form, or by the end of a file's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.errors import StoreError, StudyFileError, UnknownNameError
from wellfit.report.forms.saving import Tell, untold
from wellfit.report.marks.fonts import notice, quiet

__all__ = ["FORMATS", "font_notice", "report_format", "report_path", "write_report"]

FORMATS: Final = {
    "html": "report.html",
    "pdf": "report.pdf",
    "md": "report.md",
    "ipynb": "report.ipynb",
    "png": "figures",
}
"""Form -> what it is called in the study directory; the pictures alone are a folder."""


def report_format(wanted: str | None, path: Path | None) -> str:
    """The form that is asked for.

    Args:
      wanted: its name; if None, the end of the path decides.
      path: of the report, where one was given.

    Returns:
      One of `FORMATS`: html where nothing says otherwise.

    Raises:
      UnknownNameError: there is no such form.
      StudyFileError: the name of the file says another form.

    Example:
      >>> report_format(None, Path("hand-in.pdf")), report_format("md", None), report_format(None, None)
      ('pdf', 'md', 'html')
    """
    ending = path.suffix[1:].lower() if path is not None and not path.is_dir() else ""
    if wanted is None:
        if ending and ending not in FORMATS:
            raise UnknownNameError("format", ending, FORMATS, str(path))
        return ending or "html"
    if wanted.lower() not in FORMATS:
        raise UnknownNameError("format", wanted, FORMATS)
    if ending in FORMATS and ending != wanted.lower():
        raise StudyFileError(f"{path} is no name for {wanted}: it ends in .{ending}; change one of the two")
    return wanted.lower()


def report_path(form: str, path: Path | None, directory: Path) -> Path:
    """Where a report goes: into the study directory, into the folder that was given, or into that very file.

    Example:
      >>> report_path("pdf", None, Path("study")).as_posix(), report_path("png", Path("mine"), Path("study")).as_posix()
      ('study/report.pdf', 'mine')
    """
    if path is None:
        return directory / FORMATS[form]
    if form != "png" and path.is_dir() and path.name != FORMATS[form]:
        return path / FORMATS[form]
    return path


def font_notice(summary: StudySummary, form: str) -> str:
    """One line about letters of a study's names that its figures cannot show, for no installed font has them.

    Args:
      summary: the study.
      form: one of `FORMATS`; a browser has more fonts than matplotlib, so that a page has nothing to say here.

    Returns:
      The line; empty where there is nothing to say.
    """
    names = (summary.title, summary.data, *summary.classes)  # a variant's name is plain ASCII
    return "" if form == "html" else notice(" ".join(names))


def write_report(
    summary: StudySummary,
    details: StudyDetails,
    form: str,
    path: Path,
    directory: Path | None = None,
    tell: Tell = untold,
) -> Path:
    """Write the report of a study.

    Args:
      summary: the study.
      details: what it looks into beyond the summary.
      form: one of `FORMATS`.
      path: of the file; of the folder for png.
      directory: where the study lies, if it lasts: a notebook takes its results from there.
      tell: is told how far it is.

    Returns:
      The file or the folder.

    Raises:
      StoreError: it cannot be written; one line says why, and the older report stays as it was.
    """
    try:
        with quiet():
            _writer(form)(summary, details, path, directory, tell)
    except OSError as error:
        mend = "make room or give access, or choose another place with --out"
        raise StoreError(f"{path}: the report cannot be written: {error.strerror or error}; {mend}") from None
    return path


Writer = Callable[[StudySummary, StudyDetails, Path, "Path | None", Tell], object]


def _writer(form: str) -> Writer:
    """What writes a form; each loads its library when it is asked for."""
    return {"html": _html, "pdf": _pdf, "md": _md, "ipynb": _ipynb, "png": _png}[form]


def _html(summary: StudySummary, details: StudyDetails, path: Path, _: Path | None, tell: Tell) -> None:
    from wellfit.report.forms.page import write_page

    tell("the page", 0.0)
    write_page(summary, details, path)


def _pdf(summary: StudySummary, details: StudyDetails, path: Path, _: Path | None, tell: Tell) -> None:
    from wellfit.report.document import make_document
    from wellfit.report.forms.pdf import write_pdf

    document = make_document(summary, details)
    missing = tuple(filter(None, [font_notice(summary, "pdf")]))
    write_pdf(replace(document, notices=document.notices + missing), path, tell)


def _md(summary: StudySummary, details: StudyDetails, path: Path, _: Path | None, tell: Tell) -> None:
    from wellfit.report.document import make_document
    from wellfit.report.forms.markdown import write_markdown

    write_markdown(make_document(summary, details), path, tell)


def _ipynb(summary: StudySummary, details: StudyDetails, path: Path, directory: Path | None, tell: Tell) -> None:
    from wellfit.report.forms.notebook import write_notebook

    write_notebook(summary, details, path, directory, tell)


def _png(summary: StudySummary, details: StudyDetails, path: Path, _: Path | None, tell: Tell) -> None:
    from wellfit.report.document import make_document
    from wellfit.report.forms.figure_files import write_figures

    write_figures(make_document(summary, details).drawings, path, tell=tell)
