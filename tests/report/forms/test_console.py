"""The console shows what would steer a terminal, in texts and in cells, and keeps its own codes and widths."""

from __future__ import annotations

from io import StringIO

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from wellfit.report.forms.console import EscapingConsole
from wellfit.report.forms.training_progress import progress_bar

HOSTILE = "a\x1b]0;t\x9b2J\u2066\u200b"
SHOWN = r"a\x1b]0;t\x9b2J\u2066\u200b"


def printed(*parts: object, **settings: object) -> str:
    file = StringIO()
    console = EscapingConsole(file=file, width=60, **settings)  # type: ignore[arg-type]
    for part in parts:
        console.print(part)
    return file.getvalue()


def test_texts_cells_and_styles() -> None:
    table = Table("name", "b")
    table.add_row(Text(HOSTILE), "1")
    table.add_row("plain", "2")
    out = printed(HOSTILE, Text(HOSTILE, style="bold"), table)
    assert out.count(SHOWN) == 2
    assert SHOWN[:7] in out.splitlines()[5]  # a cell is cut to the width of its column
    assert all(c.isprintable() or c == "\n" for c in out)
    assert len({cell_len(line) for line in out.splitlines()[3:7]}) <= 2  # columns in line


def test_its_own_codes_stay() -> None:
    out = printed(Text(HOSTILE, style="bold"), force_terminal=True, color_system="standard")
    assert out == f"\x1b[1m{SHOWN}\x1b[0m\n"
    file = StringIO()
    with progress_bar(EscapingConsole(file=file, force_terminal=True, width=60)) as bar:
        bar.add_task(HOSTILE.replace("[", ""), total=1)
    assert "\x1b]0;" not in file.getvalue()
    assert "\x1b[?25l" in file.getvalue()


def test_emoji_and_scripts_stay() -> None:
    text = "e\u0301 \U0001f469\u200d\U0001f52c \u0915\u094d\u200d\u0937 \u0645\u06cc\u200c\u062e \u732b"
    assert printed(text) == f"{text}\n"
