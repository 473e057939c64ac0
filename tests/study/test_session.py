"""What a session knows of a study before training, without writing anything; and how often it finds it out."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands import SMALL
from small_studies import NOWHERE, command, few_points, messy, perceptrons, points, small
from wellfit.data.assemble import make_dataset
from wellfit.errors import OtherStudyError, StudyFileError
from wellfit.spec import study as spec_study
from wellfit.store import Store, open_existing
from wellfit.study import adapt, summarize  # what a command imports when it runs is counted only if it is there
from wellfit.study.growth import Stored
from wellfit.study.planned import to_json
from wellfit.study.planning import Choices
from wellfit.study.run import run_study
from wellfit.study.session import Session

CURVED: dict[str, Any] = {"baseline": {}, "dropout": {"dropout": 0.3}}
MIXED = "products in bfloat16, sums in float32"


# --- How often --------------------------------------------------------------------------------------------------------


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts openings of study directories, and calls of ``recipes``, ``resolved`` and ``from_resolved``."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Any) -> Any:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            counts[name] += 1
            return function(*arguments, **options)

        return wrapper

    assert adapt.recipes is summarize.recipes is spec_study.recipes
    for name in ("recipes", "resolved", "from_resolved"):
        original = getattr(spec_study, name)
        wrapper = counted(name, original)
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith("wellfit.") and vars(module).get(name) is original:
                monkeypatch.setattr(module, name, wrapper)
    monkeypatch.setattr(Store, "of", counted("openings", Store.of))
    return counts


def test_a_rerun_of_a_finished_study_asks_once(counts: Counter[str], study_copy: Path) -> None:
    """The directory is opened to read what is stored, to train, and to report; the page shows the study as a file."""
    counts.clear()
    status, out, _ = command("run", *SMALL, "--out", study_copy)
    assert status == 0
    assert "Nothing to train: the study directory already holds 38 results" in out
    assert counts == {"openings": 3, "recipes": 5, "resolved": 1, "from_resolved": 2}


def test_planning_a_finished_study_asks_once(counts: Counter[str], study_copy: Path) -> None:
    counts.clear()
    assert "Nothing to train" in command("plan", *SMALL, "--out", study_copy)[1]
    assert counts == {"openings": 1, "recipes": 3, "resolved": 1}


# --- Forecasts --------------------------------------------------------------------------------------------------------


def test_only_a_share_of_the_data_is_split() -> None:
    session = Session(perceptrons(CURVED, data={"train_share": 0.5}), few_points(), NOWHERE)
    assert session.forecast.examples == (80, 20, 60)
    assert "100 of 200 training examples" in session.forecast.data
    assert len(session.data.x_train) == 80


@pytest.mark.parametrize(
    ("has", "small", "words"), [(1, 0, MIXED), (0, 0, "products in float32"), (1, 1, "products in float32")]
)
def test_auto_reports_the_chosen_precision(has: int, small: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.engine.precision.mixed_is_faster", lambda: bool(has))
    monkeypatch.setattr("wellfit.study.planning.is_small", lambda shape, examples: bool(small))
    session = Session(perceptrons(CURVED, precision="auto"), few_points(), NOWHERE)
    assert session.forecast.precision == words
    assert to_json(session, "1")["precision"] == {"asked": "auto", "chosen": words}


def test_a_session_keeps_the_stored_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(perceptrons(CURVED), few_points(), NOWHERE)
    choices = Choices(((1, 1.0), (4, 0.8)), "mixed", 2)
    vars(session)["stored"] = Stored(choices=choices)
    assert session.choices is choices
    assert session.precision == MIXED


def test_unfinished_populations_stay_as_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waves are not in the order of the study: planning the second population alone would change it."""
    monkeypatch.setattr("wellfit.engine.plan._SMALL", 0)
    wide = {"model": {"hidden": [9]}}
    session = Session(perceptrons({"plain": {}, "a": wide, "b": {**wide, "l2": 1e-3}}, seeds=3), few_points(), NOWHERE)
    first, second = session.plan.populations
    finished = {(r.run.variant, r.run.seed) for t in first.trajectories for r in t.readouts}
    assert {variant for variant, _ in finished} == {"plain"}
    later = dataclasses.replace(session)
    vars(later)["stored"] = Stored(frozenset(finished))
    assert later.remaining.plan.populations == (second,)


def test_a_batch_larger_than_the_used_share_says_why() -> None:
    session = Session(perceptrons(CURVED, data={"train_share": 0.25}, batch_size=64), few_points(), NOWHERE)
    with pytest.raises(
        StudyFileError, match=r"^batch_size = 64 of variant 'baseline' .* of 40 .*25 % .*--quick"
    ) as output:
        session.plan  # noqa: B018
    assert str(output.value).endswith("to use all of them: --set data.train_share=1")
    assert "\n" not in str(output.value)
    whole = Session(perceptrons(CURVED, data={"train_share": 1.0}, batch_size=64), few_points(), NOWHERE)
    assert whole.plan.runs == 4


