"""``wellfit audit``, ``model``, ``look`` and ``data``: what a study learns from, and what it trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit.cli.app import app, data_app
from wellfit.cli.options import DataName, Json, Settings, StudyName, make_console, print_columns, print_json, say

if TYPE_CHECKING:
    from wellfit.base import Dataset, Splits


@app.command(epilog="Example: wellfit audit fashion-mnist")
def audit(
    data: Annotated[str, typer.Argument(metavar="DATA", help="A data set's name, or a path.")],
    validation: Annotated[float, typer.Option(help="Share held out for validation.")] = 0.2,
    json: Json = False,
) -> None:
    """Check a data set and its split, without training anything."""
    from wellfit.data.audits import audit as audit_data
    from wellfit.data.catalog import load_dataset
    from wellfit.data.splits import make_splits
    from wellfit.report.forms.terminal import print_findings

    dataset = load_dataset(data)
    splits = make_splits(dataset.y_train, validation=validation)
    findings = audit_data(dataset, splits)
    if json:
        print_json([{**vars(finding), "title": finding.title} for finding in findings])
    else:
        console = make_console()
        say(console, dataset.title, "bold")
        for line in _sizes(dataset, splits):
            say(console, line)
        console.print()
        print_findings(findings, console)


def _sizes(dataset: Dataset, splits: Splits) -> list[str]:
    """How much there is of what, as the audit looked at it."""
    shape, counts = dataset.input_shape, [dataset.y_train.tolist().count(k) for k in range(len(dataset.classes))]
    images = f"images of {' x '.join(map(str, shape))}" if len(shape) > 1 else f"rows of {shape[0]} features"
    names = ", ".join(dataset.classes[:20]) + (", ..." if len(dataset.classes) > 20 else "")
    share = f"{min(counts):,} to {max(counts):,}" if min(counts) < max(counts) else f"{counts[0]:,}"
    return [
        f"{len(dataset.x_train) + len(dataset.x_test):,} {images}, {dataset.x_train.dtype}",
        f"split: {len(splits.train):,} training, {len(splits.validation):,} validation, {len(dataset.y_test):,} test",
        f"{len(dataset.classes)} classes, {share} training and validation examples each: {names}",
    ]


@app.command(epilog="Example: wellfit model lab5")
def model(
    study: StudyName = None,
    data: DataName = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Show the layers, output shapes and parameters of a study's models, without training anything."""
    from wellfit.data.catalog import load_dataset
    from wellfit.spec.study import load_study
    from wellfit.study.preview import model_tables

    spec = load_study(study, data=data, settings=settings or ())
    dataset = load_dataset(spec.data.name_or_path)
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
    variant: Annotated[str | None, typer.Option(help="Show the augmentation of this variant alone.")] = None,
    out: Annotated[Path | None, typer.Option(help="The picture, a .png file.")] = None,
    count: Annotated[int, typer.Option(help="Pictures in a row.", min=2, max=50)] = 8,
) -> None:
    """Draw examples of every class, and what each augmentation of a study makes of them, into a PNG file."""
    from wellfit.data.catalog import load_dataset
    from wellfit.report.subjects.data.preview import write_look
    from wellfit.spec.study import load_study

    spec = load_study(study, data=data, settings=settings or ())
    path = out or Path(f"wellfit-look-{spec.name}.png")
    typer.echo(write_look(spec, load_dataset(spec.data.name_or_path), path, variant, count))


@data_app.command("info", epilog="Example: wellfit data info mnist")
def data_info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set's name, or a path.")], json: Json = False
) -> None:
    """Print shape, size, classes, source and hash of a data set."""
    from wellfit.data.catalog import load_dataset

    dataset = load_dataset(name)
    facts = {
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
        print_json(facts)
        return
    print_columns(list(facts.items()), indent="")


@data_app.command("fetch", epilog="Example: wellfit data fetch fashion-mnist")
def data_fetch(name: Annotated[str, typer.Argument(metavar="NAME", help="A data set's name.")]) -> None:
    """Download a data set, unless it is here already, and say where it is."""
    from wellfit.data.catalog import load_dataset

    typer.echo(load_dataset(name).source)
