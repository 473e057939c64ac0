"""What this machine can do: measured once, kept in the cache folder, and never a reason to fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import pytest

import wellfit
from wellfit.base import ModelSpec, Recipe, RunSpec
from wellfit.engine import machine, machine_file, plan
from wellfit.engine.machine import attained, group_costs, learn, slowdown
from wellfit.engine.plan import Population, make_plan

MEASURED = {"costs": ((1, 1.0), (4, 0.75)), "seconds": {"1": 0.2}}


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where measurements are kept: nowhere yet."""
    monkeypatch.setenv("WELLFIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "machine.json"


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A fake measurement that records its calls and takes no time."""
    result: list[int] = []

    def measured() -> dict[str, Any]:
        result.append(1)
        return MEASURED

    monkeypatch.setattr(machine, "_measured", measured)
    return result


def population_of(recipe: Recipe, seeds: int = 2) -> Population:
    runs = [RunSpec("v", seed, recipe) for seed in range(seeds)]
    (population,) = make_plan(runs, (28, 28), 10, (48_000, 12_000, 12_000), 1).populations
    return population


MLP = Recipe(model=ModelSpec("mlp", (16,)), epochs=10, l1=1e-4, l2=1e-3, dropout=0.2)


# --- Measuring --------------------------------------------------------------------------------------------------------


def test_a_measurement_says_what_widths_cost(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_EXAMPLES": 512, "_SCORED": 64, "_EPOCHS": 2, "_TURNS": 1, "_WIDTHS": (1, 2)}.items():
        monkeypatch.setattr(machine, name, value)
    monkeypatch.setattr(plan, "_SMALL", 0)  # as the examples of a measurement are not
    found = group_costs()
    assert found[0] == (1, 1.0)
    assert all(width == 2 and 0 < cost < 0.9 for width, cost in found[1:])
    (kept,) = json.loads(file.read_text())["machine"].values()
    assert kept["seconds"].keys() == {"1", "2"}


def test_what_was_measured_is_read_back(file: Path, count: list[int]) -> None:
    assert group_costs() == MEASURED["costs"]
    assert file.is_file()
    assert group_costs() == MEASURED["costs"]
    assert len(count) == 1


OURS = '{"machine": {"NAME": %s}}'


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '{"machine": 3}', '{"machine": {}}', '{"other": {}}', "\x00\x01"),
        *(OURS % kept for kept in ("null", "7", "[]", "{}", '{"costs": 1}', '{"costs": []}')),
        OURS % '{"costs": [[1, 1.0], ["wide", 2]]}',
        OURS % '{"costs": [[1, 1.0], [0, 0.5]]}',
        OURS % '{"costs": [[1, 1.0], [2]]}',
        *(
            OURS % f'{{"costs": [[1, 1.0], [{pair}]]}}'
            for pair in ("1e999, 1", "2, -1", "2, NaN", "2, 1e999", "1e9, 0.1")
        ),
        "[" * 100_000,
        '{"machine": ' * 50_000,
        OURS % ("1" * 5000),
        " " * (5 << 20) + "{}",
    ],
)
def test_a_corrupt_or_foreign_file_is_measured_anew(text: str, file: Path, count: list[int]) -> None:
    file.parent.mkdir()
    file.write_text(text.replace("NAME", machine_file.name()))
    assert attained(population_of(MLP).program) is None
    for _ in range(2):
        assert group_costs() == MEASURED["costs"]
    assert len(count) == 1  # and is whole from then on


def test_bytes_that_are_no_text_are_measured_anew(file: Path, count: list[int]) -> None:
    file.parent.mkdir()
    file.write_bytes(b"\xff\xfe\x00\x80")
    group_costs()
    assert len(count) == 1
    assert json.loads(file.read_text())["machine"]


def test_a_folder_that_cannot_be_written_does_no_harm(
    tmp_path: Path, count: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WELLFIT_CACHE", str(tmp_path / "file" / "cache"))
    population = population_of(MLP)
    for _ in range(2):
        assert group_costs() == MEASURED["costs"]
    assert len(count) == 2
    learn(population, 20, 2.0)
    assert attained(population.program) is None
    assert (tmp_path / "file").read_text() == "in the way"


def test_another_processor_measures_for_itself(count: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    population = population_of(MLP)
    group_costs()
    learn(population, 20, 2.0)
    monkeypatch.setattr(machine_file, "name", lambda: "another processor")
    assert attained(population.program) is None
    group_costs()
    assert len(count) == 2


def test_a_name_tells_processor_devices_and_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    name = machine_file.name()
    assert name.endswith(f" x {len(jax.devices())}, jax {jax.__version__}")
    monkeypatch.setattr(Path, "exists", lambda _: False)  # as on macOS and Windows
    monkeypatch.setattr("platform.processor", lambda: "M9")
    assert machine_file.name().startswith("M9 x ")


# --- What programs attain ---------------------------------------------------------------------------------------------


def test_what_a_program_attained_is_kept_for_it_alone(file: Path, count: list[int]) -> None:
    population, other = population_of(MLP), population_of(Recipe(model=ModelSpec("mlp", (17,))))
    group_costs()
    assert attained(population.program) is None
    learn(population, 12, 4.0)  # of 20 epochs that were planned: the others were not needed
    assert attained(population.program) == pytest.approx(population.work * 12 / 20 / 4.0)
    assert attained(other.program) is None
    learn(other, 20, 8.0)
    learn(population, 20, 8.0)  # a single training may have been disturbed: the geometric mean of both
    assert attained(population.program) == pytest.approx(population.work * (12 / 20 / 4.0 / 8.0) ** 0.5)
    assert attained(other.program) is not None
    assert group_costs() == MEASURED["costs"]
    assert len(count) == 1
    assert [path.name for path in file.parent.iterdir()] == ["machine.json"]


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_moments_teach_nothing(seconds: float) -> None:
    population = population_of(MLP)
    learn(population, 20, seconds)
    assert attained(population.program) is None


@pytest.mark.parametrize("rate", ['"fast"', "0", "-1", "null", "[]", "true", "NaN", "1e999", "1" + "0" * 400])
def test_a_rate_that_is_none_is_not_read(rate: str, file: Path) -> None:
    population = population_of(MLP)
    file.parent.mkdir()
    file.write_text(json.dumps({"alone": {machine._key(population.program): json.loads(rate)}}))
    assert attained(population.program) is None


def test_the_machine_is_as_fast_as_it_ever_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes make what is measured now slower, so the best rate is kept and the slowdown is relative to it."""
    rates = iter([(8e9, 8e9), (5e9, 2e9), (16e9, 8e9), (9e9, 4e9)])
    monkeypatch.setattr("wellfit.engine.devices.product_rates", lambda _: next(rates))
    assert machine.product_rate() == 8e9
    assert slowdown() == 4.0
    assert slowdown() == 2.0
    assert machine.product_rate() == 16e9
    assert slowdown() == 4.0
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert slowdown() == 1.0


WRITER = """
import sys
from wellfit.base import ModelSpec, Recipe, RunSpec
from wellfit.engine import machine, machine_file
from wellfit.engine.plan import make_plan

recipe = Recipe(model=ModelSpec("mlp", (16,)), epochs=10, l1=1e-4, l2=1e-3, dropout=0.2)
runs = [RunSpec("v", seed, recipe) for seed in range(2)]
(population,) = make_plan(runs, (28, 28), 10, (48_000, 12_000, 12_000), 1).populations
machine_file.name = lambda: sys.argv[1]
for i in range(300):
    machine.learn(population, 20, 2.0)
print(machine._key(population.program))
"""


def test_two_processes_that_write_leave_a_whole_file(file: Path) -> None:
    """Names of programs do not depend on the order of sets, which differs between processes."""
    environment = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1]), "JAX_PLATFORMS": "cpu"}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name],
            env={**environment, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, seed in (("one", "1"), ("two", "2"))
    ]
    while any(writer.poll() is None for writer in writers):
        if file.exists():
            json.loads(file.read_text())  # whole whenever it is read
        time.sleep(0.001)
    keys = [writer.communicate()[0].strip() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    expected = machine._key(population_of(MLP).program).removeprefix(machine_file.name())
    assert keys == [f"one{expected}", f"two{expected}"]
    assert set(json.loads(file.read_text())["alone"]) & set(keys)
    assert [path.name for path in file.parent.iterdir()] == ["machine.json"]


# --- Accelerators -----------------------------------------------------------------------------------------------------


def test_on_an_accelerator_nothing_is_measured(file: Path, count: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    found = group_costs()
    assert found[0] == (1, 1.0)
    assert all(cost < 1 for _, cost in found[1:])
    assert not count
    assert not file.exists()


def test_half_of_an_accelerators_memory_is_for_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.memory() is None  # CPUs take groups in turn
    card = SimpleNamespace(platform="gpu", memory_stats=lambda: {"bytes_limit": 80_000_000_000})
    monkeypatch.setattr(jax, "devices", lambda: [card])
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert machine.memory() == 40_000_000_000
    card.memory_stats = lambda: None  # as on a card that does not say
    assert machine.memory() == 4 << 30


def test_what_is_no_plain_file_is_measured_anew(file: Path, count: list[int]) -> None:
    file.parent.mkdir()
    os.mkfifo(file)  # which would wait for ever
    group_costs()
    assert group_costs() == MEASURED["costs"]
    assert len(count) == 1


def test_the_file_keeps_the_newest_entries(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_file, "_MOST_ENTRIES", 2)
    populations = [population_of(Recipe(model=ModelSpec("mlp", (width,)))) for width in (3, 4, 5)]
    for population in (*populations, populations[1]):
        learn(population, 20, 2.0)
    learn(populations[0], 20, 2.0)
    assert [attained(population.program) is None for population in populations] == [False, False, True]
