"""Final states of trajectories, saved so that a study with more epochs continues them and trains only what is missing.

A final state is as exact as a snapshot of its population: with the same program, continuing from it gives the same bits
as uninterrupted training. ``obstacle`` decides whether a trajectory can continue.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jax
import numpy as np

from wellfit.base import HISTORY_COLUMNS, EarlyStopping, FloatArray
from wellfit.engine.packing import pack, unpack
from wellfit.engine.plan import Program, Trajectory
from wellfit.engine.readouts import MONITORED, Progress, all_counts
from wellfit.engine.stopping import Watch, observe

__all__ = [
    "FinalState",
    "UnusableStateError",
    "check_final_state",
    "final_state_of",
    "fingerprints",
    "obstacle",
    "resume",
]

_ENDLESS: Final = 1 << 40  # more epochs than any training has


class UnusableStateError(Exception):
    """A final state that no training of its trajectory can have ended with, or a snapshot that is none.

    Args:
      name: of the trajectory; empty for a snapshot.
      reason: in words.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason


@dataclass(frozen=True)
class FinalState:
    """One trajectory after its last epoch, as arrays and plain data.

    Args:
      name: the trajectory's name.
      epoch: the last epoch that it trained.
      arrays: ``state/0``, ``state/1``, ...: weights, statistics, optimizer state and averages, float32 (counters
        int32), omitted if the trajectory can never continue; ``rows``, float64: its history; ``counts``, uint8: the
        histograms of its weights, packed, which earlier versions did not keep;
        ``kept/READOUT/LAYER/ARRAY``, float32: the weights that a stopping rule may restore.
      facts: the metadata that ``obstacle`` needs, small enough for the database.
    """

    name: str
    epoch: int
    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]


def fingerprints(program: Program, trajectory: Trajectory) -> dict[str, str]:
    """Hash everything that must be unchanged for a trajectory to continue with the same bits.

    Accelerators may train in smaller waves than planned, which is not part of it and may change bits there.

    Returns:
      ``program``: the compiled program, with its precision and its layout on the devices. ``training``: everything
      that determines the trajectory except its length: seed, hyperparameters, schedule and its span, data, and the runs
      that share it.
    """
    recipe = trajectory.readouts[0].run.recipe
    later = {"uses"} if program.kernels else {"uses", "kernels"}  # saved fingerprints have none if they are not used
    structure = [(f.name, getattr(program, f.name)) for f in dataclasses.fields(program) if f.name not in later]
    device = jax.devices()[0].platform
    training = (trajectory.seed, trajectory.hyperparameters, recipe.examples, recipe.label_noise)
    rules = [(r.run.variant, r.rule, r.average) for r in trajectory.readouts]
    return {
        "program": _hash((structure, sorted(program.uses), device)),
        "training": _hash((training, rules)),
    }


def _hash(value: Any) -> str:
    text = repr(value).replace("Hyperparameters(", "Numbers(")  # its first name; saved fingerprints must still match
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def final_state_of(p: Progress, program: Program, state: Callable[[], Sequence[np.ndarray]]) -> FinalState:
    """Collect the final state of a trajectory.

    Its size is ``4 * parameters * (1 + moments + averages)`` bytes, plus ``4 * parameters`` for every stopping rule
    that restores its best weights: 1.3 MB for a 128-64 network on 28 x 28 pixels with Adam.

    Args:
      p: the trajectory's progress.
      program: the program that trained it.
      state: copies the leaves of its state; not called if the trajectory can never continue.
    """
    endless = [_replayed(p, readout.rule, _ENDLESS) for readout in p.trajectory.readouts]
    over = [bool(watch.end_epoch) for watch in endless]
    arrays: dict[str, np.ndarray] = {"rows": np.array(p.rows, np.float64)}  # (epochs, columns)
    if p.counts:
        arrays["counts"] = pack(all_counts(p))
    if not p.diverged and not all(over):
        arrays |= {f"state/{k}": leaf for k, leaf in enumerate(state())}
    usable = []
    for i, watch in enumerate(endless):
        held = watch.kept_epoch in (0, p.watches[i].kept_epoch)
        usable.append(held)
        if watch.kept_epoch and held:
            arrays |= {f"kept/{i}/{name}": array for name, array in p.kept[i].items()}
    facts = {
        **fingerprints(program, p.trajectory),
        "epoch": len(p.rows),
        "diverged": p.diverged,
        "seconds": p.seconds,
        "over": over,
        "usable": usable,
        "runs": [[readout.run.variant, readout.run.seed] for readout in p.trajectory.readouts],
    }
    return FinalState(p.trajectory.name, len(p.rows), arrays, facts)


