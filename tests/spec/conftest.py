"""Fixtures of the tests of study files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_file import LAB
from sized_study import BASE


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "lab.toml"
    path.write_text(LAB)
    return path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.toml"
    path.write_text(BASE)
    return path
