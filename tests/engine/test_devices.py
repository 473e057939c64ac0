"""Devices: a one-dimensional mesh of all of them, also if JAX is already initialized."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import wellfit
from wellfit.engine import devices


def test_the_mesh_is_one_row_of_all_devices() -> None:
    mesh = devices.mesh()
    assert mesh.axis_names == (devices.POPULATION,) == ("population",)
    assert list(mesh.devices) == jax.devices()


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= devices.cores() <= (os.cpu_count() or 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    assert devices.cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS and Windows
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert devices.cores() == 7


def test_start_leaves_a_running_jax_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    before = jax.devices()
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=")
    monkeypatch.setattr(devices, "cores", lambda: len(before) + 3)
    devices.start()
    assert jax.devices() == before
    assert os.environ["XLA_FLAGS"] == "--xla_dump_to="  # nor does it change what child processes inherit


@pytest.mark.parametrize("flags", ["", "--xla_cpu_multi_thread_eigen=true"])
def test_start_gives_one_single_threaded_device_a_core(flags: str) -> None:
    script = (
        "import os, jax; from wellfit.engine import devices; devices.cores = lambda: 3; devices.start(); "
        "print(len(jax.devices()), os.environ['XLA_FLAGS'])"
    )
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    environment["PYTHONPATH"] = str(Path(wellfit.__file__).parents[1])
    process = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert process.stdout.split() == ["3", flags or "--xla_cpu_multi_thread_eigen=false"]


def test_arrays_are_spread_or_held_whole() -> None:
    mesh = devices.mesh()
    n = mesh.size
    spread = jax.device_put(np.arange(2 * n), devices.sharded(mesh))
    whole = jax.device_put(np.arange(2 * n), devices.replicated(mesh))
    assert [shard.data.shape for shard in spread.addressable_shards] == [(2,)] * n
    assert [shard.data.shape for shard in whole.addressable_shards] == [(2 * n,)] * n


def test_the_product_rate_is_that_of_a_machine_of_this_century() -> None:
    best, mean = devices.product_rates(0.01)
    assert 1e8 < mean <= best < 1e16


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("JAX_ENABLE_X64", "1", "JAX_ENABLE_X64 is True, but wellfit needs False; unset JAX_ENABLE_X64"),
        ("JAX_DEBUG_NANS", "1", "JAX_DEBUG_NANS is True"),
        ("JAX_DEFAULT_PRNG_IMPL", "rbg", "JAX_DEFAULT_PRNG_IMPL is rbg, but wellfit needs threefry2x32"),
        ("JAX_DISABLE_JIT", "1", "JAX_DISABLE_JIT is True, but wellfit needs False; unset JAX_DISABLE_JIT"),
        ("JAX_PLATFORMS", "nowhere", "JAX_PLATFORMS = 'nowhere': Unable to initialize backend 'nowhere'"),
    ],
)
def test_settings_of_jax_that_change_results_are_refused(setting: str, value: str, words: str) -> None:
    code = "from wellfit.engine import devices\ntry: devices.mesh()\nexcept Exception as e: print(type(e).__name__, e)"
    environment = {**os.environ, setting: value}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.startswith(f"WellfitError {words}")
    assert done.stdout.count("\n") == 1
