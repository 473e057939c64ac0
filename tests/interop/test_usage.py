"""The code of the cards, run as it stands on files beside it, gives the probabilities of the model itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

import fitted_models as made
from wellfit.api import make_dataset
from wellfit.base import ModelSpec
from wellfit.interop.exports import FORMATS, export_model
from wellfit.interop.usage import NEEDS, usage
from wellfit.model.fitted import FittedModel

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
    pytest.mark.filterwarnings("ignore:city, or town. 'Basel':UserWarning"),
    pytest.mark.filterwarnings("ignore:.*never in training:UserWarning"),
]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[FittedModel, str], dict[str, Any]]:
    """Export a model, and run the code of its card in the folder."""
    monkeypatch.chdir(tmp_path)

    def call(model: FittedModel, form: str, pixels: str = "float32") -> dict[str, Any]:
        written = export_model(model, form, Path(f"it's mine{FORMATS[form]}"), pixels=pixels)
        code = usage(model, form, written.model.name, pixels)
        assert code in written.card.read_text(encoding="utf-8")
        names: dict[str, Any] = {}
        with jax.numpy_rank_promotion("allow"):  # Keras is not as strict as we are
            exec(code, names)
        return names

    return call


def assert_same(names: dict[str, Any], model: FittedModel, examples: Any, order: Any = slice(None)) -> None:
    np.testing.assert_allclose(names["probabilities"], model.predict_proba(examples)[:, order], rtol=0, atol=1e-5)
    assert [str(label) for label in names["labels"]] == model.predict(examples).tolist()


@pytest.mark.parametrize("form", FORMATS)
def test_a_table(form: str, run: Callable[[FittedModel, str], dict[str, Any]]) -> None:
    frame = made.later_people()
    model = made.table_model()
    if form == "onnx":  # an input cannot have the name of an output, so that the card's code wants other columns
        data = made.people().rename(columns={"label": "income", "probabilities": "share"})
        frame = frame.rename(columns={"label": "income", "probabilities": "share"})
        model = made.table_model(data=made.table_data(data))
    frame.to_csv("new.csv", index=False)
    assert_same(run(model, form), model, "new.csv")


@pytest.mark.parametrize("form", ["onnx", "safetensors"])
def test_images(form: str, run: Callable[[FittedModel, str], dict[str, Any]]) -> None:
    model, x = made.image_model(ModelSpec("logistic")), made.digits()
    np.save("pixels.npy", x)
    Path("images").mkdir()
    if form == "safetensors":
        from PIL import Image

        Image.fromarray(x[0] * 15).save("images/a.png")
        model = replace(model, form=replace(model.form, pixel_max=255.0))
    assert_same(run(model, form), model, x if form == "onnx" else "images")


@pytest.mark.slow
def test_images_in_keras(run: Callable[[FittedModel, str], dict[str, Any]]) -> None:
    model, x = made.image_model(ModelSpec("logistic")), made.digits()
    np.save("pixels.npy", x)
    assert_same(run(model, "keras"), model, x)


def test_pixels_of_eight_bits(run: Callable[..., dict[str, Any]]) -> None:
    model, x = made.image_model(ModelSpec("logistic")), made.digits().astype(np.uint8)
    np.save("pixels.npy", x)
    assert_same(run(model, "onnx", "uint8"), model, x)


@pytest.mark.parametrize("form", ["onnx", "joblib", pytest.param("keras", marks=pytest.mark.slow)])
@pytest.mark.parametrize("huge", [0.0, 1.7e9])
def test_rows(form: str, huge: float, run: Callable[[FittedModel, str], dict[str, Any]]) -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 90)
    x = random.normal(y[:, None], 1.0, (90, 4)) + huge
    if huge:
        x[::6, 1] = np.nan
    np.save("rows.npy", x)
    model = made.table_model(data=make_dataset(x, y, x, y, name="points"))
    assert_same(run(model, form), model, x)


def test_every_format_says_what_it_needs() -> None:
    assert NEEDS.keys() == FORMATS.keys()
    assert pd.Series(NEEDS).str.endswith(".").all()
