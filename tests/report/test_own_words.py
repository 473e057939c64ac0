"""Own words: Markdown as blocks of plain text, divided by its headings, and named like the sections of the report."""

from __future__ import annotations

import pytest

from wellfit.errors import StudyFileError
from wellfit.report.own_words import MOST_FORMULA, Span, blocks, divided, named_section, refuse_section

KNOWN = {"curves": ("Learning curves", "Curves"), "look": ("1. Look at the data",), "x": ()}


def kinds(text: str) -> list[tuple[str, str]]:
    """Kind and text of every span."""
    return [(span.kind, span.text) for block in blocks(text) for span in block.spans]


def test_every_kind_of_block() -> None:
    text = (
        "# T\n\na **b** *c* ***d***\n\n3. x\n   - y\n\n     z\n\n> q\n\n```\nc*d*\n```\n\n|a|b|\n|-|-|\n|1|2|\n\n---\n"
    )
    found = blocks(text)
    assert [(block.kind, block.depth, block.mark) for block in found] == [
        ("heading", 1, ""), ("paragraph", 0, ""), ("item", 1, "3."), ("item", 2, "•"), ("item", 2, ""),
        ("quote", 0, ""), ("code", 0, ""), ("table", 0, ""),
    ]  # fmt: skip
    assert found[1].spans[1::2] == (Span("b", strong=True), Span("c", emphasis=True), Span("d", True, True))
    assert found[6].spans == (Span("c*d*", kind="code"),)
    assert found[7].rows == (((Span("a"),), (Span("b"),)), ((Span("1"),), (Span("2"),)))


def test_html_links_and_pictures_are_text() -> None:
    text = "<img src=x onerror=y> [t](http://a/b) ![p](http://a/c.png) <http://d> [u](javascript:alert) &lt;"
    shown = "".join(words for _, words in kinds(text))
    assert shown == "<img src=x onerror=y> t (http://a/b) p (http://a/c.png) http://d [u](javascript:alert) &lt;"
    assert kinds("<script>\nalert()\n</script>")[0] == ("text", "<script>")
    assert kinds("a\u202eb\a") == [("text", r"a\u202eb\x07")]


def test_formulas_and_prices() -> None:
    assert kinds(r"$w_1 x_1 \, + b$") == [("formula", r"w_1 x_1 \, + b")]
    assert kinds("$$\nL = 1\n$$") == [("formula", "L = 1")]
    for price in ("$5 and $6", "5$ a$", "$ x$", "$x", "$$", f"${'x' * (MOST_FORMULA + 1)}$"):
        assert {kind for kind, _ in kinds(price)} == {"text"}, price
    assert kinds("`$x$`") == [("code", "$x$")]


def test_a_file_is_divided_by_its_headings() -> None:
    text = "# My lab\nHi.\n\n## Curves\nFlat.\n\n```\n## no heading\n```\n> ## nor this\n\n"
    text += "Data\n----\nSmall.\n## Curves\nMore."
    assert divided(text) == {
        "": ("# My lab\nHi.\n", 1),
        "Curves": ("Flat.\n\n```\n## no heading\n```\n> ## nor this\n\n\nMore.", 4),
        "Data": ("Small.", 12),
    }
    assert divided("") == divided("\n \n") == {}


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("Learning curves", "curves"),
        ("CURVES", "curves"),
        ("1. look at the Data", "look"),
        ("Part 2. Look at the data", "look"),
        ("X", "x"),
        ("", None),
    ],
)
def test_a_section_is_named_as_a_reader_would(name: str, section: str | None) -> None:
    assert named_section(name, KNOWN) == section
    if section:
        refuse_section(name, KNOWN, "notes.md")


def test_an_unknown_section_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        StudyFileError, match=r"^notes.md: no section is called 'Lerning'; the nearest are 'Learning cu"
    ):
        refuse_section("Lerning", KNOWN, "notes.md")
