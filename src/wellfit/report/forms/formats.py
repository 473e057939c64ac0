"""The forms of a report and where each goes: chosen by name, or by the suffix of a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.errors import StoreError, StudyFileError, UnknownNameError
from wellfit.files import OnWriting, form_of, ignore_progress
from wellfit.report.marks.fonts import notice, quiet
from wellfit.store.names import refuse_own_place

__all__ = [
    "FORMATS",
    "PARTS",
    "Printed",
    "check_folder",
    "font_notice",
    "refuse_other_file",
    "report_format",
    "report_path",
    "write_report",
]

FORMATS: Final = {
    "html": "report.html",
    "pdf": "report.pdf",
    "md": "report.md",
    "ipynb": "report.ipynb",
    "png": "figures",
    "svg": "figures",
    "pdf-figures": "figures",
}
"""Form -> its name in the study directory; the figures are a folder."""

PARTS: Final = "lab-parts"
"""The folder in a study directory that holds the results of a lab's other parts; its notebook uses the same."""

FOLDERS: Final = ("png", "svg", "pdf-figures")
"""The forms that are a folder with only the figures; as SVG and PDF they are drawn for one column of a paper."""


@dataclass(frozen=True)
class Printed:
    """What a PDF shows; other forms show all that they have.

    Args:
      all: every section, also those that the usual PDF leaves out; of a lab, the sections instead of its steps.
      code: of a lab, the code of every step.
      parts: of a lab, train its other parts where they are missing.
    """

    all: bool = False
    code: bool = False
    parts: bool = False


_MARKS: Final = {
    "html": b'<meta name="generator" content="wellfit">',
    "pdf": b"wellfit study ",
    "md": b"*wellfit study ",
    "ipynb": b"wellfit.Results(DIRECTORY)",
}
"""Form -> what every report of this form contains, and hardly any other file."""

_LARGEST: Final = 1 << 28
"""Bytes of a file in which that is looked for."""


def report_format(wanted: str | None, path: Path | None) -> str:
    """The form that is wanted.

    Args:
      wanted: its name; if None, the suffix of the path decides.
      path: of the report, if one was given.

    Returns:
      One of `FORMATS`; html by default.

    Raises:
      UnknownNameError: there is no such form.
      StudyFileError: the suffix of the file belongs to another form, or to one that is a folder.
      WellfitError: a PDF is wanted, and typst is not installed.

    Example:
      >>> report_format(None, Path("hand-in.pdf")), report_format("md", None), report_format(None, None)
      ('pdf', 'md', 'html')
    """
    ending = path.suffix[1:].lower() if path is not None and not path.is_dir() else ""
    if ending in FOLDERS and path is not None:
        fix = f"--format {ending} --out {path.with_suffix('')}"
        raise StudyFileError(f"{path}: a report in {ending.upper()} is a folder with a file for each figure; {fix}")
    if wanted is None:
        if ending and ending not in FORMATS:
            raise UnknownNameError("format", ending, FORMATS, str(path))
        return _possible(ending or "html")
    if wanted.lower() not in FORMATS:
        raise UnknownNameError("format", wanted, FORMATS)
    if ending in FORMATS and ending != wanted.lower():
        raise StudyFileError(f"{path} does not fit format {wanted}: it ends in .{ending}; change one of the two")
    return _possible(wanted.lower())


def _possible(form: str) -> str:
    """A form, once what it needs is known to be installed; a lab's PDF may train for hours first."""
    if form == "pdf":
        from wellfit.report.forms.pdf import check_typst

        check_typst()
    return form


def report_path(form: str, path: Path | None, directory: Path) -> Path:
    """Where a report goes: into the study directory, into the given folder, or to the given file.

    Example:
      >>> report_path("pdf", None, Path("study")).as_posix(), report_path("png", Path("mine"), Path("study")).as_posix()
      ('study/report.pdf', 'mine')
    """
    if path is None:
        return directory / FORMATS[form]
    if form not in FOLDERS and path.is_dir() and path.name != FORMATS[form]:
        return path / FORMATS[form]
    return path


