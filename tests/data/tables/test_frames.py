"""Training, validation and test tables together, and pandas DataFrames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wellfit.base import Reading
from wellfit.data.assemble import assemble
from wellfit.data.tables.frames import combine, from_frames, table_of
from wellfit.data.tables.parse import parse_text
from wellfit.errors import DataError

N = 40
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"label": ["x", "y"] * (N // 2), "a": RNG.normal(size=N), "b": RNG.normal(size=N)})


def combined(train: pd.DataFrame, test: pd.DataFrame, role: str = "test", header: bool = True, **settings):
    texts = [frame.to_csv(index=False, header=header).encode() for frame in (train, test)]
    reading = Reading(**settings)
    tables = [parse_text(text, reading, f"d/{name}.csv") for text, name in zip(texts, ("train", role), strict=True)]
    validation, tested = (None, tables[1]) if role == "test" else (tables[1], None)
    return combine(tables[0], validation, tested, reading)


def test_a_frame():
    raw = from_frames(FRAME, Reading())
    assert raw.train.labels.tolist() == FRAME["label"].tolist()
    np.testing.assert_array_equal(raw.train.x, FRAME[["a", "b"]].to_numpy(np.float32))
    assert [column.name for column in raw.columns] == ["a", "b"]
    data = assemble(raw, name="t", title="t", source="t")
    assert (data.classes, data.x_train.shape, data.x_test.shape) == (("x", "y"), (32, 2), (8, 2))


@pytest.mark.parametrize("dtype", ["object", "string", "category", "string[pyarrow]"])
def test_texts_of_every_type(dtype):
    raw = from_frames(FRAME.astype({"label": dtype}).assign(sex=pd.Series(["f", "m"] * 20, dtype=dtype)))
    assert raw.train.labels.tolist() == FRAME["label"].tolist()
    assert raw.columns[2].categories == ("f", "m")


@pytest.mark.parametrize("dtype", ["bool", "boolean", "object", "bool[pyarrow]"])
def test_truth_values_of_every_type(dtype):
    truth = pd.Series([True, False] * 20).astype(dtype)
    raw = from_frames(FRAME.assign(t=truth, label=truth))
    assert set(raw.train.labels.tolist()) == {"False", "True"}
    assert raw.train.x[:2, 2].tolist() == [1, 0]


def test_labels_in_the_index():
    frame = FRAME.set_index("label")
    assert from_frames(frame, Reading(label="label")).train.labels.tolist() == FRAME["label"].tolist()
    with pytest.raises(DataError, match=r"the frame: no column can hold classes"):
        from_frames(frame)


def test_names_of_columns_of_every_type():
    bare = table_of(pd.DataFrame(np.zeros((3, 2))), Reading(), "t")
    assert (bare.header, bare.names) == (False, ("column 1", "column 2"))
    assert table_of(pd.DataFrame({3: [1], "a": [2]}), Reading(), "t").names == ("3", "a")
    levels = pd.DataFrame(np.zeros((1, 2)), columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]))
    assert table_of(levels, Reading(), "t").names == ("a / b", "a / c")
    twice = table_of(pd.DataFrame(np.zeros((1, 2)), columns=["a", "a"]), Reading(), "t")
    assert dict(twice.facts) == {"columns of the same name": "a stands twice"}
    assert twice.at(0) == "row 0 (from 0)"


def test_validation_and_test_frames():
    other = FRAME[["b", "label", "a"]].iloc[:10]
    raw = from_frames(FRAME, validation=other, test=other.iloc[:5])
    assert raw.validation is not None
    assert raw.test is not None
    np.testing.assert_array_equal(raw.validation.x, raw.train.x[:10])
    np.testing.assert_array_equal(raw.test.x, raw.train.x[:5])
    with pytest.raises(DataError, match=r"the frame for testing: has no label column; add the labels"):
        from_frames(FRAME, test=other.drop(columns="label"))


# --- Matching ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["test", "validation"])
def test_columns_are_matched_by_name(role):
    other = FRAME[["b", "label", "a"]].rename(columns={"a": "A"}).assign(extra=1).iloc[:30]
    raw = combined(FRAME, other, role)
    part = raw.test if role == "test" else raw.validation
    np.testing.assert_array_equal(part.x, raw.train.x[:30])
    assert part.lines[0] == 2
    assert dict(raw.facts)[f"columns of the {role} file that are ignored"] == "extra"


def test_a_test_table_without_labels_is_for_prediction():
    for test in (FRAME[["a", "b"]], FRAME.assign(label=""), FRAME[["a", "b"]].assign(id=1)):
        raw = combined(FRAME, test)
        assert raw.test is None
        assert dict(raw.facts)["test file"].startswith("not used to test: test.csv has no ")
    with pytest.raises(DataError, match=r"validation\.csv: has no label column; add the labels, or leave"):
        combined(FRAME, FRAME[["a", "b"]], "validation")


def test_row_numbers_or_one_value_in_place_of_the_labels():
    numbered = FRAME.assign(label=np.arange(N) % 3)
    raw = combined(numbered, numbered.assign(label=np.arange(N) + 1), header=False, label=1)
    assert raw.test is None
    assert "has row numbers where train.csv has its labels" in dict(raw.facts)["test file"]
    raw = combined(numbered, numbered.assign(label=0))
    assert "has the same label, '0', in every row" in dict(raw.facts)["test file"]


def test_without_names_columns_are_matched_by_place():
    numbered = FRAME.assign(label=np.arange(N) % 3)
    raw = combined(numbered, numbered.iloc[:30], header=False, label=1)
    np.testing.assert_array_equal(raw.test.x, raw.train.x[:30])
    raw = combined(numbered, numbered[["a", "b"]], header=False, label=1)
    assert "has no label column" in dict(raw.facts)["test file"]
    with pytest.raises(DataError, match=r"test\.csv: has 5 columns, but train\.csv has 3"):
        combined(numbered, numbered.assign(c=1.5, d=2.5), header=False, label=1)


def test_names_that_only_count_tell_columns_apart():
    named = FRAME.set_axis(["V1", "V2", "V3"], axis=1)
    raw = combined(named, named[["V3", "V1", "V2"]], label="V1")
    np.testing.assert_array_equal(raw.test.x, raw.train.x)
    raw = from_frames(
        FRAME.set_axis([0, 1, 2], axis=1),
        Reading(label="0"),
        test=FRAME[["b", "a", "label"]].set_axis([2, 1, 0], axis=1),
    )
    np.testing.assert_array_equal(raw.test.x, raw.train.x)


def test_intervals_are_classes_and_categories():
    ranges = pd.cut(FRAME["a"], [-9, 0, 9])
    raw = from_frames(FRAME.assign(label=np.asarray(ranges), c=pd.arrays.IntervalArray(np.asarray(ranges))))
    assert set(raw.train.labels.tolist()) == {"(-9, 0]", "(0, 9]"}
    assert raw.columns[2].categories == ("(-9, 0]", "(0, 9]")


@pytest.mark.parametrize("setting", ["label", "group", "drop", "columns", "categories"])
def test_a_number_that_names_one_column_and_counts_another(setting):
    many = ("drop", "columns", "categories")
    for names in (range(3), [5, 1, 0]):  # the last column is 2, or 0; the second is 1 and counts as 2
        frame = FRAME.set_axis(names, axis=1)
        with pytest.raises(
            DataError, match=rf"the frame: .*{setting} = 1 may be the column named 1, which is column 2, or"
        ):
            from_frames(frame, Reading(**{setting: (1,) if setting in many else 1}))
    named = FRAME.rename(columns=dict(zip(FRAME, range(3), strict=True))).rename(columns=str)
    assert from_frames(named, Reading(label="0")).train.labels.tolist() == FRAME["label"].tolist()
    last = from_frames(FRAME[["a", "b", "label"]].set_axis(range(3), axis=1), Reading(label=-1))
    assert last.train.labels.tolist() == FRAME["label"].tolist()
    counted = from_frames(FRAME.set_axis([1, 2, 3], axis=1), Reading(label=1))  # the name and the count agree
    assert counted.train.labels.tolist() == FRAME["label"].tolist()


def test_a_column_that_is_left_out_may_be_missing_elsewhere():
    raw = combined(FRAME.assign(id=np.arange(N)), FRAME)
    assert raw.test is not None
    with pytest.raises(DataError, match=r"d/test\.csv: lacks 1 column of d/train\.csv \(b\)"):
        combined(FRAME, FRAME[["label", "a"]])


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (FRAME.assign(label=["p", "q"] * 20), r"none of its labels \('p', 'q'\) occurs in train\.csv \('x', 'y'\)"),
        (
            FRAME.rename(columns={"label": "Class"}),
            r"test\.csv: has no column 'label', but Class; name it alike",
        ),
        (FRAME.iloc[:0], r"test\.csv: has a header but no rows"),
        (FRAME.assign(label=["x", ""] * 20), r"test\.csv: 20 rows have no label in column 'label' \(line 3, line 5,"),
    ],
)
def test_test_tables_that_cannot_be_used(test, message):
    with pytest.raises(DataError, match=message):
        combined(FRAME, test)


def test_a_header_in_one_of_two_tables():
    one = parse_text(FRAME.to_csv(index=False).encode(), Reading(), "d/train.csv")
    two = parse_text(FRAME.to_csv(index=False, header=False).encode(), Reading(), "d/test.csv")
    for pair in ((one, two), (two, one)):
        with pytest.raises(DataError, match=r"d/test\.csv: has no header, but train\.csv has one"):
            combine(pair[0], None, pair[1], Reading())


# --- Labels and groups ------------------------------------------------------------------------------------------------


def test_missing_labels_are_named_by_their_lines():
    with pytest.raises(DataError, match=r"1 row has no label in column 'label' \(row 3 \(from 0\)\); add labels"):
        from_frames(FRAME.assign(label=FRAME["label"].where(FRAME.index != 3)))
    with pytest.raises(DataError, match=r"9 rows have no label .*\(row 0.*row 4 \(from 0\) and 4 more\)"):
        from_frames(FRAME.assign(label=FRAME["label"].where(FRAME.index >= 9)))


def test_groups():
    frame = FRAME.assign(patient=np.arange(N) // 4)
    raw = from_frames(frame, Reading(group="patient"))
    assert raw.train.groups.tolist() == (np.arange(N) // 4).astype(str).tolist()
    assert [column.name for column in raw.columns] == ["a", "b"]
    assert dict(raw.facts)["group column"] == "patient; no feature"
    with pytest.raises(DataError, match=r"row 2 \(from 0\) has no group in column 'patient'"):
        from_frames(frame.assign(patient=frame["patient"].where(frame.index != 2)), Reading(group="patient"))
    with pytest.raises(DataError, match=r"label and group are the same column"):
        from_frames(FRAME, Reading(label="label", group="label"))
    with pytest.raises(DataError, match=r"lacks the column patient"):
        from_frames(frame, Reading(group="patient"), validation=FRAME)
    tested = from_frames(frame, Reading(group="patient"), test=FRAME)
    assert tested.test.groups.tolist() == [""] * N  # only training examples are grouped


def test_a_single_column():
    with pytest.raises(DataError, match=r"t: only one column is found.*set \[data\] separator"):
        combine(parse_text(b"a:b\n1:2\n", Reading(), "t"), None, None, Reading())
    with pytest.raises(DataError, match=r"the frame: only one column is found; give one column per feature, and one"):
        from_frames(FRAME[["label"]])
    raw = combined(FRAME[["label", "a"]], FRAME[["a"]])
    assert "has no label column" in dict(raw.facts)["test file"]


def test_empty_frames():
    with pytest.raises(DataError, match=r"the frame: has no rows"):
        from_frames(FRAME.iloc[:0])
    with pytest.raises(DataError, match=r"the frame for testing: has no rows"):
        from_frames(FRAME, test=FRAME.iloc[:0])
