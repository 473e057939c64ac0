"""Claim: evaluation, shuffling, masks, data transfer and writing together take less than 15 % of a study's time.

There are two kinds of measurement, because a compiled epoch cannot be timed from inside. Within the epoch: programs
with and without evaluation (splits of 64 rows), and with and without dropout masks, run alternately; the differences
are the costs. Laying out the batches is timed separately, which gives an upper bound, since it overlaps with training.
Around the epochs: a complete study through ``run_study``, timed at its callbacks. Shares refer to the complete study.
Saves JSON.

The script cannot be called profile.py, because that is the name of Python's own profiler.

Usage: WELLFIT_DATA=... python benchmarks/overhead.py [--turns 5] [--epochs 3] [--study-epochs N]
                                                      [--precision mixed] [--out benchmarks/results/overhead.json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from machine import facts, forward_operations, training_operations
from workloads import WORKLOADS, Workload, study

from wellfit.base import Dataset, TrainingData
from wellfit.data.catalog import load_dataset
from wellfit.data.splits import make_splits, training_data
from wellfit.engine import devices
from wellfit.engine.batches import Layouts
from wellfit.engine.plan import Plan, make_plan
from wellfit.engine.train import Trainer
from wellfit.nn.kernels.availability import obstacle
from wellfit.spec.study import StudySpec, runs
from wellfit.study.run import Progress, run_study
from wellfit.study.session import Forecast, Session

TARGET: Final = 0.15
FEW: Final = 64  # rows left in a split whose evaluation should take almost no time


def plan_for(spec: StudySpec, data: TrainingData, precision: str = "float32") -> Plan:
    """Plan a study's runs, with generated kernels where there are any."""
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    of_data = data.input_shape, data.classes, sizes
    return make_plan(runs(spec), *of_data, devices.mesh().size, precision, kernels=not obstacle())


def without_evaluation(data: TrainingData) -> TrainingData:
    """Return the same training split with almost nothing to evaluate."""
    return replace(
        data, x_validation=data.x_validation[:FEW], y_validation=data.y_validation[:FEW], sample=data.sample[:FEW]
    )


def without_masks(workload: Workload) -> Workload:
    """Replace dropout by another l2 penalty, so that the number of trainings stays the same."""
    variants = tuple(replace(v, dropout=0.0, l2=v.l2 + 2e-3) if v.dropout else v for v in workload.variants)
    return replace(workload, variants=variants)


def epoch_timer(workload: Workload, data: TrainingData, epochs: int, precision: str | None) -> Callable[[], float]:
    """Return a function that measures one steady-state epoch of all of the study's trainings, in seconds."""
    plan = plan_for(study(workload, 1 + epochs), data, precision or "float32")
    trainer = Trainer(data, devices.mesh())

    def measure() -> float:
        total = 0.0
        for population in plan.populations:
            ends = [time.perf_counter()]
            trainer.train(population, on_epoch=lambda epoch, e=ends: e.append(time.perf_counter()))
            total += statistics.median(np.diff(ends)[1:])
        return total

    return measure


def batches_seconds(workload: Workload, data: TrainingData) -> float:
    """Measure the seconds per epoch for drawing batch orders, laying out batches and passing them to the devices."""
    import jax

    mesh = devices.mesh()
    layouts = Layouts(data, workload.batch_size, mesh)
    populations = plan_for(study(workload), data).populations
    waves = [[group[0].seed if group else 0 for group in w.groups] for p in populations for w in p.waves]
    times = []
    for epoch in range(1, 7):
        began = time.perf_counter()
        for seeds in waves:
            layouts.of(np.array(seeds, np.uint32), np.ones((mesh.size, 1), bool), epoch)
        jax.block_until_ready([given[1] for given in layouts.given if given])
        times.append(time.perf_counter() - began)
    return min(times)


