"""``wellfit export``: the model of a study in a file that other libraries read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Json
from wellfit.cli.output import print_json, print_line, print_sentence
from wellfit.cli.predict import Seed, Source, Variant, model_of

Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="keras|onnx|safetensors|joblib", help="The format. Default: from the ending of --out."
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
    """Write the model of a study to a file that other libraries read.

    Everything that precedes the network is part of the file: what fills in missing values, categories, scaling. A model
    card (Markdown) is written beside it.
    """
    from wellfit.interop.exports import export_format, export_model, export_path
    from wellfit.report.forms.formats import check_folder
    from wellfit.results import Results

    if out is not None:
        check_folder(out)
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
