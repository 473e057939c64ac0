"""The whole audit: sound data pass, errors come first, and nothing warns about missing values or odd shapes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from sklearn import datasets as sklearn_datasets

from planted import changed, codes, halves_of_digits, images, make, toy
from wellfit.base import Column
from wellfit.data.assemble import make_dataset
from wellfit.data.audits import audit
from wellfit.data.catalog import load_dataset
from wellfit.data.splits import make_splits
from wellfit.errors import DataError

SIZES = {"few-test-examples", "class-imbalance", "constant-features", "rows-sorted-by-class"}


FEW: list[Any] = [*range(15)]
MANY: list[Any] = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(15, 50)]


@pytest.mark.parametrize("seed", range(20))
def test_sound_rows_pass(seed):
    assert codes(toy(seed=seed)) == {"few-test-examples": "info"}


def test_sound_images_pass():
    assert codes(images()) == {"few-test-examples": "info"}


@pytest.mark.parametrize("seed", FEW + MANY)
def test_random_splits_of_digits_pass(seed):
    rng = np.random.default_rng(seed)
    data = halves_of_digits(seed, n=int(rng.integers(150, 1300)), m=int(rng.integers(20, 400)))
    assert codes(data).keys() <= SIZES | {"few-class-examples", "class-missing-from-split"}


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_known_tables_pass(name):
    x, y = getattr(sklearn_datasets, f"load_{name}")(return_X_y=True)
    assert codes(make_dataset(x, y)).keys() <= SIZES | {"duplicate-across-splits"}


@pytest.mark.parametrize("name", ["digits", "cosines", "cosines:0.1"])
def test_small_known_data_pass(name):
    assert codes(load_dataset(name)).keys() <= SIZES


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_real_images_pass_in_seconds(real_data, name):
    data = load_dataset(name)
    started = time.process_time()
    assert codes(data).keys() <= {"constant-features"}
    assert time.process_time() - started < 30  # 2.5 s on one idle core; other tests may run beside this one


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_small_random_splits_of_real_images_pass(real_data, name, seed):
    data, rng = load_dataset(name), np.random.default_rng(seed)
    rows, held = rng.choice(60_000, 600, replace=False), rng.choice(10_000, 50, replace=False)
    small = changed(
        data,
        x_train=data.x_train[rows],
        y_train=data.y_train[rows],
        x_test=data.x_test[held],
        y_test=data.y_test[held],
    )
    assert codes(small).keys() <= SIZES | {"class-missing-from-split"}


def test_errors_come_first():
    sound = toy()
    fault = changed(sound, x_test=sound.x_train[:50] * 50, y_test=np.zeros(50), y_train=np.sort(sound.y_train))
    levels = [f.level for f in audit(fault, make_splits(fault.y_train, validation=0.25))]
    assert levels == sorted(levels, key=["error", "warning", "info"].index)
    assert levels.count("error") >= 2


def test_missing_values_and_categories_are_no_trouble():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(500) % 2)
    x = rng.normal(size=(500, 5)) + y[:, None]
    x[:, 1] = rng.integers(0, 3, 500)  # a category
    x[rng.random((500, 5)) < 0.05] = np.nan
    x[:, 4] = np.nan
    columns = ("a", Column("color", ("blue", "green", "red")), "b", "c", "empty")
    data = make(x[:400].astype(np.float32), y[:400], x[400:].astype(np.float32), y[400:], columns=columns)
    assert codes(data) == {"constant-features": "info", "missing-values": "info", "few-test-examples": "info"}


@pytest.mark.parametrize("shape", [(1,), (2, 2), (1, 1), (5, 3, 3), (2000,)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_odd_shapes_and_types_are_no_trouble(shape, kind):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (60, *shape)).astype(kind), np.arange(60) % 2
    assert isinstance(codes(make(x[:40], y[:40], x[40:], y[40:])), dict)
    assert isinstance(codes(make(x[:8], y[:8], x[8:10], y[8:10])), dict)
    flat = make(np.zeros((40, *shape), kind), y[:40], np.zeros((20, *shape), kind), y[40:])
    assert codes(flat)["all-features-constant"] == "error"


def test_splits_of_another_data_set():
    with pytest.raises(DataError, match=r"the splits cover 400 training examples, but digits has 1438"):
        audit(load_dataset("digits"), make_splits(toy().y_train, validation=0.25))
