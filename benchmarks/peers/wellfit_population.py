"""wellfit: the whole study's trainings, population by population, for a few epochs, or really whole.

Prints seconds an epoch of every population. It scores the training sample after every epoch too, which no peer does.
With --whole it runs the study from the beginning to its end as ``wellfit run`` does, the test set and all writing
included, but for the summary and the report's page, and prints how long that took.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import clock
import numpy as np
from common import parser, peak_memory
from workloads import WORKLOADS, Workload, study


def timed(workload: Workload, options: argparse.Namespace) -> dict[str, Any]:
    """Train all populations for a few epochs."""
    from wellfit.data.catalog import load_dataset
    from wellfit.data.splits import make_splits, training_data
    from wellfit.engine import devices
    from wellfit.engine.plan import make_plan
    from wellfit.engine.train import Trainer
    from wellfit.nn.kernels.availability import obstacle
    from wellfit.spec.study import runs

    imported = time.perf_counter()
    spec = study(workload, 1 + options.epochs)
    whole = {run.variant: run.recipe.epochs for run in runs(study(workload))}
    dataset = load_dataset(spec.data.name_or_path)
    splits = make_splits(dataset.y_train, validation=spec.data.validation, seed=spec.data.split_seed)
    data = training_data(dataset, splits, spec.data.scale)
    loaded = time.perf_counter()
    on = devices.mesh()
    examples = (len(data.x_train), len(data.x_validation), len(data.sample))
    of_data = data.input_shape, data.classes, examples
    kernels = not workload.hidden and not obstacle()  # in the order of a study, which loads LLVM for convolutions alone
    plan = make_plan(runs(spec), *of_data, on.size, options.precision, kernels=kernels)
    trainer = Trainer(data, on)
    planned = time.perf_counter()
    populations = []
    for population in plan.populations:
        ends = [time.perf_counter()]
        records = trainer.train(population, on_epoch=lambda epoch, e=ends: e.append(time.perf_counter()))
        finished = time.perf_counter()
        seconds = np.diff(ends).tolist()
        populations.append(
            {
                "trainings": len(population.trajectories),
                "run_epochs": sum(
                    max(whole[readout.run.variant] for readout in trajectory.readouts)
                    for trajectory in population.trajectories
                ),
                "first_epoch_seconds": seconds[0],
                "epoch_seconds": seconds[1:],
                "finish_seconds": finished - ends[-1],
                "validation_accuracy": float(np.mean([r.scores["validation_accuracy"] for r in records])),
            }
        )
    return {
        "import_seconds": imported - clock.BEGAN,
        "data_seconds": loaded - imported,
        "plan_seconds": planned - loaded,
        "examples": list(examples),
        "kernels": any(population.program.kernels for population in plan.populations),
        "populations": populations,
    }


def really_whole(workload: Workload) -> dict[str, Any]:
    """Run the study from its beginning to its end."""
    from wellfit.data.catalog import load_dataset
    from wellfit.study.run import run_study
    from wellfit.study.session import Session

    spec = study(workload)
    with tempfile.TemporaryDirectory() as folder:
        run_study(Session(spec, load_dataset(spec.data.name_or_path), Path(folder) / "study"))
        return {"seconds": time.perf_counter() - clock.BEGAN, "trainings": workload.trainings}


def main() -> None:
    """Parse, measure, print."""
    arguments = parser(__doc__)
    arguments.add_argument("--precision", choices=("float32", "mixed", "auto"), default="float32")
    arguments.add_argument("--whole", action="store_true")
    options = arguments.parse_args()
    workload = WORKLOADS[options.workload]
    measured = really_whole(workload) if options.whole else timed(workload, options)
    print(json.dumps({**measured, "peak_bytes": peak_memory(), "version": metadata.version("wellfit")}))


if __name__ == "__main__":
    main()
