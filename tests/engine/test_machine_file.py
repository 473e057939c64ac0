"""The file of measurements: tables apart from each other, bounded, and never a reason to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.engine import machine_file


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("WELLFIT_CACHE", str(tmp_path))
    return tmp_path / "machine.json"


def test_an_entry_leaves_the_other_tables_as_they_are() -> None:
    machine_file.write("alone", "a", 1.0)
    machine_file.write("precision", "b", {"mixed": 2.0})
    machine_file.write("alone", "c", 3.0)
    assert machine_file.read("alone") == {"a": 1.0, "c": 3.0}
    assert machine_file.read("precision") == {"b": {"mixed": 2.0}}
    assert machine_file.read("fastest") == {}


def test_the_newest_entries_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_file, "_MOST_ENTRIES", 3)
    for key in ("a", "b", "c", "a", "d"):
        machine_file.write("alone", key, 1.0)
    assert list(machine_file.read("alone")) == ["c", "a", "d"]


def test_a_damaged_file_is_empty_and_replaced(file: Path) -> None:
    file.write_text('{"alone": {"a": 1.0')
    assert machine_file.read("alone") == {}
    machine_file.write("alone", "b", 2.0)
    assert machine_file.read("alone") == {"b": 2.0}
