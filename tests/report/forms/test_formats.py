"""Which form is written, and where; what cannot be is refused in one line."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from wellfit import cli
from wellfit.data.catalog import load_dataset
from wellfit.errors import StoreError, StudyFileError, UnknownNameError
from wellfit.report.forms.formats import FOLDERS, FORMATS, check_folder, report_format, report_path, write_report
from wellfit.results import Results
from wellfit.spec.study import study_from_mapping
from wellfit.study.run import run_study
from wellfit.study.session import Session


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of images, finished, with two variants: few figures to draw. It is only read."""
    spec = study_from_mapping(
        {
            "data": {"name": "digits"},
            "model": {"hidden": [16]},
            "train": {"epochs": 2, "seeds": 2},
            "variants": {"baseline": {}, "l2": {"l2": 1e-3}},
        }
    )
    directory = tmp_path_factory.mktemp("finished") / "study"
    run_study(Session(spec, load_dataset("digits"), directory))
    return directory


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "study"))


@pytest.mark.parametrize(
    ("wanted", "path", "form"),
    [
        (None, None, "html"),
        (None, "a.PDF", "pdf"),
        (None, "folder", "html"),
        ("MD", "notes.txt", "md"),
        ("png", "pictures", "png"),
        ("SVG", "pictures", "svg"),
        ("pdf-figures", "pictures", "pdf-figures"),
        ("ipynb", "a.ipynb", "ipynb"),
    ],
)
def test_the_form(wanted: str | None, path: str | None, form: str) -> None:
    assert report_format(wanted, None if path is None else Path(path)) == form


def test_what_is_no_form_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown format 'pfd'; did you mean 'pdf'\?"):
        report_format("pfd", None)
    with pytest.raises(UnknownNameError, match=r"unknown format 'htm' in a\.htm; did you mean 'html'\?"):
        report_format(None, Path("a.htm"))
    with pytest.raises(StudyFileError, match=r"a\.md does not fit format pdf: it ends in \.md"):
        report_format("pdf", Path("a.md"))


@pytest.mark.parametrize("wanted", [None, "png", "pdf"])
def test_figures_are_a_folder(wanted: str | None, tmp_path: Path) -> None:
    line = r"x\.png: a report in PNG is a folder with a file for each figure; --format png --out .*x$"
    with pytest.raises(StudyFileError, match=line):
        report_format(wanted, tmp_path / "x.png")
    (tmp_path / "x.png").mkdir()
    assert report_format(wanted, tmp_path / "x.png") == (wanted or "html")


def test_where_it_goes(tmp_path: Path) -> None:
    study = tmp_path / "study"
    assert {form: report_path(form, None, study) for form in FORMATS} == {f: study / n for f, n in FORMATS.items()}
    assert report_path("pdf", tmp_path, study) == tmp_path / "report.pdf"  # a folder that is there
    assert report_path("pdf", tmp_path / "a.pdf", study) == tmp_path / "a.pdf"
    assert report_path("png", tmp_path, study) == report_path("pdf-figures", tmp_path, study) == tmp_path
    assert report_path("svg", None, study) == study / "figures"


@pytest.mark.parametrize("form", list(FORMATS))
def test_what_cannot_be_written_is_told_in_one_line(form: str, finished: Path, tmp_path: Path) -> None:
    results = Results(finished)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match=r"cannot be written: .*; free disk space") as output:
        write_report(results.summary, results.details, form, tmp_path / "file" / FORMATS[form], finished)
    assert "\n" not in str(output.value)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("form", ["html", "pdf", "md", "ipynb"])
def test_a_file_that_is_no_report_is_not_replaced(form: str, finished: Path, tmp_path: Path) -> None:
    results, file = Results(finished), tmp_path / f"thesis.{form}"
    file.write_text("three years of work on wellfit")
    with pytest.raises(StoreError, match=rf"thesis\.{form}: was not written by wellfit as a {form} report, and stays"):
        write_report(results.summary, results.details, form, file)
    assert file.read_text() == "three years of work on wellfit"


@pytest.mark.parametrize("form", list(FORMATS))
def test_a_pipe_is_not_replaced(form: str, finished_study: Path, tmp_path: Path) -> None:
    results, pipe = Results(finished_study), tmp_path / f"pipe.{form}"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for path in (pipe, tmp_path / "link"):
        with pytest.raises(StoreError, match=r": a pipe, not a file; choose another file with --out$"):
            write_report(results.summary, results.details, form, path)
    assert pipe.is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_a_folder_that_is_not_there_is_named(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check_folder(tmp_path / "a.html")
    check_folder(Path("a.html"))
    gone = tmp_path / "gone" / "a.html"
    with pytest.raises(StoreError, match=r"there is no folder .*gone; create it, or choose another path with --out$"):
        check_folder(gone)
    monkeypatch.setattr(sys, "argv", ["wellfit", "report", str(finished), "--out", str(gone)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not gone.parent.exists()


@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=pytest.mark.slow if form in ("md", *FOLDERS) else ()) for form in FORMATS]
)
def test_the_command_and_the_method_write_every_form(
    form: str, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / (f"mine.{form}" if form not in FOLDERS else "mine")
    monkeypatch.setattr(sys, "argv", ["wellfit", "report", str(copy), "--format", form, "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.exists()
    again = Results(copy).report(out, format=form)  # an older report is replaced
    assert again == out
    if form in ("md", "pdf"):  # the rest go the same way
        usual = Results(copy).report(format=form)
        assert usual == copy / FORMATS[form]
        assert usual.read_bytes() == out.read_bytes() if form == "pdf" else usual.exists()
