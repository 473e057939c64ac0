"""Merging directories of one study whose seeds or variants were trained separately, perhaps on several machines."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from wellfit.base import HISTORY_COLUMNS
from wellfit.engine.precision import has_convolution
from wellfit.errors import OtherStudyError, StoreBusyError, StoreError
from wellfit.spec.identity import merged, spec_conflicts
from wellfit.spec.own_words import joined_words
from wellfit.spec.study import recipes
from wellfit.store import Store, contents, create_or_open, open_existing
from wellfit.study.beside import built_beside, check_new
from wellfit.study.fold import OVERLAP
from wellfit.study.inputs import INPUTS
from wellfit.study.interim import LOOKS
from wellfit.study.judge import IN_ORDER
from wellfit.study.looks import KEY as SEEN
from wellfit.study.looks import combined_looks
from wellfit.study.search.record import KEY as SEARCH

__all__ = ["Merged", "merge_studies"]

Run = tuple[str, int]

SAME_PROVENANCE: Final = ("data hash", "split hash", "precision")
"""Entries of the provenance that must be equal in all directories."""


@dataclass(frozen=True)
class Merged:
    """The contents of a merged directory.

    Args:
      directory: the new directory.
      runs: the number of runs in it.
      taken: how many of them come from each directory, in order.
      duplicates: how many of them were in several directories, with the same results.
      missing: runs of its variants and seeds that no directory has.
      codes: the number of versions of wellfit's code that trained the runs; 0 if unknown.
    """

    directory: Path
    runs: int
    taken: tuple[int, ...]
    duplicates: int
    missing: int
    codes: int


def merge_studies(directories: Sequence[Path], out: Path) -> Merged:
    """Merge directories of the same study into a new one; the originals stay as they are.

    Runs are copied bit for bit. A run that several directories have with the same results is copied once. The first
    variant of the first directory is the reference of the merged study.

    Args:
      directories: two or more study directories.
      out: the new directory, which must not exist; it is created whole or not at all.

    Raises:
      OtherStudyError: two directories do not belong together; the message names the first difference.
      StoreBusyError: a process is training in one of them.
      StoreUnreadableError: one of them is not a study directory, or is damaged.
      StoreError: fewer than two directories, a duplicate, or ``out`` exists or cannot be written.
    """
    _check_places(directories, out)
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(open_existing(directory)) for directory in directories]
        for store in stores:
            if store.is_running():
                what = "a process is training in it; wait for it, or stop it with Ctrl-C, then merge"
                raise StoreBusyError(f"{store.directory}: {what}")
        study = _study(stores)
        shares = _shares(stores)
        with built_beside(out) as place, create_or_open(place, study, provenance={}) as whole:
            contents.copy_runs(list(zip(stores, shares, strict=True)), whole)
            combined_looks(whole, stores)
            whole.metadata.write_note(OVERLAP, _overlap(stores, study))
            _note_kernels(whole, stores)
            findings = dict.fromkeys(finding for store in stores for finding in store.metadata.findings())
            whole.metadata.save_findings(tuple(findings))
            codes = whole.metadata.provenance().get("code hash")
        total = sum(len(store.runs.finished()) for store in stores)
    taken = tuple(map(len, shares))
    runs = sum(taken)
    return Merged(
        directory=out,
        runs=runs,
        taken=taken,
        duplicates=total - runs,
        missing=0 if study.get("elsewhere") else len(study["variants"]) * len(study["seeds"]) - runs,
        codes=len(codes.split("; then ")) if codes else 0,
    )


def _overlap(stores: Sequence[Store], study: Mapping[str, Any]) -> dict[str, Any] | None:
    """The note of one validation set for all seeds of a search; of folds, it takes the data to know: None."""
    one = all((store.metadata.note(OVERLAP) or {}).get("searched") == 1 for store in stores)
    return {"seeds": sorted(study["seeds"]), "overlap": 1.0, "searched": 1.0} if one else None


def _check_places(directories: Sequence[Path], out: Path) -> None:
    if len(directories) < 2:
        given = ", ".join(map(str, directories))
        raise StoreError(f"{given}: nothing to merge with; give two or more directories")
    places: dict[Path, Path] = {}
    for directory in directories:
        if (twin := places.setdefault(directory.resolve(), directory)) is not directory:
            raise StoreError(f"{directory}: the same directory as {twin}; give each directory once")
    check_new(out, "merge")


def _study(stores: Sequence[Store]) -> dict[str, Any]:
    """The study that all directories are parts of, in ``resolved`` form."""
    first, *others = stores
    whole, facts, notes = first.metadata.study(), first.metadata.provenance(), _notes(first)
    for store in others:
        study, facts_here, notes_here = store.metadata.study(), store.metadata.provenance(), _notes(store)
        conflict = (
            spec_conflicts(whole, study)
            or _first_difference(SAME_PROVENANCE, facts, facts_here, "unknown")
            or _other_search(notes, notes_here)
            or _first_difference(sorted({*notes, *notes_here}), notes, notes_here, "not set")
            or (_other_examples(first, store) or _other_pairs(facts, facts_here) if whole.get("elsewhere") else None)
        )
        if conflict is not None:
            raise _conflict(store, first, conflict)
        both = merged(whole, study)
        words = joined_words(study.get("report", {}), whole.get("report", {}))  # those of the first have precedence
        whole = {**whole, **{key: both[key] for key in ("variants", "seeds", "published")}}
        whole |= {"report": words} if words else {}
    _check_kernels(stores)
    return whole


def _generated(store: Store) -> bool | None:
    """Whether generated kernels computed the convolutions of a directory's runs; None if it has none in float32."""
    spec = store.metadata.spec()
    variants = {variant for variant, _ in store.runs.finished()}
    models = (recipe.model for name, recipe in recipes(spec).items() if name in variants)
    if spec.precision == "mixed" or not any(map(has_convolution, models)):
        return None
    return bool((store.metadata.note("choices") or {}).get("kernels"))


