"""Precision: what a study may ask for, what the machine is good at, and what becomes of "auto"."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest

from wellfit.base import LayerSpec, ModelSpec, Recipe, RunSpec
from wellfit.engine import devices, precision
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
    """The machine's features are detected once per process; here, once per test."""
    found_out = precision.has_bfloat16  # itself, and not what a test puts in its place
    found_out.cache_clear()
    yield
    found_out.cache_clear()


def hardware(monkeypatch: pytest.MonkeyPatch, has: bool) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: has)


# --- What is asked for


@pytest.mark.parametrize("model", [*DENSE, *CONVOLUTIONAL], ids=lambda model: model.kind)
@pytest.mark.parametrize("has", [False, True])
def test_what_is_asked_for_by_name_is_done_everywhere(
    model: ModelSpec, has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardware(monkeypatch, has)
    assert precision.resolve("float32", model) == "float32"
    assert precision.resolve("mixed", model) == "mixed"


@pytest.mark.parametrize("model", [*DENSE, *CONVOLUTIONAL], ids=lambda model: model.kind)
@pytest.mark.parametrize("has", [False, True])
def test_auto_is_mixed_with_hardware_and_without_convolutions(
    model: ModelSpec, has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardware(monkeypatch, has)
    assert precision.resolve("auto", model) == ("mixed" if has and model in DENSE else "float32")


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


@pytest.mark.parametrize(
    ("flags", "has"),
    [
        ("fpu sse4_2 avx2 avx512f avx512_bf16 amx_tile", True),
        ("fpu amx_bf16 amx_tile", True),
        ("fpu sse4_2 avx2 avx512f avx512_vnni", False),
        ("fpu avx512_bf16x", False),
        ("", False),
    ],
)
def test_linux_tells_by_flags(flags: str, has: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nmodel name\t: Some avx512_bf16 thing\nflags\t\t: {flags}\nbugs\t\t: amx_bf16\n")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(precision, "_CPUINFO", info)
    on(monkeypatch, platform="cpu")
    assert precision.has_bfloat16() is has


def test_a_linux_that_tells_nothing_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    on(monkeypatch, platform="cpu")
    monkeypatch.setattr(precision, "_CPUINFO", tmp_path / "none")
    assert not precision.has_bfloat16()
    precision.has_bfloat16.cache_clear()
    (tmp_path / "arm").write_text("processor\t: 0\nFeatures\t: fp asimd bf16\n")
    monkeypatch.setattr(precision, "_CPUINFO", tmp_path / "arm")
    assert not precision.has_bfloat16()


@pytest.mark.parametrize(("output", "has"), [("1\n", True), ("0\n", False), ("", False)])
def test_macos_is_asked(output: str, has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: Any, **how: Any) -> Any:
        assert list(command) == ["sysctl", "-n", "hw.optional.arm.FEAT_BF16"]
        return SimpleNamespace(stdout=output)

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(subprocess, "run", run)
    on(monkeypatch, platform="cpu")
    assert precision.has_bfloat16() is has


def test_who_cannot_be_asked_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*command: Any, **how: Any) -> Any:
        raise FileNotFoundError

    on(monkeypatch, platform="cpu")
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert not precision.has_bfloat16()
    precision.has_bfloat16.cache_clear()
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert not precision.has_bfloat16()


@pytest.mark.parametrize(
    ("device", "has"),
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
    device: dict[str, str], has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, platform="gpu", **device)
    assert precision.has_bfloat16() is has


def test_it_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, platform="gpu", compute_capability="8.0")
    assert precision.has_bfloat16()
    on(monkeypatch, platform="gpu", compute_capability="7.0")
    assert precision.has_bfloat16()
