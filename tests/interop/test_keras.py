"""The oracle is Keras on its JAX backend: float32 sums in another order differ by a few units of the last place."""

from __future__ import annotations

import builtins
import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest

import fitted_models as made
from wellfit.api import Study, from_keras, make_dataset, mlp
from wellfit.base import LayerSpec, ModelSpec, Scaling
from wellfit.errors import WellfitError
from wellfit.interop.keras import has_missing_input, keras_file, to_keras
from wellfit.model.fitted import FittedModel
from wellfit.nn.models import window

# Keras's own, of its way to turn a variable into an array
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(autouse=True)
def _lenient() -> Iterator[None]:
    """Keras is not as strict as we are."""
    with jax.numpy_rank_promotion("allow"):
        yield


def assert_same(model: FittedModel, examples: Any, inputs: Any) -> None:
    with jax.numpy_rank_promotion("raise"):
        expected = model.predict_proba(examples)
    np.testing.assert_allclose(np.asarray(to_keras(model)(inputs)), expected, rtol=0, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.01  # the examples make a difference


@pytest.mark.parametrize(("name", "shape"), made.SHAPES)
def test_images(name: str, shape: tuple[int, ...]) -> None:
    model, x = made.image_model(made.SPECS[name], shape, seeds=2 if name == "mlp" else 1), made.digits(shape)
    assert_same(model, x, x.astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "lenet5", "cnn"])
def test_real_test_images(name: str, real_data: Path) -> None:
    model, x = made.fashion(name)
    assert_same(model, x, x.astype(np.float32))


def test_standardized_images() -> None:
    random = np.random.default_rng(0)
    shift, factor = (random.uniform(*bounds, (8, 8)).astype(np.float32) for bounds in ((2, 9), (0.1, 0.5)))
    factor[0] = 0  # pixels that are 0 in every training image of the fold
    model = made.image_model(ModelSpec("logistic"), scaling=Scaling("standardize", shift, factor), seeds=1)
    assert_same(model, made.digits(), made.digits())  # bytes


def test_rows_without_names() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 90)
    x = random.normal(y[:, None], 1.0, (90, 4)).astype(np.float32)
    model = made.table_model(1, make_dataset(x, y, x, y, name="points"))
    assert not has_missing_input(model)
    assert to_keras(model).input_shape == (None, 4)
    assert_same(model, x, x)


def test_a_table_has_two_inputs() -> None:
    model = made.table_model(1)
    width = len(model.networks[0].preparation.features)
    assert has_missing_input(model)
    assert {x.name: x.shape for x in to_keras(model).inputs} == {"features": (None, width), "missing": (None, width)}


def test_what_acts_in_training_alone_is_there() -> None:
    spec = ModelSpec("layers", layers=(
        LayerSpec("conv2d", filters=2, bias=False, initializer="random_normal", spread=0.25), LayerSpec("flatten"),
        LayerSpec("dense", units=4, initializer="random_uniform", function="relu"), LayerSpec("dropout", rate=0.5),
        LayerSpec("dense", units=5, initializer="truncated_normal"), LayerSpec("dropout"), LayerSpec("dense", units=3),
    ))  # fmt: skip
    recipe = {"l1": [0.1, 0.0, 0.2, 0.3], "l2": 0.5, "max_norm": 3.0, "class_weights": "balanced"}
    model = replace(made.image_model(spec, seeds=1), origin=made.origin(recipe=recipe))
    built = to_keras(model)
    convolution, first, second, last = (x for x in built.layers if hasattr(x, "kernel_regularizer"))
    strengths = [
        tuple(float(getattr(x.kernel_regularizer, key)) for key in ("l1", "l2"))
        for x in (convolution, first, second, last)
    ]
    np.testing.assert_allclose(strengths, [(0.1, 0.5), (0, 0.5), (0.2, 0.5), (0.3, 0)])
    assert [x.kernel_constraint.axis for x in (convolution, first, second)] == [[0, 1, 2], 0, 0]
    assert last.kernel_constraint is None
    assert (convolution.use_bias, first.use_bias) == (False, True)
    assert convolution.kernel_initializer.stddev == 0.25
    assert {x.name: x.rate for x in built.layers if isinstance(x, keras.layers.Dropout)} == {"dropout_1": 0.5}
    x = made.digits().astype(np.float32)
    assert_same(model, made.digits(), x)
    assert not np.allclose(np.asarray(built(x, training=True)), np.asarray(built(x)))


@pytest.mark.parametrize("name", ["mlp", "lenet5", "cnn", "every layer"])
def test_an_exported_network_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    spec, shape = made.SPECS[name], (28, 28) if name == "lenet5" else (8, 8)
    if name == "every layer":
        spec, shape = (
            replace(spec, output="softmax", layers=(*spec.layers[1:-1], LayerSpec("dense", units=3))),
            (21, 18, 3),
        )
    rates = {"mlp": [0.5, 0.25], "lenet5": [0.1, 0.1, 0.5], "cnn": 0.5, "every layer": 0.2}[name]
    recipe = {"l2": 0.001, "dropout": rates, "max_norm": 2.0}
    model = replace(made.image_model(spec, shape, seeds=1), origin=made.origin(recipe=recipe))
    path = tmp_path / "model.keras"
    path.write_bytes(keras_file(model))
    found = from_keras(path)
    wanted = explicit(replace(spec, hidden=spec.hidden if spec.kind in ("mlp", "cnn") else ()))
    dropout = tuple(rates) if isinstance(rates, list) else rates
    settings = {"l2": pytest.approx(0.001), "dropout": dropout, "max_norm": 2.0, "scale": "unit"}
    assert {**found, "model": explicit(found["model"])} == {"model": wanted, **settings}
    assert from_keras(to_keras(model)) == found


