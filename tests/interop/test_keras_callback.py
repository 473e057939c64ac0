"""The callback for Keras."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from wellfit.data.predictions.read import read_predictions
from wellfit.errors import DataError, StoreError, WellfitError
from wellfit.interop.keras_callback import keras_callback

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 4)).astype(np.float32)
Y = (X[:, 0] > 0) + (X[:, 1] > 0).astype(np.int32)


def model(keras: Any, activation: str | None = "softmax") -> Any:
    keras.utils.set_random_seed(0)
    found = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation=activation)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=activation is None)
    found.compile(optimizer=keras.optimizers.SGD(0.5), loss=loss, metrics=["accuracy"])
    return found


def fit(keras: Any, callbacks: list[Any], activation: str | None = "softmax", epochs: int = 3) -> tuple[Any, Any]:
    built = model(keras, activation)
    history = built.fit(X, Y, validation_split=0.3, epochs=epochs, verbose=0, callbacks=callbacks)
    return built, history.history


@pytest.fixture
def keras() -> Iterator[Any]:
    found = pytest.importorskip("keras")
    with jax.numpy_rank_promotion("allow"):  # Keras is not as strict as we are
        yield found


def test_predictions_and_curves_are_those_of_the_training(keras: Any, tmp_path: Path):
    callback = keras_callback("plain", 0, X, Y, out=tmp_path, settings={"lr": 0.5})
    built, history = fit(keras, [callback])
    given = read_predictions([tmp_path])
    np.testing.assert_array_equal(given.runs[0].values(), built.predict(X, verbose=0))
    np.testing.assert_array_equal(given.labels, Y)
    curves = given.histories["plain", 0]
    for name, of in (("train_loss", "loss"), ("validation_accuracy", "val_accuracy"), ("train_accuracy", "accuracy")):
        np.testing.assert_array_equal(curves[name], history[of])
    assert given.settings == {"plain": {"lr": 0.5}}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras under NumPy 2
def test_restored_weights_are_those_that_predict(keras: Any, tmp_path: Path):
    stop = keras.callbacks.EarlyStopping("loss", mode="max", restore_best_weights=True)  # the first epoch is the best
    built, _ = fit(keras, [stop, keras_callback("plain", 0, X, Y, out=tmp_path)])
    np.testing.assert_array_equal(read_predictions([tmp_path]).runs[0].values(), built.predict(X, verbose=0))


def test_logits_need_a_word(keras: Any, tmp_path: Path):
    fit(keras, [keras_callback("logits", 0, X, Y, out=tmp_path, softmax=True)], None)
    np.testing.assert_allclose(read_predictions([tmp_path]).runs[0].values().sum(axis=1), 1, atol=1e-6)
    with pytest.raises(DataError, match="if these are logits"):
        fit(keras, [keras_callback("logits", 1, X, Y, out=tmp_path)], None)


def test_mistakes_are_found_before_the_training(keras: Any, tmp_path: Path):
    callback = keras_callback("plain", 0, X, Y, out=tmp_path)
    fit(keras, [callback], epochs=1)
    with pytest.raises(StoreError, match="this run has been logged before"):
        keras_callback("plain", 0, X, Y, out=tmp_path)
    with pytest.raises(StoreError, match="this run has been logged before"):
        fit(keras, [callback], epochs=1000)
    with pytest.raises(DataError, match=r"y_test has . for example 0"):
        keras_callback("plain", 1, X, Y + 1, out=tmp_path)
    with pytest.raises(DataError, match="a name has"):
        keras_callback("a/b", 1, X, Y, out=tmp_path)


def test_an_interrupted_training_is_not_logged(keras: Any, tmp_path: Path):
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    interrupt = keras.callbacks.LambdaCallback(on_epoch_end=stop)
    with pytest.raises(KeyboardInterrupt):
        fit(keras, [keras_callback("plain", 0, X, Y, out=tmp_path / "runs"), interrupt])
    assert not (tmp_path / "runs").exists()


def test_without_keras_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(WellfitError, match=r'which is not installed; install it with: pip install "wellfit\[keras\]"'):
        keras_callback("plain", 0, X, Y)
