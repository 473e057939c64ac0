"""A page knows which numbers it was made from."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wellfit.base import StudySummary
from wellfit.report.forms.freshness import numbers_hash, stale_report
from wellfit.report.forms.page import write_page
from wellfit.study.report_details import summary_and_details
from wellfit.study.summarize import summarize


def changed(summary: StudySummary, **values: Any) -> StudySummary:
    """The study with other values in its first run."""
    first, *others = summary.variants
    run, *runs = first.runs
    return replace(summary, variants=(replace(first, runs=(replace(run, **values), *runs)), *others))


def test_a_new_page_is_up_to_date(study_copy: Path) -> None:
    page = study_copy / "report.html"
    write_page(*summary_and_details(study_copy), page)
    assert stale_report(summarize(study_copy), page) is None
    assert stale_report(summarize(study_copy), study_copy / "none.html") is None


@pytest.mark.parametrize(
    "values",
    [
        {"test_accuracy": 0.25},
        {"test_loss": math.nan},
        {"validation_loss": None},
        {"state": "stopped"},
        {"epochs": 1},
        {"readout_epoch": 1},
        {"seed": 9},
    ],
)
def test_other_numbers_make_it_stale(values: dict[str, Any], finished_study: Path) -> None:
    summary = summarize(finished_study)
    line = stale_report(changed(summary, **values), finished_study / "report.html")
    assert line == f"report.html: shows older numbers; write it again: wellfit report {finished_study}"


def test_the_last_bit_counts(finished_study: Path) -> None:
    summary = summarize(finished_study)
    loss = summary.variants[0].runs[0].test_loss
    assert loss is not None
    assert numbers_hash(changed(summary, test_loss=loss)) == numbers_hash(summary)
    assert numbers_hash(changed(summary, test_loss=math.nextafter(loss, 1))) != numbers_hash(summary)


def test_times_and_texts_do_not_count(finished_study: Path) -> None:
    summary = summarize(finished_study)
    assert numbers_hash(replace(changed(summary, seconds=1e9), title="another")) == numbers_hash(summary)


def test_a_page_without_a_hash_is_not_judged(finished_study: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("<html><head></head></html>")
    line = stale_report(summarize(finished_study), page)
    assert line == (
        f"report.html: from an older wellfit, not compared with the numbers; write it again: wellfit report {tmp_path}"
    )
