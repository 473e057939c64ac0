"""Small sound data sets, in which the tests of the audit plant faults."""

from __future__ import annotations

import dataclasses

import numpy as np

from wellfit.base import Column, Dataset, Finding, Splits
from wellfit.data.audits import audit
from wellfit.data.splits import make_splits


def make(x_train, y_train, x_test, y_test, classes=("a", "b"), columns=()) -> Dataset:
    y_train, y_test = np.asarray(y_train, np.int32), np.asarray(y_test, np.int32)
    x_train, x_test = np.asarray(x_train), np.asarray(x_test)
    named = tuple(Column(name) if isinstance(name, str) else name for name in columns)
    return Dataset("toy", x_train, y_train, x_test, y_test, classes, None, "Toy", "", "0" * 64, named)


def toy(n: int = 400, m: int = 200, seed: int = 0) -> Dataset:
    """Two classes of rows with four features of different units; the first feature tells the classes apart."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n + m) % 2)
    x = rng.normal(size=(n + m, 4))
    x[:, 0] += y
    x = (x * [1, 10, 100, 1000]).astype(np.float32)
    return make(x[:n], y[:n], x[n:], y[n:])


def images(n: int = 300, m: int = 100, side: int = 6) -> Dataset:
    """Two classes of noisy images whose means differ."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(n + m) % 2)
    x = np.maximum(rng.integers(-200, 256, (n + m, side, side)), 0).astype(np.float32)
    x[y == 1, : side // 2, 0] = 200
    return make(x[:n], y[:n], x[n:], y[n:])


def changed(dataset: Dataset, **fields) -> Dataset:
    for name in ("y_train", "y_test"):
        if name in fields:
            fields[name] = np.asarray(fields[name], np.int32)
    arrays = {k: np.asarray(v) if k.startswith("x") else v for k, v in fields.items()}
    return dataclasses.replace(dataset, **{"pool": None, **arrays})


def with_given_validation(dataset: Dataset, x, y) -> tuple[Dataset, Splits]:
    """Append examples as the given validation set."""
    n = len(dataset.y_train)
    whole = changed(
        dataset,
        x_train=np.concatenate([dataset.x_train, x]),
        y_train=np.concatenate([dataset.y_train, y]),
        validation_rows=np.arange(n, n + len(y)),
    )
    return whole, Splits(np.arange(n), np.arange(n, n + len(y)), np.arange(len(y)), 0, "")


def findings(dataset: Dataset, splits: Splits | None = None) -> dict[str, Finding]:
    """The findings by code, each of which is a sentence with a remedy in sentences."""
    found = audit(dataset, splits or make_splits(dataset.y_train, validation=0.25))
    for finding in found:
        assert finding.message.endswith(".")
        assert not finding.fix or finding.fix.endswith(".")
    return {f.code: f for f in found}


def codes(dataset: Dataset, splits: Splits | None = None) -> dict[str, str]:
    return {code: finding.level for code, finding in findings(dataset, splits).items()}


def message(dataset: Dataset, code: str, splits: Splits | None = None) -> str:
    return findings(dataset, splits)[code].message


def halves_of_digits(seed: int, n: int = 1000, m: int = 400) -> Dataset:
    """Random training and test images of the digits."""
    from wellfit.data.catalog import load_dataset

    digits = load_dataset("digits")
    x, y = np.concatenate([digits.x_train, digits.x_test]), np.concatenate([digits.y_train, digits.y_test])
    rows = np.random.default_rng(seed).permutation(len(y))
    a, b = rows[:n], rows[n : n + m]
    return changed(digits, x_train=x[a], y_train=y[a], x_test=x[b], y_test=y[b])
