"""The authors' own words in a study directory: they change no run, are covered by the manifest, and survive."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import stores
from small_studies import points, small
from wellfit.base import OwnWords
from wellfit.errors import StoreBusyError, StoreUnreadableError
from wellfit.spec.study import StudySpec, study_from_mapping
from wellfit.store import create_or_open, open_existing
from wellfit.study.merge import merge_studies
from wellfit.study.own_words import keep_words, kept_words
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

WORDS = OwnWords(("Ada",), "ML", {"curves": "Flat."})


def with_words(words: OwnWords, **more: object) -> StudySpec:
    from dataclasses import replace

    return replace(small(2, **more), report=words)  # type: ignore[arg-type]


def trained(directory: Path, spec: StudySpec) -> Path:
    run_study(Session(spec, points(), directory))
    return directory


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("words") / "study", small(2))


@pytest.fixture
def study(once: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(once, tmp_path / "study"))


def test_words_are_kept_and_nothing_else_changes(study: Path) -> None:
    before, files = summarize(study), stores.tree(study)
    assert kept_words(study) == (OwnWords(), "study")
    keep_words(study, WORDS)
    after = summarize(study)
    assert kept_words(study) == (WORDS, "study")
    assert {path for path, content in stores.tree(study).items() if files.get(path) != content} <= {"study.db", "lock"}
    assert after.provenance == before.provenance
    assert after.fingerprint != before.fingerprint
    assert after.variants == before.variants
    assert after.settings == {
        **before.settings,
        "report": {"authors": ["Ada"], "course": "ML", "text": {"curves": "Flat."}},
    }
    assert not verify_study(study).problems
    seen = (study / "study.db").read_bytes()
    keep_words(study, WORDS)  # the same again writes nothing
    assert (study / "study.db").read_bytes() == seen
    keep_words(study, OwnWords())
    assert kept_words(study)[0] == OwnWords()


def test_words_that_were_changed_by_hand_are_noticed(study: Path) -> None:
    keep_words(study, WORDS)
    with closing(sqlite3.connect(study / "study.db")) as database, database:
        database.execute("UPDATE study SET value = replace(value, 'Flat.', 'Steep.') WHERE key = 'study'")
    assert [problem.what for problem in verify_study(study).problems] == [
        "the authors' own words changed since the last command"
    ]


def test_a_rerun_with_new_words_trains_nothing_and_one_without_keeps_them(study: Path) -> None:
    keep_words(study, WORDS)
    again = Session(with_words(OwnWords(("Bob",), text={"data": "Few."})), points(), study)
    assert again.forecast.plan.runs == 0
    run_study(again)
    assert kept_words(study)[0] == OwnWords(("Bob",), "ML", {"data": "Few."})
    trained(study, small(3))  # it grows
    assert kept_words(study)[0].authors == ("Bob",)


def test_merged_studies_keep_the_words_of_the_first_that_has_some(tmp_path: Path) -> None:
    first, second = (trained(tmp_path / name, small(2, seeds=[seed])) for seed, name in enumerate("ab"))
    keep_words(first, OwnWords(("Ada",)))
    keep_words(second, OwnWords(("Bob",), "ML"))
    merge_studies([first, second], tmp_path / "both")
    assert kept_words(tmp_path / "both")[0] == OwnWords(("Ada",), "ML")
    merge_studies([trained(tmp_path / "c", small(2, seeds=[5])), second], tmp_path / "more")
    assert kept_words(tmp_path / "more")[0] == OwnWords(("Bob",), "ML")


def test_a_study_without_runs_keeps_its_provenance(tmp_path: Path) -> None:
    from wellfit.spec.study import resolved

    with create_or_open(tmp_path, resolved(small(2)), provenance={"data hash": "1"}):
        pass
    keep_words(tmp_path, WORDS)
    with open_existing(tmp_path) as store:
        assert store.metadata.provenance() == {"data hash": "1"}


def test_no_study_and_a_busy_one_are_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadableError):
        keep_words(tmp_path / "gone", WORDS)
    with open_existing(study) as store:
        settings = store.metadata.study()
    with create_or_open(study, settings, provenance={}), pytest.raises(StoreBusyError, match=r"wait for it to end$"):
        keep_words(study, WORDS)
    assert kept_words(study)[0] == OwnWords()


def test_words_of_a_file_are_in_the_directory(tmp_path: Path) -> None:
    table = {"data": {"name": "points"}, "report": {"text": "Hi."}}
    assert study_from_mapping(table).report.text == {"introduction": "Hi."}
    trained(tmp_path / "s", with_words(WORDS))
    assert kept_words(tmp_path / "s")[0] == WORDS
