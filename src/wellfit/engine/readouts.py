"""Readouts on the host: the history recorded after each epoch, the weights kept, and the run records made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from wellfit.base import HISTORY_COLUMNS, FloatArray, History, IntArray, RunRecord, RunSpec, RunState
from wellfit.base.histograms import Histograms
from wellfit.engine.plan import Readout, Trajectory
from wellfit.engine.stopping import Watch, observe

__all__ = ["MONITORED", "Progress", "all_counts", "histograms_so_far", "note", "records", "rows_so_far"]

_RUNNING, _TRAIN, _VALIDATION, _VALIDATION_ACCURACY = (
    HISTORY_COLUMNS.index(name) for name in ("running_loss", "train_loss", "validation_loss", "validation_accuracy")
)
MONITORED: Final = (_VALIDATION, _VALIDATION_ACCURACY)
"""The columns that stopping rules may monitor: validation loss and accuracy."""

_SCORES: Final = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")

Weights: TypeAlias = dict[str, FloatArray]
"""One run's arrays, keyed by ``"layer/array"``."""


class Host(NamedTuple):
    """One run's weights, copied from its device."""

    params: Mapping[str, Mapping[str, FloatArray]]
    stats: Mapping[str, Mapping[str, FloatArray]]
    averages: Mapping[str, Mapping[str, FloatArray]]


@dataclass
class Progress:
    """The host's record of one trajectory while it trains.

    Args:
      place: its group and its position in the group.
      watches: each readout's early-stopping state.
      rows: ``HISTORY_COLUMNS`` of every epoch so far.  # (columns,) each
      counts: histograms of the weights after the latest epochs; those that an earlier version trained have none.
        # (arrays, BINS) each
      kept: readout -> the weights it keeps; for stochastic weight averaging, their running sum.
      diverged: whether a loss was not finite.
      seconds: its share of the population's training time.
    """

    trajectory: Trajectory
    place: tuple[int, int]
    watches: list[Watch]
    rows: list[FloatArray] = field(default_factory=list)
    counts: list[IntArray] = field(default_factory=list)
    kept: dict[int, Weights] = field(default_factory=dict)
    diverged: bool = False
    seconds: float = 0.0

    @property
    def active(self) -> bool:
        """Whether any readout is still training."""
        return not self.diverged and any(not watch.end_epoch for watch in self.watches)


def note(
    active: list[Progress],
    epoch: int,
    rows: Sequence[FloatArray],
    counts: Sequence[IntArray],
    weights: Callable[[tuple[int, int]], Host],
) -> None:
    """Record an epoch of every active trajectory, update its readouts, and copy the weights that they keep.

    Args:
      active: the trajectories that trained in this epoch.
      epoch: the epoch that just ended, counted from 1.
      rows: ``HISTORY_COLUMNS`` of each trajectory.  # (columns,) each
      counts: the histograms of each trajectory's weights.  # (arrays, BINS) each
      weights: maps a place to its run's weights after the epoch.
    """
    for p, row, of_weights in zip(active, rows, counts, strict=True):
        p.rows.append(row)
        p.diverged = not np.isfinite(row[[_RUNNING, _TRAIN, _VALIDATION]]).all()
        p.counts.append(np.zeros_like(of_weights) if p.diverged else of_weights)  # its weights are discarded
        if p.diverged:
            continue
        host: Host | None = None  # copied at most once an epoch
        for i, readout in enumerate(p.trajectory.readouts):
            before = p.watches[i]
            now = observe(before, readout.rule, epoch, readout.epochs, row[_VALIDATION], row[_VALIDATION_ACCURACY])
            p.watches[i] = now
            if before.end_epoch or not (now.kept_epoch == epoch or _sums(readout, epoch)):
                continue
            host = host or weights(p.place)
            _keep(p, i, readout, host)


def _sums(readout: Readout, epoch: int) -> bool:
    """Return whether a readout adds this epoch's weights to its average."""
    average = readout.average
    return average is not None and average.kind == "swa" and epoch > readout.epochs - average.last


def _keep(p: Progress, i: int, readout: Readout, host: Host) -> None:
    """Store a readout's weights, or add them to its running sum."""
    average = readout.average
    if average is None:
        p.kept[i] = _flat(host.params) | _flat(host.stats)
    elif average.kind == "ema":
        slot = p.trajectory.decays.index(average.decay)
        p.kept[i] = {name: a[slot] for name, a in _flat(host.averages).items()} | _flat(host.stats)
    else:
        now = _flat(host.params) | _flat(host.stats)
        before = p.kept.get(i, {})
        p.kept[i] = {name: a.astype(np.float64) + before.get(name, 0.0) for name, a in now.items()}


