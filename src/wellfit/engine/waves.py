"""The waves of a population on the devices, and copying their state to and from the host."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from wellfit.base import HISTORY_COLUMNS, FloatArray, IntArray
from wellfit.engine.devices import sharded
from wellfit.engine.final_states import FinalState, UnusableStateError, check_final_state, final_state_of, resume
from wellfit.engine.packing import pack, unpack
from wellfit.engine.plan import Population, Program
from wellfit.engine.population import Measured
from wellfit.engine.readouts import Host, Progress, all_counts
from wellfit.engine.step import Hyper, State
from wellfit.engine.stopping import Watch
from wellfit.nn.histograms import array_names

__all__ = [
    "Snapshot",
    "Wave",
    "active_mask",
    "check_snapshot",
    "counts_of_epoch",
    "drop",
    "final_states_of",
    "go_on",
    "of_member",
    "progress_of",
    "rearranged",
    "restore",
    "rows_of_epoch",
    "take_snapshot",
    "weights_at",
]


@dataclass(frozen=True)
class Snapshot:
    """A population between two epochs, as plain arrays and plain data: enough to resume.

    In waves of the same size, that gives the same bits; accelerators may compute others for another size.
    """

    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, Any]


@dataclass
class Wave:
    """A wave on the devices: its part of the population, and its runs' state and hyperparameters.

    Args:
      given: what the epoch before was called with, by name: on the host, and on the devices.
    """

    part: Population
    state: State
    hyper: Hyper
    given: dict[str, tuple[np.ndarray, jax.Array]] = field(default_factory=dict)

    @property
    def seeds(self) -> np.ndarray:
        """The groups' seeds; an empty group has seed 0.  # (G,)"""
        return np.array([group[0].seed if group else 0 for group in self.part.groups], np.uint32)


def progress_of(population: Population, planned: Population) -> list[Progress]:
    """The progress of every trajectory before its first epoch, in an order that does not depend on the waves.

    Args:
      planned: the population in the waves that were planned, which is the order.
    """
    places = {t.name: (g, w) for g, group in enumerate(population.groups) for w, t in enumerate(group)}
    return [Progress(t, places[t.name], [Watch()] * len(t.readouts)) for t in planned.trajectories]


def drop(waves: list[Wave]) -> None:
    """Free the memory of waves that will not go on, whoever may still refer to them."""
    for leaf in jax.tree.leaves([(wave.state, wave.hyper) for wave in waves]):
        if not leaf.is_deleted():
            leaf.delete()


def active_mask(population: Population, active: list[Progress]) -> np.ndarray:
    """Return a mask of the places in a population that train.  # (groups, W)"""
    places = np.zeros((len(population.groups), population.program.width), bool)
    places[tuple(np.array([p.place for p in active]).T)] = True
    return places


