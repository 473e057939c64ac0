"""Claim: the first epoch starts less than 4 seconds after the command, if a similar study has been run before.

Runs ``wellfit run lab5`` for two epochs, once with an empty cache folder and then several times with a filled one, each
in its own process, and records the end of both epochs. The start of the first epoch is its end minus the duration of
the second; the time before it covers start, data, audit, plan, and loading the compiled program. Saves JSON.

Usage: WELLFIT_DATA=... python benchmarks/start.py [--turns 5] [--study lab5] [--out benchmarks/results/start.json]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from machine import facts
from results import spread

from wellfit.files import cache_root

TARGET: Final = 4.0


def child(began: float, study: str, out: str) -> None:
    """Run the command, and print when its first two epochs ended, in seconds since ``began``."""
    from wellfit import cli
    from wellfit.study import run

    ends: list[float] = []
    run_study = run.run_study

    def watched(*arguments: Any, on_progress: Any, **options: Any) -> None:
        def tick(now: run.Progress) -> None:
            ends.append(time.monotonic() - began)
            on_progress(now)

        run_study(*arguments, on_progress=tick, **options)

    run.run_study = watched  # type: ignore[assignment]
    sys.argv = ["wellfit", "run", study, "--epochs", "2", "--out", out]
    try:
        cli.main()
    finally:
        print(json.dumps(ends[:2]), file=sys.__stdout__)


def seconds(study: str, cache: str) -> dict[str, float]:
    """Run the command once in its own process; ``time.monotonic`` is the same clock in all processes."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"WELLFIT_DATA": str(cache_root() / "data"), **os.environ, "WELLFIT_CACHE": cache}
        command = [sys.executable, __file__, "--child", str(time.monotonic()), study, f"{folder}/study"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    first, second = json.loads(done.stdout.splitlines()[-1])
    return {"to_first_epoch": first - (second - first), "to_end_of_first_epoch": first}


def main() -> None:
    """Measure once with a cold cache, then repeatedly with a warm one; print and save."""
    if sys.argv[1:2] == ["--child"]:
        return child(float(sys.argv[2]), *sys.argv[3:5])
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--turns", type=int, default=5)
    arguments.add_argument("--study", default="lab5")
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        cold = seconds(options.study, cache)
        warm = [seconds(options.study, cache) for _ in range(options.turns)]
    begins = spread([w["to_first_epoch"] for w in warm])
    ends = spread([w["to_end_of_first_epoch"] for w in warm])
    print(f"{options.study}, cold: {cold['to_first_epoch']:.2f} s to the first epoch")
    print(
        f"warm, n = {len(warm)}: {begins['median']:.2f} s ({begins['low']:.2f} – {begins['high']:.2f}) "
        f"to the first epoch, {ends['median']:.2f} s to its end; "
        f"{'under' if begins['median'] < TARGET else 'NOT under'} {TARGET:g} s"
    )
    if options.out:
        result = {
            "n": len(warm),
            "study": options.study,
            "machine": facts(),
            "cold": cold,
            "warm": warm,
            "source": Path(__file__).read_text(),
        }
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
