"""Pages of the documentation whose commands can be run: files, commands, and what they print.

- A block with a title is a file: three backticks, ``toml title="study.toml"``, or ``python title="make.py"``.
- A block ``console`` holds commands, each after ``$``, and below them what they print. ``...`` stands for anything, and
  line breaks do not count, since they depend on the terminal. Durations and amounts of memory do not count either.

``python tests/pages.py docs/tutorial.md`` runs a page and prints all that its commands print, and what the page shows
but they do not print. With ``--loose``, numbers with decimals do not count either: their last digits depend on the
machine.
"""

from __future__ import annotations

import io
import os
import re
import runpy
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.M | re.S)
CHANGING = re.compile(r"\b(?:about |[\d.]+ to )?\d[\d.,]*( |\u00a0)?(s|min|h|hours?|minutes?|seconds?|MB|GB)\b")


DECIMALS = re.compile(r"[−-]?\d+\.\d+")


class Command(NamedTuple):
    """A command of a page, and what the page shows of its output."""

    line: str
    shown: str


def write_files(page: str, folder: Path) -> None:
    """Write the files that the page holds."""
    for _, title, text in BLOCK.findall(page):
        if title:
            (folder / title).write_text(text)


def commands(page: str) -> Iterator[Command]:
    """The commands of a page, in order."""
    for kind, _, text in BLOCK.findall(page):
        if kind == "console":
            for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
                line, _, shown = part.partition("\n")
                yield Command(line, shown)


def printed(line: str, folder: Path) -> str:
    """Run ``wellfit ...`` or ``python FILE`` in this process; what it prints, errors included."""
    from wellfit.cli import main

    program, *arguments = shlex.split(line, comments=True)
    out, before = io.StringIO(), sys.argv
    sys.argv = [program, *arguments]
    try:
        with chdir(folder), redirect_stdout(out), redirect_stderr(out):
            if program == "python":
                runpy.run_path(arguments[0], run_name="__main__")
            else:
                assert program == "wellfit", line
                main()
    except SystemExit:
        pass
    finally:
        sys.argv = before
    return out.getvalue()


def missing(command: Command, output: str, loose: bool = False) -> str | None:
    """The first part of what the page shows that the output lacks, in this order; None if it has all."""
    rest = _plain(output, loose)
    for part in re.split(r"^ *\.\.\. *$", command.shown, flags=re.M):
        wanted = _plain(part, loose)
        found = rest.find(wanted)
        if found < 0:
            return part.strip()
        rest = rest[found + len(wanted) :]
    return None


def _plain(text: str, loose: bool) -> str:
    text = CHANGING.sub("#", text)
    return re.sub(r"\s+", " ", DECIMALS.sub("#", text) if loose else text).strip()


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "100")
    loose, text = "--loose" in sys.argv, Path(sys.argv[-1]).read_text()
    with tempfile.TemporaryDirectory() as name:
        write_files(text, Path(name))
        for command in commands(text):
            output = printed(command.line, Path(name))
            lacking = missing(command, output, loose)
            print(f"$ {command.line}\n{output}" + (f"!!! lacks: {lacking}\n" if lacking else ""))
