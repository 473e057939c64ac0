"""A fitted model on examples in every form, against a forward pass in NumPy."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fitted import PIXELS, TABLE, of_a_table, of_images
from wellfit.errors import DataError
from wellfit.model.fitted import FittedModel, positions


def forward(model: FittedModel, features: Any) -> Any:
    """The mean probabilities of perceptrons with one hidden layer, in float64."""
    total = 0.0
    for network in model.networks:
        w = {name: array.astype(np.float64) for name, array in network.weights.items()}
        x = (features - network.scaling.shift) * network.scaling.factor
        hidden = np.maximum(x.reshape(len(x), -1) @ w["dense_1/kernel"] + w["dense_1/bias"], 0)
        logits = hidden @ w["dense_2/kernel"] + w["dense_2/bias"]
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        total = total + exponents / exponents.sum(axis=1, keepdims=True)
    return total / len(model.networks)


def test_pixels_are_scaled_and_probabilities_averaged() -> None:
    model = of_images()
    expected = forward(model, PIXELS.astype(float))
    np.testing.assert_allclose(model.predict_proba(PIXELS), expected, atol=1e-6)  # float32
    assert model.predict(PIXELS).tolist() == [model.classes[k] for k in expected.argmax(axis=1)]
    each = model.predict_proba(PIXELS, each=True)
    assert each.shape == (2, 6, 3)
    table = model.predictions(PIXELS)
    best = expected.argmax(axis=1)
    np.testing.assert_allclose(table["probability"], expected.max(axis=1), atol=1e-6)
    np.testing.assert_allclose(table["spread"], each[:, np.arange(6), best].std(axis=0, ddof=1), atol=1e-6)
    assert table.index[0] == "example 0"
    assert of_images(seeds=1).predictions(PIXELS)["spread"].isna().all()


@pytest.mark.parametrize("form", ["files", "folder", "npy", "npz", "flat", "channel", "float", "csv"])
def test_the_same_pixels_in_any_form(form: str, tmp_path: Path) -> None:
    model, given = of_images(), PIXELS
    files = [tmp_path / f"{row}.png" for row in range(6)]
    examples: Any = {
        "files": files,
        "folder": tmp_path,
        "npy": tmp_path / "x.npy",
        "npz": str(tmp_path / "x.npz"),
        "flat": given.reshape(6, 64),
        "channel": given[..., None],
        "float": given.astype(np.float64),
        "csv": tmp_path / "x.csv",
    }[form]
    if form in ("files", "folder"):
        for file, picture in zip(files, given, strict=True):
            Image.fromarray(picture).save(file)
    np.save(tmp_path / "x.npy", given)
    np.savez(tmp_path / "x.npz", x=given, y=np.zeros(6))
    pd.DataFrame(given.reshape(6, 64)).to_csv(tmp_path / "x.csv", index=False)
    np.testing.assert_array_equal(model.predict_proba(examples), model.predict_proba(given))
    if form == "files":
        assert model.predictions(examples).index.tolist() == list(map(str, files))


@pytest.mark.filterwarnings("ignore:.*never in training")
def test_rows_of_a_table_are_prepared_as_in_training() -> None:
    model = of_a_table()
    features = np.array([[30, 0, 0, 1, 12], [40, 1, 0, 1, 50], [55, 0, 1, 0, 50]], float)
    expected = forward(model, features)
    np.testing.assert_allclose(model.predict_proba(TABLE), expected, atol=1e-6)
    shuffled = TABLE[["share", "color", "id", "age"]]  # without the label and the constant column, in another order
    table = model.predictions(shuffled)
    np.testing.assert_allclose(table["probability"], expected.max(axis=1), atol=1e-6)
    assert (table.index.name, table.index.tolist()) == ("id", [11, 12, 13])
    assert model.predictions(shuffled.drop(columns="id")).index.tolist()[0] == "row 0 (from 0)"


@pytest.mark.filterwarnings("ignore:.*never in training")
def test_a_category_that_training_never_saw_is_said() -> None:
    model = of_a_table()
    table = TABLE.assign(color=["red", "green", "green"])
    with pytest.warns(UserWarning, match="color: 'green' in 2 rows occurs in no training example"):
        found = model.predict_proba(table)
    expected = forward(model, np.array([[30, 0, 0, 1, 12], [40, 1, 0, 0, 50], [55, 0, 0, 0, 50]], float))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_evaluation_counts_what_is_right() -> None:
    model = of_images()
    probabilities = model.predict_proba(PIXELS).astype(float)
    truth = probabilities.argmax(axis=1)
    truth[:2] = (truth[:2] + 1) % 3
    found = model.evaluate(PIXELS, [model.classes[k] for k in truth])
    assert (found.examples, found.accuracy) == (6, 4 / 6)
    assert found.interval == pytest.approx((0.2228, 0.9567), abs=1e-4)  # Clopper-Pearson of 4 in 6, R's binom.test
    assert found.log_loss == pytest.approx(-np.log(probabilities[np.arange(6), truth]).mean())
    each = model.predict_proba(PIXELS, each=True).argmax(axis=2)
    assert found.each == {seed: float((each[seed] == truth).mean()) for seed in (0, 1)}
    assert str(found) == f"accuracy 66.67 % [22.28, 95.67] on 6 examples, log loss {found.log_loss:.4f}"
    assert model.evaluate(PIXELS, truth) == found  # positions


@pytest.mark.filterwarnings("ignore:.*never in training")
def test_labels_come_with_a_table_with_arrays_and_with_folders(tmp_path: Path) -> None:
    assert of_a_table().evaluate(TABLE).examples == 3
    model = of_images()
    np.savez(tmp_path / "x.npz", x=PIXELS, y=np.array(["a", "b", "c", "a", "b", "c"]))
    expected = model.evaluate(PIXELS, list("abcabc"))
    assert model.evaluate(tmp_path / "x.npz") == expected
    for row, name in enumerate("abcabc"):
        (tmp_path / "held out" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS[row]).save(tmp_path / "held out" / name / f"{row}.png")
    by_folder = model.evaluate(tmp_path / "held out")
    assert (by_folder.examples, by_folder.accuracy) == (6, expected.accuracy)


@pytest.mark.parametrize(
    ("examples", "labels", "said"),
    [
        (PIXELS, None, "the examples have no labels; give them as the second argument"),
        (PIXELS, ["a"], r"labels of shape \(1,\) for 6 examples; give one label per example"),
        (PIXELS, list("abcabd"), "the model has no class 'd'; its classes are a, b, c"),
        (PIXELS, np.arange(6), "the model has no class '3', '4', '5'; its classes are a, b, c"),
    ],
)
def test_labels_that_cannot_be_used(examples: Any, labels: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        of_images().evaluate(examples, labels)


@pytest.mark.filterwarnings("ignore:.*never in training")
def test_a_row_without_a_label_is_named() -> None:
    with pytest.raises(DataError, match=r"row 1 \(from 0\) has no label; add it, or leave the row out"):
        of_a_table().evaluate(TABLE.assign(kind=["no", None, "yes"]))


def test_labels_as_numbers_texts_and_bytes() -> None:
    assert positions(np.array([b"b", b"a"]), ("a", "b")).tolist() == [1, 0]
    assert positions(np.array([3.0, 7.5]), ("3", "7.5")).tolist() == [0, 1]
    assert positions(np.array([True, False]), ("False", "True")).tolist() == [1, 0]
    with pytest.raises(DataError, match="the model has no class '0', '1'; its classes are 3, 7"):
        positions(np.array([0, 1]), ("3", "7"))


def test_a_model_pickles_and_is_short_in_a_prompt() -> None:
    model = of_images()
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(PIXELS), model.predict_proba(PIXELS))
    assert repr(model) == "FittedModel('l2', ensemble of 2 networks, 3 classes)"
    assert repr(of_images(seeds=1)) == "FittedModel('l2', 1 network, 3 classes)"