def check_folder(path: Path) -> None:
    """Refuse a path in a folder that is not there; more often than not, it is misspelled.

    Raises:
      StoreError: there is no such folder, or this user may not look into it.
    """
    try:
        path.is_dir()  # whether it can be looked at
        exists = path.parent.exists()
    except OSError as error:
        fix = "fix the permissions, or choose another path with --out"
        raise StoreError(f"{path}: {error.strerror}; {fix}") from None
    if not exists:
        raise StoreError(f"{path}: there is no folder {path.parent}; create it, or choose another path with --out")


def refuse_other_file(path: Path, form: str) -> None:
    """Refuse to replace what is no older report of the same form.

    Raises:
      StoreError: the path is such a file, where a study keeps its own, or neither a file nor a folder.
    """
    refuse_own_place(path)
    if (found := form_of(path)) not in (None, "a file", "a folder"):
        raise StoreError(f"{path}: {found}, not a file; choose another file with --out")
    if found == "a file" and not _is_report(path, form):
        fix = "choose another file with --out, or delete this one"
        raise StoreError(f"{path}: was not written by wellfit as a {form} report, and stays as it is; {fix}")


def font_notice(summary: StudySummary, form: str) -> str:
    """One line about letters in a study's names that no installed font has, so that its figures cannot show them.

    Args:
      form: one of `FORMATS`; empty for a page, since a browser has more fonts than matplotlib.
    """
    names = (summary.title, summary.data, *summary.classes)  # a variant's name is plain ASCII
    return "" if form == "html" else notice(" ".join(names))


def write_report(
    summary: StudySummary,
    details: StudyDetails,
    form: str,
    path: Path,
    directory: Path | None = None,
    progress: OnWriting = ignore_progress,
    printed: Printed = Printed(),
) -> Path:
    """Write the report of a study; each form loads its libraries only when needed.

    Args:
      form: one of `FORMATS`.
      path: of the file; of the folder for `FOLDERS`.
      directory: of the study, if it lasts; a notebook loads its results from there.
      printed: what a PDF shows.

    Returns:
      The file or the folder.

    Raises:
      StoreError: it cannot be written, or would replace a file that is no report; one line says why, and the older file
        stays as it was.
    """
    try:
        refuse_other_file(path, _possible(form))
        with quiet():
            if form == "html":
                from wellfit.report.forms.page import write_page

                progress("the page", 0.0)
                write_page(summary, details, path)
            elif form == "ipynb":
                from wellfit.report.forms.notebook import write_notebook

                write_notebook(summary, details, path, directory, progress)
            else:
                _write_document(form, summary, details, path, progress, printed)
    except OSError as error:
        fix = "free disk space, fix the permissions, or choose another location with --out"
        raise StoreError(f"{path}: the report cannot be written: {error.strerror or error}; {fix}") from None
    return path


def _is_report(path: Path, form: str) -> bool:
    """Whether a file is empty or an older report of the same form."""
    with path.open("rb") as file:
        content = file.read(_LARGEST)
    return not content or _MARKS.get(form, b"") in content


def _write_document(
    form: str, summary: StudySummary, details: StudyDetails, path: Path, progress: OnWriting, printed: Printed
) -> None:
    from wellfit.report.document import brief, make_document
    from wellfit.report.notebook_steps import is_lab

    if form == "pdf" and is_lab(summary.name) and not printed.all:
        from wellfit.report.forms.lab_document import lab_document

        place = Path(summary.directory)
        document = lab_document(summary, details, place, code=printed.code, parts=printed.parts, progress=progress)
    else:
        document = make_document(summary, details)
        document = brief(document) if form == "pdf" and not printed.all else document
    if missing := font_notice(summary, form):
        document = replace(document, notices=(*document.notices, missing))
    if form == "pdf":
        from wellfit.report.forms.pdf import write_pdf

        write_pdf(document, path, progress)
    elif form == "md":
        from wellfit.report.forms.markdown import write_markdown

        write_markdown(document, path, progress)
    else:
        from wellfit.report.forms.figure_files import write_figures

        write_figures(document.drawings, path, form="pdf" if form == "pdf-figures" else form, progress=progress)
