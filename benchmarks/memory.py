"""Claim: a study of 256 runs of lab5's network peaks below 3 GB, as the plan forecasts.

Runs the complete study in its own process for a few epochs: training, checkpoints, test set and all writing. Measures
the process's peak memory and compares it with the plan's forecast of time and memory. Saves JSON.

Usage: WELLFIT_DATA=... python benchmarks/memory.py [--workload growth-256] [--epochs 2] [--out RESULT.json]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from machine import facts
from workloads import WORKLOADS, study

TARGET: Final = 3e9


def peak() -> int:
    """Return this process's peak memory in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def child(workload: str, epochs: int) -> None:
    """Run the study, and print the measurements and the forecast."""
    from wellfit.data.catalog import load_dataset
    from wellfit.study.run import run_study
    from wellfit.study.session import Forecast, Session

    measured: dict[str, Any] = {}
    marks: list[float] = []

    def on_plan(outlook: Forecast) -> None:
        measured.update(runs=outlook.plan.runs, forecast_seconds=outlook.seconds, forecast_bytes=outlook.memory)
        marks.append(time.perf_counter())

    spec = study(WORKLOADS[workload], epochs)
    dataset = load_dataset(spec.data.name_or_path)
    before = peak()
    with tempfile.TemporaryDirectory() as folder:
        run_study(
            Session(spec, dataset, Path(folder) / "study"),
            on_plan=on_plan,
            on_progress=lambda tick: marks.append(time.perf_counter()) if tick.epochs else None,
        )
    measured.update(training_seconds=marks[-1] - marks[0], peak_bytes=peak(), before_bytes=before)
    print(json.dumps(measured))


def main() -> None:
    """Run the child, print and save."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workload", choices=WORKLOADS, default="growth-256")
    arguments.add_argument("--epochs", type=int, default=2)
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.child:
        return child(options.workload, options.epochs)
    command = [sys.executable, __file__, "--child", "--workload", options.workload, "--epochs", str(options.epochs)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured = json.loads(done.stdout.splitlines()[-1])
    bytes_at_most, verdict = measured["peak_bytes"], "under" if measured["peak_bytes"] < TARGET else "NOT under"
    print(
        f"{options.workload}, {measured['runs']} runs, {options.epochs} epochs: peak {bytes_at_most / 1e9:.2f} GB "
        f"({verdict} {TARGET / 1e9:g} GB), {measured['before_bytes'] / 1e9:.2f} GB of it before training;\n"
        f"forecast {measured['forecast_bytes'] / 1e9:.2f} GB and {measured['forecast_seconds']:.0f} s; "
        f"training took {measured['training_seconds']:.0f} s"
    )
    if options.out:
        result = {
            "n": 1,
            "workload": options.workload,
            "epochs": options.epochs,
            "machine": facts(),
            "measured": measured,
            "source": Path(__file__).read_text(),
        }
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
