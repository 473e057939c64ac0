from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import wellfit
from wellfit.errors import DataError, UnknownNameError
from wellfit.spec.study import load_study
from wellfit.study.session import Session
from wellfit.study.untrained import network_inputs, split_shapes, untrained_output


def session(name: str = "regularization", *settings: str) -> Session:
    spec = load_study(name, settings=settings)
    return Session(spec, wellfit.load_dataset(spec.data.name_or_path), Path("unused"))


def test_the_shapes_of_every_split() -> None:
    shapes = split_shapes(session("regularization", "data.folds=1"))
    assert shapes["training"] == ((1150, 8, 8), (1150, 64), (1150,))
    assert shapes["training and validation"].labels[0] == shapes["training"].labels[0] + shapes["validation"].labels[0]
    assert sum(shapes[name].examples[0] for name in ("training", "validation", "test")) == 1797


def test_inputs_are_what_the_scaling_makes_of_the_examples() -> None:
    of = session()
    x = network_inputs(of, [3, 5], "test")
    np.testing.assert_array_equal(x, of.dataset.x_test[[3, 5]].astype(np.float32) / 16)
    assert x.dtype == np.float32
    standardized = session("regularization", "data.scale=standardize", "data.folds=1")
    scaled = network_inputs(standardized, standardized.splits.train.tolist())
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    assert scaled.std(axis=0).max() == pytest.approx(1, abs=1e-4)


def test_columns_of_a_table_become_features() -> None:
    frame = pd.DataFrame({"a": np.arange(60) % 7, "b": ["u", "v", "w"] * 20, "y": [0, 1] * 30})
    x = wellfit.Study(frame, label="y").inputs([0, 1])
    assert x.shape == (2, 4)  # a number, and one column for each category
    assert np.isfinite(x).all()


def test_an_untrained_network_answers_with_its_initial_weights() -> None:
    """With a step of size almost zero, training leaves the initial weights where they are: the same answers."""
    study = wellfit.Study("digits", wellfit.mlp(16), epochs=1, seeds=[3], learning_rate=1e-30, optimizer="sgd")
    rows = study.run().predictions(5)
    spec, dataset = study._fitted()
    of = Session(spec, dataset, Path("unused"))
    from wellfit.engine.predicting import predict_proba
    from wellfit.nn.models import build

    x = of.test_examples(rows.index.to_numpy())
    drawn = build(wellfit.mlp(16), (8, 8), 10).init(3)
    weights = {f"{layer}/{name}": array for layer, arrays in drawn.items() for name, array in arrays.items()}
    trained = rows[list(dataset.classes)].to_numpy()
    np.testing.assert_allclose(
        trained, predict_proba(wellfit.mlp(16), weights, x, 10, of.fold(3).data.scaling), atol=1e-6
    )
    ours = untrained_output(of, spec.base, [0, 7], seed=3)
    again = predict_proba(wellfit.mlp(16), weights, dataset.x_train[[0, 7]], 10, of.fold(3).data.scaling)
    np.testing.assert_array_equal(ours, again)
    np.testing.assert_allclose(ours.sum(axis=1), 1, rtol=1e-6)


def test_batch_normalization_has_its_initial_statistics() -> None:
    table = wellfit.Study("digits", wellfit.mlp(8, batch_norm=True)).untrained([0, 1])
    assert table["sum"].tolist() == pytest.approx([1, 1], abs=1e-6)


def test_what_is_not_there_is_refused() -> None:
    of = session()
    with pytest.raises(UnknownNameError, match="unknown split 'tset'"):
        network_inputs(of, [0], "tset")
    with pytest.raises(DataError, match="has no test example 9999; choose numbers from 0 to"):
        untrained_output(of, of.spec.base, [9999], "test")
