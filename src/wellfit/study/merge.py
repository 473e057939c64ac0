"""Several directories of one study become one: seeds, or variants, that were run apart, on one machine or more."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from wellfit.base import HISTORY_COLUMNS
from wellfit.errors import OtherStudyError, StoreBusyError, StoreError
from wellfit.spec.identity import merged, spec_conflicts
from wellfit.store import Store, contents, create_or_open, open_existing

__all__ = ["Merged", "merge_studies"]

Run = tuple[str, int]

SAME_FACTS: Final = ("data hash", "split hash", "precision")
"""The facts of their provenance in which directories that belong together agree."""


@dataclass(frozen=True)
class Merged:
    """What a merged directory holds.

    Args:
      directory: the new directory.
      runs: how many runs it holds.
      taken: how many of them come from each of the directories, in their order.
      twice: how many of them were in more than one of the directories, with the same results.
      missing: how many runs of its variants and seeds none of the directories has.
      codes: of how many states of wellfit's own code the runs come; 0 where it is not known.
    """

    directory: Path
    runs: int
    taken: tuple[int, ...]
    twice: int
    missing: int
    codes: int


def merge_studies(directories: Sequence[Path], out: Path) -> Merged:
    """Join directories of the same study into a new one; they are left as they are.

    The runs come over bit by bit. One that several directories have with the same results is taken once. The first
    directory's first variant is the one that the others are compared with.

    Args:
      directories: two or more study directories.
      out: the new directory, which must not exist; it is there whole, or not at all.

    Raises:
      OtherStudyError: two of them do not belong together; the first difference is named.
      StoreBusyError: a process is at work in one of them.
      StoreUnreadableError: one of them is no study directory, or is damaged.
      StoreError: fewer than two, one given twice, or ``out`` exists or cannot be written.
    """
    _check_places(directories, out)
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(open_existing(directory)) for directory in directories]
        for store in stores:
            if store.is_running():
                what = "a process is at work here; wait for it to end, or stop it with Ctrl-C, then merge"
                raise StoreBusyError(f"{store.directory}: {what}")
        study = _study(stores)
        shares = _shares(stores)
        with _built_beside(out) as place, create_or_open(place, study, provenance={}) as whole:
            contents.copy_runs(list(zip(stores, shares, strict=True)), whole)
            findings = dict.fromkeys(finding for store in stores for finding in store.metadata.findings())
            whole.metadata.save_findings(tuple(findings))
            codes = whole.metadata.provenance().get("code hash")
        having = sum(len(store.runs.finished()) for store in stores)
    taken = tuple(map(len, shares))
    runs = sum(taken)
    return Merged(
        directory=out,
        runs=runs,
        taken=taken,
        twice=having - runs,
        missing=len(study["variants"]) * len(study["seeds"]) - runs,
        codes=len(codes.split("; then ")) if codes else 0,
    )


def _check_places(directories: Sequence[Path], out: Path) -> None:
    if len(directories) < 2:
        told = ", ".join(map(str, directories))
        raise StoreError(f"{told}: nothing to merge with; give two or more directories")
    places: dict[Path, Path] = {}
    for directory in directories:
        if (twin := places.setdefault(directory.resolve(), directory)) is not directory:
            raise StoreError(f"{directory}: the same directory as {twin}; give each once")
    if os.path.lexists(out):
        raise StoreError(f"{out}: exists; choose another --out, which merge makes")


def _study(stores: Sequence[Store]) -> dict[str, Any]:
    """The study that all of them are parts of, in ``resolved`` form."""
    first, *others = stores
    whole, facts, notes = first.metadata.study(), first.metadata.provenance(), _notes(first)
    for store in others:
        here = store.metadata.provenance()
        study = store.metadata.study()
        conflict = spec_conflicts(whole, study)
        for fact in SAME_FACTS:
            if conflict is None and facts.get(fact) != here.get(fact):
                conflict = f"{fact} is {facts.get(fact, 'unknown')} there and {here.get(fact, 'unknown')} here"
        for note in sorted({*notes, *(noted := _notes(store))}):
            if conflict is None and notes.get(note) != noted.get(note):
                conflict = f"{note} is {notes.get(note, 'not noted')} there and {noted.get(note, 'not noted')} here"
        if conflict is not None:
            raise _apart(store, first, conflict)
        whole = {**whole, **{key: merged(whole, study)[key] for key in ("variants", "seeds", "published")}}
    return whole


def _notes(store: Store) -> dict[str, Any]:
    """What directories that belong together have noted alike; the costs that a machine measured are its own."""
    notes = store.metadata.notes()
    if "choices" in notes:
        notes["choices"] = {key: value for key, value in notes["choices"].items() if key != "costs"}
    return notes


def _apart(here: Store, there: Store, conflict: str) -> OtherStudyError:
    mend = "merge directories that differ in their seeds and variants alone"
    return OtherStudyError(f"{here.directory}: does not belong to {there.directory}: {conflict}; {mend}")


def _shares(stores: Sequence[Store]) -> list[set[Run]]:
    """Which runs come from which store: each from one, from one that tested it if there is any."""
    results = [_results(store) for store in stores]
    owner: dict[Run, int] = {}
    for i, of_store in enumerate(results):
        for run, result in of_store.items():
            if run not in owner:
                owner[run] = i
                continue
            first = owner[run]
            difference = _difference(results[first][run], result)
            if difference is not None:
                variant, seed = run
                why = "another machine, or other runs beside it, round otherwise: give each directory its own runs"
                what = f"variant {variant!r}, seed {seed}: other {difference} here ({why})"
                raise _apart(stores[i], stores[first], what)
            if results[first][run]["test results"] is None:
                owner[run] = i
    return [{run for run, at in owner.items() if at == i} for i in range(len(stores))]


def _results(store: Store) -> dict[Run, dict[str, Any]]:
    """What is to be the same of a run in two stores; test results are None before the test set was opened."""
    files = contents.files(store)
    found: dict[Run, dict[str, Any]] = {}
    for record in store.runs.records():
        name = f"{record.spec.variant}.{record.spec.seed}.npz"
        columns = np.stack([record.history[column] for column in HISTORY_COLUMNS])  # (columns, epochs)
        found[record.spec.variant, record.spec.seed] = {
            "end": (record.state, record.epochs, record.readout_epoch),
            "epochs": (columns.shape, columns.tobytes()),
            "scores": repr(sorted(record.scores.items())),  # NaN is NaN here
            "weights": files[f"weights/{name}"],
            "test results": files.get(f"test/{name}"),
        }
    return found


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """The first thing in which two results of a run differ, or None; a run may be tested in one place alone."""
    for what, value in here.items():
        untested = what == "test results" and None in (value, there[what])
        if value != there[what] and not untested:
            return what
    return None


@contextlib.contextmanager
def _built_beside(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to build in; it takes its name at the end, or is removed where something goes wrong."""
    place = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        yield place
        os.rename(place, out)
    except OSError as error:
        raise StoreError(f"{out}: cannot be written: {error.strerror}; choose another --out") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)
