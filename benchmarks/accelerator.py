"""Measures what a GPU makes of a study: whether it learns the same as a processor does, and how fast.

In under eight minutes, and one stage after another, each in a process of its own that is ended if it takes too long:

- agreement: networks of each kind train three epochs on the GPU and on the processor, from the same seeds. Curves must
  agree as those of two orders of summation do. LeNet-5 with dropout is left out: its noise depends on the layout of a
  batch, which differs.
- lab5 with 16, 256 and 1,024 seeds and LeNet-5 with 16 and 128: seconds an epoch and training, run epochs a second, the
  waves that the memory allowed, and the most memory that was in use.
- peers: Keras on JAX and PyTorch on the same GPU, one training of lab5 after another, as their users write it.
- layers: LeNet-5's second convolution as wellfit computes it, and XLA's own.
- tests: those of what runs on a GPU, there.

A stage that fails or has no time left says so in the results, which are written after every stage. With --tiny,
everything runs on the processor as it would on a GPU, with few examples, in a minute or two: a test does that.

Usage: WELLFIT_DATA=... python benchmarks/accelerator.py --out benchmarks/results/accelerator.json
Needs: pip install -e ".[test]" "jax[cuda13]", and torch for PyTorch. Without Fashion-MNIST in WELLFIT_DATA, images of
       the same number and shape are made up, which train as fast; peers are then left out
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from machine import epoch_operations, facts
from workloads import LAB5, LENET5, Workload, study

if TYPE_CHECKING:
    from wellfit.base import TrainingData

HERE: Final = Path(__file__).parent
SECONDS: Final = 460.0
"""For all stages together."""

EPOCHS: Final = 3
"""The first compiles; the others are timed."""

SIZES: Final = {
    "lab5 x 16": (LAB5, 16),
    "lab5 x 256": (LAB5, 256),
    "lab5 x 1024": (LAB5, 1024),
    "lenet5 x 16": (LENET5, 16),
    "lenet5 x 128": (LENET5, 128),
}
"""Stage -> workload and seeds; every variant trains with each seed."""

TESTS: Final = ("tests/nn/test_accelerator.py", "tests/engine/test_fitting.py", "tests/test_accelerator_path.py",
                "tests/engine/test_step.py", "tests/test_gradients.py")  # fmt: skip
"""Those of what only accelerators do, and of the gradients."""

MOST: Final = {"agreement": 120, "layers": 40, "keras": 60, "pytorch": 60}
"""Seconds after which a stage is ended; 90 for the others."""


def main() -> None:
    """Parse, run the stages, write the results after each."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=Path("accelerator.json"))
    arguments.add_argument("--tiny", action="store_true", help="few examples and seeds, to test this script")
    arguments.add_argument("--only", nargs="*", default=[], help="some stages")
    arguments.add_argument("--stage", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.stage == REFERENCE:
        np.savez(options.out, **learned(tiny=options.tiny))
        return
    if options.stage:
        with on_an_accelerator(tiny=options.tiny):
            print(json.dumps(STAGES[options.stage](tiny=options.tiny)))
        return
    began = time.monotonic()
    found: dict[str, Any] = {"date": datetime.date.today().isoformat(), "tiny": options.tiny, "machine": facts()}
    for stage in options.only or STAGES:
        left = SECONDS - (time.monotonic() - began)
        found[stage] = {"failed": "no time left"} if left < 5 else run_stage(stage, left, tiny=options.tiny)
        found["seconds"] = round(time.monotonic() - began, 1)
        options.out.write_text(json.dumps(found, indent=1) + "\n")
        print(f"{stage}: {json.dumps(found[stage])[:300]}", flush=True)
    failed = [stage for stage in STAGES if "failed" in found.get(stage, {})]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def run_stage(stage: str, left: float, *, tiny: bool) -> dict[str, Any]:
    """Run a stage in a process of its own.

    Args:
      left: seconds.
    """
    command = [sys.executable, str(Path(__file__).resolve()), "--stage", stage, *(["--tiny"] if tiny else [])]
    began = time.monotonic()
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, start_new_session=True, **pipes) as process:
        try:
            out, err = process.communicate(timeout=min(left, MOST.get(stage, 90)))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its children, too, which would keep the device busy
            return {"failed": f"took more than {time.monotonic() - began:.0f} s"}
    if process.returncode:
        return {"failed": err.strip()[-1500:]}
    return {**json.loads(out.splitlines()[-1]), "stage_seconds": round(time.monotonic() - began, 1)}


@contextlib.contextmanager
def on_an_accelerator(*, tiny: bool) -> Iterator[None]:
    """Let wellfit train as on an accelerator, where there is none and this script is tested."""
    from wellfit.engine import devices
    from wellfit.nn import accelerator

    devices.mesh()
    if accelerator.in_use():
        yield
        return
    if not tiny:
        raise SystemExit("no accelerator: JAX sees the processor only; install JAX for the GPU")
    with accelerator.assumed():
        yield


