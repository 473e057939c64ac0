"""Two studies side by side in the terminal and as a page."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

import summaries
from sides import side_by_side
from wellfit.errors import StoreError
from wellfit.report.forms.side_by_side import print_side_by_side, render_side_by_side, write_side_by_side
from wellfit.study.side_by_side import SideBySide


def printed(found: SideBySide, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    print_side_by_side(found, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [34, 40, 80, 120])
def test_the_terminal_shows_names_and_verdicts_at_every_width(width: int) -> None:
    text = printed(side_by_side(), width)
    words = " ".join(text.split())
    for word in ("B is better than A with baseline.", "early-stopping", "[train] epochs: 60 (A), 30 (B)"):
        assert word in words
    for name, verdict in (("baseline", "better"), ("l2", "worse"), ("l1", "equivalent*"), ("dropout", "undecided")):
        assert re.search(rf"^{name} .*{re.escape(verdict)}\s*$", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= max(width, 61)  # a word is never broken
    assert ("adj. p" in text) is (width >= 80)
    assert text.count("95 % interval") == {34: 0, 40: 0, 80: 1, 120: 3}[width]


class Texts(HTMLParser):
    """The texts and tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_shows_the_same_and_nothing_from_outside() -> None:
    page = render_side_by_side(side_by_side())
    texts = Texts(page)
    words = " ".join(" ".join(texts.words).split())
    for word in (
        "B is better than A with baseline.",
        "+1.23 points",
        "equivalent*",
        "a1a1a1a1a1a1",
        "What else differs",
    ):
        assert word in words
    assert "script" not in texts.tags
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)


def test_names_of_strangers_have_no_effect() -> None:
    odd = summaries.hostile()
    found = side_by_side()
    c = replace(found.comparisons[0], variant=odd.variants[1].name, against=odd.variants[1].name)
    first = replace(odd, directory="<script>alert(3)</script>\x1b[2J")
    found = replace(found, first=first, second=odd, comparisons=(c,), survivors=(), only_second=("\u202e<b>",))
    page = render_side_by_side(found)
    assert "script" not in Texts(page).tags
    assert "img" not in Texts(page).tags
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", page)
    assert "\x1b[2J" not in printed(found, 80)


def test_only_a_page_of_wellfit_is_replaced(tmp_path: Path) -> None:
    path = write_side_by_side(side_by_side(), tmp_path / "page.html")
    assert write_side_by_side(side_by_side(survivors=()), path).read_text().startswith("<!DOCTYPE html>")
    path.write_text("mine")
    with pytest.raises(StoreError, match="was not written by wellfit as a html report, and stays as it is"):
        write_side_by_side(side_by_side(), path)
    assert path.read_text() == "mine"
    with pytest.raises(StoreError, match="there is no folder"):
        write_side_by_side(side_by_side(), tmp_path / "gone" / "page.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(
        StoreError, match="cannot be written: Is a directory; free disk space, fix the permissions, or cho"
    ):
        write_side_by_side(side_by_side(), tmp_path / "folder")
