"""Features that are constant, missing, or hold stand-ins for missing values or new categories."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from planted import changed, codes, findings, images, make, message, toy
from wellfit.base import Column
from wellfit.data.splits import make_splits


def test_constant_features():
    sound = toy()
    x = sound.x_train.copy()
    x[:, 1] = 4
    assert message(changed(sound, x_train=x), "constant-features").startswith("1 of 4 features never changes: ")
    named = changed(sound, x_train=x, columns=tuple(map(Column, "abcd")))
    assert "in every training example (b)." in message(named, "constant-features")
    x[::2, 1] = np.nan  # where a value is missing is information
    assert "constant-features" not in codes(changed(sound, x_train=x))


def test_all_features_constant():
    sound, pictures = toy(), images()
    rows = findings(changed(sound, x_train=np.full_like(sound.x_train, 3)))
    assert rows["all-features-constant"].level == "error"
    assert "constant-features" not in rows
    alike = np.broadcast_to(pictures.x_train[:1], pictures.x_train.shape)
    assert message(changed(pictures, x_train=alike), "all-features-constant").startswith(
        "225 of 225 training images are the same image: there is nothing to learn from."
    )
    nearly = alike.copy()
    nearly[:8] = pictures.x_train[:8]
    splits = make_splits(pictures.y_train, validation=0.25)
    count = 225 - int((splits.train < 8).sum()) + int(0 in splits.train)
    found = message(changed(pictures, x_train=nearly), "all-features-constant", splits)
    assert found.startswith(f"{count} of 225 training images are the same image")
    nearly[::10] = pictures.x_train[::10]
    assert "all-features-constant" not in codes(changed(pictures, x_train=nearly))


def test_mostly_missing_columns():
    sound = toy()
    x = sound.x_train.copy()
    x[::3, 0] = x[1::3, 0] = x[::3, 2] = np.nan
    found = findings(changed(sound, x_train=x, columns=tuple(map(Column, "abcd"))))["missing-values"]
    assert found.level == "info"
    assert found.message.startswith("1 of 4 columns has no value in most training examples: a (")


def test_unseen_categories():
    sound = toy()
    splits = make_splits(sound.y_train, validation=0.25)
    rng = np.random.default_rng(0)
    x_train, x_test = np.c_[sound.x_train, rng.integers(0, 2, 400)], np.c_[sound.x_test, rng.integers(0, 2, 200)]
    columns = (*map(Column, "abcd"), Column("color", ("blue", "green", "lilac", "red")))
    data = changed(sound, x_train=x_train, x_test=x_test, columns=columns)
    assert "unseen-categories" not in codes(data, splits)
    x_train[splits.validation[:3], 4] = 2
    x_test[:4, 4], x_test[4, 4], x_test[5, 4] = 2, 3, np.nan
    found = findings(changed(data, x_train=x_train, x_test=x_test), splits)["unseen-categories"]
    assert found.level == "info"
    assert found.message.startswith(
        "Some categories are in no training example: color in 3 of 100 validation examples (lilac), color in 5 of 200 "
        "test examples (lilac, red)."
    )


def with_values(values, value, count, seed=0):
    """The toy data with a column ``c`` of which ``count`` values are ``value``."""
    sound = toy(seed=seed)
    x, column = sound.x_train.copy(), np.array(values, np.float32)
    column[np.random.default_rng(seed).choice(400, count, replace=False)] = value
    x[:, 2] = column
    names = tuple(map(Column, "abcd"))
    return changed(sound, x_train=x, columns=names, x_test=np.c_[sound.x_test[:, :2], column[:200], sound.x_test[:, 3]])


RNG = np.random.default_rng(0)
AGES, MEASURES = RNG.integers(18, 90, 400), RNG.normal(30, 6, 400).clip(15, 60)


@pytest.mark.parametrize(
    ("values", "value", "count"),
    [
        (AGES, -999, 1),
        (AGES, -9999, 40),
        (AGES, 999, 5),
        (AGES, 99999, 5),
        (RNG.normal(size=400), -999, 7),
        (RNG.normal(size=400), -99, 7),
        (AGES, -1, 60),
        (RNG.integers(1, 800, 400), -1, 200),
    ],
)
def test_stand_ins_for_missing_values(values, value, count):
    data = with_values(values, value, count)
    found = findings(data)["suspicious-values"]
    assert found.level == "warning"
    assert f"{value} in c ({count} of 400)" in found.message
    assert f'[data] missing = ["{value}"]' in found.fix


@pytest.mark.parametrize("values", [AGES, MEASURES])
def test_zeros_far_below_are_perhaps_missing(values):
    found = findings(with_values(values, 0, 12))["suspicious-values"]
    assert found.level == "info"
    assert "0 in c (12 of 400)" in found.message


def test_a_stand_in_that_other_columns_need_is_not_cleared_everywhere():
    data = with_values(AGES, 0, 12)
    x = data.x_train.copy()
    x[::2, 1] = 0
    found = findings(changed(data, x_train=x))["suspicious-values"]
    assert found.fix.startswith("If they do, leave these cells empty in the file; ")


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=400) * 1000,
        RNG.integers(-1, 2, 400),
        RNG.integers(-1, 30, 400),
        RNG.poisson(3, 400),
        RNG.poisson(20, 400),
        RNG.exponential(50, 400),
        np.where(RNG.random(400) < 0.8, 0, RNG.lognormal(8, 2, 400)),
        RNG.integers(0, 1000, 400),
        RNG.integers(-1000, 1000, 400),
        RNG.lognormal(3, 2, 400),
        np.where(RNG.random(400) < 0.5, -1, 1),
        np.arange(600, 1000),
        RNG.integers(0, 10, 400) * 111,
    ],
)
def test_ordinary_numbers_are_not_suspicious(values):
    sound = toy()
    x = sound.x_train.copy()
    x[:, 2] = values
    assert "suspicious-values" not in codes(changed(sound, x_train=x))


def test_categories_and_images_are_not_suspicious():
    sound = toy()
    x = sound.x_train.copy()
    x[:, 2] = np.r_[np.zeros(12), RNG.integers(20, 60, 388)]
    assert "suspicious-values" in codes(changed(sound, x_train=x))
    columns = (Column("a"), Column("b"), Column("c", tuple(map(str, range(60)))), Column("d"))
    categories = changed(sound, x_train=x, x_test=x[:200], y_test=sound.y_train[:200], columns=columns)
    assert "suspicious-values" not in codes(categories)
    pictures = images()
    assert "suspicious-values" not in codes(changed(pictures, x_train=pictures.x_train + 50))


def test_stand_ins_in_several_columns():
    x = np.stack([AGES, AGES[::-1]], 1).astype(np.float32)
    x[:3] = -999
    y = np.arange(400) % 2
    found = findings(make(x, y, x[3:], y[3:]))["suspicious-values"]
    assert "-999 in column 1 (3 of 400), -999 in column 2 (3 of 400)." in found.message
    assert found.fix == 'If they do, set [data] missing = ["-999"].'


# --- Far values and spellings -----------------------------------------------------------------------------------------


def with_first(*values: float):
    sound = toy()
    x = sound.x_train.astype(np.float64)
    x[:, 0] = np.linspace(20_000, 90_000, len(x))
    x[: len(values), 0] = values
    return changed(sound, x_train=x, columns=tuple(map(Column, ("income", *"bcd"))))


def test_far_values_are_named_with_all_digits():
    found = findings(with_first(99_999_998, 99_999_998))["far-values"]
    assert found.level == "warning"
    assert found.note == "Some values lie far from all others"
    assert "99999998 in income (2 of 400)" in found.message
    assert "-5000000 in income (1 of 400)" in message(with_first(-5e6), "far-values")
    assert "2000000, 3e+06 in income" not in message(with_first(2e6, 3e6), "far-values")
    assert "2000000, 3000000 in income (2 of 400)" in message(with_first(2e6, 3e6), "far-values")
    assert "Scaled, the others then hardly differ." in found.message


@pytest.mark.parametrize("values", [(), (900_000,), (2e6, 3e6, 4e6, 5e6), (np.nan,)])
def test_values_that_are_not_far_enough_or_too_many(values):
    assert "far-values" not in codes(with_first(*values))


def test_a_stand_in_is_no_far_value_too():
    found = codes(with_first(9_999_999, 9_999_999))
    assert "far-values" in found
    sound = toy()
    x = sound.x_train.astype(np.float64)
    x[:3, 0] = 999_999
    found = codes(changed(sound, x_train=x))
    assert "suspicious-values" in found
    assert "far-values" not in found


@pytest.mark.parametrize("shape", [0.5, 1.0])
def test_long_tails_are_seldom_far_values(shape):
    rng = np.random.default_rng(0)
    sound = toy()
    x = np.exp(shape * rng.normal(size=sound.x_train.shape))
    assert "far-values" not in codes(changed(sound, x_train=x))


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_real_data_have_no_far_values(load):
    x, y = load(return_X_y=True)
    y = y % 2  # two classes, as `make` has
    assert not {"far-values", "similar-categories"} & set(codes(make(x[::2], y[::2], x[1::2], y[1::2])))


def test_categories_that_differ_only_in_spelling():
    sound = toy()
    x = np.c_[sound.x_train, np.arange(len(sound.x_train)) % 4]

    def city(*texts: str):
        columns = (*map(Column, "abcd"), Column("city", texts))
        return changed(sound, x_train=x, x_test=np.c_[sound.x_test, np.zeros(len(sound.x_test))], columns=columns)

    found = findings(city("Berlin", "New York", "berlin", "new-york"))["similar-categories"]
    assert found.level == "warning"
    assert "'Berlin' and 'berlin', 'New York' and 'new-york' in city" in found.message
    assert "similar-categories" not in codes(city("A", "a", "A+", "A-"))
