"""Settings of runs, in their archives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellfit.data.arrays.files import stored_arrays
from wellfit.data.predictions.settings import first_difference, other_setting, settings_in, settings_text
from wellfit.errors import DataError


def test_settings_come_back(tmp_path: Path):
    given = {"lr": np.float64(1e-3), "hidden": (64, 32), "data": Path("x"), "of": {"a": None}, "w": np.array([1.5])}
    file = tmp_path / "l2.0.npz"
    np.savez(file, settings=np.array(settings_text(given, "s")))
    back = {"lr": 0.001, "hidden": [64, 32], "data": "x", "of": {"a": None}, "w": [1.5]}
    assert settings_in(stored_arrays(file), file) == back
    np.savez(file, predictions=np.zeros(3))
    assert settings_in(stored_arrays(file), file) is None


@pytest.mark.parametrize("text", ["", "[1]", '{"a": NaN}', "{", "1"])
def test_other_texts_are_one_line(tmp_path: Path, text: str):
    file = tmp_path / "l2.0.npz"
    np.savez(file, settings=np.array(text))
    with pytest.raises(DataError, match="settings are no JSON text of name -> value"):
        settings_in(stored_arrays(file), file)


@pytest.mark.parametrize("settings", [{"lr": float("nan")}, {"f": len}, {(1, 2): 3}])
def test_what_json_does_not_have_is_one_line(settings: dict[object, object]):
    with pytest.raises(DataError, match=r"^s: holds more than texts, finite numbers and lists; leave it out$"):
        settings_text(settings, "s")


def test_settings_of_another_form():
    with pytest.raises(DataError, match=r"^s: of type list; give name -> value$"):
        settings_text([1], "s")


def test_a_difference_is_named():
    one, other = {"lr": 0.1, "l2": 0}, {"lr": 0.1, "seed": 1}
    assert first_difference(one, other) == "l2"
    assert first_difference(one, dict(one)) is None
    assert other_setting("l2", other, one, "a.0.npz").startswith("setting 'l2' is missing, but is 0 in a.0.npz; ")


def test_settings_that_nest_deeper_are_refused_when_they_are_written_and_when_they_are_read(tmp_path: Path):
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"a": deep}
    with pytest.raises(DataError, match="nests more than 50 deep; flatten it"):
        settings_text(deep, "settings")
    for text in (json.dumps(deep), '{"a":' * 900 + "1" + "}" * 900):
        np.savez(tmp_path / "a.0.npz", settings=np.array(text))
        with pytest.raises(DataError, match="settings nest more than 50 deep; flatten them"):
            settings_in(stored_arrays(tmp_path / "a.0.npz"), tmp_path / "a.0.npz")
    wide = {"layers": [[at] for at in range(300)], "note": "{" * 300}
    assert json.loads(settings_text(wide, "settings")) == wide
