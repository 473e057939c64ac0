"""The report as Markdown, with its figures as pictures beside it: GitHub's dialect, every name escaped."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

from wellfit.report.document import Document
from wellfit.report.forms.figure_files import write_figures
from wellfit.report.forms.saving import Tell, in_one_step, untold
from wellfit.report.parts import Code, Drawing, Paragraph, Part, Table

__all__ = ["escaped", "markdown_table", "write_markdown"]

DPI = 150


def write_markdown(document: Document, path: str | os.PathLike[str], tell: Tell = untold) -> Path:
    """Write a report as Markdown.

    Args:
      document: what is shown.
      path: the file; its pictures go into a folder of the same name beside it, ``report-figures`` beside ``report.md``.
      tell: is told how far it is.

    Returns:
      The file.
    """
    target = Path(path)
    folder = target.with_name(f"{target.stem}-figures")
    alt_texts = write_figures(document.drawings, folder, dpi=DPI, tell=tell)
    blocks = [f"# {escaped(document.title)}", f"*wellfit study {escaped(document.name)}, {document.state}*"]
    blocks += [f"> {escaped(notice)}" for notice in document.notices]
    for section in document.written:
        blocks += [f"## {escaped(section.title)}"] if section.title else []
        blocks += [escaped(" ".join(section.notes))]
        blocks += [_block(part, folder.name, alt_texts) for part in section.parts]
    with in_one_step(target) as temporary:
        temporary.write_text("\n\n".join(block for block in blocks if block) + "\n", encoding="utf-8")
    return target


def escaped(text: str) -> str:
    r"""Text that Markdown, and the HTML inside it, takes for nothing else; on one line.

    Example:
      >>> escaped("<b> a|b *c* l2=0.1")
      '&lt;b&gt; a\\|b \\*c\\* l2=0.1'
    """
    plain = html.escape(" ".join(text.split(" ")).replace("\n", " "), quote=False)
    plain = re.sub(r"([\\`*_{}\[\]|~$])", r"\\\1", plain)
    return re.sub(r"^(\s*)([#+-]|\d+[.)])(?=\s)", r"\1\\\2", plain)  # else a heading or a list


def markdown_table(table: Table) -> str:
    """A table in GitHub's form; one without headings has empty ones, which that form demands."""
    headings = table.headings or ("",) * len(table.rows[0])
    rule = [":---" if at < table.text else "---:" for at in range(len(headings))]
    return "\n".join(
        f"| {' | '.join(cells)} |"
        for cells in ([escaped(h) for h in headings], rule, *([escaped(cell) for cell in row] for row in table.rows))
    )


def _block(part: Part, folder: str, alt_texts: dict[str, str]) -> str:
    if isinstance(part, Paragraph):
        head = f"**{escaped(part.head)}**<br>\n" if part.head else ""
        text = escaped(part.text)
        shown = {"lead": f"**{text}**", "notice": f"> {text}"}.get(part.kind, text)
        return head + shown
    if isinstance(part, Table):
        return markdown_table(part) if part.rows else ""
    if isinstance(part, Drawing):
        link = f"{_linked(folder)}/{_linked(part.name)}.png"
        return f"![{escaped(alt_texts[part.name])}]({link})\n\n*{escaped(part.caption)}*"
    return _fenced(part)


def _linked(name: str) -> str:
    """A name as part of a link: every byte that is no plain letter by its number."""
    return re.sub(rb"[^\w.=+~-]", lambda found: b"%%%02X" % found[0][0], name.encode()).decode()


def _fenced(part: Code) -> str:
    """Text as it stands, in a fence longer than any in it."""
    longest = max((len(found) for found in re.findall(r"`+", part.text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{part.text.rstrip()}\n{fence}"
