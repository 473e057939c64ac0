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
from wellfit.errors import StoreError, StudyFileError, UnknownNameError, WellfitError

if TYPE_CHECKING:
    from rich.console import Console

    from wellfit.base import StudySummary
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
    seeds: Annotated[int | None, typer.Option(help="How many seeds: 0, 1, ...")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of every variant that does not set its own.")] = None,
    out: Annotated[Path | None, typer.Option(help="The study directory; made where it is missing.")] = None,
    settings: Settings = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw away what the directory holds, and start anew.")
    ] = False,
    json: Json = False,
) -> None:
    """Train every variant over several seeds, compare them, and write a report.

    Run it again to continue a study that was interrupted, or with more seeds to add only the new runs.
    """
    from wellfit.data.catalog import load_dataset
    from wellfit.report.terminal import print_summary
    from wellfit.study.spec import load_study
    from wellfit.study.summary import summarize, to_json

    console = _console(stderr=json)
    spec = load_study(study, data=data, seeds=seeds, epochs=epochs, settings=settings or ())
    dataset = load_dataset(spec.data.name_or_path)
    directory = out or default_directory(spec, study, dataset.name)
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


def default_directory(spec: StudySpec, study: str | None, data: str) -> Path:
    """Where a study goes that is not told where: a folder of its name and its data's name, in wellfit-studies.

    Where settings, or the file, make it another study than the built-in one of its name (or than the file alone), four
    digits of these changes follow: the same command finds its directory again, and another command makes its own.

    Args:
      spec: the study.
      study: what it was made of, as ``load_study`` takes it.
      data: the name of its data set.
    """
    from wellfit.study.identity import fingerprint
    from wellfit.study.source import builtin_studies
    from wellfit.study.spec import load_study, resolved

    try:
        reference = load_study(spec.name if spec.name in builtin_studies() else study)
    except StudyFileError:  # a file that is a study with its settings only
        reference = spec
    changes = fingerprint(resolved(reference), resolved(spec))
    return Path("wellfit-studies") / "-".join(filter(None, (spec.name, Path(data).name, changes)))


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


def _run_shown(spec: Any, dataset: Any, directory: Path, fresh: bool, console: Console) -> None:
    """Run a study with its plan printed first and its progress shown live."""
    from wellfit.report.terminal import print_plan, training_progress
    from wellfit.study.runner import Outlook, Tick, run_study

    with training_progress(console) as progress:

        def on_plan(outlook: Outlook) -> None:
            console.print(f"{spec.title}", style="bold", markup=False)
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
                memory=outlook.plan.memory,
                done=outlook.done,
                data=f"{dataset.title} ({dataset.source})",
            )

        def on_tick(tick: Tick) -> None:
            progress.update(tick.epoch, tick.epochs, tick.active, tick.examples, tick.share)

        run_study(spec, dataset, directory, command=_command(), anew=fresh, on_plan=on_plan, on_tick=on_tick)


@app.command("list", epilog="Example: wellfit list")
def list_(json: Json = False) -> None:
    """List the built-in studies and data sets, one line each."""
    from wellfit.data.entries import CATALOG
    from wellfit.study.listing import list_studies

    studies = list_studies()
    if json:
        _print_json(
            {
                "studies": [{"name": s.name, "title": s.title, "description": s.description} for s in studies],
                "data": [{"name": e.name, "title": e.title, "description": e.description} for e in CATALOG.values()],
            }
        )
        return
    width = max(len(name) for name in [*CATALOG, *(s.name for s in studies)])
    typer.echo("Studies (wellfit run NAME)")
    for entry in studies:
        typer.echo(f"  {entry.name:<{width}}  {entry.title}")
    typer.echo("Data sets (--data NAME)")
    for name, data in CATALOG.items():
        typer.echo(f"  {name:<{width}}  {data.description}")


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
