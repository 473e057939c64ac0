"""``wellfit audit``, ``model``, ``look`` and ``data``: the data and the models, before any training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit.cli.app import app, data_app
from wellfit.cli.options import (
    DataName,
    Json,
    Settings,
    StudyName,
    make_console,
    print_columns,
    print_json,
    print_paragraph,
)

if TYPE_CHECKING:
    from wellfit.base import Dataset, Splits

DataSet = Annotated[str, typer.Argument(metavar="DATA", help="The name or path of a data set.")]


@app.command(epilog="Example: wellfit audit fashion-mnist")
def audit(
    data: DataSet,
    validation: Annotated[float, typer.Option(help="Share of the training examples held out for validation.")] = 0.2,
    json: Json = False,
) -> None:
    """Check a data set and its split for problems."""
    from wellfit.data.audits import audit as audit_data
    from wellfit.data.catalog import load_dataset
    from wellfit.data.splits import make_splits
    from wellfit.report.forms.terminal import print_findings

    dataset = load_dataset(data)
    splits = make_splits(dataset.y_train, validation=validation)
    findings = audit_data(dataset, splits)
    if json:
        print_json([{**vars(finding), "title": finding.title} for finding in findings])
        return
    console = make_console()
    print_paragraph(console, dataset.title, "bold")
    for line in _sizes(dataset, splits):
        print_paragraph(console, line)
    console.print()
    print_findings(findings, console)


def _sizes(dataset: Dataset, splits: Splits) -> list[str]:
    shape, counts = dataset.input_shape, [dataset.y_train.tolist().count(k) for k in range(len(dataset.classes))]
    images = f"images of {' x '.join(map(str, shape))}" if len(shape) > 1 else f"rows of {shape[0]} features"
    names = ", ".join(dataset.classes[:20]) + (", ..." if len(dataset.classes) > 20 else "")
    per_class = f"{min(counts):,} to {max(counts):,}" if min(counts) < max(counts) else f"{counts[0]:,}"
    return [
        f"{len(dataset.x_train) + len(dataset.x_test):,} {images}, {dataset.x_train.dtype}",
        f"split: {len(splits.train):,} training, {len(splits.validation):,} validation, {len(dataset.y_test):,} test",
        f"{len(dataset.classes)} classes with {per_class} training and validation examples each: {names}",
    ]


@app.command(epilog="Example: wellfit model lab5")
def model(study: StudyName = None, data: DataName = None, settings: Settings = None, json: Json = False) -> None:
    """Show the layers and parameter counts of a study's models."""
    from wellfit.data.catalog import load_dataset
    from wellfit.spec.study import load_study
    from wellfit.study.adapt import adapted
    from wellfit.study.preview import model_tables

    spec = load_study(study, data=data, settings=settings or ())
    spec, dataset = adapted(spec, load_dataset(spec.data.name_or_path), study, settings or ())
    tables = model_tables(spec, dataset.input_shape, len(dataset.classes))
    if json:
        print_json({"study": spec.name, "data": dataset.name, "models": [table.as_json() for table in tables]})
    else:
        typer.echo("\n\n".join(map(str, tables)))


@app.command(epilog="Example: wellfit look --set 'train.augmentation={shift=0.1,rotation=15}'")
def look(
    study: StudyName = None,
    data: DataName = None,
    settings: Settings = None,
    variant: Annotated[str | None, typer.Option(help="Show only this variant's augmentation.")] = None,
    out: Annotated[Path | None, typer.Option(help="The PNG file to write; default: wellfit-look-NAME.png.")] = None,
    count: Annotated[int, typer.Option(help="Pictures in each row.", min=2, max=50)] = 8,
) -> None:
    """Draw examples of each class and their augmented versions.

    Writes a PNG file with the first training examples of each class and, for each augmentation in the study, augmented
    versions of them.
    """
    from wellfit.data.catalog import load_dataset
    from wellfit.report.subjects.data.preview import write_preview
    from wellfit.spec.study import load_study
    from wellfit.study.adapt import adapted

    spec = load_study(study, data=data, settings=settings or ())
    spec, dataset = adapted(spec, load_dataset(spec.data.name_or_path), study, settings or ())
    path = out or Path(f"wellfit-look-{spec.name}.png")
    typer.echo(write_preview(spec, dataset, path, variant, count))


@data_app.command("info", epilog="Example: wellfit data info mnist")
def data_info(name: DataSet, json: Json = False) -> None:
    """Show a data set's size, shape, classes, source and hash."""
    from wellfit.data.catalog import load_dataset

    dataset = load_dataset(name)
    info = {
        "name": dataset.name,
        "title": dataset.title,
        "examples": f"{len(dataset.x_train)} training, {len(dataset.x_test)} test",
        "shape": "x".join(map(str, dataset.input_shape)),
        "dtype": str(dataset.x_train.dtype),
        "classes": ", ".join(dataset.classes),
        "source": dataset.source,
        "hash": dataset.hash,
    }
    if json:
        print_json(info)
    else:
        print_columns(list(info.items()), indent="")


@data_app.command("fetch", epilog="Example: wellfit data fetch fashion-mnist")
def data_fetch(name: Annotated[str, typer.Argument(metavar="DATA", help="The name of a data set.")]) -> None:
    """Download a data set if it is missing, and print its location."""
    from wellfit.data.catalog import load_dataset

    typer.echo(load_dataset(name).source)
