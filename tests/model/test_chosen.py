"""The model of a study: which variant, which networks, what to expect."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from small_studies import few_points, perceptrons
from wellfit import Results
from wellfit.analysis.intervals import exact_interval
from wellfit.base import StudySummary
from wellfit.errors import StoreUnreadableError, StudyFileError, UnknownNameError
from wellfit.model.chosen import supported_variant
from wellfit.store import open_existing
from wellfit.study.run import run_study
from wellfit.study.session import Session


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose first variant hardly learns, on one split."""
    variants = {"slow": {"learning_rate": 1e-6}, "good": {"learning_rate": 0.05}, "same": {"learning_rate": 1e-6}}
    session = Session(perceptrons(variants, seeds=3), few_points(), tmp_path_factory.mktemp("trained") / "study")
    run_study(session)
    return session.directory


def test_validation_chooses_and_the_choice_is_said(trained: Path) -> None:
    model = Results(trained).model()
    assert model.origin.variant == "good"
    assert model.origin.choice.startswith("good; its validation accuracy is ")
    assert model.origin.choice.endswith("] above that of slow")
    assert [network.seed for network in model.networks] == [0, 1, 2]


def test_without_support_it_is_the_first(finished_study: Path) -> None:
    results = Results(finished_study)
    assert supported_variant(results.summary) == (
        "baseline",
        "baseline; validation supports no other variant over it",
    )
    model = results.model()
    assert model.origin.variant == "baseline"
    first = results.summary.variants[0]
    assert (model.origin.accuracy, model.origin.interval) == (
        first.mean["test_accuracy"],
        first.interval["test_accuracy"],
    )
    assert "the ensemble was not tested" in model.origin.expected  # every seed has its own fold
    assert f"(2 seeds, {model.origin.tested} test examples)" in model.origin.expected


def test_the_networks_are_those_of_the_store(trained: Path) -> None:
    data, results = few_points(), Results(trained)
    model = results.model("slow")
    assert model.origin.choice == "slow, as asked"
    with open_existing(trained) as store:
        stored = [store.runs.tested("slow", seed).probabilities for seed in range(3)]
        seconds = store.runs.tested("slow", 1).probabilities
    np.testing.assert_allclose(model.predict_proba(data.x_test, each=True), stored, atol=1e-6)
    np.testing.assert_allclose(results.model("slow", 1).predict_proba(data.x_test), seconds, atol=1e-6)
    correct = int((np.mean(stored, axis=0).argmax(axis=1) == data.y_test).sum())
    low, high = (100 * bound for bound in exact_interval(correct, 60))
    assert model.origin.expected.endswith(f"the ensemble classifies {100 * correct / 60:.2f} % [{low:.2f}, {high:.2f}]")
    assert "ensemble" not in results.model("slow", 1).origin.expected


def test_what_cannot_be_had(trained: Path) -> None:
    results = Results(trained)
    with pytest.raises(UnknownNameError, match=r"god.*did you mean 'good'"):
        results.model("god")
    with pytest.raises(StudyFileError, match="good has no finished run with seed 7"):
        results.model("good", 7)


def test_an_empty_study_has_no_model(trained: Path) -> None:
    summary: StudySummary = Results(trained).summary
    bare = tuple(dataclasses.replace(v, mean={}, interval={}, runs=()) for v in summary.variants)
    with pytest.raises(StudyFileError, match="no run of the study 'study' has finished; run it first"):
        supported_variant(dataclasses.replace(summary, variants=bare, name="study"))
    assert supported_variant(dataclasses.replace(summary, variants=summary.variants[:1]))[1] == "slow; the only variant"


def test_diverged_runs_are_left_out(tmp_path: Path) -> None:
    session = Session(perceptrons({"a": {}, "b": {}}, seeds=2), few_points(), tmp_path / "study")
    run_study(session)

    def diverge(where: str) -> None:
        with closing(sqlite3.connect(session.directory / "study.db")) as database, database:
            database.execute(f"UPDATE runs SET state = 'diverged' WHERE {where}")

    diverge("variant = 'a' AND seed = 0")
    assert [network.seed for network in Results(session.directory).model("a").networks] == [1]
    with pytest.raises(StudyFileError, match="the run of a diverged; choose another variant or seed"):
        Results(session.directory).model("a", 0)
    diverge("variant = 'a'")
    with pytest.raises(StudyFileError, match="every run of a diverged"):
        Results(session.directory).model("a")


def test_a_study_of_the_first_edition_is_run_again(tmp_path: Path) -> None:
    data = few_points()
    session = Session(perceptrons({"a": {}}), data, tmp_path / "study")
    run_study(session)
    expected = Results(session.directory).model().predict_proba(data.x_test)
    with closing(sqlite3.connect(session.directory / "study.db")) as database, database:
        database.execute("DELETE FROM study WHERE key LIKE 'note: inputs%'")
    with pytest.raises(StudyFileError, match="as wellfit's first edition left it; run the study again"):
        Results(session.directory).model()
    run_study(Session(perceptrons({"a": {}}), data, session.directory))
    np.testing.assert_array_equal(Results(session.directory).model().predict_proba(data.x_test), expected)


def test_damaged_weights_are_said(trained: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(trained, tmp_path / "copy"))
    (copy / "weights" / "good.1.npz").write_bytes(b"nothing")
    with pytest.raises(StoreUnreadableError, match=r"good\.1\.npz"):
        Results(copy).model("good")
