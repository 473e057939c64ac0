"""The process that hands out the parts of a study and stores what comes back; it alone writes the study directory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from wellfit.base import FloatArray
from wellfit.engine.final_states import FinalState
from wellfit.engine.waves import Snapshot, of_member
from wellfit.errors import WellfitError
from wellfit.nn import accelerator
from wellfit.nn.kernels.availability import remedy
from wellfit.store import Store
from wellfit.study.executors.parts import (
    Event,
    Failed,
    Job,
    Lost,
    Node,
    Part,
    Pool,
    Reported,
    Trained,
    parts_of,
    seeds_of_part,
)
from wellfit.study.growth import note_batch
from wellfit.study.interrupts import Interrupted, interruptible
from wellfit.study.provenance import versions
from wellfit.study.resuming import begins_of, save_checkpoint, save_trained, unusable

if TYPE_CHECKING:
    from wellfit.study.session import Session

__all__ = ["ATTEMPTS", "Told", "check_nodes", "train_parts"]

ATTEMPTS: Final = 4
"""How often a part is begun from one point; if its process dies each time, more attempts do not help."""

_WAIT: Final = 0.5
"""Seconds between two looks at what happened, where nothing does."""

_WAITING: Final = 3
"""Parts that wait for each place, so that none is idle while the driver stores results."""

_EARLY: Final = 0.02
"""Share of the work below which the time left is unknown: compilation counts for too much."""

Rows = Mapping[tuple[str, int], Sequence[FloatArray]]

Told = Callable[[int, int, int, float, float | None, Callable[[], Rows]], None]
"""Epoch, epochs, runs that train, share of the whole work, seconds left, and the rows of the runs; see ``Progress``."""


def check_nodes(nodes: Sequence[Node], *, kernels: bool, wanted: Mapping[str, str] | None = None) -> None:
    """Refuse machines that would compute with other programs than the command.

    Args:
      nodes: the machines.
      kernels: whether generated kernels compute the study's convolutions.
      wanted: the versions of the command; by default those of this process.

    Raises:
      WellfitError: versions differ, or a machine has no generated kernels.
    """
    own = versions() if wanted is None else wanted
    for node in nodes:
        place = node.machine.get("processor", "a machine").split(",")[0]
        for name, value in own.items():
            if (there := node.versions.get(name)) != value:
                what = "other code of wellfit" if name == "code" else f"{name} {there}, and the command {value}"
                raise WellfitError(f"a worker ({place}) has {what}; install the same version in both places")
        if kernels and node.kernels is not None:
            raise WellfitError(
                f"a worker ({place}) has no generated kernels, which compute this study's convolutions: "
                f"{node.kernels}; {remedy(node.kernels)}"
            )


def train_parts(session: Session, store: Store, pool: Pool, tell: Told, count_time: Callable[[], None]) -> None:
    """Train everything that remains of a study on other machines.

    Runs are saved as they end. What a killed driver has not saved is trained again by the same command.

    Args:
      session: the study.
      store: its directory.
      pool: the machines.
      tell: called with the progress.
      count_time: adds to the time that the study has taken.

    Raises:
      WellfitError: the process of a part died each time that it was begun.
      StoreError: the directory cannot be written, or holds states that no training can have ended with.
      Interrupted: Ctrl-C or SIGTERM.
    """
    plan, done = session.remaining.plan, session.remaining.done
    if not plan.runs:
        return
    note_batch(store, session.remaining)
    together = session.joined(pool.devices, seeds_of_part(plan, pool.places))
    several = [Part(t.population, "", t.population.work, t.members, t.places) for t in together if t.places]
    alone = replace(plan, populations=tuple(t.population for t in together if not t.places))
    parts = (*several, *parts_of(alone, done, pool.places, pool.devices, at_once=accelerator.in_use()))
    run = _Run(session, store, pool, tell, parts)
    with interruptible() as stop:
        try:
            run.tell()
            while run.submit():
                for number, event in pool.events(_WAIT):
                    run.take(number, event)
                count_time()
                if stop.requested:
                    raise Interrupted("Finished runs and the last checkpoints are kept")
        finally:
            pool.stop()


@dataclass
class _Run:
    """What the driver knows while parts are trained.

    Args:
      attempts: how often each part was begun.
      reported: the parts in training, with their latest report.
      rows: those of the reports, by part.
      advanced: the work that the parts in training have done, in trajectory-epochs.
      ends: the final states that their trajectories continue from.
      kept: the latest snapshots of parts that are several populations.
      trained: work of the parts that have ended, likewise.
      shown: the parts whose runs are in the file that the live page reads, in its order.
    """

    session: Session
    store: Store
    pool: Pool
    send: Told
    parts: Sequence[Part]
    began: float = field(default_factory=time.monotonic)
    attempts: dict[int, int] = field(default_factory=dict)
    reported: dict[int, Reported | None] = field(default_factory=dict)
    rows: dict[int, Rows] = field(default_factory=dict)
    advanced: dict[int, int] = field(default_factory=dict)
    ends: dict[int, Mapping[str, FinalState]] = field(default_factory=dict)
    kept: dict[int, Snapshot] = field(default_factory=dict)
    trained: int = 0
    shown: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self.waiting = deque(range(len(self.parts)))
        self.total = sum(self.session.remaining.left(part.population) for part in self.parts) or 1

    def submit(self) -> bool:
        """Hand out as many parts as there are places, and some more; False once everything is trained."""
        while self.waiting and len(self.reported) < self.pool.places * (1 + _WAITING):
            number = self.waiting.popleft()
            part, folds = self.parts[number], self.session.folds > 1
            start, ends = begins_of(self.store, self.session.remaining, part.population)
            seeds = tuple(dict.fromkeys(t.seed for t in part.population.trajectories)) if folds else None
            self.attempts[number] = self.attempts.get(number, 0) + 1
            self.reported[number], self.ends[number] = None, ends
            start = self.kept.get(number, start)
            job = Job(part.population, seeds, start, ends, part.places, part.stored[0].program)
            self.pool.submit(number, job)
        return bool(self.reported)

    def take(self, number: int, event: Event) -> None:
        """Store what has come back of a part; what comes after its end is old."""
        if number not in self.reported:
            return
        part = self.parts[number]
        if isinstance(event, Reported):
            self.reported[number] = event
            self.rows[number] = {run: list(of) for run, of in event.rows.items()}
            self.advanced[number] = self.session.remaining.trained_by(part.population, event.epoch)
            if event.snapshot is not None:
                self.attempts[number] = 1  # it advances
                self._save_checkpoint(number, event.snapshot)
            self.tell()
            return
        del self.reported[number]
        self.rows.pop(number, None)
        self.advanced.pop(number, None)
        if isinstance(event, Lost):
            self._again(number, event)
            return
        if isinstance(event, Failed):
            raise unusable(self.store, part.population, self.ends[number], event.name, event.reason)
        self.kept.pop(number, None)
        self._save(part, event)

    def _save(self, part: Part, event: Trained) -> None:
        work = self.session.remaining
        save_trained(self.store, work, part.stored, event.records, event.ends, part.whole, event.machine)
        self.trained += work.left(part.population)
        epochs = max(trajectory.epochs for trajectory in part.population.trajectories)
        self.send(epochs, epochs, 0, *self._share(), lambda: {run: list(of) for run, of in event.rows().items()})

    def _save_checkpoint(self, number: int, snapshot: Snapshot) -> None:
        part = self.parts[number]
        if part.members:
            self.kept[number] = snapshot  # those of its members do not continue it
        for population in part.stored:
            own = snapshot if population is part.population else of_member(snapshot, part.population, population)
            save_checkpoint(self.store, population, own)

    def _again(self, number: int, event: Lost) -> None:
        """Train a part again whose process died, from its last checkpoint."""
        if self.attempts[number] >= ATTEMPTS:
            name = self.parts[number].population.name
            raise WellfitError(
                f"the training of {name} died {ATTEMPTS} times in a row ({event.reason}); finished runs are kept; if "
                "memory is short, give the workers more, then run the same command again"
            )
        self.waiting.appendleft(number)
        self.shown = ()  # its epochs begin again where its checkpoint was

    def tell(self) -> None:
        """Show how far all parts in training are."""
        known = [report for report in self.reported.values() if report is not None]
        share, left = self._share()
        epochs = max((r.epochs for r in known), default=self.session.spec.base.epochs)
        active = sum(r.active for r in known) if known else self.session.remaining.plan.runs
        if tuple(self.rows) != self.shown:
            self.store.progress.drop()  # a file is of the same runs in the same order from its beginning
            self.shown = tuple(self.rows)
        if known:
            self.store.progress.write(self._all_rows, left)
        self.send(max((r.epoch for r in known), default=0), epochs, active, share, left, self._all_rows)

    def _all_rows(self) -> Rows:
        return {run: of for rows in self.rows.values() for run, of in rows.items()}

    def _share(self) -> tuple[float, float | None]:
        """The share of the work that is done, and the seconds that are left."""
        share = min(1.0, (self.trained + sum(self.advanced.values())) / self.total)
        if share < _EARLY:
            return share, None
        took = time.monotonic() - self.began
        return share, took * (1 - share) / share + self.session.slowdown * self.session.around_training[1]
