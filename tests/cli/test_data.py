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
    assert output["data"] == "Digits"
    assert list(output["facts"]) == ["classes", "images", "test set"]
    assert [finding["code"] for finding in output["findings"]] == ["constant-features", "few-test-examples"]
    sizes = command("audit", "digits").out.splitlines()[:4]
    assert sizes[:3] == [
        "Digits",
        "1,797 images of 8 x 8, uint8",
        "Split: 1,150 training, 287 validation, 359 test a seed",
    ]
    assert sizes[3].startswith("Classes: 10: 0 (178), 1 (182), 2 (177)")
    leaky = tmp_path / "leaky.csv"
    leaky.write_text("a,b,label\n" + "".join(f"{i % 7},{i % 3},{'xy'[i % 2]}\n" for i in range(120)))
    ended = command("audit", leaky)
    assert ended.status == 0  # it did its work
    assert "test examples are also in the training split" in ended.out.replace("\n  ", " ")


def test_data(command: Command) -> None:
    facts = json.loads(command("data", "info", "digits", "--json").out)
    assert facts["examples"] == {"total": 1797}
    assert facts["shape"] == [8, 8]
    assert re.fullmatch("[0-9a-f]{64}", facts["hash"])
    assert facts["facts"]["images"] == "8 × 8 pixels, values 0 to 16, divided by 16"
    assert facts["classes"] == [*"0123456789"]
    lines = command("data", "info", "digits").out.splitlines()
    names = [*(name for name in facts if name not in ("classes", "facts")), *facts["facts"]]
    assert [re.split(" {2,}", line)[0] for line in lines if not line.startswith(" ")] == names
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
        (True, ["baseline", "l2"], 64 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10),
        (False, ["dropout"], 64 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10),
        (False, ["small"], 64 * 32 + 32 + 32 * 10 + 10),
    ]
    text = command("model", *data).out
    assert all(f"{table['total']:,} parameters" in text for table in plain["models"])
    assert [line.split()[-1] for line in text.splitlines() if "rate" in line] == ["0", "0", "0.3", "0.3", "0"]


def test_look_writes_a_picture(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "look.png"
    assert command("look", "--count", "2", "--out", path).out.strip() == str(path)
    with Image.open(path) as picture:
        assert picture.format == "PNG"


def test_settings_of_the_data_are_options(command: Command, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    rows = (f"{i % 5 or ''},{'abc'[i % 3]},{i % 2},{i // 4},{i % 3 == 0}\n" for i in range(60))
    table.write_text("age,city,member,family,paid\n" + "".join(rows))
    settings = ("--set", "data.label=member", "--set", "data.group=family", "--set", "data.drop=['paid']")
    facts = json.loads(command("audit", table, *settings, "--json").out)["facts"]
    assert facts["label column"].startswith("member")
    assert facts["groups"].endswith("in the validation split")
    assert facts["features"].startswith("5 from 2 columns: age, city, ")
    assert json.loads(command("data", "info", table, *settings, "--json").out)["facts"] == facts
    text = command("audit", table, *settings).out
    assert "Label column: member" in text
    assert command("model", "--data", table, *settings, "--json").status == 0
    ended = command("audit", table, "--set", "train.l2=1")
    assert ended.status == 2
    assert ended.err == (
        "wellfit: --set train.l2=1: only settings of [data] apply here, like --set data.label=NAME; remove it\n"
    )


def test_data_that_cannot_be_split_can_be_looked_at(command: Command, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("age,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(20)) + "3,rare\n")
    ended = command("data", "info", table)
    assert ended.status == 0
    assert "'rare'" in ended.out
    assert command("audit", table).status == 2
