"""Own words in every form: nothing that a stranger wrote is run, loaded, or read as markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from wellfit.report.forms.own_words import words_data, words_html, words_markdown
from wellfit.report.own_words import blocks

EVERYTHING = (
    "# T\n\na **b** *c*\n\n1. x\n   - y\n   - z\n\n     w\n2. v\n\n- u\n\n> q\n\n```\nc\n```\n\n|a|b|\n|-|-|\n|`1`|2|\n"
)

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=http://e/x.png onerror=alert(1)>",
    "![x](http://e/x.png)",
    "[x](javascript:alert(1))",
    "[x](http://e 'onclick=y')",
    "<javascript:alert(1)>",
    "`<script>`",
    "```html\n</pre><script>\n```",
    "|<script>|\n|-|\n|</table>|",
    r"$\href{javascript:alert(1)}{x}$",
    "$</svg><script>$",
    "$x--><script>$",
    '$"onload=alert(1) x="$',
    "</style></div>",
)


def shown(text: str) -> str:
    """All that a reader of a text sees."""
    cells = [cell for block in blocks(text) for cell in (block.spans, *(cell for row in block.rows for cell in row))]
    return "|".join("".join(span.text for span in spans) for spans in cells)


class Elements(HTMLParser):
    """The elements of a text, their attributes, and whether each is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= set(attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= set(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_is_well_formed_and_has_every_element() -> None:
    found = Elements(str(words_html(EVERYTHING)))
    assert found.open == []
    assert found.seen >= {"h3", "p", "strong", "em", "ol", "ul", "li", "blockquote", "pre", "table", "th", "td", "code"}
    assert str(words_html("1. x\n   - y\n2. v")) == "<ol><li>x<ul><li>y</li></ul></li><li>v</li></ol>"
    assert str(words_html("3. x")).startswith('<ol start="3">')


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_is_run_or_loaded_in_html(text: str) -> None:
    found = Elements(str(words_html(f"a {text}\n\n{text}")))
    assert found.open == []
    assert not found.seen & {"script", "img", "a", "style", "iframe", "object", "link"}
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    links = {value for name, value in found.attributes if name in ("src", "href", "xlink:href")}
    assert all(value is not None and value.startswith("#") for value in links)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_is_run_or_loaded_in_markdown(text: str) -> None:
    again = words_markdown(text)
    plain = re.sub(r"(`+).*?\1", "", again, flags=re.DOTALL)
    assert "<" not in plain
    assert not re.search(r"(?<!\\)!?(?<!\\)\[[^\]]*(?<!\\)\]\(", plain)
    assert "href" not in plain
    read = again.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert shown(read) == shown(text)


def test_markdown_says_the_same_again() -> None:
    assert words_markdown(EVERYTHING).replace("### T", "# T") == words_markdown(words_markdown(EVERYTHING)).replace(
        "### T", "# T"
    )
    assert [block.kind for block in blocks(words_markdown(EVERYTHING))] == [block.kind for block in blocks(EVERYTHING)]
    assert words_markdown("a  \nb $x^2$") == "a  \nb $x^2$"


def test_data_for_typst_has_formulas_set() -> None:
    ((one,),) = ([block["spans"] for block in words_data(r"$x^2$")],)
    assert one[0]["svg"].startswith("<?xml")
    assert one[0]["width"] > 1
    assert [span["kind"] for span in words_data(r"$\nothing$")[0]["spans"]] == ["code"]
    assert words_data("") == []