def test_a_batch_larger_than_the_training_split_of_any_seed_is_refused(tmp_path: Path) -> None:
    """With groups, folds differ in size."""
    groups = np.concatenate([np.zeros(60, int), np.repeat(np.arange(1, 18), 4)])
    dataset = make_dataset(np.random.default_rng(0).normal(size=(128, 5)), np.arange(128) % 2, groups=groups)
    sizes = [len(Session(small(1, 5, folds=3), dataset, NOWHERE).fold(seed).data.x_train) for seed in range(3)]
    smallest = int(np.argmin(sizes))
    assert smallest > 0  # seed 0 does not tell
    for seeds, others in (([0], False), ([0, smallest], True)):
        spec = small(1, seeds, folds=3, wide={"batch_size": sizes[0]})
        session = Session(spec, dataset, tmp_path / "study")
        if not others:
            assert session.forecast.plan.runs == 3
            continue
        for use in (lambda session=session: session.forecast, lambda session=session: run_study(session)):
            with pytest.raises(StudyFileError) as caught:
                use()
            assert str(caught.value) == (
                f"seed {smallest}: variant 'wide': batch_size = {sizes[0]}, but it trains on "
                f"{sizes[smallest]} examples; choose at most {sizes[smallest]}"
            )
    assert not (tmp_path / "study").exists()


def test_a_fold_that_cannot_be_tested_ends_a_command_before_it_writes(tmp_path: Path) -> None:
    rows = [f"{patient},{n * 37 % 101},{'yes' if n % 2 else 'no'}" for n, patient in enumerate([0] * 56 + [1, 2, 3, 4])]
    (tmp_path / "rows.csv").write_text("\n".join(["patient,x,label", *rows]))
    for name in ("plan", "run"):
        arguments = name, "--data", tmp_path / "rows.csv", "--set", "data.group=patient", "--out", tmp_path / "study"
        status, out, err = command(*arguments)
        assert (status, out) == (2, "")
        assert re.fullmatch(r".*groups, the largest with .* do not give every seed of 5 folds groups .*\n", err)
    assert not (tmp_path / "study").exists()


# --- Directories ------------------------------------------------------------------------------------------------------


def test_a_directory_of_the_first_edition_has_one_fold(tmp_path: Path) -> None:
    """Its study says nothing of folds; it is continued with a fixed split, and not without being asked."""
    directory = tmp_path / "study"
    run_study(Session(small(1), points(), directory))
    with contextlib.closing(sqlite3.connect(directory / "study.db")) as connection, connection:
        change = "UPDATE study SET value = replace(value, ', \"folds\": 1', '') WHERE key = 'study'"
        assert connection.execute(f"{change} AND value LIKE '%folds%'").rowcount == 1
        assert not connection.execute("SELECT 1 FROM study WHERE key = 'study' AND value LIKE '%folds%'").fetchall()
    with pytest.raises(OtherStudyError) as refused:
        Session(small(1, folds=5), points(), directory).forecast  # noqa: B018
    assert "holds another study: [data] folds is 1 there and 5 here (continue it with --set data.folds=1)" in str(
        refused.value
    )
    assert Session(small(1), points(), directory).forecast.done == 4
    run_study(Session(small(1, seeds=3), points(), directory))
    summary = summarize.summarize(directory)
    assert (summary.state, summary.settings["data"]["folds"]) == ("finished", 1)
    assert Session(small(1, folds=5), points(), directory, fresh=True).forecast.plan.runs == 4


# --- Data that need preparation ---------------------------------------------------------------------------------------


def test_models_see_features_and_the_test_set_is_prepared_when_asked() -> None:
    session = Session(perceptrons({"a": {}}), messy(), NOWHERE)
    assert session.used.input_shape == (4,)
    assert session.preparation.features[:2] == ("age", "age is missing")
    assert session.first.training.input_shape == session.data.input_shape == (8,)
    assert session.first.training.x_test is session.used.x_test  # as it was read
    assert session.prepared.x_test.shape == (40, 8)
    np.testing.assert_array_equal(session.prepared.x_train, session.first.training.x_train)
    for x in (session.data.x_train, session.data.x_validation, session.prepared.x_test):
        assert np.isfinite(x).all()


def test_images_and_bare_rows_are_used_as_they_are() -> None:
    session = Session(small(1), points(), NOWHERE)
    assert session.first.training is session.used is session.prepared is session.dataset


def test_other_rows_change_neither_preparation_nor_scaling() -> None:
    before = Session(perceptrons({"a": {}}), messy(), NOWHERE)
    x_train, x_test = before.used.x_train.copy(), before.used.x_test.copy()
    x_train[before.splits.validation] = [99, 3, 5, np.nan]
    x_test[:] = [-99, np.nan, 1, 1e6]
    after = Session(before.spec, dataclasses.replace(messy(), x_train=x_train, x_test=x_test), NOWHERE)
    assert after.preparation == before.preparation
    np.testing.assert_array_equal(after.data.scaling.shift, before.data.scaling.shift)
    np.testing.assert_array_equal(after.data.scaling.factor, before.data.scaling.factor)
    np.testing.assert_array_equal(after.data.x_train, before.data.x_train)


def test_a_given_validation_set_and_groups_decide_the_split(tmp_path: Path) -> None:
    given = dataclasses.replace(messy(), validation_rows=np.arange(100, 160))
    assert Session(perceptrons({"a": {}}), given, NOWHERE).examples["validation"] == 60
    groups = np.arange(160) // 8
    session = Session(perceptrons({"a": {}}), dataclasses.replace(messy(), groups=groups), tmp_path / "study")
    run_study(session)
    split = [set(groups[rows].tolist()) for rows in (session.splits.train, session.splits.validation)]
    assert not split[0] & split[1]
    with open_existing(tmp_path / "study") as store:
        assert store.metadata.provenance()["split"].endswith("validation, whole groups, seed 0")
