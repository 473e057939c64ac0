"""What this user may not read or write is one line and exit status 2, and nothing advises to give up what is intact."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from permissions import enforced
from predictions import archives
from wellfit import cli


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """Call the command in this process as a user without privileges; the only line that it prints as an error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path, status: int = 2) -> str:
        monkeypatch.setattr(sys, "argv", ["wellfit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended, enforced():
            cli.main()
        out, err = capfd.readouterr()
        assert ended.value.code == status, err
        assert len(err.splitlines()) == (status == 2), err
        assert "--fresh" not in out + err
        return err.strip().removeprefix("wellfit: ") if status else out

    yield call
    for folder, folders, files in os.walk(tmp_path):
        for name in (*folders, *files):
            os.chmod(os.path.join(folder, name), 0o700, follow_symlinks=os.path.islink(os.path.join(folder, name)))


@pytest.fixture
def closed(finished_study: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a study in which something has no permissions."""

    def close(name: str) -> Path:
        study = Path(shutil.copytree(finished_study, tmp_path / "study"))
        (study / name).chmod(0)
        return study

    return close


def before(study: Path) -> dict[str, int]:
    with_access = [path for path in study.rglob("*") if path.is_file()]
    return {str(path): path.stat().st_mtime_ns for path in with_access}


def test_a_database(command: Callable[..., str], closed: Callable[[str], Path]) -> None:
    study = closed("study.db")
    kept = before(study)
    for name in ("show", "verify", "report"):
        assert command(name, study).startswith(f"{study}/study.db: unable to open database file; everything saved so")
    assert before(study) == kept


def test_a_study_directory(command: Callable[..., str], closed: Callable[[str], Path]) -> None:
    study = closed(".")
    for name in ("show", "verify", "report"):
        assert command(name, study) == f"{study}: Permission denied; fix its permissions"
    assert command("run", "--out", study) == f"{study}: Permission denied; fix its permissions"
    assert command("merge", study, "b", "--out", "c") == f"{study}: Permission denied; fix its permissions"


def test_final_states(command: Callable[..., str], closed: Callable[[str], Path], finished_study: Path) -> None:
    study = closed("ends")
    kept = before(study)
    command("show", study, status=0)
    assert command("verify", study).endswith("problems, listed on standard output")
    small = ("--epochs", "3", "--set", "model.hidden=[16]", "--seeds", "2")
    line = command("run", *small, "--out", study)
    assert line.startswith(f"{study}/ends/")
    assert line.endswith("Permission denied; fix the permissions of its folder")
    assert command("merge", study, finished_study, "--out", "both").startswith(f"{study}/ends/")
    assert before(study) == kept


@pytest.mark.parametrize("folder", ["weights", "test"])
def test_files_of_runs(folder: str, command: Callable[..., str], closed: Callable[[str], Path]) -> None:
    study = closed(folder)
    kept = before(study)
    line = command("report", study)
    assert line.startswith(f"{study}/{folder}/")
    assert line.endswith(".npz: cannot be read: Permission denied; fix its permissions")
    assert command("verify", study).endswith("problems, listed on standard output")
    assert before(study) == kept


def test_a_parent(command: Callable[..., str], finished_study: Path, tmp_path: Path) -> None:
    (tmp_path / "parent").mkdir()
    shutil.copytree(finished_study, tmp_path / "parent" / "study")
    (tmp_path / "parent").chmod(0)
    for name in ("show", "verify", "report"):
        assert command(name, "parent/study").startswith("parent/study: Permission denied; ")
    for out in ("parent/study", "parent/new"):
        assert command("run", "--out", out).startswith(f"{out}: Permission denied; ")
    line = "parent/a.html: Permission denied; fix the permissions, or choose another path with --out"
    assert command("report", finished_study, "--out", "parent/a.html") == line
    assert command("plan", "parent/a.toml") == "'parent/a.toml': cannot be a file: Permission denied"
    assert command("audit", "parent/a.csv").startswith("parent/a.csv: cannot be read (Permission denied); ")
    assert command("audit", "parent").startswith("parent: cannot be read (Permission denied); ")


def test_a_study_that_cannot_be_written_can_be_read(
    command: Callable[..., str], finished_study: Path, tmp_path: Path
) -> None:
    study = Path(shutil.copytree(finished_study, tmp_path / "study"))
    for path in (study, *study.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    command("show", study, status=0)
    assert "all unchanged" in command("verify", study, status=0)
    assert command("report", study).startswith(f"{study}/report.html: the report cannot be written: Permission denied")
    (tmp_path / "notes.md").write_text("Good.")
    line = "cannot be locked: Permission denied; make the directory writable, or make a copy of it that is"
    assert command("report", study, "--text", "notes.md") == f"{study}/lock: {line}"
    more = ("--epochs", "2", "--set", "model.hidden=[16]", "--seeds", "3")
    assert command("run", *more, "--out", study).startswith(f"{study}/lock: cannot be locked: Permission denied; ")


def test_data(command: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("a,label\n" + "1,x\n2,y\n" * 30)
    (tmp_path / "b.csv").write_text("a,label\n" + "1,x\n2,y\n" * 30)
    (tmp_path / "b.csv").chmod(0)
    assert command("audit", "b.csv") == "b.csv: cannot be read (Permission denied); change its permissions or copy it"
    assert command("audit", "a.csv", "--set", "data.test_file=b.csv").startswith("b.csv: cannot be read (Permission")
    (tmp_path / "images" / "cat").mkdir(parents=True)
    (tmp_path / "images" / "cat").chmod(0)
    for folder in ("images", "images/cat"):
        assert command("audit", folder).startswith("images/cat: cannot be read (Permission denied); ")
    (tmp_path / "images" / "dog" / "raw").mkdir(parents=True)
    (tmp_path / "images" / "cat").chmod(0o700)
    (tmp_path / "images" / "dog" / "raw").chmod(0)
    assert command("audit", "images").startswith("images/dog/raw: cannot be read (Permission denied); ")
    for variable in ("WELLFIT_DATA", "WELLFIT_CACHE"):
        (tmp_path / variable).mkdir(mode=0)
        monkeypatch.setenv(variable, variable)
    line = command("data", "info", "mnist")
    assert "WELLFIT_DATA (WELLFIT_DATA/mnist: Permission denied); " in line
    assert "wellfit's cache (WELLFIT_CACHE/data/mnist: Permission denied); " in line
    monkeypatch.setenv("WELLFIT_OFFLINE", "0")
    assert command("data", "info", "mnist").startswith("WELLFIT_CACHE/data/mnist: cannot be used (Permission denied); ")


def test_one_image(command: Callable[..., str], tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    for name in "ab":
        (tmp_path / "images" / name).mkdir(parents=True)
        for at in range(8):
            pixels = np.random.default_rng(at).integers(0, 255, (8, 8), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{at}.png")
    (tmp_path / "images" / "a" / "3.png").chmod(0)
    assert command("data", "info", "images").startswith(
        "images: 1 of 16 images cannot be read: a/3.png (Permission denied); "
    )
    assert "3.png" in command("data", "info", "images", "--set", "data.skip_corrupt=true", status=0)


def test_what_nothing_else_says(command: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error", "somewhere")

    monkeypatch.setattr("wellfit.spec.study.load_study", fail)
    assert command("plan") == "somewhere: Input/output error; fix that, and run the command again"


def test_predictions(command: Callable[..., str], tmp_path: Path) -> None:
    """A file or a folder of predictions that cannot be read, not a directory that cannot be written."""
    runs = archives(tmp_path / "runs")
    for name in ("l2.1.npz", "labels.npz", "."):
        (runs / name).chmod(0)
        line = command("judge", runs, "--out", "judged")
        where = runs if name == "." else runs / name
        assert line.startswith(f"{where}: cannot be read (Permission denied); check ")
        (runs / name).chmod(0o700)
    assert not (tmp_path / "judged").exists()
