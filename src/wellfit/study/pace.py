"""How long a study takes: a forecast of every population before it is trained, and the time left while it trains."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from wellfit.engine import devices, machine
from wellfit.engine.plan import Plan, Population
from wellfit.engine.precision import has_convolution
from wellfit.study.planning import recipe_of

__all__ = ["Pace", "Stage", "around", "seconds_around", "seconds_of", "stages_of"]

_RECENT, _WINDOW = 12, 3.0
"""Epochs of a program that count for its pace, and seconds: few enough to follow a machine that becomes busy, and of
epochs of milliseconds so many that other programs have had their turn."""

_POPULATIONS: Final = 50
"""First epochs of populations of one program that count for what a population takes beside its epochs."""

_PRIOR: Final = 1.0
"""Seconds of measurement from which a forecast no longer counts."""

_KNOWN, _UNKNOWN, _BUSY = 0.2, 0.35, 0.3
"""By how much a forecast may be wrong, as a fraction: of programs that were trained here before, of others, and in
addition where other processes use the processor, which they may cease to do at any time."""

_MOST: Final = 0.6


@dataclass(frozen=True)
class Stage:
    """What one population takes.

    Args:
      program: identifies what is compiled once.
      units: the trajectory-epochs that remain to be trained.
      start: seconds to compile the program, or to load it.
      training: seconds of these epochs.
      known: whether the program was timed here before.
    """

    program: Hashable
    units: int
    start: float
    training: float
    known: bool = False


def stages_of(
    plan: Plan, examples: int, mesh_size: int, left: Callable[[Population], int] | None = None
) -> tuple[Stage, ...]:
    """Forecast every population on a machine that does nothing else: arithmetic, overhead per step, compilation.

    Args:
      plan: the runs to train.
      examples: training examples of a run that does not ask for fewer.
      mesh_size: the number of devices that train it.
      left: the trajectory-epochs of a population that remain to be trained; by default all of them.
    """
    stages: list[Stage] = []
    compiled: set[Hashable] = set()
    for population in plan.populations:
        epochs = sum(trajectory.epochs for trajectory in population.trajectories)
        todo = epochs if left is None else left(population)
        key = population.program, recipe_of(population).examples
        stages.append(_stage(population, examples, mesh_size, todo, todo / epochs, key in compiled))
        compiled.add(key)
    return tuple(stages)


def _stage(population: Population, examples: int, mesh_size: int, todo: int, share: float, compiled: bool) -> Stage:
    """A share of a population, at the rate of its program here before, or else of similar programs.

    Args:
      compiled: whether a population before has compiled the program, as with folds.
    """
    program = population.program
    key = program, recipe_of(population).examples
    if not todo:
        return Stage(key, 0, 0.0, 0.0, known=True)
    rate = machine.attained(program)
    if rate is not None:
        start = devices.AGAIN_SECONDS if compiled else devices.START_SECONDS
        return Stage(key, todo, start, share * population.work / rate, known=True)
    images = has_convolution(program.model)
    by_convolutions = devices.ATTAINED_BY_KERNELS if program.kernels else devices.ATTAINED_BY_CONVOLUTIONS
    attained = by_convolutions if images else devices.ATTAINED
    steps = (recipe_of(population).examples or examples) / program.batch_size
    overhead = devices.STEP_SECONDS * steps * sum(t.epochs for t in population.trajectories) * share
    start = devices.AGAIN_SECONDS if compiled else devices.COMPILE_SECONDS * (3 if images else 1)
    seconds = (share * population.work / (machine.product_rate() * attained) + overhead) / mesh_size
    return Stage(key, todo, start, seconds)


def seconds_of(stages: Sequence[Stage]) -> float:
    """The seconds of all stages together."""
    return math.fsum(stage.start + stage.training for stage in stages)


def seconds_around(plan: Plan, examples: tuple[int, int, int], bytes_of_data: int) -> tuple[float, float]:
    """Forecast what precedes and what follows the training: checks of the data; predictions, and what a report shows.

    Args:
      plan: the runs to train.
      examples: of a seed for training, for validation and for the test.
      bytes_of_data: of all examples.
    """
    data = devices.READ_SECONDS * bytes_of_data / 1e6
    training, validation, test = examples
    predicting = 0.0
    for population in plan.populations:
        epochs = sum(trajectory.epochs for trajectory in population.trajectories)
        seen = 3 * (recipe_of(population).examples or training) + validation  # a step counts three times its prediction
        runs = sum(len(trajectory.readouts) for trajectory in population.trajectories)
        images = has_convolution(population.program.model)
        rate = machine.product_rate() * (devices.ATTAINED_BY_CONVOLUTIONS if images else devices.ATTAINED)
        predicting += runs * (validation + test) * population.work / epochs / seen / rate
    programs = len({population.program.model for population in plan.populations})
    keeping = devices.RUN_SECONDS * plan.runs + devices.START_SECONDS * programs
    return devices.START_SECONDS + data, data / 2 + predicting + keeping


def around(seconds: float, stages: Sequence[Stage], slowdown: float) -> tuple[float, float]:
    """The range in which the time of a study is to be expected.

    Args:
      seconds: its forecast.
      stages: of the forecast.
      slowdown: how many times longer the machine takes now because of other processes.

    Example:
      >>> around(100.0, [Stage("program", 10, 1.0, 99.0, known=True)], 1.0)
      (80.0, 125.0)
    """
    known = math.fsum(stage.start + stage.training for stage in stages if stage.known)
    share = known / (seconds_of(stages) or 1.0)
    wrong = share * _KNOWN + (1 - share) * _UNKNOWN + _BUSY * min(1.0, max(0.0, slowdown - 1.1))
    return seconds * (1 - min(wrong, _MOST)), seconds / (1 - min(wrong, _MOST))


class Pace:
    """The time that a study has left, from its forecast and from the epochs that it has trained.

    Args:
      stages: the forecast of each population, in their order, on a machine that does nothing else.
      after: the forecast of what follows the training, in seconds, likewise.
      slowdown: how many times longer the machine took at the time of the forecast.

    Example: epochs take three times as long as was forecast.
      >>> pace = Pace([Stage("program", 20, 1.0, 10.0)], after=1.0)
      >>> for seconds, done in ((4.0, 2), (7.0, 4), (10.0, 6)):
      ...     left = pace.after_epoch(0, seconds, done)
      >>> left
      24.0
    """

    def __init__(self, stages: Sequence[Stage], after: float, slowdown: float = 1.0) -> None:
        self._stages, self._after, self._slowdown = stages, after, slowdown
        self._at, self._stage, self._done, self._epochs = 0.0, -1, 0, 0
        # A study with folds has a population for every seed: what concerns them is added up by program once.
        self._all, self._later = _by_program(stages), _by_program(stages)
        # program -> trajectory-epochs and seconds: of its populations' first epochs, and of the latest others
        self._firsts: dict[Hashable, list[tuple[int, float]]] = {}
        self._others: dict[Hashable, list[tuple[int, float]]] = {}

    def after_epoch(self, stage: int, seconds: float, done: int) -> float | None:
        """The seconds that are left after an epoch; None before the third one.

        Args:
          stage: the position of the population, that of the epoch before or a later one.
          seconds: since the training began.
          done: the trajectory-epochs of the population that are trained.
        """
        first = stage != self._stage
        kept = (self._firsts if first else self._others).setdefault(self._stages[stage].program, [])
        kept.append((done if first else done - self._done, seconds - self._at))
        if first:
            if len(kept) > _POPULATIONS:
                kept.pop(1)  # the very first one compiles
            for passed in self._stages[self._stage + 1 : stage + 1]:
                self._later[passed.program].add(passed, -1)
        else:
            while len(kept) > _RECENT and sum(took for _, took in kept[1:]) > _WINDOW:
                kept.pop(0)
        self._at, self._stage, self._done, self._epochs = seconds, stage, done, self._epochs + 1
        return self._left(stage, done) if self._epochs >= 3 else None

    def _left(self, stage: int, done: int) -> float:
        here, slower, left = self._stages[stage], self._slower(), 0.0
        for program, later in self._later.items():
            now = max(0, here.units - done) if program == here.program else 0
            unit, again = self._unit(program), self._again(program)
            if unit is None:
                left += slower * (later.training + now * here.training / max(here.units, 1))
            else:
                left += (later.units + now) * unit
            left += slower * later.start if again is None else later.populations * again
        return left + slower * self._after

    def _unit(self, program: Hashable) -> float | None:
        """The seconds of one trajectory-epoch of a program lately; None before its second epoch.

        The forecast fills the first second of measurement: epochs of milliseconds say little while other programs run.
        """
        known = self._others.get(program) or self._firsts.get(program, [])[1:]  # the very first one compiles
        units, seconds = sum(units for units, _ in known), math.fsum(seconds for _, seconds in known)
        if not units:
            return None
        forecast = self._slowdown * self._all[program].unit
        prior = max(0.0, _PRIOR - seconds)
        return (seconds + prior) / (units + prior / forecast) if forecast > 0 else seconds / units

    def _again(self, program: Hashable) -> float | None:
        """The seconds that another population of a program takes beside its epochs; None before the second one."""
        firsts, unit = self._firsts.get(program, [])[1:], self._unit(program)
        if not firsts or unit is None:
            return None
        return max(0.0, math.fsum(seconds - units * unit for units, seconds in firsts) / len(firsts))

    def _slower(self) -> float:
        """How many times longer epochs take than was forecast."""
        known = [
            (of.populations * unit, of.populations * of.unit)
            for program, of in self._all.items()
            if of.units and (unit := self._unit(program)) is not None
        ]
        forecast = math.fsum(seconds for _, seconds in known)
        return math.fsum(unit for unit, _ in known) / forecast if forecast > 0 else self._slowdown


@dataclass
class _Sum:
    """What some populations of one program take together: how many have epochs left, and as in ``Stage``."""

    populations: int = 0
    units: int = 0
    start: float = 0.0
    training: float = 0.0

    @property
    def unit(self) -> float:
        """Seconds of one trajectory-epoch by the forecast."""
        return self.training / max(self.units, 1)

    def add(self, stage: Stage, times: int = 1) -> None:
        """Add a population; with ``times=-1``, take it away."""
        if stage.units:
            self.populations += times
            self.units += times * stage.units
            self.start += times * stage.start
            self.training += times * stage.training


def _by_program(stages: Sequence[Stage]) -> dict[Hashable, _Sum]:
    sums: dict[Hashable, _Sum] = {}
    for stage in stages:
        sums.setdefault(stage.program, _Sum()).add(stage)
    return sums
