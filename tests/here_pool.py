"""A pool of machines that is this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wellfit.base import Dataset
from wellfit.spec.study import DataSpec
from wellfit.study.executors import worker
from wellfit.study.executors.parts import Event, Job, Node
from wellfit.study.provenance import machine_facts, versions


class HerePool:
    """A pool that trains in this process, one part at each call of ``events``.

    Args:
      act: gets the number of the part, how often it was begun, and what it came to; what it returns happens instead.
    """

    here = False

    def __init__(
        self,
        dataset: Dataset,
        spec: DataSpec,
        places: int = 1,
        act: Callable[[int, int, Event], Event] = lambda number, attempt, event: event,
    ) -> None:
        self.content, self.places, self.devices, self.act = (dataset, spec), places, 2, act
        self.nodes: Sequence[Node] = [Node(versions(), machine_facts())]
        self.jobs: list[tuple[int, Job]] = []
        self.begun: dict[int, int] = {}
        self.stopped = 0
        self.lost: list[str] = []

    def submit(self, number: int, job: Job) -> None:
        self.jobs.append((number, job))
        self.begun[number] = self.begun.get(number, 0) + 1

    def events(self, seconds: float) -> Sequence[tuple[int, Event]]:
        number, job = self.jobs.pop(0)
        told: list[Event] = []
        outcome = worker.train(job, *self.content, told.append, 0.0)
        return [(number, event) for event in (*told, self.act(number, self.begun[number], outcome))]

    def stop(self) -> None:
        self.stopped += 1

    def close(self) -> None:
        pass
