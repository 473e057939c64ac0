"""Ends of trajectories in a study directory: a file each, and a row that tells what the plan must know of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from wellfit.store.database import Database
from wellfit.store.files import read_file, unpack, write_arrays

__all__ = ["FOLDER", "end_files", "load_end", "put_ends", "read_facts", "sweep_ends", "write_end"]

FOLDER: Final = "ends"
_KEY: Final = "end of "  # of the study table; the trajectory's name follows


def write_end(
    directory: Path, name: str, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the file of an end, beside that of the trajectory's last one, and return its facts for ``put_ends``.

    A file takes ``4 * parameters * (1 + moments + averages)`` bytes, with Adam three times its run's weights, and as
    much as the weights for every stopping rule that restores its best weights (see ``engine.ends``).

    Args:
      directory: the study directory.
      name: of the trajectory.
      arrays: of its end.
      facts: what the plan must know of it, plain data with its ``epoch``.

    Raises:
      StoreError: the disk is full or the directory not writable; the last end is kept.
    """
    file = f"{FOLDER}/{name}.{facts['epoch']}.npz"
    return {**facts, "file": file, "sha256": write_arrays(directory / file, arrays)}


def put_ends(database: Database, told: Mapping[str, Mapping[str, Any]]) -> None:
    """Tell of ends, by the names of their trajectories, in place of what was told before; call it in a transaction."""
    for name, facts in told.items():
        database.put(_KEY + name, facts)


def sweep_ends(directory: Path, database: Database) -> None:
    """Remove the files of ends that the database does not, or no longer, tell of."""
    told = end_files(database)
    for path in (directory / FOLDER).glob("*.npz"):
        if f"{FOLDER}/{path.name}" not in told:
            with contextlib.suppress(OSError):  # one that stays is not wrong, only useless
                path.unlink()


def read_facts(directory: Path, database: Database) -> dict[str, dict[str, Any]]:
    """What is known of every end whose file is there, by the name of its trajectory."""
    found = {name: facts for name, facts in _rows(database).items() if (directory / facts["file"]).is_file()}
    return dict(sorted(found.items()))


def load_end(directory: Path, facts: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Read the arrays of an end.

    Args:
      directory: the study directory.
      facts: of the end, as ``read_facts`` gives them.

    Raises:
      StoreUnreadableError: its file cannot be read, or is damaged.
    """
    mend = "restore it, or remove it, and its trajectory is trained anew"
    return unpack(read_file(directory / facts["file"], facts["sha256"], mend))


def end_files(database: Database) -> dict[str, str]:
    """The file of every end: its name in the directory -> its SHA-256."""
    return {facts["file"]: facts["sha256"] for facts in _rows(database).values()}


def _rows(database: Database) -> dict[str, dict[str, Any]]:
    rows = database.rows("SELECT key, value FROM study WHERE substr(key, 1, ?) = ?", len(_KEY), _KEY)
    return {key.removeprefix(_KEY): json.loads(value) for key, value in rows}
