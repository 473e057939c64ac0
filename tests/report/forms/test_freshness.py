"""A page notices every change of itself, and knows which numbers it was made from."""

from __future__ import annotations

import json
import math
import os
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wellfit.base import StudySummary
from wellfit.report.forms import freshness
from wellfit.report.forms.freshness import UNSEALED, check_page, sealed, unchecked_reports
from wellfit.report.forms.page import write_page
from wellfit.study.report_details import summary_and_details
from wellfit.study.summarize import summarize

CHANGED = "was changed after wellfit wrote it"


def changed(summary: StudySummary, **values: Any) -> StudySummary:
    """The study with other values in its first run."""
    first, *others = summary.variants
    run, *runs = first.runs
    return replace(summary, variants=(replace(first, runs=(replace(run, **values), *runs)), *others))


def resealed(page: Path, old: str, new: str) -> None:
    """Change a page as one who knows how its hash is made."""
    text = page.read_text(encoding="utf-8")
    assert old in text
    text = re.sub('(?<=name="wellfit-page" content=")[0-9a-f]{64}', UNSEALED, text).replace(old, new)
    page.write_bytes(sealed(text).encode())


def problems(directory: Path) -> list[str]:
    found, notes = check_page(summarize(directory), directory / "report.html")
    assert notes == ()
    return [problem.what for problem in found]


def test_a_new_page_is_up_to_date(study_copy: Path) -> None:
    page = study_copy / "report.html"
    assert check_page(summarize(study_copy), page) == ((), ())
    write_page(*summary_and_details(study_copy), page)
    assert check_page(summarize(study_copy), page) == ((), ())
    assert check_page(summarize(study_copy), study_copy / "none.html") == ((), ())


# --- Changes of the page


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("undecided", "better"),
        ("0.001", "0.5"),
        ("<title>", "<title>No: "),
        ('name="wellfit-page"', 'name="other"'),
        ('id="wellfit-record"', 'id="other"'),
        ("</html>", ""),
        ("</html>", "</html>\n<!-- -->"),
    ],
)
def test_a_change_is_noticed(old: str, new: str, study_copy: Path) -> None:
    page = study_copy / "report.html"
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")
    assert problems(study_copy) == [CHANGED]


def flipped(page: Path, summary: StudySummary, places: Any, seed: int) -> tuple[int, int]:
    """Flip a bit of some bytes; how many flips there were, and how many went unnoticed."""
    whole, generator, tried, unnoticed = page.read_bytes(), random.Random(seed), 0, 0
    for place in places:
        content = bytearray(whole)
        content[place] ^= 1 << generator.randrange(8)
        page.write_bytes(content)
        tried += 1
        unnoticed += not check_page(summary, page)[0]
    page.write_bytes(whole)
    return tried, unnoticed


def test_a_flipped_bit_is_noticed(study_copy: Path) -> None:
    page, generator = study_copy / "report.html", random.Random(0)
    size = page.stat().st_size
    head = page.read_bytes().index(b'<meta name="wellfit-page"')
    record = page.read_bytes().index(b'<script type="application/json" id="wellfit-record">')
    places = [*range(head, head + 101, 4), *range(record, record + 60, 4), *generator.choices(range(size), k=15)]
    assert flipped(page, summarize(study_copy), places, seed=0) == (56, 0)


@pytest.mark.slow
def test_thousands_of_flipped_bits_are_noticed(study_copy: Path) -> None:
    page = study_copy / "report.html"
    places = random.Random(1).sample(range(page.stat().st_size), 5000)
    assert flipped(page, summarize(study_copy), places, seed=1) == (5000, 0)


@pytest.mark.parametrize("size", [0, 50, 2000, 1_000_000])
def test_a_torn_page_is_noticed(size: int, study_copy: Path) -> None:
    page = study_copy / "report.html"
    page.write_bytes(page.read_bytes()[:size])
    (what,) = problems(study_copy)
    assert what == (CHANGED if size > 1000 else "is not a page that this wellfit wrote")


# --- Numbers


def test_numbers_are_compared_with_the_results(study_copy: Path) -> None:
    loss = summarize(study_copy).variants[0].mean["test_loss"]
    resealed(study_copy / "report.html", f'"test_loss":{loss!r}', '"test_loss":0.25')
    assert problems(study_copy)[0] == (
        f"variants[0].mean.test_loss is 0.25, but {loss!r} when computed from the results"
    )


def test_a_relabelled_strength_is_noticed(study_copy: Path) -> None:
    resealed(study_copy / "report.html", '"l2":0.001', '"l2":0.5')
    assert any("l2 is 0.5, but 0.001 when computed" in what for what in problems(study_copy))


def test_the_page_of_another_study_is_not_an_older_one(study_copy: Path) -> None:
    summary = summarize(study_copy)
    resealed(study_copy / "report.html", f'"data":"{summary.data}"', '"data":"other"')
    resealed(study_copy / "report.html", f'"fingerprint":"{summary.fingerprint}"', '"fingerprint":"0123456789abcdef"')
    assert problems(study_copy) == ["shows another study"]


