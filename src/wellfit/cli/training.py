"""``wellfit run`` and ``wellfit plan``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
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
    StudyNames,
    continuing_command,
    typed_command,
)
from wellfit.cli.output import make_console, print_json, print_paragraph
from wellfit.cli.searching import Search, check_search, print_search
from wellfit.cli.searching import search as search_first
from wellfit.cli.several import lost_line, run_several
from wellfit.cli.signals import INTERRUPTED

if TYPE_CHECKING:
    from rich.console import Console

    from wellfit.analysis.sequential import InterimAnalysis
    from wellfit.interop.tensorboard import LogFolder
    from wellfit.study.planning import Forecast
    from wellfit.study.session import Session

UntilDecided = Annotated[
    bool, typer.Option("--until-decided", help="Add seeds, five at a time, until every comparison is decided.")
]
MaxSeeds = Annotated[
    int | None,
    typer.Option("--max-seeds", help="With --until-decided: maximum seeds (20), fixed at the first analysis."),
]
MaxMinutes = Annotated[
    float | None, typer.Option("--max-minutes", help="With --until-decided: do not start a batch that would end later.")
]
TensorBoard = Annotated[
    Path | None, typer.Option("--tensorboard", metavar="DIR", help="Also write logs for TensorBoard, while it trains.")
]
ShardOf = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="Train the I-th of N parts only; wellfit merge joins the directories."),
]
On = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="WHERE", help="Train on Ray: ray starts it here; HOST:PORT or ray://HOST:PORT is a cluster."
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Also show programs, devices and precision.")]


@app.command(epilog="Example: wellfit run lab5 --seeds 3 --epochs 5 --set train.batch_size=128")
def run(
    studies: StudyNames = None,
    data: DataName = None,
    seeds: SeedCount = None,
    epochs: EpochCount = None,
    precision: PrecisionName = None,
    settings: Settings = None,
    quick: Quick = False,
    search: Search = False,
    until_decided: UntilDecided = False,
    max_seeds: MaxSeeds = None,
    max_minutes: MaxMinutes = None,
    out: Out = None,
    fresh: Fresh = False,
    shard: ShardOf = None,
    on: On = None,
    tensorboard: TensorBoard = None,
    json: Json = False,
) -> None:
    """Train every variant over several seeds and report the results.

    Run the same command again to continue an interrupted study. With more seeds or more epochs, only what is missing is
    trained. With --until-decided, seeds are added as needed. If the study file has [search], configurations are tried
    first, and the best one is judged with the variants. Of several studies, --out is the folder.
    """
    from wellfit.cli.deciding import show_until_decided
    from wellfit.cli.results import print_places, write_page
    from wellfit.report.forms.terminal import print_summary
    from wellfit.study.as_json import to_json
    from wellfit.study.interrupts import Interrupted

    _check_budget(until_decided, seeds, max_seeds, max_minutes, shard)
    _check_place(on, shard, tensorboard)
    console = make_console(stderr=json)
    if len(studies or ()) > 1:
        _check_several(until_decided, shard, tensorboard)
        _run_studies(
            studies or (), data=data, seeds=seeds, epochs=epochs, precision=precision, settings=settings, quick=quick,
            search=search, out=out, fresh=fresh, on=on, json=json,
        )  # fmt: skip
        return
    study = studies[0] if studies else None
    session = _session(study, data, seeds, epochs, precision, settings, quick, out, fresh, shard, on)
    check_search(session, search, shard, on, (max_seeds, max_minutes) if until_decided else None)
    logs = None if tensorboard is None else _logs(tensorboard, session)
    try:
        session = search_first(session, console)
        if until_decided:
            show_until_decided(session, console, _run, max_seeds, max_minutes, logs)
        else:
            _run(session, console, logs=logs)
    except KeyboardInterrupt as stop:  # not Interrupted: nothing was training, or Ctrl-C was pressed twice
        saved = str(stop) if isinstance(stop, Interrupted) else "Finished runs and the last checkpoint are kept"
        console.print(f"Interrupted. {saved} in {session.directory}.", soft_wrap=True, markup=False)
        console.print(f"To continue: {continuing_command()}", soft_wrap=True, markup=False)
        raise SystemExit(INTERRUPTED) from None  # it has its line
    finally:
        if session.pool is not None:
            session.pool.close()
    if session.pool is not None and session.pool.lost:
        print_paragraph(console, lost_line(session.pool.lost))
    held = 0 if session.shard is None else _held(session)
    if session.shard is not None and held < len(session.runs):
        _print_shard(session, held, console, json=json)
    else:
        summary, page = write_page(session.directory)
        if json:
            print_json(to_json(summary, __version__))
        else:
            console.print()
            print_summary(summary, console, timed=False)
            print_places(console, summary, page)
    if logs is not None:
        logs.finish(session.directory)
        print_paragraph(console, f"TensorBoard: tensorboard --logdir {shlex.quote(str(logs.folder))}")


def _run_studies(
    studies: Sequence[str],
    *,
    data: str | None,
    seeds: int | None,
    epochs: int | None,
    precision: str | None,
    settings: list[str] | None,
    quick: bool,
    search: bool,
    out: Path | None,
    fresh: bool,
    on: str | None,
    json: bool,
) -> None:
    """Train several studies, each in a directory of its own below ``out``."""
    from wellfit.spec.identity import STUDIES
    from wellfit.study.search.drive import check_possible

    folder = STUDIES if out is None else out

    def make(study: str) -> Session:
        session = _session(study, data, seeds, epochs, precision, settings, quick, None, fresh, None, on, folder)
        check_search(session, search, None, on)
        check_possible(session)
        return session

    def train(session: Session, console: Console) -> None:
        _run(search_first(session, console), console)

    run_several(studies, make, train, folder=folder, on=on is not None, json=json)


def _logs(folder: Path, session: Session) -> LogFolder:
    """The log folder, if it can be used."""
    from wellfit.interop.tensorboard import LogFolder

    return LogFolder(folder, session)


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
    until_decided: UntilDecided = False,
    max_seeds: MaxSeeds = None,
    fresh: Fresh = False,
    full: Full = False,
    json: Json = False,
) -> None:
    """Forecast what a run would train, its time and its memory.

    Nothing is trained or written. Runs that the study directory already holds are not counted, except with --fresh.
    """
    from wellfit.report.forms.training_progress import print_plan
    from wellfit.study.decide import planned_batches
    from wellfit.study.interim import check_seeds
    from wellfit.study.planned import to_json

    _check_budget(until_decided, seeds, max_seeds, None)
    session = _session(study, data, seeds, epochs, precision, settings, quick, out, fresh)
    analyses: tuple[int, ...] = ()
    whole = session
    if until_decided:
        analyses, session, whole = planned_batches(session, max_seeds)
    else:
        check_seeds(session, None)
    if json:
        print_json(to_json(session, __version__, analyses, whole))
        return
    print_plan(make_console(), session.forecast, full=full)
    print_search(session, make_console())
    if until_decided:
        print_paragraph(make_console(), _analyses_line(analyses, session, whole))


def _analyses_line(analyses: tuple[int, ...], upcoming: Session, whole: Session) -> str:
    """When ``--until-decided`` analyzes, and what the largest number of seeds would take."""
    from wellfit.narrative.phrases import several
    from wellfit.report.wording import between

    line = f"With --until-decided: interim analyses at {several([*map(str, analyses)])} seeds"
    if len(whole.spec.seeds) == len(upcoming.spec.seeds):
        return f"{line}; this is the last batch"
    last = between(*whole.forecast.between)
    return f"{line}; the above is the next batch, and all of them would take {last}"


def _session(
    study: str | None,
    data: str | None,
    seeds: int | None,
    epochs: int | None,
    precision: str | None,
    settings: list[str] | None,
    quick: bool,
    out: Path | None,
    fresh: bool,
    shard: str | None = None,
    on: str | None = None,
    folder: Path | None = None,
) -> Session:
    """The session for the options of ``run`` and ``plan``; without ``out``, its directory is in a folder."""
    from wellfit.errors import StudyFileError
    from wellfit.report.given_words import check_sections
    from wellfit.spec.identity import STUDIES
    from wellfit.spec.study import load_study, place_of
    from wellfit.study.adapt import adapted, loaded
    from wellfit.study.directories import directory_of
    from wellfit.study.executors.ray_pool import RayPool, usable_address
    from wellfit.study.session import Session
    from wellfit.study.shards import read_shard

    part = None if shard is None else read_shard(shard)
    spec = load_study(
        study, data=data, seeds=seeds, epochs=epochs, precision=precision, settings=settings or (), quick=quick
    )
    address = None if on is None or spec.search is not None else usable_address(on)  # a search is refused there
    if part is not None and spec.precision == "auto":
        raise StudyFileError(f"--shard {shard} with precision auto: every machine would choose for itself, and wellfit "
                             "merge needs one choice; give --precision float32 or mixed")  # fmt: skip
    check_sections(spec.report, spec.name, place_of(study, [("report", "text")], settings or ()).rstrip(": "))
    dataset = loaded(spec, None if data else study, settings or ())
    directory = out or directory_of(
        spec, study, dataset.name, folder or STUDIES
    )  # before the study is fitted to its data
    if part is not None and out is None:
        directory = directory.with_name(f"{directory.name}-{part.number}of{part.of}")
    fitted, dataset = adapted(spec, dataset, study, settings or ())
    pool = None if address is None else RayPool(address, dataset, fitted.data)
    return Session(fitted, dataset, directory, fresh, part, pool)


def _held(session: Session) -> int:
    """How many results of the study its directory now holds."""
    finished = replace(session, fresh=False).stored.finished
    return sum((run.variant, run.seed) in finished for run in session.runs)


def _print_shard(session: Session, held: int, console: Console, *, json: bool) -> None:
    """What a shard has trained, and how the shards become a study.

    Args:
      held: how many results the directory holds, which may have other parts too.
    """
    from wellfit.report.wording import count

    part, trained, whole = session.shard, len(session.asked), len(session.runs)
    assert part is not None
    if json:
        counts = {"results": trained, "of": whole, "held": held}
        print_json({"wellfit": __version__, "directory": str(session.directory), "shard": list(part), **counts})
        return
    done = f"Part {part.number} of {part.of}: {trained} of {count(whole, 'result')}, in {session.directory}"
    done += f", which holds {held} of them" if held > trained else ""
    parts = "both parts" if part.of == 2 else f"all {part.of} parts"
    print_paragraph(console, done)
    print_paragraph(
        console, f"When {parts} have finished: wellfit merge DIR... --out NEW, with the directories of all parts"
    )


def _check_budget(
    until_decided: bool,
    seeds: int | None,
    max_seeds: int | None,
    max_minutes: float | None,
    shard: str | None = None,
) -> None:
    """Refuse options that contradict each other."""
    from wellfit.errors import StudyFileError

    if until_decided and seeds is not None:
        raise StudyFileError(
            f"--seeds {seeds} with --until-decided: seeds are added as needed; use --max-seeds instead"
        )
    if until_decided and shard is not None:
        raise StudyFileError(f"--shard {shard} with --until-decided: parts cannot decide; merge them first")
    for option, value in (("--max-seeds", max_seeds), ("--max-minutes", max_minutes)):
        if value is not None and not until_decided:
            raise StudyFileError(f"{option} {value:g}: needs --until-decided; add that, or leave {option} out")


def _check_place(on: str | None, shard: str | None, tensorboard: Path | None) -> None:
    """Refuse what a study cannot have that trains elsewhere."""
    from wellfit.errors import StudyFileError

    if on is not None and shard is not None:
        raise StudyFileError(f"--shard {shard} with --on {on}: Ray divides the study by itself; leave --shard out")
    if on is not None and tensorboard is not None:
        raise StudyFileError(
            f"--tensorboard with --on {on}: logs are written where a study trains; when it has ended, use: wellfit "
            "export DIR --format tensorboard"
        )


def _check_several(until_decided: bool, shard: str | None, tensorboard: Path | None) -> None:
    """Refuse what one study alone can have."""
    from wellfit.errors import StudyFileError

    for option, given in (("--until-decided", until_decided), ("--shard", shard), ("--tensorboard", tensorboard)):
        if given:
            raise StudyFileError(f"{option} with several studies: is for one; give each study a command of its own")


def _run(
    session: Session, console: Console, interim: InterimAnalysis | None = None, logs: LogFolder | None = None
) -> None:
    """Run a study: print its plan first, then show its progress."""
    from wellfit.report.forms.training_progress import print_plan, training_progress
    from wellfit.report.wording import between, count
    from wellfit.study.run import run_study

    with training_progress(console) as display:

        def on_plan(forecast: Forecast) -> None:
            if logs is not None:
                logs.begin(session)
            runs = forecast.plan.runs
            if interim is None or interim.number == 1:
                print_plan(console, forecast)
            elif runs:
                print_paragraph(console, f"{count(runs, 'more result')}, {between(*forecast.between)}")
            else:
                done = count(forecast.done, "result")
                print_paragraph(console, f"Nothing to train: the study directory already holds {done}")
            if runs:
                display.prepare(list(session.recipes), len(session.spec.seeds))

        run_study(
            session,
            command=typed_command(),
            interim=interim,
            on_plan=on_plan,
            on_progress=display.update,
            on_epoch=None if logs is None else logs.after_epoch,
        )
