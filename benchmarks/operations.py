"""Claim: operations other than matrix products limit the speedup of mixed precision.

Traces one epoch of a study's networks with JAX's profiler in both precisions, each in its own process, and sums the
times of compiled operations by purpose: the products of the training steps, the rounding of their factors, the
optimizer, norms and penalties, the evaluation after the epoch, and the rest (activations, dropout, losses). Times are
in milliseconds on one core, per epoch and training: an operation's median time multiplied by its count, so that
interruptions do not matter. Saves JSON with the most expensive operations by name.

Usage: WELLFIT_DATA=... python benchmarks/operations.py [--workload lab5] [--out benchmarks/results/operations.json]
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

from machine import facts
from overhead import plan_for
from run import printed
from workloads import WORKLOADS, Workload, study

TRACED: Final = 3  # the traced epoch; the earlier ones compile and warm up
LINE: Final = re.compile(r"^\s*(?:ROOT )?%(?P<name>[\w.\-]+) = (?P<shape>\S+) (?P<opcode>[\w\-]+)\(.*$", re.MULTILINE)
MATRIX: Final = re.compile(r"\w+\[\d+,\d+\]")
SCOPE: Final = re.compile(r'op_name="([^"]*)"')
CONTROL: Final = ("while", "conditional", "call", "tuple", "get-tuple-element", "parameter", "bitcast", "constant")


def kind_of(line: re.Match[str]) -> str:
    """Classify an operation of the compiled program by its name, shape and scope."""
    scope = (SCOPE.search(line[0]) or [None, ""])[1]
    if "scoring" in scope:
        return "scoring"
    if line["name"].startswith(("ynn", "dot")) or line["opcode"] == "dot":
        return "products" if MATRIX.match(line["shape"]) else "norms, penalties"  # XLA turns sums into dots, too
    if "optimizer" in scope:
        return "optimizer"
    if line["shape"].startswith("bf16"):
        return "rounding to bfloat16"
    return "rest"


def trace(workload: Workload, precision: str) -> dict[str, Any]:
    """Train a few epochs, trace one of them, and sum the times of its operations."""
    import jax

    from wellfit.data.catalog import load_dataset
    from wellfit.data.splits import make_splits, training_data
    from wellfit.engine import devices
    from wellfit.engine.population import epoch_program, optimizer_start
    from wellfit.engine.train import Compiled, Epoch, Trainer

    dataset = load_dataset(workload.data)
    data = training_data(dataset, make_splits(dataset.y_train, validation=0.2), "unit")
    population = plan_for(study(workload, TRACED + 1), data, precision).populations[0]
    trainer = Trainer(data, devices.mesh())
    shapes = data.input_shape, data.classes, len(data.x_train)
    run_epoch = epoch_program(population.program, *shapes, trainer.mesh)
    programs: list[str] = []

    def remember(*arguments: Any) -> Any:
        if not programs:
            programs.append(run_epoch.lower(*arguments).compile().as_text())
        return run_epoch(*arguments)

    compiled = Compiled(remember, optimizer_start(population.program, trainer.mesh))
    trainer.compiled = lambda _: compiled  # type: ignore[method-assign]
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:

        def on_epoch(epoch: Epoch) -> None:
            seconds.append(epoch.seconds)
            if epoch.number == TRACED - 1:
                quiet = jax.profiler.ProfileOptions()
                quiet.python_tracer_level = 0
                jax.profiler.start_trace(folder, profiler_options=quiet)
            if epoch.number == TRACED:
                jax.profiler.stop_trace()

        trainer.train(population, on_epoch=on_epoch)
        (file,) = Path(folder).rglob("*.xplane.pb")
        profile = jax.profiler.ProfileData.from_file(str(file))
        events = [event for plane in profile.planes for line in plane.lines for event in line.events]
        durations: dict[str, list[float]] = {}
        for event in events:
            durations.setdefault(event.name, []).append(event.duration_ns)
        took = Counter({name: statistics.median(each) * len(each) for name, each in durations.items()})
    networks = len(population.trajectories)
    lines = {line["name"]: line for line in LINE.finditer(programs[0]) if line["opcode"] not in CONTROL}
    kinds = Counter[str]()
    for name, nanoseconds in took.items():
        if name in lines:
            kinds[kind_of(lines[name])] += nanoseconds
    dearest = [
        {"name": name, "kind": kind_of(lines[name]), "shape": lines[name]["shape"], "ms": ns / 1e6 / networks}
        for name, ns in took.most_common()
        if name in lines
    ][:20]
    epoch = seconds[TRACED - 1] * devices.mesh().size
    return {
        "networks": networks,
        "width": population.program.width,
        "epoch_ms": epoch * 1e3 / networks,
        "kinds_ms": {kind: ns / 1e6 / networks for kind, ns in kinds.most_common()},
        "dearest": dearest,
    }


def main() -> None:
    """Trace both precisions, print how an epoch's time is spent, and save."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workload", choices=WORKLOADS, default="lab5")
    arguments.add_argument("--precision", help="trace this one alone, in this process")
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    if options.precision:
        print(json.dumps(trace(WORKLOADS[options.workload], options.precision)))
        return
    both = {
        precision: printed([["operations.py", "--workload", options.workload, "--precision", precision]])[0]
        for precision in ("float32", "mixed")
    }
    kinds = dict.fromkeys(kind for measured in both.values() for kind in measured["kinds_ms"])
    print(f"{'ms of a core, an epoch and training':<40}" + "".join(f"{precision:>10}" for precision in both))
    for kind in kinds:
        print(f"{kind:<40}" + "".join(f"{measured['kinds_ms'].get(kind, 0.0):10.1f}" for measured in both.values()))
    print(f"{'all, by the clock':<40}" + "".join(f"{measured['epoch_ms']:10.1f}" for measured in both.values()))
    if options.out:
        result = {"workload": options.workload, "machine": facts(), **both, "source": Path(__file__).read_text()}
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
