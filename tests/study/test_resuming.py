"""Where a population continues, and saving what was trained of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_studies import points, small
from wellfit.engine.train import Epoch, Trainer
from wellfit.errors import StoreUnreadableError
from wellfit.store import create_or_open
from wellfit.study.resuming import begins_of, save_checkpoint, save_trained, unusable
from wellfit.study.session import Session


def test_a_population_continues_from_its_checkpoint_until_it_is_saved(tmp_path: Path) -> None:
    session = Session(small(2, plain={}), points(), tmp_path / "s")
    population, last = session.plan.populations[0], []
    with create_or_open(session.directory, session.resolved, provenance={"jax": "1"}) as store:

        def after_epoch(epoch: Epoch) -> None:
            last[:] = [epoch]
            if epoch.number == 1:
                save_checkpoint(store, population, epoch.snapshot())

        records = Trainer(session.data, session.mesh).train(population, on_epoch=after_epoch)
        start, ends = begins_of(store, session.remaining, population)
        assert start is not None
        assert start.meta["epoch"] == 1
        assert ends == {}
        machine = {"jax": "2", "processor": "A"}
        save_trained(store, session.remaining, [population], records, last[0].ends(), "whole", machine)
        assert begins_of(store, session.remaining, population) == (None, {})
        assert store.metadata.provenance() == {"jax": "1; then 2", "processor": "A"}
        described = store.final_states.descriptions().values()
        assert {(end["population"], end["machine"]["processor"]) for end in described} == {("whole", "A")}
        assert len(store.runs.finished()) == 4


def test_states_that_are_none_are_named(tmp_path: Path) -> None:
    session = Session(small(2, plain={}), points(), tmp_path / "s")
    with create_or_open(session.directory, session.resolved, provenance={}) as store:
        error = unusable(store, session.plan.populations[0], {}, "", "rows/0 are no history")
    assert isinstance(error, StoreUnreadableError)
    with pytest.raises(StoreUnreadableError, match=r"\.checkpoint: not a file of wellfit \(rows/0 are no history\)"):
        raise error
