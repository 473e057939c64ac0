"""The preparation of tables, against scikit-learn's imputers and encoders fitted on the training rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from wellfit.base import Column, Dataset, IntArray, Preparation
from wellfit.data.preparation import (
    IDENTITY,
    MOST_CATEGORIES,
    binary_features,
    count_missing,
    count_unseen,
    fit_preparation,
    is_identity,
    prepare,
    prepared_dataset,
)
from wellfit.data.scaling import fit_scaling
from wellfit.errors import DataError

COLORS = ("blue", "green", "red", "white")
COLUMNS = (Column("age"), Column("color", COLORS), Column("height"))


def table(x_train: np.ndarray, x_test: np.ndarray | None = None, columns: tuple[Column, ...] = COLUMNS) -> Dataset:
    x_test = x_train if x_test is None else x_test
    y_train, y_test = np.zeros(len(x_train), np.int32), np.zeros(len(x_test), np.int32)
    return Dataset("toy", x_train, y_train, x_test, y_test, ("a", "b"), None, "Toy", "toy.csv", "0" * 64, columns)


def mixed(rows: int = 40, seed: int = 0) -> np.ndarray:
    """Numbers, colors, numbers, each with missing values."""
    rng = np.random.default_rng(seed)
    x = np.stack([rng.normal(30, 9, rows), rng.integers(0, 3, rows), rng.normal(170, 5, rows)], axis=1)
    x[rng.random(x.shape) < 0.15] = np.nan
    return x.astype(np.float32)


def train_rows(rows: int = 40) -> IntArray:
    return np.arange(0, rows, 2)


def sklearn_features(x: np.ndarray, rows: IntArray) -> np.ndarray:
    """Columns, then each one's missing indicator, as scikit-learn prepares them."""
    numbers = SimpleImputer(strategy="median", add_indicator=True)
    colors = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    missing = SimpleImputer(strategy="most_frequent", add_indicator=True)
    transformer = ColumnTransformer(
        [("age", numbers, [0]), ("color", colors, [1]), ("missing color", missing, [1]), ("height", numbers, [2])],
        sparse_threshold=0,
    )
    features = np.asarray(transformer.fit(x[rows]).transform(x))
    color = 2 + len(transformer.named_transformers_["color"][-1].categories_[0])
    return np.delete(features, color, axis=1)  # without the imputed position of the color


def test_scikit_learn_prepares_alike():
    x = mixed()
    data = table(x)
    preparation = fit_preparation(data, train_rows())
    features = prepare(preparation, COLUMNS, x)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, sklearn_features(x, train_rows()), rtol=1e-6)  # float32 against float64
    assert preparation.features == (
        "age",
        "age is missing",
        "color = blue",
        "color = green",
        "color = red",
        "color is missing",
        "height",
        "height is missing",
    )
    assert features.shape[1] == len(preparation.features) == len(binary_features(preparation))
    assert [
        name for name, flag in zip(preparation.features, binary_features(preparation), strict=True) if not flag
    ] == [
        "age",
        "height",
    ]


@given(arrays(np.float32, (20, 3), elements=st.one_of(st.just(np.nan), st.integers(0, 3))))
@settings(max_examples=50)
def test_other_rows_do_not_influence_the_preparation(others):
    x = mixed()
    changed = x.copy()
    changed[1::2] = others
    fitted = fit_preparation(table(x), train_rows())
    assert fit_preparation(table(changed, changed[:5]), train_rows()) == fitted
    before = prepare(fitted, COLUMNS, x)[::2]
    np.testing.assert_array_equal(prepare(fitted, COLUMNS, changed)[::2], before)
    scaled = fit_scaling(before, "auto", None, binary_features(fitted))
    again = fit_scaling(prepare(fitted, COLUMNS, changed)[::2], "auto", None, binary_features(fitted))
    np.testing.assert_array_equal(scaled.factor, again.factor)


def test_unseen_categories_are_zeros_and_counted():
    x = np.array([[1, 0, 1], [2, 2, 2], [3, 3, 3], [4, np.nan, 4]], np.float32)
    fitted = fit_preparation(table(x), np.array([0, 1]))
    assert fitted.columns[1].categories == ("blue", "red")
    np.testing.assert_array_equal(prepare(fitted, COLUMNS, x)[:, 1:3], [[1, 0], [0, 1], [0, 0], [1, 0]])
    assert count_unseen(fitted, COLUMNS, x) == {"color": 1}
    assert count_unseen(fitted, COLUMNS, x[:2]) == {}


def test_categories_are_matched_by_their_texts():
    fitted = fit_preparation(table(np.array([[1, 0, 1], [2, 2, 2]], np.float32)), np.array([0, 1]))
    others = (COLUMNS[0], Column("color", ("red", "violet")), COLUMNS[2])
    np.testing.assert_array_equal(prepare(fitted, others, np.array([[1, 0, 1], [1, 1, 1]]))[:, 1:3], [[0, 1], [0, 0]])
    assert count_unseen(fitted, others, np.array([[1, 1, 1.0]])) == {"color": 1}


