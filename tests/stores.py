"""The contents of study directories, read without wellfit's own reader."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np


def rows(directory: Path, query: str) -> list[Any]:
    """The rows of a query on a study's database."""
    with contextlib.closing(sqlite3.connect(directory / "study.db")) as connection:
        return connection.execute(query).fetchall()


def epochs(directory: Path) -> list[Any]:
    """Every epoch of every run."""
    return rows(directory, "SELECT * FROM epochs ORDER BY variant, seed, epoch")


def probabilities(directory: Path) -> dict[str, bytes]:
    """The bytes of every run's test probabilities, by the name of their file."""
    found = {}
    for path in (directory / "test").glob("*.npz"):
        with np.load(path) as archive:
            found[path.name] = b"".join(archive[name].tobytes() for name in archive.files)
    return found


def same_bits(one: Path, other: Path) -> bool:
    """Whether two studies have the same histories and test probabilities, to the last bit."""
    assert epochs(one)
    assert len(probabilities(one)) > 1
    return epochs(one) == epochs(other) and probabilities(one) == probabilities(other)


def tree(directory: Path) -> dict[str, bytes]:
    """Every path below a directory -> its content; empty for folders."""
    found = sorted(directory.rglob("*"))
    return {str(p.relative_to(directory)): p.read_bytes() if p.is_file() else b"" for p in found}
