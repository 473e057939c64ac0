"""``wellfit audit``, ``model``, ``look`` and ``data``: the data and the models, before any training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit.cli.app import app, data_app
from wellfit.cli.options import DataName, DataSettings, Json, Settings, StudyName
from wellfit.cli.output import make_console, print_columns, print_json, print_line, print_lines, print_paragraph

if TYPE_CHECKING:
    from wellfit.study.session import Session

DataSet = Annotated[str, typer.Argument(metavar="DATA", help="The name or path of a data set.")]


@app.command(epilog="Example: wellfit audit people.csv --set data.label=Churn")
def audit(
    data: DataSet,
    validation: Annotated[
        float | None, typer.Option(help="Share of the training examples held out for validation (0.2).")
    ] = None,
    settings: DataSettings = None,
    json: Json = False,
) -> None:
    """Check a data set and its split for problems."""
    from wellfit.data.audits import audit as audit_data
    from wellfit.report.forms.terminal import print_findings
    from wellfit.report.wording import capitalized

    session = _session_of(data, settings, validation)
    findings = audit_data(session.used, session.splits, len(session.test_labels))
    if json:
        listed = [{**vars(finding), "title": finding.title} for finding in findings]
        print_json({"data": session.used.title, "facts": dict(session.facts), "findings": listed})
        return
    console = make_console()
    print_paragraph(console, session.used.title, "bold")
    for line in _sizes(session):
        print_paragraph(console, line)
    for name, text in session.facts:
        print_paragraph(console, f"{capitalized(name)}: {text}", indent="  ")
    console.print()
    print_findings(findings, console)


def _session_of(data: str, settings: list[str] | None, validation: float | None = None) -> Session:
    """A session for a command that only looks at data; its directory is never used."""
    from wellfit.data.catalog import load_dataset
    from wellfit.spec.study import data_study
    from wellfit.study.session import Session

    spec = data_study(data, settings=settings or (), validation=validation)
    return Session(spec, load_dataset(data, spec.data), Path("unused"))


def _fitted(study: str | None, data: str | None, settings: list[str] | None) -> Session:
    """A session for a command that only looks at a study and its data; its directory is never used."""
    from wellfit.spec.study import load_study
    from wellfit.study.adapt import adapted, loaded
    from wellfit.study.session import Session

    spec = load_study(study, data=data, settings=settings or ())
    dataset = loaded(spec, None if data else study, settings or ())
    return Session(*adapted(spec, dataset, study, settings or ()), Path("unused"))


def _sizes(session: Session) -> list[str]:
    dataset, splits = session.used, session.splits
    shape = dataset.input_shape
    examples = f"images of {' x '.join(map(str, shape))}" if len(shape) > 1 else "rows"
    whole = session.dataset if session.spec.data.train_share == 1 else dataset  # a fold may leave out an example
    return [
        f"{len(whole.x_train) + len(whole.x_test):,} {examples}, {dataset.x_train.dtype}",
        f"Split: {len(splits.train):,} training, {len(splits.validation):,} validation, {len(dataset.y_test):,} test"
        + (" a seed" if session.folds > 1 else ""),
    ]


@app.command(epilog="Example: wellfit model lab5")
def model(study: StudyName = None, data: DataName = None, settings: Settings = None, json: Json = False) -> None:
    """Show the layers and parameter counts of a study's models."""
    from wellfit.study.preview import model_tables

    session = _fitted(study, data, settings)
    spec, dataset = session.spec, session.dataset
    tables = model_tables(spec, session.first.training.input_shape, len(dataset.classes))
    if json:
        print_json({"study": spec.name, "data": dataset.name, "models": [table.as_json() for table in tables]})
    else:
        print_lines("\n\n".join(map(str, tables)))


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
    from wellfit.report.subjects.data.preview import write_preview

    session = _fitted(study, data, settings)
    path = out or Path(f"wellfit-look-{session.spec.name}.png")
    print_line(write_preview(session.spec, session.dataset, path, variant, count))


@data_app.command("info", epilog="Example: wellfit data info mnist")
def data_info(name: DataSet, settings: DataSettings = None, json: Json = False) -> None:
    """Show a data set's size, classes and source, and how it was read."""
    from wellfit.data.facts import dataset_facts
    from wellfit.errors import WellfitError

    session = _session_of(name, settings)
    dataset = session.dataset
    try:
        facts = dict(session.facts)
    except WellfitError as error:  # data that cannot be split can be looked at
        facts = {**dict(dataset_facts(dataset)), "problem": str(error)}
    sizes = {"training": len(dataset.x_train), "test": len(dataset.x_test)}
    if dataset.pool is not None and session.spec.data.folds > 1:  # every seed has another test set
        sizes = {"total": sum(sizes.values())}
    info = {
        "name": dataset.name,
        "title": dataset.title,
        "examples": ", ".join(f"{count:,} {name}" for name, count in sizes.items()),
        "shape": "x".join(map(str, dataset.input_shape)),
        "dtype": str(dataset.x_train.dtype),
        "source": dataset.source,
        "hash": dataset.hash,
    }
    if json:
        plain = {**info, "examples": sizes, "shape": list(dataset.input_shape), "classes": list(dataset.classes)}
        print_json({**plain, "facts": facts})
    else:
        print_columns([*info.items(), *facts.items()], indent="")


@data_app.command("fetch", epilog="Example: wellfit data fetch fashion-mnist")
def data_fetch(name: Annotated[str, typer.Argument(metavar="DATA", help="The name of a data set.")]) -> None:
    """Download a data set if it is missing, and print its location."""
    from wellfit.data.catalog import load_dataset

    print_line(load_dataset(name).source)
