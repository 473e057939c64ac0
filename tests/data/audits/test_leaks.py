"""Columns that give the label away."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris

from planted import changed, codes, findings, make, toy
from wellfit.base import Column
from wellfit.data.assemble import make_dataset

CODE = "label-leak"


def with_column(column, test_column, name="extra", data=None):
    """The toy data with a further column."""
    data = data or toy()
    x, held = np.c_[data.x_train, column].astype(np.float32), np.c_[data.x_test, test_column].astype(np.float32)
    return make(x, data.y_train, held, data.y_test, columns=("a", "b", "c", "d", name))


def test_a_code_of_the_label():
    data = toy()
    fault = with_column(7 - 3 * data.y_train, 7 - 3 * data.y_test, "alive")
    found = findings(fault)[CODE]
    assert found.level == "error"
    assert found.message == (
        "alive is the label in other words: each value stands for one class, and each class has one value, in all 400 "
        "training and validation examples."
    )
    assert found.fix == 'Leave out what is not known before the label is: [data] drop = ["alive"].'
    nameless = changed(fault, columns=())
    assert findings(nameless)[CODE].message.startswith("Column 5 is the label in other words")
    assert findings(nameless)[CODE].fix.endswith("drop = [5].")


def test_a_category_that_is_the_label():
    data = toy()
    fault = with_column(1 - data.y_train, 1 - data.y_test, Column("alive", ("no", "yes")))
    assert findings(fault)[CODE].message.startswith("alive is the label in other words")


def test_a_value_that_is_missing_for_one_class():
    data = toy()
    rng = np.random.default_rng(0)
    column, held = rng.normal(size=400), rng.normal(size=200)
    column[data.y_train == 1] = held[data.y_test == 1] = np.nan
    found = findings(with_column(column, held, "died_on"))[CODE]
    assert found.level == "warning"
    assert found.message.startswith("died_on may give the label away: died_on alone predicts the class of 100.0 % of")


def test_a_number_that_separates_the_classes():
    data = toy()
    rng = np.random.default_rng(0)
    fault = with_column(10 * data.y_train + rng.random(400), 10 * data.y_test + rng.random(200), "bill")
    assert codes(fault)[CODE] == "warning"
    few = changed(fault, x_train=fault.x_train[:100], y_train=fault.y_train[:100])
    assert CODE not in codes(few)  # so few rows can be separated by chance


@pytest.mark.parametrize("blocks", [1, 10])
def test_a_row_number_of_rows_in_order(blocks):
    data = toy()
    y = np.concatenate([np.sort(part) for part in np.split(data.y_train, blocks)])
    order = np.random.default_rng(0).permutation(400)
    x = np.c_[data.x_train[:, 1:], np.arange(400)].astype(np.float32)
    fault = make(x[order], y[order], np.c_[data.x_test[:, 1:], 1000 + np.arange(200)], data.y_test)
    found = findings(fault)[CODE]
    assert found.level == "error"
    assert found.message.startswith("Column 4 numbers the rows, and the class follows their order: column 4 alone")


def test_numbers_of_rows_without_order_are_no_leak():
    assert CODE not in codes(with_column(np.arange(400), 400 + np.arange(200)))


def test_many_binary_columns_match_few_labels_by_chance():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 2, (24, 5000)).astype(np.float32), np.arange(24) % 2
    assert CODE not in codes(make(x, y, x[:4], y[:4]))


@pytest.mark.parametrize("seed", range(10))
def test_predictive_columns_are_no_leak(seed):
    x, y = load_iris(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(150)
    assert CODE not in codes(make_dataset(x[rows], y[rows]))


def test_many_classes():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(300), 6)
    x = np.c_[rng.normal(size=(1800, 3)), rng.permutation(300)[y]].astype(np.float32)
    names = tuple(map(str, range(300)))
    assert findings(make(x, y, x[::6], y[::6], names))[CODE].message.startswith("Column 4 is the label in other words")
    x[:, 3] = rng.normal(size=1800)
    assert CODE not in codes(make(x, y, x[::6], y[::6], names))
