"""Plans of runs on the data at hand, and forecasts of their time."""

from __future__ import annotations

from typing import Any

import pytest

from small_studies import NOWHERE, few_points, perceptrons
from wellfit.engine import devices, machine
from wellfit.engine.plan import Plan
from wellfit.errors import StudyFileError
from wellfit.study.planning import memory_of, memory_to_read, recipe_of
from wellfit.study.session import Session

CURVED: dict[str, Any] = {"baseline": {}, "dropout": {"dropout": 0.3}}
LESS: dict[str, Any] = {
    **CURVED,
    "few": {"examples": 40},
    "few-again": {"examples": 40, "l2": 1e-3},
    "all": {"examples": 160},
    "wrong": {"label_noise": 0.4},
}


def plan_of(variants: dict[str, Any], **train: Any) -> Plan:
    return Session(perceptrons(variants, **train), few_points(), NOWHERE).plan


def populations(plan: Plan) -> list[tuple[int | None, float, list[str]]]:
    """The examples, label noise and variants of every population."""
    rows = []
    for population in plan.populations:
        recipe = recipe_of(population)
        variants = {r.run.variant for t in population.trajectories for r in t.readouts}
        rows.append((recipe.examples, recipe.label_noise, sorted(variants)))
    return rows


def test_runs_of_other_examples_or_labels_are_planned_apart() -> None:
    plan = plan_of(LESS)
    assert populations(plan) == [
        (None, 0.0, ["all", "baseline", "dropout"]),  # as many examples as there are is all of them
        (40, 0.0, ["few", "few-again"]),
        (None, 0.4, ["wrong"]),
    ]
    assert (plan.runs, plan.programs, plan.parameters) == (12, 3, plan_of(CURVED).parameters)
    parts = [plan_of({name: LESS[name] for name in names}) for _, _, names in populations(plan)]
    assert plan.work == pytest.approx(sum(part.work for part in parts))
    assert plan.memory == max(part.memory for part in parts)


def test_more_examples_than_there_are_are_refused() -> None:
    message = r"variant 'a' sets examples = 161, but the training split has only 160; use at most that many"
    with pytest.raises(StudyFileError, match=message):
        plan_of({"a": {"examples": 161}})


def test_auto_is_one_precision_for_the_whole_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.engine.precision.mixed_is_faster", lambda: True)
    monkeypatch.setattr("wellfit.study.planning.is_small", lambda shape, examples: examples < 100)
    plan = plan_of(LESS, precision="auto")
    assert {population.program.precision for population in plan.populations} == {"mixed"}


def test_programs_that_are_compiled_first_take_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "resident", lambda: 0)
    plan = plan_of({f"n{units}": {"model": {"kind": "mlp", "hidden": (units,)}} for units in (3, 4, 5, 6, 7)})
    programs = [population.program for population in plan.populations]
    assert len(programs) == 5
    rooms = []
    for count in range(6):
        known = programs[count:]
        monkeypatch.setattr(machine, "attained", lambda program, known=known: 1e9 if program in known else None)
        rooms.append([(memory_of(plan, ahead=ahead) - plan.memory) / devices.ROOM_BYTES for ahead in (False, True)])
    assert rooms == [[1, 1], [2, 2], [2, 4], [2, 6], [2, 6], [2, 6]]


def test_reading_many_runs_can_take_more_memory_than_training_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "resident", lambda: 10**6)
    monkeypatch.setattr(machine, "attained", lambda program: None)
    plan = Plan((), 0, (), 0.0, 5 * 10**6)
    training = memory_of(plan)
    assert training == memory_of(plan, 10**6) == 10**6 + 5 * 10**6 + devices.ROOM_BYTES
    assert memory_of(plan, training) == 10**6 + training
    assert memory_to_read(2, 400, 1000, 10, "brier") - memory_to_read(2, 400, 1000, 10) == 3 * 800 * 1000
    assert memory_to_read(2, 4000, 1000, 10) < 350e6 < 450e6 < memory_to_read(2, 4000, 2000, 10) < 650e6
