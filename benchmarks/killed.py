"""Claim: a study that is killed with kill -9 at any moment and then resumed ends with the same bits.

Trains a small study (two programs; dropout, batch normalization, early stopping, averaging) without interruption. Then
repeatedly trains it in a process that is killed at a random moment, checks the directory like ``wellfit verify``,
resumes it, and compares all tables except times and all arrays bit by bit. Finally interrupts it with Ctrl-C a few
times and measures how long the process takes to end. Prints a line per kill; saves JSON.

Usage: python benchmarks/killed.py [--moments 20] [--seed 0] [--out benchmarks/results/killed.json]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from machine import facts
from results import spread

import kills
from wellfit.study.verify import verify_study

CTRL_C = 3
LONGEST = 0.05
"""Longest time between an epoch and the kill, in seconds: several epochs with their checkpoints."""


def killed_once(directory: Path, moment: tuple[int, float], expected: dict[str, Any]) -> dict[str, Any]:
    """Kill a study after the given epochs and seconds, resume it, and report the outcome."""
    at_work = kills.kill(directory, *moment)
    checkpoints, runs = len(list(directory.glob("checkpoints/*"))), len(list(directory.glob("weights/*.npz")))
    damage = [str(problem) for problem in verify_study(directory).problems]
    with contextlib.redirect_stdout(io.StringIO()):
        kills.train(directory)
    damage += [str(problem) for problem in verify_study(directory).problems]
    same = kills.outcome(directory) == expected
    return {
        "moment": moment,
        "at_work": at_work,
        "checkpoints": checkpoints,
        "runs": runs,
        "same": same,
        "damage": damage,
    }


def stopped_once(directory: Path) -> float:
    """Measure the seconds from Ctrl-C to the end of the process."""
    with kills.start(directory) as process:
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate()
    return time.monotonic() - began


def main() -> None:
    """Measure, print and save."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--moments", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ.setdefault("WELLFIT_CACHE", f"{place}/cache")
        whole = Path(place) / "whole"
        with kills.start(whole) as process:
            process.communicate()
        expected = kills.outcome(whole)
        random = np.random.default_rng(options.seed)
        outcomes = []
        for i in range(options.moments):
            moment = int(random.integers(1, kills.TICKS)), float(random.uniform(0, LONGEST))
            outcomes.append(killed_once(Path(place) / str(i), moment, expected))
            print(json.dumps(outcomes[-1]), flush=True)
        stops = [stopped_once(Path(place) / f"stopped-{i}") for i in range(CTRL_C)]
    at_work, same = (sum(outcome[key] for outcome in outcomes) for key in ("at_work", "same"))
    damaged = sum(bool(outcome["damage"]) for outcome in outcomes)
    print(
        f"{len(outcomes)} kills, {at_work} of them before the study had ended: "
        f"{same} ended with the same bits, {damaged} directories were damaged"
    )
    stop = spread(stops)
    print(f"Ctrl-C, n = {len(stops)}: ended after {stop['median']:.2f} s ({stop['low']:.2f} – {stop['high']:.2f})")
    if options.out:
        result = {
            "n": len(outcomes),
            "machine": facts(),
            "moments": outcomes,
            "ctrl_c": stops,
            "source": Path(__file__).read_text(),
        }
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
