"""Where there are no kernels, wellfit says why and goes on without."""

from __future__ import annotations

import builtins
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from wellfit.errors import WellfitError
from wellfit.nn.kernels import availability
from wellfit.nn.kernels.availability import NOT_INSTALLED, SWITCH, obstacle, processor_in_use, remedy


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    availability._found.cache_clear()
    yield
    availability._found.cache_clear()


@pytest.mark.parametrize("value", ["off", "OFF", "0"])
def test_the_environment_switches_them_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, value)
    assert obstacle() == f"{SWITCH} = {value}"
    assert remedy(obstacle()) == f"unset {SWITCH}"
    with pytest.raises(WellfitError, match=f"no generated kernels here: {SWITCH} = {value}; unset {SWITCH}"):
        processor_in_use()


def test_without_llvmlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    original = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "wellfit.nn.kernels":
            raise ImportError("No module named 'llvmlite'")
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert obstacle() == NOT_INSTALLED
    with pytest.raises(WellfitError, match=r"no generated kernels here: llvmlite is not installed; pip install 'well"):
        processor_in_use()


def test_with_llvmlite_there_are_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    llvmlite = pytest.importorskip("llvmlite")
    monkeypatch.delenv(SWITCH, raising=False)
    if obstacle():
        pytest.skip(obstacle())
    assert availability.description() == f"{processor_in_use().registers.name}, llvmlite {llvmlite.__version__}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("no processor", "the processor has no vectors of a known kind"),
        ("unproven", "kernels for .* have not been proven yet"),
        ("frame", "this version of XLA calls functions in another way"),
        ("refused", "wrong version"),
    ],
)
def test_what_else_may_be_missing(change: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    from wellfit.nn.kernels import calls, machine_code
    from wellfit.nn.kernels.processor import NEON, Processor

    here = Processor("", "", "", dataclasses.replace(NEON, proven=True))

    def refused(processor: Processor) -> bool:
        raise ValueError("wrong version\nmore")

    monkeypatch.setattr(machine_code, "this_processor", lambda: None if change == "no processor" else here)
    monkeypatch.setattr(calls, "frame_is_known", refused if change == "refused" else lambda processor: False)
    if change == "unproven":
        monkeypatch.setattr(machine_code, "this_processor", lambda: dataclasses.replace(here, registers=NEON))
    with pytest.raises(WellfitError, match=expected):
        processor_in_use()
    assert remedy(obstacle()).startswith("use the machine where the study began")
