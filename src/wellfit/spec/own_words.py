"""``[report]``: the authors of a study, their course, and their own words, as a study file or a command gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from wellfit.base import MOST_AUTHORS, MOST_FORMULAS, MOST_LETTERS, MOST_TEXT, OwnWords
from wellfit.errors import escaped
from wellfit.spec.reading import read_table
from wellfit.spec.source import KeyPath, Source
from wellfit.spec.tables import Report

__all__ = ["INTRODUCTION", "joined_words", "words_from"]

INTRODUCTION: Final = "introduction"
"""The section of a text that names none: it precedes the report."""


def words_from(table: Mapping[str, Any], source: Source) -> OwnWords:
    r"""The authors' own words, checked, from the table ``[report]``; each key may be left out.

    Args:
      table: ``authors``, a list or one name; ``course``; ``text``, one text or a table of texts by section.

    Raises:
      StudyFileError: an unknown key or a wrong type; too many characters or formulas, or some characters that
        cannot be seen.

    Example:
      >>> words_from({"authors": "Ada", "text": "We found\r\nthis."}, Source("lab.toml"))
      OwnWords(authors=('Ada',), course='', text={'introduction': 'We found\nthis.'})
    """
    given = read_table(Report, table, source, ("report",))
    authors, text = given.get("authors", ()), given.get("text", {})
    names = [authors] if isinstance(authors, str) else authors
    sections = {INTRODUCTION: text} if isinstance(text, str) else text
    if len(names) > MOST_AUTHORS:
        source.refuse(("report", "authors"), f"must have at most {MOST_AUTHORS} names, got {len(names)}")
    if (total := sum(map(len, sections.values()))) > MOST_TEXT:
        what = f"must have at most {MOST_TEXT:,} characters in all sections together, got {total:,}"
        source.refuse(("report", "text"), what)
    prose = [re.sub(r"`[^`]*`|\\\$", "", part) for part in sections.values()]  # without code and escaped dollars
    if (formulas := sum(len(re.findall(r"\$+", part)) for part in prose) // 2) > MOST_FORMULAS:
        fix = "each makes the report slower and larger; write the shorter ones as `code`"
        source.refuse(
            ("report", "text"),
            f"must have at most {MOST_FORMULAS} formulas in all sections together, got {formulas:,}; {fix}",
        )
    lines = [_line(name, ("report", "authors"), source) for name in names]
    return OwnWords(
        authors=tuple(filter(None, lines)),
        course=_line(given.get("course", ""), ("report", "course"), source),
        text={
            _line(name, ("report", "text"), source): words
            for name, part in sections.items()
            if (words := _visible(part.replace("\r\n", "\n"), ("report", "text", name), source).strip("\n").rstrip())
        },
    )


def joined_words(stored: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Two versions of a study's own words as plain data: where the new one says nothing, the stored one stays.

    Example:
      >>> joined_words({"authors": ["Ada"], "course": "ML", "text": {}}, {"authors": ["Bob"], "course": "", "text": {}})
      {'authors': ['Bob'], 'course': 'ML', 'text': {}}
    """
    return {key: new.get(key) or stored.get(key) for key in {**stored, **new}}


def _line(text: str, at: KeyPath, source: Source) -> str:
    """A name on one line."""
    line = _visible(text, at, source).strip()
    if "\n" in line or "\t" in line:
        source.refuse(at, f"must be on one line, got {text[:60]!r}")
    if len(line) > MOST_LETTERS:
        source.refuse(at, f"must have at most {MOST_LETTERS} characters, got {len(line)}")
    return line


def _visible(text: str, at: KeyPath, source: Source) -> str:
    """A text without characters that steer a terminal or hide a part of it."""
    if escaped(text) != text:
        hidden = next(c for c in text if escaped(c) != c)
        source.refuse(at, f"has a character that cannot be seen, {hidden!a}; delete it")
    return text
