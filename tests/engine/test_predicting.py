"""Predictions for scores: those of a forward pass in NumPy, and the same bits whatever they share a program with."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from wellfit.base import ModelSpec, Recipe, RunRecord, RunSpec, TrainingData
from wellfit.engine.plan import make_plan
from wellfit.engine.predicting import _predictor, predict_proba
from wellfit.engine.train import Trainer
from wellfit.nn.models import without_rates


@pytest.fixture(scope="module")
def trained(small_data: TrainingData) -> RunRecord:
    run = RunSpec("baseline", 0, Recipe(model=ModelSpec("mlp", (16, 8)), epochs=2, batch_size=32))
    sizes = len(small_data.x_train), len(small_data.x_validation), len(small_data.sample)
    (population,) = make_plan([run], small_data.input_shape, 3, sizes, len(jax.devices())).populations
    return Trainer(small_data).train(population)[0]


def test_predictions_in_a_larger_program_have_the_same_bits(small_data: TrainingData, trained: RunRecord) -> None:
    """As those of the smaller folds have."""
    record = trained
    arguments = record.spec.recipe.model, record.weights
    splits = small_data.x_validation, small_data.x_validation[:59]
    alone = [predict_proba(*arguments, x, 3, small_data.scaling) for x in splits]
    _predictor.cache_clear()
    for x in splits:
        shared = predict_proba(*arguments, x, 3, small_data.scaling, 60)
        np.testing.assert_array_equal(shared, alone.pop(0))
    model = without_rates(record.spec.recipe.model)
    assert _predictor(model, small_data.input_shape, 3)._cache_size() == 1  # type: ignore[attr-defined]


def test_predictions_agree_with_a_forward_pass_in_numpy(small_data: TrainingData, trained: RunRecord) -> None:
    weights = trained.weights
    x = small_data.x_validation.reshape(60, 16).astype(np.float64) / 255
    for layer in ("dense_1", "dense_2"):
        x = np.maximum(x @ weights[f"{layer}/kernel"] + weights[f"{layer}/bias"], 0)
    logits = x @ weights["dense_3/kernel"] + weights["dense_3/bias"]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = predict_proba(trained.spec.recipe.model, weights, small_data.x_validation, 3, small_data.scaling)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)  # float32 products of 16 terms
