"""How commands print."""

from __future__ import annotations

import json
import sys
from io import StringIO

import pytest
from rich.console import Console

from wellfit.cli.options import make_console, print_columns, print_json, print_paragraph, typed_command


def test_columns_are_wrapped_beside_their_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_columns([("a", "one two three four five six seven eight"), ("longer", "")])
    assert capsys.readouterr().out.splitlines() == [
        "  a       one two three four five six",
        "          seven eight",
        "  longer  ",
    ]


def test_paragraphs_keep_markup_and_wrap_between_words() -> None:
    console = Console(file=StringIO(), width=12)
    print_paragraph(console, "[bold]is text here", "dim")
    assert console.file.getvalue() == "[bold]is\ntext here\n"  # type: ignore[attr-defined]


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "ä"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"name": "ä"}
    with pytest.raises(ValueError, match="JSON"):
        print_json(float("nan"))


def test_the_typed_command_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/wellfit", "run", "my study.toml", "--seeds", "3"])
    assert typed_command() == "wellfit run 'my study.toml' --seeds 3"


def test_no_color_outside_of_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    make_console().print("text", style="bold")
    make_console(stderr=True).print("text", style="bold")
    assert capsys.readouterr() == ("text\n", "text\n")
