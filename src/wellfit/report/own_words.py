"""The authors' own words: Markdown, read into blocks of plain text, so that no form of the report can run or load it.

Kept are paragraphs, headings, lists, quotations, tables, code, emphasis and formulas between dollar signs. HTML is
text, and so are the addresses of links and images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal

from wellfit.errors import StudyFileError, escaped

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["Block", "Span", "blocks", "divided", "named_section", "refuse_section"]

MOST_FORMULA: Final = 300
"""Characters of a formula; what is longer is shown as its source."""


@dataclass(frozen=True)
class Span:
    """Text of one style; as a formula, the source in LaTeX without its dollar signs."""

    text: str
    strong: bool = False
    emphasis: bool = False
    kind: Literal["text", "code", "formula"] = "text"


@dataclass(frozen=True)
class Block:
    """A paragraph, or what stands like one.

    Args:
      depth: of an item, from 1 for the outermost list; of a heading, from 1.
      mark: of an item: ``"•"``, or its number and a full stop; empty for a further paragraph of the same item.
      rows: of a table, the first one with its headings.
    """

    kind: Literal["paragraph", "heading", "item", "quote", "code", "table"]
    spans: tuple[Span, ...] = ()
    depth: int = 0
    mark: str = ""
    rows: tuple[tuple[tuple[Span, ...], ...], ...] = ()


def blocks(text: str) -> tuple[Block, ...]:
    r"""Read Markdown.

    Example:
      >>> [one] = blocks("It *fell* from `a` <b>.")
      >>> [(span.text, span.emphasis, span.kind) for span in one.spans][1:4]
      [('fell', True, 'text'), (' from ', False, 'text'), ('a', False, 'code')]
      >>> [(block.kind, block.depth, block.mark) for block in blocks("# Title\n- a\n  1. b")]
      [('heading', 1, ''), ('item', 1, '•'), ('item', 2, '1.')]
    """
    return tuple(_blocks(_reader().parse(escaped(text))))


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:  # noqa: PLR0912  # a case for each kind of token
    marks: list[str] = []  # of the lists around, outermost first; empty once the item's first paragraph is read
    numbers: list[int | None] = []
    quoted, heading, row = 0, 0, list[tuple[Span, ...]]()
    rows: list[tuple[tuple[Span, ...], ...]] = []
    for at, token in enumerate(tokens):
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                ordered = token.type == "ordered_list_open"
                numbers.append(int(token.attrs.get("start", 1)) if ordered else None)
                marks.append("")
            case "bullet_list_close" | "ordered_list_close":
                numbers.pop(), marks.pop()
            case "list_item_open":
                number = numbers[-1]
                marks[-1] = "•" if number is None else f"{number}."
                numbers[-1] = None if number is None else number + 1
            case "blockquote_open" | "blockquote_close":
                quoted += token.nesting
            case "heading_open":
                heading = int(token.tag[1:])
            case "heading_close":
                heading = 0
            case "tr_close":
                rows.append(tuple(row))
                row = []
            case "table_close":
                yield Block("table", rows=tuple(rows))
                rows = []
            case "fence" | "code_block":
                yield Block("code", (Span(token.content.rstrip("\n"), kind="code"),))
            case "inline" if tokens[at - 1].type in ("th_open", "td_open"):
                row.append(tuple(_spans(token.children or ())))
            case "inline":
                spans = tuple(_spans(token.children or ()))
                if heading:
                    yield Block("heading", spans, heading)
                elif marks:
                    yield Block("item", spans, len(marks), marks[-1])
                    marks[-1] = ""
                else:
                    yield Block("quote" if quoted else "paragraph", spans)


def _spans(tokens: Sequence[Token]) -> Iterator[Span]:
    """The text of one paragraph, by style; the address of a link or an image follows in brackets."""
    strong = emphasis = 0
    link, since = "", ""  # the address, and the text of the link so far
    for token in tokens:
        styled = partial(Span, strong=strong > 0, emphasis=emphasis > 0)
        match token.type:
            case "strong_open" | "strong_close":
                strong += token.nesting
            case "em_open" | "em_close":
                emphasis += token.nesting
            case "link_open":
                link, since = str(token.attrs["href"]), ""
            case "link_close":
                if link not in (since, f"mailto:{since}"):
                    yield styled(f" ({link})")
                link = ""
            case "image":
                yield styled(f"{token.content} ({token.attrs['src']})")
            case "softbreak" | "hardbreak":
                yield styled(" " if token.type == "softbreak" else "\n")
            case "code_inline":
                yield styled(token.content, kind="code")
            case "formula":
                yield styled(token.content, kind="formula")
            case _ if token.content:
                since += token.content
                yield styled(token.content)


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("entity")
    reader.inline.ruler.before("escape", "formula", _formula)
    return reader


def _formula(state: Any, silent: bool) -> bool:
    """A rule of markdown-it: a formula between dollar signs, which touch it; a price is none."""
    source, start = state.src, state.pos
    if source[start] != "$":
        return False
    width = 2 if source[start : start + 2] == "$$" else 1
    end = source.find("$" * width, start + width)
    inner = source[start + width : end] if end > 0 else ""
    text = inner.strip() if width == 2 else inner
    after = source[end + width : end + width + 1]
    if not text or text != text.strip() or len(text) > MOST_FORMULA or after.isdigit():
        return False
    if not silent:
        state.push("formula", "", 0).content = " ".join(text.split())
    state.pos = end + width
    return True


# --- Sections ---------------------------------------------------------------------------------------------------------


def divided(text: str) -> dict[str, tuple[str, int]]:
    r"""A Markdown file by its headings of the second level: section -> its text, and the line of the heading.

    Text before the first one has the name ``""``. Headings of the second level inside code or quotations do not count.

    Example:
      >>> divided("Hi.\n\n## Results\nGood.\n### more\nYes.")
      {'': ('Hi.\n', 1), 'Results': ('Good.\n### more\nYes.', 3)}
    """
    lines = text.splitlines()
    tokens = _reader().parse(text)
    starts = [
        (token.map[0], token.map[1], tokens[at + 1].content.strip())
        for at, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2" and token.level == 0 and token.map
    ]
    found: dict[str, tuple[str, int]] = {}
    for (first, after, name), (end, _, _) in zip([(0, 0, ""), *starts], [*starts, (len(lines), 0, "")], strict=True):
        words = "\n".join(lines[after:end])
        before, line = found.get(name, ("", first + 1))
        if words.strip() or name:
            found[name] = ("\n\n".join(filter(None, (before, words))), line)
    return found


def named_section(name: str, known: Mapping[str, Sequence[str]]) -> str | None:
    """The section that a name means, however it is written: without its number, in any case, by id or title.

    Args:
      known: id -> its names.

    Example:
      >>> known = {"curves": ("Learning curves", "Curves"), "look": ("1. Look at the data",)}
      >>> named_section("learning Curves", known), named_section("Look at the data", known), named_section("x", known)
      ('curves', 'look', None)
    """
    wanted = _plain(name)
    return next((id for id, names in known.items() if wanted and wanted in map(_plain, (id, *names))), None)


def refuse_section(name: str, known: Mapping[str, Sequence[str]], where: str) -> None:
    """Refuse a name that means no section, in one line with the three nearest names.

    Raises:
      StudyFileError: always, unless the name means one.
    """
    if named_section(name, known) is not None:
        return
    shown = list(dict.fromkeys(names[0] if names else id for id, names in known.items()))
    near = sorted(shown, key=lambda other: -SequenceMatcher(None, _plain(name), _plain(other)).ratio())[:3]
    raise StudyFileError(f"{where}: no section is called {name!r}; the nearest are {', '.join(map(repr, near))}")


def _plain(name: str) -> str:
    """A name in lower case, without a number or "Part 1." in front and without punctuation."""
    plain = re.sub(r"^(part\s+)?\d+\s*[.):]?\s+(?=\S)", "", " ".join(name.casefold().split()))
    return "".join(c for c in plain if c.isalnum())
