"""Runs as trackers and loggers keep them, written by their programs; ``python tests/tracked.py`` writes fixtures."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FIXTURES = Path(__file__).parent / "fixtures" / "tracked"

SEEDS = (3, 4, 5)
ACCURACIES = {("0", 3): 0.81, ("0", 4): 0.8, ("0", 5): 0.815, ("0.01", 3): 0.9, ("0.01", 4): 0.885, ("0.01", 5): 0.91}
"""l2 and seed of a run -> its test accuracy."""
EXPECTED = {(f"l2={l2}", seed): accuracy for (l2, seed), accuracy in ACCURACIES.items()}

LABELS = np.random.default_rng(0).integers(0, 3, 200)


def predictions(l2: str, seed: int) -> np.ndarray:
    """Probabilities with exactly the accuracy of a run.  # (200, 3)"""
    right = np.arange(200) < round(200 * ACCURACIES[l2, seed])
    order = np.random.default_rng(seed).permutation(200)
    predicted = (LABELS + np.where(right[np.argsort(order)], 0, 1)) % 3
    return np.where(np.eye(3)[predicted] > 0, 0.8, 0.1).astype(np.float32)


def epochs(l2: str, seed: int) -> Iterator[tuple[int, dict[str, float]]]:
    """The number of each epoch, and its metrics."""
    for epoch in range(4):
        loss = 1.0 / (epoch + 1) + seed / 100
        yield epoch, {"train_loss": loss, "val_loss": loss + 0.1, "val_acc": ACCURACIES[l2, seed] - 0.1 / (epoch + 1)}


# --- MLflow -----------------------------------------------------------------------------------------------------------


def write_mlflow(uri: str, folder: Path, *, artifacts: str | None = None, seed: str = "seed", name: str = "exp") -> Any:
    """An experiment, with what each run predicts as an artifact ``npz`` or ``csv``; gives the client."""
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    client = MlflowClient(uri, uri)
    folder.mkdir(parents=True, exist_ok=True)
    experiment = client.create_experiment(name, None if uri.startswith("http") else (folder / "mlruns" / "1").as_uri())
    for (l2, number), accuracy in ACCURACIES.items():
        run = client.create_run(experiment, run_name=f"run-{l2}-{number}").info.run_id
        for key, value in (("l2", l2), (seed, str(number)), ("epochs", "4")):
            client.log_param(run, key, value)
        for epoch, metrics in epochs(l2, number):
            for key, value in metrics.items():
                client.log_metric(run, key, value, step=epoch)
        client.log_metric(run, "test_acc", accuracy)
        if artifacts is not None:
            file = folder / f"predictions.{artifacts}"
            p = predictions(l2, number)
            if artifacts == "npz":
                np.savez(file, probabilities=p, labels=LABELS)
            else:
                rows = [f"{at},{LABELS[at]},{p[at].argmax()}" for at in range(200)]
                file.write_text("\n".join(["example,label,predicted", *rows]))
            client.log_artifact(run, str(file))
            file.unlink()
        client.set_terminated(run)
    return client


# --- Optuna -----------------------------------------------------------------------------------------------------------


def write_optuna(storage: Any, *, name: str = "l2") -> Any:
    """A study of a grid, whose trials note the test accuracy; one trial is pruned. It gives the study."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    database = optuna.storages.RDBStorage(storage) if isinstance(storage, str) else None
    grid = {"l2": ["0", "0.01"], "seed": list(SEEDS)}

    def objective(trial: Any) -> float:
        l2, seed = trial.suggest_categorical("l2", grid["l2"]), trial.suggest_categorical("seed", grid["seed"])
        for epoch, metrics in epochs(l2, seed):
            trial.report(metrics["val_acc"], epoch)
        trial.set_user_attr("test_accuracy", ACCURACIES[l2, seed])
        return float(metrics["val_acc"])

    study = optuna.create_study(storage=database or storage, study_name=name, direction="maximize",
                                sampler=optuna.samplers.GridSampler(grid, seed=0))  # fmt: skip
    study.optimize(objective, n_trials=6)
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.PRUNED))
    if database is not None:
        database.remove_session()
        database.engine.dispose()
    return study


def journal(path: Path) -> Any:
    """A storage of Optuna in a file of text."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(path)))


