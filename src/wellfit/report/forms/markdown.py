"""The report as Markdown in GitHub's dialect, with its figures as pictures beside it; every name is escaped."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

from wellfit import errors
from wellfit.files import OnWriting, ignore_progress, replacing
from wellfit.report.document import Document
from wellfit.report.forms.figure_files import write_figures
from wellfit.report.forms.own_words import words_markdown
from wellfit.report.parts import Code, Drawing, Paragraph, Part, Table, Words

__all__ = ["escaped", "fenced", "markdown_table", "write_markdown"]

DPI = 150


def write_markdown(document: Document, path: str | os.PathLike[str], progress: OnWriting = ignore_progress) -> Path:
    """Write a report as Markdown.

    Args:
      path: of the file; its pictures go into a folder of the same name beside it: ``report-figures`` for ``report.md``.
    """
    target = Path(path)
    folder = target.with_name(f"{target.stem}-figures")
    alt_texts = write_figures(document.drawings, folder, dpi=DPI, progress=progress)
    blocks = [f"# {escaped(document.title)}", f"*wellfit study {escaped(document.name)}, {document.state}*"]
    blocks += [escaped(document.byline), words_markdown(document.introduction)]
    blocks += [f"> {escaped(notice)}" for notice in document.notices]
    for section in document.written:
        blocks += [f"## {escaped(section.title)}"] if section.title else []
        blocks += [words_markdown(section.words), escaped(" ".join(section.notes))]
        blocks += [_block(part, folder.name, alt_texts) for part in section.parts]
    with replacing(target) as temporary:
        text = "\n\n".join(block for block in blocks if block) + "\n"
        temporary.write_text(errors.escaped(text), encoding="utf-8")  # it may be read in a terminal
    return target


def escaped(text: str) -> str:
    r"""Text on one line that Markdown, and HTML inside it, read as text only.

    Example:
      >>> escaped("<b> a|b *c* l2=0.1")
      '&lt;b&gt; a\\|b \\*c\\* l2=0.1'
    """
    plain = html.escape(text.replace("\n", " "), quote=False)
    plain = re.sub(r"([\\`*_{}\[\]|~$])", r"\\\1", plain)
    return re.sub(r"^(\s*)([#+-]|\d+[.)])(?=\s)", r"\1\\\2", plain)  # else a heading or a list


def markdown_table(table: Table) -> str:
    """A table in GitHub's syntax, which demands headings: they are empty if the table has none."""
    headings = table.headings or ("",) * len(table.rows[0])
    rule = [":---" if at < table.text else "---:" for at in range(len(headings))]
    return "\n".join(
        f"| {' | '.join(cells)} |"
        for cells in ([escaped(h) for h in headings], rule, *([escaped(cell) for cell in row] for row in table.rows))
    )


def _block(part: Part, folder: str, alt_texts: dict[str, str]) -> str:
    match part:
        case Paragraph():
            head = f"**{escaped(part.head)}**<br>\n" if part.head else ""
            text = escaped(part.text)
            return head + (f"**{text}**" if part.kind == "lead" else text)
        case Table():
            return markdown_table(part) if part.rows else ""
        case Drawing():
            link = f"{_linked(folder)}/{_linked(part.name)}.png"
            return f"![{escaped(alt_texts[part.name])}]({link})\n\n*{escaped(part.caption)}*"
        case Code():
            return fenced(part)
        case Words():
            return words_markdown(part.text)


def _linked(name: str) -> str:
    """A name as part of a link, percent-encoded byte by byte except for plain letters."""
    return re.sub(rb"[^\w.=+~-]", lambda match: b"%%%02X" % match[0][0], name.encode()).decode()


def fenced(part: Code, language: str = "text") -> str:
    """Text in a fence longer than any in it.

    Args:
      language: in whose colors it may be shown.
    """
    longest = max((len(run) for run in re.findall(r"`+", part.text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{part.text.rstrip()}\n{fence}"