def rows_of_epoch(active: list[Progress], measured: Mapping[int, Measured], size: int) -> list[FloatArray]:
    """Pick ``HISTORY_COLUMNS`` of every active trajectory from what the waves measured.  # (columns,) each"""
    fetched = {wave: np.asarray(of.metrics, np.float64) for wave, of in measured.items()}  # (G, W, columns) each
    return [fetched[p.place[0] // size][p.place[0] % size, p.place[1]] for p in active]


def counts_of_epoch(active: list[Progress], measured: Mapping[int, Measured], size: int) -> list[IntArray]:
    """Pick the histograms of every active trajectory from what the waves measured.  # (arrays, BINS) each"""
    fetched = {wave: np.asarray(of.counts) for wave, of in measured.items()}  # (G, W, arrays, BINS) each
    picked = (fetched[p.place[0] // size][p.place[0] % size, p.place[1]] for p in active)
    return [of.astype(np.uint16 if of.max(initial=0) < 1 << 16 else np.int32) for of in picked]  # they are kept


def weights_at(waves: list[Wave], size: int, place: tuple[int, int]) -> Host:
    """Copy one run's weights out of its wave, because the devices reuse their buffers."""
    (wave, group), position = divmod(place[0], size), place[1]
    state = waves[wave].state
    copy = partial(_copy, size, group, position)
    return Host(*jax.tree.map(copy, (state.params, state.stats, state.averages)))


def _copy(size: int, group: int, position: int, leaf: jax.Array) -> FloatArray:
    """Copy one run's part of a wave's array."""
    shards = sorted(leaf.addressable_shards, key=lambda shard: shard.index[0].start or 0)
    lanes = size // len(shards)
    return np.array(np.asarray(shards[group // lanes].data)[group % lanes, position])


def final_states_of(progress: list[Progress], waves: list[Wave], program: Program) -> Iterator[FinalState]:
    """Yield the final states of all trajectories, so that only one at a time is held in memory twice.

    Args:
      program: as it was planned; the waves may be smaller.
    """
    size = waves[0].part.program.groups
    for p in progress:
        wave, group = divmod(p.place[0], size)
        copy = partial(_copy, size, group, p.place[1])

        def state(wave: int = wave, copy: Callable[[jax.Array], FloatArray] = copy) -> list[FloatArray]:
            return [copy(leaf) for leaf in jax.tree.leaves(waves[wave].state)]

        yield final_state_of(p, program, state)


def go_on(ends: Mapping[str, FinalState], progress: list[Progress], waves: list[Wave], mesh: Mesh) -> None:
    """Continue trajectories from their final states: restore their progress, and replace their initial states.

    Raises:
      UnusableStateError: a final state is not one of this population.
    """
    size = waves[0].part.program.groups
    state = waves[0].state
    layers = (*state.params.items(), *state.stats.items())
    shapes = {f"{layer}/{name}": array.shape[2:] for layer, arrays in layers for name, array in arrays.items()}
    for end in ends.values():
        check_final_state(end, shapes, len(array_names(state.params)), jax.tree.leaves(state))
    for i, wave in enumerate(waves):
        leaves, tree = jax.tree.flatten(wave.state)
        host: list[FloatArray] = []
        for p in progress:
            if p.place[0] // size != i or p.trajectory.name not in ends:
                continue
            of_run = resume(p, ends[p.trajectory.name])
            if of_run and not host:
                host = [np.array(leaf) for leaf in leaves]
            for leaf, mine in zip(host, of_run, strict=True) if of_run else ():
                leaf[p.place[0] % size, p.place[1]] = mine
        if host:
            wave.state = jax.device_put(jax.tree.unflatten(tree, host), sharded(mesh))


def take_snapshot(epoch: int, progress: list[Progress], waves: list[Wave]) -> Snapshot:
    """Copy the population after an epoch: the devices' state and the host's progress."""
    leaves = [(i, k, leaf) for i, wave in enumerate(waves) for k, leaf in enumerate(jax.tree.leaves(wave.state))]
    arrays = {f"state/{i}/{k}": np.asarray(leaf) for i, k, leaf in leaves}
    for i, p in enumerate(progress):
        arrays[f"rows/{i}"] = np.array(p.rows)
        if p.counts:
            arrays[f"counts/{i}"] = pack(all_counts(p))
        arrays |= {f"kept/{i}/{k}/{name}": a for k, kept in p.kept.items() for name, a in kept.items()}
    host = [
        {"watches": [dataclasses.asdict(w) for w in p.watches], "diverged": p.diverged, "seconds": p.seconds}
        for p in progress
    ]
    return Snapshot(arrays, {"epoch": epoch, "progress": host})


def check_snapshot(snapshot: Snapshot, progress: list[Progress], waves: list[Wave]) -> None:
    """Refuse a snapshot whose arrays are not those of its population.

    Raises:
      UnusableStateError: one is missing, or of another shape or type.
    """
    arrays = snapshot.arrays
    wanted = {f"state/{i}/{k}": of for i, w in enumerate(waves) for k, of in enumerate(jax.tree.leaves(w.state))}
    counted = len(array_names(waves[0].state.params))
    for name, leaf in wanted.items():
        if name not in arrays or (arrays[name].shape, arrays[name].dtype) != (leaf.shape, leaf.dtype):
            raise UnusableStateError("", f"{name} is not that of this network")
    for i in range(len(progress)):
        rows, packed = arrays.get(f"rows/{i}"), arrays.get(f"counts/{i}")
        if rows is None or rows.dtype != np.float64 or rows.shape[1:] != (len(HISTORY_COLUMNS),):
            raise UnusableStateError("", f"rows/{i} are no history")
        try:
            if packed is not None:
                unpack(packed, len(rows), counted)
        except ValueError as error:
            raise UnusableStateError("", f"counts/{i}: {error}") from None


def rearranged(snapshot: Snapshot, before: Population, now: Population) -> Snapshot:
    """A snapshot of a population, for the same population in other waves.

    Args:
      before, now: the population in the former and the present waves.

    Raises:
      UnusableStateError: it is not one of this population.
    """
    places = {t.name: (g, w) for g, group in enumerate(before.groups) for w, t in enumerate(group)}
    sizes = before.program.groups, now.program.groups
    state = _states(snapshot.arrays, len(before.waves), (sizes[0], before.program.width))
    arrays = {name: array for name, array in snapshot.arrays.items() if not name.startswith("state/")}
    for wave in range(len(now.waves)):
        for k, of_waves in enumerate(state):
            arrays[f"state/{wave}/{k}"] = np.repeat(of_waves[0][:1], sizes[1], axis=0)
    for g, group in enumerate(now.groups):
        for w, trajectory in enumerate(group):
            former, position = places[trajectory.name]
            for k, of_waves in enumerate(state):
                run = of_waves[former // sizes[0]][former % sizes[0], position]
                arrays[f"state/{g // sizes[1]}/{k}"][g % sizes[1], w] = run
    return Snapshot(arrays, snapshot.meta)


def of_member(snapshot: Snapshot, whole: Population, member: Population) -> Snapshot:
    """The snapshot of a population that was joined with others, with which it continues alone.

    Args:
      snapshot: of them all.
      whole: the joined populations, see ``joining``.
      member: one of them.
    """
    places = {trajectory.name: i for i, trajectory in enumerate(whole.trajectories)}
    own = {places[trajectory.name]: i for i, trajectory in enumerate(member.trajectories)}
    arrays = {}
    for name, array in rearranged(snapshot, whole, member).arrays.items():
        kind, number, *rest = name.split("/", 2)
        if kind == "state":
            arrays[name] = array
        elif int(number) in own:
            arrays["/".join((kind, str(own[int(number)]), *rest))] = array
    progress = [snapshot.meta["progress"][place] for place in own]
    return Snapshot(arrays, {**snapshot.meta, "progress": progress})


def _states(arrays: Mapping[str, np.ndarray], waves: int, size: tuple[int, int]) -> list[list[np.ndarray]]:
    """The leaves of a snapshot's state, each of every wave.  # (leaves, waves) of (G, W, ...)"""
    leaves = sum(name.startswith("state/0/") for name in arrays)
    found = [[arrays.get(f"state/{wave}/{k}") for wave in range(waves)] for k in range(leaves)]
    for k, of_waves in enumerate(found):
        for wave, array in enumerate(of_waves):
            if array is None or array.shape[:2] != size:
                raise UnusableStateError("", f"state/{wave}/{k} is not that of this network")
    return [[array for array in of_waves if array is not None] for of_waves in found]


def restore(snapshot: Snapshot, progress: list[Progress], waves: list[Wave], mesh: Mesh) -> None:
    """Restore the host's progress and the devices' state from a snapshot."""
    for i, (p, host) in enumerate(zip(progress, snapshot.meta["progress"], strict=True)):
        p.watches = [Watch(**w) for w in host["watches"]]
        p.diverged, p.seconds = host["diverged"], host["seconds"]
        p.rows = list(snapshot.arrays[f"rows/{i}"])
        if (packed := snapshot.arrays.get(f"counts/{i}")) is not None:
            p.counts = list(unpack(packed, len(p.rows)))
        for name, array in snapshot.arrays.items():
            if name.startswith(f"kept/{i}/"):
                _, _, readout, weight = name.split("/", 3)
                p.kept.setdefault(int(readout), {})[weight] = array
    for i, wave in enumerate(waves):
        leaves, tree = jax.tree.flatten(wave.state)
        restored = [snapshot.arrays[f"state/{i}/{k}"] for k in range(len(leaves))]
        wave.state = jax.device_put(jax.tree.unflatten(tree, restored), sharded(mesh))
