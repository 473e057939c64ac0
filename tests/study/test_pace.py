"""Forecasts before a training, and the time left while it runs."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from small_studies import NOWHERE, few_points, perceptrons
from study.test_planning import CURVED, LESS, plan_of
from wellfit.engine import machine
from wellfit.engine.plan import make_plan
from wellfit.spec.study import runs
from wellfit.study.pace import Pace, Stage, around, seconds_around, seconds_of, stages_of
from wellfit.study.session import Session


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "product_rate", lambda: 1e9)
    monkeypatch.setattr(machine, "attained", lambda program: None)
    monkeypatch.setattr("wellfit.engine.devices.COMPILE_SECONDS", 0.0)


def seconds(mesh_size: int = 1, **train: Any) -> float:
    plan = make_plan(runs(perceptrons(CURVED, **train)), (7,), 3, (160, 40, 40), mesh_size)
    return seconds_of(stages_of(plan, 160, mesh_size))


def test_the_forecast_grows_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds() > 0
    assert seconds(epochs=6) == pytest.approx(2 * seconds())
    assert seconds(mesh_size=2) == pytest.approx(seconds() / 2)
    assert seconds(batch_size=16) > seconds()  # more steps
    few, whole = (seconds_of(stages_of(plan_of(v), 160, 1)) for v in ({"few": {"examples": 40}}, {"all": {}}))
    assert few < whole / 2
    once = seconds()
    monkeypatch.setattr("wellfit.engine.devices.COMPILE_SECONDS", 3.0)
    assert seconds() == pytest.approx(once + 3)  # one program


def test_a_program_that_was_trained_before_has_its_own_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(LESS)
    monkeypatch.setattr(machine, "attained", lambda program: 1e6)
    stages = stages_of(plan, 160, 1)
    assert [stage.known for stage in stages] == [True] * len(plan.populations)
    assert [stage.training for stage in stages] == pytest.approx([p.work / 1e6 for p in plan.populations])
    assert stages_of(plan, 160, 1, lambda population: 0) == tuple(
        Stage(stage.program, 0, 0.0, 0.0, known=True) for stage in stages
    )


def test_what_surrounds_the_training_grows_with_data_and_runs() -> None:
    plan = plan_of(LESS)
    before, after = seconds_around(plan, (160, 40, 40), 0)
    more_before, more_after = seconds_around(plan, (160, 40, 40), 100_000_000)
    assert more_before > before + 1
    assert more_after > after + 1
    assert seconds_around(plan, (160, 40, 4000), 0)[1] > after


def test_the_range_is_wider_for_what_is_unknown_and_on_a_busy_machine() -> None:
    known, unknown = Stage("a", 1, 0.0, 1.0, known=True), Stage("b", 1, 0.0, 1.0)
    widths = [
        high / low
        for low, high in (
            around(10.0, [known], 1.0),
            around(10.0, [known, unknown], 1.0),
            around(10.0, [unknown], 1.0),
            around(10.0, [unknown], 1.5),
            around(10.0, [unknown], 9.0),
        )
    ]
    assert widths == sorted(widths)
    assert len(set(widths)) == len(widths)
    low, high = around(10.0, [unknown], 100.0)
    assert 3 < low < 10 < high < 26


def follow(pace: Pace, epochs: list[tuple[int, float, int]], after: float) -> list[float]:
    """The ratio of what is said to be left to what is, after each epoch; 0 where nothing is said.

    Args:
      epochs: stage, seconds and trajectory-epochs of each.
    """
    times = list(itertools.accumulate(seconds for _, seconds, _ in epochs))
    done: dict[int, int] = {}
    ratios = []
    for (stage, _, units), now in zip(epochs, times, strict=True):
        done[stage] = done.get(stage, 0) + units
        left = pace.after_epoch(stage, now, done[stage])
        ratios.append(0.0 if left is None else left / max(times[-1] - now + after, 1e-9))
    return ratios


def test_the_time_left_is_right_from_the_third_epoch_on() -> None:
    """Five folds of one program, whose epochs take four times as long as forecast, and whose compilation does, too."""
    stages = [Stage("p", 40, 2.0 if fold == 0 else 0.1, 10.0) for fold in range(5)]
    epochs = [(fold, 4.0 + (8.0 if fold == 0 else 0.4) * (epoch == 0), 4) for fold in range(5) for epoch in range(10)]
    ratios = follow(Pace(stages, 1.0), epochs, 4.0)
    assert ratios[:2] == [0.0, 0.0]
    assert all(0.9 < ratio < 1.1 for ratio in ratios[2:])


def test_the_time_left_follows_a_machine_that_becomes_busy() -> None:
    stages = [Stage("p", 100, 1.0, 100.0, known=True)]
    epochs = [(0, 1.0 if epoch < 30 else 3.0, 1) for epoch in range(100)]
    ratios = follow(Pace(stages, 0.0), epochs, 0.0)
    assert all(0.9 < ratio < 1.1 for ratio in ratios[45:-1])


def test_epochs_of_milliseconds_say_little() -> None:
    """Among the first ones, a few that had to wait for another program would make all the others look slow."""
    stages = [Stage("p", 1000, 0.1, 10.0, known=True)]
    pace = Pace(stages, 0.0)
    for second, done in ((0.1, 1), (0.2, 2), (0.3, 3)):  # ten times as long as the forecast
        left = pace.after_epoch(0, second, done)
    assert left is not None
    assert 9 < left < 14
    for epoch in range(4, 400):
        left = pace.after_epoch(0, 0.3 + 0.01 * (epoch - 3), epoch)
    assert left == pytest.approx(6.0, rel=0.1)


def test_programs_yet_to_come_are_as_much_slower_as_those_before() -> None:
    stages = [Stage("a", 10, 1.0, 10.0), Stage("b", 10, 1.0, 40.0)]
    epochs = [*((0, 2.0 + 2.0 * (e == 0), 1) for e in range(10)), *((1, 8.0 + 2.0 * (e == 0), 1) for e in range(10))]
    ratios = follow(Pace(stages, 0.0), epochs, 0.0)
    assert all(0.9 < ratio < 1.1 for ratio in ratios[2:-1])


def test_single_epochs_have_a_pace_from_the_third_population_on() -> None:
    stages = [Stage("a", 2, 0.0, 1.0) for _ in range(10)]
    ratios = follow(Pace(stages, 0.0), [(fold, 3.0, 2) for fold in range(10)], 0.0)
    assert ratios[2:-1] == pytest.approx([1.0] * 7)


def test_a_thousand_populations_cost_no_more_time_each_than_a_few() -> None:
    """A study with folds has one for every seed; their forecasts were added up anew after every epoch of each."""
    pace, epochs, populations = Pace([Stage("program", 20, 0.5, 2.0)] * 3000, after=1.0), 4, 3000
    began, now, left = time.process_time(), 0.0, None
    for stage, epoch in itertools.product(range(populations), range(1, epochs + 1)):
        now += 0.5
        left = pace.after_epoch(stage, now, 5 * epoch)
        if stage == 10:
            assert left == pytest.approx((populations - 11) * 2.0 + (epochs - epoch) * 0.5 + 1.0, rel=0.05)
    assert time.process_time() - began < 5.0  # adding all up after every epoch would take minutes
    assert left == pytest.approx(1.0, rel=0.05)


def test_a_session_measures_only_a_study_that_takes_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = iter([3.0])
    monkeypatch.setattr(machine, "slowdown", lambda: next(measured))
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    short = Session(perceptrons(CURVED), few_points(), NOWHERE)
    assert short.slowdown == short.forecast.slowdown == 1.0
    long = Session(perceptrons(CURVED, epochs=100_000), few_points(), NOWHERE)
    assert long.slowdown == long.forecast.slowdown == 3.0
    alone = seconds_of(long.stages) + sum(long.around_training)
    assert long.forecast.seconds == pytest.approx(3 * alone)
    low, high = long.forecast.between
    assert low < long.forecast.seconds < high
    again = Session(perceptrons(CURVED, epochs=100_000), few_points(), NOWHERE)
    assert again.slowdown == 3.0  # not measured again within seconds
