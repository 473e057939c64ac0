"""``wellfit run`` and ``wellfit plan``: what trains, and what would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import (
    DataName,
    EpochCount,
    Fresh,
    Json,
    Out,
    PrecisionName,
    Quick,
    SeedCount,
    Settings,
    StudyName,
    make_console,
    print_json,
    typed_command,
)

if TYPE_CHECKING:
    from rich.console import Console

    from wellfit.base import Dataset
    from wellfit.study.outlook import Outlook
    from wellfit.study.spec import StudySpec


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
    from wellfit.cli.results import write_report
    from wellfit.report.terminal import print_summary
    from wellfit.study.summary import summarize, to_json

    console = make_console(stderr=json)
    spec, dataset, directory = _asked(study, data, seeds, epochs, precision, settings, quick, out)
    try:
        _run_shown(spec, dataset, directory, fresh, console)
    except KeyboardInterrupt as stop:  # at once where nothing trains, or where it was pressed twice
        from wellfit.study.runner import Interrupted

        whole, part = "Everything up to the last epoch is saved", "The runs and the checkpoint saved last are kept"
        saved = whole if isinstance(stop, Interrupted) else part
        console.print(f"Interrupted. {saved} in {directory}.", soft_wrap=True, markup=False)
        console.print(f"To continue: {typed_command()}".replace(" --fresh", ""), soft_wrap=True, markup=False)
        raise typer.Exit(130) from None
    summary = summarize(directory)
    page = write_report(summary, directory)
    if json:
        print_json(to_json(summary, __version__))
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
        print_json(to_json(outlook, spec, directory, __version__))
    else:
        _print_outlook(make_console(), spec, outlook)


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


def _run_shown(spec: StudySpec, dataset: Dataset, directory: Path, fresh: bool, console: Console) -> None:
    """Run a study with its plan printed first and its progress shown live."""
    from wellfit.report.terminal import training_progress
    from wellfit.study.runner import Tick, run_study

    with training_progress(console) as progress:

        def on_plan(outlook: Outlook) -> None:
            _print_outlook(console, spec, outlook)

        def on_tick(tick: Tick) -> None:
            progress.update(tick.epoch, tick.epochs, tick.active, tick.examples, tick.share)

        run_study(spec, dataset, directory, command=typed_command(), anew=fresh, on_plan=on_plan, on_tick=on_tick)
