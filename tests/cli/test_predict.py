"""``wellfit predict`` and ``refit`` as users call them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import wellfit
from commands import Ended
from fitted import of_a_table
from wellfit import Results

Command = Callable[..., Ended]

DIGITS = wellfit.load_dataset("digits")


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Thirty digits without labels."""
    np.save(tmp_path / "new.npy", DIGITS.x_test[:30])
    return tmp_path / "new.npy"


def test_predictions_on_the_terminal_and_in_files(
    command: Command, finished_study: Path, digits: Path, tmp_path: Path
) -> None:
    expected = Results(finished_study).model().predictions(digits)
    shown = command("predict", finished_study, digits)
    assert shown.status == 0
    assert shown.err.startswith("wellfit: baseline: one network classifies ")
    lines = shown.out.splitlines()
    assert lines[0].split() == ["example", "class", "probability", "spread"]
    assert lines[1].split()[:3] == ["example", "0", expected["class"].iloc[0]]
    assert (len(lines), lines[-1]) == (22, "and 10 more; all of them: --output FILE")
    out = tmp_path / "predictions.csv"
    assert command("predict", finished_study, digits, "--output", out, "--variant", "l2").out == f"{out}\n"
    written = pd.read_csv(out, index_col=0, dtype={"class": str})
    of_l2 = Results(finished_study).model("l2").predictions(digits)
    pd.testing.assert_frame_equal(written, of_l2, check_dtype=False, check_index_type=False)


def test_json(command: Command, finished_study: Path, digits: Path) -> None:
    shown = json.loads(command("predict", finished_study, digits, "--seed", "1", "--json").out)
    assert (shown["model"]["variant"], shown["model"]["seeds"], len(shown["predictions"])) == ("baseline", [1], 30)
    table = Results(finished_study).model(seed=1).predictions(digits)
    first = shown["predictions"][0]
    assert first == {
        "example": "example 0",
        "class": table["class"].iloc[0],
        "probability": table["probability"].iloc[0],
        "spread": None,
    }
    assert shown["classes"] == list(DIGITS.classes)


def test_a_models_file_and_what_a_competition_expects(command: Command, tmp_path: Path) -> None:
    path = of_a_table().save(tmp_path / "model.safetensors")
    rows = pd.DataFrame({"id": [7, 5], "age": [30, 40], "color": ["red", "blue"], "share": ["1%", "2%"]})
    rows.to_csv(tmp_path / "test.csv", index=False)
    out = tmp_path / "submission.csv"
    assert command("predict", path, tmp_path / "test.csv", "--submission", out).out == f"{out}\n"
    classes = of_a_table().predict(rows)
    assert out.read_text() == f"id,kind\n7,{classes[0]}\n5,{classes[1]}\n"
    refused = command("predict", path, tmp_path / "test.csv", "--variant", "l2")
    assert refused.status == 2
    assert "a model's file has one variant; leave out --variant and --seed" in refused.err


def test_predictions_replace_predictions_alone(
    command: Command, finished_study: Path, digits: Path, tmp_path: Path
) -> None:
    output = tmp_path / "predictions.csv"
    for _ in range(2):  # an older one is replaced
        assert command("predict", finished_study, digits, "--output", output).status == 0
    for content in ("age,diagnosis\n51,ill\n", 'name = "my study"\n'):
        output.write_text(content)
        failed = command("predict", finished_study, digits, "--output", output)
        assert failed.status == 2
        assert "does not hold predictions with these columns, and stays as it is; write to another file" in failed.err
        assert output.read_text() == content


def test_an_unknown_home_is_no_such_file(command: Command, finished_study: Path) -> None:
    failed = command("predict", finished_study, "~nobody-of-that-name/new.csv")
    assert (failed.status, failed.err.count("\n")) == (2, 1)
    assert "no such file or folder" in failed.err


def test_refit_saves_a_model(command: Command, finished_study: Path, digits: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    ended = command("refit", finished_study, "--output", path, "--with-test", "--variant", "narrow")
    assert (ended.status, ended.out) == (0, f"{path}\n")
    assert "narrow: not evaluated: trained again for 2 epochs on 1,797 training, validation and test" in ended.err
    assert wellfit.load(path).predict(digits).shape == (30,)
    assert command("predict", path, digits).status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict", "DIR", "nowhere.npy"], "nowhere.npy: no such file or folder"),
        (["predict", "nowhere", "NEW"], "nowhere: no such directory"),
        (["predict", "DIR", "NEW", "--variant", "l3"], "did you mean"),
        (["predict", "DIR", "NEW", "--seed", "9"], "baseline has no finished run with seed 9"),
        (["predict", "DIR", "NEW", "--output", "new.npy/x.csv"], "new.npy"),
        (["predict", "DIR", "NEW", "--output", "NEW"], "is read by this command; write to another file"),
        (["predict", "DIR", "NEW", "--submission", "DB"], "belongs to a study; write to another file"),
        (["predict", "DIR", "NEW", "--output", "."], "a folder, not a file; name a file to write"),
        (["predict", "DIR", "NEW", "--output", "/dev/null"], "/dev/null: a device, not a file; name a file to write"),
        (["predict", "DIR", "NEW", "--output", "a.csv", "--submission", "a.csv"], "is both --output and --submission"),
        (["refit", "DIR", "--output", "model.bin"], "a model's file ends in .safetensors"),
        (["refit", "DIR", "--output", "m.safetensors", "--data", "cosines"], "not the data of the study"),
    ],
)
def test_mistakes_get_one_line(
    command: Command, finished_study: Path, digits: Path, arguments: list[str], said: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    places = {"DIR": str(finished_study), "NEW": str(digits), "DB": str(finished_study / "study.db")}
    ended = command(*[places.get(argument, argument) for argument in arguments])
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.npy"]
