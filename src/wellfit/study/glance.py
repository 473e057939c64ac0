"""A study at a glance, also while it trains: what it asks, how far it is, its learning curves up to the last epoch.

A glance is quick, so that it can be taken twice a second; all that needs the test set or a statistic is the summary's.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from wellfit.base import History, RunRecord, RunSummary, StudySummary, VariantSummary
from wellfit.spec.study import StudySpec, from_resolved, recipes
from wellfit.store import open_existing
from wellfit.store.lock import is_locked
from wellfit.store.progress import FILE as PROGRESS

__all__ = ["Glance", "Lead", "Stamp", "find_studies", "glance", "stamp"]

DEEPEST: Final = 2
"""How far below a folder studies are looked for."""

Run = tuple[str, int]
State = Literal["finished", "running", "interrupted"]


class Stamp(NamedTuple):
    """What tells that a study directory may read otherwise than before: times and sizes, and whether it is at work."""

    database: tuple[int, int]
    progress: tuple[int, int]
    at_work: bool


class Lead(NamedTuple):
    """The variant with the best mean validation accuracy, and the epoch at which that is; 0 where runs have ended."""

    variant: str
    accuracy: float
    epoch: int


@dataclass(frozen=True, eq=False)
class Glance:
    """A study as it is at one moment.

    Args:
      stamp: of its directory, when it was read.
      changed: when it last changed, in seconds since 1970.
      summary: without test results, verdicts, findings and statistics; histories reach to the last epoch of runs at
        work, too. The scores of a run at work, which is pending, are those of its last epoch.
      at_work: runs that have begun and not ended -> their epochs so far.
      tested: how many runs were evaluated on the test set.
      share: of the training that is done, from 0 to 1; a run that stops early counts in full when it is saved.
      epoch, epochs: of the runs at work: the furthest, and the most that one of them asks for; 0 where none is.
      lead: by validation; None before the first epoch.
      records: the runs that have ended.
    """

    stamp: Stamp
    changed: float
    summary: StudySummary
    at_work: Mapping[Run, int]
    tested: int
    share: float
    epoch: int
    epochs: int
    lead: Lead | None
    records: Mapping[Run, RunRecord]

    @property
    def key(self) -> tuple[Any, ...]:
        """Changes when a new summary would say something new."""
        return self.summary.state, self.tested, frozenset(self.records), self.summary.seeds, len(self.summary.variants)


def find_studies(folder: Path) -> list[Path]:
    """The study directories that a folder is, or holds, in the order of their names.

    Args:
      folder: a study directory, or a folder with studies in it or in its folders; hidden ones are not looked into.
    """
    return [Path(path) for path in _below(os.fspath(folder), DEEPEST)]


def _below(folder: str, depth: int) -> Iterator[str]:
    if os.path.isfile(os.path.join(folder, "study.db")):
        yield folder
        return
    if not depth:
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:  # one that is not ours to read
        folders = sorted(entry.path for entry in entries if not entry.name.startswith(".") and entry.is_dir())
        for path in folders:
            yield from _below(path, depth - 1)


def stamp(directory: Path) -> Stamp:
    """What changes when a study directory does."""

    def of(name: str) -> tuple[int, int]:
        try:
            found = os.stat(directory / name)
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    return Stamp(of("study.db"), of(PROGRESS), is_locked(directory / "lock"))


def glance(directory: Path, before: Glance | None = None) -> Glance:
    """Look at a study directory.

    Args:
      directory: the study directory.
      before: an older glance at it: of what has not changed since, nothing is read again.

    Raises:
      StoreUnreadableError: there is no study in it, or it is damaged.
    """
    now = stamp(directory)
    with open_existing(directory) as store:
        histories = store.progress.read()  # before the records, which take its place
        settings, seconds, tested = store.metadata.study(), store.metadata.seconds(), len(store.runs.test_scores())
        same = before is not None and before.stamp.database == now.database
        records = (
            before.records if same and before else {(r.spec.variant, r.spec.seed): r for r in store.runs.records()}
        )
    spec = from_resolved(settings)
    asked = {name: recipe.epochs for name, recipe in recipes(spec).items()}
    runs = [(name, seed) for name in spec.variants for seed in spec.seeds]
    ended = {run: record for run, record in records.items() if run in set(runs)}
    going = {run: histories[run] for run in runs if run in histories and run not in ended and len(histories[run])}
    done = [1.0 if run in ended else min(1.0, len(going.get(run, ())) / asked[run[0]]) for run in runs]
    finished = len(ended) == len(runs) and tested >= sum(r.readout_epoch > 0 for r in ended.values())
    state: State = "finished" if finished else "running" if now.at_work else "interrupted"
    variants = tuple(_variant(name, spec, ended, going) for name in spec.variants)
    summary = StudySummary(
        name=spec.name, title=spec.title, data=spec.data.name_or_path, state=state, seeds=spec.seeds,
        epochs=spec.base.epochs, seconds=seconds, directory=str(directory), variants=variants, comparisons=(),
        findings=(), verdict="", histories=_histories(spec, ended, going), confusion={}, classes=(), provenance={},
        settings=settings, margin=spec.margin,
    )  # fmt: skip
    return Glance(
        stamp=now,
        changed=max(now.database[0], now.progress[0]) / 1e9,
        summary=summary,
        at_work={run: len(history) for run, history in going.items()},
        tested=tested,
        share=math.fsum(done) / max(len(done), 1),
        epoch=max(map(len, going.values()), default=0),
        epochs=max((asked[variant] for variant, _ in going), default=0),
        lead=_lead(variants, going),
        records=records,
    )


def _histories(
    spec: StudySpec, ended: Mapping[Run, RunRecord], going: Mapping[Run, History]
) -> dict[str, dict[int, History]]:
    found = {run: record.history for run, record in ended.items()} | dict(going)
    return {name: {s: found[name, s] for s in spec.seeds if (name, s) in found} for name in spec.variants}


def _variant(
    name: str, spec: StudySpec, ended: Mapping[Run, RunRecord], going: Mapping[Run, History]
) -> VariantSummary:
    runs = tuple(_run(seed, ended.get((name, seed)), going.get((name, seed))) for seed in spec.seeds)
    scores = [run.validation_accuracy for run in runs if run.state != "pending" and run.validation_accuracy is not None]
    mean = {"validation_accuracy": float(np.mean(scores))} if scores else {}
    return VariantSummary(name, spec.variants[name], 0, runs, mean, {}, 0.0, {})


def _run(seed: int, record: RunRecord | None, history: History | None) -> RunSummary:
    """A run's row: its scores where it is read, or, while it is pending, at its last epoch."""
    scores: Mapping[str, float] = {}
    if record is not None:
        scores = record.scores
    elif history is not None:
        last = {name: float(column[-1]) for name, column in history.columns.items()}
        scores = {name: value for name, value in last.items() if math.isfinite(value)}
    epochs = record.epochs if record is not None else len(history) if history is not None else None
    return RunSummary(
        seed=seed,
        state="pending" if record is None else record.state,
        epochs=epochs,
        readout_epoch=None if record is None else record.readout_epoch or None,
        best_epoch=None,
        overfit_onset=None,
        train_accuracy=scores.get("train_accuracy"),
        train_loss=scores.get("train_loss"),
        validation_accuracy=scores.get("validation_accuracy"),
        validation_loss=scores.get("validation_loss"),
        test_accuracy=None,
        test_loss=None,
        seconds=None,
    )


def _lead(variants: tuple[VariantSummary, ...], going: Mapping[Run, History]) -> Lead | None:
    """Of the variants whose runs have ended; before that, of those at work, each run at its last epoch."""
    ended = {v.name: v.mean["validation_accuracy"] for v in variants if v.mean}
    epoch = 0
    if not ended and going:
        epoch = max(map(len, going.values()))
        seen: dict[str, list[float]] = {}
        for (variant, _), history in going.items():
            seen.setdefault(variant, []).append(float(history["validation_accuracy"][-1]))
        means = {variant: float(np.mean(values)) for variant, values in seen.items()}
        ended = {variant: mean for variant, mean in means.items() if math.isfinite(mean)}
    if not ended:
        return None
    best = max(ended, key=lambda name: ended[name])
    return Lead(best, ended[best], epoch)
