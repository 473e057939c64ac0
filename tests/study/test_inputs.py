"""What precedes the network, read back from the directory alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from small_studies import NOWHERE, messy, perceptrons, points, small
from wellfit.base import Dataset
from wellfit.data.preparation import prepare
from wellfit.engine.predicting import predict_proba
from wellfit.errors import StoreUnreadableError
from wellfit.store import open_existing
from wellfit.study.inputs import INPUTS, Inputs, load_inputs
from wellfit.study.run import run_study
from wellfit.study.session import Session


def run(session: Session) -> tuple[Inputs, dict[tuple[str, int], np.ndarray], dict[tuple[str, int], np.ndarray]]:
    """The inputs, and every run's test probabilities as stored and as predicted from raw rows."""
    run_study(session)
    with open_existing(session.directory) as store:
        inputs = load_inputs(store, 0)
        assert inputs is not None
        x = prepare(inputs.preparation, session.dataset.columns, session.dataset.x_test)
        stored, predicted = {}, {}
        for record in store.runs.records():
            name, seed = key = record.spec.variant, record.spec.seed
            weights, model = store.runs.weights(name, seed), record.spec.recipe.model
            stored[key] = store.runs.tested(name, seed).probabilities
            predicted[key] = predict_proba(model, weights, x, len(session.dataset.classes), inputs.scaling)
    return inputs, stored, predicted


@pytest.mark.parametrize("data", [messy(), points()])
def test_the_directory_alone_reproduces_the_probabilities(data: Dataset, tmp_path: Path) -> None:
    session = Session(small(2) if data.name == "points" else perceptrons({"a": {}}), data, tmp_path / "study")
    inputs, stored, predicted = run(session)
    assert inputs.preparation == session.preparation
    assert inputs.columns == tuple(column.name for column in data.columns)
    assert inputs.shape == data.input_shape
    for key, p in stored.items():
        np.testing.assert_array_equal(predicted[key], p)


def test_the_scaling_keeps_its_bits(tmp_path: Path) -> None:
    session = Session(perceptrons({"a": {}}), messy(), tmp_path / "study")
    run_study(session)
    with open_existing(session.directory) as store:
        inputs = load_inputs(store, 0)
    assert inputs is not None
    assert inputs.scaling.kind == session.data.scaling.kind
    np.testing.assert_array_equal(inputs.scaling.shift, session.data.scaling.shift)
    np.testing.assert_array_equal(inputs.scaling.factor, session.data.scaling.factor)
    assert inputs.scaling.factor.dtype == np.float32


def test_a_study_without_the_note_has_no_inputs(tmp_path: Path) -> None:
    session = Session(small(1), points(), tmp_path / "study")
    run_study(session)
    with closing(sqlite3.connect(session.directory / "study.db")) as database, database:
        database.execute("DELETE FROM study WHERE key = ?", (f"note: {INPUTS}",))
    with open_existing(session.directory) as store:
        assert load_inputs(store, 0) is None


def test_binary_features_are_not_scaled() -> None:
    session = Session(perceptrons({"a": {}}), messy(), NOWHERE)
    names, scaling = session.preparation.features, session.data.scaling
    for name, shift, factor in zip(names, scaling.shift, scaling.factor, strict=True):
        assert ((shift, factor) == (0, 1)) == ("=" in name or "missing" in name), name


@pytest.mark.parametrize(
    "note", ["[]", '{"preparation": {}}', '"text"', '{"preparation": {"columns": 1}, "scaling": {}}']
)
def test_a_note_of_another_form_is_damage(note: str, tmp_path: Path) -> None:
    session = Session(small(1), points(), tmp_path / "study")
    run_study(session)
    with closing(sqlite3.connect(session.directory / "study.db")) as database, database:
        database.execute("UPDATE study SET value = ? WHERE key = ?", (note, f"note: {INPUTS}"))
    with open_existing(session.directory) as store, pytest.raises(StoreUnreadableError, match=r"inputs of its models"):
        load_inputs(store, 0)
