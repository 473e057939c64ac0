"""Faults at every point where a command touches the disk, and what is left of a study after each.

Usage: python faults.py DIRECTORY [--cases NAME ...] [--sample N] [--seed N] [--seconds N] [--part I/N]; a line of JSON
a case, and on standard error what fails, when it fails, and how far it is.

The points are those of ``faulty_disk``. The process has imported everything and forks for each command; training is
pretended (see ``pretended``).
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import io
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import typer.main

import kills
import pretended
import stores
from faulty_disk import ERRORS, KILL, READING, TORN, Disk, Fault, install
from wellfit import cli
from wellfit.base import StudyDetails, StudySummary
from wellfit.errors import WellfitError
from wellfit.report.forms import page
from wellfit.report.forms.freshness import UNSEALED, page_record, sealed
from wellfit.study.verify import verify_study


@dataclass(frozen=True)
class Ended:
    """A forked command: its exit status (negative: the signal), what it printed, its points."""

    status: int
    out: str
    err: str
    points: tuple[str, ...]


def command(place: Path, arguments: Sequence[str], fault: Fault | None = None) -> Ended:
    """Run a command in a fork of this process, in a folder."""
    told = place.parent / f"{place.name}.told"
    told.mkdir(exist_ok=True)
    child = os.fork()
    if not child:
        status = 70
        try:
            os.chdir(place)
            for number, name in ((1, "out"), (2, "err")):
                os.dup2(os.open(told / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
            sys.argv = ["wellfit", *arguments]
            disk = Disk(place, fault)
            install(disk)
            try:
                cli.main()
            except SystemExit as ended:
                status = int(ended.code or 0)
            sys.stdout.flush()
            (told / "points").write_text(json.dumps(disk.points))
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError):
                sys.stderr.flush()
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    points = json.loads((told / "points").read_text()) if (told / "points").exists() else []
    ended = Ended(status, (told / "out").read_text(), (told / "err").read_text(), tuple(points))
    shutil.rmtree(told)
    return ended


@dataclass(frozen=True)
class Case:
    """A command under faults.

    Args:
      before: the commands that make its folder.
      arguments: of the command.
      study: the directory that it writes, in its folder.
      replaces: whether runs that are in it before may be trained again.
      reads: whether it must not write at all.
    """

    name: str
    before: tuple[tuple[str, ...], ...]
    arguments: tuple[str, ...]
    study: str = "study"
    replaces: bool = False
    reads: bool = False


_RUN: Final = ("run", "study.toml", "--out", "study")
_TWO: Final = (*_RUN, "--seeds", "2")
_PARTS: Final = tuple(
    ("run", "study.toml", "--out", out, "--set", f"train.seeds=[{seed}]") for out, seed in (("a", 0), ("b", 1))
)
CASES: Final = (
    Case("run", (), _TWO),
    Case("more seeds", (_TWO,), (*_RUN, "--seeds", "3")),
    Case("more epochs", (_TWO,), (*_TWO, "--epochs", "3"), replaces=True),
    Case("fresh", ((*_TWO, "--epochs", "3"),), (*_TWO, "--fresh"), replaces=True),
    Case("until decided", (), (*_RUN, "--until-decided", "--max-seeds", "4")),
    Case("merge", _PARTS, ("merge", "a", "b", "--out", "study")),
    Case("judge", (), ("judge", "scores.csv", "--out", "study")),
    Case("report", (_TWO,), ("report", "study")),
    Case("verify", (_TWO,), ("verify", "study"), reads=True),
    Case("show", (_TWO,), ("show", "study"), reads=True),
)

_STUDY: Final = """
name = "faults"
[data]
name = "points.csv"
[model]
hidden = [4]
[train]
epochs = 2
batch_size = 16
[variants]
plain = {}
l2 = { l2 = 0.1 }
wide = { model = { hidden = [5] } }
"""


def warm(place: Path) -> None:
    """Run every kind of command in this process, so that its forks import and compute nothing that they can share."""
    write_inputs(place)
    arguments = sys.argv
    with contextlib.chdir(place), contextlib.redirect_stdout(io.StringIO()):
        for of in (*_PARTS, *(case.arguments for case in CASES if case.name in ("merge", "judge", "verify", "show"))):
            sys.argv = ["wellfit", *of]
            with contextlib.suppress(SystemExit):
                cli.main()
    sys.argv = arguments


def prepare(case: Case, place: Path) -> None:
    """Make the folder that a case begins with."""
    write_inputs(place)
    for arguments in case.before:
        ended = command(place, arguments)
        assert ended.status == 0, ended


def write_inputs(place: Path) -> None:
    """Write the study file and its data."""
    place.mkdir(parents=True)
    numbers = random.Random(0)
    lines = [f"{numbers.random():.3f},{numbers.random():.3f},{numbers.random():.3f},{i % 2}" for i in range(60)]
    (place / "points.csv").write_text("\n".join(["x,y,z,label", *lines, ""]))
    (place / "study.toml").write_text(_STUDY)
    scores = [f"{variant},{seed},{0.8 + 0.01 * seed}" for variant in ("plain", "l2") for seed in range(3)]
    (place / "scores.csv").write_text("\n".join(["variant,seed,accuracy", *scores, ""]))


def held(directory: Path) -> set[tuple[str, int]]:
    """The runs in a study directory."""
    if not (directory / "study.db").exists():
        return set()  # connecting would create it
    try:
        return set(stores.rows(directory, "SELECT variant, seed FROM runs"))
    except sqlite3.Error:
        return set()


def names(place: Path) -> set[str]:
    """Everything below a folder."""
    return {path.relative_to(place).as_posix() for path in place.rglob("*")}


@dataclass
class Tried:
    """The faults of a case: its points, the number of faults of each kind, and what went wrong."""

    name: str
    points: int
    faults: Counter[str]
    failed: list[str]


def whole(case: Case, place: Path, expected: dict[str, Any], tree: set[str], verified: bool = True) -> list[str]:
    """What distinguishes a folder from the uninterrupted one."""
    wrong = []
    if (place / case.study / "study.db").exists():
        try:
            found = kills.outcome(place / case.study)
            found["files"] = {name: of for name, of in found["files"].items() if f"{case.study}/{name}" in tree}
            if found != expected:  # a file too many is left over, see below
                wrong.append("other bits")
            problems = verify_study(place / case.study).problems if verified else ()
            wrong += [f"verify: {problem}" for problem in problems]
        except (sqlite3.Error, WellfitError) as error:
            wrong.append(f"unreadable: {error}")
    else:
        wrong.append("no study")
    if left := names(place) - tree:
        wrong.append(f"left over: {', '.join(sorted(left)[:4])}")
    if gone := tree - names(place):
        wrong.append(f"missing: {', '.join(sorted(gone)[:4])}")
    return wrong


def judged(case: Case, fault: Fault, ended: Ended) -> list[str]:
    """What is wrong with how a command ended after a fault."""
    if fault.kind in (KILL, TORN):
        return [] if ended.status == -signal.SIGKILL else [f"not killed but {ended.status}: {ended.err}"]
    wrong = []
    if ended.status not in (0, 2) or "Traceback" in ended.err:
        wrong.append(f"status {ended.status}: {ended.err[-1500:]}")
    elif ended.status == 2 and (ended.err.count("\n") != 1 or not ended.err.startswith("wellfit: ")):
        wrong.append(f"not one line: {ended.err[-1500:]}")
    if "--fresh" in ended.err:
        wrong.append(f"advises --fresh: {ended.err}")
    return wrong


def attempt(case: Case, begin: Path, place: Path, fault: Fault, expected: dict[str, Any], tree: set[str]) -> list[str]:
    """Make one fault, continue, compare; what went wrong."""
    shutil.copytree(begin, place, symlinks=True)
    before = held(place / case.study)
    ended = command(place, case.arguments, fault)
    wrong = judged(case, fault, ended)
    if not case.replaces and (lost := before - held(place / case.study)):
        wrong.append(f"lost {sorted(lost)}")
    if ended.status == 0:
        wrong += [
            f"although it succeeded: {what}" for what in whole(case, place, expected, tree, False) if "left" not in what
        ]
    finished = case.name in ("merge", "judge") and (place / case.study).exists()
    kept = held(place / case.study)
    arguments = ("report", case.study) if finished else tuple(a for a in case.arguments if a != "--fresh" or not kept)
    again = command(place, case.arguments if case.name == "fresh" else arguments)
    if again.status:
        wrong.append(f"not continued: {again.status} {again.err[-1500:]}")
    wrong += whole(case, place, expected, tree)
    shutil.rmtree(place)
    return wrong


def kinds(point: str) -> tuple[str, ...]:
    """The faults that are possible at a point. A kill where something is read is that at the next point."""
    what, name = point.split(" ", 1)
    if what == "sql" and name.startswith(READING):
        return ("EIO", "EACCES") if name == "connect" else ("EIO",)
    return (KILL, *([TORN] if what == "write" else []), *ERRORS)


def try_case(
    case: Case, place: Path, sample: int | None, chosen: random.Random, seconds: float, part: tuple[int, int] = (1, 1)
) -> Tried:
    """Make the faults of a case, all, a sample or a part, and no further ones when the time is over."""
    end = time.monotonic() + seconds
    begin = place / "begin"
    prepare(case, begin)
    done = place / "done"
    shutil.copytree(begin, done)
    first = command(done, case.arguments)
    assert first.status == 0, first
    expected, tree = kills.outcome(done / case.study), names(done)
    writes = [point for point in first.points if not point.startswith(tuple(f"sql {word}" for word in READING))]
    tried = Tried(case.name, len(first.points), Counter(), [])
    if case.reads and (changes := [p for p in writes if not p.startswith("sql BEGIN") and p != "sql COMMIT"]):
        tried.failed.append(f"{case.name}: it writes: {changes}")
    faults = [Fault(number, kind) for number, point in enumerate(first.points) for kind in kinds(point)]
    if sample is not None:
        chosen.shuffle(faults)
        turn: Counter[str] = Counter()  # the kinds in turn, because torn writes are few
        turns = {fault: turn.update([fault.kind]) or turn[fault.kind] for fault in faults}
        faults = sorted(faults, key=lambda fault: turns[fault])[:sample]
    faults = faults[part[0] - 1 :: part[1]]
    for i, fault in enumerate(faults):
        if time.monotonic() > end:
            break
        wrong = attempt(case, begin, place / str(i), fault, expected, tree)
        tried.faults[fault.kind] += 1
        if wrong:
            shutil.rmtree(place / str(i), ignore_errors=True)
            where = f"{case.name}, point {fault.point} ({first.points[fault.point]}), {fault.kind}"
            tried.failed.append(f"{where}: {'; '.join(wrong)}")
            print(tried.failed[-1], file=sys.stderr, flush=True)
        if i % 100 == 99:
            print(f"{case.name}: {i + 1} of {len(faults)} faults", file=sys.stderr, flush=True)
    return tried


def short_page(summary: StudySummary, details: StudyDetails) -> str:
    """A page without its figures, which take most of the time and no part of this."""
    record = json.dumps(page_record(summary)).replace("<", "\\u003c")
    return sealed(
        f'<meta name="generator" content="wellfit"><meta name="wellfit-page" content="{UNSEALED}">'
        f'<script type="application/json" id="wellfit-record">{record}</script>'
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--cases", nargs="*", default=[case.name for case in CASES])
    parser.add_argument("--sample", type=int, help="so many faults of each case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for each case")
    parser.add_argument("--part", default="1/1", help="the I-th of N parts of the faults of each case")
    given = parser.parse_args()
    part, parts = (int(number) for number in given.part.split("/"))
    pretended.install()
    page.render_page = short_page
    typer.main.get_command = functools.cache(typer.main.get_command)  # the same in every fork
    metadata.version = functools.cache(metadata.version)
    warm(given.directory / "warm")
    gc.collect()
    gc.freeze()  # so that the forks share its memory
    for case in CASES:
        if case.name in given.cases:
            place = given.directory / case.name.replace(" ", "-")
            tried = try_case(case, place, given.sample, random.Random(given.seed), given.seconds, (part, parts))
            sys.stdout.write(json.dumps(vars(tried)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
