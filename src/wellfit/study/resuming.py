"""Where a population continues by what the store holds, and saving what has been trained of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wellfit.base import RunRecord
from wellfit.engine.final_states import FinalState
from wellfit.engine.plan import Population
from wellfit.engine.waves import Snapshot
from wellfit.errors import StoreUnreadableError
from wellfit.store import Store
from wellfit.study.growth import Remaining

__all__ = ["begins_of", "save_checkpoint", "save_trained", "unusable"]


def begins_of(store: Store, work: Remaining, population: Population) -> tuple[Snapshot | None, dict[str, FinalState]]:
    """Where a population continues: from its checkpoint, or else from the final states of its trajectories."""
    checkpoint = store.checkpoints.load(population.name)
    if checkpoint is not None and checkpoint[1].get("of") == _identity(population):
        return Snapshot(*checkpoint), {}
    names = [trajectory.name for trajectory in population.trajectories if trajectory.name in work.begins]
    ends = {name: work.ends[name] for name in names}
    return None, {name: FinalState(name, end["epoch"], store.final_states.load(end), end) for name, end in ends.items()}


def _identity(population: Population) -> str:
    """Populations with equal identities can continue each other's checkpoints."""
    program = population.program
    structure = program.model, program.optimizer, program.batch_size, program.precision, program.width, program.groups
    kernels = ("generated kernels",) if program.kernels else ()  # checkpoints from before have none
    return repr((*structure, *kernels, *sorted(program.uses), population.groups))


def save_checkpoint(store: Store, population: Population, snapshot: Snapshot) -> None:
    """Replace a population's checkpoint."""
    store.checkpoints.save(population.name, snapshot.arrays, {**snapshot.meta, "of": _identity(population)})


def save_trained(
    store: Store,
    work: Remaining,
    populations: Sequence[Population],
    records: Iterable[RunRecord],
    ends: Iterable[FinalState],
    whole: str = "",
    machine: Mapping[str, str] | None = None,
) -> None:
    """Save the runs of populations that have ended, and drop their checkpoints.

    Args:
      records: of their runs; those that the store holds as requested stay as they are.
      ends: the final states of the trajectories that trained.
      whole: the name of the population that they are a part of, if they are one.
      machine: what trained them, if it is not this process; see ``provenance.machine_facts``.
    """
    of = {trajectory.name: whole or part.name for part in populations for trajectory in part.trajectories}
    facts = {} if machine is None else {"machine": dict(machine)}
    described = ((end.name, end.arrays, {**end.facts, "population": of[end.name], **facts}) for end in ends)
    new = [record for record in records if (record.spec.variant, record.spec.seed) not in work.done]
    if machine is not None:
        store.metadata.add_provenance(machine)
    store.runs.save(new, final_states=described)
    for population in populations:
        store.checkpoints.drop(population.name)


def unusable(
    store: Store, population: Population, ends: Mapping[str, FinalState], name: str, reason: str
) -> StoreUnreadableError:
    """The error for what the store holds of a population, and that it cannot continue from.

    Args:
      ends: as given to the trainer.
      name, reason: as in ``UnusableStateError``.
    """
    if name:
        return store.final_states.unusable(ends[name].facts, reason)
    return store.checkpoints.unusable(population.name, reason)
