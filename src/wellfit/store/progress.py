"""How far a population is: a file that grows while it trains, for readers in other processes.

A line of JSON names the runs; records of one size follow, one an epoch of a run. Nothing waits for the disk: a process
that is killed leaves what it wrote, and readers leave out a record that is torn. A power cut may take the file with it,
and nothing is lost but the picture: what a study goes on from are its checkpoints.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from wellfit.base import HISTORY_COLUMNS, FloatArray, History

__all__ = ["FILE", "Feed", "read"]

FILE: Final = "progress"
SECONDS: Final = 0.5  # between two writings, however short the epochs are

_RECORD: Final = np.dtype([("run", "<i4"), ("epoch", "<i4"), ("values", "<f8", (len(HISTORY_COLUMNS),))])

Run = tuple[str, int]


class Feed:
    """Tells other processes of every epoch, twice a second at most; a disk that is full ends it, not the training.

    Args:
      path: the file; one that another process left is replaced.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told = -SECONDS
        self._known: dict[Run, int] = {}  # epochs of every run that are in the file
        self._broken = False

    def tell(self, rows: Callable[[], Mapping[Run, Sequence[FloatArray]]]) -> None:
        """Write what is new.

        Args:
          rows: (variant, seed) -> ``HISTORY_COLUMNS`` of every epoch so far, the same runs at every call.
        """
        now = time.monotonic()
        if self._broken or now - self._told < SECONDS:
            return
        self._told = now
        try:
            self._write(rows())
        except OSError:
            self._broken = True  # half a record may be at its end: what came after it could not be read

    def _write(self, rows: Mapping[Run, Sequence[FloatArray]]) -> None:
        new = [
            (position, epoch, of_run[epoch - 1])
            for position, (run, of_run) in enumerate(rows.items())
            for epoch in range(self._known.get(run, 0) + 1, len(of_run) + 1)
        ]
        content = np.array(new, _RECORD).tobytes()
        if self._known:
            with open(self._path, "ab", buffering=0) as file:
                file.write(content)
        else:
            temporary = self._path.with_name(f".{self._path.name}.tmp")
            temporary.write_bytes(json.dumps({"runs": list(rows)}).encode() + b"\n" + content)
            os.replace(temporary, self._path)
        self._known = {run: len(of_run) for run, of_run in rows.items()}

    def drop(self) -> None:
        """Remove the file, and be ready for another population."""
        with contextlib.suppress(OSError):  # one that stays is not wrong, only useless
            self._path.unlink(missing_ok=True)
        self._told, self._known, self._broken = -SECONDS, {}, False


def read(path: Path) -> dict[Run, History]:
    """The epochs of every run that a population at work, or one that was interrupted, has gone through.

    Args:
      path: the file.

    Returns:
      (variant, seed) -> its epochs so far; empty where there is no file, or it is damaged.
    """
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        runs = [(str(variant), int(seed)) for variant, seed in json.loads(head)["runs"]]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    records = np.frombuffer(body[: len(body) // _RECORD.itemsize * _RECORD.itemsize], _RECORD)
    records = records[np.argsort(records["run"], kind="stable")]
    found = {}
    for position, run in enumerate(runs):
        begin, end = np.searchsorted(records["run"], [position, position + 1])
        of_run = records[begin:end]
        if np.array_equal(of_run["epoch"], np.arange(1, len(of_run) + 1)):
            columns = of_run["values"].T  # (columns, epochs)
            found[run] = History({name: columns[i] for i, name in enumerate(HISTORY_COLUMNS)})
    return found
