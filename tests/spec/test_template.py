"""The template is a study that loads, with everything in it that is commented out."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.errors import StudyFileError
from wellfit.spec.study import load_study, recipes
from wellfit.spec.template import write_template


def test_the_template_is_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_template("mine") == Path("mine.toml")
    study = load_study("mine.toml")
    assert (study.name, study.data.name_or_path) == ("mine", "digits")
    assert list(recipes(study)) == ["baseline", "l2", "dropout", "early-stopping", "smaller"]


def test_its_commented_lines_can_be_used(tmp_path: Path) -> None:
    path = write_template(str(tmp_path / "mine.toml"))
    text = path.read_text()
    head, tail = text.split("# [sweeps.grid]")
    path.write_text(head + "[sweeps.grid]" + "\n".join(line.removeprefix("# ") for line in tail.split("\n")))
    assert len(load_study(path).variants) == 9
    assert load_study(path).published == {"baseline": {"test_accuracy": 0.97}}
    assert load_study(path, quick=True).seeds == (0, 1)
    assert list(load_study(f"{path}/wider").variants) == ["baseline", "wider"]
    path.write_text(text.replace('# extends = "lab5"', 'extends = "lab5"'))
    assert load_study(path).base.batch_size == 32


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("precious")
    with pytest.raises(StudyFileError, match=r"mine.toml: already exists and is not overwritten; choose another name"):
        write_template(str(path))
    assert path.read_text() == "precious"


def test_invalid_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match="cannot be written: No such file or directory"):
        write_template(str(tmp_path / "none" / "mine"))
    for name in ("", "a b", ".hidden", "x" * 65):
        with pytest.raises(StudyFileError, match=r"wellfit new, NAME: a name has at most 64 letters"):
            write_template(name)
