"""The terminal face: parse, call one function, print.

Nothing heavy is imported before a command needs it, so that ``wellfit --help`` and ``wellfit list`` answer at once.
"""

from __future__ import annotations

import io
import json as jsonlib
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wellfit import __version__
from wellfit.errors import StoreError, UnknownNameError, WellfitError

if TYPE_CHECKING:
    from rich.console import Console

    from wellfit.base import Dataset, StudySummary
    from wellfit.study.outlook import Outlook
    from wellfit.study.spec import StudySpec

__all__ = ["app", "main"]

app = typer.Typer(
    name="wellfit",
    help="Find out which regularization makes a small neural network generalize, with error bars.",
    epilog="Start with: wellfit run",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="Fetch data sets and look at them.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON and nothing else.")]
StudyName = Annotated[
    str | None, typer.Argument(metavar="STUDY", help="A built-in study, or a .toml file; see: wellfit list")
]
DataName = Annotated[str | None, typer.Option(help="Another data set for the study: a name, or a path.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, such as train.l2=1e-4.")
]
SeedCount = Annotated[int | None, typer.Option("--seeds", help="How many seeds: 0, 1, ...")]
EpochCount = Annotated[int | None, typer.Option("--epochs", help="Epochs of every variant that does not set its own.")]
Out = Annotated[Path | None, typer.Option("--out", help="The study directory; made where it is missing.")]
PrecisionName = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="float32|mixed|auto",
        help="Of matrix products; mixed: factors in bfloat16, sums in float32; auto: mixed, where that is faster.",
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="A smaller study for a first look: fewer epochs, seeds, values, examples.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Throw away what the directory holds, and start anew.")]
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="A study directory.")]


def _console(stderr: bool = False) -> Console:
    """A console that colors only a terminal, and honors NO_COLOR."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def _print_json(value: Any) -> None:
    sys.stdout.write(jsonlib.dumps(value, indent=2, allow_nan=False) + "\n")  # ASCII, which every pipe can carry


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wellfit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: wellfit run lab5 --seeds 3 --epochs 5 --set train.batch_size=128")
def run(
    study: StudyName = None,
    data: DataName = None,
    seeds: SeedCount = None,
    epochs: EpochCount = None,
    precision: PrecisionName = None,
    settings: Settings = None,
    quick: Quick = False,
    out: Out = None,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Train every variant over several seeds, compare them, and write a report.

    Run it again to continue a study that was interrupted, or with more seeds to add only the new runs.
    """
    from wellfit.report.terminal import print_summary
    from wellfit.study.summary import summarize, to_json

    console = _console(stderr=json)
    spec, dataset, directory = _asked(study, data, seeds, epochs, precision, settings, quick, out)
    try:
        _run_shown(spec, dataset, directory, fresh, console)
    except KeyboardInterrupt as stop:  # at once where nothing trains, or where it was pressed twice
        from wellfit.study.runner import Interrupted

        whole, part = "Everything up to the last epoch is saved", "The runs and the checkpoint saved last are kept"
        saved = whole if isinstance(stop, Interrupted) else part
        console.print(f"Interrupted. {saved} in {directory}.", soft_wrap=True, markup=False)
        console.print(f"To continue: {_command()}".replace(" --fresh", ""), soft_wrap=True, markup=False)
        raise typer.Exit(130) from None
    summary = summarize(directory)
    page = _write_report(summary, directory)
    if json:
        _print_json(to_json(summary, __version__))
    else:
        print_summary(summary, console)
        console.print(f"Report: {page}", soft_wrap=True, markup=False)


