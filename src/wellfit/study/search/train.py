"""Training one batch of configurations: from rung to rung, each time with those that promise most.

All configurations of a batch are trained to the first rung as one population. Those that go on continue from where they
ended, in the same compiled programs; the epochs of the others are never trained. Only training and validation data are
used: ``TrainingData`` holds no test set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from wellfit.base import Recipe, RunRecord, RunSpec, SearchSpec, Trial, TrialState
from wellfit.data.subsets import subset
from wellfit.engine.final_states import FinalState
from wellfit.engine.halving import alone, continued
from wellfit.engine.plan import Population, Trajectory
from wellfit.engine.population import fetches
from wellfit.engine.train import Epoch, Trainer
from wellfit.errors import ShapeError, StudyFileError
from wellfit.spec.consistency import check_recipe
from wellfit.spec.search import changes_of, corners, rungs
from wellfit.spec.source import Source
from wellfit.spec.variants import changed
from wellfit.study.interrupts import Interrupted, StopRequest
from wellfit.study.planning import plan_runs, recipe_of
from wellfit.study.session import Session

__all__ = ["OnEpoch", "batches_of", "check_space", "planned_epochs", "promising", "rungs_of", "train_batch"]

OnEpoch = Callable[[Epoch, int], None]
"""Called after every epoch of any population with the epoch and the epochs that the batch has trained by then."""

KEPT = "Finished batches of the search are kept"
_TRAINERS = 4  # whose data stay on the devices: one for each seed, usually


def train_batch(
    session: Session,
    asked: Sequence[Mapping[str, Any]],
    first: int,
    on_epoch: OnEpoch,
    stop: StopRequest,
) -> tuple[list[Trial], int]:
    """Train the configurations of a batch, each with every seed of the search.

    Args:
      session: the study with its search.
      asked: the values of each configuration.
      first: the number of the first.
      on_epoch: called after every epoch.
      stop: whether the user wants to stop.

    Returns:
      The trials, and the epochs that they took, over all trainings.

    Raises:
      Interrupted: the user wants to stop; nothing of this batch is kept.
    """
    search = session.spec.search
    assert search is not None
    alive = [place for place, values in enumerate(asked) if _fits(session, values)]
    trials = {
        place: Trial(first + place, dict(values), "refused", 0, 0, (None,) * search.seeds)
        for place, values in enumerate(asked)
        if place not in alive
    }
    if not alive:
        return [trials[place] for place in range(len(asked))], 0
    batch = _Batch(session, search, {place: asked[place] for place in alive}, first, on_epoch, stop)
    steps = rungs_of(session, len(alive), list(batch.recipes.values()))
    for rung, epochs in enumerate(steps, start=1):
        scores = batch.train_to(epochs, alive, last=epochs == steps[-1])
        state: TrialState = "finished" if epochs == steps[-1] else "ended"
        for place in alive:
            trial = Trial(first + place, dict(asked[place]), state, rung, epochs, scores[place])
            trials[place] = replace(trial, state="diverged") if trial.mean is None else trial
        alive = [place for place in alive if trials[place].state != "diverged"]
        if state == "ended" and search.halving is not None:
            alive = promising({place: trials[place] for place in alive}, search, math.ceil(len(alive) / search.halving))
        if not alive:
            break
    return [trials[place] for place in range(len(asked))], batch.trained


def _fits(session: Session, values: Mapping[str, Any]) -> bool:
    """Whether a configuration can be trained; before the search, only some combinations were tried out."""
    base, search = session.spec.base, session.spec.search
    assert search is not None
    try:
        changes = changes_of(values, base)
        recipe = changed(base, changes)
        check_recipe(recipe, changes, (), Source("search"))
        run = RunSpec("trial", search.own_seeds[0], recipe)
        plan_runs([run], session.data, session.mesh.size, session.choices, balanced=session.balanced)
    except (StudyFileError, ShapeError):
        return False
    return True


def check_space(session: Session) -> None:
    """Refuse, before anything is trained or written, a space whose configurations do not fit the data or one another.

    Raises:
      StudyFileError, ShapeError: as for ``plan_runs``; the message names the values.
    """
    search, base = session.spec.search, session.spec.base
    assert search is not None
    runs = []
    for values in corners(search):
        name = ",".join(f"{key}={value}" for key, value in values.items())
        runs.append(RunSpec(name, search.own_seeds[0], changed(base, changes_of(values, base))))
    plan_runs(runs, session.data, session.mesh.size, session.choices, balanced=session.balanced)


def rungs_of(session: Session, batch: int, recipes: Sequence[Recipe]) -> tuple[int, ...]:
    """The rungs of a batch; none is within the epochs over which a configuration averages its weights."""
    search, epochs = session.spec.search, session.spec.base.epochs
    assert search is not None
    averaged = max((r.average.last for r in recipes if r.average is not None and r.average.kind == "swa"), default=0)
    return rungs(epochs, batch, search.halving, epochs - averaged)


def planned_epochs(epochs: int, batch: int, search: SearchSpec) -> int:
    """The epochs that a batch trains over all trainings, if none diverges or stops by itself.

    Example: 10 train 3 epochs each, 4 of them 7 more, and 2 of these 20 more, all with two seeds.
      >>> planned_epochs(30, 10, SearchSpec()) == 2 * (10 * 3 + 4 * 7 + 2 * 20)
      True
    """
    total, before, left = 0, 0, batch
    for rung in rungs(epochs, batch, search.halving):
        total += left * (rung - before)
        before, left = rung, math.ceil(left / search.halving) if search.halving else left
    return total * search.seeds


def batches_of(search: SearchSpec) -> list[int]:
    """The number of configurations in each batch.

    Example:
      >>> batches_of(SearchSpec(trials=25, batch=10))
      [10, 10, 5]
    """
    full, rest = divmod(search.trials, search.batch)
    return [search.batch] * full + [rest] * bool(rest)


def promising(trials: Mapping[int, Trial], search: SearchSpec, count: int) -> list[int]:
    """The places of the trials with the best means, ascending; of equal ones, the earlier.

    Example:
      >>> scores = {0: 0.7, 1: 0.9, 2: 0.8, 3: 0.9}
      >>> promising({n: Trial(n, {}, "ended", 1, 3, (s,)) for n, s in scores.items()}, SearchSpec(), 2)
      [1, 3]
    """

    def worth(place: int) -> float:
        mean = trials[place].mean
        return -math.inf if mean is None else search.better(mean)

    return sorted(sorted(trials, key=worth, reverse=True)[:count])


class _Batch:
    """A batch in training: its populations, and the final state of every trajectory."""

    def __init__(
        self,
        session: Session,
        search: SearchSpec,
        asked: Mapping[int, Mapping[str, Any]],
        first: int,
        on_epoch: OnEpoch,
        stop: StopRequest,
    ) -> None:
        self._session, self._search, self._on_epoch, self._stop = session, search, on_epoch, stop
        base = session.spec.base
        self.recipes = {place: changed(base, changes_of(values, base)) for place, values in asked.items()}
        self._names = {place: f"trial-{first + place}" for place in asked}
        self.trained = 0
        self._ends: dict[str, FinalState] = {}
        self._scores: dict[tuple[str, int], float | None] = {}
        self._trainer = lru_cache(maxsize=_TRAINERS)(self._new_trainer)
        self._populations = self._planned()

    def _planned(self) -> list[Population]:
        """The populations of the whole batch."""
        session = self._session
        runs = [
            RunSpec(self._names[place], seed, recipe)
            for place, recipe in self.recipes.items()
            for seed in self._search.own_seeds
        ]
        plan = plan_runs(
            *(runs, session.data, session.mesh.size, replace(session.choices, costs=((1, 1.0),))),
            session.spec.precision == "auto",
            apart=session.folds > 1,
            balanced=session.balanced,
        )
        of_batch = self._search.batch * (1 if session.folds > 1 else self._search.seeds)
        most = of_batch if fetches(session.data) else session.mesh.size
        return [alone(population, session.mesh.size, most) for population in plan.populations]

    def train_to(self, epochs: int, alive: Sequence[int], *, last: bool) -> dict[int, tuple[float | None, ...]]:
        """Train the configurations that are left to an epoch.

        Args:
          epochs: of the rung.
          alive: the places of these configurations.
          last: whether this is the last rung, so that no final state is needed.

        Returns:
          Place -> the objective with each seed.
        """
        names = {self._names[place] for place in alive}

        def goes_on(trajectory: Trajectory) -> bool:
            return any(readout.run.variant in names for readout in trajectory.readouts)

        parts = [part for whole in self._populations if (part := continued(whole, goes_on, epochs)) is not None]
        for number, part in enumerate(parts, start=1):
            self._train(part, last=last, final=last and number == len(parts))
        return {
            place: tuple(self._scores[self._names[place], seed] for seed in self._search.own_seeds) for place in alive
        }

    def _train(self, population: Population, *, last: bool, final: bool) -> None:
        latest: list[Epoch] = []
        trainer = self._trainer_of(population)

        def after_epoch(epoch: Epoch) -> None:
            latest[:] = [epoch]
            self.trained += epoch.examples // len(trainer.data.x_train)
            self._on_epoch(epoch, self.trained)
            complete = final and (epoch.number == epoch.epochs or not epoch.active)  # the batch is: it will be kept
            if self._stop.requested and not complete:
                raise Interrupted(KEPT)

        def before_wave() -> None:
            if self._stop.overdue:
                raise Interrupted(KEPT)

        names = [trajectory.name for trajectory in population.trajectories]
        before = {name: self._ends[name] for name in names if name in self._ends}
        for record in trainer.train(population, None, after_epoch, before_wave, before):
            self._note(record)
        if latest and not last:
            self._ends |= {end.name: end for end in latest[0].ends()}

    def _note(self, record: RunRecord) -> None:
        score = record.scores.get(self._search.metric)
        finite = score is not None and math.isfinite(score)
        self._scores[record.spec.variant, record.spec.seed] = score if finite else None

    def _trainer_of(self, population: Population) -> Trainer:
        recipe, seed = recipe_of(population), population.trajectories[0].seed
        fold = seed if self._session.folds > 1 else self._search.own_seeds[0]
        return self._trainer(fold, recipe.examples, recipe.label_noise)

    def _new_trainer(self, seed: int, examples: int | None, label_noise: float) -> Trainer:
        session = self._session
        data = subset(session.fold(seed).data, examples, label_noise, session.spec.data.split_seed)
        return Trainer(data, session.mesh)