def _flat(arrays: Mapping[str, Mapping[str, FloatArray]]) -> Weights:
    return {f"{layer}/{name}": a for layer, of in arrays.items() for name, a in of.items()}


def rows_so_far(progress: Sequence[Progress]) -> dict[tuple[str, int], list[FloatArray]]:
    """Return ``HISTORY_COLUMNS`` of every run's epochs so far, keyed by (variant, seed)."""
    return {
        (readout.run.variant, readout.run.seed): p.rows[: watch.end_epoch or None]
        for p in progress
        for readout, watch in zip(p.trajectory.readouts, p.watches, strict=True)
    }


def all_counts(p: Progress) -> IntArray:
    """The histograms of every epoch of a trajectory, zeros where there are none.  # (epochs, arrays, BINS)"""
    latest = np.array(p.counts, np.int64)  # (epochs or fewer, arrays, BINS)
    return np.concatenate([np.zeros((len(p.rows) - len(latest), *latest.shape[1:]), np.int64), latest])


def histograms_so_far(
    progress: Sequence[Progress], names: Sequence[str], begin: int = 1
) -> dict[tuple[str, int], Histograms]:
    """Return the histograms of every run from an epoch on, keyed by (variant, seed); empty where there are none.

    Args:
      names: of the arrays.
      begin: the first epoch that is wanted, counted from 1.
    """
    return {
        (readout.run.variant, readout.run.seed): _histograms(p, names, begin, watch.end_epoch or len(p.rows))
        for p in progress
        for readout, watch in zip(p.trajectory.readouts, p.watches, strict=True)
    }


def _histograms(p: Progress, names: Sequence[str], begin: int, end: int) -> Histograms:
    """The histograms of a trajectory's arrays from one epoch to another.  # (epochs, BINS) each"""
    missing = len(p.rows) - len(p.counts)
    if not p.counts or end <= missing:
        return {}
    known = [p.counts[epoch - 1 - missing] for epoch in range(max(begin, missing + 1), end + 1)]
    blank = [np.zeros_like(p.counts[0])] * (min(end, missing) - begin + 1)
    if not (of_epochs := [*blank, *known]):
        return {}
    stacked = np.stack(of_epochs)  # (epochs, arrays, BINS)
    return {name: stacked[:, i] for i, name in enumerate(names)}


def records(
    p: Progress, names: Sequence[str], score: Callable[[RunSpec, Mapping[str, FloatArray]], Mapping[str, float]]
) -> list[RunRecord]:
    """Make the run records of a trajectory that has ended.

    Runs that were read before the trajectory was continued are skipped: they are saved, and their weights are not here.

    Args:
      names: of the arrays that the histograms are of.
      score: evaluates averaged weights, which no epoch measured.
    """
    columns = np.array(p.rows).T  # (columns, epochs)
    before = [bool(watch.end_epoch) and i not in p.kept for i, watch in enumerate(p.watches)]
    made = [_record(p, i, r, columns, score) for i, r in enumerate(p.trajectory.readouts) if not before[i]]
    return [replace(record, histograms=_histograms(p, names, 1, record.epochs)) for record in made]


def _record(
    p: Progress,
    i: int,
    readout: Readout,
    columns: FloatArray,
    score: Callable[[RunSpec, Mapping[str, FloatArray]], Mapping[str, float]],
) -> RunRecord:
    watch = p.watches[i]
    state: RunState = "stopped" if watch.stopped else "finished" if watch.end_epoch else "diverged"
    epochs = watch.end_epoch or len(p.rows)
    history = History({name: columns[c, :epochs] for c, name in enumerate(HISTORY_COLUMNS)})
    seconds = p.seconds / len(p.watches)
    if state == "diverged":
        return RunRecord(readout.run, state, epochs, 0, history, {}, {}, seconds, p.trajectory.name)
    weights = p.kept[i]
    scores: Mapping[str, float]
    if readout.average is None:
        scores = {name: float(history[name][watch.kept_epoch - 1]) for name in _SCORES}
    else:
        if readout.average.kind == "swa":
            count = min(readout.average.last, readout.epochs)
            weights = {name: (total / count).astype(np.float32) for name, total in weights.items()}
        scores = score(readout.run, weights)
    return RunRecord(readout.run, state, epochs, watch.kept_epoch, history, scores, weights, seconds, p.trajectory.name)
