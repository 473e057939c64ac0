"""Which column is the label: taken by a clear name or by being the only one that can be it; otherwise asked for."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from wellfit.base import Reading
from wellfit.data.tables.labels import choose_label, classes_of, label_values
from wellfit.data.tables.parse import parse_text
from wellfit.errors import DataError

N = 300
RNG = np.random.default_rng(0)
THREE = RNG.integers(0, 3, N)
A, B, C, D = RNG.normal(size=(4, N)).round(3)
FLOATS = {"a": A, "b": B, "c": C, "d": D}


def table(columns: dict, header: bool = True):
    text = pd.DataFrame(columns).to_csv(index=False, header=header)
    return parse_text(text.encode(), Reading(header=header), "t")


def chosen(cells: dict, header: bool = True, **settings) -> str:
    found = table(cells, header)
    return list(cells)[choose_label(found, Reading(**settings))[0]]


def refusal(columns: dict, header: bool = True, **settings) -> str:
    with pytest.raises(DataError) as caught:
        choose_label(table(columns, header), Reading(**settings))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- By name ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Outcome", "Churn", "quality", "diagnosis", "label", "target", "y", "Species", "class"]
)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_clear_name_wherever_it_stands(name, place):
    columns = list(FLOATS.items())
    columns.insert(place, (name, THREE))
    assert chosen(dict(columns)) == name


def test_beside_whole_numbers_of_every_kind():
    tenure, age = RNG.integers(0, 73, N), RNG.integers(18, 90, N)
    assert chosen({"tenure": tenure, "age": age, "Churn": THREE}) == "Churn"
    assert chosen({"id": np.arange(N) + 842000, "age": age, "diagnosis": RNG.choice(["M", "B"], N)}) == "diagnosis"


def test_coordinates():
    whole = RNG.integers(0, 13, N)
    assert chosen({"x": A, "y": B, "label": THREE}) == "label"
    assert chosen({"x": whole, "y": whole, "cluster": THREE}) == "cluster"
    assert chosen({"x1": A, "x2": B, "y": THREE}) == "y"
    assert "which column is the label?" in refusal({"x": whole, "y": whole})


def test_names_that_leave_room_only_where_nothing_else_can_be_meant():
    assert chosen({**FLOATS, "type": THREE}) == "type"
    assert chosen({"status": THREE, **FLOATS}) == "status"
    assert chosen({**FLOATS, "type": THREE, "class": THREE}) == "class"
    assert "Candidates: type (3 values)" in refusal({"a": A, "type": THREE, "b": B})


@pytest.mark.parametrize(
    "names",
    [("Label", "target"), ("class", "survived"), ("label", "label_id"), ("diabetes", "DEATH_EVENT"), ("y", "class")],
)
def test_two_clear_names_are_asked_about(names):
    said = refusal({"age": RNG.integers(0, 13, N), names[0]: THREE, names[1]: RNG.integers(0, 2, N)})
    assert f"{names[0]} (3 values)" in said
    assert f"{names[1]} (2 values)" in said
    assert '; set [data] label = "' in said


def test_a_clear_name_of_measurements_beside_a_label_is_no_rival():
    assert chosen({**FLOATS, "quality": A, "label": THREE}) == "label"


def test_two_columns_of_the_same_name():
    found = parse_text(b"label,a,label\n" + b"0,1.5,1\n1,2.5,0\n" * 20, Reading(), "t")
    with pytest.raises(DataError, match=r"label \(column 1\) \(2 values\), label \(column 3\) \(2 values\)"):
        choose_label(found, Reading())


# --- Numbers to predict and other columns that are no classes ---------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "count"),
    [
        (A, "2.."),
        (THREE + 0.5, "3"),
        (RNG.lognormal(12, 0.5, N).round(-2), "..."),
        (RNG.integers(25, 347, N), "..."),
        (RNG.integers(18, 90, N), ".."),
        (np.arange(N), "300"),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"label": "target"}])
def test_numbers_to_predict(values, count, settings):
    said = refusal({"a": A, "target": values}, **settings)
    pattern = rf"these look like numbers to predict \(({count}) different values in 300 rows\), but wellfit trains"
    assert re.search(pattern, said), said


def test_a_named_quantity_with_many_values_is_no_class_even_on_request():
    columns = {k: np.tile(v, 10) for k, v in FLOATS.items()} | {"age": RNG.integers(0, 73, 10 * N)}
    said = refusal(columns, label="age")
    assert 'categories = ["age"] if each number is a class' in said
    assert "column 'age' cannot be the label: " in said
    said = refusal({"a": A, "b": B, "target": C})
    assert "column 'target', the label by its name, cannot be the label: " in said
    assert "(--set data.label=...)" in said
    assert chosen(columns, label="age", categories=("age",)) == "age"


def test_prices_are_said_to_be_prices():
    said = refusal({"price": RNG.lognormal(12, 0.5, N).round(-2), "rooms": RNG.integers(1, 9, N), "area": A})
    assert said.startswith("t: price: these look like numbers to predict")
    assert "rooms (8 values)" in said


@pytest.mark.parametrize(
    "labels",
    [
        np.repeat([f"w{i}" for i in range(60)], 5),
        np.repeat(np.arange(60), 5),
        np.repeat(np.arange(25), 12)[:N] + (np.repeat(np.arange(25), 12) > 8),
        RNG.choice([10, 20, 50, 900], N),
        RNG.choice([-1, 1], N),
        RNG.choice([True, False], N),
        RNG.choice(["+", "-"], N),
        np.where(np.arange(N) == 5, "rare", "common"),
    ],
)
def test_classes_of_every_kind(labels):
    assert chosen({**FLOATS, "label": labels}) == "label"


@pytest.mark.parametrize("name", ["label", "class"])
def test_a_text_that_differs_in_every_row_is_no_class(name):
    said = refusal({**FLOATS, name: [f"r{i}" for i in range(N)]})
    assert "300 different texts in 300 rows are no classes" in said
    assert "its values are dates" in refusal({**FLOATS, name: pd.date_range("2020", periods=100).repeat(3)})
    assert "it has no values" in refusal({**FLOATS, name: [""] * N})
    assert "it has no values" in refusal({**FLOATS, name: ["none", "NA "] * (N // 2)})


# --- By values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [True, False])
def test_the_only_column_of_texts_at_an_end(header):
    species = RNG.choice(["oak", "elm"], N)
    assert chosen({**FLOATS, "tree": species}, header) == "tree"
    assert chosen({"tree": species, **FLOATS}, header) == "tree"
    assert chosen({"id": RNG.permutation(9999)[:N], "m": species, **FLOATS}, header) == "m"
    assert "(2 values)" in refusal({"a": A, "tree": species, "b": B}, header)
    assert "(2 values)" in refusal({"plan": species, **FLOATS, "tree": species}, header)
    assert "(2 values)" in refusal({"bit": RNG.integers(0, 2, N), **FLOATS, "tree": species}, header)


def test_a_property_is_not_taken_for_the_label():
    assert "Candidates: sex (2 values)" in refusal({**FLOATS, "sex": RNG.choice(["f", "m"], N)})
    assert "Candidates: rooms (8 values)" in refusal({**FLOATS, "rooms": RNG.integers(1, 9, N)})


def test_whole_numbers_beside_fractions():
    assert chosen({**FLOATS, "k": THREE}) == "k"
    assert "k (3 values)" in refusal({"k": THREE, **FLOATS})
    assert "k (5 values)" in refusal({**FLOATS, "k": RNG.integers(4, 9, N)})  # do not count from 0 or 1
    assert "k (3 values)" in refusal({"tenure": RNG.integers(0, 73, N), "charges": RNG.integers(0, 99, N), "k": THREE})
    assert "k (3 values)" in refusal({**FLOATS, "n": RNG.integers(0, 50, N), "k": THREE})


def test_without_a_header():
    assert chosen({**FLOATS, "k": THREE}, header=False) == "k"
    assert chosen({"k": THREE, **FLOATS}, header=False) == "k"
    assert "column 1 (8 values)" in refusal({"rooms": RNG.integers(1, 9, N), "area": A, "price": B}, header=False)
    both = refusal({"p": RNG.integers(0, 14, N), **FLOATS, "k": THREE}, header=False)
    assert "column 6 (3 values), column 1 (14 values)" in both
    assert "set [data] label = 6" in both
    assert "no column can hold classes" in refusal(FLOATS, header=False)


@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("header", [True, False])
def test_pixels(shift, last, header):
    bunch = load_digits()
    pixels = {str(at + (not last)): column for at, column in enumerate(bunch.data.astype(int).T)}
    label = {"64" if last else "0": bunch.target + shift}
    assert chosen({**pixels, **label} if last else {**label, **pixels}, header) == next(iter(label))


def test_pixels_alone_have_no_label():
    pixels = {str(at): column for at, column in enumerate(load_digits().data.astype(int).T)}
    assert "which column is the label?" in refusal(pixels, header=False)
    assert "which column is the label?" in refusal({f"f{i}": RNG.integers(0, 2, N) for i in range(20)}, header=False)


# --- The setting ------------------------------------------------------------------------------------------------------


def test_the_setting_decides():
    columns = {"label": THREE, "sex": RNG.choice(["f", "m"], N), "a": A}
    assert chosen(columns, label="sex") == "sex"
    assert chosen(columns, label=2) == "sex"
    assert chosen(columns, label=-3) == "label"
    assert "no such column" in refusal(columns, label="sez")


@pytest.mark.parametrize("settings", [{"drop": ("class",)}, {"columns": ("class", "a")}, {"group": "class"}])
def test_columns_that_have_another_use_are_no_candidates(settings):
    assert chosen({"a": A, "class": THREE, "survived": RNG.integers(0, 2, N)}, **settings) == "survived"


def test_what_is_said():
    found = table({"a": A, "b": B, "Churn": THREE})
    assert choose_label(found, Reading())[1] == "Churn, the last of 3 columns (by its name)"
    assert choose_label(found, Reading(label=-1))[1] == "Churn, the last of 3 columns"


# --- Values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["1.000000000000000000e+01", "2.0"], [10, 2]),
        (["cat", " dog "], ["cat", "dog"]),
        (["01", "2"], ["01", "2"]),  # written with a zero, so it is a name
        (["True", "False"], ["True", "False"]),
        (["1.5", "2"], [1.5, 2.0]),
        (["yes", "Yes"], ["yes", "Yes"]),
    ],
)
def test_labels_as_they_are_written(cells, labels):
    found = parse_text("\n".join(["label,a", *(f"{cell},1" for cell in cells)]).encode(), Reading(), "t")
    values, missing = label_values(found, 0, Reading())
    assert values.tolist() == labels
    assert not missing.any()


def test_missing_labels():
    found = parse_text(b"label,a\n1,1\n,1\nNA,1\n9,1\n", Reading(), "t")
    assert label_values(found, 0, Reading(missing=("9",)))[1].tolist() == [False, True, True, True]
    found = parse_text(b"label,a\nx,1\n?,1\n", Reading(), "t")
    assert label_values(found, 0, Reading())[1].tolist() == [False, True]
    found = parse_text(b"label,a\n,1\n,2\n", Reading(header=True), "t")
    assert label_values(found, 0, Reading())[1].all()


def test_cells_that_are_lists():
    from wellfit.data.tables.frames import table_of

    frame = table_of(pd.DataFrame({"label": [[1], [2]]}), Reading(), "t")
    with pytest.raises(DataError, match=r"t: column 'label': its cells are lists"):
        classes_of(frame, 0, Reading())
