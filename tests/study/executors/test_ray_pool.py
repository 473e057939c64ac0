"""Ray itself: what it refuses, and that its bits are those of a training here, also where processes die."""

from __future__ import annotations

import importlib.util
import os
import pickle
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commands import ended, process
from small_studies import NOWHERE, command, points
from wellfit.api import Study
from wellfit.errors import StudyFileError, WellfitError
from wellfit.spec.study import DataSpec
from wellfit.store import contents, open_existing
from wellfit.study.executors import ray_pool
from wellfit.study.executors.address import Address
from wellfit.study.executors.parts import Lost
from wellfit.study.executors.ray_pool import RayPool, usable_address

SMALL = ("regularization/l2", "--data", "digits", "--seeds", "2", "--epochs", "2", "--set", "model.hidden=[16]")

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


def same(one: Path, other: Path) -> bool:
    with open_existing(one) as a, open_existing(other) as b:
        return contents.files(a) == contents.files(b) and a.runs.test_scores() == b.runs.test_scores()


# --- Without Ray ------------------------------------------------------------------------------------------------------


def test_a_missing_ray_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WellfitError, match=r'--on ray needs Ray, .*: pip install "wellfit\[ray\]"'):
        usable_address("ray")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--shard", "1/2"), "--shard 1/2 with --on ray: Ray divides the study by itself; leave --shard out"),
        (("--tensorboard", "logs"), "--tensorboard with --on ray: logs are written where a study trains; "),
    ],
)
def test_options_that_exclude_each_other_are_refused(options: tuple[str, ...], message: str) -> None:
    status, _, err = command("run", *SMALL, "--on", "ray", *options)
    assert status == 2
    assert err.startswith(f"wellfit: {message}")


def test_python_refuses_them_too() -> None:
    with pytest.raises(StudyFileError, match="on and tensorboard exclude each other"):
        Study("digits").run(on="ray", tensorboard="logs")
    with pytest.raises(StudyFileError, match="unknown; use ray"):
        Study("digits").run(on="spark")


def test_an_address_where_nothing_listens_is_refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for client, usual in ((False, 6379), (True, 10001)):
        pool = RayPool(Address("127.0.0.1", port, client), points(), DataSpec("points"))
        with pytest.raises(WellfitError, match=rf":{port}: no Ray answers there \(Connection refused\);.*{usual}"):
            pool.nodes  # noqa: B018
        pool.close()


def test_what_does_not_answer_in_time_or_is_another_version_is_refused() -> None:
    place = Address("head", 6379)

    def other() -> None:
        raise RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.1\n    Python: 3.9.1\n")

    def broken() -> None:
        raise ConnectionError("ray client\nconnection timeout")

    with pytest.raises(WellfitError, match=r"no Ray answers there \(nothing within 0 s\)"):
        ray_pool._within(0.1, lambda: time.sleep(1), place)
    with pytest.raises(WellfitError, match=r"other versions there: Version mismatch: .*Ray: 2\.1 Python: 3\.9\.1"):
        ray_pool._within(5, other, place)
    with pytest.raises(WellfitError, match=r"no Ray answers there \(connection timeout\)"):
        ray_pool._within(5, broken, place)


def test_a_ray_that_does_not_start_is_one_line() -> None:
    class Ray:
        started = 0

        def init(self, address: str, **options: Any) -> None:
            self.started += 1
            raise RuntimeError("The current node timed out\nduring startup.")

        def shutdown(self) -> None: ...

    ray = Ray()
    with pytest.raises(WellfitError, match=r"--on ray: Ray did not start here: during startup\."):
        RayPool(Address(), points(), DataSpec("points"))._connect(ray)
    assert ray.started == 2


class _Exceptions:
    class RayError(Exception): ...

    class RayTaskError(RayError):
        cause: Exception | None = None

    class OutOfMemoryError(RayError): ...

    class NodeDiedError(RayError): ...

    class ObjectLostError(RayError): ...

    class WorkerCrashedError(RayError): ...

    class RaySystemError(RayError): ...

    class GetTimeoutError(RayError): ...

    class ObjectStoreFullError(RayError): ...


