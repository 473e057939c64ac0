"""What is said about data: short, literal, and only what was decided or changed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from small_studies import messy, points
from wellfit.base import Column, Dataset
from wellfit.data.assemble import make_dataset
from wellfit.data.catalog import load_dataset
from wellfit.data.facts import data_facts, data_line, dataset_facts, fold_facts
from wellfit.data.folds import division
from wellfit.data.preparation import binary_features, fit_preparation, prepare
from wellfit.data.scaling import fit_scaling
from wellfit.data.splits import split_of

X, Y = np.arange(60.0)[:, None], np.arange(60) % 2
GROUPS = np.arange(60) // 6
TEST: dict[str, Any] = {"x_test": X[:9], "y_test": Y[:9]}


def facts(dataset: Dataset, scale: str = "auto") -> dict[str, str]:
    splits = split_of(dataset, 0.2)
    preparation = fit_preparation(dataset, splits.train)
    x = prepare(preparation, dataset.columns, dataset.x_train[splits.train])
    scaling = fit_scaling(x, scale, dataset.pixel_max, binary_features(preparation))
    return dict(data_facts(dataset, splits, preparation, scaling))


def test_a_known_data_set_takes_few_lines() -> None:
    digits = facts(load_dataset("digits"))
    assert list(digits) == ["classes", "images"]
    assert digits["classes"].startswith("10: 0 (178), 1 (182), 2 (177), ")
    assert digits["images"] == "8 × 8 pixels, values 0 to 16, divided by 16"


@pytest.mark.parametrize(("ones", "said"), [(32, None), (33, "55.0 %"), (54, "90.0 %")])
def test_guessing_is_said_where_classes_are_unequal(ones: int, said: str | None) -> None:
    """Over all sets: 45 examples to train on and 15 to test on."""
    y = np.array(["left", "right"])[(np.arange(60) < ones).astype(int)][np.random.default_rng(0).permutation(60)]
    data = make_dataset(X[:45], y[:45], X[45:], y[45:])
    found = dict(dataset_facts(data)).get("guessing")
    assert found == (None if said is None else f"always right is right for {said}")
    assert facts(data).get("guessing") == found


def test_a_messy_table_says_what_became_of_it() -> None:
    data = messy()
    said = facts(data)
    missing = np.isnan(np.concatenate([data.x_train, data.x_test]))[:, [0, 1, 3]].sum(axis=0)
    assert said["label column"] == "Churn, the last of 5 columns"
    assert said["rows dropped"] == "2 without a label"
    assert said["classes"].startswith("2: no (")
    assert said["features"].startswith("8 from 3 columns: age, city, height, values ")
    assert said["features"].endswith(", standardized")
    assert said["columns left out"] == "planet (the same value in every training example)"
    assert said["imputed"] == (
        f"{missing.sum()} values (age {missing[0]}, city {missing[1]}, height {missing[2]}), by the median or the most "
        "frequent category of the training split; 3 features say where"
    )
    assert said["unseen categories"] == "1 in the test examples (city 1)"


def test_what_the_reader_says_is_not_said_twice() -> None:
    data = messy()
    data = dataclasses.replace(
        data, facts=(("missing values", "17 in 2 columns"), ("columns left out", "id (a different value in every row)"))
    )
    said = facts(data)
    assert "(age" not in said["imputed"]
    assert said["columns left out"] == (
        "id (a different value in every row); planet (the same value in every training example)"
    )


def test_given_validation_sets_and_groups() -> None:
    data = messy()
    assert facts(dataclasses.replace(data, validation_rows=np.arange(1234 % 160)))["validation set"] == (
        "given, 114 examples"
    )
    said = facts(dataclasses.replace(data, groups=np.arange(160) // 4))["groups"]
    training, validation = (int(word) for word in said.split() if word.isdigit())
    assert said.endswith("in the validation split")
    assert training + validation == 40


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([3, 3], "2, 3 examples each: c0, c1"),
        ([3, 5], "2: c0 (3), c1 (5)"),
        ([4] * 12, "12, 4 examples each"),
        ([4] * 11 + [9], "12, from 4 (c0) to 9 (c11) examples"),
    ],
)
def test_classes(counts: list[int], said: str) -> None:
    y = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    x = np.zeros((len(y), 2), np.float32)
    names = tuple(f"c{k}" for k in range(len(counts)))
    data = Dataset("toy", x, y, x[:0], y[:0], names, None, "Toy", "memory", "")
    assert dict(dataset_facts(data))["classes"] == said


def test_a_long_name_is_cut() -> None:
    data = dataclasses.replace(points(), classes=("a" * 99, "b"))
    assert "a" * 29 + "…" in dict(dataset_facts(data))["classes"]


def test_ranges() -> None:
    images = dataclasses.replace(
        load_dataset("digits"),
        x_train=np.linspace(-1, 1, 1438 * 64, dtype=np.float32).reshape(1438, 8, 8),
        pixel_max=1.0,
        facts=(),
    )
    assert facts(images)["images"] == "8 × 8 pixels, values -1 to 1, not scaled"
    assert facts(images, "standardize")["images"] == "8 × 8 pixels, values -1 to 1, standardized"
    colors = dataclasses.replace(images, x_train=np.zeros((1438, 8, 8, 3), np.uint8), pixel_max=255.0)
    assert facts(colors)["images"] == "8 × 8 pixels, 3 channels, values 0 to 0, divided by 255"
    nothing, labels = np.full((4, 1), np.nan, np.float32), np.arange(4, dtype=np.int32) % 2
    empty = dataclasses.replace(messy(), x_train=nothing, y_train=labels, columns=(Column("a"),))
    assert dict(dataset_facts(empty))["features"] == "1 column: a, values unknown"


def test_many_columns_are_not_all_named() -> None:
    columns = tuple(Column(f"c{j}") for j in range(30))
    x = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    data = dataclasses.replace(messy(), x_train=x, y_train=np.arange(20, dtype=np.int32) % 2, columns=columns)
    assert (
        "30 columns: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 20 more, values"
        in dict(dataset_facts(data))["features"]
    )


def test_the_line_of_the_data() -> None:
    assert data_line("people", "people.csv") == "people, from people.csv"
    assert data_line("Two cosines", "generated, a = 2") == "Two cosines, generated, a = 2"


# --- Folds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "folds", "said"),
    [
        ({}, 5, {"test set": "none given; each seed is tested on another fifth of the 60 examples"}),
        ({}, 7, {"test set": "none given; each seed is tested on another of 7 folds of the 60 examples"}),
        ({}, 1, {}),
        ({"groups": GROUPS}, 5,
         {"test set": "none given; each seed is tested on another of 5 folds of the 60 examples, in whole groups"}),
        (TEST, 5, {"validation set": "each seed validates on a different 12 of the 60 training examples"}),
        (TEST | {"groups": GROUPS}, 5,
         {"validation set": "each seed validates on other groups, seed 0 on 12 of the 60 training examples"}),
        (TEST | {"x_val": X[:6], "y_val": Y[:6]}, 5,
         {"folds": "none: test and validation set are given, so all seeds have the same examples"}),
    ],
)  # fmt: skip
def test_what_differs_between_seeds_is_a_fact(given: dict[str, Any], folds: int, said: dict[str, str]) -> None:
    data = make_dataset(X, Y, **given)
    assert dict(fold_facts(data, division(data, 0, folds=folds).splits, folds)) == said
