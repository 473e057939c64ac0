"""Small studies that each show a symptom of training that went wrong, for its test and for ``scripts/symptoms.py``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tomli_w

from seen_runs import fixes
from wellfit.api import make_dataset
from wellfit.base import Dataset, Finding, StudySummary
from wellfit.spec.study import load_study
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize


def clouds(spread: float = 1.0, count: int = 600, classes: int = 3, features: int = 8) -> Dataset:
    """Clouds of points that a small network separates nearly perfectly with a spread of 1."""
    generator = np.random.default_rng(1)
    means = generator.normal(0, 2, (classes, features))  # (K, D)
    y = np.arange(count + 300) % classes  # (N,)
    x = generator.normal(means[y], spread).astype(np.float32)  # (N, D)
    return make_dataset(x[:count], y[:count], x[count:], y[count:], name="points")


def shuffled() -> Dataset:
    """The clouds with labels that belong to other rows."""
    right, generator = clouds(), np.random.default_rng(2)
    y_train, y_test = generator.permutation(right.y_train), generator.permutation(right.y_test)
    return make_dataset(right.x_train, y_train, right.x_test, y_test, name="points")


def rare() -> Dataset:
    """Two overlapping clouds of which one has 3 % of the rows."""
    generator = np.random.default_rng(3)
    y = (np.arange(2000) % 33 == 0).astype(np.int32)  # (N,)
    x = generator.normal(0.6 * y[:, None], 1.0, (2000, 8)).astype(np.float32)  # (N, D)
    return make_dataset(x[:1400], y[:1400], x[1400:], y[1400:], name="points")


class Symptom(NamedTuple):
    """A study that shows a symptom.

    Args:
      finding: the code of the finding that names the cause.
      measure: a key of ``MEASURES``: what the remedy improves.
      data: makes the data set.
      train, model: tables of the study file.
      variants: by name; the last one shows the symptom.
      wrong: codes of causes that it must not name.
      remedy: for findings without an option: data that are right, or the setting that takes the explanation away.
    """

    finding: str
    measure: str
    data: Callable[[], Dataset]
    train: Mapping[str, Any] = {}
    model: Mapping[str, Any] = {}
    variants: Mapping[str, Any] = {"plain": {}}
    wrong: Collection[str] = ()
    remedy: Callable[[], Dataset] | str | None = None


CAUSES = frozenset(
    {"diverged", "learning-rate-high", "learning-rate-low", "penalty-too-strong", "underfitting", "dead-units"}
    | {"vanishing-gradients", "majority-guess", "labels-unrelated"}
)
"""The causes of a bad training, of which a finding names one."""


def _ten() -> Dataset:
    return clouds(2.0, 400, 10, 12)


def _recall(summary: StudySummary, name: str) -> float:
    counts = summary.confusion[name]
    return float(np.mean(np.diag(counts) / counts.sum(axis=1)))


def _column(summary: StudySummary, name: str, column: str) -> list[np.ndarray]:
    return [history[column] for history in summary.histories[name].values()]


def _jumps(summary: StudySummary, name: str) -> float:
    later = [curve[len(curve) // 3 :] for curve in _column(summary, name, "running_loss")]
    return float(
        np.mean([np.median(np.abs(np.diff(curve, 2))) * 1.4826 / 6**0.5 / np.median(curve) for curve in later])
    )


def _scores(summary: StudySummary, name: str, metric: str) -> list[float]:
    (variant,) = (v for v in summary.variants if v.name == name)
    return [value for run in variant.runs if (value := getattr(run, metric)) is not None]


def _gap(summary: StudySummary, name: str, column: str) -> float:
    ends = ([curve[-1] for curve in _column(summary, name, c)] for c in ("validation_accuracy", column))
    held_out, train = (float(np.mean(values)) for values in ends)
    return held_out - train


MEASURES: Mapping[str, tuple[int, Callable[[StudySummary, str], float]]] = {
    "finished runs": (1, lambda s, n: float(len(_scores(s, n, "test_accuracy")))),
    "test accuracy": (1, lambda s, n: float(np.mean(_scores(s, n, "test_accuracy")))),
    "test loss": (-1, lambda s, n: float(np.mean(_scores(s, n, "test_loss")))),
    "mean recall": (1, _recall),
    "sd of validation accuracy": (-1, lambda s, n: float(np.std(_scores(s, n, "validation_accuracy"), ddof=1))),
    "noise of the running loss, relative": (-1, _jumps),
    "validation - running accuracy": (-1, lambda s, n: _gap(s, n, "running_accuracy")),
    "validation - training accuracy": (-1, lambda s, n: _gap(s, n, "train_accuracy")),
}
"""What a remedy improves: 1 if higher is better, -1 if lower is, and the measure of a variant."""

_TANH = {"activation": "tanh", "hidden": [16, 16, 16]}

SYMPTOMS: Mapping[str, Symptom] = {
    "NaN": Symptom("diverged", "finished runs", clouds, {"optimizer": "momentum", "learning_rate": 1e6}),
    "at chance, rate far too high": Symptom(
        "learning-rate-high", "test accuracy", _ten, {"learning_rate": 10.0}, _TANH
    ),
    "at chance, a lower rate works": Symptom(
        "learning-rate-high",
        "test accuracy",
        _ten,
        model=_TANH,
        variants={"good": {"learning_rate": 0.01}, "high": {"learning_rate": 10.0}},
    ),
    "at chance, rate far too low": Symptom(
        "learning-rate-low", "test accuracy", clouds, {"optimizer": "sgd", "learning_rate": 1e-5}
    ),
    "at chance, ReLU units die (with a weak penalty)": Symptom(
        "dead-units", "test accuracy", _ten, {"learning_rate": 1.0, "l2": 1e-5}, {"hidden": [32, 32, 32]}
    ),
    "at chance, penalty": Symptom(
        "penalty-too-strong", "test accuracy", _ten, {"learning_rate": 0.03, "l2": 1.0}, {"hidden": [32, 32]}
    ),
    "slow, penalty": Symptom(
        "penalty-too-strong", "test accuracy", _ten, {"l2": 0.1, "learning_rate": 0.001}, {"hidden": [32, 32]}
    ),
    "at chance, six sigmoid layers": Symptom(
        "vanishing-gradients",
        "test accuracy",
        lambda: clouds(1.0, 300),
        {"learning_rate": 0.001},
        {"activation": "sigmoid", "hidden": [16] * 6},
    ),
    "at chance, labels of other rows": Symptom(
        "labels-unrelated",
        "test accuracy",
        shuffled,
        {"epochs": 40, "learning_rate": 0.01},
        {"hidden": [64]},
        wrong=("overfitting", "still-improving"),
        remedy=clouds,
    ),
    "at chance, imbalance": Symptom(
        "majority-guess", "mean recall", rare, {"learning_rate": 0.001}, wrong=("still-improving",)
    ),
    "overfits while the loss falls steadily": Symptom(
        "overfitting",
        "test loss",
        lambda: clouds(4.0, 150),
        {"epochs": 40, "learning_rate": 0.003},
        {"hidden": [64]},
        wrong=CAUSES,
    ),
    "validation above running accuracy": Symptom(
        "dropout-explains",
        "validation - running accuracy",
        _ten,
        {"dropout": 0.5, "learning_rate": 0.003},
        wrong=CAUSES,
        remedy="train.dropout=0",
    ),
    "validation above training accuracy": Symptom(
        "validation-above-training",
        "validation - training accuracy",
        clouds,
        {"label_noise": 0.3, "learning_rate": 0.003},
        wrong=CAUSES,
        remedy="train.label_noise=0",
    ),
    "early stopping restores nothing": Symptom(
        "best-not-restored",
        "test loss",
        lambda: clouds(3.0, 150),
        {"epochs": 60, "learning_rate": 0.01, "early_stopping": {"patience": 20}},
        {"hidden": [64]},
        wrong=(*CAUSES, "overfitting", "stopped-at-once", "never-stopped"),
    ),
    "early stopping never stops": Symptom(
        "never-stopped",
        "test loss",
        lambda: clouds(3.0, 150),
        {"epochs": 40, "learning_rate": 0.01, "early_stopping": {"patience": 60}},
        {"hidden": [64]},
        wrong=(*CAUSES, "stopped-at-once", "best-not-restored"),
    ),
    "runs differ": Symptom(
        "seeds-disagree",
        "sd of validation accuracy",
        clouds,
        {"learning_rate": 0.03, "seeds": 6},
        {"hidden": [3, 3, 3, 3]},
    ),
    "noise in the loss": Symptom(
        "learning-rate-high",
        "noise of the running loss, relative",
        lambda: clouds(2.0, 300),
        {"batch_size": 4, "optimizer": "sgd", "learning_rate": 1.0},
        {"activation": "tanh"},
    ),
}


def remedied(symptom: Symptom, finding: Finding, directory: Path) -> tuple[StudySummary, str]:
    """The study trained again with the finding's remedy, and the variant that has it."""
    shown = list(symptom.variants)[-1]
    if callable(symptom.remedy):
        return trained(symptom, directory, data=symptom.remedy()), shown
    settings = [symptom.remedy] if symptom.remedy else fixes(finding.fix)
    summary = trained(symptom, directory, settings)
    added = [v.name for v in summary.variants if v.name not in symptom.variants]
    return summary, (added or [shown])[0]


def trained(
    symptom: Symptom, directory: Path, settings: Sequence[str] = (), data: Dataset | None = None
) -> StudySummary:
    """The summary of a symptom's study, trained with further settings, as ``--set`` takes them."""
    tables = {
        "data": {"name": "points", "scale": "standardize"},
        "model": {"hidden": [32], **symptom.model},
        "train": {"epochs": 20, "batch_size": 32, "seeds": 3, **symptom.train},
        "variants": dict(symptom.variants),
    }
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "study.toml"
    file.write_text(tomli_w.dumps(tables))
    spec = load_study(str(file), settings=list(settings))
    run_study(Session(spec, data or symptom.data(), directory / "out"))
    return summarize(directory / "out")
