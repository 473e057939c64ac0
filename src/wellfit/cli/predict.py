"""``wellfit predict`` and ``refit``: the model of a study, used on new examples."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wellfit.cli.app import app
from wellfit.cli.options import Json
from wellfit.cli.output import make_console, print_json, print_line, print_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from wellfit.model.fitted import FittedModel

Source = Annotated[Path, typer.Argument(metavar="DIR", help="A study directory, or a model's file (.safetensors).")]
StudyDirectory = Annotated[Path, typer.Argument(metavar="DIR", help="A study directory.")]
Variant = Annotated[
    str | None, typer.Option("--variant", help="The variant; default: the one that validation supports.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Use the network of one seed; default: all, as an ensemble.")]
Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILES...", help="Images, a folder of images, a table (.csv ...) or arrays (.npz, .npy)."),
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the predictions as CSV, in full precision.")
]
Submission = Annotated[
    Path | None,
    typer.Option(
        "--submission", metavar="FILE", help="Write a CSV of identifiers and classes, as competitions expect."
    ),
]
ModelFile = Annotated[
    Path, typer.Option("--output", metavar="FILE", help="The model's file; its name ends in .safetensors.")
]
WithTest = Annotated[bool, typer.Option("--with-test", help="Train on the test examples too.")]
Data = Annotated[str | None, typer.Option("--data", help="The data of the study, if they have moved.")]

_SHOWN = 20


@app.command(epilog="Example: wellfit predict wellfit-studies/regularization-digits new.csv --output predictions.csv")
def predict(
    directory: Source,
    files: Files,
    variant: Variant = None,
    seed: Seed = None,
    output: Output = None,
    submission: Submission = None,
    json: Json = False,
) -> None:
    """Predict the class of new examples with the model of a study.

    Prints a class, its probability, and the spread of the probability over the seeds. Examples come as the training
    data came: the same columns, images of the same size.
    """
    from wellfit.errors import StoreError

    for path in filter(None, (output, submission)):
        _check_free(path, [*files, directory])
    if output is not None and submission is not None and output.resolve() == submission.resolve():
        raise StoreError(f"{output}: is both --output and --submission; name two files")
    model = model_of(directory, variant, seed)
    table = model.predictions(files[0] if len(files) == 1 else list(files))
    print_problem(f"wellfit: {model.origin.variant}: {model.origin.expected}")
    written = {} if submission is None else {submission: _submitted(table, model).to_csv(lineterminator="\n")}
    written |= {} if output is None else {output: table.to_csv(lineterminator="\n")}
    for path, text in written.items():
        _refuse_other_table(path, text)
    if submission is not None and table.index.name == "example":
        print_problem("wellfit: no column identifies the rows, so that the submission numbers them as in the file")
    for path, text in written.items():
        _write(text, path)
    if json:
        print_json(_plain(table, model))
    elif output is None and submission is None:
        _print(table)
    for path in filter(None, (output, submission)):
        if not json:
            print_line(path)


@app.command(epilog="Example: wellfit refit wellfit-studies/regularization-digits --output digits.safetensors")
def refit(
    directory: StudyDirectory,
    output: ModelFile,
    variant: Variant = None,
    with_test: WithTest = False,
    data: Data = None,
) -> None:
    """Train the chosen variant again on all but the test examples.

    Training and validation examples are used together; with --with-test, the test examples too. The model is saved, and
    never evaluated, since no example is held out: what to expect of it is what the study measured.
    """
    from wellfit.model.saved import check_target
    from wellfit.results import Results

    check_target(output)
    _check_free(output, [])
    model = Results(directory).refit(variant, with_test=with_test, data=data)
    model.save(output)
    print_problem(f"wellfit: {model.origin.variant}: {model.origin.expected}")
    print_line(output)


def model_of(source: Path, variant: str | None, seed: int | None) -> FittedModel:
    """The model of a study directory, or that in a file.

    Raises:
      StudyFileError: a variant or a seed of a file.
      WellfitError: as for ``Results.model`` and ``load``.
    """
    from wellfit.errors import StudyFileError
    from wellfit.model.saved import load
    from wellfit.results import Results

    if not source.is_file():
        return Results(source).model(variant, seed)
    if variant is not None or seed is not None:
        raise StudyFileError(
            f"{source}: a model's file has one variant; leave out --variant and --seed, or give the study directory"
        )
    return load(source)


def _submitted(table: pd.DataFrame, model: FittedModel) -> pd.DataFrame:
    """The predictions as a competition expects them: the identifier and the label column."""
    header = model.form.header
    return table[["class"]].rename(columns={"class": "label" if header is None else header.names[header.label]})


def _check_free(path: Path, read: Sequence[Path]) -> None:
    """Refuse to write over what is read, a file of a study, or what is no file."""
    from wellfit.errors import StoreError
    from wellfit.files import form_of
    from wellfit.report.forms.formats import check_folder
    from wellfit.store.names import refuse_own_place

    found = form_of(path)
    if found not in (None, "a file") or not path.name:
        raise StoreError(f"{path}: {found or 'no name'}, not a file; name a file to write")
    check_folder(path)
    resolved = path.resolve()
    if any(resolved == file.resolve() for file in read):
        raise StoreError(f"{path}: is read by this command; write to another file")
    if path.exists() and any((folder / "study.db").exists() for folder in resolved.parents[:2]):
        raise StoreError(f"{path}: belongs to a study; write to another file")
    refuse_own_place(path)


def _refuse_other_table(path: Path, text: str) -> None:
    """Refuse to replace a file whose first line is not that of the table: training data say, or a study file."""
    from wellfit.errors import StoreError
    from wellfit.files import write_errors

    if not path.exists():
        return
    header = text.encode("utf-8", errors="surrogateescape").partition(b"\n")[0]
    with write_errors(path, "choose another place"), path.open("rb") as file:
        first = file.readline(len(header) + 2)
    if first and first.rstrip(b"\r\n") != header:
        fix = "write to another file, or delete this one"
        raise StoreError(f"{path}: does not hold predictions with these columns, and stays as it is; {fix}")


def _write(text: str, path: Path) -> None:
    from wellfit.files import replacing, write_errors

    with write_errors(path, "choose another place"), replacing(path.resolve(), alone=True) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape")


def _plain(table: pd.DataFrame, model: FittedModel) -> dict[str, Any]:
    name = str(table.index.name)
    rows = [
        {
            name: key if isinstance(key, (str, int, float)) else str(key),
            "class": row[0],
            "probability": row[1],
            "spread": None if isnan(row[2]) else row[2],
        }
        for key, row in zip(table.index.tolist(), table.itertuples(index=False, name=None), strict=True)
    ]
    origin = model.origin
    return {
        "model": {
            "study": origin.study,
            "variant": origin.variant,
            "seeds": [network.seed for network in model.networks],
            "choice": origin.choice,
            "accuracy": origin.accuracy,
            "interval": origin.interval,
            "expected": origin.expected,
        },
        "classes": list(model.classes),
        "predictions": rows,
    }


def _print(table: pd.DataFrame) -> None:
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False)
    shown.add_column(str(table.index.name))
    shown.add_column("class")
    shown.add_column("probability", justify="right")
    shown.add_column("spread", justify="right")
    for key, (name, probability, spread) in zip(table.index, table.itertuples(index=False, name=None), strict=True):
        if len(shown.rows) == _SHOWN and len(table) > _SHOWN:
            break
        shown.add_row(Text(str(key)), Text(name), f"{probability:.3f}", "" if isnan(spread) else f"{spread:.3f}")
    make_console().print(shown)
    if len(table) > _SHOWN:
        print_line(f"and {len(table) - _SHOWN:,} more; all of them: --output FILE")