def explicit(spec: ModelSpec) -> ModelSpec:
    """A model with the sizes of all windows, and with rates in the recipe."""
    sized = (replace(k, size=window(k)[0], stride=window(k)[1], rate=0.0) for k in spec.layers)
    return replace(spec, layers=tuple(sized))


def test_a_study_of_an_exported_network_is_the_same_study() -> None:
    settings = {"l2": 0.001, "dropout": 0.25, "epochs": 1, "seeds": 1}
    study = Study("digits", mlp(16, activation="tanh", initializer="he_normal"), **settings)
    again = Study("digits", from_keras(study.run().model().to_keras()), epochs=1, seeds=1)
    assert again.spec.base == study.spec.base


def test_the_file_loads_in_safe_mode_and_says_where_it_comes_from(tmp_path: Path) -> None:
    model = made.image_model(ModelSpec("logistic"), scaling=Scaling("standardize", *np.ones((2, 8, 8), np.float32)))
    path, x = tmp_path / "model.keras", made.digits().astype(np.float32)
    path.write_bytes(keras_file(model))
    loaded = keras.saving.load_model(path, safe_mode=True)
    np.testing.assert_array_equal(np.asarray(loaded(x)), np.asarray(to_keras(model)(x)))
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        said = json.loads(archive.read("wellfit.json"))
        kinds = {layer["class_name"] for layer in _layers(json.loads(archive.read("config.json")))}
    assert (said["classes"], said["seeds"], said["columns"]) == (["a", "b", "c"], [0, 1], [])
    assert kinds == {"InputLayer", "Functional", "Rescaling", "Flatten", "Dense", "Softmax", "Average"}


def _layers(config: Any) -> Iterator[dict[str, Any]]:
    """Every layer of a configuration, those of inner models included."""
    for layer in config["config"].get("layers", ()):
        yield layer
        yield from _layers(layer)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("keras", r'a Keras model needs keras, which is not installed; .* pip install "wellfit\[keras\]"'),
        ("tensorflow", "cannot be imported with KERAS_BACKEND = 'tensorflow': .*; set KERAS_BACKEND to jax"),
    ],
)
def test_without_keras(missing: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "keras":
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    with pytest.raises(WellfitError, match=message):
        to_keras(made.image_model(ModelSpec("logistic"), seeds=1))


def test_the_backend_is_jax_unless_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made.image_model(ModelSpec("logistic"), seeds=1)
    real = builtins.__import__

    def loaded(name: str, *rest: Any) -> Any:
        return real("math", *rest) if name == "keras" else real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", loaded)
    monkeypatch.delitem(sys.modules, "keras")
    for chosen, backend in ((None, "jax"), ("torch", "torch")):
        monkeypatch.delenv("KERAS_BACKEND", raising=False)
        if chosen:
            monkeypatch.setenv("KERAS_BACKEND", chosen)
        with pytest.raises(AttributeError, match="Input"):
            to_keras(model)
        assert os.environ["KERAS_BACKEND"] == backend


ELSEWHERE = """
import subprocess
import sys
import keras
import numpy as np
model = keras.saving.load_model(sys.argv[1])
given = dict(np.load(sys.argv[2]))
probabilities = model(given if len(given) > 1 else next(iter(given.values())))
np.save(sys.argv[3], keras.ops.convert_to_numpy(probabilities))
assert "wellfit" not in sys.modules and keras.backend.backend() == sys.argv[4]
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow"])
@pytest.mark.parametrize("name", ["mlp", "lenet5", "cnn", "table"])
def test_other_backends_load_the_file(name: str, backend: str, tmp_path: Path) -> None:
    """In a process of its own, without wellfit; of a table, features with one missing value each."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    if name == "table":
        model = made.table_model()
        width = len(model.networks[0].preparation.features)
        features = np.random.default_rng(0).normal(0, 1, (width, width)).astype(np.float32)
        given = {
            "features": features * (1 - np.eye(width, dtype=np.float32)),
            "missing": np.eye(width, dtype=np.float32),
        }
    else:
        shape = (28, 28) if name == "lenet5" else (8, 8)
        model = made.image_model(made.SPECS[name], shape)
        given = {"pixels": made.digits(shape).astype(np.float32)}
    (tmp_path / "model.keras").write_bytes(keras_file(model))
    np.savez(tmp_path / "given.npz", **given)
    files = [str(tmp_path / file) for file in ("model.keras", "given.npz", "found.npy")]
    environment = {**os.environ, "KERAS_BACKEND": backend, "KERAS_HOME": str(tmp_path)}
    command = [sys.executable, "-c", ELSEWHERE, *files, backend]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    expected = np.asarray(to_keras(model)(given if len(given) > 1 else given["pixels"]))
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), expected, rtol=0, atol=1e-5)
