"""``wellfit export``: the model of a study in a file that other libraries read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Json
from wellfit.cli.output import print_json, print_line, print_sentence
from wellfit.cli.predict import Seed, Source, Variant, model_of
from wellfit.errors import StudyFileError

Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="keras|onnx|safetensors|joblib|tensorboard",
        help="The format. Default: from the ending of --out.",
    ),
]
ModelPath = Annotated[
    Path | None, typer.Option("--out", metavar="PATH", help="A file or a folder; default: in the study directory.")
]
Pixels = Annotated[
    str, typer.Option("--pixels", metavar="float32|uint8", help="The type of pixels that an ONNX file takes.")
]


@app.command(epilog="Example: wellfit export wellfit-studies/regularization-digits --format onnx")
def export(
    directory: Source,
    format: Format = None,
    variant: Variant = None,
    seed: Seed = None,
    out: ModelPath = None,
    pixels: Pixels = "float32",
    json: Json = False,
) -> None:
    """Write a study's model, or its runs, for other software.

    Everything that precedes the network is part of the file: what fills in missing values, categories, scaling. A model
    card (Markdown) is written beside it.
    """
    from wellfit.interop.exports import export_format, export_model, export_path
    from wellfit.report.forms.formats import check_folder
    from wellfit.results import Results

    if out is not None:
        check_folder(out)
    if format is not None and format.lower() == "tensorboard":
        options = {"--variant": variant, "--seed": seed, "--pixels": None if pixels == "float32" else pixels}
        _to_tensorboard(directory, out, options, json)
        return
    form = export_format(format, out)
    if directory.is_file():
        model, summary, beside = model_of(directory, variant, seed), None, directory.parent
    else:
        results = Results(directory)
        model, summary, beside = results.model(variant, seed), results.summary, directory
    written = export_model(model, form, export_path(form, out, beside), summary, pixels)
    if json:
        print_json(
            {"wellfit": __version__, "directory": str(directory), "model": str(written.model)}
            | {"card": str(written.card), "format": form, "variant": model.origin.variant}
            | {"seeds": [network.seed for network in model.networks], "classes": list(model.classes)}
            | {"choice": model.origin.choice, "expected": model.origin.expected}
        )
        return
    print_line(f"Model: {written.model}")
    print_line(f"Card: {written.card}")
    print_sentence(f"Variant: {model.origin.choice}")
    print_sentence(f"Expected: {model.origin.expected}")


def _to_tensorboard(directory: Path, out: Path | None, options: Mapping[str, Any], json: bool) -> None:
    """Write all runs of a study to a log folder."""
    from wellfit.interop.tensorboard import export_tensorboard

    for option, value in options.items():
        if value is not None:
            raise StudyFileError(f"{option} {value}: TensorBoard is given all runs, to choose from; leave {option} out")
    if directory.is_file():
        raise StudyFileError(f"{directory}: a file, but TensorBoard shows the runs of a study directory; give that")
    folder = out or directory / "tensorboard"
    runs = export_tensorboard(directory, folder)
    if json:
        print_json({"wellfit": __version__, "directory": str(directory), "folder": str(folder), "format": "tensorboard"}
                   | {"runs": runs})  # fmt: skip
        return
    print_line(f"Runs: {runs}")
    print_line(f"To look at them: tensorboard --logdir {shlex.quote(str(folder))}")
