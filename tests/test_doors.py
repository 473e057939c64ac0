"""What comes from strangers: files that ask for too much, pipes and devices, and texts that would steer a terminal."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bombs import BOMBS, BYTES, SECONDS, answer
from commands import process
from wellfit import cli

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory and makes devices as Linux does")

USUAL = ("header.npz", "wide.xlsx", "gif-frames-huge", "zero.npz", "fifo.csv", "fifos.png")
"""Cheap ones of different kinds; all of them are read in the long tests."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in USUAL else pytest.mark.slow) for name in BOMBS]
)
def test_a_bomb_is_one_line(name: str, tmp_path: Path) -> None:
    got = answer(BOMBS[name](tmp_path))
    assert not got.text.startswith("BUG"), got
    assert got.text.isprintable()
    assert got.errors == ""
    assert got.seconds < SECONDS
    assert got.peak < BYTES


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b1m\u202egnp\u2066\u200b"
"""It sets the title, clears the screen, and reverses what follows."""

BAD = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), *"\u202e\u2066\u200b\u2028"} - {"\n"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study file, a table, and folders of images, with such names and cells."""
    from PIL import Image

    place = tmp_path_factory.mktemp("hostile")
    escaped = json.dumps(HOSTILE)[1:-1]
    (place / "study.toml").write_text(
        f'title = "{escaped}"\ndescription = "{escaped}"\n[data]\nname = "digits"\n[train]\nepochs = 1\n'
        f'[variants.baseline]\n[variants."{escaped}"]\nl2 = 1e-3\n',
        encoding="utf-8",
    )
    (place / "title.toml").write_text(f'title = "{escaped}"\n[data]\nname = "digits"\n', encoding="utf-8")
    (place / "unknown.toml").write_text(f'"{escaped}" = "{escaped}"\n', encoding="utf-8")
    rows = "".join(f"{at},{at % 7},{'ab'[at % 2]}{HOSTILE}\n" for at in range(60))
    (place / f"{HOSTILE.replace('/', '')}.csv").write_text(f"a{HOSTILE},b{HOSTILE},label{HOSTILE}\n{rows}")
    (place / "bad.csv").write_text(f'a,label\n1,x\n{HOSTILE},y\n"{HOSTILE}\n')
    random = np.random.default_rng(0)
    for name in "ab":
        folder = place / "images" / f"{name}{HOSTILE}"
        folder.mkdir(parents=True)
        for at in range(12):
            Image.fromarray(random.integers(0, 255, (8, 8), np.uint8)).save(folder / f"{HOSTILE}{at}.png")
        (folder / f"{HOSTILE}.png").write_bytes(b"no image")
    return place


Call = Callable[..., str]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Call the command in this process; what it printed on both streams."""
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", ["wellfit", *map(str, arguments)])
        with pytest.raises(SystemExit):
            cli.main()
        return "".join(capfd.readouterr())

    return call


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Name -> what is there: a pipe, a socket, a device if this user may make one, and a file; all in this folder."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("socket")
    Path("plain").write_text("x = \n")
    Path("table.csv").write_text("a,label\n" + "1,x\n2,y\n" * 30)
    found = {"pipe": "a pipe", "socket": "a socket", "plain": "a file"}
    with contextlib.suppress(PermissionError):
        os.mknod("device", 0o666 | stat.S_IFCHR, os.makedev(1, 5))  # a copy of /dev/zero
        found["device"] = "a device"
    return found


def one_problem(text: str) -> str:
    """The only line that a command printed, without its beginning."""
    (line,) = text.splitlines()
    return line.removeprefix("wellfit: ")


def test_each_command_says_what_is_where_it_needs_a_directory(places: dict[str, str], said: Call) -> None:
    for name, what in places.items():
        for command in (("show", name), ("verify", name), ("report", name), ("merge", name, "b", "--out", "c")):
            got = one_problem(said(*command))
            assert got == f"{name}: {what}, not a study directory; give the path of the directory"
        assert one_problem(said("run", "--out", name)) == f"{name}: {what}, not a directory; choose another --out"
        assert one_problem(said("ui", name)).startswith(f"{name}: {what}, not a directory; ")
        assert one_problem(said("merge", "a", "b", "--out", name)).startswith(f"{name}: already exists; ")


@pytest.mark.parametrize("variable", ["WELLFIT_DATA", "WELLFIT_CACHE"])
def test_a_variable_that_names_no_folder_is_one_line(
    places: dict[str, str], said: Call, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("WELLFIT_DATA", "")
    for name, what in places.items():
        monkeypatch.setenv(variable, name)
        got = one_problem(said("data", "info", "mnist"))
        assert got == f"{variable} = '{name}': {what}, not a folder; give the path of a folder, or unset it"


def test_pipes_and_devices_are_never_read(places: dict[str, str], said: Call) -> None:
    for name, what in places.items():
        if what == "a file":
            continue
        line = f"{what}, not a file; copy what it gives to a file"
        assert one_problem(said("plan", name)) == f"{name}: {line}"
        assert one_problem(said("audit", name)) == f"{name}: {line}"
        assert one_problem(said("plan", "--data", name)) == f"{name}: {line}"
        for key in ("test_file", "validation_file"):
            got = one_problem(said("audit", "table.csv", "--set", f"data.{key}={name}"))
            assert got == f'[data] {key} = "{name}": {line}'


def test_no_picture_replaces_a_pipe(said: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.png")
    assert (
        one_problem(said("look", "--out", "pipe.png")) == "pipe.png: a pipe, not a file; choose another file with --out"
    )
    assert stat.S_ISFIFO(os.stat("pipe.png").st_mode)


def test_a_path_in_other_bytes_than_utf8_is_one_line(said: Call, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"caf\xe9")
    table = Path(f"{name}.csv")
    table.write_text("a,label\n" + "1,x\n2,y\n" * 30)
    fix = "the name is not UTF-8; rename the file or folder"
    assert one_problem(said("plan", "--data", table)) == f"--data caf\\udce9.csv: {fix}"
    assert one_problem(said("audit", table)) == f"data caf\\udce9.csv: {fix}"
    assert one_problem(said("audit", "digits", "--set", f"data.test_file={table}")).endswith(
        "must be text in UTF-8; if it is a path, rename the file or folder"
    )
    for command in (("show", name), ("verify", name), ("report", name), ("run", "--out", name)):
        assert one_problem(said(*command)) == "caf\\udce9: not a name in UTF-8; choose another name or --out"


def test_what_a_command_quotes_is_escaped_once(said: Call) -> None:
    for name, shown in {
        "\x1b[31mq": "'\\x1b[31mq'",
        "it's": '"it\'s"',
        'a"b': "'a\"b'",
        "a'b\"c\\": "'a\\'b\"c\\\\'",
        "\u202eq": "'\\u202eq'",
    }.items():
        assert one_problem(said(name)).startswith(f"unknown command {shown}")
        assert one_problem(said("data", name)).startswith(f"unknown command {shown}")
        assert one_problem(said("list", name)).startswith(f"unknown study {shown}")


def assert_harmless(text: str) -> None:
    assert text
    assert not BAD & set(text), sorted(BAD & set(text))


def test_no_name_or_cell_steers_the_terminal(hostile: Path, said: Call, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = next(hostile.glob("*owned*.csv"))
    for arguments in (
        ("plan", hostile / "title.toml", "--full"),
        ("plan", hostile / "study.toml"),
        ("model", hostile / "study.toml"),
        ("plan", hostile / "unknown.toml"),
        ("plan", "--set", f"train.{HOSTILE}=1"),
        ("plan", HOSTILE),
        ("list", HOSTILE),
        ("new", HOSTILE),
        (HOSTILE,),
        ("show", f"--{HOSTILE}"),
        ("show", tmp_path / HOSTILE),
        ("verify", tmp_path / HOSTILE),
        ("audit", table),
        ("audit", table, "--json"),
        ("data", "info", table),
        ("data", "info", hostile / "images"),
        ("data", "info", hostile / "images", "--set", "data.skip_corrupt=true"),
        ("audit", hostile / "images", "--set", "data.skip_corrupt=true"),
        ("audit", hostile / "bad.csv"),
        ("look", "--data", hostile / "images", "--set", "data.skip_corrupt=true", "--out", HOSTILE),
    ):
        assert_harmless(said(*arguments))


def test_no_text_of_a_study_steers_the_terminal(hostile: Path, said: Call, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("wellfit.spec.study.check_name", lambda *_: None)  # as a stranger would
    study = tmp_path / "study"
    small = ("--seeds", "2", "--set", "data.train_share=0.1", "--set", "model.hidden=[4]")
    assert_harmless(said("run", hostile / "study.toml", *small, "--out", study))
    for arguments in (
        ("show", study),
        ("show", study, "--full"),
        ("show", study, "--json"),
        ("verify", study),
        ("report", study, "--format", "md", "--out", tmp_path / "report.md"),
        ("merge", study, study, "--out", tmp_path / "merged"),
    ):
        assert_harmless(said(*arguments))
    assert "\\x1b]0;owned" in said("show", study, "--full")
    assert not BAD & set((tmp_path / "report.md").read_text(encoding="utf-8"))


def test_in_a_terminal_there_are_only_codes_of_wellfit(hostile: Path) -> None:
    """In a terminal of its own, with the colors."""
    reading, writing = pty.openpty()
    try:
        running = process("plan", hostile / "title.toml", stdout=writing, stderr=writing)
        running.wait(timeout=120)
        os.close(writing)
        content = b""
        try:
            while chunk := os.read(reading, 1 << 16):
                content += chunk
        except OSError:  # the end of a terminal
            pass
    finally:
        os.close(reading)
    text = content.decode()
    assert "\\x1b]0;owned" in text
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text
    assert not (BAD - {"\x1b", "\r"}) & set(text)
