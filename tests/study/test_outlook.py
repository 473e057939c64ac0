"""The outlook: what a study will take, told without training or writing anything."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stores
from wellfit.base import Dataset
from wellfit.data.assemble import make_dataset
from wellfit.engine.plan import Plan, make_plan
from wellfit.errors import OtherStudyError, StudyFileError
from wellfit.spec.study import StudySpec, runs, study_from_mapping
from wellfit.study.forecasts import forecast, recipe_of
from wellfit.study.growing import NOTHING_HELD, Held
from wellfit.study.outlook import foresee, prepare, to_json
from wellfit.study.runner import Outlook, run_study

CURVED: dict[str, Any] = {"baseline": {}, "dropout": {"dropout": 0.3}}
LESS: dict[str, Any] = {
    **CURVED,
    "few": {"examples": 40},
    "few-again": {"examples": 40, "l2": 1e-3},
    "all": {"examples": 160},
    "wrong": {"label_noise": 0.4},
}


def study(variants: dict[str, Any], seeds: int = 2, data: dict[str, Any] | None = None, **train: Any) -> StudySpec:
    return study_from_mapping(
        {
            "data": {"name": "points", "scale": "standardize", **(data or {})},
            "model": {"hidden": [8]},
            "train": {"epochs": 3, "batch_size": 32, "seeds": seeds, **train},
            "variants": variants,
        }
    )


def points() -> Dataset:
    """Three overlapping clouds: 200 training and 60 test examples."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, 260)  # (260,)
    x = generator.normal(y[:, None], 2.0, (260, 5)).astype(np.float32)  # (260, 5)
    return make_dataset(x[:200], y[:200], x[200:], y[200:], name="points")


def of(plan: Plan) -> list[tuple[int | None, float, list[str]]]:
    """Of every population: examples, label noise, and its variants."""
    told = []
    for population in plan.populations:
        recipe = recipe_of(population)
        variants = {r.run.variant for t in population.trajectories for r in t.readouts}
        told.append((recipe.examples, recipe.label_noise, sorted(variants)))
    return told


def test_runs_of_other_examples_or_labels_are_planned_apart() -> None:
    plan = prepare(study(LESS), points()).plan
    assert of(plan) == [
        (None, 0.0, ["all", "baseline", "dropout"]),  # as many examples as there are is all of them
        (40, 0.0, ["few", "few-again"]),
        (None, 0.4, ["wrong"]),
    ]
    alone = prepare(study(CURVED), points()).plan
    assert (plan.runs, plan.programs, plan.parameters) == (12, 3, alone.parameters)
    assert plan.work == pytest.approx(
        sum(prepare(study({name: LESS[name] for name in names}), points()).plan.work for _, _, names in of(plan))
    )
    assert plan.memory == max(
        prepare(study({name: LESS[name] for name in names}), points()).plan.memory for _, _, names in of(plan)
    )


def test_more_examples_than_there_are_are_refused() -> None:
    told = r"variant 'a' wants 161 training examples, and the training split has 160; choose at most that"
    with pytest.raises(StudyFileError, match=told):
        prepare(study({"a": {"examples": 161}}), points())


def test_a_share_of_the_data_is_split_and_told() -> None:
    ready = prepare(study(CURVED, data={"train_share": 0.5}), points())
    outlook = ready.outlook(ready.missing(NOTHING_HELD))
    assert outlook.examples == (80, 20, 60)
    assert "100 of 200 training examples" in outlook.data
    assert len(ready.data.x_train) == 80


def test_it_foresees_what_the_run_then_tells_and_writes_nothing(tmp_path: Path) -> None:
    directory, spec, told = tmp_path / "study", study(LESS, precision="mixed"), list[Outlook]()
    outlook = foresee(spec, points(), directory)
    assert stores.tree(tmp_path) == {}
    run_study(spec, points(), directory, on_plan=told.append)
    anew: dict[str, Any] = {"seconds": 0.0, "memory": 0}  # measured every time
    assert dataclasses.replace(outlook, **anew) == dataclasses.replace(told[0], **anew)
    assert (outlook.plan.runs, outlook.done, outlook.precision) == (12, 0, "products in bfloat16, sums in float32")

    before = stores.tree(tmp_path)
    more = foresee(dataclasses.replace(spec, seeds=(0, 1, 2)), points(), directory)
    assert (more.plan.runs, more.done) == (6, 12)
    assert foresee(spec, points(), directory).plan.runs == 0
    assert foresee(spec, points()).plan.runs == 12  # as --fresh would have it
    with pytest.raises(OtherStudyError, match=r"study: holds another study: \[train\] precision is \"mixed\" there"):
        foresee(study(LESS), points(), directory)
    assert stores.tree(tmp_path) == before


