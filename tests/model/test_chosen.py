"""The model of a study: which variant, which networks, what to expect."""

from __future__ import annotations

import dataclasses
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import wellfit
from small_studies import few_points, perceptrons, unsplit
from wellfit import Results, make_dataset
from wellfit.analysis.intervals import exact_interval
from wellfit.analysis.selection import validation_gains
from wellfit.base import StudySummary
from wellfit.data.seen import example_hashes
from wellfit.data.subsets import subset
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
        "baseline; validation supports no other variant over it, and the test set does not choose",
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


def test_images_that_are_standardized_already_are_taken_as_they_are(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 120)
    x = generator.normal(size=(120, 4, 4)).astype(np.float32) + y[:, None, None]
    data = make_dataset(x[:90], y[:90], x[90:], y[90:])
    session = Session(perceptrons({"a": {}}, data={"scale": "unit"}), data, tmp_path / "study")
    run_study(session)
    model = Results(session.directory).model()
    assert model.form.pixel_max is None
    with open_existing(session.directory) as store:
        stored = [store.runs.tested("a", seed).probabilities for seed in range(2)]
    np.testing.assert_allclose(model.predict_proba(data.x_test, each=True), stored, atol=1e-6)


def test_two_seeds_may_support_a_variant_but_have_no_interval(tmp_path: Path) -> None:
    variants = {"slow": {"learning_rate": 1e-6}, "good": {"learning_rate": 0.05}}
    session = Session(perceptrons(variants, seeds=2), few_points(), tmp_path / "study")
    run_study(session)
    summary = Results(session.directory).summary
    gain = validation_gains(summary)[0]
    assert gain.interval is None
    name, why = supported_variant(summary)
    points = f"{100 * gain.difference:.1f} points above that of slow"
    assert (name, why) == (
        ("good", f"good; its validation accuracy is {points}")
        if gain.significant
        else ("slow", "slow; validation supports no other variant over it, and the test set does not choose")
    )
    expected = Results(session.directory).model("good").origin.expected
    assert "[" not in expected.partition("; the ensemble")[0]


def test_where_validation_accuracy_cannot_choose_it_is_the_first(trained: Path) -> None:
    summary = Results(trained).summary
    name, why = supported_variant(dataclasses.replace(summary, metric="log_loss"))
    assert (name, why) == (
        "slow", "slow, the first; validation accuracy, which is kept, cannot choose by this metric"
    )  # fmt: skip
    one = tuple(dataclasses.replace(v, runs=v.runs[:1]) for v in summary.variants)
    assert supported_variant(dataclasses.replace(summary, variants=one)) == (
        "slow", "slow, the first; validation could not compare the others with it"
    )  # fmt: skip


def test_a_single_network_is_expected_to_be_as_good_as_all(trained: Path) -> None:
    results = Results(trained)
    both = results.model("good").origin
    one = results.model("good", 1).origin
    assert (one.accuracy, one.interval, one.tested) == (both.accuracy, both.interval, both.tested)
    assert both.expected.startswith(one.expected)
    assert "(3 seeds, 60 test examples)" in one.expected


def test_the_interval_of_an_ensemble_counts_groups(tmp_path: Path) -> None:
    x = np.repeat(np.random.default_rng(0).normal(size=(60, 3)), 5, axis=0)
    y, groups = (x[:, 0] > 0).astype(int), np.repeat(np.arange(60), 5)
    session = Session(perceptrons({"a": {}}), make_dataset(x, y, groups=groups), tmp_path / "study")
    run_study(session)
    model = Results(session.directory).model()
    with open_existing(session.directory) as store:
        units = store.keepsakes.test_groups()
    assert units is not None
    count = len(np.unique(units))
    assert count < 20
    share = float(re.findall(r"the ensemble classifies ([\d.]+) %", model.origin.expected)[0]) / 100
    low, high = (100 * bound for bound in exact_interval(share * count, count))
    assert model.origin.expected.endswith(f"[{low:.2f}, {high:.2f}]")


