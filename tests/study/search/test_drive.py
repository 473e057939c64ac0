"""The whole search: it sees no test set, ends at the same winner after a kill, and judges it on fresh seeds."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from searches import session
from small_studies import few_points, unsplit
from wellfit.base import FIRST_SEED, SearchSpec, Trial
from wellfit.errors import OtherStudyError, StudyFileError, WellfitError
from wellfit.report.notes import notices
from wellfit.spec.search import changes_of
from wellfit.spec.study import from_resolved, load_study
from wellfit.spec.written import study_file
from wellfit.store import open_existing
from wellfit.study.as_json import to_json
from wellfit.study.interrupts import Interrupted
from wellfit.study.run import Progress, facts_of, run_study
from wellfit.study.search.ask import ask
from wellfit.study.search.drive import Tried, search_first
from wellfit.study.search.record import Record, read_record
from wellfit.study.session import Session
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

OWN = (FIRST_SEED, FIRST_SEED + 1)


def record_in(directory: Path, search: SearchSpec | None) -> Record:
    assert search is not None
    with open_existing(directory) as store:
        return read_record(store, search)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A study that was searched and judged."""
    found = search_first(session(tmp_path_factory.mktemp("searched") / "study"), command="test")
    run_study(found)
    return found


def test_the_best_becomes_a_variant(searched: Session) -> None:
    search, record = searched.spec.search, record_in(searched.directory, searched.spec.search)
    assert search is not None
    assert len(record.trials) == 8
    assert record.complete
    finished = [trial for trial in record.trials if trial.state == "finished"]
    best = max(finished, key=lambda trial: trial.mean or 0)
    assert list(searched.spec.variants) == ["baseline", "found"]
    assert searched.spec.variants["found"] == changes_of(best.values, searched.spec.base)


def test_the_summary_has_what_was_tried_and_the_curse(searched: Session) -> None:
    summary = summarize(searched.directory)
    result = summary.search
    assert result is not None
    scores = [run.validation_accuracy for v in summary.variants if v.name == "found" for run in v.runs]
    assert result.fresh == pytest.approx(np.mean([score for score in scores if score is not None]))
    assert result.fresh_seeds == 2
    rows = {seed: {row.tobytes() for row in searched.fold(seed).data.x_validation} for seed in (0, 1, *OWN)}
    seen = rows[OWN[0]] | rows[OWN[1]]
    assert result.shared == pytest.approx(np.mean([row in seen for seed in (0, 1) for row in rows[seed]]))
    assert result.found is not None
    assert result.curse == pytest.approx(result.found - (result.fresh or 0))
    assert (result.trained, result.whole) == (2 * 2 * (4 + 2 + 2), 8 * 2 * 4)
    told = " ".join(notices(summary))
    assert "a search tried 8 configurations with 2 seeds each" in told
    assert f"{100 * result.found:.2f} % there" in told
    plain = to_json(summary, "1")["search"]
    assert plain["trials"][0].keys() >= {"values", "state", "rung", "epochs", "scores", "mean"}
    assert json.loads(json.dumps(plain))["found"] == result.found


def test_the_file_of_a_searched_study_is_the_study_before_its_search(searched: Session, tmp_path: Path) -> None:
    settings = from_resolved(summarize(searched.directory).settings)
    assert list(settings.variants) == ["baseline", "found"]
    (tmp_path / "again.toml").write_text(study_file(settings))
    again = load_study(tmp_path / "again.toml")
    assert again == dataclasses.replace(settings, variants={"baseline": settings.variants["baseline"]})


def test_it_is_judged_on_fresh_seeds(searched: Session) -> None:
    assert max(searched.spec.seeds) < FIRST_SEED
    assert verify_study(searched.directory).problems == ()


def test_a_search_that_is_complete_trains_nothing(searched: Session) -> None:
    again = dataclasses.replace(session(searched.directory), fresh=False)
    found = search_first(again, on_progress=lambda _: pytest.fail("an epoch was trained"))
    assert found.spec == searched.spec
    assert not found.remaining.plan.runs


def test_the_test_set_has_no_part_in_it(searched: Session, tmp_path: Path) -> None:
    data = few_points()
    others = dataclasses.replace(data, x_test=data.x_test[::-1] * 9 + 3, y_test=(data.y_test + 1) % 3)
    search_first(session(tmp_path / "study", others))
    ours = record_in(searched.directory, searched.spec.search)
    assert record_in(tmp_path / "study", searched.spec.search) == ours


def test_of_data_without_a_test_set_one_is_held_out_for_all_seeds(tmp_path: Path) -> None:
    whole = unsplit()
    of = session(tmp_path / "study", whole, trials=4)
    rows = {seed: of.fold(seed).dataset for seed in (0, 1, FIRST_SEED)}
    assert all(np.array_equal(data.x_test, whole.x_test) for data in rows.values())
    assert len({of.fold(seed).data.x_validation.tobytes() for seed in rows}) > 1
    test = {row.tobytes() for row in whole.x_test}
    for seed in rows:
        data = of.fold(seed).data
        assert not test & {row.tobytes() for row in (*data.x_train, *data.x_validation)}
    assert "the same for all seeds, which the search does not see" in dict(of.facts)["test set"]
    found = search_first(of)
    run_study(found)
    assert summarize(found.directory).state == "finished"


