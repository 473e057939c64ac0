"""A fault at every point of every command: nothing is lost, nothing is left over, one line is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import wellfit
from saved_runs import posix

FAULTS = Path(__file__).with_name("faults.py")
EACH = 6
"""Faults of each command in the usual run: a seeded sample of 60."""


def environment() -> dict[str, str]:
    """The environment of the harness."""
    places = [str(FAULTS.parent), str(Path(wellfit.__file__).parents[1])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)}


def tried(place: Path, *arguments: str) -> list[dict[str, Any]]:
    """What the harness reports, a case each; in a process of its own, which can fork because it has no devices."""
    command = [sys.executable, str(FAULTS), str(place), *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(case["faults"].items()))
        print(f"{case['name']}: {case['points']} points; tried {counts}; {len(case['failed'])} failed")  # noqa: T201
    assert [failed for case in cases for failed in case["failed"]] == []


@posix
def test_a_sample_of_faults(tmp_path: Path) -> None:
    cases = tried(tmp_path, "--sample", str(EACH))
    check(cases)
    assert sum(sum(case["faults"].values()) for case in cases) >= 60
    assert {kind for case in cases for kind in case["faults"]} == {"kill", "torn", "ENOSPC", "EIO", "EACCES"}


@posix
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["run", "more seeds", "more epochs", "fresh", "until decided", "merge", "judge", "report", "verify", "show"]
)
def test_every_fault(name: str, tmp_path: Path) -> None:
    (case,) = tried(tmp_path, "--cases", name)
    check([case])
    assert sum(case["faults"].values()) >= case["points"]


@posix
def test_the_harness_finds_what_is_wrong(tmp_path: Path) -> None:
    """Where a merge leaves alone what a killed one has left, the harness says so."""
    code = (
        "import sys, faults; from wellfit.study import beside\n"
        "beside.abandoned = lambda out: ()\n"
        f"sys.argv = ['faults', {str(tmp_path)!r}, '--cases', 'merge', '--sample', '4']\n"
        "faults.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    failed = json.loads(done.stdout)["failed"]
    assert failed
    assert all("left over: .study." in line for line in failed)