# --- Lightning, Keras, TensorBoard ------------------------------------------------------------------------------------


def write_lightning(folder: Path) -> None:
    """What Lightning's CSVLogger writes."""
    from lightning.pytorch.loggers import CSVLogger

    for at, (l2, seed) in enumerate(ACCURACIES):
        logger = CSVLogger(folder.parent, name=folder.name, version=at)
        logger.log_hyperparams({"l2": float(l2), "seed": seed, "optimizer": {"name": "adam", "lr": 0.001}})
        for epoch, metrics in epochs(l2, seed):
            logger.log_metrics({"epoch": epoch, "train_loss_step": 9.0}, step=10 * epoch + 4)
            logger.log_metrics({"epoch": epoch, "train_loss_epoch": metrics["train_loss"]}, step=10 * epoch + 9)
            logger.log_metrics({"epoch": epoch, "val_loss": metrics["val_loss"], "val_acc": metrics["val_acc"]},
                               step=10 * epoch + 9)  # fmt: skip
        logger.log_metrics({"epoch": 4, "test_acc": ACCURACIES[l2, seed]}, step=40)
        logger.save()


def write_keras(folder: Path) -> None:
    """What Keras's CSVLogger writes, and a History as JSON, of tiny trainings."""
    import keras

    for name in ("csv", "history"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    for units in (2, 8):
        for seed in (0, 1):
            keras.utils.set_random_seed(seed)
            model = keras.Sequential([keras.layers.Dense(units, "relu"), keras.layers.Dense(2, "softmax")])
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            logger = keras.callbacks.CSVLogger(folder / "csv" / f"units={units}.{seed}.csv")
            history = model.fit(
                x[:40], y[:40], epochs=3, verbose=0, validation_data=(x[40:], y[40:]), callbacks=[logger]
            )
            (folder / "history" / f"units={units}.{seed}.json").write_text(json.dumps(history.history))


def write_tensorboard(folder: Path, *, hparams: bool = False) -> None:
    """What PyTorch's SummaryWriter writes, through TensorBoard."""
    from torch.utils.tensorboard import SummaryWriter

    for at, (l2, seed) in enumerate(ACCURACIES):
        place = folder / (f"run{at}" if hparams else f"l2={l2}.{seed}")
        with SummaryWriter(place) as writer:
            for epoch, metrics in epochs(l2, seed):
                for name, value in metrics.items():
                    writer.add_scalar(name.replace("_", "/", 1), value, epoch)
            writer.add_scalar("test/acc", ACCURACIES[l2, seed], 4)
            if hparams:
                writer.add_hparams({"l2": float(l2), "seed": seed}, {"hparam/test": ACCURACIES[l2, seed]})


def write_split_events(folder: Path) -> None:
    """Scalars as tensors in a folder for each split, as Keras and TensorFlow 2 write them."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for (l2, seed), accuracy in ACCURACIES.items():
        for split in ("train", "validation", "test"):
            writer = EventFileWriter(str(folder / f"l2={l2}" / f"seed-{seed}" / split))
            for epoch, metrics in epochs(l2, seed):
                loss = metrics["train_loss" if split == "train" else "val_loss"]
                writer.add_event(Event(wall_time=epoch + 1.0, step=epoch, summary=scalar_pb("epoch_loss", loss)))
            if split == "test":
                writer.add_event(Event(wall_time=9.0, step=4, summary=scalar_pb("epoch_accuracy", accuracy)))
            writer.close()


def _fixtures() -> None:
    shutil.rmtree(FIXTURES, ignore_errors=True)
    write_lightning(FIXTURES / "lightning_logs")
    write_keras(FIXTURES / "keras")
    write_tensorboard(FIXTURES / "events", hparams=True)


if __name__ == "__main__":
    sys.exit(_fixtures())