def around(spec: StudySpec, dataset: Dataset) -> dict[str, Any]:
    """Run the complete study, and return the seconds spent in and around its epochs, measured at the callbacks."""
    marks: list[tuple[str, int, float]] = [("begin", 0, time.perf_counter())]

    def on_plan(outlook: Forecast) -> None:
        marks.append(("plan", 0, time.perf_counter()))

    def on_progress(tick: Progress) -> None:
        marks.append(("epoch" if tick.epochs else "test", tick.epoch, time.perf_counter()))

    with tempfile.TemporaryDirectory() as folder:
        run_study(Session(spec, dataset, Path(folder) / "study"), on_plan=on_plan, on_progress=on_progress)
    marks.append(("end", 0, time.perf_counter()))
    took = [(kind, number, after - at) for (_, _, at), (kind, number, after) in pairwise(marks)]
    later = [seconds for kind, number, seconds in took if kind == "epoch" and number > 1]
    first = [seconds for kind, number, seconds in took if kind == "epoch" and number == 1]
    typical = statistics.median(later)
    return {
        "whole": marks[-1][2] - marks[0][2],
        "plan": took[0][2],
        "compilation and audit": sum(first) - typical * len(first),
        "epochs": sum(later) + typical * len(first),
        "records": sum(seconds for kind, _, seconds in took if kind == "test"),
        "test set": took[-1][2],
    }


def profile(within: dict[str, float], batches: float, study_took: dict[str, Any]) -> dict[str, float]:
    """Split the seconds of a complete study by purpose; training steps are the remainder of the epochs.

    Args:
      within: seconds per epoch with everything (``full``), with ``no evaluation``, and with ``neither`` evaluation nor
        masks.
      batches: seconds per epoch, from ``batches_seconds``.
      study_took: from ``around``.
    """
    epochs = study_took["epochs"] / within["full"]  # number of epochs that the study's time corresponds to
    parts = {
        "evaluation": (within["full"] - within["no evaluation"]) * epochs,
        "masks": (within["no evaluation"] - within["neither"]) * epochs,
        "shuffling and transfer": batches * epochs,
        "writing: records": study_took["records"],
        "writing: test set": study_took["test set"],
    }
    rest = study_took["epochs"] - sum(seconds for name, seconds in parts.items() if not name.startswith("writing"))
    return {
        "training steps": rest,
        **parts,
        "start: split, plan, store": study_took["plan"],
        "start: audit, compilation": study_took["compilation and audit"],
    }


def main() -> None:
    """Measure, print the table, and save."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workload", choices=WORKLOADS, default="lab5")
    arguments.add_argument("--turns", type=int, default=5)
    arguments.add_argument("--epochs", type=int, default=3)
    arguments.add_argument("--study-epochs", type=int, help="a shorter study than the workload's, for a trial")
    arguments.add_argument("--precision", help="of the epochs in turns; the whole study takes its own default")
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    workload = WORKLOADS[options.workload]
    dataset = load_dataset(workload.data)
    data = training_data(dataset, make_splits(dataset.y_train, validation=0.2), "unit")
    timers = {
        name: epoch_timer(of, using, options.epochs, options.precision)
        for name, of, using in (
            ("full", workload, data),
            ("no evaluation", workload, without_evaluation(data)),
            ("neither", without_masks(workload), without_evaluation(data)),
        )
    }
    turns = [{name: measure() for name, measure in timers.items()} for _ in range(options.turns)]
    within = {name: statistics.median(turn[name] for turn in turns) for name in timers}
    batches = batches_seconds(workload, data)
    study_took = around(study(workload, options.study_epochs), dataset)
    parts = profile(within, batches, study_took)
    for name, seconds in parts.items():
        print(f"{name:<30}{seconds:8.2f} s{seconds / study_took['whole']:8.1%}")
    beside = sum(seconds for name, seconds in parts.items() if name != "training steps" and "start" not in name)
    evaluated = forward_operations(workload) * (len(data.x_validation) + len(data.sample))
    arithmetic = evaluated / (evaluated + training_operations(workload) * len(data.x_train))
    share = beside / study_took["whole"]
    print(
        f"beside training steps and start: {share:.1%}, {'under' if share < TARGET else 'NOT under'} {TARGET:.0%}; "
        f"evaluation is {arithmetic:.1%} of the products' arithmetic"
    )
    if options.out:
        result = {
            "n": options.turns,
            "workload": workload.name,
            "machine": facts(),
            "turns": turns,
            "batches": batches,
            "study": study_took,
            "seconds": parts,
            "share": share,
            "evaluation_share_of_arithmetic": arithmetic,
            "source": Path(__file__).read_text(),
        }
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