class _Ray:
    """As much of Ray as an outcome needs: what a reference is raised as."""

    exceptions = _Exceptions

    def get(self, ref: Any, timeout: float | None = None) -> Any:
        if isinstance(ref, Exception):
            raise ref
        return ref

    def wait(self, refs: Any, **options: Any) -> Any:
        raise _Exceptions.RaySystemError("the head is gone")

    def nodes(self) -> list[Any]:
        return []


def pretended(address: Address = Address("head", 6379)) -> RayPool:  # noqa: B008
    pool = RayPool(address, points(), DataSpec("points"))
    pool._ray, pool._asked_at = _Ray(), time.monotonic() + 99
    return pool


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("OutOfMemoryError", "its machine ran out of memory"),
        ("NodeDiedError", "its machine is gone"),
        ("ObjectLostError", "its machine is gone"),
        ("WorkerCrashedError", "its process died"),
        ("RayError", "something else"),
    ],
)
def test_deaths_are_lost_parts(kind: str, reason: str) -> None:
    pool = pretended()
    assert pool._outcome(getattr(_Exceptions, kind)("What:\n  something else")) == Lost(reason)
    assert pool.lost == [reason]


def test_an_error_of_the_training_is_raised_as_here() -> None:
    error = _Exceptions.RayTaskError("...")
    error.cause = WellfitError("the data: ...")
    with pytest.raises(WellfitError, match="the data"):
        pretended()._outcome(error)


def test_an_error_that_is_none_of_ours_is_one_line() -> None:
    error = _Exceptions.RayTaskError("Traceback ...\nZeroDivisionError: division by zero")
    error.cause = ZeroDivisionError("division by zero")
    with pytest.raises(WellfitError, match=r"--on head:6379: a part failed \(ZeroDivisionError: division by zero\)"):
        pretended()._outcome(error)


def test_data_that_do_not_fit_the_object_store_are_one_line() -> None:
    with pytest.raises(WellfitError, match="the data do not fit the object store"), pretended()._reached():
        raise _Exceptions.ObjectStoreFullError


def test_reports_of_an_earlier_batch_are_no_ones() -> None:
    """Parts count from 0 in every batch, and the mailbox outlives a batch."""
    pool = pretended()
    pool._parts = {7: 0}  # the first part of the second batch
    pool._asked = [(1, pickle.dumps("of the first batch")), (7, pickle.dumps("its own"))]
    assert list(pool._reports()) == [(0, "its own")]
    pool.stop()
    pool._asked = [(7, pickle.dumps("late"))]
    assert list(pool._reports()) == []


@pytest.mark.usefixtures("without_affinity")
def test_a_cluster_without_gpus_is_refused_where_training_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RayPool, "devices", 1)
    monkeypatch.setattr(_Ray, "nodes", lambda self: [{"Alive": True, "NodeID": "a", "Resources": {"CPU": 4}}])
    with pytest.raises(WellfitError, match="trains on a GPU, and the cluster has none; to train on processors"):
        pretended().nodes  # noqa: B018


def test_a_lost_connection_is_one_line() -> None:
    with pytest.raises(WellfitError, match=r"connection to Ray was lost \(the head is gone\); finished runs are kept"):
        pretended().events(0.1)


def test_reports_of_a_mailbox_that_died_are_left_out() -> None:
    pool = pretended()
    pool._asked = _Exceptions.RayError("died")
    assert list(pool._reports()) == []
    box = ray_pool._mailbox()()
    box.put(1, b"a")
    assert box.take() == [(1, b"a")]
    assert box.take() == []


