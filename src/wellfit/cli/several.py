"""Several studies in one command: all are checked before the first is trained; on a cluster, they are one pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from wellfit import __version__
from wellfit.cli.options import continuing_command, typed_command
from wellfit.cli.output import make_console, print_json, print_paragraph, print_problem
from wellfit.cli.signals import INTERRUPTED
from wellfit.errors import StudyFileError, WellfitError, printable

if TYPE_CHECKING:
    from rich.console import Console

    from wellfit.base import StudySummary
    from wellfit.report.forms.several_progress import SeveralProgress
    from wellfit.study.session import Session

__all__ = ["lost_line", "run_several"]

Make: TypeAlias = "Callable[[str], Session]"
Train: TypeAlias = "Callable[[Session, Console], None]"

FAILED: Final = 2
"""The exit status where a study could not be trained."""

_GLANCE: Final = 0.2
"""Seconds between two looks at what the threads do."""


@dataclass(frozen=True)
class Planned:
    """A study, its directory, and its forecast: how many results, and the seconds between which they take."""

    study: str
    directory: Path
    results: int
    between: tuple[float, float]


def run_several(studies: Sequence[str], make: Make, train: Train, *, folder: Path, on: bool, json: bool) -> None:
    """Train several studies, write a report of each, and a page that lists them.

    Here, one is trained after the other. On a cluster, all of them are trained at once, so that the machines which one
    study no longer needs train the next. A study that fails does not stop the others.

    Args:
      studies: as they were given.
      make: gives the session of one of them.
      train: trains a session and shows its progress.
      folder: of the page.
      on: whether they are trained on a cluster.
      json: print the results as JSON alone.

    Raises:
      WellfitError: a study cannot be read, or two are the same; nothing was trained.
      SystemExit: with status 2 if a study failed, 130 if the command was interrupted.
    """
    from wellfit.report.forms.formats import refuse_other_file
    from wellfit.report.forms.index_page import INDEX

    if (folder / "study.db").exists():
        raise StudyFileError(f"--out {folder}: a study directory; of several studies, --out is the folder for all")
    refuse_other_file(folder / INDEX, "html")
    console = make_console(stderr=json)
    sessions = [make(study) for study in studies] if on else []
    try:
        _connect(sessions)
        planned = _planned(studies, (lambda study: sessions[studies.index(study)]) if on else make)
        _print_plan(planned, console)
        failed: dict[str, str] = {}
        try:
            _at_once(sessions, planned, console, failed) if on else _in_turn(planned, make, train, console, failed)
        except KeyboardInterrupt:
            console.print(f"Interrupted. Finished runs and the last checkpoints are kept in {folder}.", soft_wrap=True)
            console.print(f"To continue: {continuing_command()}", soft_wrap=True, markup=False)
            raise SystemExit(INTERRUPTED) from None
    finally:
        for session in reversed(sessions):  # the first one owns the connection
            if session.pool is not None:
                session.pool.close()
    _report(planned, failed, folder, console, json=json)


def _planned(studies: Sequence[str], make: Make) -> list[Planned]:
    """The plans of all studies; here, the data of one at a time are in memory."""
    planned: list[Planned] = []
    for study in studies:
        session = make(study)
        session.check()
        if studies.count(study) > 1:
            raise StudyFileError(f"{study}: given twice; leave one out")
        if same := [one.study for one in planned if one.directory.absolute() == session.directory.absolute()]:
            raise StudyFileError(
                f"{study}: the same study as {same[0]}, or one with the same directory, {session.directory}; leave one "
                "out, or give it another name in its file"
            )
        forecast = session.forecast
        planned.append(Planned(study, session.directory, forecast.plan.runs, forecast.between))
    return planned


def _print_plan(planned: Sequence[Planned], console: Console) -> None:
    """What is to be trained, a line each, and all of it."""
    from wellfit.report.wording import between, count

    for one in planned:
        what = f"{count(one.results, 'result')}, {between(*one.between)}" if one.results else "nothing to train"
        print_paragraph(console, f"{printable(one.study)}: {what}; in {printable(str(one.directory))}", indent="  ")
    low, high = (sum(one.between[end] for one in planned if one.results) for end in (0, 1))
    results = sum(one.results for one in planned)
    whole = f"{count(len(planned), 'study', 'studies')}, {count(results, 'result')}"
    print_paragraph(console, f"{whole}, {between(low, high)}" if results else f"{whole}: nothing to train")


# --- One after the other ----------------------------------------------------------------------------------------------


def _in_turn(planned: Sequence[Planned], make: Make, train: Train, console: Console, failed: dict[str, str]) -> None:
    for number, one in enumerate(planned, 1):
        console.print()
        print_paragraph(console, f"{number} of {len(planned)}: {printable(one.study)}", "bold")
        try:
            train(make(one.study), console)
        except WellfitError as error:
            _note(failed, one, error)


def _note(failed: dict[str, str], one: Planned, error: WellfitError) -> None:
    failed[one.study] = str(error)
    print_problem(f"wellfit: {one.study}: {error}")


# --- All at once ------------------------------------------------------------------------------------------------------


def _at_once(sessions: Sequence[Session], planned: Sequence[Planned], console: Console, failed: dict[str, str]) -> None:
    """Train all studies on a cluster: each has a thread, which hands out its parts and stores what comes back."""
    from wellfit.report.forms.several_progress import several_progress
    from wellfit.study.interrupts import interruptible

    names = [one.study for one in planned]
    errors: dict[str, BaseException] = {}
    with several_progress(console, names) as display, interruptible() as stop:
        threads = []
        for session, one in zip(sessions, planned, strict=True):
            arguments = (session, one.study, display, errors)
            threads.append(threading.Thread(target=_train_one, args=arguments, daemon=True))
            threads[-1].start()
        _wait(threads)
    for session, one in zip(sessions, planned, strict=True):
        if session.pool is not None and session.pool.lost:
            print_paragraph(console, f"{printable(one.study)}: {lost_line(session.pool.lost)}")
        error = errors.get(one.study)
        if isinstance(error, WellfitError):
            _note(failed, one, error)
        elif error is not None and not isinstance(error, KeyboardInterrupt):
            raise error
    if stop.requested:
        raise KeyboardInterrupt


def _connect(sessions: Sequence[Session]) -> None:
    """Let the first pool connect; the others find its connection, and a store that has room for their data."""
    from wellfit.study.executors.ray_pool import RayPool

    pools = [session.pool for session in sessions if isinstance(session.pool, RayPool)]
    if pools:
        pools[0].connect(sum(s.dataset.x_train.nbytes + s.dataset.x_test.nbytes for s in sessions[1:]))


def _train_one(session: Session, study: str, display: SeveralProgress, errors: dict[str, BaseException]) -> None:
    from wellfit.study.run import run_study

    try:
        run_study(session, command=typed_command(), on_progress=lambda progress: display.update(study, progress))
        display.end(study)
    except BaseException as error:
        errors[study] = error


def _wait(threads: Sequence[threading.Thread]) -> None:
    """Wait until all threads have ended, in short steps: the main thread alone receives signals."""
    while any(thread.is_alive() for thread in threads):
        time.sleep(_GLANCE)


def lost_line(reasons: Sequence[str]) -> str:
    """What was trained again, and why."""
    from wellfit.report.wording import count

    each = "; ".join(f"{reasons.count(reason)} x {reason}" for reason in dict.fromkeys(reasons))
    return f"{count(len(reasons), 'part')} of the study {'was' if len(reasons) == 1 else 'were'} trained again: {each}"


# --- Results ----------------------------------------------------------------------------------------------------------


def _report(planned: Sequence[Planned], failed: dict[str, str], folder: Path, console: Console, *, json: bool) -> None:
    """Write the pages, print every answer, and end with status 2 if a study failed."""
    from wellfit.cli.results import write_page
    from wellfit.report.forms.index_page import INDEX, write_index
    from wellfit.study.as_json import to_json

    results: list[Any] = []
    for one in planned:
        if one.study in failed:
            continue
        summary, page = write_page(one.directory)
        results.append(to_json(summary, __version__))
        _print_answer(summary, page, console)
    if json:  # first: the page may fail
        print_json({"wellfit": __version__, "studies": results, "failed": failed, "index": str(folder / INDEX)})
    if folder.is_dir():  # else no study has begun
        index = write_index(folder)
        console.print()
        console.print(f"All studies: {index}", soft_wrap=True, markup=False)
    if failed:
        raise SystemExit(FAILED)


def _print_answer(summary: StudySummary, page: Path, console: Console) -> None:
    from wellfit.report.subjects.answer.section import conclusion

    console.print()
    print_paragraph(console, printable(summary.title), "bold")
    print_paragraph(console, " ".join(conclusion(summary)))
    console.print(f"Report: {page}", soft_wrap=True, markup=False)