def test_rounding_in_another_order_is_no_difference(study_copy: Path) -> None:
    mean = summarize(study_copy).variants[0].mean["test_accuracy"]
    resealed(study_copy / "report.html", f'"test_accuracy":{mean!r}', f'"test_accuracy":{math.nextafter(mean, 0)!r}')
    assert problems(study_copy) == []


def test_other_code_may_compute_other_numbers(study_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = summarize(study_copy)
    monkeypatch.setattr(freshness, "code_hash", lambda: "other")
    assert check_page(summary, study_copy / "report.html") == ((), ())
    found, (note,) = check_page(changed(summary, test_accuracy=0.25), study_copy / "report.html")
    assert found == ()
    assert note.startswith("report.html: another version of wellfit computed its numbers; write it again: ")


@pytest.mark.parametrize(
    "record", ["", "[]", "[" * 50_000, '{"code": "", "numbers": 1}', "9" * 5000, f'"{"x" * 2**24}"']
)
def test_numbers_that_nobody_wrote_are_one_line(record: str, study_copy: Path) -> None:
    page = study_copy / "report.html"
    (written,) = re.findall(r'id="wellfit-record">(.*?)</script>', page.read_text(encoding="utf-8"))
    resealed(page, written, record)
    assert problems(study_copy) == ["its numbers cannot be read"]


def test_numbers_of_another_shape_are_short_lines(study_copy: Path) -> None:
    page = study_copy / "report.html"
    text = page.read_text(encoding="utf-8")
    (written,) = re.findall(r'id="wellfit-record">(.*?)</script>', text)
    plain = json.loads(written)
    fingerprint = plain["numbers"]["fingerprint"]
    plain["numbers"] = {"\x1b" * 500 + str(i): "\x1b" * 500 for i in range(100)} | {"fingerprint": fingerprint}
    resealed(page, written, json.dumps(plain))
    found = problems(study_copy)
    assert len(found) == 10
    assert all(len(what) < 300 and what.isprintable() for what in found)


# --- Pages of an earlier state, or of an older wellfit


@pytest.mark.parametrize(
    "values", [{"test_accuracy": 0.25}, {"validation_loss": None}, {"state": "stopped"}, {"epochs": 1}, {"seed": 9}]
)
def test_other_numbers_make_it_stale(values: dict[str, Any], finished_study: Path) -> None:
    summary = replace(changed(summarize(finished_study), **values), fingerprint="0123456789abcdef")
    found, (note,) = check_page(summary, finished_study / "report.html")
    assert found == ()
    assert note == f"report.html: shows older numbers; write it again: wellfit report {finished_study}"


def test_a_change_that_leaves_the_numbers_is_told_apart(finished_study: Path) -> None:
    summary = replace(summarize(finished_study), fingerprint=None, seconds=1e9)
    found, (note,) = check_page(summary, finished_study / "report.html")
    assert found == ()
    assert note.startswith("report.html: was written before the study last changed; write it again: ")


def test_a_page_of_an_older_wellfit_is_not_judged(finished_study: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("<html><head></head></html>")
    summary, again = summarize(finished_study), f"write it again: wellfit report {tmp_path}"
    found, (note,) = check_page(replace(summary, fingerprint=None), page)
    assert (found, note) == ((), f"report.html: from an older wellfit, not compared with the numbers; {again}")
    (problem,), notes = check_page(summary, page)
    assert (str(problem), notes) == (f"report.html: is not a page that this wellfit wrote; {again}", ())


def test_a_page_shows_that_there_was_a_manifest(study_copy: Path) -> None:
    summary = replace(summarize(study_copy), fingerprint=None)
    (problem,), notes = check_page(summary, study_copy / "report.html", first_edition=True)
    shown = summarize(study_copy).fingerprint
    assert problem.file == "study.db"
    assert problem.what == f"has no manifest, but report.html shows that it had one: fingerprint {shown}"
    assert notes == ()


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "huge"])
def test_only_a_plain_file_of_bounded_size_is_read(kind: str, study_copy: Path, tmp_path: Path) -> None:
    page = study_copy / "report.html"
    page.unlink()
    if kind == "folder":
        page.mkdir()
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no named pipes")
        os.mkfifo(page)
    elif kind == "link":
        page.symlink_to("/dev/zero")
    else:
        with open(page, "wb") as file:
            file.truncate(2**40)
    (what,) = problems(study_copy)
    assert what.startswith("cannot be read: ")


def test_other_forms_are_said_to_be_unchecked(tmp_path: Path) -> None:
    assert unchecked_reports(tmp_path) == []
    for name in ("report.html", "report.md", "report.pdf", "mine.pdf"):
        (tmp_path / name).touch()
    assert unchecked_reports(tmp_path) == [
        f"report.{form}: not compared with the numbers; only the page, report.html, is" for form in ("pdf", "md")
    ]
