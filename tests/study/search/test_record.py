"""The record of a search in a directory: read as written, refused when it contradicts itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from searches import session
from wellfit.base import SearchSpec, Trial
from wellfit.errors import OtherStudyError, StoreUnreadableError
from wellfit.report.notes import notices
from wellfit.store import create_or_open
from wellfit.study.merge import merge_studies
from wellfit.study.run import facts_of, run_study
from wellfit.study.search.drive import search_first
from wellfit.study.search.record import KEY, Record, best_of, read_record, write_record
from wellfit.study.session import Session
from wellfit.study.summarize import summarize


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Session:
    found = search_first(session(tmp_path_factory.mktemp("recorded") / "study", trials=4))
    run_study(found)
    return found


@pytest.fixture
def copied(searched: Session, tmp_path: Path) -> Session:
    shutil.copytree(searched.directory, tmp_path / "study")
    return Session(searched.spec, searched.dataset, tmp_path / "study")


def changed_note(of: Session, change: Callable[[Any], None]) -> None:
    with create_or_open(of.directory, of.resolved, provenance=facts_of(of, "")) as store:
        note = store.metadata.note(KEY)
        change(note)
        store.metadata.write_note(KEY, note)


def test_a_record_is_read_as_it_was_written(copied: Session) -> None:
    search = copied.spec.search
    assert search is not None
    with create_or_open(copied.directory, copied.resolved, provenance=facts_of(copied, "")) as store:
        record = read_record(store, search)
        write_record(store, record)
        assert read_record(store, search) == record


def test_no_note_is_an_empty_record(tmp_path: Path) -> None:
    of = session(tmp_path / "study")
    with create_or_open(of.directory, of.resolved, provenance=facts_of(of, "")) as store:
        assert read_record(store, of.spec.search or SearchSpec()) == Record()


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.update(trained="many"),
        lambda note: note.update(trained=-1),
        lambda note: note["trials"].extend(dict(note["trials"][0], number=n) for n in (4, 5)),
        lambda note: note["trials"][1].update(number=7),
        lambda note: note["trials"][1]["values"].pop("l2"),
        lambda note: note["trials"][1]["values"].update(l2=5.0),
        lambda note: note["trials"][1].update(scores=[0.5]),
        lambda note: note["trials"][1].update(scores=[0.5, float("inf")]),
        lambda note: note["trials"][1].update(scores=[0.5, None]),
        lambda note: note["trials"][1].update(rung=0),
        lambda note: note["trials"][1].update(state="refused"),
        lambda note: note["trials"][1].update(state="diverged", scores=[None, None], epochs=0),
        lambda note: note["trials"][1].update(state="won"),
    ],
)
def test_a_record_that_no_search_leaves_is_refused(copied: Session, change: Callable[[Any], None]) -> None:
    changed_note(copied, change)
    with pytest.raises(StoreUnreadableError, match="the record of its search"):
        summarize(copied.directory)


def test_a_winner_that_is_not_the_best_is_refused(copied: Session) -> None:
    def other_winner(note: Any) -> None:
        for trial in note["trials"]:
            if trial["state"] == "finished":
                trial["values"]["l2"] = 0.05

    changed_note(copied, other_winner)
    with pytest.raises(StoreUnreadableError, match="variant 'found' is not the best of its search"):
        summarize(copied.directory)


def test_directories_merge_only_with_the_same_search(searched: Session, copied: Session, tmp_path: Path) -> None:
    more = search_first(session(tmp_path / "more", trials=4, seeds=[2]))
    run_study(more)
    merge_studies([searched.directory, more.directory], tmp_path / "whole")
    both = summarize(tmp_path / "whole")
    assert both.search is not None
    assert (len(both.search.trials), both.search.fresh_seeds, both.seeds) == (4, 3, (0, 1, 2))

    def another(note: Any) -> None:
        note["trials"][0]["scores"][0] += 1e-9

    changed_note(copied, another)
    with pytest.raises(OtherStudyError) as caught:
        merge_studies([searched.directory, copied.directory], tmp_path / "other")
    assert "its search tried other configurations, or scored them otherwise; merge only" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_merged_study_of_one_split_still_knows_that_its_examples_chose_the_winner(tmp_path: Path) -> None:
    for seed in (0, 1):
        run_study(search_first(session(tmp_path / f"{seed}", trials=4, seeds=[seed], folds=1)))
    merge_studies([tmp_path / "0", tmp_path / "1"], tmp_path / "whole")
    summary = summarize(tmp_path / "whole")
    assert summary.search is not None
    assert summary.search.shared == 1
    assert "on the very validation examples that chose it" in " ".join(notices(summary))


def test_the_best_is_finished_and_the_first_of_equals() -> None:
    trials = [
        Trial(0, {}, "ended", 1, 3, (0.99,)),
        Trial(1, {}, "finished", 2, 9, (0.8,)),
        Trial(2, {}, "finished", 2, 9, (0.9,)),
        Trial(3, {}, "finished", 2, 9, (0.9,)),
        Trial(4, {}, "diverged", 1, 3, (None,)),
    ]
    assert best_of(trials, SearchSpec()) == trials[2]
    assert best_of(trials, SearchSpec(objective="val_loss")) == trials[1]
    assert best_of(trials[:1], SearchSpec()) is None
