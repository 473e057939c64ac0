"""What trains a part, in this process."""

from __future__ import annotations

import platform
from dataclasses import replace

import jax
import numpy as np
import pytest

from small_studies import NOWHERE, points, small
from wellfit.engine.train import Trainer
from wellfit.engine.waves import Snapshot
from wellfit.errors import WellfitError
from wellfit.study.executors import worker
from wellfit.study.executors.parts import Failed, Job, Reported, Trained
from wellfit.study.provenance import versions
from wellfit.study.session import Session


def job_of(session: Session) -> Job:
    return Job(session.plan.populations[0], None)


def test_a_part_is_trained_as_here() -> None:
    session, told = Session(small(3, plain={}, l2={"l2": 0.1}), points(), NOWHERE), []
    trained = worker.train(job_of(session), session.dataset, session.spec.data, told.append, 0.0)
    assert isinstance(trained, Trained)
    here = Trainer(session.data, session.mesh).train(session.plan.populations[0])
    for mine, theirs in zip(here, trained.records, strict=True):
        assert mine.spec == theirs.spec
        assert all(np.array_equal(array, theirs.weights[name]) for name, array in mine.weights.items())
    assert [report.epoch for report in told] == [1, 2]  # the third ends the part
    assert all(len(rows) == report.epoch for report in told for rows in report.rows.values())
    assert {end.name for end in trained.ends} == {t.name for t in session.plan.populations[0].trajectories}
    assert trained.machine["jax"] == jax.__version__


def test_a_part_reports_as_often_as_asked_and_sends_checkpoints(monkeypatch) -> None:
    session = Session(small(4, plain={}), points(), NOWHERE)
    told: list[Reported] = []
    worker.train(job_of(session), session.dataset, session.spec.data, told.append, 1e9)
    assert told == []
    monkeypatch.setattr(worker, "CHECKPOINT_SECONDS", 0.0)
    whole = worker.train(job_of(session), session.dataset, session.spec.data, told.append, 0.0)
    snapshots = [report.snapshot for report in told]
    assert all(snapshots)
    assert isinstance(whole, Trained)
    rest = worker.train(
        replace(job_of(session), start=snapshots[1]), session.dataset, session.spec.data, told.append, 0.0
    )
    assert isinstance(rest, Trained)
    assert [report.epoch for report in told[3:]] == [3]
    for mine, theirs in zip(whole.records, rest.records, strict=True):
        assert all(np.array_equal(array, theirs.weights[name]) for name, array in mine.weights.items())


def test_a_checkpoint_of_something_else_is_reported() -> None:
    session = Session(small(2, plain={}), points(), NOWHERE)
    job = replace(job_of(session), start=Snapshot({}, {"epoch": 1, "progress": []}))
    failed = worker.train(job, session.dataset, session.spec.data, lambda _: None, 0.0)
    assert isinstance(failed, Failed)
    assert failed.name == ""


def test_a_machine_says_what_it_computes_with() -> None:
    node = worker.describe(2, "cpu")
    assert node.versions["python"] == platform.python_version()
    assert node.machine["devices"].endswith("x cpu")


def test_a_machine_that_joined_later_checks_itself() -> None:
    worker.check(versions(), kernels=False)
    with pytest.raises(WellfitError, match=r"has jax .*, and the command 0\.0\.1; install the same version"):
        worker.check(versions() | {"jax": "0.0.1"}, kernels=False)
