"""A fitted model as a file in one of several formats, with its model card beside it; whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from wellfit.base import StudySummary
from wellfit.errors import StoreError, StudyFileError, UnknownNameError
from wellfit.files import form_of, replacing, write_errors
from wellfit.store.names import refuse_own_place

if TYPE_CHECKING:
    from wellfit.model.fitted import FittedModel

__all__ = ["FORMATS", "Exported", "export_format", "export_model", "export_path"]

FORMATS: Final = {"keras": ".keras", "onnx": ".onnx", "safetensors": ".safetensors", "joblib": ".joblib"}
"""Format -> the ending of its file."""

_MARK: Final = b"wellfit"
"""What every exported file contains."""

_REMEDY: Final = "free disk space, fix the permissions, or choose another place with --out"


class Exported(NamedTuple):
    """The files of an export."""

    model: Path
    card: Path


def export_format(wanted: str | None, path: Path | None) -> str:
    """The format that is wanted.

    Args:
      wanted: its name; if None, the ending of the path decides.
      path: of the file, if one was given.

    Raises:
      UnknownNameError: there is no such format.
      StudyFileError: neither says which, or the path has another ending.

    Example:
      >>> export_format(None, Path("mine.onnx")), export_format("Keras", None)
      ('onnx', 'keras')
    """
    ending = "" if path is None or path.is_dir() else path.suffix.lower()
    known = {suffix: form for form, suffix in FORMATS.items()}
    if wanted is None:
        if ending not in known:
            choice = ", ".join(FORMATS)
            more = "--format tensorboard writes the runs of a study"
            raise StudyFileError(
                f"no format: add --format with one of {choice}, or an --out that ends in one of them; {more}"
            )
        return known[ending]
    form = wanted.lower()
    if form not in FORMATS:
        raise UnknownNameError("format", wanted, (*FORMATS, "tensorboard"))
    if path is not None and not path.is_dir() and path.suffix != FORMATS[form]:
        raise StudyFileError(
            f"{path} does not fit format {form}: it must end in {FORMATS[form]}; change one of the two"
        )
    return form


def export_path(form: str, path: Path | None, directory: Path) -> Path:
    """Where a model goes: into the study directory, into the given folder, or to the given file.

    Example:
      >>> export_path("onnx", None, Path("study")).as_posix(), export_path("onnx", Path("m.onnx"), Path("study")).name
      ('study/model.onnx', 'm.onnx')
    """
    name = f"model{FORMATS[form]}"
    if path is None:
        return directory / name
    return path / name if path.is_dir() else path


def export_model(
    model: FittedModel, form: str, path: Path, summary: StudySummary | None = None, pixels: str = "float32"
) -> Exported:
    """Write a model, and its card beside it; older exports are replaced.

    Args:
      form: one of `FORMATS`.
      path: of the file; the card has the same name with ``.md`` behind it.
      summary: of the study, for the card.
      pixels: the type of pixels that an ONNX file takes: "float32" or "uint8".

    Raises:
      StudyFileError: the format or the model has no such pixels.
      WellfitError: a package is missing, or the format cannot hold the model.
      StoreError: a file cannot be written, or would replace one that is no export.
    """
    from wellfit.interop.card import MARK, model_card

    card = path.with_name(f"{path.name}.md")
    _check_free(path, _MARK)
    _check_free(card, MARK.encode())
    if form != "onnx" and pixels != "float32":
        raise StudyFileError(f"pixels = {pixels!r}: format {form} takes pixels as they come; leave it out")
    content = _content(model, form, pixels)
    text = model_card(model, summary, form, path.name, pixels)
    if content is None:
        model.save(path)
    else:
        _write(path, content)
    _write(card, text.encode("utf-8"))
    return Exported(path, card)


def _content(model: FittedModel, form: str, pixels: str) -> bytes | None:
    """The content of the file; None for our own format. Each format loads its libraries only when needed."""
    if form == "keras":
        from wellfit.interop.keras import keras_file

        return keras_file(model)
    if form == "joblib":
        from wellfit.interop.exported_estimator import joblib_file

        return joblib_file(model)
    return model.to_onnx(pixels) if form == "onnx" else None


def _write(path: Path, content: bytes) -> None:
    with write_errors(path, _REMEDY), replacing(path) as temporary:
        temporary.write_bytes(content)


def _check_free(path: Path, mark: bytes) -> None:
    """Refuse to replace what is no older export, and to write where a study keeps its own files."""
    refuse_own_place(path)
    with write_errors(path, _REMEDY):
        found = form_of(path)
        if found not in (None, "a file"):
            raise StoreError(f"{path}: {found}, not a file; choose another place with --out")
        if found == "a file" and (content := path.read_bytes()) and mark not in content:
            fix = "choose another place with --out, or delete this file"
            raise StoreError(f"{path}: was not written by wellfit export, and stays as it is; {fix}")
