"""The epochs of a population in training, for other processes that watch: a file that grows during training.

A line of JSON names the runs; records of equal size follow, one per epoch and run. Writing does not wait for the disk:
what a killed process wrote is there, and readers skip a torn record. A power failure may lose the file, but training
continues from checkpoints and does not need it.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from wellfit.base import HISTORY_COLUMNS, FloatArray, History
from wellfit.files import read_plain, remove_abandoned, replacing

__all__ = ["FILE", "ProgressFile"]

FILE: Final = "progress"
SECONDS: Final = 0.5  # between two writes, however short the epochs are

_RECORD: Final = np.dtype([("run", "<i4"), ("epoch", "<i4"), ("values", "<f8", (len(HISTORY_COLUMNS),))])

_LEFT: Final = -1
"""In place of a run: a record with the seconds that are left, and the time."""

Run = tuple[str, int]


class ProgressFile:
    """The progress file of a study directory. A full disk ends its updates, not the training.

    Args:
      path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._forget()

    def _forget(self) -> None:
        self._written = -SECONDS  # when
        self._known: dict[Run, int] = {}  # epochs of every run that are in the file
        self._broken = False

    def write(self, rows: Callable[[], Mapping[Run, Sequence[FloatArray]]], left: float | None = None) -> None:
        """Write the epochs that are new, twice a second at most; the first call replaces an older file.

        Args:
          left: the seconds until the study has its results; None while they are unknown.
          rows: gives (variant, seed) -> ``HISTORY_COLUMNS`` of every epoch so far, for the same runs in every call.
        """
        now = time.monotonic()
        if self._broken or now - self._written < SECONDS:
            return
        self._written = now
        try:
            self._append(rows(), left)
        except OSError:
            self._broken = True  # the last record may be torn, and what follows it could not be read

    def _append(self, rows: Mapping[Run, Sequence[FloatArray]], left: float | None) -> None:
        new = [
            (position, epoch, of_run[epoch - 1])
            for position, (run, of_run) in enumerate(rows.items())
            for epoch in range(self._known.get(run, 0) + 1, len(of_run) + 1)
        ]
        if left is not None:
            new.append((_LEFT, 0, np.array([left, time.time()] + [0.0] * (len(HISTORY_COLUMNS) - 2))))
        content = np.array(new, _RECORD).tobytes()
        if self._known:
            with open(self._path, "ab", buffering=0) as file:
                file.write(content)
        else:
            with replacing(self._path, durable=False) as temporary:
                temporary.write_bytes(json.dumps({"runs": list(rows)}).encode() + b"\n" + content)
        self._known = {run: len(of_run) for run, of_run in rows.items()}

    def drop(self) -> None:
        """Remove the file; the next population starts another."""
        with contextlib.suppress(OSError):  # a file that stays does no harm
            self._path.unlink(missing_ok=True)
        remove_abandoned(self._path)
        self._forget()

    def left(self) -> tuple[float, float] | None:
        """The seconds that were left, and when, in seconds since 1970; None if they are not known."""
        try:
            _, _, body = read_plain(self._path).partition(b"\n")
        except (OSError, ValueError):
            return None
        records = np.frombuffer(body[: len(body) // _RECORD.itemsize * _RECORD.itemsize], _RECORD)
        times = records["values"][records["run"] == _LEFT]  # (n, columns)
        if not len(times) or not np.isfinite(times[-1]).all():
            return None
        return float(times[-1][0]), float(times[-1][1])

    def read(self) -> dict[Run, History]:
        """(variant, seed) -> epochs so far of a population in training, or of one that was interrupted.

        Read it before the records, which are newer. It is empty if there is no file, or the file is damaged.
        """
        try:
            head, _, body = read_plain(self._path).partition(b"\n")
            runs = [(str(variant), int(seed)) for variant, seed in json.loads(head)["runs"]]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        records = np.frombuffer(body[: len(body) // _RECORD.itemsize * _RECORD.itemsize], _RECORD)
        records = records[np.argsort(records["run"], kind="stable")]
        histories = {}
        for position, run in enumerate(runs):
            begin, end = np.searchsorted(records["run"], [position, position + 1])
            of_run = records[begin:end]
            if np.array_equal(of_run["epoch"], np.arange(1, len(of_run) + 1)):
                columns = of_run["values"].T  # (columns, epochs)
                histories[run] = History({name: columns[i] for i, name in enumerate(HISTORY_COLUMNS)})
        return histories
