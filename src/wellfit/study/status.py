"""The status of a study, finished or training: its settings, its progress, its learning curves up to the last epoch.

Reading a status is fast enough to be repeated twice a second. Test results and statistics are left to the summary.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from wellfit.base import History, RunRecord, RunSummary, StudySummary, VariantSummary
from wellfit.spec.study import StudySpec, recipes
from wellfit.store import open_existing
from wellfit.store.database import PATIENCE
from wellfit.store.lock import is_locked
from wellfit.store.progress import FILE as PROGRESS
from wellfit.study.shareable import last_part

__all__ = ["Leader", "Stamp", "StudyStatus", "read_status", "stamp"]

SCORES: Final = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss")

Run = tuple[str, int]
State = Literal["finished", "running", "interrupted"]


class Stamp(NamedTuple):
    """File times and sizes of a study directory, and whether a process holds its lock; equal while nothing changes."""

    database: tuple[int, int]
    progress: tuple[int, int]
    locked: bool


class Leader(NamedTuple):
    """The variant with the best mean validation accuracy, and the epoch of that; 0 for runs that have ended."""

    variant: str
    accuracy: float
    epoch: int


@dataclass(frozen=True, eq=False)
class StudyStatus:
    """A study at one moment.

    Args:
      stamp: of its directory, at the time of reading.
      changed: the time of the last change, in seconds since 1970.
      summary: without test results, verdicts, findings and statistics. Histories include the epochs of active runs,
        which are pending and have the scores of their last epoch.
      active: runs in training -> their epochs so far.
      tested: the number of runs evaluated on the test set.
      share: of the training that is done, from 0 to 1; a run that stopped early counts in full.
      epoch, epochs: the furthest epoch of any active run, and the most epochs that one asks for; 0 without active runs.
      leader: by validation accuracy; None before the first epoch.
      left: seconds until the study has its results, at the time of reading; None while they are unknown.
      records: the runs that have ended.
    """

    stamp: Stamp
    changed: float
    summary: StudySummary
    active: Mapping[Run, int]
    tested: int
    share: float
    epoch: int
    epochs: int
    leader: Leader | None
    records: Mapping[Run, RunRecord]
    left: float | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Changes when a new summary would have new content."""
        return self.summary.state, self.tested, frozenset(self.records), self.summary.seeds, len(self.summary.variants)


def stamp(directory: Path) -> Stamp:
    """The stamp of a study directory."""

    def of(name: str) -> tuple[int, int]:
        try:
            status = os.stat(directory / name)
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_size

    return Stamp(of("study.db"), of(PROGRESS), is_locked(directory / "lock"))


def read_status(directory: Path, before: StudyStatus | None = None, *, patience: float = PATIENCE) -> StudyStatus:
    """Read the status of a study.

    Args:
      directory: the study directory.
      before: an older status; what has not changed since is not read again.
      patience: seconds to wait while the study is being written.

    Raises:
      StoreUnreadableError: there is no study in it, or it is damaged.
    """
    now = stamp(directory)
    with open_existing(directory, patience=patience) as store:
        histories, left = store.progress.read(), store.progress.left()  # before the records, which replace it
        settings, spec = store.metadata.study(), store.metadata.spec()
        seconds, tested = store.metadata.seconds(), len(store.runs.test_scores())
        if before is not None and before.stamp.database == now.database:
            records = before.records
        else:
            records = {(r.spec.variant, r.spec.seed): r for r in store.runs.records()}
    asked = {name: recipe.epochs for name, recipe in recipes(spec).items()}
    runs = [(name, seed) for name in spec.variants for seed in spec.seeds]
    wanted = set(runs)
    ended = {run: record for run, record in records.items() if run in wanted}
    active = {run: histories[run] for run in runs if run in histories and run not in ended and len(histories[run])}
    done = [1.0 if run in ended else min(1.0, len(active.get(run, ())) / asked[run[0]]) for run in runs]
    finished = len(ended) == len(runs) and tested >= sum(r.readout_epoch > 0 for r in ended.values())
    state: State = "finished" if finished else "running" if now.locked else "interrupted"
    variants = tuple(_variant(name, spec, ended, active) for name in spec.variants)
    histories = {run: record.history for run, record in ended.items()} | active
    by_variant = {name: {s: histories[name, s] for s in spec.seeds if (name, s) in histories} for name in spec.variants}
    summary = StudySummary(
        name=spec.name, title=spec.title, data=last_part(spec.data.name_or_path), state=state, seeds=spec.seeds,
        epochs=0 if spec.elsewhere else spec.base.epochs, seconds=seconds,
        directory=str(directory), variants=variants, comparisons=(),
        findings=(), verdict="", histories=by_variant, confusion={}, classes=(), provenance={},
        settings=settings, margin=spec.margin, metric=spec.metric,
    )  # fmt: skip
    return StudyStatus(
        stamp=now,
        changed=max(now.database[0], now.progress[0]) / 1e9,
        summary=summary,
        active={run: len(history) for run, history in active.items()},
        tested=tested,
        share=math.fsum(done) / max(len(done), 1),
        epoch=max(map(len, active.values()), default=0),
        epochs=max((asked[variant] for variant, _ in active), default=0),
        leader=_leader(variants, active),
        records=records,
        left=None if left is None or state != "running" else max(0.0, left[0] - max(0.0, time.time() - left[1])),
    )


def _variant(
    name: str, spec: StudySpec, ended: Mapping[Run, RunRecord], active: Mapping[Run, History]
) -> VariantSummary:
    runs = tuple(_run(seed, ended.get((name, seed)), active.get((name, seed))) for seed in spec.seeds)
    scores = [run.validation_accuracy for run in runs if run.state != "pending" and run.validation_accuracy is not None]
    mean = {"validation_accuracy": float(np.mean(scores))} if scores else {}
    return VariantSummary(name, spec.variants[name], 0, runs, mean, {}, 0.0, {})


def _run(seed: int, record: RunRecord | None, history: History | None) -> RunSummary:
    """A run as a row: with its scores at its readout, or at its last epoch while it is pending."""
    pending = RunSummary(seed, "pending", *(None,) * 11)
    scores: dict[str, Any] = {}
    if record is not None:
        scores = {score: record.scores.get(score) for score in SCORES}
        read = record.readout_epoch or None
        return replace(pending, state=record.state, epochs=record.epochs, readout_epoch=read, **scores)
    if history is not None:
        last = {score: float(history[score][-1]) for score in SCORES}
        scores = {score: value for score, value in last.items() if math.isfinite(value)}
        return replace(pending, epochs=len(history), **scores)
    return pending


def _leader(variants: tuple[VariantSummary, ...], active: Mapping[Run, History]) -> Leader | None:
    """Among variants with runs that have ended; before the first, among active runs at their last epoch."""
    means = {v.name: v.mean["validation_accuracy"] for v in variants if v.mean}
    epoch = 0
    if not means and active:
        epoch = max(map(len, active.values()))
        latest: dict[str, list[float]] = {}
        for (variant, _), history in active.items():
            latest.setdefault(variant, []).append(float(history["validation_accuracy"][-1]))
        means = {name: mean for name, of in latest.items() if math.isfinite(mean := float(np.mean(of)))}
    if not means:
        return None
    best = max(means, key=lambda name: means[name])
    return Leader(best, means[best], epoch)
