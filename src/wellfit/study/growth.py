"""What remains to be trained of a study with new seeds, variants or epochs, and where training continues.

A training continues together with those that it was trained with before: they are planned as they were then, so that
program, layout and bits are those of a study that trained all epochs at once. New runs are planned separately. A
training that cannot continue starts over; the forecast counts these with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from wellfit.base import RunSpec
from wellfit.engine.final_states import obstacle
from wellfit.engine.plan import Plan, Population
from wellfit.spec.identity import merged
from wellfit.spec.study import from_resolved, runs
from wellfit.store import Store
from wellfit.study.interim import Recorded, recorded
from wellfit.study.planning import Choices

__all__ = ["NOTHING_STORED", "Remaining", "Stored", "note_batch", "read_stored", "remaining_work"]

Run = tuple[str, int]

_BATCHES: Final = "batches"
_NO_STATE: Final = "without a saved state to continue from"
_DAMAGED: Final = "with a missing or damaged file"


@dataclass(frozen=True)
class Stored:
    """What a study directory holds of a study.

    Args:
      finished: runs that are as the study asks for.
      outgrown: runs of fewer epochs than the study asks for now.
      damaged: other runs with a missing or damaged file; they are trained again.
      ends: the final state of every trajectory, without its arrays, by the trajectory's name.
      study: the stored study together with the present one, in ``resolved`` form; empty if there is none.
      seeds: of the stored study.
      choices: as made for the first plan; None before.
      provenance: of its runs.
      interim: the record of planned interim analyses, if there are any.
      tested: whether the test set has been opened.
      batches: runs that were planned together to be trained in parts, in their order.
      checkpoints: the names of the files of populations that were interrupted.
    """

    finished: frozenset[Run] = frozenset()
    outgrown: frozenset[Run] = frozenset()
    damaged: frozenset[Run] = frozenset()
    ends: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    study: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    choices: Choices | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    interim: Recorded | None = None
    tested: bool = False
    batches: tuple[tuple[Run, ...], ...] = ()
    checkpoints: frozenset[str] = frozenset()

    @property
    def progress(self) -> tuple[Any, ...]:
        """What another process changes by training the same study."""
        return self.finished, self.outgrown, self.ends


NOTHING_STORED: Final = Stored()


def read_stored(store: Store, resolved: Mapping[str, Any]) -> Stored:
    """Read what a store holds of a study, which may ask for more epochs, seeds and variants than the store has.

    Args:
      store: the store, with a study that can be continued.
      resolved: the study as now requested, in ``resolved`` form.
    """
    before = store.metadata.study()
    study = merged(before, resolved)
    epochs = {name: variant["recipe"]["epochs"] for name, variant in study["variants"].items()}
    trained = store.runs.epochs_asked()
    outgrown = frozenset(run for run, count in trained.items() if count < epochs[run[0]])
    damaged = frozenset(store.runs.damaged()) - outgrown
    return Stored(
        finished=frozenset(trained) - outgrown - damaged,
        outgrown=outgrown,
        damaged=damaged,
        ends=_ends(store),
        study=study,
        seeds=tuple(before["seeds"]),
        choices=_choices(store),
        provenance=store.metadata.provenance(),
        interim=recorded(store),
        tested=store.metadata.test_opened() is not None,
        batches=_batches(store),
        checkpoints=frozenset(store.checkpoints.names()),
    )


def note_batch(store: Store, work: Remaining) -> None:
    """Keep which runs are planned together, before some of them are trained apart from the others.

    What remains of them is then planned in the same programs, and has the same bits.
    """
    batches = _batches(store)
    if work.rest and not any(set(work.rest) <= set(batch) for batch in batches):
        store.metadata.write_note(_BATCHES, [*batches, work.rest])


def _batches(store: Store) -> tuple[tuple[Run, ...], ...]:
    noted = store.metadata.note(_BATCHES) or []
    with store.database.reading("the parts of its plan"):
        return tuple(tuple((str(variant), int(seed)) for variant, seed in batch) for batch in noted)


def _ends(store: Store) -> dict[str, dict[str, Any]]:
    """The descriptions of the final states, with what `engine.final_states` puts in them."""
    ends = store.final_states.descriptions()
    with store.database.reading("the final states of its trainings"):
        for name, end in ends.items():
            texts = all(isinstance(end[key], str) for key in ("program", "training", "population", "sha256"))
            numbers = type(end["epoch"]) is int and end["epoch"] > 0 and type(end["seconds"]) in (int, float)
            flags = all(type(flag) is bool for flag in (end["diverged"], *end["over"], *end["usable"]))
            known = all(isinstance(variant, str) and type(seed) is int for variant, seed in end["runs"])
            if not (
                texts and numbers and flags and known and len(end["over"]) == len(end["usable"]) == len(end["runs"])
            ):
                raise ValueError(f"that of {name} is incomplete")
    return ends


def _choices(store: Store) -> Choices | None:
    """The choices of the first plan; the first edition kept the number of devices in the provenance alone."""
    noted = store.metadata.note("choices")
    if not noted:
        return None
    with store.database.reading("the choices of its plan"):
        first = store.metadata.provenance().get("devices", "1").split()[0]
        costs = tuple((int(width), float(cost)) for width, cost in noted["costs"])
        kernels = noted.get("kernels", False) is True  # the first edition had none
        return Choices(costs, noted["precision"], int(noted.get("devices", first)), kernels)


@dataclass(frozen=True)
class Remaining:
    """What remains to be trained.

    Args:
      plan: the populations; runs in them that are in ``done`` stay as they are.
      done: runs that the store holds as requested.
      begins: trajectory -> the epoch after which it continues; those that start over are not in it.
      ends: trajectory -> its final state, of those that continue.
      restarted: reason -> the number of trajectories of outgrown runs that start over.
      rest: the runs that do not continue a population of before, which are planned together.
    """

    plan: Plan
    done: frozenset[Run] = frozenset()
    begins: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    restarted: Mapping[str, int] = field(default_factory=dict)
    rest: tuple[Run, ...] = ()

    @property
    def saved(self) -> int:
        """Trajectory-epochs that are not trained again."""
        return sum(self.begins.values())

    def left(self, population: Population) -> int:
        """The largest number of trajectory-epochs of a population that remain to be trained."""
        return self.trained_by(population, max(trajectory.epochs for trajectory in population.trajectories))

    def trained_by(self, population: Population, epoch: int) -> int:
        """The trajectory-epochs that a population has trained now, at most, when it ends an epoch."""
        active = [trajectory for trajectory in population.trajectories if not self._is_over(trajectory.name)]
        return sum(max(0, min(epoch, t.epochs) - self.begins.get(t.name, 0)) for t in active)

    def _is_over(self, name: str) -> bool:
        """Whether a trajectory never continues: it diverged, or all runs that are read from it have stopped."""
        end = self.ends.get(name)
        return end is not None and (end["diverged"] or all(end["over"]))


def remaining_work(
    asked: Sequence[RunSpec], whole: Plan, stored: Stored, planned: Callable[[Sequence[RunSpec]], Plan]
) -> Remaining:
    """Plan what remains to be trained.

    A population without a finished run stays as it was first planned, so that a resumed study has the same programs and
    the same bits as one that was never interrupted.

    Args:
      asked: the runs that the study asks for.
      whole: the plan of all of them.
      stored: what the study directory holds.
      planned: plans runs.
    """
    known = {_key(run): run for run in asked}  # in the study's order; another order would change the plan
    if known.keys() <= stored.finished and not stored.outgrown:
        return Remaining(Plan((), 0, whole.parameters, 0.0, 0), stored.finished)
    held = runs(from_resolved(stored.study)) if stored.study else ()
    outgrown = [run for run in held if _key(run) not in known and _key(run) in stored.outgrown]
    todo = [run for run in asked if _key(run) not in stored.finished] + outgrown
    known |= {_key(run): run for run in held if _key(run) not in known}
    pending = {_key(run) for run in todo}
    populations: list[Population] = []
    begins: dict[str, int] = {}
    restarted: Counter[str] = Counter()
    for together in _trained_together(stored):
        if together & pending and together <= known.keys():
            plan = planned([known[_key(run)] for run in held if _key(run) in together])
            continuing, reasons = _continuing(plan, stored)
            if continuing:
                populations += plan.populations
                begins |= continuing
                restarted += reasons
                pending -= together
    rest = [run for run in todo if _key(run) in pending]
    plan = whole if len(rest) == whole.runs else planned(rest)
    continuing, reasons = _continuing(plan, stored)
    begins, restarted = begins | continuing, restarted + reasons
    joined = (*populations, *plan.populations)
    memory = max(whole.memory, plan.memory) if populations else plan.memory
    everything = Plan(joined, len(todo), whole.parameters, sum(p.work for p in joined), memory)
    ends = {name: stored.ends[name] for name in begins}
    return Remaining(everything, stored.finished, begins, ends, dict(restarted), tuple(map(_key, rest)))


def _key(run: RunSpec) -> Run:
    return run.variant, run.seed


def _trained_together(stored: Stored) -> list[frozenset[Run]]:
    """The runs of every population whose final states are kept."""
    together: dict[str, set[Run]] = {}
    for end in stored.ends.values():
        together.setdefault(end["population"], set()).update((variant, seed) for variant, seed in end["runs"])
    return [frozenset(of) for of in together.values()]


def _continuing(plan: Plan, stored: Stored) -> tuple[dict[str, int], Counter[str]]:
    """Where the trajectories of a plan continue, and why those of outgrown runs do not."""
    begins: dict[str, int] = {}
    restarted: Counter[str] = Counter()
    for population in plan.populations:
        for trajectory in population.trajectories:
            end = stored.ends.get(trajectory.name)
            damaged = any(_key(readout.run) in stored.damaged for readout in trajectory.readouts)
            if end is None and damaged:
                restarted[_DAMAGED] += 1
                continue
            if end is None:
                restarted[_NO_STATE] += any(_key(readout.run) in stored.outgrown for readout in trajectory.readouts)
                continue
            reason = obstacle(end, population.program, trajectory, stored.finished)
            if reason is None:
                begins[trajectory.name] = end["epoch"]
            else:
                restarted[_DAMAGED if damaged else reason] += 1
    return begins, +restarted
