"""Every command and every line of code in docs/practitioner.md, run in order, and what it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "practitioner.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)


def plain(text: str) -> str:
    """A text whose spaces are single and whose numbers are one sign: they may differ from machine to machine."""
    return " ".join(re.sub(r"\d[\d.,]*", "#", text).split())


def assert_printed(command: str, shown: str, printed: str) -> None:
    """All that is shown was printed, in order."""
    rest = plain(printed)
    for part in shown.split("...\n"):
        found = rest.find(plain(part))
        assert found >= 0, f"{command}\nshown: {part}\nprinted: {printed}"
        rest = rest[found + len(plain(part)) :]


def run(command: str, folder: Path) -> str:
    """What a command prints; nothing but the question for the label fails."""
    executable = f"{sys.executable} -W error -m wellfit.cli"
    command = re.sub(r"^wellfit\b", executable, command).replace("python docs", f"{sys.executable} {ROOT}/docs")
    done = subprocess.run(
        command, shell=True, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "200"}, check=False,
    )  # fmt: skip
    assert done.returncode == (2 if " data info " in command else 0), done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_page_is_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WELLFIT_CACHE", str(tmp_path / "cache"))
    found: list[dict[str, Any]] = []
    for kind, content in BLOCKS:
        if kind == "toml":
            (tmp_path / content.split()[1]).write_text(content, encoding="utf-8")
        elif kind == "console":
            for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", content, re.M):
                assert_printed(command, shown, run(command, tmp_path))
        else:
            found.append({})
            exec(content, found[-1])
    for names, file in zip(found, ("predictions.csv", "digits.csv"), strict=True):
        table = pd.read_csv(file, dtype={"class": str})
        assert names["labels"].tolist() == table["class"].tolist()
        np.testing.assert_allclose(names["probabilities"].max(axis=1), table["probability"], atol=1e-5)
