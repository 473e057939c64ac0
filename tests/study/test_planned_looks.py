"""Looks that are planned once, kept, and held to."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import HISTORY_COLUMNS, History, Recipe, RunRecord, RunSpec
from wellfit.errors import StudyFileError
from wellfit.spec.study import load_study, resolved
from wellfit.store import create_or_open, open_existing
from wellfit.study.planned_looks import at_last_look, begin_look, check_seeds, planned_looks, take_look, taken_look

STUDY = load_study("lab5", seeds=5)
PLANNED = (5, 10, 12)


def test_fewer_than_two_seeds_decide_nothing() -> None:
    assert planned_looks(3) == (3,)
    assert planned_looks(20, first=20) == (20,)
    with pytest.raises(StudyFileError, match="--max-seeds 1: nothing is decided by fewer than 2 seeds; give 2 or more"):
        planned_looks(1)


def test_looks_are_remembered_and_comparisons_wait_for_them(tmp_path: Path) -> None:
    runs = {"a": {seed: seed for seed in range(12)}, "b": {seed: -seed for seed in range(12)}}
    with create_or_open(tmp_path, resolved(STUDY), provenance={}) as store:
        assert taken_look(store) is None
        assert at_last_look(store, runs) == (None, runs)
        begin_look(store, InterimAnalysis(1, PLANNED))
        assert at_last_look(store, runs) == (InterimAnalysis(1, PLANNED), {"a": {}, "b": {}})  # it is not taken yet
        take_look(store, InterimAnalysis(1, PLANNED), range(5))
        begin_look(store, InterimAnalysis(2, PLANNED))
    with open_existing(tmp_path) as store:
        look, seen = at_last_look(store, runs)
        assert (look, list(seen["a"])) == (
            InterimAnalysis(1, PLANNED),
            [0, 1, 2, 3, 4],
        )  # the batch at work waits for its look
    with create_or_open(tmp_path, resolved(STUDY), provenance={}) as store:
        take_look(store, InterimAnalysis(2, PLANNED), range(10))
        look, seen = at_last_look(store, runs)
        assert (look, len(seen["b"])) == (InterimAnalysis(2, PLANNED), 10)


def test_what_was_seen_before_counts_as_the_first_look(tmp_path: Path) -> None:
    history = History({name: np.zeros(1) for name in HISTORY_COLUMNS})
    record = RunRecord(RunSpec("l2", 3, Recipe()), "finished", 1, 1, history, {}, {}, 1.0, "l2.3")
    with create_or_open(tmp_path, resolved(STUDY), provenance={}) as store:
        store.runs.save([record], {("l2", 3): np.full((4, 2), 0.5, np.float32)}, {("l2", 3): (0.5, 0.7)})
        begin_look(store, InterimAnalysis(1, PLANNED))
        assert taken_look(store) == (1, PLANNED, frozenset({3}))


def test_the_plan_is_not_changed_quietly(tmp_path: Path) -> None:
    more = dataclasses.replace(STUDY, seeds=tuple(range(7)))
    check_seeds(tmp_path, more, None)  # there is nothing yet
    with create_or_open(tmp_path, resolved(STUDY), provenance={}) as store:
        check_seeds(tmp_path, more, None)  # no looks are planned
        begin_look(store, InterimAnalysis(1, PLANNED))
    check_seeds(tmp_path, STUDY, None)  # to run it again adds nothing
    check_seeds(tmp_path, more, InterimAnalysis(2, PLANNED))
    with pytest.raises(StudyFileError, match=r"looked at with 5, 10, 12 seeds, .*; go on with --until-decided"):
        check_seeds(tmp_path, more, None)
    with pytest.raises(StudyFileError, match=r"planned at 5, 10, 12 seeds .* leave out --max-seeds, or give 12"):
        check_seeds(tmp_path, more, InterimAnalysis(2, (5, 10)))
