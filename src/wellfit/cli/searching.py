"""The search that precedes a study: what ``wellfit run`` and ``wellfit plan`` say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from wellfit.cli.options import typed_command
from wellfit.cli.output import print_paragraph

if TYPE_CHECKING:
    from rich.console import Console

    from wellfit.base import SearchSpec
    from wellfit.study.search.drive import Tried
    from wellfit.study.session import Session

__all__ = ["Search", "check_search", "print_search", "search"]

Search = Annotated[
    bool, typer.Option("--search", help="Refuse a study without [search]; one that has it is searched anyway.")
]


def check_search(
    session: Session,
    wanted: bool,
    shard: str | None = None,
    on: str | None = None,
    budget: tuple[int | None, float | None] | None = None,
) -> None:
    """Refuse options that contradict the study's search, or the lack of one, before anything is searched.

    Args:
      budget: --max-seeds and --max-minutes of --until-decided; None without it.
    """
    from wellfit.errors import StudyFileError
    from wellfit.study.decide import check_budget

    found = session.spec.search
    if found is None and wanted:
        raise StudyFileError(
            f"--search: the study {session.spec.name!r} has no [search]; add [search.space] with the ranges to its file"
        )
    if found is not None and shard is not None:
        raise StudyFileError(f"--shard {shard}: a study with [search] cannot be divided; leave --shard out")
    if found is not None and on is not None:
        raise StudyFileError(f"--on {on}: a study with [search] trains on this machine; leave --on out")
    if found is not None and budget is not None:
        check_budget(session, *budget)


def search(session: Session, console: Console) -> Session:
    """Search, if the study asks for it; print how it goes, and return the session of the study that is judged."""
    from wellfit.report.forms.training_progress import training_progress
    from wellfit.report.wording import in_one_line, settings
    from wellfit.study.search.drive import search_first

    spec = session.spec.search
    if spec is None:
        return session
    print_paragraph(console, _plan_line(spec, session.spec.base.epochs))
    with training_progress(console) as display:

        def on_batch(tried: Tried) -> None:
            print_paragraph(console, _batch_line(tried))

        found = search_first(session, command=typed_command(), on_batch=on_batch, on_progress=display.update)
    print_paragraph(console, f"Found: {in_one_line(settings(found.spec.variants[spec.name]))}")
    console.print()
    return found


def print_search(session: Session, console: Console) -> None:
    """Say what a study would search before it is judged; nothing without a search."""
    if session.spec.search is not None:
        line = _plan_line(session.spec.search, session.spec.base.epochs)
        print_paragraph(console, f"{line}; the above is the study that follows, without what the search finds")


def _plan_line(spec: SearchSpec, epochs: int) -> str:
    """What a search is about to try, and what it takes."""
    from wellfit.report.wording import count
    from wellfit.study.search.train import batches_of, planned_epochs

    planned = sum(planned_epochs(epochs, batch, spec) for batch in batches_of(spec))
    return (
        f"Search: {count(spec.trials, 'configuration')} of {', '.join(spec.space)}, {count(spec.seeds, 'seed')} each, "
        f"{planned:,} of {spec.trials * spec.seeds * epochs:,} epochs"
    )


def _batch_line(tried: Tried) -> str:
    """What a search has found so far."""
    from wellfit.narrative.searched import fates
    from wellfit.report.wording import in_one_line, settings

    line = f"Search: {len(tried.trials):,} of {tried.of:,} configurations"
    if tried.best is None or (mean := tried.best.mean) is None:
        return f"{line}; none was trained to the end: {fates(tried.trials)}"
    accuracy = tried.metric == "validation_accuracy"
    value = f"accuracy {100 * mean:.2f} %" if accuracy else f"loss {mean:.4f}"
    return f"{line}; best validation {value} ({in_one_line(settings(tried.best.values))})"
