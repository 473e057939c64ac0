"""Claim: memory grows neither with the runs of a study nor with the studies of a process.

Draws two curves into one figure. The first is the peak memory of ``wellfit show``, ``report`` and ``verify`` against
the number of runs, on studies that ``made_study`` makes: 20 variants, 1,000 test examples of ten classes, ten epochs.
The second is the memory of one process that trains small studies of 50 shapes, one after the other: once with another
shape every time, so that each compiles its program again, and once with 20 of each shape in a row, so that ten
thousand take an hour.
``memory.py`` measures the training of one large study.

Usage: python benchmarks/memory_curves.py [--runs 200,1000,2000,4000,8000,10000] [--studies 800,10000] [--seconds S]
  [--folder FOLDER] [--figure docs/memory.png]
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

COMMANDS: Final = ("show", "report", "verify")
VARIANTS: Final = 20
SHAPES: Final = 50
IN_A_ROW: Final = (1, 20)
"""Studies of one shape before the next shape, in the two processes that train small studies."""
EVERY: Final = 100
"""Studies from one row of the file to the next."""

_PEAK: Final = """
import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run([sys.executable, "-m", "wellfit.cli", *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def of_commands(sizes: list[int], folder: Path, file: Path) -> None:
    """Measure every command on a study of every size, and write a row each: runs, command, seconds, peak megabytes."""
    from made_study import make

    with file.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["runs", "command", "seconds", "peak_mb"])
        for runs in sizes:
            with tempfile.TemporaryDirectory(dir=folder) as made:
                study = Path(made) / "study"
                make(study, VARIANTS, runs // VARIANTS, examples=1000)
                for command in COMMANDS:
                    done = subprocess.run(
                        [sys.executable, "-c", _PEAK, command, str(study)],
                        stdout=subprocess.PIPE,
                        text=True,
                        check=True,
                    )
                    seconds, peak = map(float, done.stdout.split()[-2:])
                    rows.writerow([runs, command, f"{seconds:.1f}", f"{peak / 1e6:.0f}"])
                    stream.flush()
                    print(f"{runs} runs, {command}: {peak / 1e6:.0f} MB, {seconds:.1f} s", flush=True)


def of_studies(most: int, in_a_row: int, seconds: float, file: Path) -> None:
    """Train studies in this process until there are enough or the time is over, and write its memory as it goes."""
    import numpy as np

    from wellfit.api import make_dataset
    from wellfit.engine.devices import resident
    from wellfit.engine.release import programs_kept
    from wellfit.spec.study import study_from_mapping
    from wellfit.study.run import run_study
    from wellfit.study.session import Session

    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(60, 4)).astype(np.float32), generator.integers(0, 2, 60)
    dataset = make_dataset(x[:40], y[:40], x[40:], y[40:], name="points")
    began = time.monotonic()
    with file.open("w", newline="") as stream, tempfile.TemporaryDirectory() as folder:
        rows = csv.writer(stream)
        rows.writerow(["studies", "seconds", "resident_mb", "programs"])
        for number in range(1, most + 1):
            shape: dict[str, Any] = {"hidden": [4 + number // in_a_row % SHAPES]}
            spec = study_from_mapping(
                {
                    "data": {"name": "points", "scale": "standardize"},
                    "model": shape,
                    "train": {"epochs": 1, "batch_size": 32, "seeds": 1},
                    "variants": {"baseline": {}},
                }
            )
            run_study(Session(spec, dataset, Path(folder) / str(number)))
            over = time.monotonic() - began
            if number % EVERY == 0 or number in (1, 10, 25, 50) or number == most or over > seconds:
                rows.writerow([number, f"{over:.0f}", f"{resident() / 1e6:.0f}", programs_kept()])
                stream.flush()
                print(f"{number} studies: {resident() / 1e6:.0f} MB, {over:.0f} s", flush=True)
            if over > seconds:
                return


def draw(runs: Path, studies: list[Path], figure: Path) -> None:
    """Draw the memory of the commands beside that of the processes."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    of_runs = list(csv.DictReader(runs.open()))
    with plt.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        drawn, (left, right) = plt.subplots(1, 2, figsize=(7, 2.6), layout="constrained", sharey=True)
        for command, marker in zip(COMMANDS, "os^", strict=True):
            points = [(int(r["runs"]), float(r["peak_mb"])) for r in of_runs if r["command"] == command]
            left.plot(*zip(*points, strict=True), marker=marker, markersize=3, label=f"wellfit {command}")
        left.set(xlabel="runs in the study", ylabel="peak memory, MB", title="One command", ylim=(0, 1000))
        left.legend(frameon=False)
        for file, in_a_row, color in zip(studies, IN_A_ROW, ("0.6", "0.1"), strict=True):
            if not file.exists():
                continue
            points = [(int(r["studies"]), float(r["resident_mb"])) for r in csv.DictReader(file.open())]
            label = "another shape every time" if in_a_row == 1 else f"{in_a_row} of each shape in a row"
            right.plot(*zip(*points, strict=True), color=color, linewidth=1, label=label)
        right.set(xlabel="studies trained before", ylabel="memory, MB", title="One process, 50 shapes of network")
        right.legend(frameon=False)
        drawn.savefig(figure, dpi=110, metadata={"Software": None})
        plt.close(drawn)
    print(f"{figure}: {figure.stat().st_size / 1e3:.0f} kB")


def main() -> None:
    """Measure both curves and draw them."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", default="200,1000,2000,4000,8000,10000", help="sizes of the studies; none: keep")
    arguments.add_argument("--studies", default="800,10000", help="in each of both processes; 0: keep, or leave out")
    arguments.add_argument("--seconds", type=float, default=36_000, help="end the studies after that time")
    arguments.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="of both CSV files")
    arguments.add_argument("--figure", type=Path)
    options = arguments.parse_args()
    runs = options.folder / "memory_runs.csv"
    studies = [options.folder / f"memory_studies_{in_a_row}.csv" for in_a_row in IN_A_ROW]
    if options.runs:
        of_commands([int(size) for size in options.runs.split(",")], options.folder, runs)
    for most, in_a_row, file in zip(map(int, options.studies.split(",")), IN_A_ROW, studies, strict=True):
        if most:
            of_studies(most, in_a_row, options.seconds, file)
    if options.figure:
        draw(runs, studies, options.figure)


if __name__ == "__main__":
    main()