def _check_kernels(stores: Sequence[Store]) -> None:
    """Refuse directories whose convolutions were trained with generated kernels in one and without in another."""
    known = [(store, kernels) for store in stores for kernels in (_generated(store),) if kernels is not None]
    for store, kernels in known[1:]:
        first, there = known[0]
        if kernels != there:
            words = ["with" if generated else "without" for generated in (there, kernels)]
            raise _conflict(
                store, first, f"convolutions were trained {words[0]} generated kernels there and {words[1]} them here"
            )


def _note_kernels(whole: Store, stores: Sequence[Store]) -> None:
    """Let the merged study keep to the kernels of those directories that have convolutions."""
    choices = whole.metadata.note("choices")
    if choices is not None and any(map(_generated, stores)):
        whole.metadata.write_note("choices", {**choices, "kernels": True})


def _other_search(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """Whether the searches that preceded the runs went differently: each searched study searches for itself."""
    if there.get(SEARCH) == here.get(SEARCH):
        return None
    return "its search tried other configurations, or scored them otherwise"


def _other_examples(first: Store, other: Store) -> str | None:
    """The first seed whose runs judged other test examples there: of runs trained elsewhere, no split says so."""
    there, here = ({seed: run for run, seed in sorted(store.runs.test_scores())} for store in (first, other))
    for seed in sorted(there.keys() & here.keys()) if len(first.keepsakes.labels()[0]) else ():
        one, rows = first.runs.tested(there[seed], seed).rows, other.runs.tested(here[seed], seed).rows
        if (one is None) != (rows is None) or (one is not None and rows is not None and not np.array_equal(one, rows)):
            return f"seed {seed} judged other test examples there"
    return None


def _other_pairs(there: Mapping[str, str], here: Mapping[str, str]) -> str | None:
    """Whether the seeds of one directory were only numbered, so that nothing pairs them with those of the other."""
    by_order = [of.get("paired", "").startswith(IN_ORDER) for of in (there, here)]
    if by_order[0] == by_order[1]:
        return None
    words = ["independent, judged with --unpaired," if one else "paired by seed" for one in by_order]
    return f"runs are {words[0]} there and {words[1]} here"


def _first_difference(
    keys: Sequence[str], there: Mapping[str, Any], here: Mapping[str, Any], default: str
) -> str | None:
    for key in keys:
        if there.get(key) != here.get(key):
            if key == LOOKS:
                return "planned looks differ"
            return f"{key} is {there.get(key, default)} there and {here.get(key, default)} here"
    return None


def _notes(store: Store) -> dict[str, Any]:
    """The notes that all directories must share; the costs that a machine measured, and its devices, are its own.

    Generated kernels matter only to convolutions, see ``_check_kernels``. The preparation and the scaling follow from
    data and split, up to rounding.
    """
    notes = {
        key: note
        for key, note in store.metadata.notes().items()
        if key.partition(".")[0] not in (INPUTS, OVERLAP, SEEN)
    }
    if "choices" in notes:
        own = ("costs", "devices", "kernels")
        notes["choices"] = {key: value for key, value in notes["choices"].items() if key not in own}
    return notes


def _conflict(here: Store, there: Store, conflict: str) -> OtherStudyError:
    fix = "merge only directories that differ in seeds and variants"
    return OtherStudyError(f"{here.directory}: does not belong to {there.directory}: {conflict}; {fix}")


def _shares(stores: Sequence[Store]) -> list[set[Run]]:
    """The runs to take from each store: every run from one of them, preferably one that has tested it."""
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
                why = "rounding depends on the machine and on the runs trained together; train each run only once"
                what = f"variant {variant!r}, seed {seed}: different {difference} here ({why})"
                raise _conflict(stores[i], stores[first], what)
            if results[first][run]["test results"] is None:
                owner[run] = i
    return [{run for run, at in owner.items() if at == i} for i in range(len(stores))]


def _results(store: Store) -> dict[Run, dict[str, Any]]:
    """What must be the same for a run in two stores; test results are None before the test set was opened."""
    files = contents.files(store)
    elsewhere, tests = store.metadata.spec().elsewhere, store.runs.test_scores()
    results: dict[Run, dict[str, Any]] = {}
    for record in store.runs.records():
        name = f"{record.spec.variant}.{record.spec.seed}.npz"
        columns = np.stack([record.history[column] for column in HISTORY_COLUMNS])  # (columns, epochs)
        results[record.spec.variant, record.spec.seed] = {
            "end": (record.state, record.epochs, record.readout_epoch),
            "epochs": (columns.shape, columns.tobytes()),
            "scores": repr(sorted(record.scores.items())),  # as text, NaN equals NaN
            "accuracy": repr(tests.get((record.spec.variant, record.spec.seed), (None,))[0]) if elsewhere else "",
            "weights": files.get(f"weights/{name}"),
            "test results": files.get(f"test/{name}"),
        }
    return results


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """The first difference between two results of a run; a run may be tested in one place only."""
    for what, value in here.items():
        untested = what == "test results" and None in (value, there[what])
        if value != there[what] and not untested:
            return what
    return None
