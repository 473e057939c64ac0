"""``wellfit audit``, ``model``, ``look`` and ``data``."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import stores
from commands import Ended

Command = Callable[..., Ended]


def test_audit(command: Command, tmp_path: Path) -> None:
    output = json.loads(command("audit", "digits", "--json").out)
    assert [finding["code"] for finding in output] == ["constant-features", "few-test-examples"]
    sizes = command("audit", "digits").out.splitlines()[:4]
    assert sizes[:3] == [
        "Digits",
        "1,797 images of 8 x 8, uint8",
        "split: 1,150 training, 288 validation, 359 test",
    ]
    assert sizes[3].startswith("10 classes with 139 to 146 training and validation examples each: 0, 1, 2")
    leaky = tmp_path / "leaky.csv"
    leaky.write_text("a,b,label\n" + "".join(f"{i % 7},{i % 3},{'xy'[i % 2]}\n" for i in range(120)))
    ended = command("audit", leaky)
    assert ended.status == 0  # it did its work
    assert "test examples are also in the training split" in ended.out.replace("\n  ", " ")


def test_data(command: Command) -> None:
    facts = json.loads(command("data", "info", "digits", "--json").out)
    assert facts["examples"] == "1438 training, 359 test"
    assert facts["shape"] == "8x8"
    assert re.fullmatch("[0-9a-f]{64}", facts["hash"])
    assert [line.split()[0] for line in command("data", "info", "digits").out.splitlines()] == list(facts)
    assert command("data", "fetch", "digits") == (0, "scikit-learn (load_digits)\n", "")


def test_missing_data_names_every_place_tried(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "KERAS_HOME", "TORCH_HOME", "WELLFIT_DATA"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    ended = command("run", "lab5")
    assert ended.status == 2
    (line,) = ended.err.splitlines()
    for place in ("WELLFIT_DATA/fashion-mnist", "KERAS_HOME/datasets", "TORCH_HOME/FashionMNIST"):
        assert str(tmp_path / place) in line
    assert os.environ["WELLFIT_CACHE"] in line
    assert "t10k-labels-idx1-ubyte.gz" in line
    assert "WELLFIT_OFFLINE" in line
    assert stores.tree(tmp_path) == {}


def test_models_are_tables_with_totals(command: Command) -> None:
    data = ("lab5", "--data", "digits", "--set", "variants.small.model.hidden=[32]")
    plain = json.loads(command("model", *data, "--json").out)
    assert [(table["base"], table["variants"], table["total"]) for table in plain["models"]] == [
        (True, ["baseline", "l2", "dropout"], 64 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10),
        (False, ["small"], 64 * 32 + 32 + 32 * 10 + 10),
    ]
    text = command("model", *data).out
    assert all(f"{table['total']:,} parameters" in text for table in plain["models"])
    assert "Dropout layers are inactive unless a rate is set." in text


def test_look_writes_a_picture(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "look.png"
    assert command("look", "--count", "2", "--out", path).out.strip() == str(path)
    with Image.open(path) as picture:
        assert picture.format == "PNG"
