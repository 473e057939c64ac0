"""What is still to be trained of a study that grew by seeds, by variants or by epochs, and where it goes on.

A trajectory goes on among those that it was trained with: they are planned as they were then, so that its program, its
layout and its bits are those of a study that was trained for all its epochs at once. Runs that are new are planned
apart, as they always were. Trajectories that cannot go on begin anew; the plan counts them, and says why.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from wellfit.base import RunSpec
from wellfit.engine.ends import obstacle
from wellfit.engine.plan import Plan, Population
from wellfit.errors import StoreUnreadableError
from wellfit.spec.identity import default_directory, merged
from wellfit.spec.study import StudySpec, from_resolved, resolved, runs
from wellfit.store import Store, open_existing

__all__ = ["NOTHING_HELD", "Held", "Work", "held", "home", "plan_work"]

Run = tuple[str, int]

_NO_END: Final = "without a state to go on from"


@dataclass(frozen=True)
class Held:
    """What a store holds of a study.

    Args:
      finished: runs that are as the study wants them.
      outgrown: runs of fewer epochs than the study has by now.
      ends: what is known of every trajectory's end, by the trajectory's name.
      study: the stored study in ``resolved`` form; empty where there is none.
      choices: what was chosen when the study was first planned, see ``outlook.Choices``; None before.
    """

    finished: frozenset[Run] = frozenset()
    outgrown: frozenset[Run] = frozenset()
    ends: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    study: Mapping[str, Any] = field(default_factory=dict)
    choices: Any = None


NOTHING_HELD: Final = Held()


def held(store: Store, spec: StudySpec) -> Held:
    """What a store holds of a study, which may have more epochs, seeds and variants than the store knows of.

    Args:
      store: the store, with a study that ``spec`` may continue.
      spec: the study as it is asked for now.
    """
    study = merged(store.metadata.study(), resolved(spec))
    epochs = {name: variant["recipe"]["epochs"] for name, variant in study["variants"].items()}
    trained = store.runs.epochs_asked()
    fewer = frozenset(run for run, count in trained.items() if count < epochs[run[0]])
    ends, choices = store.final_states.descriptions(), store.metadata.note("choices")
    return Held(frozenset(trained) - fewer, fewer, ends, study, choices)


@dataclass(frozen=True)
class Work:
    """What is to be trained now.

    Args:
      plan: the populations; of the runs in them, ``done`` are left as they are.
      done: runs that the store holds already, as they are wanted.
      begins: the epoch that a trajectory goes on from, by its name; those that begin anew are not in it.
      ends: what is known of the ends of those that go on.
      anew: why -> how many trajectories of outgrown runs begin anew.
    """

    plan: Plan
    done: frozenset[Run] = frozenset()
    begins: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    anew: Mapping[str, int] = field(default_factory=dict)

    @property
    def saved(self) -> int:
        """Epochs of trajectories that are not trained again."""
        return sum(self.begins.values())

    def left(self, population: Population) -> int:
        """The most epochs of trajectories that are still to be trained of a population."""
        return self.gone(population, max(trajectory.epochs for trajectory in population.trajectories))

    def gone(self, population: Population, epoch: int) -> int:
        """The most epochs of trajectories that are trained once a population has gone through an epoch."""
        going = [trajectory for trajectory in population.trajectories if not self._over(trajectory.name)]
        return sum(max(0, min(epoch, t.epochs) - self.begins.get(t.name, 0)) for t in going)

    def _over(self, name: str) -> bool:
        """Whether a trajectory will never go on: all that is read from it has ended."""
        facts = self.ends.get(name)
        return facts is not None and (facts["diverged"] or all(facts["over"]))


def plan_work(spec: StudySpec, whole: Plan, held: Held, planned: Callable[[Sequence[RunSpec]], Plan]) -> Work:
    """Plan what is missing.

    A population of which nothing is finished stays as it was planned at first, so that a resumed study has the same
    programs, and the same bits, as one that was never stopped.

    Args:
      spec: the study as it is asked for.
      whole: the plan of all its runs.
      held: what the store holds.
      planned: plans runs.
    """
    known = {_key(run): run for run in runs(spec)}  # in the order of the study, not of the waves: another order would
    asked = frozenset(known)  # be planned otherwise
    stored = runs(from_resolved(held.study)) if held.study else ()
    known = {**known, **{_key(run): run for run in stored if _key(run) not in known}}
    todo = [run for key, run in known.items() if key not in held.finished and (key in asked or key in held.outgrown)]
    pending = {_key(run) for run in todo}
    populations: list[Population] = []
    begins: dict[str, int] = {}
    anew: Counter[str] = Counter()
    for together in _trained_together(held):
        if together & pending and together <= known.keys():
            plan = planned([known[_key(run)] for run in stored if _key(run) in together])
            found, obstacles = _begins(plan, held)
            if found:
                populations += plan.populations
                begins |= found
                anew += obstacles
                pending -= together
    rest = [run for run in todo if _key(run) in pending]
    plan = whole if len(rest) == whole.runs else planned(rest)
    found, obstacles = _begins(plan, held)
    begins, anew = begins | found, anew + obstacles
    joined = (*populations, *plan.populations)
    memory = max(whole.memory, plan.memory) if populations else plan.memory
    everything = Plan(joined, len(todo), whole.parameters, sum(p.work for p in joined), memory)
    return Work(everything, held.finished, begins, {name: held.ends[name] for name in begins}, dict(anew))


def _key(run: RunSpec) -> Run:
    return run.variant, run.seed


def _trained_together(held: Held) -> list[frozenset[Run]]:
    """The runs of every population whose trajectories' ends are kept."""
    together: dict[str, set[Run]] = {}
    for facts in held.ends.values():
        together.setdefault(facts["population"], set()).update((variant, seed) for variant, seed in facts["runs"])
    return [frozenset(of) for of in together.values()]


def _begins(plan: Plan, held: Held) -> tuple[dict[str, int], Counter[str]]:
    """Where the trajectories of a plan go on, and why those of outgrown runs do not."""
    begins: dict[str, int] = {}
    anew: Counter[str] = Counter()
    for population in plan.populations:
        for trajectory in population.trajectories:
            facts = held.ends.get(trajectory.name)
            if facts is None:
                anew[_NO_END] += any(_key(readout.run) in held.outgrown for readout in trajectory.readouts)
                continue
            why = obstacle(facts, population.program, trajectory, held.finished)
            if why is None:
                begins[trajectory.name] = facts["epoch"]
            else:
                anew[why] += 1
    return begins, +anew


def home(spec: StudySpec, study: str | None, data: str) -> Path:
    """Where a study goes that is not told where, as ``default_directory``; one with more epochs goes on in its own.

    The same command finds its directory again. A study that differs from another in nothing but more epochs joins it;
    with fewer epochs it has a directory of its own.

    Args:
      spec: the study.
      study: what it was made of, as ``load_study`` takes it.
      data: the name of its data set.
    """
    own = default_directory(spec, study, data)
    shared = default_directory(spec, study, data, any_epochs=True)
    if (own / "study.db").is_file() or not (shared / "study.db").is_file():
        return own if (own / "study.db").is_file() else shared
    with contextlib.suppress(StoreUnreadableError), open_existing(shared) as store:
        return shared if store.runs.trained_study()["base"]["epochs"] <= spec.base.epochs else own
    return shared  # which tells what is wrong with it when it is opened
