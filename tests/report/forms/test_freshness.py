"""Whether a written report is stale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detailed import NOTHING
from summaries import hostile, study
from wellfit.base import StudySummary
from wellfit.report.forms.freshness import stale_report
from wellfit.report.forms.page import write_page


@pytest.mark.parametrize("summary", [study(variants=("baseline", "l2"), epochs=3), hostile()], ids=["plain", "hostile"])
def test_a_report_of_the_same_study_is_fresh(summary: StudySummary, tmp_path: Path) -> None:
    assert stale_report(summary, write_page(summary, NOTHING, tmp_path / "report.html")) is None


def test_a_changed_run_makes_it_stale(tmp_path: Path) -> None:
    summary = study(variants=("baseline", "l2"), epochs=3)
    path = write_page(summary, NOTHING, tmp_path / "report.html")
    last = summary.variants[1]
    run = replace(last.runs[-1], test_accuracy=0.5)
    changed = replace(summary, variants=(summary.variants[0], replace(last, runs=(*last.runs[:-1], run))))
    assert stale_report(changed, path) == (
        f"report.html: shows other numbers of variant 'l2', seed 4; write it again: wellfit report {tmp_path}"
    )


def test_without_a_report_nothing_is_stale(tmp_path: Path) -> None:
    assert stale_report(study(epochs=3), tmp_path / "report.html") is None
