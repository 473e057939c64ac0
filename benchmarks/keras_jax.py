"""Claim: a training of lab5 costs wellfit a fraction of what it costs Keras on JAX, on the same machine and data.

Both train 784-128-64-10 with Adam in batches of 256 on 48,000 Fashion-MNIST images and validate on 12,000 after each
epoch. Keras trains one network a process, as its users do; wellfit trains the study's 15 (three variants, five seeds).
They take turns, each in a process of its own. Reported: seconds for one epoch of one training, the first epoch
(compilation) left out, the median over the turns; and the seconds that each spends before its second epoch begins.
wellfit scores the training sample too, which Keras does not. Saves JSON with n, versions, the processor and this
script's own source.

Usage: WELLFIT_DATA=... python benchmarks/keras_jax.py [TURNS] [RESULT.json]      Needs: pip install -e ".[test]"
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
from importlib import metadata
from pathlib import Path

EPOCHS = 4

KERAS = f"""
import os, time, json
os.environ["KERAS_BACKEND"] = "jax"
began = time.perf_counter()
import keras
from wellfit.data.catalog import load_dataset
from wellfit.data.splits import make_splits
d = load_dataset("fashion-mnist"); s = make_splits(d.y_train, validation=0.2)
x = d.x_train.reshape(60000, 784).astype("float32") / 255
layers = [keras.layers.Dense(128, "relu"), keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax")]
m = keras.Sequential([keras.Input((784,)), *layers])
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
ends = []
watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: ends.append(time.perf_counter()))
m.fit(x[s.train], d.y_train[s.train], batch_size=256, epochs={EPOCHS}, verbose=0, callbacks=[watch],
      validation_data=(x[s.validation], d.y_train[s.validation]))
print(json.dumps({{"epoch": (ends[-1] - ends[0]) / (len(ends) - 1), "before": ends[0] - began}}))
"""

WELLFIT = f"""
import time, json
began = time.perf_counter()
from wellfit.data.catalog import load_dataset
from wellfit.data.splits import make_splits, training_data
from wellfit.engine import devices
from wellfit.engine.plan import make_plan
from wellfit.engine.train import Trainer
from wellfit.study.spec import load_study, runs
d = load_dataset("fashion-mnist"); data = training_data(d, make_splits(d.y_train, validation=0.2), "unit")
on = devices.mesh()
plan = make_plan(runs(load_study("lab5", epochs={EPOCHS})), data.input_shape, 10, (48000, 12000, 12000), on.size)
ends = []
Trainer(data, on).train(plan.populations[0], on_epoch=lambda e: ends.append(time.perf_counter()))
print(json.dumps({{"epoch": (ends[-1] - ends[0]) / (len(ends) - 1) / plan.trajectories, "before": ends[0] - began}}))
"""


def turn(code: str) -> dict[str, float]:
    """Run a script in a process of its own and return what it measured."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def main() -> None:
    """Take turns, print the medians and their ratio, and save what was measured."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    measured: dict[str, list[dict[str, float]]] = {"keras on jax": [], "wellfit": []}
    for _ in range(turns):
        measured["keras on jax"].append(turn(KERAS))
        measured["wellfit"].append(turn(WELLFIT))
    median = {name: statistics.median(t["epoch"] for t in times) for name, times in measured.items()}
    for name, times in measured.items():
        before = statistics.median(t["before"] for t in times)
        print(f"{name}: {median[name]:.3f} s an epoch and training, {before:.1f} s to the end of the first epoch")
    print(f"ratio {median['keras on jax'] / median['wellfit']:.1f}, n = {turns} turns each")
    if len(sys.argv) > 2:
        info = Path("/proc/cpuinfo")
        model = [line for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
        result = {
            "n": turns,
            "processor": model[0].split(":")[1].strip() if model else platform.processor(),
            "cores": len(model),
            "versions": {name: metadata.version(name) for name in ("wellfit", "keras", "jax", "jaxlib", "numpy")},
            "measured": measured,
            "source": Path(__file__).read_text(),
        }
        Path(sys.argv[2]).write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
