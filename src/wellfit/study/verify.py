"""Is a study directory as it was saved, and do its numbers follow from its raw results? Every file and number again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wellfit.base import RunRecord
from wellfit.errors import StoreBusyError, StoreUnreadableError, WellfitError
from wellfit.spec.study import from_resolved, recipes
from wellfit.store import Store, contents, open_existing
from wellfit.store.keepsakes import KEEPSAKES
from wellfit.store.opening import FOLDERS
from wellfit.study.recount import Number, numbers_of_run, numbers_of_summary
from wellfit.study.summary import summarize

__all__ = ["Problem", "Verification", "verify_study"]

USELESS: Final = ("ends/", "checkpoints/")  # where a file more, or an end less, is not wrong
STRANGE: Final = (ValueError, KeyError, TypeError, IndexError, AttributeError, WellfitError)
"""What rows that no wellfit has written make of our own code."""
RESTORE: Final = "restore it from a copy, or train anew with wellfit run --fresh"


@dataclass(frozen=True)
class Problem:
    """What is wrong, in which file of the directory, and how to mend it; a line when it is printed.

    Example:
      >>> print(Problem("test/l2.0.npz", "is missing", "restore it"))
      test/l2.0.npz: is missing; restore it
    """

    file: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}; {self.mend}"


@dataclass(frozen=True)
class Verification:
    """What was checked, and what was found.

    Args:
      runs: runs that the directory holds.
      files: files whose checksums were compared.
      numbers: numbers that were computed again.
      problems: what is wrong.
      notes: what is not wrong and worth knowing: an unfinished study, files that a killed process left, two versions
        of wellfit's code.
    """

    runs: int
    files: int
    numbers: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def verify_study(directory: Path) -> Verification:
    """Check every file of a study directory, and compute every reported number again from the raw results.

    Nothing is written, save that SQLite rolls back the journal of a process that was killed. What needs the data set is
    taken as it was measured: the metrics of each epoch, and the training and validation scores of averaged weights.

    Args:
      directory: the study directory.

    Raises:
      StoreUnreadableError: there is no study in it, or its database cannot be opened.
      StoreBusyError: a process is at work in it.
    """
    with open_existing(directory) as store:
        if store.is_running():
            raise StoreBusyError(f"{directory}: a process is at work here; wait for it to end, then verify")
        broken = _broken(store, directory)
        if broken:  # nothing that it says can be relied on
            return Verification(0, 0, 0, tuple(broken), ())
        files = contents.files(store)
        done = _is_done(store)
        wrong = [*_wrong_files(directory, files), *(() if done else _wrong_checkpoints(store))]
        left = _left_over(directory, files, store.checkpoints.names() if not done else set())
        strays = [name for name in left if done and not _may_be_left(name)]
        counted, contradictions = _recounted(store, directory, {problem.file for problem in wrong})
        return Verification(
            runs=len(store.runs.finished()),
            files=len(files),
            numbers=counted,
            problems=(
                *wrong,
                *(Problem(name, "left over: no run of the study has it", "remove it") for name in strays),
                *contradictions,
            ),
            notes=tuple(_notes(store, done, [name for name in left if name not in strays])),
        )


def _broken(store: Store, directory: Path) -> list[Problem]:
    """What keeps the database from being read."""
    try:
        told = contents.damage(store.database)
        if not told:
            store.runs.records()
    except StoreUnreadableError as error:
        told = [_without_place(error, directory)]
    except STRANGE as error:
        told = [_strange(error)]
    return [Problem("study.db", what, RESTORE) for what in told]


# --- Files


def _wrong_files(directory: Path, files: Mapping[str, str]) -> Iterator[Problem]:
    """Files that are missing, cannot be read, or are not those that were saved."""
    for name, sha256 in sorted(files.items()):
        try:
            content = (directory / name).read_bytes()
        except FileNotFoundError:
            if not name.startswith(USELESS):
                yield Problem(name, "is missing", _mend(name))
        except OSError as error:
            yield Problem(name, f"cannot be read: {error.strerror}", "give access to it, or restore it from a copy")
        else:
            if hashlib.sha256(content).hexdigest() != sha256:
                yield Problem(name, f"is not the file that was saved ({len(content)} bytes)", _mend(name))


def _wrong_checkpoints(store: Store) -> Iterator[Problem]:
    for name in sorted(store.checkpoints.damaged()):
        yield Problem(name, "is not the file that was saved", "remove it: its runs are trained from their beginning")


def _mend(name: str) -> str:
    """What to do about a file that is not as it was saved."""
    if name == KEEPSAKES:
        return "wellfit run, with the same study and --out, makes it anew"
    if name.startswith(USELESS):
        return "restore it from a copy, or remove it: only more epochs need it, and are trained from the beginning then"
    return RESTORE


def _may_be_left(name: str) -> bool:
    """Whether a process that was killed at its very end may leave a file."""
    return name.startswith(USELESS) or name == KEEPSAKES or name.endswith(".tmp")


def _left_over(directory: Path, files: Iterable[str], useful: set[str]) -> list[str]:
    """Files in our folders that the study does not have; what else lies beside them is the user's."""
    there = {path.relative_to(directory).as_posix() for folder in FOLDERS for path in (directory / folder).rglob("*")}
    return sorted(there - set(files) - useful)


