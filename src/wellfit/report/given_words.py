"""The authors' own words as a command or Python gives them: checked against the sections that a study's report has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wellfit.base import MOST_TEXT, OwnWords
from wellfit.errors import StudyFileError
from wellfit.files import read_plain
from wellfit.report.document import section_names
from wellfit.report.own_words import divided, refuse_section
from wellfit.spec.own_words import INTRODUCTION, words_from
from wellfit.spec.source import Source

__all__ = ["check_sections", "new_words", "read_notes"]


def check_sections(words: OwnWords, study: str, where: str) -> None:
    """Refuse words about a section that no report of a study has.

    Args:
      study: its name.
      where: the place of the text, for the error.

    Raises:
      StudyFileError: there is such a section; the message has the nearest names.
    """
    known = section_names(study)
    for name in words.text:
        refuse_section(name, known, where)


def read_notes(path: Path, study: str) -> dict[str, str]:
    """Read a Markdown file whose headings of the second level name sections; text before the first is the introduction.

    Args:
      study: the name of the study.

    Raises:
      StudyFileError: it cannot be read, is no UTF-8 or too long, or a heading names no section.
    """
    try:
        text = read_plain(path, 4 * MOST_TEXT + 3).decode("utf-8-sig")
    except OSError as error:
        raise StudyFileError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise StudyFileError(f"{path}: not text: byte {error.start} is not UTF-8; save it as UTF-8") from None
    return _by_section(text, study, str(path))


def new_words(
    words: OwnWords,
    study: str,
    *,
    text: str | Path | Mapping[str, str] | None = None,
    authors: str | Sequence[str] | None = None,
    course: str | None = None,
    where: str = "report(...)",
) -> OwnWords:
    """Own words with what is given replaced; an empty text, list or course removes what there was.

    Args:
      words: so far.
      study: the name of the study.
      text: Markdown with a heading of the second level for each section, its file, or section -> Markdown.
      where: how an error names them.

    Raises:
      StudyFileError: a section that the report does not have; too many characters, or some that cannot be seen.
    """
    if isinstance(text, Path):
        where, sections = str(text), read_notes(text, study)
    else:
        sections = _by_section(text, study, where) if isinstance(text, str) else dict(text or {})
    given = {"authors": authors, "course": course, "text": None if text is None else sections}
    table = {
        key: list(value) if isinstance(value, tuple) else value for key, value in given.items() if value is not None
    }
    checked = words_from(table, Source(where))
    check_sections(checked, study, where)
    return replace(words, **{key: getattr(checked, key) for key in table})


def _by_section(text: str, study: str, where: str) -> dict[str, str]:
    known, found = section_names(study), {}
    for name, (words, line) in divided(text).items():
        if name:
            refuse_section(name, known, f"{where}, line {line}")
        found[name or INTRODUCTION] = words
    return found
