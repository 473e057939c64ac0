"""Precision: what a study may ask for, what the machine is good at, and what becomes of "auto"."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest

from wellfit.base import LayerSpec, ModelSpec, Recipe, RunSpec
from wellfit.engine import devices, machine_file, precision
from wellfit.engine.plan import make_plan
from wellfit.errors import UnknownNameError
from wellfit.spec.tables import PrecisionChoice

MLP = ModelSpec("mlp", (8,))
FILTERS = ModelSpec("layers", (), layers=(LayerSpec("conv2d", filters=2), LayerSpec("flatten")))
STACK = ModelSpec("layers", (), layers=(LayerSpec("flatten"), LayerSpec("dense", units=3)))
CONVOLUTIONAL = [ModelSpec("lenet5", ()), ModelSpec("cnn", (4,)), FILTERS]
DENSE = [MLP, ModelSpec("logistic", ()), STACK]


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    """The machine is asked once per process; here, once per test."""
    found_out = precision.mixed_is_faster  # itself, and not what a test puts in its place
    found_out.cache_clear()
    yield
    found_out.cache_clear()


def hardware(monkeypatch: pytest.MonkeyPatch, faster: bool) -> None:
    monkeypatch.setattr(precision, "mixed_is_faster", lambda: faster)


# --- What is asked for


@pytest.mark.parametrize("model", [*DENSE, *CONVOLUTIONAL], ids=lambda model: model.kind)
@pytest.mark.parametrize("faster", [False, True])
def test_what_is_asked_for_by_name_is_done_everywhere(
    model: ModelSpec, faster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardware(monkeypatch, faster)
    assert precision.resolve("float32", model) == "float32"
    assert precision.resolve("mixed", model) == "mixed"


@pytest.mark.parametrize("model", [*DENSE, *CONVOLUTIONAL], ids=lambda model: model.kind)
@pytest.mark.parametrize("faster", [False, True])
def test_auto_is_mixed_where_faster_and_without_convolutions(
    model: ModelSpec, faster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardware(monkeypatch, faster)
    assert precision.resolve("auto", model) == ("mixed" if faster and model in DENSE else "float32")


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"^unknown precision 'float16'; .*\(known: auto, float32, mixed\)$"):
        precision.resolve("float16", MLP)


def test_the_study_file_knows_the_same_names() -> None:
    assert get_args(PrecisionChoice) == precision.CHOICES


def test_a_plan_resolves_every_model_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    hardware(monkeypatch, True)
    models = {"dense": MLP, "convolutional": ModelSpec("cnn", (4,))}
    runs = [RunSpec(name, 0, Recipe(model=model)) for name, model in models.items()]

    def planned(asked: str) -> dict[str, str]:
        plan = make_plan(runs, (28, 28), 3, (48_000, 200, 200), 1, asked)
        return {
            population.groups[0][0].readouts[0].run.variant: population.program.precision
            for population in plan.populations
        }

    assert planned("auto") == {"dense": "mixed", "convolutional": "float32"}
    assert planned("mixed") == {"dense": "mixed", "convolutional": "mixed"}
    assert planned("float32") == {"dense": "float32", "convolutional": "float32"}
    with pytest.raises(UnknownNameError):
        planned("half")


def test_words() -> None:
    assert precision.in_words({"float32"}) == precision.in_words(()) == "products in float32"
    assert precision.in_words({"mixed"}) == "products in bfloat16, sums in float32"
    both = "products in bfloat16, sums in float32; those of convolutional networks in float32"
    assert precision.in_words({"float32", "mixed"}) == both


# --- What the machine has


def on(monkeypatch: pytest.MonkeyPatch, **device: Any) -> None:
    """Let the devices be of this kind."""
    mesh = SimpleNamespace(devices=np.array([SimpleNamespace(**device)]))
    monkeypatch.setattr(devices, "mesh", lambda: mesh)


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where measurements are kept: nowhere yet."""
    monkeypatch.setenv("WELLFIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "machine.json"


def taking(monkeypatch: pytest.MonkeyPatch, float32: float, mixed: float) -> list[str]:
    """Let the products of both precisions take so many seconds; returns the precisions in which they were computed."""
    clock, computed = [0.0], []
    seconds = {"float32": float32, "mixed": mixed}

    def products(name: str) -> Callable[[], None]:
        def run() -> None:
            computed.append(name)
            again = computed.count(name)
            clock[0] += seconds[name] * (50 if again == 1 else 1 + again % 3)  # compilation, then other processes

        return run

    monkeypatch.setattr(precision, "_products", products)
    monkeypatch.setattr(precision.time, "perf_counter", lambda: clock[0])
    return computed


@pytest.mark.parametrize(
    ("float32", "mixed", "faster"), [(1.0, 0.5, True), (1.0, 0.88, True), (1.0, 0.92, False), (1.0, 1.4, False)]
)
def test_a_cpu_is_measured_whatever_its_flags(
    float32: float, mixed: float, faster: bool, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking(monkeypatch, float32, mixed)
    assert precision.mixed_is_faster() is faster
    assert precision.resolve("auto", MLP) == ("mixed" if faster else "float32")
    (kept,) = json.loads(file.read_text())["precision"].values()
    assert kept == pytest.approx({"float32": float32, "mixed": mixed})  # the best turn of each


def test_both_are_computed_in_turns(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = taking(monkeypatch, 1.0, 1.0)
    precision.mixed_is_faster()
    assert computed == ["float32", "mixed"] * (len(computed) // 2)
    assert len(computed) >= 10


def test_a_machine_is_measured_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = taking(monkeypatch, 1.0, 0.5)
    assert precision.mixed_is_faster()
    count = len(computed)
    precision.mixed_is_faster.cache_clear()  # another process
    assert precision.mixed_is_faster()
    assert len(computed) == count
    precision.mixed_is_faster.cache_clear()
    monkeypatch.setattr(machine_file, "name", lambda: "another processor")
    assert precision.mixed_is_faster()
    assert len(computed) == 2 * count


@pytest.mark.parametrize(
    "kept",
    [
        *("null", "3", "[]", "{}", '{"float32": 1.0}', '{"float32": 1.0, "mixed": "fast"}'),
        *('{"float32": 1.0, "mixed": 0.0}', '{"float32": 1e999, "mixed": 1.0}', '{"float32": NaN, "mixed": 1.0}'),
    ],
)
def test_a_damaged_measurement_is_repeated(kept: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps({"precision": {machine_file.name(): "KEPT"}}).replace('"KEPT"', kept))
    computed = taking(monkeypatch, 1.0, 0.5)
    assert precision.mixed_is_faster()
    assert computed


def test_networks_with_convolutions_need_no_measurement(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = taking(monkeypatch, 1.0, 0.5)
    assert precision.resolve("auto", FILTERS) == "float32"
    assert not computed


def test_the_products_of_this_machine_take_some_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_SIZES", (8, 16, 4))
    monkeypatch.setattr(precision, "_ROUNDS", 2)
    assert precision.mixed_is_faster() in (True, False)
    (kept,) = json.loads(file.read_text())["precision"].values()
    assert kept.keys() == {"float32", "mixed"}
    assert all(0 < seconds < 60 for seconds in kept.values())


@pytest.mark.parametrize(
    ("device", "faster"),
    [
        ({"compute_capability": "7.5"}, False),
        ({"compute_capability": "8.0"}, True),
        ({"compute_capability": "9.0"}, True),
        ({"compute_capability": "10.0"}, True),
        ({"compute_capability": "gfx90a"}, False),
        ({}, False),
    ],
)
def test_a_gpu_tells_by_its_compute_capability(
    device: dict[str, str], faster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, platform="gpu", **device)
    assert precision.mixed_is_faster() is faster


def test_it_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, platform="gpu", compute_capability="8.0")
    assert precision.mixed_is_faster()
    on(monkeypatch, platform="gpu", compute_capability="7.0")
    assert precision.mixed_is_faster()