def _replayed(p: Progress, rule: EarlyStopping | None, epochs: int) -> Watch:
    """Replay a stopping rule over every epoch of a trajectory, except a diverged last epoch."""
    watch = Watch()
    for number, row in enumerate(p.rows[: len(p.rows) - p.diverged], start=1):
        loss, accuracy = (float(row[column]) for column in MONITORED)
        watch = observe(watch, rule, number, epochs, loss, accuracy)
    return watch


def obstacle(
    facts: Mapping[str, Any], program: Program, trajectory: Trajectory, read: Collection[tuple[str, int]]
) -> str | None:
    """Explain why a trajectory cannot continue from a final state; None if it can.

    Args:
      facts: the final state's ``facts``.
      program: the program that would train it now.
      trajectory: the trajectory as planned now.
      read: runs, as (variant, seed), that were already read from it and stay unchanged.

    Returns:
      A phrase that completes "N trajectories ...".
    """
    now = fingerprints(program, trajectory)
    if facts["program"] != now["program"]:
        return "with another precision or layout on this machine"
    if facts["training"] != now["training"]:
        return "whose schedule spans the epochs"
    end = facts["epoch"]
    for i, readout in enumerate(trajectory.readouts):
        if (readout.run.variant, readout.run.seed) in read:
            continue
        average = readout.average
        if facts["over"][i] or facts["diverged"]:
            reached = facts["usable"][i] if facts["over"][i] else readout.epochs >= end
        else:
            reached = facts["usable"][i] and readout.epochs > end
        if average is not None and average.kind == "swa" and not facts["diverged"]:
            reached = reached and readout.epochs - average.last >= end
        if not reached:
            return "whose weights at an earlier epoch were not kept"
    return None


def check_final_state(
    end: FinalState, weights: Mapping[str, tuple[int, ...]], counted: int, leaves: Sequence[jax.Array]
) -> None:
    """Refuse a final state whose arrays are not those of its network.

    Args:
      end: the final state.
      weights: the shapes of the network's arrays, by name.
      counted: the number of arrays that have histograms.
      leaves: of the population's state.  # (groups, W, ...) each

    Raises:
      UnusableStateError: an array is missing, or of another shape or type.
    """
    arrays, facts = end.arrays, end.facts
    rows = arrays.get("rows")
    if rows is None or rows.dtype != np.float64 or rows.shape != (end.epoch, len(HISTORY_COLUMNS)):
        raise UnusableStateError(end.name, f"rows are not the history of {end.epoch} epochs")
    if "counts" in arrays:
        try:
            unpack(arrays["counts"], end.epoch, counted)
        except ValueError as error:
            raise UnusableStateError(end.name, f"counts: {error}") from None
    wanted = [] if facts["diverged"] or all(facts["over"]) else [(leaf.shape[2:], leaf.dtype) for leaf in leaves]
    states = {name: (array.shape, array.dtype) for name, array in arrays.items() if name.startswith("state/")}
    if states != {f"state/{k}": of for k, of in enumerate(wanted)}:
        raise UnusableStateError(end.name, "its state is not that of this network")
    for i in range(len(facts["over"])):
        begin = f"kept/{i}/"
        kept = {n.removeprefix(begin): a for n, a in arrays.items() if n.startswith(begin)}
        if kept and {name: a.shape for name, a in kept.items() if a.dtype.kind == "f"} != weights:
            raise UnusableStateError(end.name, "the weights that it keeps are not those of this network")


def resume(p: Progress, end: FinalState) -> list[FloatArray]:
    """Restore a trajectory's progress from its final state, once ``obstacle`` has found nothing against it.

    Args:
      p: the progress of a new trajectory; filled in here.
      end: the final state.

    Returns:
      The leaves of its state; empty if the trajectory can never continue.
    """
    p.rows = list(end.arrays["rows"])
    p.counts = list(unpack(end.arrays["counts"], len(p.rows))) if "counts" in end.arrays else []
    p.diverged, p.seconds = bool(end.facts["diverged"]), float(end.facts["seconds"])
    for i, readout in enumerate(p.trajectory.readouts):
        p.watches[i] = _replayed(p, readout.rule, readout.epochs)
        begin = f"kept/{i}/"
        kept = {name.removeprefix(begin): a for name, a in end.arrays.items() if name.startswith(begin)}
        if kept:
            p.kept[i] = kept
    leaves = sum(name.startswith("state/") for name in end.arrays)
    return [end.arrays[f"state/{k}"] for k in range(leaves)]