@pytest.fixture
def without_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one name of Ray that is imported by name."""
    import types

    module = types.ModuleType("ray.util.scheduling_strategies")
    module.NodeAffinitySchedulingStrategy = lambda *given, **named: None  # type: ignore[attr-defined]
    for name in ("ray", "ray.util"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", module)


@pytest.mark.usefixtures("without_affinity")
@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (_Exceptions.GetTimeoutError(), r"the cluster has no free worker within 120 s"),
        (_Exceptions.RayTaskError("x\nNo module named 'wellfit'"), r"a worker cannot load wellfit \(No module named"),
        ([], "no machine of the cluster has a processor core to train on"),
    ],
)
def test_machines_that_cannot_train_are_refused(outcome: Any, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = pretended()
    monkeypatch.setattr(_Ray, "remote", lambda self, task: task, raising=False)
    monkeypatch.setattr(_Ray, "get", lambda self, refs, timeout: answer(refs))

    def answer(refs: list[Any]) -> Any:
        if isinstance(outcome, Exception):
            raise outcome
        return refs

    with pytest.raises(WellfitError, match=message):
        pool.nodes  # noqa: B018


# --- With Ray ---------------------------------------------------------------------------------------------------------


@needs_ray
@pytest.mark.slow
def test_a_ray_that_is_started_here_gives_the_bits_of_a_run_without(tmp_path: Path) -> None:
    done = ended(process("run", *SMALL, "--out", tmp_path / "ray", "--on", "ray"))
    assert done.status == 0, done.err
    assert done.err == ""
    assert "Trained on: Ray, this machine, " in done.out
    assert ended(process("run", *SMALL, "--out", tmp_path / "here")).status == 0
    assert same(tmp_path / "here", tmp_path / "ray")
    again = ended(process("run", *SMALL, "--out", tmp_path / "ray", "--on", "ray"))
    assert "Nothing to train" in again.out


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two raylets of two cores each."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "200")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 2, "include_dashboard": False, "object_store_memory": 100 << 20}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    cluster.shutdown()


def workers() -> list[int]:
    """The processes that train now, below this one."""
    rows = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    table = [row.split(None, 2) for row in rows.splitlines()[1:]]
    below, found = {os.getpid()}, []
    for _ in range(4):
        below |= {int(row[0]) for row in table if int(row[1]) in below}
    found = [int(row[0]) for row in table if int(row[0]) in below and len(row) > 2 and row[2].startswith("ray::_train")]
    return found


def saved(directory: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{directory / 'study.db'}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM runs").fetchone()[0])
    except sqlite3.Error:
        return 0


def wait_until(true: Any, running: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 300
    while not true() and running.poll() is None and time.monotonic() < end:
        time.sleep(0.05)


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dead_worker_a_lost_machine_and_a_killed_driver_change_no_bit(tmp_path: Path, cluster: Any) -> None:
    study = (*SMALL, "--epochs", "300")
    other = cluster.add_node(num_cpus=2, object_store_memory=100 << 20)
    command = ("run", *study, "--out", tmp_path / "ray", "--on", cluster.address)
    running = process(*command)
    wait_until(lambda: len(workers()) == 2, running)
    os.kill(workers()[0], 9)
    cluster.remove_node(other, allow_graceful=False)
    wait_until(lambda: saved(tmp_path / "ray"), running)
    running.kill()
    running.communicate()
    before = saved(tmp_path / "ray")
    assert before
    done = ended(process(*command))
    assert done.status == 0, done.err
    assert saved(tmp_path / "ray") == 14
    assert ended(process("run", *study, "--out", tmp_path / "here")).status == 0
    assert same(tmp_path / "here", tmp_path / "ray")


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_several_studies_on_one_ray_have_the_bits_of_each_alone(tmp_path: Path) -> None:
    options = ("--data", "digits", "--seeds", "2", "--epochs", "2", "--set", "model.hidden=[16]")
    two = ("regularization/l2", "regularization/dropout")
    done = ended(process("run", *two, *options, "--out", tmp_path / "ray", "--on", "ray"))
    assert done.status == 0, done.err
    here = ended(process("run", *two, *options, "--out", tmp_path / "here"))
    assert here.status == 0, here.err
    places = sorted(path.name for path in (tmp_path / "ray").iterdir() if path.is_dir())
    assert len(places) == 2
    assert all(same(tmp_path / "here" / place, tmp_path / "ray" / place) for place in places)


def test_a_directory_that_does_not_exist_has_no_runs() -> None:
    assert saved(NOWHERE) == 0