def _is_done(store: Store) -> bool:
    """Whether nothing is left to train or to test: then a file more is nobody's, and not of a killed process."""
    study, tested = store.metadata.study(), store.runs.test_scores()
    ended = {run for run, r in ((_run(r), r) for r in store.runs.records()) if run in tested or not r.readout_epoch}
    return all((variant, seed) in ended for variant in study["variants"] for seed in study["seeds"])


def _notes(store: Store, done: bool, left: Iterable[str]) -> Iterator[str]:
    if not done:
        yield "the study is not finished; wellfit run, with the same study and --out, continues it"
    for name in left:
        mend = "remove it" if done else "wellfit run, continuing the study, needs or replaces it"
        yield f"{name}: left by a process that was stopped; {mend}"
    codes = store.metadata.provenance().get("code hash", "").split("; then ")
    if len(codes) > 1:
        short = ", then ".join(code[:12] for code in codes)
        yield f"the runs come from {len(codes)} states of wellfit's code: {short}"


# --- Numbers


def _recounted(store: Store, directory: Path, damaged: set[str]) -> tuple[int, list[Problem]]:
    """How many numbers were computed again, and which came out otherwise; what needs a damaged file is left out."""
    counted = 0
    problems: list[Problem] = []
    try:
        for number in _numbers(store, directory, damaged):
            counted += 1
            if _differs(number):
                what = f"{number.what} is {number.stored}, and {number.again} when computed again"
                problems.append(Problem("study.db", what, RESTORE))
    except STRANGE as error:
        problems.append(Problem("study.db", _strange(error), RESTORE))
    return counted, problems


def _numbers(store: Store, directory: Path, damaged: set[str]) -> Iterator[Number]:
    spec = from_resolved(store.metadata.study())
    of_variant = recipes(spec)
    records, tests = store.runs.records(), store.runs.test_scores()
    yield Number("the number of runs that belong to the study", len(store.runs.finished()), len(records))
    labels, _ = store.keepsakes.labels() if "test/labels.npz" not in damaged else (None, ())
    for record in records:
        variant, seed = run = _run(record)
        yield Number(f"variant {variant!r}, seed {seed}: recipe", record.spec.recipe, of_variant[variant])
        name = f"{variant}.{seed}.npz"
        weights = store.runs.weights(variant, seed) if f"weights/{name}" not in damaged else None
        whole = run in tests and labels is not None and f"test/{name}" not in damaged
        probabilities = store.runs.probabilities(variant, seed) if whole else None
        yield from numbers_of_run(
            record, weights, store.runs.parameters(variant), probabilities, labels, tests.get(run)
        )
    if not damaged:
        yield from numbers_of_summary(store, summarize(directory), summarize(directory))


def _run(record: RunRecord) -> tuple[str, int]:
    return record.spec.variant, record.spec.seed


def _differs(number: Number) -> bool:
    stored, again = number.stored, number.again
    if isinstance(stored, float) and isinstance(again, float):
        same = math.isclose(stored, again, rel_tol=number.slack, abs_tol=number.slack)
        return not (same or (math.isnan(stored) and math.isnan(again)))
    return bool(stored != again)


def _strange(error: Exception) -> str:
    return f"its rows cannot be understood: {type(error).__name__}: {error}"


def _without_place(error: Exception, directory: Path) -> str:
    return str(error).removeprefix(f"{directory / 'study.db'}: ").split("; ")[0]
