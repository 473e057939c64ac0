"""An engine that pretends to train: results made of names and numbers of epochs, without JAX's devices.

What is stored, continued, merged and reported of them is real. A process that uses it can be forked.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np

from wellfit.base import HISTORY_COLUMNS, FloatArray, IntArray, RunRecord, TrainingData
from wellfit.base.histograms import BIN_EDGES, BINS
from wellfit.engine import devices, machine
from wellfit.engine.final_states import FinalState, final_state_of, resume
from wellfit.engine.plan import Population, Program, Trajectory
from wellfit.engine.readouts import Host, Progress, histograms_so_far, note, records, rows_so_far
from wellfit.engine.stopping import Watch
from wellfit.engine.train import Epoch
from wellfit.engine.waves import Snapshot, restore, take_snapshot
from wellfit.store import metadata, progress
from wellfit.study import provenance, report_data, run

_NAMES = ("dense_1/bias", "dense_1/kernel")


def install() -> None:
    """Replace the engine in this process; every epoch then leaves a checkpoint, its rows and its seconds."""
    no_programs = SimpleNamespace(live_executables=list)
    replaced: list[tuple[Any, str, Any]] = [
        (jax, "devices", lambda: [SimpleNamespace(platform="cpu", device_kind="cpu", client=no_programs)]),
        (devices, "mesh", lambda: SimpleNamespace(size=2)),
        (devices, "cores", lambda: 1),  # no thread that compiles
        (machine, "product_rate", lambda: 1e9),
        (machine, "slowdown", lambda: 1.0),
        (provenance, "_commit", str),
        (provenance, "_processor", lambda: "pretended"),
        (run, "Trainer", Trainer),
        (run, "release", lambda: None),
        (run, "CHECKPOINT_SECONDS", -1.0),
        (run, "predict_proba", predict),
        (report_data, "predict_proba", predict),
        (progress, "SECONDS", 0.0),
        (metadata, "SECONDS_KEPT", -1.0),
    ]
    for module, name, value in replaced:
        assert name in vars(module)
        vars(module)[name] = value


def _numbers(*key: Any) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def predict(model: Any, weights: Mapping[str, FloatArray], x: np.ndarray, classes: int, *_: Any) -> FloatArray:
    """Probabilities made of the weights; rows sum to 1.  # (M, classes)"""
    numbers = _numbers(*(array.tobytes() for array in weights.values()))
    return numbers.dirichlet(np.ones(classes), len(x)).astype(np.float32)


class Trainer:
    """As ``engine.train.Trainer``."""

    def __init__(self, data: TrainingData | Mapping[int, TrainingData], devices: Any = None, places: int = 0) -> None:
        self.data = data if isinstance(data, TrainingData) else next(iter(data.values()))

    def train(
        self,
        population: Population,
        start: Snapshot | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
        on_wave: Callable[[], None] | None = None,
        ends: Mapping[str, FinalState] | None = None,
        ends_of: Program | None = None,
    ) -> list[RunRecord]:
        """The records of a population; what it continues must be what an earlier call has left."""
        of = [
            Progress(trajectory, (g, w), [Watch()] * len(trajectory.readouts))
            for g, group in enumerate(population.groups)
            for w, trajectory in enumerate(group)
        ]
        if start is not None:
            restore(start, of, [], None)  # type: ignore[arg-type]
        for p in of if ends and start is None else ():
            if p.trajectory.name in (ends or {}):
                (held,) = resume(p, ends[p.trajectory.name])  # type: ignore[index]
                assert np.array_equal(held, _weights(p.trajectory, len(p.rows)))

        def last() -> Iterator[FinalState]:
            for p in of:
                weights = _weights(p.trajectory, len(p.rows))
                yield final_state_of(p, ends_of or population.program, lambda weights=weights: [weights])

        def tell(number: int, trained: int, seconds: float) -> None:
            if on_epoch is not None:
                running = sum(not watch.end_epoch for p in of if p.active for watch in p.watches)
                on_epoch(
                    Epoch(
                        number,
                        _most(of),
                        running,
                        trained * len(self.data.x_train),
                        seconds,
                        snapshot=lambda: take_snapshot(number, of, []),
                        ends=last,
                        rows=lambda: rows_so_far(of),
                        histograms=lambda begin: histograms_so_far(of, _NAMES, begin),
                    )
                )

        if not any(p.active for p in of):
            tell(max(len(p.rows) for p in of), 0, 0.0)
        first = min((len(p.rows) for p in of if p.active), default=0) + 1
        for number in range(first, _most(of) + 1):
            active = [p for p in of if p.active and len(p.rows) < number]
            if not active:
                continue
            if on_wave is not None:
                on_wave()
            by_place = {p.place: _weights(p.trajectory, number) for p in active}
            rows = [_row(p.trajectory, number) for p in active]
            counts = [_counts(by_place[p.place]) for p in active]
            note(active, number, rows, counts, lambda at, of=by_place: _host(of[at]))
            for p in active:
                p.seconds += 0.25
            tell(number, len(active), 0.25)
        return [record for p in of for record in records(p, _NAMES, lambda *_: {})]


def _most(of: list[Progress]) -> int:
    return max(p.trajectory.epochs for p in of)


def _weights(trajectory: Trajectory, epoch: int) -> FloatArray:
    """The kernel after an epoch.  # (3, 2)"""
    return _numbers(trajectory.name, epoch).normal(size=(3, 2)).astype(np.float32)


def _counts(kernel: FloatArray) -> IntArray:
    """The histograms of bias and kernel.  # (2, BINS)"""
    away = np.searchsorted(BIN_EDGES[BINS // 2 :], np.abs(kernel).ravel(), side="right")
    places = BINS // 2 + np.where(kernel.ravel() < 0, -away, away)
    return np.stack([2 * (np.arange(BINS) == BINS // 2), np.bincount(places, minlength=BINS)])


def _host(kernel: FloatArray) -> Host:
    return Host({"dense_1": {"kernel": kernel, "bias": np.zeros(2, np.float32)}}, {}, {})


def _row(trajectory: Trajectory, epoch: int) -> FloatArray:
    """The epoch's metrics; those that follow from the weights are theirs.  # (columns,)"""
    kernel = _weights(trajectory, epoch).astype(np.float64)
    row = dict(
        zip(
            HISTORY_COLUMNS,
            _numbers(trajectory.name, epoch, "row").uniform(0.1, 0.9, len(HISTORY_COLUMNS)),
            strict=True,
        )
    )
    row["weight_norm"] = float(np.sqrt(np.square(kernel).sum()))
    row["small_weights"] = float((np.abs(kernel) < 1e-3).mean())
    return np.array(list(row.values()))
