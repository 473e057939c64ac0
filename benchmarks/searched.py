"""Adaptive search side by side: random search and Hyperband of KerasTuner, with Keras on JAX, and wellfit's [search].

All search the same space for a 128-64 network on Fashion-MNIST, on the same training and validation examples, with the
same budget: the epochs that Hyperband trains. Nobody sees the test set. The configuration that each one chooses is then
trained by wellfit with fresh seeds, on folds of their own, so that validation accuracies are compared without the
winner's curse. A method runs in a process of its own; its time is that of the search, compilation included, without
imports and data.

    python benchmarks/searched.py                                    # the setting of lab5: about an hour
    python benchmarks/searched.py --share 0.1 --epochs 9 --batch 64  # a tenth of the examples, fewer epochs
    python benchmarks/searched.py --table                            # the table of the results that are there

Results of repetitions that are there already are kept. Needs keras, keras-tuner (with six), optuna and WELLFIT_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

RESULTS: Final = Path(__file__).parent / "results" / "searched.json"
METHODS: Final = {
    "hyperband": "Hyperband, KerasTuner",
    "random": "random search, KerasTuner",
    "wellfit": "TPE with halving, wellfit",
}
FACTOR: Final = 3
BATCH: Final = 10
FRESH: Final = 5
"""Seeds with which the chosen configurations are trained again."""

HIDDEN: Final = ([128, 64], [64], [256, 128])
RANGES: Final[Mapping[str, Mapping[str, Any]]] = {
    "l2": {"low": 1e-6, "high": 1e-1, "log": True},
    "dropout": {"low": 0.0, "high": 0.6},
    "learning_rate": {"low": 1e-4, "high": 3e-2, "log": True},
}


# --- The same question for all ----------------------------------------------------------------------------------------


def study(options: argparse.Namespace, repetition: int, **more: Any) -> Any:
    """The study of a repetition, whose folds and sampler are its own."""
    from wellfit.spec.study import study_from_mapping

    search = {"space": {**RANGES, "model.hidden": list(HIDDEN)}, "seeds": 1, "batch": BATCH, "halving": FACTOR}
    return study_from_mapping(
        {
            "name": "searched",
            "data": {"name": "fashion-mnist", "train_share": options.share, "split_seed": repetition},
            "model": {"hidden": [128, 64]},
            "train": {"epochs": options.epochs, "batch_size": options.batch, "seeds": FRESH},
            "search": {**search, "sampler_seed": repetition, **more},
        }
    )


def session(spec: Any, directory: Path) -> Any:
    """Its session, with the data."""
    from wellfit.study.adapt import adapted, loaded
    from wellfit.study.session import Session

    fitted, dataset = adapted(spec, loaded(spec, None), "searched.toml")
    return Session(fitted, dataset, directory)


class Stopwatch:
    """Seconds on the wall and of the processor, since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Both."""
        now = time.perf_counter(), time.process_time()
        return dict(zip(("seconds", "processor"), (b - a for a, b in zip(self._began, now, strict=True)), strict=True))


# --- One search -------------------------------------------------------------------------------------------------------


def by_keras_tuner(options: argparse.Namespace) -> dict[str, Any]:
    """Hyperband, or random search with its budget."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras
    import keras_tuner

    from wellfit.base import FIRST_SEED

    data = session(study(options, options.repetition), Path("unused")).fold(FIRST_SEED).data
    keras.utils.set_random_seed(options.repetition)
    scale = np.float32(255)
    x, validation = data.x_train / scale, data.x_validation / scale
    trained = [0]

    class Model(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: Any) -> Any:
            l2, dropout, rate = (hp.Float(name, of["low"], of["high"], sampling="log" if "log" in of else "linear")
                                 for name, of in RANGES.items())  # fmt: skip
            hidden = HIDDEN[hp.Choice("hidden", list(range(len(HIDDEN))))]
            layers = [keras.Input(x.shape[1:]), keras.layers.Flatten()]
            for units in hidden:
                layers.append(keras.layers.Dense(units, "relu", kernel_regularizer=keras.regularizers.L2(l2)))
                layers.append(keras.layers.Dropout(dropout))
            model = keras.Sequential([*layers, keras.layers.Dense(10, "softmax")])
            model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
            return model

    def count(_epoch: int, _logs: Any) -> None:
        trained[0] += 1

    common = {"objective": "val_accuracy", "seed": options.repetition, "overwrite": True, "project_name": "search"}
    with tempfile.TemporaryDirectory() as folder:
        if options.method == "hyperband":
            tuner = keras_tuner.Hyperband(Model(), max_epochs=options.epochs, factor=FACTOR, directory=folder, **common)
        else:
            trials = max(2, round(options.budget / options.epochs))
            tuner = keras_tuner.RandomSearch(Model(), max_trials=trials, directory=folder, **common)
        watch = Stopwatch()
        tuner.search(
            x,
            data.y_train,
            validation_data=(validation, data.y_validation),
            batch_size=options.batch,
            **({} if options.method == "hyperband" else {"epochs": options.epochs}),
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=count)],
        )
        took = watch.read()
        best = tuner.oracle.get_best_trials(1)[0]
        values = dict(best.hyperparameters.values)
        chosen = {name: values[name] for name in RANGES} | {"model.hidden": HIDDEN[values["hidden"]]}
        return {**took, "epochs": trained[0], "tried": len(tuner.oracle.trials), "best": best.score, "chosen": chosen}


