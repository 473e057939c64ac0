"""Adding seeds in batches until every comparison with the first variant is decided or the budget is spent.

The number of seeds at each interim analysis is planned before the first one and kept in the store. Each analysis is
tested at a level of its own, so that the chance of any false "better" or "worse" over all of them stays at 5 %
(``analysis.sequential``). The verdicts are those of the last analysis.

A study that was run before without planned analyses has been analyzed once, at the full 5 %. That counts as the first
analysis, is judged again at its own level, and the others are planned from there. The overall level then holds for a
user who would have continued whatever the result; continuing only because the result was open errs slightly more often.
More epochs ask another question: the planned analyses continue, and their level holds for each question separately.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Comparison
from wellfit.errors import StudyFileError
from wellfit.study.interim import BATCH, MAX_SEEDS, planned_seeds
from wellfit.study.session import Session
from wellfit.study.summarize import summarize

__all__ = ["METHOD", "Analyzed", "Decision", "check_budget", "planned_batches", "run_until_decided"]

FUTILE: Final = 0.05
"""Probability of a decision by the last analysis below which adding seeds is given up. Stopping cannot add errors."""

METHOD: Final = (
    "Each interim analysis has its own significance level, so that the overall error rate stays at 5 % "
    "(group-sequential boundaries, Lan & DeMets 1983, Biometrika 70:659-663; spending proportional to the seeds)"
)
"""How the error rate is controlled over all analyses, with its source."""

Train = Callable[[Session, InterimAnalysis], object]


@dataclass(frozen=True)
class Analyzed:
    """The result of an interim analysis.

    Args:
      interim: the analysis and its plan.
      comparisons: of every other variant with the first, at this analysis's level.
      counted: whether it is the first analysis of a study that was run before without planned analyses.
      chances: of the undecided variants, the probability that the last planned analysis decides their comparison.
    """

    interim: InterimAnalysis
    comparisons: tuple[Comparison, ...]
    counted: bool = False
    chances: Mapping[str, float] = field(default_factory=dict)

    @property
    def futile(self) -> bool:
        """Whether hardly anything that is undecided would be decided by going on."""
        return all(self.chances.get(name, 1.0) < FUTILE for name in self.undecided)

    @property
    def seeds(self) -> int:
        """The number of seeds that were analyzed."""
        return self.interim.seeds[self.interim.number - 1]

    @property
    def undecided(self) -> tuple[str, ...]:
        """The variants whose comparison is undecided."""
        return tuple(c.variant for c in self.comparisons if c.verdict == "undecided" and not c.identical)

    @property
    def decided(self) -> tuple[tuple[str, str], ...]:
        """The other variants with their verdicts."""
        return tuple((c.variant, c.verdict) for c in self.comparisons if c.verdict != "undecided")


@dataclass(frozen=True)
class Decision:
    """How a study ended.

    Args:
      last: the last interim analysis.
      ending: every comparison is decided, going on would decide hardly anything, or the planned seeds or the minutes
        are used up.
      forecast: the seconds that the next batch would have taken, where the minutes are used up.
    """

    last: Analyzed
    ending: Literal["decided", "futile", "seeds", "minutes"]
    forecast: float = 0.0


def run_until_decided(
    session: Session,
    train: Train,
    *,
    max_seeds: int | None = None,
    max_minutes: float | None = None,
    on_analysis: Callable[[Analyzed], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Decision:
    """Train a study, analyze it, and add seeds until every comparison is decided or the budget is spent.

    After an interruption, calling it again continues where it was. A batch that has begun is always finished.

    Args:
      session: the study; its seeds come first, then 0, 1, ... that are not among them.
      train: trains what is missing for an interim analysis, as ``run_study`` does.
      max_seeds: at the last analysis; by default as planned before, or else 20.
      max_minutes: from this call on; no batch begins that would end later by the forecast.
      on_analysis: called with the result of every analysis.
      clock: returns seconds.

    Raises:
      StudyFileError: nothing to compare, a budget too small for the first analysis, or other analyses than planned.
      WellfitError: as ``run_study``.
    """
    _check_variants(session)
    _check_minutes(max_minutes)
    began = clock()
    planned, first, counted = _plan(session, max_seeds)
    seeds = _seeds(session.stored.seeds or session.spec.seeds, planned[-1])
    session.check(seeds)
    last: Analyzed | None = None
    for number in range(first, len(planned) + 1):
        fresh = session.fresh and last is None
        batch = replace(session, spec=replace(session.spec, seeds=seeds[: planned[number - 1]]), fresh=fresh)
        if max_minutes is not None:
            seconds = batch.forecast.seconds
            if clock() - began + seconds > 60 * max_minutes:
                if last is not None:
                    return Decision(last, "minutes", seconds)
                raise _too_long(batch, max_minutes)
        interim = InterimAnalysis(number, planned)
        train(batch, interim)
        last = _analyzed(session, interim, counted and number == 1)
        if on_analysis is not None:
            on_analysis(last)
        if last.comparisons and not last.undecided:
            return Decision(last, "decided")
        if last.comparisons and number < len(planned) and last.futile:
            return Decision(last, "futile")
    assert last is not None  # there is at least one analysis
    return Decision(last, "seeds")


def planned_batches(session: Session, max_seeds: int | None = None) -> tuple[tuple[int, ...], Session, Session]:
    """What ``run_until_decided`` would do: the seeds at each analysis, the next batch, and all batches together.

    Raises:
      StudyFileError: as for ``run_until_decided``.
    """
    _check_variants(session)
    planned, first, _ = _plan(session, max_seeds)
    seeds = _seeds(session.stored.seeds or session.spec.seeds, planned[-1])
    session.check(seeds)
    upcoming, whole = (
        replace(session, spec=replace(session.spec, seeds=seeds[:count])) for count in (planned[first - 1], planned[-1])
    )
    return planned, upcoming, whole


def check_budget(session: Session, max_seeds: int | None = None, max_minutes: float | None = None) -> None:
    """Refuse what ``run_until_decided`` would refuse, before a search that precedes it trains or deletes anything.

    Raises:
      StudyFileError: as for ``run_until_decided``.
    """
    _check_minutes(max_minutes)
    _, batch, _ = planned_batches(session, max_seeds)
    if max_minutes is not None and batch.forecast.seconds > 60 * max_minutes:  # without the variant that is found
        raise _too_long(batch, max_minutes)


def _too_long(batch: Session, max_minutes: float) -> StudyFileError:
    """The refusal of a budget that is too small for the first analysis."""
    minutes = math.ceil(batch.forecast.seconds / 6) / 10
    return StudyFileError(
        f"--max-minutes {max_minutes:g}: the first {len(batch.spec.seeds)} seeds take about {minutes:.1f} minutes by "
        "the forecast; allow more, or make the study smaller"
    )


def _check_minutes(max_minutes: float | None) -> None:
    if max_minutes is not None and not max_minutes > 0:
        raise StudyFileError(f"--max-minutes {max_minutes:g}: must be more than 0")


def _check_variants(session: Session) -> None:
    search = session.spec.search
    found = set() if search is None else {search.name}  # a variant after the search
    if len(session.spec.variants.keys() | found) < 2:
        raise StudyFileError(
            f"study {session.spec.name!r}: --until-decided compares variants, and there is only one; add another"
        )


def _analyzed(session: Session, interim: InterimAnalysis, counted: bool) -> Analyzed:
    summary = summarize(session.directory)
    chances = {
        c.variant: evidence.decided_at_last
        for c in summary.comparisons
        if (evidence := summary.evidence.get(c.variant)) is not None and evidence.decided_at_last is not None
    }
    return Analyzed(interim, summary.comparisons, counted, chances)


def _plan(session: Session, max_seeds: int | None) -> tuple[tuple[int, ...], int, bool]:
    """The seeds at each analysis, the analysis to begin with, and whether results seen before count as the first."""
    stored, directory = session.stored, session.directory
    if stored.interim is not None:
        planned = stored.interim.planned
        if max_seeds is not None and max_seeds != planned[-1]:
            raise StudyFileError(
                f"--max-seeds {max_seeds}: the interim analyses of {directory} were planned at "
                f"{', '.join(map(str, planned))} seeds, and changing the plan would invalidate their levels; leave it "
                f"out, or give {planned[-1]}"
            )
        return planned, max(1, stored.interim.number), False
    most = MAX_SEEDS if max_seeds is None else max_seeds
    count = len(stored.seeds) if stored.finished or stored.outgrown or stored.damaged else 0  # a search has no runs
    seen = count > 1 and stored.tested  # its comparisons could be seen already
    if count < BATCH and not seen:
        return planned_seeds(most), 1, False
    if count > most:
        raise StudyFileError(f"{directory}: holds {count} seeds, more than --max-seeds {most}; give {count} or more")
    return planned_seeds(most, first=count), 1, seen


def _seeds(own: Sequence[int], count: int) -> tuple[int, ...]:
    """The study's own seeds, then the smallest that are not among them."""
    more = (seed for seed in range(count + len(own)) if seed not in set(own))
    return tuple([*own, *more][:count])
