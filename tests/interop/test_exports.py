"""Which format, where to, and what is never replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

import fitted_models as made
from permissions import enforced
from wellfit import load
from wellfit.base import ModelSpec
from wellfit.errors import StoreError, StudyFileError, UnknownNameError
from wellfit.interop.exports import FORMATS, export_format, export_model, export_path

MODEL = made.image_model(ModelSpec("logistic"), seeds=1)


def test_the_format_is_named_or_that_of_the_ending(tmp_path: Path) -> None:
    assert export_format(None, Path("a.KERAS")) == "keras"
    assert export_format("ONNX", tmp_path) == export_format("onnx", None) == "onnx"
    with pytest.raises(StudyFileError, match="no format: add --format with one of keras, onnx, safetensors, joblib"):
        export_format(None, tmp_path)
    with pytest.raises(StudyFileError, match="no format: "):
        export_format(None, Path("model.bin"))
    with pytest.raises(UnknownNameError, match="unknown format 'kras'; did you mean 'keras'"):
        export_format("kras", None)
    with pytest.raises(StudyFileError, match=r"model\.bin does not fit format onnx: it must end in \.onnx; change one"):
        export_format("onnx", Path("model.bin"))


def test_the_path_is_that_of_a_file(tmp_path: Path) -> None:
    assert export_path("joblib", tmp_path, Path("study")) == tmp_path / "model.joblib"


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "keras"])
def test_an_older_export_is_replaced(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"mine{FORMATS[form]}"
    written = export_model(MODEL, form, path)
    assert written == (path, tmp_path / f"mine{FORMATS[form]}.md")
    before = path.read_bytes()
    written.card.write_text(f"{written.card.read_text(encoding='utf-8')}\nold")
    export_model(MODEL, form, path)
    assert path.read_bytes() == before
    assert not written.card.read_text(encoding="utf-8").endswith("old")
    assert sorted(tmp_path.iterdir()) == [written.model, written.card]


def test_our_own_format_is_what_load_reads(tmp_path: Path) -> None:
    x = made.digits()
    again = load(export_model(MODEL, "safetensors", tmp_path / "m.safetensors").model)
    assert (again.predict_proba(x) == MODEL.predict_proba(x)).all()


@pytest.mark.parametrize("form", ["joblib", "keras", "safetensors"])
def test_other_formats_take_pixels_as_they_come(form: str, tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=f"pixels = 'uint8': format {form} takes pixels as they come"):
        export_model(MODEL, form, tmp_path / f"m{FORMATS[form]}", pixels="uint8")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.md"])
def test_another_file_stays(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(StoreError, match="was not written by wellfit export, and stays as it is; choose another"):
        export_model(MODEL, "onnx", tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(StoreError, match=r": a folder, not a file; choose another place with --out"):
        export_model(MODEL, "onnx", tmp_path / "model.onnx")


@pytest.mark.parametrize("form", ["onnx", "safetensors"])
def test_a_folder_that_is_not_writable(form: str, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    with enforced(), pytest.raises(StoreError, match="cannot be written: Permission denied; "):
        export_model(MODEL, form, folder / f"model{FORMATS[form]}")
    assert not [*folder.iterdir()]