def test_missing_values_elsewhere_are_filled_but_need_no_indicator():
    x = np.array([[1, 0, 1], [2, 2, 2], [9, 2, 3], [np.nan, np.nan, np.nan]], np.float32)
    fitted = fit_preparation(table(x), np.arange(3))
    assert prepare(fitted, COLUMNS, x)[3].tolist() == [2, 0, 1, 2]
    assert count_missing(fitted, x) == {"age": 1, "color": 1, "height": 1}
    assert count_missing(fitted, np.zeros((2, 3), np.uint8)) == {}


def test_useless_columns_are_left_out_and_named():
    columns = (
        Column("age"),
        Column("planet", ("Earth", "Mars")),
        Column("empty"),
        Column("text", tuple(map(str, range(1500)))),
    )
    x = np.stack([np.arange(1500), np.zeros(1500), np.full(1500, np.nan), np.arange(1500)], axis=1).astype(np.float32)
    x[-1, 1] = 1  # not a training row
    fitted = fit_preparation(table(x, columns=columns), np.arange(MOST_CATEGORIES + 1))
    assert fitted.features == ("age",)
    assert fitted.left_out == {
        "planet": "the same value in every training example",
        "empty": "no value in any training example",
        "text": "1,001 categories in the training examples",
    }
    np.testing.assert_array_equal(prepare(fitted, columns, x), x[:, :1])


def test_a_constant_with_missing_values_stays_with_its_indicator():
    x = np.array([[1, 0, 1], [2, np.nan, np.nan], [3, 0, 1]], np.float32)
    fitted = fit_preparation(table(x), np.arange(3))
    assert fitted.features == ("age", "color = blue", "color is missing", "height", "height is missing")


def test_no_column_left_is_an_error():
    columns = (Column("a"), Column("b"))
    with pytest.raises(DataError, match=r"toy\.csv: no column is left to learn from: a \(the same value"):
        fit_preparation(table(np.ones((4, 2), np.float32), columns=columns), np.arange(4))


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_arrays_without_missing_values_keep_their_bits(dtype):
    x = np.random.default_rng(0).integers(0, 2, (10, 4)).astype(dtype)
    x[:, 0] = 7  # constant columns stay
    data = table(x, columns=())
    assert prepared_dataset(data, fit_preparation(data, np.arange(5))) is data


def test_arrays_with_missing_values_are_filled():
    x = np.array([[1, 5], [3, np.nan], [np.nan, 5], [8, 5]], np.float32)
    data = table(x, columns=())
    fitted = fit_preparation(data, np.array([0, 1]))
    ready = prepared_dataset(data, fitted)
    assert fitted.features == ("x1", "x2", "x2 is missing")
    assert ready.x_train.tolist() == [[1, 5, 0], [3, 5, 1], [2, 5, 0], [8, 5, 0]]
    assert ready.columns == ()


def test_images_have_no_preparation():
    data = table(np.zeros((4, 8, 8), np.uint8), columns=())
    assert is_identity(fit_preparation(data, np.arange(4)))
    assert prepare(IDENTITY, (), data.x_train) is data.x_train
    assert len(binary_features(IDENTITY)) == 0


def test_huge_numbers_are_centered_before_they_are_rounded():
    seconds = 1.7e9 + np.arange(1000.0)
    x = np.stack([seconds, np.arange(1000.0)], axis=1)
    columns = (Column("time"), Column("row"))
    fitted = fit_preparation(table(x, columns=columns), np.arange(1000))
    assert [column.center for column in fitted.columns] == [float(np.median(seconds)), 0.0]
    features = prepare(fitted, columns, x)
    np.testing.assert_array_equal(features[:, 0], np.arange(1000) - 499.5)
    assert len(np.unique(x[:, 0].astype(np.float32))) < 20  # what would be left without


def test_numbers_beyond_float32_are_refused_by_their_column():
    columns = (Column("a"), Column("b"))
    x = np.array([[1, 1e300], [2, 1.0], [3, 2.0]])
    fitted = fit_preparation(table(x, columns=columns), np.array([1, 2]))
    with pytest.raises(DataError, match="column b: 1e\\+300 is too large for float32"):
        prepare(fitted, columns, x)


def test_rows_of_another_width_are_refused():
    fitted = fit_preparation(table(mixed()), train_rows())
    with pytest.raises(DataError, match=r"the rows have \(2,\) values, but the table has 3 columns"):
        prepare(fitted, COLUMNS[:2], mixed()[:, :2])


def test_a_prepared_table_names_its_features():
    data = table(mixed(), mixed(10, 1))
    fitted = fit_preparation(data, train_rows())
    ready = prepared_dataset(data, fitted)
    assert tuple(column.name for column in ready.columns) == fitted.features
    np.testing.assert_array_equal(ready.x_test, prepare(fitted, COLUMNS, data.x_test))
    assert np.isfinite(ready.x_train).all()


def test_what_is_fitted_is_plain_data():
    fitted = fit_preparation(table(mixed()), train_rows())
    assert isinstance(fitted, Preparation)
    assert dataclasses.asdict(fitted)["columns"][1]["categories"] == ("blue", "green", "red")