@pytest.mark.parametrize("batches", [0, 1])
def test_an_interrupted_search_goes_on(searched: Session, tmp_path: Path, batches: int) -> None:
    of, seen, epochs = session(tmp_path / "study"), list[Tried](), list[int]()

    def interrupt(progress: Progress) -> None:
        if len(seen) == batches:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="Finished batches"):
        search_first(of, on_batch=seen.append, on_progress=interrupt)
    assert len(record_in(of.directory, of.spec.search).trials) == 4 * batches
    again = Session(of.spec, of.dataset, of.directory)
    found = search_first(again, on_progress=lambda progress: epochs.append(progress.active))
    whole = record_in(searched.directory, searched.spec.search)
    assert record_in(of.directory, of.spec.search) == whole
    assert found.spec == searched.spec
    assert len(epochs) == (2 - batches) * 2 * 4  # per batch two seeds, which have folds of their own: 1 + 1 + 2 epochs


def test_shares_ascend_to_the_end(tmp_path: Path) -> None:
    shares: list[float] = []
    search_first(session(tmp_path / "study"), on_progress=lambda progress: shares.append(progress.share))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_fresh_searches_again(searched: Session, tmp_path: Path) -> None:
    of = session(tmp_path / "study", trials=4)
    search_first(of)
    tried: list[Tried] = []
    found = search_first(dataclasses.replace(of, fresh=True), on_batch=tried.append)
    assert [len(one.trials) for one in tried] == [4]
    assert not found.fresh


def test_another_search_needs_another_directory(searched: Session) -> None:
    with pytest.raises(OtherStudyError, match=r"\[search\] trials is 8 there and 4 here"):
        search_first(session(searched.directory, trials=4))
    with pytest.raises(OtherStudyError, match=r"epochs is 4 there and 6 here"):
        search_first(session(searched.directory, epochs=6))


def test_more_seeds_search_nothing_again(searched: Session) -> None:
    found = search_first(session(searched.directory, seeds=3), on_progress=lambda _: pytest.fail("trained"))
    assert found.remaining.plan.runs == 2


def test_a_study_without_a_search_is_left_alone(tmp_path: Path) -> None:
    of = session(tmp_path / "study")
    plain = Session(dataclasses.replace(of.spec, search=None), of.dataset, of.directory)
    assert search_first(plain) is plain


def test_a_search_in_which_everything_diverges_ends_with_a_line(tmp_path: Path) -> None:
    space = {"learning_rate": {"low": 1e29, "high": 1e30}, "optimizer": ["sgd"]}
    with pytest.raises(StudyFileError, match="was trained to the end: 4 diverged; search smaller values"):
        search_first(session(tmp_path / "study", space=space, trials=4))


def test_a_search_in_which_nothing_fits_ends_with_another_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.study.search.train._fits", lambda *_: False)
    of, seen = session(tmp_path / "study"), list[Tried]()
    with pytest.raises(StudyFileError, match="to the end: 8 could not be trained; search values that fit together"):
        search_first(of, on_batch=seen.append, on_progress=lambda _: pytest.fail("trained"))
    assert [one.whole for one in seen] == [0, 0]
    record = record_in(of.directory, of.spec.search)
    assert {(t.state, t.rung, t.epochs, t.scores) for t in record.trials} == {("refused", 0, 0, (None, None))}


def test_ctrl_c_in_the_last_epoch_of_the_search_keeps_its_batch_and_ends_it(searched: Session, tmp_path: Path) -> None:
    of, whole = session(tmp_path / "study"), record_in(searched.directory, searched.spec.search)

    def interrupt(progress: Progress) -> None:
        if progress.share == pytest.approx(1):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="Finished batches"):
        search_first(of, on_progress=interrupt)
    assert record_in(of.directory, of.spec.search) == whole
    found = search_first(Session(of.spec, of.dataset, of.directory), on_progress=lambda _: pytest.fail("trained"))
    assert found.spec == searched.spec


def test_a_search_ends_where_nothing_is_left_to_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = session(tmp_path / "study")

    def once(search: SearchSpec, tried: Sequence[Trial], count: int) -> list[dict[str, Any]]:
        return [] if tried else ask(search, tried, count)

    monkeypatch.setattr("wellfit.study.search.drive.ask", once)
    assert "found" in search_first(of).spec.variants
    record = record_in(of.directory, of.spec.search)
    assert (len(record.trials), record.complete) == (4, True)


def test_a_missing_sampler_is_noticed_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(WellfitError, match="pip install"):
        search_first(session(tmp_path / "study"))
    assert not (tmp_path / "study").exists()


def test_a_search_that_is_complete_needs_no_sampler(searched: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    version = summarize(searched.directory).provenance["optuna"]
    assert version == metadata.version("optuna")
    monkeypatch.setattr("wellfit.study.search.drive.require_sampler", lambda _: pytest.fail("required"))
    monkeypatch.setattr("importlib.metadata.version", lambda name: pytest.fail(name) if name == "optuna" else "1")
    again = search_first(session(searched.directory, seeds=3))
    assert facts_of(again, "")["optuna"] == version
