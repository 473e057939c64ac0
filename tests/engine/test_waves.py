"""Waves: an epoch that is left between two of them, and trajectories that go on in one place while others begin."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import stores
from small_studies import points, small
from wellfit.base import Averaging, ModelSpec, Recipe, RunRecord, RunSpec, Schedule, TrainingData
from wellfit.engine import train as training
from wellfit.engine import waves
from wellfit.engine.final_states import FinalState, obstacle
from wellfit.engine.plan import Population, make_plan
from wellfit.engine.train import Epoch, Trainer
from wellfit.study import interrupts, run
from wellfit.study.run import Interrupted, Progress, run_study
from wellfit.study.session import Session

BASE = Recipe(model=ModelSpec("mlp", (8,)), epochs=3, batch_size=32)


def planned(data: TrainingData, recipes: dict[str, Recipe], epochs: int) -> Population:
    runs = [RunSpec(name, seed, replace(r, epochs=epochs)) for name, r in recipes.items() for seed in range(5)]
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    (population,) = make_plan(runs, data.input_shape, data.classes, sizes, len(jax.devices())).populations
    return population


def trained(
    trainer: Trainer, population: Population, ends: dict[str, FinalState]
) -> tuple[list[RunRecord], dict[str, FinalState]]:
    last: list[Epoch] = []
    records = trainer.train(population, on_epoch=last.append, ends=ends)
    return records, {end.name: end for end in last[-1].ends()}


def test_in_several_waves_each_goes_on_from_where_it_is(
    small_data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellfit.engine.plan._SMALL", 0)  # one group a device, as with data that fill no cache
    recipes = {
        "plain": BASE,
        "cosine": replace(BASE, schedule=Schedule("cosine")),
        "ema": replace(BASE, l2=0.01, average=Averaging("ema", decay=0.9)),
    }
    trainer = Trainer(small_data)
    once, _ = trained(trainer, planned(small_data, recipes, 5), {})
    _, ends = trained(trainer, planned(small_data, recipes, 3), {})
    population = planned(small_data, recipes, 5)
    assert len(population.waves) > 1
    why = {t.name: obstacle(ends[t.name].facts, population.program, t, ()) for t in population.trajectories}
    assert {name.split(".")[0] for name, reason in why.items() if reason} == {"cosine"}
    grown, _ = trained(trainer, population, {name: ends[name] for name, reason in why.items() if reason is None})
    for a, b in zip(once, grown, strict=True):
        assert (a.spec, a.state, a.scores) == (b.spec, b.state, b.scores)
        assert all(np.array_equal(a.history[c], b.history[c]) for c in a.history.columns)
        assert all(np.array_equal(a.weights[k], b.weights[k]) for k in a.weights)


def test_what_an_end_costs(small_data: TrainingData) -> None:
    _, ends = trained(Trainer(small_data), planned(small_data, {"adam": BASE}, 2), {})
    arrays = ends["adam.0"].arrays
    parameters = 16 * 8 + 8 + 8 * 3 + 3
    state = [a for name, a in arrays.items() if name.startswith("state/")]
    assert {a.dtype for a in state} == {np.dtype(np.float32), np.dtype(np.int32)}  # Adam counts its steps
    assert sum(a.nbytes for a in state if a.dtype == np.float32) == 3 * 4 * parameters
    assert arrays["rows"].shape == (2, 12)
    assert not any(name.startswith("kept/") for name in arrays)


def test_an_epoch_can_be_left_between_two_waves(small_data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.engine.plan._SMALL", 0)
    population = planned(small_data, {"plain": BASE}, 3)
    begun: list[int] = []

    def stop() -> None:
        begun.append(len(begun))
        if len(begun) == len(population.waves) + 2:
            raise KeyboardInterrupt

    epochs: list[Epoch] = []
    with pytest.raises(KeyboardInterrupt):
        Trainer(small_data).train(population, on_epoch=epochs.append, on_wave=stop)
    assert [epoch.number for epoch in epochs] == [1]


def test_a_second_interrupt_loses_only_the_current_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_study(Session(small(5), points(), tmp_path / "whole"))
    masks: list[int] = []
    mask = waves.active_mask

    def pressed(*arguments: Any) -> Any:
        masks.append(1)
        if len(masks) == 4:  # as the fourth epoch begins
            os.kill(os.getpid(), signal.SIGINT)
        return mask(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "active_mask", pressed)
        patch.setattr(interrupts, "GRACE", -1.0)
        patch.setattr(run, "CHECKPOINT_SECONDS", -1.0)
        with pytest.raises(
            Interrupted, match="The epoch in progress was discarded; finished runs and the last checkpoint are kept"
        ):
            run_study(Session(small(5), points(), tmp_path / "study"))
    ticks: list[Progress] = []
    run_study(Session(small(5), points(), tmp_path / "study"), on_progress=ticks.append)
    assert [tick.epoch for tick in ticks] == [4, 5, 0]
    assert stores.same_bits(tmp_path / "study", tmp_path / "whole")