def test_runs_that_were_not_tested_are_left_out(tmp_path: Path) -> None:
    session = Session(perceptrons({"a": {}, "b": {}}), few_points(), tmp_path / "study")
    run_study(session)
    untested = "UPDATE runs SET test_sha256 = NULL, test_accuracy = NULL, test_loss = NULL WHERE"
    with closing(sqlite3.connect(session.directory / "study.db")) as database, database:
        database.execute(f"{untested} variant = 'a' AND seed = 1")
        database.execute(f"{untested} variant = 'b'")
    results = Results(session.directory)
    assert [network.seed for network in results.model("a").networks] == [0]
    with pytest.raises(StudyFileError, match="b was not tested yet; run the study again to its end"):
        results.model("b")


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
    model = Results(session.directory).model("a")
    assert [network.seed for network in model.networks] == [1]
    assert "1 of 2 trainings diverged and are left out" in model.origin.expected
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


@pytest.mark.parametrize("folds", [1, 2])
def test_a_variant_with_fewer_examples_knows_these_alone(folds: int, tmp_path: Path) -> None:
    data, sizes = unsplit(), {"epochs": 1, "batch_size": 20}
    spec = perceptrons({"a": {}}, seeds=2, data={"folds": folds}, **sizes)
    run_study(Session(spec, data, tmp_path / "study"))
    spec = perceptrons({"a": {}, "few": {"examples": 20}}, seeds=2, data={"folds": folds}, **sizes)
    session = Session(spec, data, tmp_path / "study")  # it grew by a variant
    run_study(session)
    for seed in (0, 1):
        fold = session.fold(seed)
        for variant, examples in (("a", None), ("few", 20)):
            trained = subset(fold.data, examples, 0.0, spec.data.split_seed).x_train
            x, y = fold.dataset.x_train, fold.dataset.y_train
            expected = [bool((trained == row).all(axis=1).any()) for row in x]
            assert sum(expected) == len(trained)
            model = Results(session.directory).model(variant, seed)
            with pytest.warns(UserWarning, match=f"^{len(trained)} of {len(x)} examples are equal to examples that"):
                assert model.evaluate(x, y).trained == len(trained)
            np.testing.assert_array_equal(np.isin(example_hashes(x), model.trained), expected)
    with closing(sqlite3.connect(session.directory / "study.db")) as database, database:
        database.execute("DELETE FROM study WHERE key LIKE 'note: inputs.examples.%.of 20'")
    assert Results(session.directory).model("few", 0).trained is None  # as an earlier version left it


@pytest.mark.parametrize("folds", [1, 3])
def test_evaluation_says_how_many_examples_trained_the_model(folds: int, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.random.default_rng(0).normal(size=90).round(3), "b": ["x", "y", None] * 30})
    frame["member"] = [True, False] * 45
    frame["kind"] = np.where(frame["a"] > 0, "up", "down")
    frame.to_csv(tmp_path / "kinds.csv", index=False)
    spec = perceptrons({"a": {}}, seeds=3, data={"folds": folds})
    session = Session(spec, wellfit.load_dataset(tmp_path / "kinds.csv"), tmp_path / "study")
    run_study(session)
    for seed in (None, 1):
        model = Results(session.directory).model(seed=seed)
        of = [session.fold(network.seed) for network in model.networks]
        trained = {row for fold in of for row in map(tuple, fold.dataset.x_train[fold.splits.train].astype(str))}
        used = map(tuple, np.concatenate([session.dataset.x_train, session.dataset.x_test]).astype(str))
        expected = sum(row in trained for row in used)
        with pytest.warns(
            UserWarning, match=f"^{expected} of 90 examples are equal to examples that trained this model"
        ):
            assert model.evaluate(frame.sample(frac=1, random_state=3)).trained == expected
        assert wellfit.load(model.save(tmp_path / f"{seed}.safetensors")).trained.tolist() == model.trained.tolist()
        with pytest.warns(UserWarning, match="^a: far outside the training examples in "):
            assert model.evaluate(frame.assign(a=frame["a"] + 9)).trained == 0
        assert dataclasses.replace(model, trained=None).evaluate(frame).trained is None
    for again in (model, wellfit.load(tmp_path / "1.safetensors")):  # what later tables are read by
        assert again.form.header.decimal == "."
        assert [column.truth for column in again.form.columns] == [False, False, True]
    refitted = Results(session.directory).refit(data=tmp_path / "kinds.csv")
    assert len(refitted.trained) > len(model.trained)
    with closing(sqlite3.connect(session.directory / "study.db")) as database, database:
        database.execute("DELETE FROM study WHERE key LIKE 'note: inputs.examples.%'")
    assert Results(session.directory).model().trained is None
