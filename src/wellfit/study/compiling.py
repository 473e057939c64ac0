"""Compiling the program of the next population while the one before trains: a compiler uses one core at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

from wellfit.engine.train import Trainer
from wellfit.study.planning import recipe_of
from wellfit.study.together import Together

__all__ = ["compiling_ahead"]


@contextlib.contextmanager
def compiling_ahead(trainer: Callable[[Together], Trainer]) -> Iterator[Callable[[Together | None], None]]:
    """Return a function that takes what will be trained next, and begins to compile its program in another thread.

    First it waits for the program that it began before, which is wanted now. Each program is compiled once. An error,
    also in preparing its data, is left for the training, which meets it again.

    Args:
      trainer: of a population; called in the caller's thread.
    """
    begun: set[Hashable] = set()
    running: list[Future[None]] = []
    with ThreadPoolExecutor(1, "wellfit-compiler") as pool:

        def begin(following: Together | None) -> None:
            wait(running)
            if following is None:
                return
            population = following.population
            program = population.program, recipe_of(population).examples
            if program not in begun:
                begun.add(program)
                with contextlib.suppress(Exception):
                    running[:] = [pool.submit(trainer(following).compile, population)]

        yield begin
