"""Interim analyses that are planned once, recorded, and kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from small_studies import points
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import HISTORY_COLUMNS, History, Recipe, RunRecord, RunSpec
from wellfit.errors import StudyFileError
from wellfit.spec.study import StudySpec, load_study, resolved
from wellfit.store import create_or_open, open_existing
from wellfit.study.interim import (
    check_seeds,
    compared_runs,
    planned_seeds,
    record_analysis,
    record_plan,
    recorded,
)
from wellfit.study.session import Session

STUDY = load_study("lab5", seeds=5)
PLANNED = (5, 10, 12)


def test_comparing_takes_two_seeds() -> None:
    assert planned_seeds(3) == (3,)
    assert planned_seeds(20, first=20) == (20,)
    with pytest.raises(
        StudyFileError, match="--max-seeds 1: comparing variants takes at least 2 seeds; give 2 or more"
    ):
        planned_seeds(1)


def test_comparisons_wait_for_their_interim_analysis(tmp_path: Path) -> None:
    runs = {"a": {seed: seed for seed in range(12)}, "b": {seed: -seed for seed in range(12)}}
    with create_or_open(tmp_path, resolved(STUDY), provenance={}) as store:
        assert recorded(store) is None
        assert compared_runs(store, runs) == (None, runs)
        record_plan(store, InterimAnalysis(1, PLANNED))
        assert compared_runs(store, runs) == (InterimAnalysis(1, PLANNED), {"a": {}, "b": {}})  # it is not made yet
        record_analysis(store, InterimAnalysis(1, PLANNED), range(5))
        record_plan(store, InterimAnalysis(2, PLANNED))
    with open_existing(tmp_path) as store:
        interim, seen = compared_runs(store, runs)
        assert (interim, list(seen["a"])) == (
            InterimAnalysis(1, PLANNED),
            [0, 1, 2, 3, 4],
        )  # the new batch waits for its analysis
    with create_or_open(tmp_path, resolved(STUDY), provenance={}) as store:
        record_analysis(store, InterimAnalysis(2, PLANNED), range(10))
        interim, seen = compared_runs(store, runs)
        assert (interim, len(seen["b"])) == (InterimAnalysis(2, PLANNED), 10)


def test_results_seen_before_count_as_the_first_analysis(tmp_path: Path) -> None:
    history = History({name: np.zeros(1) for name in HISTORY_COLUMNS})
    record = RunRecord(RunSpec("l2", 3, Recipe()), "finished", 1, 1, history, {}, {}, 1.0, "l2.3")
    with create_or_open(tmp_path, resolved(STUDY), provenance={}) as store:
        store.runs.save([record], {("l2", 3): np.full((4, 2), 0.5, np.float32)}, {("l2", 3): (0.5, 0.7)})
        record_plan(store, InterimAnalysis(1, PLANNED))
        assert recorded(store) == (1, PLANNED, frozenset({3}))


def test_the_plan_is_never_changed_silently(tmp_path: Path) -> None:
    more = dataclasses.replace(STUDY, seeds=tuple(range(7)))

    def check(spec: StudySpec, interim: InterimAnalysis | None = None) -> None:
        check_seeds(Session(spec, points(), tmp_path), interim)

    check(more)  # there is nothing yet
    with create_or_open(tmp_path, resolved(STUDY), provenance={}) as store:
        check(more)  # no interim analyses are planned
        record_plan(store, InterimAnalysis(1, PLANNED))
    check(STUDY)  # running it again adds nothing
    check(more, InterimAnalysis(2, PLANNED))
    with pytest.raises(StudyFileError, match=r"planned at 5, 10, 12 seeds, .*; continue with --until-decided"):
        check(more)
    with pytest.raises(StudyFileError, match=r"planned at 5, 10, 12 seeds, .* leave out --max-seeds, or give 12"):
        check(more, InterimAnalysis(2, (5, 10)))
