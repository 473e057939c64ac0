"""How commands print: wrapped, in ASCII where it must be, and never what steers a terminal."""

from __future__ import annotations

import json
import re
import sys
import warnings
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import wellfit
from wellfit.cli import output
from wellfit.cli.output import make_console, print_columns, print_json, print_paragraph

HOSTILE = "a\x1b[2J\x9b1m\u202eb\u200b\udc80\x7f"
SHOWN = r"a\x1b[2J\x9b1m\u202eb\u200b\udc80\x7f"


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


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_terminal_gets_lines_that_end_between_words(
    stream: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    show = output.print_sentence if stream == "stdout" else output.print_problem
    show("one line without a terminal, whatever its length")
    monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True)
    show("one line for --set a.b=well-fit and /a/path/that/is/longer/than/all")
    printed = getattr(capsys.readouterr(), stream[3:]).splitlines()
    assert printed == [
        "one line without a terminal, whatever its length",
        "one line for --set",
        "  a.b=well-fit and",
        "  /a/path/that/is/longer/than/all",
    ]


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "ä"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"name": "ä"}
    with pytest.raises(ValueError, match="JSON"):
        print_json(float("nan"))


def test_no_color_outside_of_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    make_console().print("text", style="bold")
    make_console(stderr=True).print("text", style="bold")
    assert capsys.readouterr() == ("text\n", "text\n")


def test_nothing_that_is_printed_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_line(f"{HOSTILE}\n")
    output.print_lines(f"{HOSTILE}\nb")
    output.print_problem(f"{HOSTILE}\n")
    print_columns([(HOSTILE, f"{HOSTILE}\nb")])
    print_paragraph(make_console(), HOSTILE)
    with output.printing_warnings(), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(HOSTILE, UserWarning, stacklevel=1)
    output.print_traceback(ValueError(HOSTILE))
    out, err = capsys.readouterr()
    assert out == f"{SHOWN}\\n\n{SHOWN}\nb\n  {SHOWN}  {SHOWN} b\n{SHOWN}\n"
    assert err == f"{SHOWN}\\n\nnote: {SHOWN}\nValueError: {SHOWN}\n"


def test_every_command_prints_through_this_module() -> None:
    """So that what is tested above holds for all of them."""
    folder = Path(wellfit.__file__).parent
    allowed = {"cli/output.py": "all", "ending.py": "its line", "cli/app.py": "the help"}
    found = {}
    for path in folder.rglob("*.py"):
        text = re.sub(r'""".*?"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        if re.search(r"typer\.echo\(|std(out|err)\.write\(|(?<![.\w])print\(|[^g]Console\(", text):
            found[path.relative_to(folder).as_posix()] = True
    inner = {"report/forms/notebook_helpers.py", "report/forms/notebook_progress.py", "report/forms/terminal_tables.py"}
    # cells of code; progress without names; a measure of widths
    assert set(found) == {*allowed, *inner}
