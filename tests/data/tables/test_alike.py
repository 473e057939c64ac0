"""Rows of later tables: matched by name or place, read like the training table, or refused in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wellfit.base import Column, Header, Reading
from wellfit.data.tables.alike import Rows, rows_like
from wellfit.data.tables.frames import from_frames, table_of
from wellfit.data.tables.parse import parse_text
from wellfit.errors import DataError

TRAIN = pd.DataFrame(
    {
        "PassengerId": range(100, 160),
        "Age": np.random.default_rng(0).normal(40, 9, 60).round(1),
        "Deck": ["A", "B", "1"] * 20,
        "Share": [f"{n % 7} %" for n in range(60)],
        "Member": [True, False] * 30,
        "Survived": ["no", "yes", "no"] * 20,
    }
)


def read(frame: pd.DataFrame, used: tuple[str, ...] = ("Age", "Deck", "Share", "Member"), **reading: Any) -> Rows:
    """A later frame, read like ``TRAIN``."""
    raw = from_frames(TRAIN)
    return rows_like(table_of(frame, Reading(**reading), "new"), raw.header, raw.columns, used, Reading(**reading))


def test_the_training_table_itself_comes_back() -> None:
    raw, rows = from_frames(TRAIN), read(TRAIN)
    assert [column.categories for column in rows.columns] == [(), ("A", "B", "1"), (), ()]
    deck = np.array(rows.columns[1].categories)[rows.x[:, 1].astype(int)]
    assert deck.tolist() == TRAIN["Deck"].tolist()
    np.testing.assert_array_equal(rows.x[:, [0, 2, 3]].astype(np.float32), raw.train.x[:, [0, 2, 3]])
    assert rows.labels is not None
    assert rows.labels.tolist() == TRAIN["Survived"].tolist()
    assert rows.identifier is not None
    assert (rows.identifier.name, rows.identifier.values.tolist()) == ("PassengerId", list(range(100, 160)))


CELLS = (Column("a"),), Header(("id", "a", "label"), 2, (1,), True)


def of_text(text: str, column: Column = CELLS[0][0], header: Header = CELLS[1]) -> Rows:
    """A later text table with a column of numbers."""
    return rows_like(parse_text(text.encode(), Reading(), "t", header), header, (column,), ("a",), Reading())


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        (["2.50", "2.5"], True),
        (["007", "7"], True),
        (["1e3", " 1000"], True),
        (["NA", "-"], True),
        (["12345678901234567890", "3"], True),
        (["7", "7"], True),  # an identifier by its name, although it repeats
        (["7", ""], True),
        (["", ""], False),
    ],
)
def test_identifiers_are_copied_as_they_are_written(cells: list[str], kept: bool) -> None:
    rows = of_text("id,a\n" + "".join(f"{cell},1.5\n" for cell in cells))
    found = None if rows.identifier is None else rows.identifier.values.tolist()
    assert found == ([cell.strip() for cell in cells] if kept else None)


def test_whole_numbers_with_gaps_stay_whole_where_a_table_is_no_text() -> None:
    rows = read(TRAIN.head(3).assign(PassengerId=[1.0, np.nan, 2.5]))
    assert rows.identifier is not None
    assert rows.identifier.values.tolist() == ["1", "", "2.5"]
    assert read(TRAIN.head(2).assign(PassengerId=pd.array([1, None], "Int64"))).identifier is not None
    assert read(TRAIN.head(2).assign(PassengerId=[np.nan, np.nan])).identifier is None


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}, np.zeros(2), ([1], 2)], ids=repr)
@pytest.mark.parametrize("name", ["extra", "id"])
def test_cells_that_are_lists_identify_nothing(cell: Any, name: str) -> None:
    rows = TRAIN.drop(columns="PassengerId").head(2)
    rows.insert(0, name, pd.Series([cell, "a"], dtype=object))
    assert read(rows).identifier is None
    found = read(rows.assign(order_id=[4, 3])).identifier
    assert found is not None
    assert (found.name, found.values.tolist()) == ("order_id", [4, 3])


def test_an_identifier_that_differs_is_preferred_to_one_that_repeats() -> None:
    frame = TRAIN.head(3).drop(columns="PassengerId")
    rows = read(frame.assign(customer_id=[1, 1, 2], order_id=["a", "b", "c"]))
    assert rows.identifier is not None
    assert rows.identifier.name == "order_id"


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("1.048", ",", 1048),  # as the training table groups thousands
        ("1.5", ",", 1.5),  # can only be a point
        ("1,5", ",", 1.5),
        ("1,5", ".", 1.5),
        ("1,048", ".", 1048),
        ("1.048", "", 1.048),
        ("NA", "", np.nan),  # a header, though nothing below it is a number
    ],
)
def test_the_decimal_mark_of_the_training_table_decides_where_nothing_else_does(
    cell: str, decimal: str, value: float
) -> None:
    header = replace(CELLS[1], decimal=decimal)
    np.testing.assert_array_equal(of_text(f"id;a\nx;{cell}\n", header=header).x, [[value]])


def test_truth_values_where_the_training_table_has_numbers_are_said() -> None:
    rows = of_text("id,a\nx,true\ny,False\n")
    assert (rows.x.tolist(), rows.notes) == (
        [[1], [0]],
        ("a: true and false, where the training table has numbers, count as 1 and 0",),
    )
    assert of_text("id,a\nx,true\ny,False\n", Column("a", truth=True)).notes == ()
    assert of_text("id,a\nx,1\ny,0\n", Column("a", truth=True)).x.tolist() == [[1], [0]]
    with pytest.raises(DataError, match=r"t: line 3, column 2 \(a\): 7, but the training table has true and false"):
        of_text("id,a\nx,1\ny,7\n", Column("a", truth=True))


def test_columns_in_another_order_and_case_and_without_what_is_not_used() -> None:
    frame = pd.DataFrame({"MEMBER": ["true"], "extra": [7], "deck": ["B"], "Age": [5]})
    rows = read(frame, used=("Age", "Deck", "Member"))
    assert rows.labels is None
    at = [column.name for column in rows.columns].index
    assert (rows.x[0, at("Age")], rows.x[0, at("Member")]) == (5, 1)
    assert rows.columns[at("Deck")].categories[int(rows.x[0, at("Deck")])] == "B"
    assert np.isnan(rows.x[0, at("Share")])


def test_numbers_that_are_categories_keep_their_spelling() -> None:
    later = TRAIN.iloc[:3].assign(Deck=[1.0, np.nan, 2.0])
    rows = read(later)
    at = [column.name for column in rows.columns].index("Deck")
    assert rows.columns[at].categories == ("1", "2")
    np.testing.assert_array_equal(rows.x[:, at], [0, np.nan, 1])
    columns = (Column("Deck", ("1.0", "2.5")),)
    header = Header(("Deck", "y"), 1, (0,), True)
    rows = rows_like(table_of(later[["Deck"]], Reading(), "new"), header, columns, ("Deck",), Reading())
    assert rows.columns[0].categories == ("1.0", "2")


def test_labels_that_are_partly_or_wholly_missing() -> None:
    rows = read(TRAIN.assign(Survived=[None, *TRAIN["Survived"][1:]]))
    assert rows.labels is not None
    assert rows.unlabeled.tolist() == [True] + [False] * 59
    assert read(TRAIN.assign(Survived=None)).labels is None


def test_tables_without_names_are_matched_by_place() -> None:
    header = Header(("column 1", "column 2", "column 3"), 0, (1, 2), False)
    columns = (Column("column 2"), Column("column 3"))

    def values(cells: Any) -> Rows:
        table = table_of(pd.DataFrame(cells), Reading(), "new")
        return rows_like(table, header, columns, ("column 2", "column 3"), Reading())

    with_labels = values([[9, 1, 2], [8, 3, 4]])
    assert with_labels.labels is not None
    assert (with_labels.x.tolist(), with_labels.labels.tolist()) == ([[1, 2], [3, 4]], [9, 8])
    assert values([[1, 2]]).x.tolist() == [[1, 2]]
    with pytest.raises(DataError, match="new: has 4 columns, but the training table has 3 with its label"):
        values([[1, 2, 3, 4]])


def test_an_array_takes_a_table_of_as_many_columns_or_one_more_called_label() -> None:
    def values(frame: pd.DataFrame) -> Rows:
        return rows_like(table_of(frame, Reading(), "new"), None, (), ("x1", "x2"), Reading())

    assert values(pd.DataFrame({"a": [1], "b": [2]})).x.tolist() == [[1, 2]]
    labeled = values(pd.DataFrame({"label": [7], "a": [1], "b": [2]}))
    assert labeled.labels is not None
    assert (labeled.x.tolist(), labeled.labels.tolist()) == ([[1, 2]], [7])
    with pytest.raises(DataError, match="new: has 3 columns, but the model was trained on 2 features"):
        values(pd.DataFrame({"a": [1], "b": [2], "c": [3]}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop(columns="Age"), r"new: lacks 1 column that the model needs \(Age\); add what is missing"),
        (lambda f: f.rename(columns={"Age": "Agee"}), r"lacks 1 column .* is it 'Agee'\? Name it alike"),
        (
            lambda f: f.assign(AGE=1).rename(columns={"Age": "age"}),
            "new: 2 columns could be 'Age'; name one exactly so",
        ),
        (lambda f: f[["Member"]], r"lacks 3 columns that the model needs \(Age, Deck, Share\)"),
        (lambda f: f.assign(Age="old"), "'old' is not a number like the others; correct it$"),
        (lambda f: f.assign(Share="0.5"), "its numbers have no unit, but those of the training table have '%'"),
        (lambda f: f.assign(Share=[f"{n} kg" for n in range(60)]), "have 'kg', but those of the training table"),
        (lambda f: f.iloc[:0], "new: has no rows; give one row per example"),
        (lambda f: f.set_axis(range(6), axis=1), "has no header, but the columns of the training data have names"),
        (lambda f: f.assign(Deck=[[1]] * 60), "its cells are lists or other objects; give one number or text per cell"),
    ],
)
def test_tables_that_are_refused(change: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(change(TRAIN))


def test_missing_texts_of_the_training_data_are_missing_here() -> None:
    rows = read(TRAIN.assign(Age=[-9.0, *TRAIN["Age"][1:]]), missing=("-9",))
    assert np.isnan(rows.x[0, 0])
