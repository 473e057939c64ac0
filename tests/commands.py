"""The command line, called in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import wellfit

SMALL = ("--seeds", "2", "--epochs", "2", "--set", "model.hidden=[16]")
"""With these the built-in study is that of ``finished_study``."""

VARIANTS = [
    *("baseline", "l2", "l1", "dropout", "l2+dropout", "early-stopping", "proximal-l1", "weight-decay", "max-norm"),
    *("label-smoothing", "noise", "shift", "erasing", "mixup", "ema", "swa", "clipping", "batch-norm", "narrow"),
]


class Ended(NamedTuple):
    """A command's exit status, and what it printed."""

    status: int
    out: str
    err: str


def process(*arguments: str | Path, encoding: str = "utf-8", **settings: Any) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "wellfit.cli", *map(str, arguments)]
    source = str(Path(wellfit.__file__).parents[1])  # wherever the process is started
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONIOENCODING": encoding}
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": encoding}
    return subprocess.Popen(command, env=environment, **{**streams, **settings})


def ended(running: subprocess.Popen[str]) -> Ended:
    """Wait for a process."""
    out, err = running.communicate(timeout=120)
    return Ended(running.returncode, out, err)
