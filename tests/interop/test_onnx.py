"""The oracle is onnxruntime: float32 sums in another order differ by a few units of the last place."""

from __future__ import annotations

import builtins
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest

import fitted_models as made
from fitted import of_images
from wellfit.api import make_dataset
from wellfit.base import ModelSpec, Scaling
from wellfit.data.later import Form
from wellfit.errors import ShapeError, StudyFileError, WellfitError
from wellfit.interop.onnx import _ACTIVATIONS, OPSET, input_names, to_onnx
from wellfit.model.fitted import FittedModel
from wellfit.nn.layers import ACTIVATIONS

UNKNOWN = pytest.mark.filterwarnings(
    "ignore:city, or town. 'Basel':UserWarning", "ignore:.*never in training:UserWarning"
)


def session(content: bytes) -> onnxruntime.InferenceSession:
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options)


def of_table(frame: pd.DataFrame, names: dict[str, str]) -> dict[str, Any]:
    def values(column: pd.Series) -> np.ndarray:
        texts = not pd.api.types.is_numeric_dtype(column)
        return column.fillna("").to_numpy(object)[:, None] if texts else column.to_numpy(np.float64)[:, None]

    return {name: values(frame[column]) for name, column in names.items()}


def assert_same(model: FittedModel, examples: Any, inputs: dict[str, Any], pixels: str = "float32") -> None:
    probabilities, labels = session(model.to_onnx(pixels)).run(None, inputs)
    expected = model.predict_proba(examples)
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.01  # the examples make a difference
    assert labels.tolist() == model.predict(examples).tolist()


@pytest.mark.parametrize(("name", "shape"), made.SHAPES)
def test_images(name: str, shape: tuple[int, ...]) -> None:
    model, x = made.image_model(made.SPECS[name], shape), made.digits(shape)
    assert_same(model, x, {"pixels": x.astype(np.float32)})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "lenet5", "cnn"])
def test_real_test_images(name: str, real_data: Path) -> None:
    model, x = made.fashion(name)
    assert_same(model, x, {"pixels": x.astype(np.float32)})
    assert_same(model, x, {"pixels": x}, "uint8")


@pytest.mark.parametrize(("name", "shape"), [("mlp", (8, 8)), ("lenet5", (28, 28)), ("cnn", (21, 18, 3))])
def test_pixels_as_decoders_give_them(name: str, shape: tuple[int, ...]) -> None:
    model, x = made.image_model(made.SPECS[name], shape), made.digits(shape).astype(np.uint8)
    assert_same(model, x, {"pixels": x}, "uint8")


@pytest.mark.parametrize(
    ("model", "pixels", "said"),
    [
        (made.image_model(ModelSpec("logistic")), "int8", "pixels = 'int8': choose float32 or uint8"),
        (made.table_model(1), "uint8", "pixels = 'uint8': the model takes rows, not images; leave it out"),
        (of_images(pixel_max=65535), "uint8", "pixels = 'uint8': the model was trained on pixels up to 65535; use fl"),
        (of_images(pixel_max=None), "uint8", "trained on pixels in another range than 0 to 255; use float32"),
    ],
)
def test_pixels_that_cannot_be(model: FittedModel, pixels: str, said: str) -> None:
    with pytest.raises(StudyFileError, match=said):
        to_onnx(model, pixels)


def test_standardized_images() -> None:
    random = np.random.default_rng(0)
    shift, factor = (random.uniform(*bounds, (8, 8)).astype(np.float32) for bounds in ((2, 9), (0.1, 0.5)))
    model = made.image_model(ModelSpec("mlp", (12,)), scaling=Scaling("standardize", shift, factor))
    assert_same(model, made.digits(), {"pixels": made.digits().astype(np.float32)})


@pytest.mark.parametrize("seeds", [1, 3])
@UNKNOWN
def test_tables(seeds: int) -> None:
    model, frame = made.table_model(seeds), made.later_people()
    columns = model.networks[0].preparation.columns
    assert any(column.center for column in columns)
    assert any(column.indicator and column.categories for column in columns)
    assert any(column.indicator and not column.categories for column in columns)
    fills = {tuple(column.fill for column in network.preparation.columns) for network in model.networks}
    assert len(fills) == seeds
    names = input_names(model)
    assert names == {**{c.name: c.name for c in columns if c.name not in ("label", "probabilities")}} | {
        "label_": "label",
        "probabilities_": "probabilities",
    }
    assert_same(model, frame, of_table(frame, names))


@pytest.mark.parametrize("keep", [["age", "paid"], ["city, or town"]], ids=["numbers", "texts"])
def test_tables_of_one_kind_of_column(keep: list[str]) -> None:
    model = made.table_model(data=made.table_data(made.people()[[*keep, "kind"]]))
    frame = made.people(30)[keep]
    assert_same(model, frame, of_table(frame, input_names(model)))


@pytest.mark.parametrize("huge", [0.0, 1.7e9])
def test_arrays_without_names(huge: float) -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 90)
    x = random.normal(y[:, None], 1.0, (90, 4)) + huge
    x[::6, 1] = np.nan
    model = made.table_model(data=make_dataset(x, y, x, y, name="points"))
    x[1, 2] = np.inf  # counts as missing
    assert_same(model, x, {"rows": x if huge else x.astype(np.float32)})


def test_the_file_says_where_it_comes_from() -> None:
    model = replace(made.image_model(ModelSpec("logistic")), classes=("caf\udce9", "b", "c"))
    content = to_onnx(model)
    proto = onnx.load_from_string(content)
    said = {entry.key: entry.value for entry in proto.metadata_props}
    assert (proto.opset_import[0].version, proto.ir_version, proto.producer_name) == (OPSET, 10, "wellfit")
    assert json.loads(said["classes"]) == ["caf\udce9", "b", "c"]
    assert (json.loads(said["seeds"]), said["variant"], said["data hash"]) == ([0, 1], "l2", "ab" * 32)
    assert json.loads(said["recipe"])["l2"] == 0.001
    labels = session(content).run(["label"], {"pixels": np.zeros((1, 8, 8), np.float32)})[0]
    assert labels[0] in ("caf\\udce9", "b", "c")
    assert to_onnx(model) == content


def test_networks_of_other_columns_are_refused() -> None:
    one = made.table_model(1)
    other = made.table_model(1, made.table_data(made.people()[["age", "paid", "kind"]]))
    with pytest.raises(ShapeError, match="take different columns; export each with its seed"):
        to_onnx(replace(one, networks=(*one.networks, *other.networks)))


def test_too_many_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.interop.onnx._MOST_BYTES", 500)
    with pytest.raises(WellfitError, match=r"the weights take 0\.0 GB, and .* 2 GB; export the network of one seed"):
        to_onnx(made.image_model(ModelSpec("logistic")))
    with pytest.raises(WellfitError, match="2 GB; use another format"):
        to_onnx(made.image_model(ModelSpec("logistic"), seeds=1))


def test_without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "onnx":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(WellfitError, match=r'onnx, which is not installed; .* pip install "wellfit\[onnx\]"'):
        to_onnx(made.image_model(ModelSpec("logistic")))


def test_the_inputs_of_images_have_no_columns() -> None:
    assert input_names(made.image_model(ModelSpec("logistic"))) == {"pixels": ""}
    assert Form((8, 8)).columns == ()


def test_every_activation_has_its_operator() -> None:
    assert set(_ACTIVATIONS) == set(ACTIVATIONS)
