"""Compiling the next program while a population trains."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from small_studies import points, small
from wellfit.engine import devices
from wellfit.engine.train import Trainer, _compiled
from wellfit.nn import accelerator
from wellfit.study.compiling import compiling_ahead
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.together import Together

DEEP = {"model": {"kind": "mlp", "hidden": (4,)}}
DEEPER = {"model": {"kind": "mlp", "hidden": (4, 4)}}


class Compiler:
    """Stands for a trainer; notes the threads that compile, and can be held up."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.free = threading.Event()
        self.free.set()

    def compile(self, population: Any) -> None:
        self.free.wait(10)
        self.threads.append(threading.current_thread().name)


@pytest.fixture
def together(tmp_path: Path) -> list[Together]:
    return list(Session(small(1, deep=DEEP, deeper=DEEPER), points(), tmp_path / "s").together)


def test_each_program_is_compiled_once_in_another_thread(together: list[Together]) -> None:
    compiler = Compiler()
    with compiling_ahead(lambda _: compiler) as begin:  # type: ignore[arg-type, return-value]
        for each in (*together, *together, None):
            begin(each)
    assert len(together) == 3
    assert compiler.threads == ["wellfit-compiler_0"] * 3


def test_what_is_wanted_now_is_waited_for(together: list[Together]) -> None:
    compiler = Compiler()
    compiler.free.clear()
    with compiling_ahead(lambda _: compiler) as begin:  # type: ignore[arg-type, return-value]
        begin(together[0])
        assert compiler.threads == []  # it goes on
        threading.Timer(0.1, compiler.free.set).start()
        begin(None)
        assert len(compiler.threads) == 1


@pytest.mark.parametrize("change", ["two cores", "an accelerator", "large data"])
def test_sometimes_nothing_is_compiled_ahead(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cores", lambda: 4)
    spec = small(1, deep=DEEP)
    assert Session(spec, points(), tmp_path / "s").compiles_ahead
    if change == "two cores":
        monkeypatch.setattr(devices, "cores", lambda: 2)
    elif change == "an accelerator":
        monkeypatch.setattr(accelerator, "in_use", lambda: True)
    else:
        monkeypatch.setattr("wellfit.study.session.fetches", lambda data: False)
    assert not Session(spec, points(), tmp_path / "s").compiles_ahead


@pytest.mark.parametrize("in_data", [True, False])
def test_an_error_is_left_for_the_training(in_data: bool, together: list[Together]) -> None:
    met: list[str] = []

    def fail(_: Any) -> Any:
        met.append("no room")
        raise MemoryError("no room")

    compiler = Compiler()
    compiler.compile = fail  # type: ignore[method-assign]
    with compiling_ahead(fail if in_data else lambda _: compiler) as begin:  # type: ignore[arg-type, return-value]
        begin(together[0])
        begin(None)
    assert met == ["no room"]


@pytest.fixture
def compiled_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The populations that were compiled ahead."""
    seen: list[Any] = []
    original = Trainer.compile

    def compile(trainer: Trainer, population: Any) -> None:
        original(trainer, population)
        seen.append(population)

    monkeypatch.setattr(Trainer, "compile", compile)
    _compiled.cache_clear()
    yield seen
    _compiled.cache_clear()


@pytest.mark.parametrize("folds", [1, 4])
def test_training_uses_the_program_that_was_compiled_ahead(
    folds: int, compiled_by: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "cores", lambda: 4)
    spec = small(2, 4, folds, deep=DEEP, deeper=DEEPER)
    session = Session(spec, points() if folds == 1 else replace(points(), validation_rows=None), tmp_path / "s")
    run_study(session)
    ahead = [each.population for each in session.together[1:]]
    assert compiled_by == ahead
    assert len(ahead) == 2
    trainer = Trainer(session.data, session.mesh)
    for population in ahead:
        assert trainer.compiled(population.program).run_epoch._cache_size() == 1  # type: ignore[attr-defined]


def test_large_data_are_not_compiled_ahead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("wellfit.engine.train.fetches", lambda data: False)
    monkeypatch.setattr("wellfit.engine.train.waves_of", lambda *arguments: pytest.fail("compiled"))
    session = Session(small(1), points(), tmp_path / "s")
    Trainer(session.data, session.mesh).compile(session.plan.populations[0])
