"""Final states of trajectories: a study with more epochs continues from them.

Each is a file of arrays, and a description in the database with what the plan has to know of it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray

from wellfit.errors import StoreUnreadableError
from wellfit.store.arrays import Arrays, pack, read_arrays, stage
from wellfit.store.database import Database
from wellfit.store.names import file_named, is_there

__all__ = ["FOLDER", "FinalState", "FinalStates"]

FOLDER: Final = "ends"
_KEY: Final = "end of "  # followed by the trajectory's name, in the study table
_REMEDY: Final = "restore it, or remove it and that training starts again from the first epoch"

FinalState: TypeAlias = tuple[str, Arrays, Mapping[str, Any]]
"""A trajectory's name, its arrays, and its description: plain data with its ``epoch``."""


@dataclass(frozen=True)
class FinalStates:
    """The final states in a study directory."""

    directory: Path
    database: Database

    def descriptions(self) -> dict[str, dict[str, Any]]:
        """Trajectory -> description of its final state, where the file exists.

        Raises:
          StoreUnreadableError: it cannot be told, for lack of a permission.
        """
        rows = {name: of for name, of in self._rows().items() if is_there(file_named(self.directory, of["file"]))}
        return dict(sorted(rows.items()))

    def load(self, description: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """The arrays of a final state.

        Args:
          description: one of ``descriptions``.

        Raises:
          StoreUnreadableError: the file cannot be read, or is damaged.
        """
        return read_arrays(file_named(self.directory, description["file"]), description["sha256"], _REMEDY)

    def unusable(self, description: Mapping[str, Any], reason: str) -> StoreUnreadableError:
        """The error for a final state that is not one of its trajectory, although its checksum is right."""
        path = file_named(self.directory, description["file"])
        return StoreUnreadableError(f"{path}: not a file of wellfit ({reason}); {_REMEDY}")

    def files(self) -> dict[str, str]:
        """Name in the directory -> SHA-256."""
        return {description["file"]: description["sha256"] for description in self._rows().values()}

    def stage(self, stack: ExitStack, states: Iterable[FinalState]) -> dict[str, dict[str, Any]]:
        """Write final states beside the older ones of their trajectories; returns descriptions for ``put``.

        A file takes ``4 * parameters * (1 + moments + averages)`` bytes: with Adam, three times the weights of a run,
        and another copy of the weights for every stopping rule that restores its best weights.
        """
        descriptions = {}
        for name, arrays, description in states:
            file = f"{FOLDER}/{name}.{description['epoch']}.npz"
            sha256 = stage(stack, file_named(self.directory, file), pack(arrays))
            descriptions[name] = {**description, "file": file, "sha256": sha256}
        return descriptions

    def put(self, descriptions: Mapping[str, Mapping[str, Any]]) -> set[str]:
        """Replace the descriptions of trajectories; to be called in a transaction.

        Returns:
          The files that are described no more, for ``remove`` after the transaction.
        """
        before: set[str] = set()
        for name, description in descriptions.items():
            for key, value in self.database.rows("SELECT key, value FROM study WHERE key = ?", _KEY + name):
                before.add(self._described(key, value)["file"])
            self.database.put(_KEY + name, description)
        return before - {description["file"] for description in descriptions.values()}

    def remove(self, files: Iterable[str]) -> None:
        """Remove files that ``put`` left without a description."""
        for name in files:
            with contextlib.suppress(OSError):  # a file that stays does no harm
                (self.directory / name).unlink()

    def remove_unused(self) -> None:
        """Remove the files that no description names, which a killed process left."""
        used = self.files()
        there = (f"{FOLDER}/{path.name}" for path in (self.directory / FOLDER).glob("*.npz"))
        self.remove(name for name in there if name not in used)

    def _rows(self) -> dict[str, dict[str, Any]]:
        rows = self.database.rows("SELECT key, value FROM study WHERE substr(key, 1, ?) = ?", len(_KEY), _KEY)
        return {key.removeprefix(_KEY): self._described(key, value) for key, value in rows}

    def _described(self, key: str, value: str) -> dict[str, Any]:
        name = key.removeprefix(_KEY)
        try:
            described = {**json.loads(value)}
            expected = f"{FOLDER}/{name}.{described['epoch']}.npz"
        except (KeyError, TypeError, ValueError):
            raise StoreUnreadableError(f"{self.directory}: study.db: the entry {key!r} is damaged") from None
        file_named(self.directory, described.get("file", ""))
        if described["file"] != expected:
            raise StoreUnreadableError(
                f"{self.directory}: study.db: the entry {key!r} names another file than {expected}"
            )
        return described
