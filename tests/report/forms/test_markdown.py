"""Markdown: complete, with every name escaped."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import documents
import summaries
from wellfit.report.document import Document, Section
from wellfit.report.forms.markdown import escaped, markdown_table, write_markdown
from wellfit.report.parts import Code, Table


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), max_size=30))
def test_escaped_text_is_read_as_it_was(text: str) -> None:
    output = escaped(text)
    assert "<" not in output
    assert html.unescape(re.sub(r"\\([\\`*_{}\[\]|~$#+\-)0-9.])", r"\1", output)) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`*\[\]]", output)


@pytest.mark.parametrize("line", ["# no heading", "- no list", "+ no list", "1. no list"])
def test_the_beginning_of_a_line_is_text_too(line: str) -> None:
    assert re.match(r"\\|\d\.?\\", escaped(line)) or escaped(line).startswith("\\")


def test_a_table_has_a_cell_for_every_cell() -> None:
    table = markdown_table(Table(("a|b", "n"), (("<script>", "1"), ("x | y", "2"))))
    lines = table.splitlines()
    assert lines[1] == "| :--- | ---: |"
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines)
    assert "<script>" not in table


def test_every_picture_is_there_and_has_an_alt_text(tmp_path: Path) -> None:
    document = documents.document(summaries.study(variants=("baseline", "l2")))
    path = write_markdown(document, tmp_path / "report.md")
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"!\[((?:\\.|[^\]])+)\]\(([^)]+)\)", text)
    assert len(links) == len(document.drawings)
    assert all((tmp_path / unquote(link)).is_file() for _, link in links)
    assert all(len(alt) > 20 for alt, _ in links)
    assert text.startswith("# ")
    assert "| baseline |" in text


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("result", [summaries.empty, summaries.running, summaries.diverged, summaries.hostile])
def test_every_state(result: object, tmp_path: Path) -> None:
    full = result is summaries.hostile  # where names stand in most places
    path = write_markdown(documents.document(result(), full=full), tmp_path / "my report.md")  # type: ignore[operator]
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.findall(r"<(?!br>)[a-z/]", text)
    if result is not summaries.empty:
        assert "](my%20report-figures/" in text
    if full:
        for name in summaries.hostile().classes[:4]:
            assert re.search(rf"^\| {re.escape(escaped(name))} \|", text, re.MULTILINE)  # in a table
        alts = re.findall(r"!\[((?:\\.|[^\]])+)\]\(", text)
        assert any(escaped("<script>alert(1)</script>") in alt for alt in alts)
        names = [unquote(link) for link in re.findall(r"\]\(([^)]+)\)", text)]
        assert not [name for name in names if set(name) & set("<>$\"'")]


def test_a_fence_is_longer_than_what_it_holds(tmp_path: Path) -> None:
    document = Document("t", "n", "finished", (), (Section("s", "S", write=lambda: (Code("a\n````\nb"),)),))
    assert "`````text\na\n````\nb\n`````" in write_markdown(document, tmp_path / "a.md").read_text()