def images(*, tiny: bool) -> TrainingData:
    """Fashion-MNIST divided as a study divides it, or made-up images of the same number and shape."""
    from wellfit.base import Scaling, TrainingData
    from wellfit.data.catalog import load_dataset
    from wellfit.data.splits import make_splits, training_data
    from wellfit.errors import DataError

    if not tiny and os.environ.get("WELLFIT_DATA"):
        with contextlib.suppress(DataError):
            dataset = load_dataset("fashion-mnist")
            return training_data(dataset, make_splits(dataset.y_train, validation=0.2), "unit")
    generator = np.random.default_rng(0)
    training, validation = (480, 120) if tiny else (48_000, 12_000)
    x = generator.integers(0, 256, (training + validation, 28, 28), dtype=np.uint8)
    y = generator.integers(0, 10, len(x)).astype(np.int32)
    x[:, :14] //= (1 + y)[:, None, None].astype(np.uint8)  # something to learn
    scaling = Scaling("unit", np.zeros((), np.float32), np.full((), 1 / 255, np.float32))
    sample = np.arange(min(validation, training))
    return TrainingData(x[:training], y[:training], x[training:], y[training:], sample, 10, scaling)


# --- Stages -----------------------------------------------------------------------------------------------------------


def agreement(*, tiny: bool) -> dict[str, Any]:
    """The largest relative differences between losses and weights from the GPU and from the processor."""
    found = learned(tiny=tiny)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "processor.npz"
        command = [sys.executable, str(Path(__file__).resolve()), "--stage", REFERENCE, "--out", str(file)]
        environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
        subprocess.run([*command, *(["--tiny"] if tiny else [])], check=True, env=environment)
        with np.load(file) as archive:
            expected = dict(archive)
    apart: dict[str, dict[str, float]] = {}
    for name, array in expected.items():
        variant, kind, _ = name.split("|")
        away = float(np.linalg.norm(found[name] - array) / max(float(np.linalg.norm(array)), 1e-12))
        of_variant = apart.setdefault(variant, {})
        of_variant[kind] = max(of_variant.get(kind, 0.0), away)
    if not max(of["loss"] for of in apart.values()) < 0.05:  # Adam carries on what is rounded; a fault is far away
        raise SystemExit(f"GPU and processor disagree: {json.dumps(apart)}")
    return {"variants": apart}


def learned(*, tiny: bool) -> Mapping[str, np.ndarray]:
    """What small studies learn on the devices at hand: "workload/variant|kind|of which" -> losses or weights."""
    from wellfit.engine.plan import make_plan
    from wellfit.engine.train import Trainer
    from wellfit.spec.study import runs

    whole = images(tiny=tiny)
    count, validation = (400, 100) if tiny else (4800, 1000)
    data = replace(
        whole,
        x_train=whole.x_train[:count],
        y_train=whole.y_train[:count],
        x_validation=whole.x_validation[:validation],
        y_validation=whole.y_validation[:validation],
        sample=np.arange(200),
    )
    trainer = Trainer(data)
    sizes = (count, validation, 200)
    found: dict[str, np.ndarray] = {}
    for workload in (LAB5, LENET5):
        compared = tuple(v for v in workload.variants if workload is LAB5 or not v.dropout)
        every = runs(study(replace(workload, seeds=2, variants=compared), EPOCHS))
        for population in make_plan(every, (28, 28), 10, sizes, trainer.mesh.size).populations:
            for record in trainer.train(population):
                name, seed = f"{workload.name}/{record.spec.variant}", record.spec.seed
                found[f"{name}|loss|{seed}"] = np.asarray(record.history["train_loss"])
                # batch normalization takes away what a convolution's bias adds: its gradient is rounding alone
                kernels = {path: of for path, of in record.weights.items() if path.endswith("kernel")}
                found |= {f"{name}|weights|{seed} {path}": of for path, of in kernels.items()}
    return found


def tests(*, tiny: bool) -> dict[str, Any]:
    """How many of the engine's tests pass on this device."""
    names = TESTS[:1] if tiny else TESTS
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=HERE.parent)
    ends = ("FAILED", "ERROR")
    lines = [
        line for line in done.stdout.splitlines() if line.startswith(ends) or " passed" in line or " failed" in line
    ]
    if not lines:
        raise SystemExit((done.stdout + done.stderr)[-1000:])
    return {"summary": lines[-1].strip("= "), "not_passed": lines[:-1]}