def by_wellfit(options: argparse.Namespace) -> dict[str, Any]:
    """The search of wellfit with the budget: as many configurations as it allows."""
    from wellfit.study.search.drive import Tried, search_first
    from wellfit.study.search.train import planned_epochs

    probe = study(options, options.repetition).search

    def planned(trials: int) -> int:
        full, rest = divmod(trials, BATCH)
        ends = planned_epochs(options.epochs, rest, probe) if rest else 0
        return full * planned_epochs(options.epochs, BATCH, probe) + ends

    trials = max(n for n in range(BATCH, BATCH + options.budget) if planned(n) <= max(options.budget, planned(BATCH)))
    spec = study(options, options.repetition, trials=trials)
    with tempfile.TemporaryDirectory() as folder:
        of = session(spec, Path(folder) / "study")
        _ = of.data, of.mesh
        after: list[Tried] = []
        watch = Stopwatch()
        search_first(of, on_batch=after.append)
        took = watch.read()
        last = after[-1]
        assert last.best is not None
        return {
            **took,
            "epochs": last.trained,
            "tried": len(last.trials),
            "best": last.best.mean,
            "chosen": dict(last.best.values),
        }


def judged(options: argparse.Namespace, chosen: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The mean validation accuracy of each chosen configuration with fresh seeds; nothing is tested."""
    from dataclasses import replace

    from wellfit.engine.train import Trainer
    from wellfit.spec.search import changes_of
    from wellfit.study.planning import recipe_of

    with tempfile.TemporaryDirectory() as folder:
        spec = study(options, options.repetition)
        variants = {name: changes_of(values, spec.base) for name, values in chosen.items()}
        of = session(replace(spec, variants=variants, search=None), Path(folder) / "study")
        scores: dict[str, list[float]] = {name: [] for name in chosen}
        for population in of.plan.populations:
            assert recipe_of(population).examples is None
            fold = of.fold(population.trajectories[0].seed)
            for record in Trainer(fold.data, of.mesh).train(population):
                scores[record.spec.variant].append(record.scores.get("validation_accuracy", 0.0))
    return {name: float(np.mean(values)) for name, values in scores.items()}


# --- All of them ------------------------------------------------------------------------------------------------------


def measured(options: argparse.Namespace, method: str, repetition: int, budget: int, chosen: Any = None) -> Any:
    """One search, or the judgment, in a process of its own."""
    command = [sys.executable, __file__, "--method", method, "--repetition", str(repetition), "--budget", str(budget)]
    command += ["--share", str(options.share), "--epochs", str(options.epochs), "--batch", str(options.batch)]
    with tempfile.TemporaryDirectory() as cache:  # nobody finds a program that was compiled before
        environment = {**os.environ, "WELLFIT_CACHE": cache}
        done = subprocess.run(
            command, input=json.dumps(chosen), capture_output=True, text=True, check=False, env=environment
        )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def table(repetitions: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table: of each method the means over the repetitions, and what varies.

    Args:
      repetitions: of each, method -> what it measured, with ``fresh`` the accuracy on fresh seeds.
    """
    rows = [
        "| method | configurations | epochs | best validation, in the search | its choice, fresh seeds | seconds | "
        "processor seconds |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for method, title in METHODS.items():
        of = [of for repetition in repetitions if "fresh" in (of := repetition.get(method, {}))]
        if not of:
            continue

        def spread(key: str, scale: float, digits: int, of: Sequence[Mapping[str, Any]] = of) -> str:
            values = [scale * one[key] for one in of]
            return f"{np.mean(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"

        counts = " | ".join(f"{np.mean([one[key] for one in of]):.0f}" for key in ("tried", "epochs"))
        accuracies = " | ".join(spread(key, 100, 2) for key in ("best", "fresh"))
        rows.append(f"| {title} | {counts} | {accuracies} | {spread('seconds', 1, 0)} | {spread('processor', 1, 0)} |")
    return "\n".join(rows)


def parser() -> argparse.ArgumentParser:
    """The options."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--share", type=float, default=1.0, help="of the training examples")
    arguments.add_argument("--epochs", type=int, default=30)
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--repetitions", type=int, default=5)
    arguments.add_argument("--table", action="store_true", help="print the table of the results that are there")
    arguments.add_argument("--method", help=argparse.SUPPRESS)
    arguments.add_argument("--repetition", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--budget", type=int, default=0, help=argparse.SUPPRESS)
    return arguments


def main() -> None:
    """Measure what is missing, and print the table."""
    options = parser().parse_args()
    if options.method:
        if options.method == "judge":
            found: Any = judged(options, json.load(sys.stdin))
        else:
            found = (by_wellfit if options.method == "wellfit" else by_keras_tuner)(options)
        print(json.dumps(found))
        return
    setting = {key: getattr(options, key) for key in ("share", "epochs", "batch")}
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if options.table:
        print(table(known["repetitions"]))
        return
    done = known.get("repetitions", []) if known.get("setting") == setting else []
    for repetition in range(options.repetitions):
        done += [{}] * (repetition == len(done))
        one = done[repetition]
        for method in METHODS:
            if method in one:
                continue
            one[method] = measured(options, method, repetition, one["hyperband"]["epochs"] if one else 0)
            print(repetition, method, one[method], flush=True)
            save(setting, done)
        if any("fresh" not in one[method] for method in METHODS):
            fresh = measured(options, "judge", repetition, 0, {method: one[method]["chosen"] for method in METHODS})
            for method in METHODS:
                one[method]["fresh"] = fresh[method]
            save(setting, done)
    print(table(done))


def save(setting: Mapping[str, Any], done: Sequence[Any]) -> None:
    """Keep what was measured."""
    from machine import facts

    text = json.dumps({"setting": setting, "machine": facts(), "repetitions": done}, indent=1)
    RESULTS.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
