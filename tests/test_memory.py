"""Memory stays flat: studies of many runs are read within what is forecast, and many studies fit into one process."""

from __future__ import annotations

import importlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from small_studies import points, small
from wellfit.engine import release
from wellfit.engine.release import programs_kept
from wellfit.report.forms.page import render_page
from wellfit.study.planning import memory_to_read
from wellfit.study.report_details import study_details, summary_and_details
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
EXAMPLES = 1000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Studies by their number of runs, of two variants."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        make = importlib.import_module("made_study").make
    for runs in (20, 200):
        make(folder / str(runs), 2, runs // 2, EXAMPLES)
    return {runs: folder / str(runs) for runs in (20, 200)}


def peak_of(function: Callable[[], Any]) -> int:
    """The most bytes that a call has at once, without those that its first call keeps for good."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_made_study_is_sound(made: dict[int, Path]) -> None:
    found = verify_study(made[20])
    assert (found.runs, found.problems, found.notes) == (20, (), ())
    assert summarize(made[20]).state == "finished"


@pytest.mark.parametrize(
    ("read", "share"),
    [
        (summarize, 2.0),  # blocks of sign patterns are at their full size only with many seeds: 8 MB
        (verify_study, 2.5),  # two summaries
    ],
    ids=["show", "verify"],
)
def test_ten_times_the_runs_take_no_more_than_forecast(
    read: Callable[[Path], Any], share: float, made: dict[int, Path]
) -> None:
    few, many = (peak_of(lambda directory=directory: read(directory)) for directory in made.values())  # type: ignore[misc]
    forecast = memory_to_read(2, 100, EXAMPLES, 10) - memory_to_read(2, 10, EXAMPLES, 10)  # 7 MB
    assert many - few < share * forecast  # the sign patterns of 100 seeds all at once take 100 MB


def test_a_report_reads_the_probabilities_of_one_run_at_a_time(made: dict[int, Path]) -> None:
    summaries = {runs: summarize(directory) for runs, directory in made.items()}
    few, many = (peak_of(lambda runs=runs: study_details(made[runs], summaries[runs])) for runs in made)  # type: ignore[misc]
    assert many - few < 3e6  # those of one variant take 4 MB


def test_programs_of_past_studies_are_dropped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("wellfit.study.run.release", lambda: release.release(most=0))
    run_study(Session(small(1, 1), points(), tmp_path / "study"))
    assert programs_kept() == 0


@pytest.mark.slow
def test_a_report_of_thousands_of_runs_stays_below_a_gigabyte(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        importlib.import_module("made_study").make(tmp_path / "study", 20, 400, 1000)
    assert peak_of(lambda: render_page(*summary_and_details(tmp_path / "study"))) < 8e8
