"""A flipped bit in a study's database is found or harmless; it never becomes a traceback."""

from __future__ import annotations

import contextlib
import json
import random
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import stores
from small_studies import points, small
from wellfit.errors import StoreUnreadableError, WellfitError
from wellfit.report.forms.freshness import check_page
from wellfit.report.forms.page import write_page
from wellfit.store import contents, manifest, open_existing
from wellfit.study.as_json import to_json
from wellfit.study.report_details import summary_and_details
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.status import read_status
from wellfit.study.summarize import summarize
from wellfit.study.verify import Verification, verify_study

TABLES = ("study", "runs", "epochs", "findings", "manifest")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("flipped") / "study"
    run_study(Session(small(3), points(), directory))
    return directory


def outcomes(directory: Path, flips: int, seed: int) -> dict[str, int]:
    """What reading the study says after each of some flips."""
    path, generator = directory / "study.db", random.Random(seed)
    whole = path.read_bytes()
    counts = {"refused": 0, "read": 0}
    try:
        for _ in range(flips):
            changed, bit = bytearray(whole), generator.randrange(8 * len(whole))
            changed[bit // 8] ^= 1 << bit % 8
            path.write_bytes(changed)
            for read in (lambda: json.dumps(to_json(summarize(directory), "1")), lambda: verify_study(directory)):
                try:
                    read()
                    counts["read"] += 1
                except WellfitError as error:
                    counts["refused" if str(error).isprintable() else "several lines"] += 1
    finally:
        path.write_bytes(whole)
    return counts


def test_no_flipped_bit_is_a_traceback(study: Path) -> None:
    counts = outcomes(study, flips=40, seed=0)
    assert min(counts.values()) > 0
    assert verify_study(study).problems == ()


@pytest.mark.slow
def test_none_of_thousands_of_flipped_bits_is_a_traceback(study: Path) -> None:
    assert sum(outcomes(study, flips=3000, seed=1).values()) == 6000


def unnoticed(directory: Path, flips: int, seed: int, *, written: bool) -> tuple[int, int]:
    """Flips that verify lets pass: all of them, and those that change anything that wellfit can read from the rows.

    Args:
      written: flip only in bytes that are not zero; most of the others belong to no row.
    """
    path, generator = directory / "study.db", random.Random(seed)
    whole, before = path.read_bytes(), content_of(directory, verify_study(directory))
    places = [i for i, byte in enumerate(whole) if byte or not written]
    passed = harmful = 0
    try:
        for _ in range(flips):
            changed = bytearray(whole)
            changed[generator.choice(places)] ^= 1 << generator.randrange(8)
            path.write_bytes(changed)
            with contextlib.suppress(WellfitError):
                verified = verify_study(directory)
                if not (verified.problems or check_page(summarize(directory), directory / "report.html")[0]):
                    passed += 1
                    harmful += content_of(directory, verified) != before
    finally:
        path.write_bytes(whole)
    return passed, harmful


def content_of(directory: Path, verified: Verification) -> tuple[object, ...]:
    """What ``show --json`` and verify print, and every row, from which together with the files all else follows."""
    dumped = [stores.rows(directory, f"SELECT * FROM {table}") for table in TABLES]
    return json.dumps(to_json(summarize(directory), "1")), verified, repr(dumped)


def test_no_flipped_bit_that_changes_anything_is_unnoticed(study: Path) -> None:
    write_page(*summary_and_details(study), study / "report.html")
    assert check_page(summarize(study), study / "report.html") == ((), ())
    passed, harmful = unnoticed(study, flips=24, seed=2, written=True)
    assert harmful == 0
    assert passed < 12  # in counters, and in what deleted rows left


@pytest.mark.slow
def test_none_of_thousands_of_flipped_bits_is_unnoticed(study: Path) -> None:
    write_page(*summary_and_details(study), study / "report.html")
    assert unnoticed(study, flips=3000, seed=3, written=True)[1] == 0
    passed, harmful = unnoticed(study, flips=3000, seed=4, written=False)
    assert harmful == 0
    assert passed < 2400  # pages of a small database are mostly empty


def test_a_flipped_bit_never_makes_a_manifest_none(study: Path) -> None:
    path = study / "study.db"
    whole = path.read_bytes()
    places = [i for word in (b"manifest", b"root") for i in found_at(whole, word)]
    assert len(places) > 20
    try:
        for place in places:
            for bit in range(8):
                changed = bytearray(whole)
                changed[place] ^= 1 << bit
                path.write_bytes(changed)
                with contextlib.suppress(WellfitError), open_existing(study) as store:
                    damaged = contents.damage(store.database) or manifest.differences(store.database)
                    assert damaged or manifest.state(store.database) == "written", (place, bit)
    finally:
        path.write_bytes(whole)


def found_at(content: bytes, word: bytes) -> list[int]:
    """The place of every byte of a word."""
    starts = [match.start() for match in re.finditer(re.escape(word), content)]
    return [start + i for start in starts for i in range(len(word))]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE runs SET state = 'fnished' WHERE seed = 0", r"the rows of the runs \(.*state 'fnished'\)"),
        ("UPDATE runs SET readout_epoch = 9 WHERE seed = 0", "read at epoch 9 of 3"),
        ("UPDATE runs SET scores = '[]' WHERE seed = 0", "the rows of the runs"),
        ("UPDATE runs SET recipe = '{' WHERE seed = 0", "the recipe of a run"),
        ("UPDATE runs SET test_loss = 'low' WHERE seed = 0", "the test scores of the runs"),
        ("UPDATE study SET value = '{\"name\": 3}' WHERE key = 'study'", "the study"),
        ("UPDATE findings SET level = 'loud'", "the findings"),
        ("UPDATE study SET value = '{' WHERE key LIKE 'note: %'", "cannot be read"),
    ],
)
def test_a_row_that_nobody_wrote_is_one_line(study: Path, tmp_path: Path, statement: str, words: str) -> None:
    copy = tmp_path / "study"
    shutil.copytree(study, copy)
    with closing(sqlite3.connect(copy / "study.db")) as connection, connection:
        assert connection.execute(statement).rowcount
    with pytest.raises(StoreUnreadableError, match=f"study.db: damaged: .*{words}"):
        summarize(copy)
    try:
        problems = [problem.file for problem in verify_study(copy).problems]
    except StoreUnreadableError:  # it cannot even be opened
        problems = ["study.db"]
    assert problems[:1] == ["study.db"]


def test_status_refuses_them_too(study: Path, tmp_path: Path) -> None:
    copy = tmp_path / "study"
    shutil.copytree(study, copy)
    with closing(sqlite3.connect(copy / "study.db")) as connection, connection:
        connection.execute("UPDATE runs SET state = 'fnished'")
    with pytest.raises(StoreUnreadableError, match="the rows of the runs"):
        read_status(copy)
