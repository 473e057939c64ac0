"""``wellfit run`` and ``wellfit plan``: what trains, and what would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    print_paragraph,
    typed_command,
)

if TYPE_CHECKING:
    from rich.console import Console

    from wellfit.analysis.sequential import InterimAnalysis
    from wellfit.base import Dataset
    from wellfit.spec.study import StudySpec
    from wellfit.study.deciding import Decision, Looked
    from wellfit.study.outlook import Outlook

UntilDecided = Annotated[
    bool, typer.Option("--until-decided", help="Add seeds, five at a time, until every comparison is decided.")
]
MaxSeeds = Annotated[
    int | None, typer.Option("--max-seeds", help="With --until-decided: the most seeds (20), fixed at the first look.")
]
MaxMinutes = Annotated[
    float | None, typer.Option("--max-minutes", help="With --until-decided: begin no batch that would end later.")
]


@app.command(epilog="Example: wellfit run lab5 --seeds 3 --epochs 5 --set train.batch_size=128")
def run(
    study: StudyName = None,
    data: DataName = None,
    seeds: SeedCount = None,
    epochs: EpochCount = None,
    precision: PrecisionName = None,
    settings: Settings = None,
    quick: Quick = False,
    until_decided: UntilDecided = False,
    max_seeds: MaxSeeds = None,
    max_minutes: MaxMinutes = None,
    out: Out = None,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Train every variant over several seeds, compare them, and write a report.

    Run it again to continue a study that was interrupted, with more seeds to add only the new runs, or with more epochs
    to train only those that are missing. With --until-decided it adds seeds for as long as it must.
    """
    from wellfit.cli.results import write_report
    from wellfit.report.forms.terminal import print_summary
    from wellfit.study.summary import summarize, to_json

    _check_budget(until_decided, seeds, max_seeds, max_minutes)
    console = make_console(stderr=json)
    spec, dataset, directory = _asked(study, data, seeds, epochs, precision, settings, quick, out)
    try:
        if until_decided:
            _decide_shown(spec, dataset, directory, fresh, console, max_seeds, max_minutes)
        else:
            _run_shown(spec, dataset, directory, fresh, console)
    except KeyboardInterrupt as stop:  # at once where nothing trains, or where it was pressed twice
        from wellfit.study.runner import Interrupted

        saved = str(stop) if isinstance(stop, Interrupted) else "The runs and the checkpoint saved last are kept"
        console.print(f"Interrupted. {saved} in {directory}.", soft_wrap=True, markup=False)  # a path stays whole
        console.print(f"To continue: {typed_command()}".replace(" --fresh", ""), soft_wrap=True, markup=False)
        raise typer.Exit(130) from None
    summary = summarize(directory)
    page = write_report(summary, directory)
    if json:
        print_json(to_json(summary, __version__))
    else:
        console.print()
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
    from wellfit.study.planned_looks import check_seeds

    spec, dataset, directory = _asked(study, data, seeds, epochs, precision, settings, quick, out)
    if not fresh:
        check_seeds(directory, spec, None)
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
    from wellfit.spec.study import load_study
    from wellfit.study.growing import home

    spec = load_study(
        study, data=data, seeds=seeds, epochs=epochs, precision=precision, settings=settings or (), quick=quick
    )
    dataset = load_dataset(spec.data.name_or_path)
    return spec, dataset, out or home(spec, study, dataset.name)


def _print_outlook(console: Console, spec: StudySpec, outlook: Outlook) -> None:
    from wellfit.report.forms.training_progress import print_plan

    print_paragraph(console, spec.title, "bold")
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
    for line in _growth(outlook):
        print_paragraph(console, line)


def _more(outlook: Outlook) -> str:
    """What a further look at a study trains, which was told at the first look of what it is."""
    from wellfit.report.wording import count, duration

    return f"{count(outlook.plan.runs, 'more run')}, about {duration(outlook.seconds)}"