def test_auto_tells_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for has, small, told in (
        (True, False, "products in bfloat16, sums in float32"),
        (False, False, "products in float32"),
        (True, True, "products in float32"),
    ):
        monkeypatch.setattr("wellfit.engine.precision.has_bfloat16", lambda has=has: has)
        monkeypatch.setattr("wellfit.study.outlook.is_small", lambda shape, examples, small=small: small)
        outlook = foresee(study(CURVED, precision="auto"), points())
        assert outlook.precision == told
        plain = to_json(outlook, study(CURVED, precision="auto"), Path("here"), "1")
        assert plain["precision"] == {"asked": "auto", "chosen": told}


def test_json_says_all_of_it() -> None:
    spec = study(CURVED)
    outlook = foresee(spec, points())
    plain = json.loads(json.dumps(to_json(outlook, spec, Path("a") / "b", "0.1")))
    assert plain.pop("seconds") == outlook.seconds > 0
    assert plain.pop("memory") == outlook.memory > 0
    assert plain == {
        "wellfit": "0.1",
        "study": {"name": "study", "title": "study", "data": outlook.data, "directory": str(Path("a") / "b")},
        "examples": {"training": 160, "validation": 40, "test": 60},
        "seeds": [0, 1],
        "epochs": 3,
        "runs": 4,
        "done": 0,
        "trajectories": 4,
        "programs": 1,
        "devices": outlook.devices,
        "parameters": [5 * 8 + 8 + 8 * 3 + 3],
        "precision": {"asked": "float32", "chosen": "products in float32"},
        "continued": 0,
        "saved_epochs": 0,
        "anew": {},
    }


def test_the_forecast_grows_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.engine.devices.product_rate", lambda: 1e9)
    monkeypatch.setattr("wellfit.engine.devices.COMPILE_SECONDS", 0.0)

    def seconds(on: int = 1, **train: Any) -> float:
        plan = make_plan(runs(study(CURVED, **train)), (7,), 3, (160, 40, 40), on)
        return forecast(plan, 160, on)

    assert seconds() > 0
    assert seconds(epochs=6) == pytest.approx(2 * seconds())
    assert seconds(on=2) == pytest.approx(seconds() / 2)
    assert seconds(batch_size=16) > seconds()  # more steps
    few = prepare(study({"few": {"examples": 40}}), points())
    assert forecast(few.plan, 160, 1) < forecast(prepare(study({"all": {}}), points()).plan, 160, 1) / 2
    once = seconds()
    monkeypatch.setattr("wellfit.engine.devices.COMPILE_SECONDS", 3.0)
    assert seconds() == pytest.approx(once + 3)  # one program


def test_what_is_not_begun_stays_as_it_was_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waves are not in the order of the study: planned again in theirs, the second population would be another."""
    monkeypatch.setattr("wellfit.engine.plan._SMALL", 0)
    wide = {"model": {"hidden": [9]}}
    ready = prepare(study({"plain": {}, "a": wide, "b": {**wide, "l2": 1e-3}}, seeds=3), points())
    first, second = ready.plan.populations
    finished = {(r.run.variant, r.run.seed) for t in first.trajectories for r in t.readouts}
    assert {variant for variant, _ in finished} == {"plain"}
    assert ready.missing(Held(frozenset(finished))).plan.populations == (second,)


def test_auto_is_one_precision_for_the_whole_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.engine.precision.has_bfloat16", lambda: True)
    monkeypatch.setattr("wellfit.study.outlook.is_small", lambda shape, examples: examples < 100)
    plan = prepare(study(LESS, precision="auto"), points()).plan
    assert {population.program.precision for population in plan.populations} == {"mixed"}


def test_a_batch_that_is_too_large_for_the_share_that_is_kept_says_why() -> None:
    small = study(CURVED, data={"train_share": 0.25}, batch_size=64)
    with pytest.raises(
        StudyFileError, match=r"^batch_size = 64 of variant 'baseline' .* of 40 .*25 % .*--quick"
    ) as told:
        prepare(small, points())
    assert str(told.value).endswith("to keep all: --set data.train_share=1")
    assert "\n" not in str(told.value)
    assert prepare(study(CURVED, data={"train_share": 1.0}, batch_size=64), points()).plan.runs == 4
