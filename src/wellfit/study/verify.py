"""Verification of a study directory: every file against its checksum, every number against the raw results."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wellfit.base import RunRecord
from wellfit.errors import StoreBusyError, StoreUnreadableError
from wellfit.files import read_plain
from wellfit.spec.study import recipes
from wellfit.store import Store, contents, manifest, open_existing
from wellfit.store.database import MALFORMED, RESTORE
from wellfit.store.keepsakes import KEEPSAKES, LABELS
from wellfit.store.names import FOLDERS
from wellfit.study.provenance import several_machines
from wellfit.study.recompute import Recomputed, numbers_of_judged, numbers_of_run, numbers_of_summary
from wellfit.study.summarize import summary_of

__all__ = ["Problem", "Verification", "verify_study"]

OPTIONAL: Final = ("ends/", "checkpoints/")  # extra files, and missing final states, are no error
NO_MANIFEST: Final = {
    "none": "has no manifest, because an earlier edition of wellfit wrote it",
    "outdated": "has no manifest, because the last command that changed it was killed",
}
MADE_AGAIN: Final = ("weights/", "test/")  # files of a run
JUDGE_AGAIN: Final = "restore it from a copy, or judge the predictions again"  # of runs that others trained


@dataclass(frozen=True)
class Problem:
    """A file of the directory, what is wrong with it, and how to fix that; one line when printed.

    Example:
      >>> print(Problem("test/l2.0.npz", "is missing", "restore it"))
      test/l2.0.npz: is missing; restore it
    """

    file: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}; {self.fix}"


@dataclass(frozen=True)
class Verification:
    """What was checked, and the result.

    Args:
      runs: the runs in the directory.
      files: the number of files whose checksums were compared.
      numbers: the number of recomputed numbers.
      problems: what is wrong.
      notes: what is worth knowing but no error: an unfinished study, files left by a killed process, several versions
        of wellfit's code, no manifest.
      fingerprint: of the study, with which its database agrees; None if anything is wrong, or there is no manifest.
      first_edition: whether the database is one of the first edition, which had no manifests.
    """

    runs: int
    files: int
    numbers: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    fingerprint: str | None = None
    first_edition: bool = False


def verify_study(directory: Path) -> Verification:
    """Check every file of a study directory and every row of its database, and recompute every reported number.

    Nothing is written, except that SQLite rolls back the journal of a killed process. Numbers that would need the data
    set are taken as measured: the metrics of each epoch, and the training and validation scores of averaged weights.

    Raises:
      StoreUnreadableError: there is no study in it, or its database cannot be opened.
      StoreBusyError: a process is training in it.
    """
    with open_existing(directory) as store:
        if store.is_running():
            raise StoreBusyError(f"{directory}: a process is training in it; wait for it to end, then verify")
        broken = _broken(store, directory)
        if broken:  # nothing in it is reliable
            return Verification(0, 0, 0, tuple(broken), ())
        files = contents.files(store)
        done = _is_done(store)
        wrong = [*_wrong_files(directory, files), *(() if done else _wrong_checkpoints(store))]
        left = _left_over(directory, files, store.checkpoints.names() if not done else set())
        strays = [name for name in left if done and not _may_be_left(name)]
        count, contradictions = _recomputed(store, {problem.file for problem in wrong})
        problems = (
            *wrong,
            *(
                Problem(
                    name, "belongs to no run of study.db", "restore the study.db that it belongs to, or move it away"
                )
                for name in strays
            ),
            *(Problem("study.db", what, RESTORE) for what in manifest.differences(store.database)),
            *contradictions,
        )
        if store.metadata.spec().elsewhere:
            problems = tuple(replace(p, fix=JUDGE_AGAIN) if "wellfit run" in p.fix else p for p in problems)
        return Verification(
            runs=len(store.runs.finished()),
            files=len(files),
            numbers=count,
            problems=problems,
            notes=tuple(_notes(store, done, [name for name in left if name not in strays])),
            fingerprint=None if problems else manifest.fingerprint(store.database),
            first_edition=manifest.state(store.database) == "none",
        )


def _broken(store: Store, directory: Path) -> list[Problem]:
    """What makes the database unreadable."""
    try:
        damage = contents.damage(store.database)
        if not damage:
            store.runs.records()
            store.runs.test_scores()
            store.metadata.spec()
            store.metadata.findings()
            contents.files(store)
    except StoreUnreadableError as error:
        damage = [_without_place(error, directory)]
    except MALFORMED as error:
        damage = [_invalid(error)]
    return [Problem("study.db", what, RESTORE) for what in damage]


# --- Files


def _wrong_files(directory: Path, files: Mapping[str, str]) -> Iterator[Problem]:
    """Files that are missing, unreadable, or changed."""
    for name, sha256 in sorted(files.items()):
        try:
            content = read_plain(directory / name)
        except FileNotFoundError:
            if not name.startswith(OPTIONAL):
                yield Problem(name, "is missing", _fix(name))
        except OSError as error:
            yield Problem(name, f"cannot be read: {error.strerror}", "fix its permissions, or restore it from a copy")
        else:
            if hashlib.sha256(content).hexdigest() != sha256:
                yield Problem(name, f"differs from the saved file ({len(content)} bytes)", _fix(name))


def _wrong_checkpoints(store: Store) -> Iterator[Problem]:
    for name in sorted(store.checkpoints.damaged()):
        yield Problem(name, "differs from the saved file", "remove it; its runs then start over")


def _fix(name: str) -> str:
    """How to fix a missing or changed file."""
    if name == KEEPSAKES:
        return "wellfit run, with the same study and --out, writes it again"
    if name.startswith(OPTIONAL):
        return "restore it from a copy, or remove it; only more epochs need it, and its training would then start over"
    if name.startswith(MADE_AGAIN) and name != LABELS:
        return "restore it from a copy; or wellfit run, with the same study and --out, trains its run again"
    return RESTORE


def _may_be_left(name: str) -> bool:
    """Whether a process that is killed at its very end may leave this file."""
    return name.startswith(OPTIONAL) or name == KEEPSAKES or name.endswith(".tmp")


def _left_over(directory: Path, files: Iterable[str], useful: set[str]) -> list[str]:
    """Files in wellfit's folders that the study does not name; other files are the user's."""
    there = {path.relative_to(directory).as_posix() for folder in FOLDERS for path in (directory / folder).rglob("*")}
    return sorted(there - set(files) - useful)


def _is_done(store: Store) -> bool:
    """Whether all runs are trained and tested; extra files then cannot come from a killed process."""
    study, tested = store.metadata.study(), store.runs.test_scores()
    if study.get("elsewhere"):
        return True
    ended = {run for run, r in ((_run(r), r) for r in store.runs.records()) if run in tested or not r.readout_epoch}
    return all((variant, seed) in ended for variant in study["variants"] for seed in study["seeds"])


def _notes(store: Store, done: bool, left: Iterable[str]) -> Iterator[str]:
    if not done:
        yield "the study is not finished; wellfit run, with the same study and --out, continues it"
    for name in left:
        fix = "remove it" if done else "continuing the study with wellfit run uses or replaces it"
        yield f"{name}: left by an interrupted process; {fix}"
    elsewhere = several_machines(store.metadata.provenance())
    if elsewhere:
        yield elsewhere[0].lower() + elsewhere[1:].rstrip(".")
    codes = store.metadata.provenance().get("code hash", "").split("; then ")
    if len(codes) > 1:
        short = ", then ".join(code[:12] for code in codes)
        yield f"the runs come from {len(codes)} versions of wellfit's code: {short}"
    if (why := NO_MANIFEST.get(manifest.state(store.database))) is not None:
        yield f"study.db: {why}, so changed settings, epochs and findings go unnoticed; the next wellfit run writes it"


# --- Numbers


def _recomputed(store: Store, damaged: set[str]) -> tuple[int, list[Problem]]:
    """The count of recomputed numbers, and those that differ; numbers that need a damaged file are left out."""
    count = 0
    problems: list[Problem] = []
    try:
        for number in _numbers(store, damaged):
            count += 1
            if _differs(number):
                what = f"{number.what} is {number.stored}, but {number.recomputed} when recomputed"
                problems.append(Problem("study.db", what, RESTORE))
    except MALFORMED as error:
        problems.append(Problem("study.db", _invalid(error), RESTORE))
    return count, problems


def _numbers(store: Store, damaged: set[str]) -> Iterator[Recomputed]:
    spec = store.metadata.spec()
    of_variant = recipes(spec)
    records, tests = store.runs.records(), store.runs.test_scores()
    yield Recomputed("number of runs that belong to the study", len(store.runs.finished()), len(records))
    labels, _ = store.keepsakes.labels() if "test/labels.npz" not in damaged else (None, ())
    for record in records:
        variant, seed = run = _run(record)
        yield Recomputed(f"variant {variant!r}, seed {seed}: recipe", record.spec.recipe, of_variant[variant])
        name = f"{variant}.{seed}.npz"
        whole = run in tests and labels is not None and len(labels) > 0 and f"test/{name}" not in damaged
        tested = store.runs.tested(variant, seed) if whole else None
        truth = None if tested is None or labels is None else tested.of(labels)
        if spec.elsewhere:
            yield from numbers_of_judged(record, tested, truth, tests.get(run))
            continue
        kept = f"weights/{name}" not in damaged
        weights = store.runs.weights(variant, seed) if kept else None
        yield from numbers_of_run(
            record,
            weights,
            store.runs.parameters(variant),
            None if tested is None else tested.probabilities,
            truth,
            tests.get(run),
            store.runs.histograms(variant, seed) if kept else None,
        )
    if not damaged:
        yield from numbers_of_summary(store, summary_of(store, again=True), summary_of(store, again=True))


def _run(record: RunRecord) -> tuple[str, int]:
    return record.spec.variant, record.spec.seed


def _differs(number: Recomputed) -> bool:
    stored, recomputed = number.stored, number.recomputed
    if isinstance(stored, float) and isinstance(recomputed, float):
        same = math.isclose(stored, recomputed, rel_tol=number.tolerance, abs_tol=number.tolerance)
        return not (same or (math.isnan(stored) and math.isnan(recomputed)))
    return bool(stored != recomputed)


def _invalid(error: Exception) -> str:
    return f"its rows are invalid: {type(error).__name__}: {error}"


def _without_place(error: Exception, directory: Path) -> str:
    return str(error).removeprefix(f"{directory / 'study.db'}: ").split("; ")[0]