def population(workload: Workload, seeds: int, *, tiny: bool) -> dict[str, Any]:
    """Train a workload's variants with so many seeds for a few epochs."""
    import jax

    from wellfit.engine import machine
    from wellfit.engine.plan import make_plan
    from wellfit.engine.train import Trainer
    from wellfit.spec.study import runs

    data = images(tiny=tiny)
    count = min(seeds, 4) if tiny else seeds
    trainer = Trainer(data)
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    every = runs(study(replace(workload, seeds=count), EPOCHS))
    costs, room = machine.group_costs(), machine.memory()
    plan = make_plan(every, (28, 28), 10, sizes, trainer.mesh.size, costs=costs, memory=room)
    waves: list[int] = []
    first = steady = 0.0
    for each in plan.populations:
        ends, of_epochs = [time.perf_counter()], [0]
        trainer.train(each, on_epoch=partial(_note, ends, of_epochs), on_wave=partial(_count, of_epochs))
        seconds = np.diff(ends)
        first, steady = first + seconds[0], steady + statistics.median(seconds[1:])
        waves.append(of_epochs[-2])  # of the last epoch: it may have begun again in smaller waves
    trainings = len(every)
    operations = trainings * epoch_operations(workload, sizes[0], sizes[1] + sizes[2])
    used = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return {
        "trainings": trainings,
        "first_epoch_seconds": first,
        "epoch_seconds": steady,
        "run_epochs_per_second": trainings / steady,
        "examples_per_second": trainings * sizes[0] / steady,
        "teraflops": operations / steady / 1e12,
        "planned_waves": [len(each.waves) for each in plan.populations],
        "waves": waves,
        "peak_bytes": used,
        "device": jax.devices()[0].device_kind,
    }


def _note(ends: list[float], waves: list[int], epoch: object) -> None:
    ends.append(time.perf_counter())
    waves.append(0)


def _count(waves: list[int]) -> None:
    waves[-1] += 1


def layers(*, tiny: bool) -> dict[str, Any]:
    """Seconds for values and gradients of LeNet-5's second convolution in a population, in two ways."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    from wellfit.nn.convolution import conv2d

    population, batch = (2, 16) if tiny else (64, 128)
    layer = conv2d((14, 14, 6), 16, 5)
    generator = np.random.default_rng(0)
    x = jnp.asarray(generator.normal(size=(population, 1, 6, 14, 14, batch)), jnp.float32)  # (P, T, C, H, W, M)
    kernel = jnp.asarray(generator.normal(size=(population, 5, 5, 6, 16)), jnp.float32)
    bias = jnp.zeros((population, 16))

    def ours(kernel: Any, x: Any, bias: Any) -> Any:
        return layer.apply({"kernel": kernel, "bias": bias}, {}, x, None)[0].sum()

    def of_xla(kernel: Any, x: Any, bias: Any) -> Any:
        images = x[0].transpose(3, 1, 2, 0)  # (M, H, W, C)
        named = ("NHWC", "HWIO", "NHWC")
        exact = lax.Precision.HIGHEST
        outputs = lax.conv_general_dilated(images, kernel, (1, 1), "VALID", dimension_numbers=named, precision=exact)
        return (outputs + bias).sum()

    found = {}
    for name, loss in (("ours", ours), ("xla", of_xla)):
        step = jax.jit(jax.vmap(jax.value_and_grad(loss, argnums=(0, 1))))
        jax.block_until_ready(step(kernel, x, bias))
        times = []
        for _ in range(5 if tiny else 50):
            began = time.perf_counter()
            jax.block_until_ready(step(kernel, x, bias))
            times.append(time.perf_counter() - began)
        found[name] = statistics.median(times)
    return {"seconds": found, "population": population, "batch": batch}


def keras(*, tiny: bool) -> dict[str, Any]:
    """Keras on JAX, on the same device."""
    return peer("keras_fit.py", "--backend", "jax", tiny=tiny)


def pytorch(*, tiny: bool) -> dict[str, Any]:
    """PyTorch, on the same device."""
    return peer("pytorch.py", "--device", "cpu" if tiny else "cuda", tiny=tiny)


def peer(script: str, *arguments: str, tiny: bool) -> dict[str, Any]:
    """Time a peer's trainings of lab5's plain network."""
    if not tiny and not os.environ.get("WELLFIT_DATA"):
        return {"left_out": "WELLFIT_DATA is not set"}
    workload = "digits" if tiny else LAB5.name
    given = ("--workload", workload, "--variants", "baseline", *arguments)
    command = [sys.executable, str(HERE / "peers" / script), *given]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr.strip()[-1000:])
    measured = json.loads(done.stdout.splitlines()[-1])
    (training,) = measured["trainings"]
    seconds = statistics.median(training["epoch_seconds"])
    return {"workload": workload, "epoch_seconds": seconds, "version": measured["version"]}


REFERENCE: Final = "reference"
"""A stage of agreement: what the processor learns."""

STAGES: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "agreement": agreement,
    **{name: partial(population, workload, seeds) for name, (workload, seeds) in SIZES.items()},
    "keras": keras,
    "pytorch": pytorch,
    "layers": layers,
    "tests": tests,
}
"""The most important first, as the time may end."""


if __name__ == "__main__":
    main()
