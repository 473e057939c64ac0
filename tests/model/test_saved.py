"""A model's file: the same predictions after loading, and nothing that a stranger's file could do."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

import wellfit
from fitted import PIXELS, TABLE, of_a_table, of_images
from wellfit.base import ModelSpec
from wellfit.errors import StoreError, StoreUnreadableError, StudyFileError
from wellfit.model.fitted import FittedModel
from wellfit.model.saved import packed


@pytest.mark.filterwarnings("ignore:.*never in training:UserWarning")
@pytest.mark.parametrize(
    ("model", "examples"),
    [
        (of_images(), PIXELS),
        (of_images(ModelSpec("lenet5", batch_norm=True), (28, 28)), np.zeros((1, 28, 28), np.uint8)),
        (of_images(ModelSpec("cnn", (4, 8)), (8, 8, 3), seeds=1), np.full((2, 8, 8, 3), 7, np.uint8)),
        (of_a_table(), TABLE),
    ],
)
def test_a_loaded_model_predicts_the_same_bits(model: FittedModel, examples: Any, tmp_path: Path) -> None:
    path = model.save(tmp_path / "model.safetensors")
    again = wellfit.load(path)
    np.testing.assert_array_equal(again.predict_proba(examples), model.predict_proba(examples))
    assert (again.origin, again.classes, again.spec) == (model.origin, model.classes, model.spec)
    assert again.summary() == model.summary()
    assert [network.seed for network in again.networks] == [network.seed for network in model.networks]


def test_the_arrays_are_plain_safetensors(tmp_path: Path) -> None:
    model = of_images()
    with safe_open(model.save(tmp_path / "m.safetensors"), "np") as file:
        np.testing.assert_array_equal(file.get_tensor("1/dense_1/kernel"), model.networks[1].weights["dense_1/kernel"])
        assert json.loads(file.metadata()["wellfit model"])["classes"] == ["a", "b", "c"]


def test_names_and_places_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"m\.bin: a model.s file ends in \.safetensors; name it "):
        of_images().save(tmp_path / "m.bin")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        of_images().save(tmp_path / "file" / "m.safetensors")
    with pytest.raises(StoreUnreadableError, match=r"m\.safetensors: cannot be read \(No such file"):
        wellfit.load(tmp_path / "m.safetensors")
    with pytest.raises(StoreUnreadableError, match="not a plain file"):
        wellfit.load("/dev/zero")


def described(change: dict[str, Any]) -> bytes:
    """The file of a model with another description."""
    content = packed(of_images())
    size = int.from_bytes(content[:8], "little")
    text = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["wellfit model"])
    for path, value in change.items():
        place = text
        *outer, last = path.split(".")
        for key in outer:
            place = place[key]
        place[last] = value
    return to_bytes(from_bytes(content), metadata={"wellfit model": json.dumps(text)})


def without(name: str) -> bytes:
    """The file of a model that lacks an array."""
    content = packed(of_images())
    size = int.from_bytes(content[:8], "little")
    text = json.loads(content[8 : 8 + size])["__metadata__"]["wellfit model"]
    arrays = from_bytes(content)
    arrays.pop(name)
    return to_bytes(arrays, metadata={"wellfit model": text})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a model's file"),
        (b"\xff" * 100, "not a model's file"),
        (packed(of_images())[:-7], "not a model's file"),
        (to_bytes({"a": np.zeros(2)}), "holds arrays, but no model of wellfit"),
        (described({"format": 2}), "damaged: format 2 is of another version of wellfit"),
        (described({"seeds": [1]}), "damaged: its networks are not complete"),
        (described({"spec.kind": "transformer"}), "damaged: spec.kind: Input should be"),
        (described({"spec.hidden": [2**40]}), "damaged: "),
        (described({"classes": ["a", "b"]}), "damaged: "),
        (described({"form.shape": [9, 9]}), "damaged: "),
        (described({"form.shape": [2**20, 2**20]}), "damaged: "),
        (described({"spec.hidden": [9]}), "damaged: the weights of dense_1 are of another shape"),
        (described({"origin": 3}), "damaged: origin"),
        (without("0/dense_1/kernel"), "damaged: "),
        (without("1/scaling/shift"), "damaged: "),
        (to_bytes({"0/a": np.zeros(2)}, metadata={"wellfit model": "{"}), "damaged: "),
    ],
)
def test_files_that_are_no_model(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(StoreUnreadableError, match=rf"m\.safetensors: {said}"):
        wellfit.load(tmp_path / "m.safetensors")


def test_arrays_of_another_type_or_shape(tmp_path: Path) -> None:
    path, content = tmp_path / "m.safetensors", packed(of_images())
    size = int.from_bytes(content[:8], "little")
    text = json.loads(content[8 : 8 + size])["__metadata__"]["wellfit model"]
    for change, said in (
        ({"0/dense_1/kernel": np.zeros((64, 8))}, "an array is not float32"),
        ({"trained": np.zeros(5, np.float32)}, "what its training examples are is not a list of hashes"),
        ({"trained": np.zeros((1, 1), np.uint64)}, "what its training examples are is not a list of hashes"),
        ({"0/scaling/shift": np.zeros(5, np.float32)}, "its scaling is of another shape"),
        ({"0/dense_2/kernel": np.zeros((8, 4), np.float32), "0/dense_2/bias": np.zeros(4, np.float32)}, "damaged"),
    ):
        path.write_bytes(to_bytes({**from_bytes(content), **change}, metadata={"wellfit model": text}))
        with pytest.raises(StoreUnreadableError, match=said):
            wellfit.load(path)


def test_a_table_of_another_width(tmp_path: Path) -> None:
    content = packed(of_a_table())
    size = int.from_bytes(content[:8], "little")
    text = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["wellfit model"])
    text["preparations"][0]["columns"][0]["column"] = 7
    (tmp_path / "m.safetensors").write_bytes(
        to_bytes(from_bytes(content), metadata={"wellfit model": json.dumps(text)})
    )
    with pytest.raises(StoreUnreadableError, match="its preparation is of another table"):
        wellfit.load(tmp_path / "m.safetensors")


def test_flipped_bits_give_one_line_or_a_model(tmp_path: Path) -> None:
    """A weight's bit cannot be told from another weight; anything else is refused in one line."""
    content, chance = bytearray(packed(of_a_table())), random.Random(0)
    header = 8 + int.from_bytes(content[:8], "little")
    path, refused = tmp_path / "m.safetensors", 0
    for _ in range(60):
        changed = bytearray(content)
        changed[chance.randrange(header)] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        with contextlib.suppress(StoreUnreadableError):  # any other error fails
            wellfit.load(path)
            continue
        refused += 1
    assert refused > 30


def test_a_frame_with_other_columns_after_loading(tmp_path: Path) -> None:
    again = wellfit.load(of_a_table().save(tmp_path / "m.safetensors"))
    with pytest.raises(wellfit.WellfitError, match=r"lacks 1 column that the model needs \(age\)"):
        again.predict(pd.DataFrame({"color": ["red"], "share": ["1%"]}))
