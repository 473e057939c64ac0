"""``wellfit run`` with several studies: checked first, trained, listed on one page."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stores
from commands import Ended
from here_pool import HerePool
from wellfit.errors import WellfitError
from wellfit.spec.study import DataSpec
from wellfit.study.executors import ray_pool
from wellfit.study.executors.parts import Event
from wellfit.study.run import run_study

Command = Callable[..., Ended]

STUDY = """
name = "{name}"
title = "Which of two on {name}?"
[data]
name = "points.csv"
[model]
hidden = [4]
[train]
epochs = 2
batch_size = 16
seeds = 2
[variants]
plain = {{}}
l2 = {{ l2 = 0.1 }}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_page: None) -> Path:
    """A working directory with two study files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    lines = [f"{i % 7},{i % 5},{i % 3},{i % 2}" for i in range(60)]
    Path("points.csv").write_text("\n".join(["x,y,z,label", *lines, ""]))
    for name in ("first", "second"):
        Path(f"{name}.toml").write_text(STUDY.format(name=name))
    return tmp_path


def runs(directory: Path) -> int:
    return len(stores.rows(directory, "SELECT variant, seed FROM runs"))


def test_each_study_has_its_directory_and_one_page_lists_them(here: Path, command: Command) -> None:
    done = command("run", "first.toml", "second", "--out", "mine")
    assert done.status == 0, done.err
    assert "first.toml: 4 results, " in done.out
    assert "2 studies, 8 results, " in done.out
    assert done.out.index("1 of 2: first.toml") < done.out.index("2 of 2: second.toml")
    assert done.out.count("Report: mine/") == 2
    assert done.out.endswith("All studies: mine/index.html\n")
    assert sorted(path.name for path in Path("mine").iterdir()) == [
        "first-points",
        "index.html",
        "second-points",
    ]
    assert [runs(path) for path in sorted(Path("mine").glob("*points"))] == [4, 4]
    page = Path("mine/index.html").read_text()
    assert 'href="second-points/report.html">Which of two on second?</a>' in page
    again = command("run", "first.toml", "second", "--out", "mine", "--json")
    told = json.loads(again.out)
    assert [study["study"]["name"] for study in told["studies"]] == ["first", "second"]
    assert (told["failed"], told["index"]) == ({}, "mine/index.html")
    assert "2 studies, 0 results: nothing to train" in again.err
    more = command("run", "first.toml", "second", "--out", "mine", "--epochs", "3")
    assert "first.toml: 4 results, " in more.out  # in the same directory, which has fewer epochs
    assert len(list(Path("mine").iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("first.toml", "first"), "first.toml: given twice; leave one out"),
        (("first.toml", "nope"), "unknown study 'nope'"),
        (("first.toml", "copy.toml"), "copy.toml: the same study as first.toml, or one with the same directory, "),
        (("first.toml", "second", "--until-decided"), "--until-decided with several studies: is for one; "),
        (("first.toml", "second", "--shard", "1/2"), "--shard with several studies: is for one; "),
        (("first.toml", "second", "--tensorboard", "logs"), "--tensorboard with several studies: is for one; "),
        (("first.toml", "second", "--epochs", "0"), "--epochs"),
        (("first.toml", "second", "--out", "done"), "--out done: a study directory; of several studies, --out is the "),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_trained(
    arguments: tuple[str, ...], message: str, here: Path, command: Command
) -> None:
    Path("copy.toml").write_text(STUDY.format(name="first"))
    Path("done").mkdir()
    Path("done/study.db").touch()
    done = command("run", *arguments)
    assert done.status == 2
    assert done.err.startswith(f"wellfit: {message}")
    assert done.err.count("\n") == 1
    assert not Path("wellfit-studies").exists()


def test_a_search_that_cannot_be_made_is_said_before_the_first_is_trained(
    here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("search.toml").write_text(STUDY.format(name="search") + "[search.space]\nl2 = { low = 0.1, high = 0.5 }\n")
    monkeypatch.setattr("wellfit.study.search.ask.importlib.util.find_spec", lambda name: None)
    done = command("run", "first.toml", "search.toml")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "needs Optuna" in done.err
    assert not Path("wellfit-studies").exists()


def test_a_study_that_fails_does_not_stop_the_others(
    here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(session: Any, **how: Any) -> None:
        if session.spec.name == "first":
            raise WellfitError("its disk is full")
        run_study(session, **how)

    monkeypatch.setattr("wellfit.study.run.run_study", failing)
    done = command("run", "first.toml", "second", "--out", "mine", "--json")
    assert done.status == 2
    assert "wellfit: first.toml: its disk is full\n" in done.err
    told = json.loads(done.out)
    assert [study["study"]["name"] for study in told["studies"]] == ["second"]
    assert told["failed"] == {"first.toml": "its disk is full"}
    assert not Path("mine/first-points").exists()


def test_a_page_of_someone_else_stays_and_is_noticed_first(here: Path, command: Command) -> None:
    Path("mine").mkdir()
    Path("mine/index.html").write_text("my home page")
    done = command("run", "first.toml", "second", "--out", "mine")
    assert done.status == 2
    assert done.err.startswith("wellfit: mine/index.html: was not written by wellfit")
    assert Path("mine/index.html").read_text() == "my home page"
    assert len(list(Path("mine").iterdir())) == 1  # nothing was trained


# --- On a cluster -----------------------------------------------------------------------------------------------------


class Pools(list[HerePool]):
    """Pretended machines; two studies train at the same time, or the second waits for ever."""

    def __init__(self, act: Callable[[int, int, Event], Event]) -> None:
        super().__init__()
        self.act, self.closed = act, 0

    def make(self, address: Any, dataset: Any, spec: DataSpec) -> HerePool:
        pools = self

        class Closing(HerePool):
            def close(self) -> None:
                pools.closed += 1

        self.append(Closing(dataset, spec, act=self.act))
        return self[-1]


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> Pools:
    """In place of Ray."""
    made = Pools(lambda number, attempt, event: event)
    monkeypatch.setattr(ray_pool, "usable_address", lambda text: text)
    monkeypatch.setattr(ray_pool, "RayPool", _Made(made))
    return made


class _Made(type):
    """A class in name, for ``isinstance``; calling it gives a pretended pool."""

    def __new__(cls, pools: Pools) -> _Made:
        made = super().__new__(cls, "RayPool", (), {})
        made.pools = pools
        return made

    def __init__(cls, pools: Pools) -> None:
        super().__init__("RayPool", (), {})

    def __call__(cls, *given: Any) -> HerePool:
        return cls.pools.make(*given)  # type: ignore[attr-defined,no-any-return]


def test_on_a_cluster_all_studies_train_at_once(here: Path, command: Command, pools: Pools) -> None:
    both = threading.Barrier(2, timeout=60)

    def meet(number: int, attempt: int, event: Event) -> Event:
        if not number:
            both.wait()  # breaks unless the other study is training, too
        return event

    pools.act = meet
    done = command("run", "first.toml", "second", "--out", "there", "--on", "ray")
    assert done.status == 0, done.err
    assert "first.toml: trained in" in done.out
    assert "second.toml: trained in" in done.out
    assert pools.closed == 2
    assert command("run", "first.toml", "second", "--out", "here").status == 0
    for name in ("first-points", "second-points"):
        assert stores.same_bits(Path("here") / name, Path("there") / name)


def test_on_a_cluster_a_study_that_fails_does_not_stop_the_others(here: Path, command: Command, pools: Pools) -> None:
    def fail(number: int, attempt: int, event: Event) -> Event:
        if threading.current_thread() is first[0]:
            raise WellfitError("its part failed")
        return event

    def of_thread(number: int, attempt: int, event: Event) -> Event:
        first.append(threading.current_thread())
        pools[1].act = pools[0].act = fail
        return fail(number, attempt, event)

    first: list[threading.Thread] = []
    pools.act = of_thread
    done = command("run", "first.toml", "second", "--out", "there", "--on", "ray")
    assert done.status == 2
    assert ": its part failed" in done.err
    assert done.out.count("Report: there/") == 1


def test_ctrl_c_reaches_every_thread(here: Path, command: Command, pools: Pools) -> None:
    both = threading.Barrier(2, timeout=60)

    def interrupt(number: int, attempt: int, event: Event) -> Event:
        if both.wait() == 0:
            os.kill(os.getpid(), signal.SIGINT)
        both.wait()
        return event

    pools.act = interrupt
    done = command("run", "first.toml", "second", "--out", "there", "--on", "ray", "--set", "train.seeds=8")
    assert done.status == 130
    assert "To continue: wellfit run first.toml second --out there" in done.out
    assert [pool.stopped for pool in pools] == [1, 1]
    pools.act = lambda number, attempt, event: event
    assert command("run", "first.toml", "second", "--out", "there", "--on", "ray", "--set", "train.seeds=8").status == 0