@app.command(epilog="Example: wellfit plan lab5 --seeds 3 --precision auto")
def plan(
    study: StudyName = None,
    data: DataName = None,
    seeds: SeedCount = None,
    epochs: EpochCount = None,
    precision: PrecisionName = None,
    settings: Settings = None,
    quick: Quick = False,
    out: Out = None,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Show what a run would train, how long it would take and how much memory; train and write nothing of it.

    Runs that the study directory holds already are not counted again, except with --fresh.
    """
    from wellfit.study.outlook import foresee, to_json

    spec, dataset, directory = _asked(study, data, seeds, epochs, precision, settings, quick, out)
    outlook = foresee(spec, dataset, None if fresh else directory)
    if json:
        _print_json(to_json(outlook, spec, directory, __version__))
    else:
        _print_outlook(_console(), spec, outlook)


def _asked(
    study: str | None,
    data: str | None,
    seeds: int | None,
    epochs: int | None,
    precision: str | None,
    settings: list[str] | None,
    quick: bool,
    out: Path | None,
) -> tuple[StudySpec, Dataset, Path]:
    """The study that the options of ``run`` and ``plan`` ask for, its data, and its directory."""
    from wellfit.data.catalog import load_dataset
    from wellfit.study.identity import default_directory
    from wellfit.study.spec import load_study

    spec = load_study(
        study, data=data, seeds=seeds, epochs=epochs, precision=precision, settings=settings or (), quick=quick
    )
    dataset = load_dataset(spec.data.name_or_path)
    return spec, dataset, out or default_directory(spec, study, dataset.name)


def _print_outlook(console: Console, spec: StudySpec, outlook: Outlook) -> None:
    from wellfit.report.terminal import print_plan

    console.print(spec.title, style="bold", markup=False)
    print_plan(
        console,
        runs=outlook.plan.runs,
        trajectories=outlook.plan.trajectories,
        programs=outlook.plan.programs,
        parameters=outlook.plan.parameters,
        epochs=spec.base.epochs,
        examples=outlook.examples,
        devices=outlook.devices,
        seconds=outlook.seconds,
        memory=outlook.memory,
        precision=outlook.precision,
        done=outlook.done,
        data=outlook.data,
    )


def _write_report(summary: StudySummary, directory: Path) -> Path:
    from wellfit.report.page import write_page

    path = directory / "report.html"
    try:
        return write_page(summary, path)
    except OSError as error:
        mend = f"make room or give access, then: wellfit report {directory}"
        raise StoreError(f"{path}: the report cannot be written: {error.strerror}; {mend}") from None


def _command() -> str:
    """The command as it was typed, for the report and for the hint how to continue."""
    return shlex.join(["wellfit", *sys.argv[1:]])


def _run_shown(spec: StudySpec, dataset: Dataset, directory: Path, fresh: bool, console: Console) -> None:
    """Run a study with its plan printed first and its progress shown live."""
    from wellfit.report.terminal import training_progress
    from wellfit.study.runner import Tick, run_study

    with training_progress(console) as progress:

        def on_plan(outlook: Outlook) -> None:
            _print_outlook(console, spec, outlook)

        def on_tick(tick: Tick) -> None:
            progress.update(tick.epoch, tick.epochs, tick.active, tick.examples, tick.share)

        run_study(spec, dataset, directory, command=_command(), anew=fresh, on_plan=on_plan, on_tick=on_tick)


@app.command("list", epilog="Example: wellfit list lab5")
def list_(
    study: Annotated[str | None, typer.Argument(metavar="STUDY", help="A built-in study, to list its parts.")] = None,
    json: Json = False,
) -> None:
    """List the built-in studies and data sets, one line each; or a study and its parts."""
    from wellfit.data.entries import CATALOG
    from wellfit.study.listing import Listed, list_parts, list_studies

    def shown(entry: Listed, parts: bool = False) -> dict[str, Any]:
        told: dict[str, Any] = {"name": entry.name, "title": entry.title, "description": entry.description}
        return {**told, "parts": [shown(part) for part in list_parts(entry.name)]} if parts else told

    studies = list_studies()
    if study is not None:
        parts = list_parts(study)
        (itself,) = (entry for entry in studies if entry.name == study)
        if json:
            _print_json(shown(itself, parts=True))
            return
        _print_columns([(entry.name, entry.title) for entry in (itself, *parts)])
        typer.echo(f"Run one with: wellfit run {(parts or [itself])[-1].name}")
        return
    if json:
        _print_json(
            {
                "studies": [shown(entry) for entry in studies],
                "data": [{"name": e.name, "title": e.title, "description": e.description} for e in CATALOG.values()],
            }
        )
        return
    width = max(len(name) for name in [*CATALOG, *(s.name for s in studies)])
    typer.echo("Studies (wellfit run NAME; wellfit list NAME shows the parts of one)")
    _print_columns([(entry.name, entry.title) for entry in studies], width)
    typer.echo("Data sets (--data NAME)")
    _print_columns([(name, data.description) for name, data in CATALOG.items()], width)


def _print_columns(rows: list[tuple[str, str]], width: int = 0) -> None:
    width = width or max(len(name) for name, _ in rows)
    for name, words in rows:
        typer.echo(f"  {name:<{width}}  {words}")


@app.command(epilog="Example: wellfit new my-study")
def new(name: Annotated[str, typer.Argument(metavar="NAME", help="The study's name; its file is NAME.toml.")]) -> None:
    """Write a commented study file to start from."""
    from wellfit.study.template import write_template

    path = write_template(name)
    typer.echo(f"{path}: change it, then: wellfit run {shlex.quote(str(path))}")


@app.command(epilog="Example: wellfit schema > wellfit.schema.json")
def schema() -> None:
    """Print the JSON Schema of study files, with which an editor completes and checks them."""
    from wellfit.study.template import json_schema

    _print_json(json_schema())


@app.command(epilog="Example: wellfit show wellfit-studies/regularization-digits --json")
def show(directory: Directory, json: Json = False) -> None:
    """Show the table, the verdicts and the findings of a study: finished, running or interrupted."""
    from wellfit.report.terminal import print_summary
    from wellfit.study.summary import summarize, to_json

    summary = summarize(directory)
    if json:
        _print_json(to_json(summary, __version__))
    else:
        print_summary(summary, _console())


@app.command(epilog="Example: wellfit report wellfit-studies/regularization-digits")
def report(directory: Directory) -> None:
    """Write the report again, from what the study directory holds."""
    from wellfit.study.summary import summarize

    typer.echo(_write_report(summarize(directory), directory))


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
    from wellfit.report.terminal import print_findings

    dataset = load_dataset(data)
    findings = audit_data(dataset, make_splits(dataset.y_train, validation=validation))
    if json:
        _print_json([vars(finding) for finding in findings])
    else:
        print_findings(findings, _console())


@app.command(epilog="Example: wellfit model lab5")
def model(
    study: StudyName = None,
    data: DataName = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Show the layers, output shapes and parameters of a study's models, without training anything."""
    from wellfit.data.catalog import load_dataset
    from wellfit.study.look import model_tables
    from wellfit.study.spec import load_study

    spec = load_study(study, data=data, settings=settings or ())
    dataset = load_dataset(spec.data.name_or_path)
    tables = model_tables(spec, dataset.input_shape, len(dataset.classes))
    if json:
        _print_json({"study": spec.name, "data": dataset.name, "models": [table.as_json() for table in tables]})
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
    from wellfit.report.look import write_look
    from wellfit.study.spec import load_study

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
        _print_json(facts)
        return
    for key, value in facts.items():
        typer.echo(f"{key:<9} {value}")


@data_app.command("fetch", epilog="Example: wellfit data fetch fashion-mnist")
def data_fetch(name: Annotated[str, typer.Argument(metavar="NAME", help="A data set's name.")]) -> None:
    """Download a data set, unless it is here already, and say where it is."""
    from wellfit.data.catalog import load_dataset

    typer.echo(load_dataset(name).source)


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error.

    The exit status is 0, or 2 after such a mistake, or 130 after Ctrl-C and SIGTERM.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no such sign shows a question mark
    try:
        # typer makes exit status 130 of Ctrl-C, and is quiet where the reader of our output has gone
        status = app(prog_name="wellfit", standalone_mode=False)
    except WellfitError as error:
        sys.stderr.write(f"wellfit: {error}\n")
        sys.exit(2)
    except Exception as error:  # of click, or of the click that newer typers bring along: known by what it can do
        if not hasattr(error, "format_message"):
            raise
        sys.stderr.write(_usage(error))
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _usage(error: Any) -> str:
    """What is wrong with a call, in one line; or the help, where nothing was called."""
    message = str(error.format_message()).strip()
    context = getattr(error, "ctx", None)
    if message.startswith("Usage:"):
        return f"{message}\n"
    unknown = re.fullmatch(r"No such command '(.*?)'\..*", message, re.DOTALL)
    if context is not None and unknown:
        message = str(UnknownNameError("command", unknown[1], context.command.commands))
    message = " ".join(message.split()).rstrip(".")
    return (
        f"wellfit: {message[:1].lower()}{message[1:]} (see: {context.command_path if context else 'wellfit'} --help)\n"
    )


if __name__ == "__main__":
    main()
