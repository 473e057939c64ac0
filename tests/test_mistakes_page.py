"""The eleven mistakes: every command of the page, run on the digits, prints what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import faults
import pages

PAGE = Path(__file__).parents[1] / "docs" / "mistakes.md"
MISTAKES = 11
COMMANDS = 17


def test_every_mistake_has_symptom_and_answer_and_its_row() -> None:
    text = PAGE.read_text()
    sections = re.split(r"^## (?=\d)", text, flags=re.M)[1:]
    assert [int(section.split(".")[0]) for section in sections] == list(range(1, MISTAKES + 1))
    assert all("**Symptom.**" in section and "**wellfit.**" in section for section in sections)
    titles = re.findall(r"^## (\d.*)$", text, re.M)
    anchors = [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]
    assert [anchor for anchor in anchors if f"](#{anchor})" not in text] == []


def test_the_commands_print_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.report.forms.page.render_page", faults.short_page)
    text = PAGE.read_text()
    pages.write_files(text, tmp_path)
    commands = list(pages.commands(text))
    assert len(commands) == COMMANDS
    kept: dict[str, str] = {}
    for command in commands:
        again = command.line.startswith("wellfit show") and command.line in kept
        output = kept[command.line] if again else pages.printed(command.line, tmp_path)
        kept[command.line] = output
        assert pages.missing(command, output) is None, f"$ {command.line}\n{output}"


def test_a_page_that_shows_something_else_is_found_out() -> None:
    (command,) = pages.commands("```console\n$ wellfit plan\none\n...\nthree 5 s\n```\n")
    assert command.line == "wellfit plan"
    assert pages.missing(command, "one two\nthree 7 s") is None
    assert pages.missing(command, "three 7 s one") == "three 5 s"
    assert pages.missing(command, "two three 5 s") == "one"