def _growth(outlook: Outlook) -> list[str]:
    """What more epochs than the directory holds cost, and what is saved."""
    lines = []
    if outlook.continued:
        one = outlook.continued == 1
        which = "1 trajectory goes on where it" if one else f"{outlook.continued:,} trajectories go on where they"
        lines.append(f"{which} ended: {outlook.saved:,} trajectory-epochs are saved")
    for why, count in outlook.anew.items():
        which = "1 trajectory is" if count == 1 else f"{count:,} trajectories are"
        lines.append(f"{which} trained anew: {'one' if count == 1 else 'those'} {why}")
    return lines


def _check_budget(until_decided: bool, seeds: int | None, max_seeds: int | None, max_minutes: float | None) -> None:
    """Refuse options that contradict each other."""
    from wellfit.errors import StudyFileError

    if until_decided and seeds is not None:
        raise StudyFileError(
            f"--seeds {seeds} with --until-decided: seeds are added as needed; give --max-seeds instead"
        )
    for option, value in (("--max-seeds", max_seeds), ("--max-minutes", max_minutes)):
        if value is not None and not until_decided:
            raise StudyFileError(f"{option} {value:g}: is for --until-decided; add that, or leave it out")


def _decide_shown(
    spec: StudySpec,
    dataset: Dataset,
    directory: Path,
    fresh: bool,
    console: Console,
    max_seeds: int | None,
    max_minutes: float | None,
) -> None:
    """Add seeds until a study is decided, and print_paragraph after each look what is decided and what is not."""
    from wellfit.study.deciding import METHOD, run_until_decided

    told: list[Looked] = []

    def train(spec: StudySpec, look: InterimAnalysis, anew: bool) -> None:
        _run_shown(spec, dataset, directory, anew, console, look)

    def on_look(looked: Looked) -> None:
        told.append(looked)
        for text in _look_lines(looked):
            print_paragraph(console, text)
        if len(told) == 1:
            print_paragraph(console, f"{METHOD}.", "dim")
        console.print()

    made = run_until_decided(
        spec, dataset, directory, train, max_seeds=max_seeds, max_minutes=max_minutes, anew=fresh, on_look=on_look
    )
    print_paragraph(console, _ending(made))
    console.print()


def _look_lines(looked: Looked) -> list[str]:
    from wellfit.narrative.words import several

    look = looked.look
    decided = ", ".join(f"{name} ({verdict})" for name, verdict in looked.decided) or "nothing"
    undecided = several(looked.undecided) or "nothing"
    lines = [f"Look {look.number} of {len(look.seeds)}, at {look.seeds[look.number - 1]} seeds"]
    if looked.counted:
        lines.append(
            "This study was looked at before, at 5 %: that counts as its first look, and is judged anew as one"
        )
    return [*lines, f"Decided: {decided}", f"Not decided yet: {undecided}"]


def _ending(made: Decision) -> str:
    from wellfit.report.wording import duration

    seeds = made.last.look.seeds[made.last.look.number - 1]
    if made.ending == "decided":
        return f"Every comparison is decided, at {seeds} seeds."
    if made.ending == "seeds":
        return f"The last look is taken, at {seeds} seeds; what is not decided stays so."
    return f"Stopped at {seeds} seeds: the next would take about {duration(made.forecast)}. Run it again to go on."


def _run_shown(
    spec: StudySpec,
    dataset: Dataset,
    directory: Path,
    fresh: bool,
    console: Console,
    look: InterimAnalysis | None = None,
) -> None:
    """Run a study with its plan printed first and its progress shown live."""
    from wellfit.report.forms.training_progress import training_progress
    from wellfit.study.runner import Tick, run_study

    with training_progress(console, "images" if len(dataset.input_shape) > 1 else "examples") as progress:

        def on_plan(outlook: Outlook) -> None:
            if look is None or look.number == 1:
                _print_outlook(console, spec, outlook)
            elif outlook.plan.runs:
                print_paragraph(console, _more(outlook))
            else:
                print_paragraph(console, f"Nothing to train: all {outlook.done:,} runs of this look are there")
            if outlook.plan.runs:
                progress.prepare()

        def on_tick(tick: Tick) -> None:
            progress.update(tick.epoch, tick.epochs, tick.active, tick.examples, tick.share)

        command = typed_command()
        run_study(spec, dataset, directory, command=command, anew=fresh, look=look, on_plan=on_plan, on_tick=on_tick)
