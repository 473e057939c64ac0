"""Claim: on CPUs with AVX512-BF16, mixed precision trains MLPs 1.5 times as fast as float32, with the same accuracy.

Speed: both precisions run alternately (A B A B ...), each in its own process, timed as in ``run.py``. Accuracy: a full
study in both precisions with the same seeds; for every variant, the mean test accuracy with its 95 % t interval over
seeds, and the same for the paired difference, mixed minus float32. Saves JSON.

Usage: WELLFIT_DATA=... python benchmarks/precision.py [--workloads lab5 lab-512] [--turns 5] [--epochs N]
                                                       [--seeds 5] [--study-epochs N] [--out RESULT.json]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from machine import facts
from results import epoch_seconds, spread, study_seconds
from run import printed, sources
from scipy import stats
from workloads import WORKLOADS, Workload, study

TARGET: Final = 1.5
PRECISIONS: Final = ("float32", "mixed")


def speeds(workload: Workload, turns: int, epochs: int | None) -> dict[str, Any]:
    """Time both precisions alternately."""
    arguments = ["peers/wellfit_population.py", "--workload", workload.name, "--epochs", str(epochs or workload.timed)]
    measured: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in PRECISIONS}
    for _ in range(turns):
        for name in PRECISIONS:
            measured[name].append(printed([[*arguments, "--precision", name]]))
    both = list(zip(*(measured[name] for name in PRECISIONS), strict=True))
    steady = [epoch_seconds(workload, a) / epoch_seconds(workload, b) for a, b in both]
    whole = [study_seconds(workload, a)[1] / study_seconds(workload, b)[1] for a, b in both]
    return {"ratio_steady": spread(steady), "ratio_whole": spread(whole), "measured": measured}


def accuracies(workload: Workload, seeds: int, epochs: int | None) -> dict[str, dict[str, list[float]]]:
    """Return test accuracies: variant -> precision -> one value per seed."""
    from wellfit.analysis.metrics import accuracy
    from wellfit.data.catalog import load_dataset
    from wellfit.data.splits import make_splits, training_data
    from wellfit.engine import devices
    from wellfit.engine.plan import make_plan
    from wellfit.engine.predicting import predict_proba
    from wellfit.engine.train import Trainer
    from wellfit.spec.study import runs

    spec = study(replace(workload, seeds=seeds), epochs)
    dataset = load_dataset(spec.data.name_or_path)
    data = training_data(dataset, make_splits(dataset.y_train, validation=spec.data.validation), spec.data.scale)
    mesh = devices.mesh()
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    trainer = Trainer(data, mesh)
    by_variant: dict[str, dict[str, list[float]]] = {}
    for name in PRECISIONS:
        plan = make_plan(runs(spec), data.input_shape, data.classes, sizes, mesh.size, name)
        records = [record for population in plan.populations for record in trainer.train(population)]
        for record in sorted(records, key=lambda r: r.spec.seed):
            model = record.spec.recipe.model
            probabilities = predict_proba(model, record.weights, dataset.x_test, data.classes, data.scaling)
            of_variant = by_variant.setdefault(record.spec.variant, {})
            of_variant.setdefault(name, []).append(float(accuracy(probabilities, dataset.y_test)))
    return by_variant


def interval(values: list[float]) -> tuple[float, float, float]:
    """Mean and 95 % t interval over seeds (Student, 1908)."""
    mean = float(np.mean(values))
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def shown(variant: str, of_variant: dict[str, list[float]]) -> str:
    """Format a row of the table."""
    full, mixed = (interval(of_variant[name]) for name in PRECISIONS)
    difference = interval([b - a for a, b in zip(*(of_variant[name] for name in PRECISIONS), strict=True)])
    agree = full[1] <= mixed[2] and mixed[1] <= full[2]
    cells = [f"{mean:.4f} [{low:.4f}, {high:.4f}]" for mean, low, high in (full, mixed)]
    signed = "{:+.4f} [{:+.4f}, {:+.4f}]".format(*difference)
    return f"| {variant} | {cells[0]} | {cells[1]} | {signed} | {'agree' if agree else 'DIFFER'} |"


def main() -> None:
    """Measure speed alternately, then accuracy; print and save."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mlps = [name for name, workload in WORKLOADS.items() if workload.hidden]
    arguments.add_argument("--workloads", nargs="+", choices=mlps, default=["lab5", "lab-512"], metavar="NAME")
    arguments.add_argument("--turns", type=int, default=5)
    arguments.add_argument("--epochs", type=int, help="epochs to time after the first")
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--study-epochs", type=int, help="shorter studies than the workload's, for a trial")
    arguments.add_argument("--accuracy-of", nargs="*", choices=mlps, default=["lab5"], metavar="NAME")
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    source = {**sources(), "precision.py": Path(__file__).read_text()}
    result: dict[str, Any] = {"n": options.turns, "machine": facts(), "speed": {}, "accuracy": {}, "source": source}
    for name in options.workloads:
        result["speed"][name] = speed = speeds(WORKLOADS[name], options.turns, options.epochs)
        steady, whole = speed["ratio_steady"], speed["ratio_whole"]
        print(
            f"{name}: mixed is {steady['median']:.2f} ({steady['low']:.2f} – {steady['high']:.2f}) times as fast as "
            f"float32 in the steady state, {whole['median']:.2f} whole; n = {options.turns}, "
            f"{'' if steady['median'] >= TARGET else 'NOT '}at least {TARGET:g}",
            flush=True,
        )
    for name in options.accuracy_of:
        result["accuracy"][name] = measured = accuracies(WORKLOADS[name], options.seeds, options.study_epochs)
        print(f"\n| {name}, {options.seeds} seeds | float32 | mixed | mixed - float32, paired | intervals |")
        print("|---|---|---|---|---|")
        print("\n".join(shown(variant, of_variant) for variant, of_variant in measured.items()), flush=True)
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
