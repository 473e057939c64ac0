"""Which populations a process trains as one: those of one program whose seeds have small data of their own.

Their results, final states and checkpoints stay those of each population, so that it does not matter to the study
directory what was trained together.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from wellfit.base import TrainingData
from wellfit.engine.joining import joined
from wellfit.engine.plan import Population, Program, bytes_of_run, is_small
from wellfit.nn import accelerator
from wellfit.store.checkpoints import name_of
from wellfit.study.fold import Sizes
from wellfit.study.planning import recipe_of

__all__ = ["MOST", "Together", "trained_together", "values_of"]

MOST: Final = 16
"""Populations in one: enough that the costs of a call no longer matter, and the first results do not wait for long."""
_VALUES: Final = 1 << 25
"""Numbers in their examples on all devices, of which each has all: 128 MB in float32."""
_BYTES: Final = 256 << 20
"""Of their weights and moments."""


class Together(NamedTuple):
    """What is trained as one: a population, and those that it was joined from.

    Args:
      places: the number of populations that its program is compiled for; 0 if it is one alone.
    """

    population: Population
    members: tuple[Population, ...]
    places: int = 0

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its trajectories, in order."""
        return tuple(dict.fromkeys(trajectory.seed for member in self.members for trajectory in member.trajectories))


def trained_together(
    populations: Sequence[Population],
    sizes: Mapping[int, Sizes],
    shape: tuple[int, ...],
    parameters: int,
    devices: int,
    interrupted: Collection[str] = (),
    most: int = MOST,
) -> tuple[Together, ...]:
    """Join populations whose programs, examples and sizes of splits are equal, and that fit the cache.

    Args:
      populations: of which each has the data of one seed.
      sizes: the training and validation examples of every seed.
      shape: of one example.
      parameters: the most that a model has.
      devices: that train.
      interrupted: the names of the checkpoint files; a population that has one is trained alone, from it if it fits.
      most: populations in one.
    """
    alike: dict[tuple[Program, Sizes, int, float], list[Population]] = {}
    alone: list[Together] = []
    for member in populations:
        seed, recipe = member.trajectories[0].seed, recipe_of(member)
        examples = recipe.examples or sizes[seed].training
        if name_of(member.name) in interrupted or not is_small(shape, examples) or accelerator.in_use():
            alone.append(Together(member, (member,)))
        else:
            alike.setdefault((member.program, sizes[seed], examples, recipe.label_noise), []).append(member)
    found: list[tuple[int, Together]] = []
    for (_, of_seed, examples, _), members in alike.items():
        values = devices * math.prod(shape) * (2 * examples + of_seed.validation)  # with the sample of them
        places = min(most, _places(members, values, parameters))
        if places == 1:
            alone += [Together(member, (member,)) for member in members]
            continue
        for turn, begin in enumerate(range(0, len(members), places)):
            some = tuple(members[begin : begin + places])
            found.append((turn, Together(joined(some, places, devices), some, places)))
    by_turn = sorted(found, key=lambda pair: pair[0])  # some seeds with all their programs, then others
    return (*alone, *(together for _, together in by_turn))


def values_of(data: TrainingData) -> int:
    """The numbers in the examples of a seed as a device holds them: for training, validation, and the sample."""
    return math.prod(data.input_shape) * (len(data.x_train) + len(data.x_validation) + len(data.sample))


def _places(members: Sequence[Population], values: int, parameters: int) -> int:
    """How many of some populations are trained as one; programs are compiled for so many, if there are fewer, too."""
    trajectories = max(len(member.trajectories) for member in members)
    room = _BYTES // (bytes_of_run(parameters) * trajectories)
    return max(1, min(MOST, _VALUES // values, room))
