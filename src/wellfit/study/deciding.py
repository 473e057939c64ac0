"""Adding seeds, a batch at a time, until every comparison with the first variant is decided or the budget is spent.

How many seeds there are at each look is planned before the first, and kept in the store; every look is tested at a
level of its own, so that the chance of any false "better" or "worse" over all looks stays at 5 %
(``analysis.sequential``). The verdicts are those of the last look.

A study that was run before without planned looks has been looked at once: that look counts as the first, and the next
are planned from there. It was judged at the full 5 %, and is judged anew as the first of several. The level then holds
for those who would have gone on whatever it had said; to go on only because it said nothing errs a little more often.
More epochs ask another question: the looks go on as planned, and their level holds for each question by itself.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Comparison, Dataset
from wellfit.errors import StudyFileError
from wellfit.spec.study import StudySpec
from wellfit.store import holds_study, open_existing
from wellfit.study.outlook import foresee
from wellfit.study.planned_looks import BATCH, MAX_SEEDS, Taken, planned_looks, taken_look
from wellfit.study.summary import summarize

__all__ = ["METHOD", "Decision", "Looked", "run_until_decided"]

METHOD: Final = (
    "Each look has a level of its own, so that all looks together keep 5 % (group-sequential boundaries, Lan & DeMets "
    "1983, Biometrika 70:659-663; spending in proportion to the seeds)"
)
"""How the chance of error is held over all looks, with its source."""

Ending = Literal["decided", "seeds", "minutes"]


class Train(Protocol):
    """Trains a study for a look, as ``runner.run_study`` does with its other arguments given."""

    def __call__(self, spec: StudySpec, look: InterimAnalysis, anew: bool) -> object: ...


@dataclass(frozen=True)
class Looked:
    """What a look saw.

    Args:
      look: which look of which.
      comparisons: every other variant with the first, at this look's level.
      counted: whether it is the look of a study that was run before without planned looks.
    """

    look: InterimAnalysis
    comparisons: tuple[Comparison, ...]
    counted: bool = False

    @property
    def undecided(self) -> tuple[str, ...]:
        """The variants of which nothing can be said yet."""
        return tuple(c.variant for c in self.comparisons if c.verdict == "undecided")

    @property
    def decided(self) -> tuple[tuple[str, str], ...]:
        """The other variants, each with its verdict."""
        return tuple((c.variant, c.verdict) for c in self.comparisons if c.verdict != "undecided")


@dataclass(frozen=True)
class Decision:
    """How it ended.

    Args:
      last: the last look.
      ending: every comparison was decided, or the planned seeds, or the minutes, were spent.
      forecast: seconds that the next batch would have taken, where the minutes were spent.
    """

    last: Looked
    ending: Ending
    forecast: float = 0.0


def run_until_decided(
    spec: StudySpec,
    dataset: Dataset,
    directory: Path,
    train: Train,
    *,
    max_seeds: int | None = None,
    max_minutes: float | None = None,
    anew: bool = False,
    on_look: Callable[[Looked], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Decision:
    """Train a study, look at it, and add seeds until every comparison is decided or the budget is spent.

    Interrupted, it goes on where it was when it is called again. A batch that was begun is finished; whether the next
    one fits ``max_minutes``, counted from this call, the forecast says before it begins.

    Args:
      spec: the study; its seeds come first, then 0, 1, ... that are not among them.
      dataset: its data.
      directory: the study directory.
      train: trains what is missing for a look.
      max_seeds: at the last look; 20, or what the study was planned with, unless told otherwise.
      max_minutes: after which no batch ends by the forecast; None is without limit.
      anew: throw away what the directory holds first.
      on_look: is told of every look.
      clock: seconds, for tests.

    Returns:
      How it ended.

    Raises:
      StudyFileError: nothing to compare; a budget that the first look does not fit; looks other than those planned.
      WellfitError: as ``run_study``.
    """
    if len(spec.variants) < 2:
        raise StudyFileError(
            f"study {spec.name!r}: --until-decided compares variants, and it has only one; add another"
        )
    if max_minutes is not None and not max_minutes > 0:
        raise StudyFileError(f"--max-minutes {max_minutes:g}: must be more than 0")
    began = clock()
    stored, taken = _known(directory) if not anew else ((), None)
    planned, first, counted = _planned(directory, stored, taken, max_seeds)
    seeds = _seeds(stored or spec.seeds, planned[-1])
    last: Looked | None = None
    for number in range(first, len(planned) + 1):
        look = InterimAnalysis(number, planned)
        wanted = dataclasses.replace(spec, seeds=seeds[: planned[number - 1]])
        if max_minutes is not None:
            seconds = foresee(wanted, dataset, None if anew else directory).seconds
            if clock() - began + seconds > 60 * max_minutes:
                if last is not None:
                    return Decision(last, "minutes", seconds)
                raise StudyFileError(
                    f"--max-minutes {max_minutes:g}: the look at {len(wanted.seeds)} seeds takes about "
                    f"{math.ceil(seconds / 6) / 10:.1f} minutes by the forecast; allow more, or make the study smaller"
                )
        train(wanted, look, anew)
        anew = False
        last = Looked(look, summarize(directory).comparisons, counted and number == 1)
        if on_look is not None:
            on_look(last)
        if last.comparisons and not last.undecided:
            return Decision(last, "decided")
    assert last is not None  # there is at least one look
    return Decision(last, "seeds")


def _known(directory: Path) -> tuple[tuple[int, ...], Taken | None]:
    """The seeds that a directory's study has, and the looks that were taken at it."""
    if not holds_study(directory):
        return (), None
    with open_existing(directory) as store:
        return tuple(store.metadata.study()["seeds"]), taken_look(store)


def _planned(
    directory: Path, stored: Sequence[int], taken: Taken | None, max_seeds: int | None
) -> tuple[tuple[int, ...], int, bool]:
    """How many seeds every look has, the number of the look to begin with, and whether the first one is counted in."""
    if taken is not None:
        if max_seeds is not None and max_seeds != taken.planned[-1]:
            planned = ", ".join(map(str, taken.planned))
            raise StudyFileError(
                f"--max-seeds {max_seeds}: the looks at {directory} were planned at {planned} seeds before the first "
                f"was taken, and are not changed: that would undo their level; leave it out, or give "
                f"{taken.planned[-1]}"
            )
        return taken.planned, max(1, taken.number), False
    most = MAX_SEEDS if max_seeds is None else max_seeds
    if len(stored) < BATCH and not _was_seen(directory, stored):
        return planned_looks(most), 1, False
    if len(stored) > most:
        raise StudyFileError(
            f"{directory}: holds {len(stored)} seeds already, and --max-seeds is {most}; give {len(stored)} or more"
        )
    return planned_looks(most, first=len(stored)), 1, _was_seen(directory, stored)


def _was_seen(directory: Path, stored: Sequence[int]) -> bool:
    """Whether a study's comparisons could be seen already: its test set was opened for two seeds or more."""
    if len(stored) < 2:
        return False
    with open_existing(directory) as store:
        return store.metadata.test_opened() is not None


def _seeds(own: Sequence[int], count: int) -> tuple[int, ...]:
    """The study's own seeds, then the smallest that are not among them."""
    more = (seed for seed in range(count + len(own)) if seed not in set(own))
    return tuple([*own, *more][:count])
