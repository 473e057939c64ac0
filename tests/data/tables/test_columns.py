"""The features: what is left out and why, categories, missing values, and cells that are no numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wellfit.base import Reading
from wellfit.data.tables.columns import features
from wellfit.data.tables.frames import table_of
from wellfit.data.tables.parse import parse_text
from wellfit.errors import DataError

N = 60
RNG = np.random.default_rng(0)
A = RNG.normal(size=N).round(3)


def table(columns: dict, header: bool = True):
    text = pd.DataFrame(columns).to_csv(index=False, header=header)
    return parse_text(text.encode(), Reading(header=header), "t")


def read(cells: dict, header: bool = True, **settings):
    return features([table(cells, header)], [], Reading(**settings))


def test_truth_values_in_another_set_are_said_or_refused() -> None:
    numbers, truth = table({"a": [0, 1, 7], "b": A[:3]}), table({"a": [True, False, True], "b": A[:3]})
    made = features([numbers, truth], [], Reading())
    assert made.rows[1][:, 0].tolist() == [1, 0, 1]
    assert ("true or false, read as 1 or 0", "a") in made.facts
    assert not made.columns[0].truth
    assert features([truth, truth], [], Reading()).columns[0].truth
    with pytest.raises(DataError, match=r"line 4, column 1 \(a\): 7, but the training table has true and false"):
        features([truth, numbers], [], Reading())


def names(made) -> list[str]:
    return [column.name for column in made.columns]


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("id", np.arange(N) + 842000, "a different value in every row"),
        ("PassengerId", RNG.permutation(10**6)[:N], "a different value in every row"),
        ("customer_id", [f"c{i:04d}" for i in range(N)], "a different text in every row"),
        ("Unnamed: 0", RNG.permutation(1000)[:N], "a different value in every row"),
        ("", RNG.permutation(1000)[:N], "a different value in every row"),
        ("", np.tile(np.arange(N // 2), 2), "a different value in most rows"),
        ("time", np.arange(N), "row numbers"),
        ("order", np.arange(N)[::-1] + 1.0, "row numbers"),
        ("Ticket", [f"A {i}" for i in range(N)], "a different text in every row"),
        ("sample code number", [*range(1000, 1000 + N - 3), 1000, 1001, 1002], "an identifier by its name"),
        ("patient_id", np.arange(N) // 2, "an identifier by its name"),
        ("when", pd.date_range("2020", periods=N), "dates; to use them, add columns of numbers"),
        ("clock", ["12:30"] * N, "dates; to use them"),
        ("Cabin", [None, *(f"C {i}" for i in range(1, N))], f"{N - 1} different texts in {N - 1} rows"),
        ("nothing", [""] * N, "no values"),
        ("nothing", ["n/a", "None"] * (N // 2), "no values"),
        ("text", [f"word {i // 2}" for i in range(N)], "30 different texts in 60 rows"),
    ],
)
def test_what_is_left_out_and_why(name, values, why):
    if why.startswith("30 different"):
        values = [f"word {i % 40}" for i in range(N)]
        why = "40 different texts in 60 rows"
    made = read({name: values, "a": A})
    assert names(made) == ["a"]
    assert why in dict(made.facts)["columns left out"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("height", A),  # measurements may all differ
        ("area", RNG.permutation(10**6)[:N]),
        ("region_id", RNG.integers(0, 5, N)),
        ("paid", np.arange(N) * 2),
        ("zip code", RNG.integers(0, 9, N)),
    ],
)
def test_what_stays(name, values):
    assert names(read({"b": A, name: values})) == ["b", name]


def test_without_names_a_first_column_of_different_whole_numbers_is_an_identifier():
    columns = {"0": RNG.permutation(10**6)[:N], "1": A, "2": RNG.permutation(10**6)[:N]}
    made = read(columns, header=False)
    assert names(made) == ["column 2", "column 3"]
    assert dict(made.facts)["columns left out"] == "column 1 (a different whole number in every row)"


def test_an_identifier_that_is_asked_for_is_kept():
    columns = {"id": np.arange(N), "name": [f"n{i}" for i in range(N)], "a": A}
    assert names(read(columns, columns=("id", "a"))) == ["id", "a"]
    made = read(columns, categories=("name",))
    assert [len(column.categories) for column in made.columns] == [N, 0]


def test_dropped_columns():
    made = read({"a": A, "b": A, "c": A}, drop=("b", -1))
    assert names(made) == ["a"]
    assert dict(made.facts)["columns left out"] == "b (dropped), c (dropped)"
    with pytest.raises(DataError, match=r"t: no feature column is left: a \(dropped\); name columns to use"):
        read({"a": A, "": np.arange(N)}, drop=("a",), columns=("a",))


def test_categories_are_positions_in_sorted_texts():
    made = read({"sex": ["m", "f", "?", "m"] * 15, "deck": [2, 10, 2, 9] * 15, "a": A}, categories=("deck",))
    assert [column.categories for column in made.columns] == [("f", "m"), ("10", "2", "9"), ()]
    np.testing.assert_array_equal(made.rows[0][:4, :2], [[1, 1], [0, 0], [np.nan, 1], [1, 2]])
    assert dict(made.facts)["categories"] == "sex (2 values), deck (3 values)"


def test_true_and_false_are_1_and_0():
    made = read({"t": ["True", "false", "", "TRUE"] * 15, "a": A})
    np.testing.assert_array_equal(made.rows[0][:4, 0], [1, 0, np.nan, 1])
    assert made.columns[0].categories == ()
    assert dict(made.facts)["true or false, read as 1 or 0"] == "t"


def test_numbers_with_signs():
    made = read({"pay": [f"${i},000" for i in range(1, N + 1)], "a": A})
    assert made.rows[0][:2, 0].tolist() == [1000, 2000]
    assert dict(made.facts)["numbers with signs"] == "pay: '$' left out and the comma in 1,000 left out"


def test_missing_values_are_counted():
    b = np.where(np.arange(N) < 3, np.nan, A)
    c = np.where(np.arange(N) == 7, np.inf, A)
    made = read({"a": A, "b": b, "c": c, "d": ["x", "", "y"] * 20})
    assert dict(made.facts)["missing values"] == "24 in 3 columns: d (20), b (3), c (1)"
    assert np.isnan(made.rows[0]).sum() == 24
    made = read({"a": np.where(np.arange(N) == 3, -999, A)}, missing=("-999",))
    assert dict(made.facts) == {"missing values": "1 in 1 column: a (1)"}
    made = read({"a": A, "b": ["unknown", "x", "y"] * 20}, missing=("unknown",))
    assert made.columns[1].categories == ("x", "y")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.where(np.arange(N) < 2, -999, np.abs(A)), "-999 twice in q"),
        (np.where(np.arange(N) < 1, -9999, A), "-9999 once in q"),
        (np.where(np.arange(N) < 9, -1, np.abs(A)), "-1 9 times in q"),
        (np.where(np.arange(N) < 3, 999, A), "999 3 times in q"),
        (A, ""),
        (RNG.choice([-1, 1], N), ""),
        (RNG.choice([-1, 0, 1], N), ""),
        (RNG.integers(-1000, 1000, N) * 1.0, ""),
        (RNG.integers(0, 256, N), ""),
    ],
)
def test_values_that_often_mean_missing_are_suspected(values, said):
    fact = dict(read({"q": values, "a": A}).facts).get("suspicious values", "")
    assert fact.startswith(said)
    assert bool(fact) == bool(said)
    if said:
        assert f'[data] missing = ["{said.split()[0]}"]' in fact


def test_a_bad_cell_is_named_with_its_line_and_the_ways_out():
    cells = [f"{v}" for v in A]
    cells[40] = "12,5x"
    with pytest.raises(
        DataError, match=r"t: line 42, column 2 \(b\): '12,5x' is not a number like the others"
    ) as caught:
        read({"a": A, "b": cells})
    for way in ('missing = ["12,5x"]', 'categories = ["b"]', 'drop = ["b"]'):
        assert way in str(caught.value)
    assert names(read({"a": A, "b": cells}, drop=("b",))) == ["a"]
    assert np.isnan(read({"a": A, "b": cells}, missing=("12,5x",)).rows[0]).sum() == 1
    with pytest.raises(DataError, match=r"t: line 1, column 2.*if this row is a header: header = true"):
        read({"a": A, "b": ["x" * 99, *cells[1:]]}, header=False)


def test_lists_in_cells():
    frame = table_of(pd.DataFrame({"a": [[1], [2]], "b": [1.0, 2.5]}), Reading(), "t")
    with pytest.raises(DataError, match=r"t: column 'a': its cells are lists.*drop = \[\"a\"\]"):
        features([frame], [], Reading())


def test_numbers_too_large_for_float32():
    with pytest.raises(DataError, match=r"t: line 9, column 'b': 1e\+300 is too large for float32"):
        read({"a": A, "b": np.where(np.arange(N) == 7, 1e300, 1.5)})


def test_float64_where_float32_would_blur():
    seconds = 1.6e9 + np.arange(N) * 3 % 17
    assert read({"t": seconds, "a": A}).rows[0].dtype == np.float64
    np.testing.assert_array_equal(read({"t": seconds, "a": A}).rows[0][:, 0], seconds)
    assert read({"t": A * 1e9, "a": A}).rows[0].dtype == np.float32
    constant = {"t": [1.6e9] * N, "a": A}
    assert read(constant).rows[0].dtype == np.float32


def sets(train: dict, other: dict):
    tables = [table(train), table(other)]
    return features(tables, [], Reading())


def test_other_sets_are_read_like_the_training_set():
    made = sets({"a": A, "s": ["x", "y"] * 30}, {"a": ["1", "n/a", "3"], "s": ["y", "z", ""]})
    assert made.columns[1].categories == ("x", "y", "z")
    np.testing.assert_array_equal(made.rows[1], [[1, 1], [np.nan, 2], [3, np.nan]])
    made = sets({"p": [f"{i * 2}%" for i in range(N)]}, {"p": ["5%", "6%"]})
    assert made.rows[1].tolist() == [[5], [6]]
    assert sets({"s": ["1", "x"] * 30}, {"s": [1, 1]}).rows[1].tolist() == [[0], [0]]
    assert np.isnan(sets({"t": ["True", "False"] * 30}, {"t": ["", ""], "b": [1, 2]}).rows[1]).all()
    made = sets({"a": A, "t": np.arange(N) * 2.0}, {"a": [1.0, 2], "t": [1.6e9, 1.6e9 + 1]})
    assert [x.dtype for x in made.rows] == [np.float64, np.float64]


def test_a_bad_cell_in_another_set():
    with pytest.raises(DataError, match=r"t: line 3, column 1 \(a\): 'x' is not a number"):
        sets({"a": A}, {"a": ["1", "x", "3"]})
    with pytest.raises(DataError, match=r"t: line 2, column 1 \(a\): 'x' is not a number"):
        sets({"a": A}, {"a": ["x", "y", "x"]})


SHARES = [f"{i * 2}%" for i in range(N)]


@pytest.mark.parametrize(
    ("train", "other", "message"),
    [
        (SHARES, ["0.05", "0.5"], r"its numbers have no unit, but those of the training table have '%'"),
        (SHARES, [0.05, 0.5], r"have no unit, but those of the training table have '%'; write both in one unit"),
        (A, ["5%", "6%"], r"t: column 1 \(p\): its numbers have '%', but those of the training table have no unit"),
        ([f"{i * 2} kg" for i in range(N)], ["500 g", "600 g"], r"have 'g', but those of the training table have 'kg'"),
    ],
)
def test_another_unit_in_another_set(train, other, message):
    with pytest.raises(DataError, match=message):
        sets({"p": train, "a": A}, {"p": other, "a": [1, 2]})


def test_a_set_without_values_has_no_unit():
    assert np.isnan(sets({"p": SHARES, "a": A}, {"p": ["", ""], "a": [1, 2]}).rows[1][:, 0]).all()


def test_numbers_among_categories_are_spelled_alike():
    made = sets({"s": ["1.0", "2.50", "x"] * 20}, {"s": [1.0, 2.5, 3.0]})
    assert made.columns[0].categories == ("1", "2.5", "3", "x")
    assert [rows[:3, 0].tolist() for rows in made.rows] == [[0, 1, 3], [0, 1, 2]]
    assert sets({"s": ["01.5", "1.5", "x"] * 20}, {"s": [1.5]}).columns[0].categories == ("01.5", "1.5", "x")
    versions = ("1.1", "1.10", "x")  # texts in both sets: two versions
    assert sets({"s": [*versions] * 20}, {"s": ["1.10", "x"]}).columns[0].categories == versions
