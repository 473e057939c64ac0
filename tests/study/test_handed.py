"""Arrays and DataFrames as data sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, load_wine

from small_studies import points
from wellfit.base import Reading
from wellfit.errors import StudyFileError, WellfitError
from wellfit.study.handed import dataset_of, handed_over, naming_arguments

WINE = load_wine(as_frame=True).frame  # its label is the column target
IRIS = load_iris(as_frame=True).frame.assign(
    target=lambda f: f.target.map({0: "setosa", 1: "versicolor", 2: "virginica"})
)


def frames(**sets: Any) -> Any:
    return dataset_of(IRIS, None, sets, Reading(label="target"))


def test_frames_are_recognized_without_pandas() -> None:
    class Frame(pd.DataFrame):
        """A subclass, as geopandas has one."""

    for frame in (IRIS, Frame(IRIS)):
        assert handed_over(frame, None, {}, Reading(label="target")).columns
    with pytest.raises(StudyFileError, match="data of type Series need their labels"):
        handed_over(IRIS.target, None, {}, Reading())


def test_labels_in_a_column_or_beside_the_frame_are_the_same_data() -> None:
    inside = frames()
    beside = dataset_of(IRIS.drop(columns="target"), IRIS.target, {}, Reading())
    assert inside.classes == beside.classes == ("setosa", "versicolor", "virginica")
    np.testing.assert_array_equal(inside.x_train, beside.x_train)
    np.testing.assert_array_equal(inside.y_train, beside.y_train)
    assert inside.hash == beside.hash
    assert [column.name for column in inside.columns] == IRIS.columns[:4].tolist()


@pytest.mark.parametrize("what", ["y", "groups", "y_val"])
def test_labels_and_groups_whose_index_is_in_another_order(what: str) -> None:
    x, y = IRIS.drop(columns="target"), IRIS.target
    mixed = y.sample(frac=1, random_state=0)
    sets = {"x_val": x, "y_val": y, "groups": y, what: mixed}
    message = rf"the index of x(_val)? and that of its {what} differ.*give {what}\.to_numpy\(\)"
    with pytest.raises(StudyFileError, match=message):
        dataset_of(x, sets.pop("y", y), sets, Reading())
    named = x.set_axis([f"a{i}" for i in range(150)])
    with pytest.raises(StudyFileError, match="the index of x and that of its y differ"):
        dataset_of(named, y.set_axis([f"b{i}" for i in range(150)]), {}, Reading())


def test_without_an_index_of_their_own_labels_belong_to_rows_by_position() -> None:
    x, y = IRIS.drop(columns="target"), IRIS.target
    mixed = x.sample(frac=1, random_state=0)
    expected = frames().y_train
    np.testing.assert_array_equal(dataset_of(x.set_axis(np.arange(150) + 7), y, {}, Reading()).y_train, expected)
    aligned = dataset_of(mixed, y.loc[mixed.index], {}, Reading())
    np.testing.assert_array_equal(
        aligned.y_train, dataset_of(mixed, y.loc[mixed.index].to_numpy(), {}, Reading()).y_train
    )
    assert len(dataset_of(mixed, y.to_numpy(), {}, Reading()).y_train) == 120


def test_labels_of_a_column_s_name_replace_nothing() -> None:
    features = WINE.drop(columns="target")
    data = dataset_of(features, WINE.alcohol.gt(13).rename("alcohol"), {}, Reading())
    assert "alcohol" in [column.name for column in data.columns]
    assert len(data.columns) == 13


def test_sets_of_their_own() -> None:
    data = frames(x_test=IRIS[::5], x_val=IRIS[1::5])
    assert len(data.x_test) == 30
    assert data.validation_rows is not None
    np.testing.assert_allclose(data.x_train[data.validation_rows], IRIS[1::5].drop(columns="target"), rtol=1e-6)
    x, y = IRIS.drop(columns="target"), IRIS.target
    beside = dataset_of(x, y, {"x_test": x[::5], "y_test": y[::5], "x_val": x[1::5], "y_val": y[1::5]}, Reading())
    np.testing.assert_array_equal(beside.y_test, data.y_test)


def test_labels_beside_a_frame_that_has_them_in_an_unused_column() -> None:
    for reading in (Reading(drop=("target",)), Reading(columns=tuple(IRIS.columns[:4]))):
        data = dataset_of(IRIS, IRIS.target, {}, reading)
        assert [column.name for column in data.columns] == IRIS.columns[:4].tolist()
        assert dict(data.facts)["label column"] == "none; given as y (target)"


def test_groups_beside_a_frame() -> None:
    groups = np.arange(150) // 3
    data = frames(groups=groups)
    assert data.groups is not None
    assert len(data.groups) == len(data.y_train)
    assert "group" not in [column.name for column in data.columns]
    assert dict(data.facts)["group column"] == "none; given as groups"


def test_arrays() -> None:
    x, y = WINE.drop(columns="target").to_numpy(), WINE.target.to_numpy()
    data = dataset_of(
        x, y, {"x_val": x[:9], "y_val": y[:9].repeat(1), "groups": None}, Reading(classes=("red", "rosé", "white"))
    )
    assert data.classes == ("red", "rosé", "white")
    assert data.validation_rows is not None
    assert len(data.validation_rows) == 9


@pytest.mark.parametrize(
    ("arguments", "reading", "message"),
    [
        ((WINE.to_numpy(), None, {}), {}, "data of type ndarray need their labels; give Study"),
        (
            (IRIS, None, {}),
            {"separator": ";"},
            "separator does not apply to a DataFrame; remove it; those that do: lab",
        ),
        (([[1], [2]], [0, 1], {}), {"label": "a"}, "label does not apply to arrays; remove it; those that do: classes"),
        ((IRIS, IRIS.target, {}), {"label": "target"}, "label names a column, but y holds the labels already"),
        ((IRIS, None, {"groups": [1]}), {"label": "target", "group": "a"}, "group names a column, but groups holds"),
        ((IRIS, None, {"y_test": [1]}), {"label": "target"}, "y_test has no x_test; give both"),
        ((IRIS, None, {"x_val": [[1]]}), {"label": "target"}, "x_val is not a DataFrame, but x is"),
        ((WINE, IRIS.target, {"x_val": WINE}), {}, "x_val must have its labels where x has them; give y_val too"),
        (
            (IRIS, None, {"x_val": IRIS, "y_val": IRIS.target}),
            {"label": "target"},
            "leave y_val out; the label is a col",
        ),
        ((IRIS, IRIS.target[:9], {}), {}, r"x has 150 rows, but y has shape \(9,\); give one per row"),
        ((IRIS, None, {"groups": [1]}), {"label": "target"}, r"x has 150 rows, but groups has shape \(1,\); give one"),
        ((IRIS, "target", {}), {}, "y must hold one label per row; to name a column, give label='target'"),
        ((IRIS, IRIS.target, {}), {}, "the column 'target' of x is y, so it would be a feature; leave y out and give"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: tuple[Any, ...], reading: dict[str, Any], message: str) -> None:
    with pytest.raises(WellfitError, match=rf"Study\(\.\.\.\): .*{message}"):
        dataset_of(*arguments, Reading(**reading))


def test_labels_of_one_column() -> None:
    y = points().y_train
    data = dataset_of(pd.DataFrame(points().x_train, columns=[*"abcd"]), y[:, None], {}, Reading())
    assert data.classes == ("0", "1")


@pytest.mark.parametrize(
    ("as_in_files", "in_python"),
    [
        ("Study(...), [data] validation: must be less than 1", "Study(...), validation: must be less than 1"),
        ("unknown key 'labl' in Study(...), [data]; did you mean 'label'?", None),
        ("unknown key 'hidden' in Study(...), [train] (known: l2)", "unknown key 'hidden' in Study(...) (known: l2)"),
        ("t.csv: [data] label and group are the same", "t.csv: label and group are the same"),
        ("choose at most 38, for example --set train.batch_size=4", "choose at most 38, for example batch_size=4"),
        ("unknown key 'a' in load_dataset(...); did you mean 'data.label'?", None),
        ("Study(...), [variants.a] l2: must be at least 0", "Study(...), [variants.a] l2: must be at least 0"),
    ],
)
def test_errors_name_arguments(as_in_files: str, in_python: str | None) -> None:
    with pytest.raises(WellfitError) as found, naming_arguments():
        raise WellfitError(as_in_files)
    assert str(found.value) == (in_python or str(found.value))
    assert "data" not in str(found.value).replace("load_dataset", "")
    with pytest.raises(WellfitError) as kept, naming_arguments(wanted=False):
        raise WellfitError(as_in_files)
    assert str(kept.value) == as_in_files
