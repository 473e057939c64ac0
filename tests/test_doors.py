"""What comes from strangers: files that ask for too much, pipes and devices, and texts that would steer a terminal."""

from __future__ import annotations

import json
import os
import pty
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
