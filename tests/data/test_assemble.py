"""Labels to classes, values to pixels, and everything about arrays that is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from wellfit.base import Column
from wellfit.data.assemble import assemble, make_dataset
from wellfit.data.parts import Part, RawData
from wellfit.errors import DataError


def build(x, labels, x_test=None, labels_test=None, **known):
    test = None if x_test is None else Part(np.asarray(x_test), np.asarray(labels_test), "test.file")
    raw = RawData(Part(np.asarray(x), np.asarray(labels), "train.file"), test)
    return assemble(raw, name="n", title="T", source="s", **known)


ROWS = np.arange(20.0).reshape(10, 2)


def test_a_fifth_becomes_the_test_set():
    x = np.arange(200.0).reshape(100, 2)
    y = np.repeat([0, 1], [70, 30])
    found = build(x, y)
    assert np.bincount(found.y_test).tolist() == [14, 6]
    rows = np.concatenate([found.x_train, found.x_test])
    np.testing.assert_array_equal(np.sort(rows, axis=0), x)
    np.testing.assert_array_equal(found.y_test, (found.x_test[:, 0] >= 140).astype(int))
    np.testing.assert_array_equal(build(x, y).x_test, found.x_test)


@pytest.mark.parametrize(
    ("x", "dtype", "shape", "pixel_max"),
    [
        (np.full((4, 3, 3), 200, np.uint8), "uint8", (3, 3), 255),
        (np.full((4, 3, 3, 3), 1.0), "uint8", (3, 3, 3), 1),
        (np.full((4, 3, 3), 199.5), "float32", (3, 3), 255),
        (np.full((4, 3, 3), -0.5), "float32", (3, 3), 1),
        (np.full((4, 3, 3), 4000), "float32", (3, 3), 4095),
        (np.full((4, 784), 255.0), "uint8", (28, 28), 255),
        (np.full((4, 784), 0.5), "float32", (784,), None),
        (np.full((4, 5), 3, np.uint8), "uint8", (5,), None),
    ],
)
def test_what_pixels_are(x, dtype, shape, pixel_max):
    found = build(x, [0, 1, 0, 1], x[:2], [0, 1])
    assert (found.x_train.dtype, found.input_shape, found.pixel_max) == (dtype, shape, pixel_max)
    assert (found.x_test.dtype, found.x_test.shape[1:]) == (dtype, shape)
    np.testing.assert_array_equal(found.x_train.ravel(), x.ravel())
    assert ("values" in dict(found.facts)) == (pixel_max is not None)


def test_a_known_largest_pixel_value():
    images = np.full((4, 3, 3), 9)
    found = build(images, [0, 1, 0, 1], images, [0, 1, 0, 1], pixel_max=16)
    assert found.pixel_max == 16
    assert dict(found.facts)["values"] == "9 to 9, divided by 16"
    with pytest.raises(DataError, match=r"test\.file: the largest value is 18, above pixel_max = 16"):
        build(images, [0, 1, 0, 1], 2 * images, [0, 1, 0, 1], pixel_max=16)
    with pytest.raises(DataError, match=r"pixel_max = 0 is not a largest pixel value; use a positive number"):
        build(images, [0, 1, 0, 1], pixel_max=0)
    rows = build(ROWS, [0, 1] * 5, pixel_max=20)
    assert rows.pixel_max == 20
    assert "values" not in dict(rows.facts)
    assert build(images / 9 * 1.0000001, [0, 1, 0, 1], pixel_max=1).pixel_max == 1


def test_training_images_alone_decide_the_range():
    found = build(np.full((4, 3, 3), 0.5), [0, 1, 0, 1], np.full((2, 3, 3), 255.0), [0, 1])
    assert found.pixel_max == 1


def test_a_test_set_scaled_otherwise_keeps_its_values():
    x = np.full((4, 784), 51)
    found = build(x, [0, 1, 0, 1], x[:2] / 255, [0, 1])
    assert found.x_train.dtype == found.x_test.dtype == np.float32
    assert found.input_shape == found.x_test.shape[1:] == (28, 28)
    np.testing.assert_allclose(found.x_test, 0.2, rtol=1e-7)


BAD = np.array([[1.0, 2.0], [np.nan, 2.0], [3.0, 4.0], [5.0, 6.0]])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((ROWS, np.full((10, 2), 1)), r"train\.file: the labels have shape \(10, 2\), and row 0 .* has 2 ones"),
        ((np.zeros(4), [0, 1, 0, 1]), r"the examples have shape \(4,\)"),
        ((ROWS, [0, 1]), r"10 examples but 2 labels"),
        ((np.zeros((0, 3)), np.zeros(0)), r"the examples are empty \(shape \(0, 3\)\)"),
        ((np.zeros((2, 0)), [0, 1]), r"the examples are empty \(shape \(2, 0\)\)"),
        ((np.array([["a"], ["b"]]), [0, 1]), r"the examples have type <U1; give real numbers"),
        ((np.zeros((2, 2), complex), [0, 1]), r"the examples have type complex128"),
        ((ROWS[:2] + 1e300, [0, 1]), r"too large for float32 in rows 0, 1"),
        ((ROWS[:4], [0, 1, 0, 1], ROWS[:4, :1], [0, 1, 0, 1]), r"test\.file: the examples have shape \(1,\)"),
        ((ROWS[:4], [0, 1, 0, 1], ROWS[:4], [0, 1]), r"test\.file: 4 examples but 2 labels"),
        ((ROWS, np.zeros(10)), r"all labels are '0', but training needs two or more classes"),
        ((np.arange(10) % 2, ROWS), r"x has one value per example and y has 2: they look swapped; exchange them"),
        (
            (np.arange(10)[:, None], np.zeros((10, 8, 8))),
            r"x has one value per example and y has 64: they look swapped",
        ),
        ((ROWS[:2], [0, 1]), r"2 rows are too few to hold out a fifth"),
    ],
)
def test_arrays_that_are_refused(arrays, message):
    with pytest.raises(DataError, match=message) as caught:
        build(*arrays)
    assert "\n" not in str(caught.value)


def test_axes_that_differ_between_sets():
    first, last = np.zeros((10, 3, 8, 9)), np.zeros((10, 8, 9, 3))
    found = build(first, [0, 1] * 5, last, [0, 1] * 5)
    assert found.x_train.shape == found.x_test.shape == (10, 8, 9, 3)
    assert dict(found.facts)["axes"] == "channels first (3 x 8 x 9), moved last"
    found = build(last[..., :1], [0, 1] * 5, last[..., 0], [0, 1] * 5)
    assert found.x_train.shape == found.x_test.shape == (10, 8, 9)


def test_missing_features_stay_missing():
    found = build(BAD, [0, 1, 0, 1], BAD, [0, 1, 0, 1])
    np.testing.assert_array_equal(found.x_train, BAD.astype(np.float32))


def test_columns_belong_to_rows():
    columns = (Column("a"), Column("b", ("p", "q")))
    raw = RawData(Part(ROWS, np.arange(10) % 2, "t"), columns=columns, facts=(("label column", "c"),))
    found = assemble(raw, name="n", title="T", source="s")
    assert found.columns == columns
    assert found.facts[0] == ("label column", "c")
    assert dict(found.facts)["test set"] == "none given; 2 of 10 rows held out, stratified by class"
    pixels = RawData(Part(np.full((10, 784), 7), np.arange(10) % 2, "t"), columns=(Column("p"),) * 784)
    assert assemble(pixels, name="n", title="T", source="s").columns == ()


# --- Validation sets and groups ---------------------------------------------------------------------------------------


def test_a_given_validation_set_stays_whole():
    x = np.arange(200.0).reshape(100, 2)
    data = make_dataset(x, [0, 1] * 50, x_val=-x[:10] - 1, y_val=[0, 1] * 5)
    assert (len(data.x_train), len(data.x_test)) == (90, 20)
    assert data.validation_rows.tolist() == list(range(80, 90))
    np.testing.assert_array_equal(data.x_train[data.validation_rows], (-x[:10] - 1).astype(np.float32))
    assert (data.x_test >= 0).all()
    given = make_dataset(x, [0, 1] * 50, x[:4], [0, 1] * 2, x_val=x[:10], y_val=[0, 1] * 5)
    assert (len(given.x_train), len(given.x_test)) == (110, 4)
    assert given.validation_rows.tolist() == list(range(100, 110))
    assert given.hash != make_dataset(np.concatenate([x, x[:10]]), [0, 1] * 55, x[:4], [0, 1] * 2).hash


GROUPED = {"train": ["a"] * 5 + ["b"] * 5, "test": ["b"] * 4 + ["c"] * 5 + [""]}


def test_a_group_is_never_divided():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 400)
    x = np.column_stack([groups, rng.normal(size=400)])
    data = make_dataset(x, groups % 2, groups=[f"patient {g}" for g in groups])
    assert not set(data.x_train[:, 0]) & set(data.x_test[:, 0])
    assert 40 < len(data.x_test) < 120
    assert 0.3 < data.y_test.mean() < 0.7
    pairs = set(zip(data.x_train[:, 0], data.groups, strict=True))
    assert len(pairs) == len(set(data.groups)) == data.groups.max() + 1
    assert dict(data.facts)["groups"] == f"{len(pairs)} in the training set; a split never divides a group"
    assert dict(data.facts)["test set"].endswith(
        "of 400 rows held out in whole groups, stratified by class as far as they allow"
    )


def test_validation_examples_without_groups_are_groups_of_their_own():
    x = np.zeros((10, 2))
    data = make_dataset(x, [0, 1] * 5, x, [0, 1] * 5, x_val=x[:4], y_val=[0, 1] * 2, groups=[0] * 5 + [1] * 5)
    assert len(set(data.groups[:10])) == 2
    assert len(set(data.groups)) == 6


def test_the_groups_of_a_given_test_set_have_the_numbers_of_training():
    parts = [Part(ROWS, np.arange(10) % 2, where, np.array(groups)) for where, groups in GROUPED.items()]
    data = assemble(RawData(*parts), name="n", title="T", source="s")
    assert data.groups.tolist() == [0] * 5 + [1] * 5
    assert data.test_groups.tolist() == [1] * 4 + [data.test_groups[4]] * 5 + [-1]
    assert data.test_groups[4] not in data.groups
    assert make_dataset(ROWS, [0, 1] * 5, groups=[0, 1] * 5).test_groups is None


def test_groups_of_another_length_are_refused():
    with pytest.raises(DataError, match=r"the training set: 10 examples but groups of shape \(3,\); give one group"):
        make_dataset(ROWS, [0, 1] * 5, groups=[1, 2, 3])


# --- Arrays of a notebook ---------------------------------------------------------------------------------------------


def test_arrays_become_a_data_set():
    data = make_dataset(ROWS[:4].tolist(), [0, 1, 0, 1], ROWS[:2], [1, 0], name="toy", classes=("no", "yes"))
    assert (data.name, data.title, data.classes, data.x_train.dtype) == ("toy", "toy", ("no", "yes"), "float32")
    assert data.y_test.tolist() == [1, 0]
    images = make_dataset(np.full((10, 2, 2), 16), [0, 1] * 5, title="Toy", pixel_max=16)
    assert (images.title, images.pixel_max, images.x_test.shape) == ("Toy", 16, (2, 2, 2))


class Tensor:
    """What is not an array but says how to become one."""

    def __init__(self, values, error=None):
        self.values, self.error = values, error

    def __array__(self, dtype=None, copy=None):
        if self.error:
            raise self.error
        return np.asarray(self.values, dtype)


def test_whatever_becomes_an_array():
    y = [0, 1] * 5
    expected = make_dataset(ROWS, y).hash
    objects = np.empty(10, object)
    objects[:] = list(ROWS)
    masked = np.ma.masked_array(np.where(ROWS == 7, 99, ROWS), ROWS == 7)
    for x in (ROWS.tolist(), Tensor(ROWS), pd.DataFrame(ROWS), sparse.csr_array(ROWS), objects, ROWS.astype(object)):
        assert make_dataset(x, y).hash == expected
    assert make_dataset(ROWS, pd.Series(y)).hash == make_dataset(ROWS, Tensor(y)).hash == expected
    assert np.isnan(make_dataset(masked, y).x_train).sum() + np.isnan(make_dataset(masked, y).x_test).sum() == 1
    assert np.isnan(make_dataset([[1, None], [2, 3]] * 5, y).x_train).any()


def test_an_hdf5_data_set_is_an_array(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        x, y = file.create_dataset("x", data=ROWS), file.create_dataset("y", data=[0, 1] * 5)
        assert make_dataset(x, y).hash == make_dataset(ROWS, [0, 1] * 5).hash


def test_the_data_set_does_not_change_with_its_arrays():
    images = np.zeros((10, 8, 8), np.uint8)
    data = make_dataset(images, [0, 1] * 5, images, [0, 1] * 5)
    images[:] = 9
    assert not data.x_train.any()
    assert not data.x_test.any()


def test_arrays_that_make_no_data_set():
    with pytest.raises(DataError, match="a test set needs both x_test and y_test"):
        make_dataset(ROWS, [0, 1] * 5, x_test=ROWS)
    with pytest.raises(DataError, match="a validation set needs both x_val and y_val"):
        make_dataset(ROWS, [0, 1] * 5, y_val=[0, 1])
    with pytest.raises(DataError, match="x: the rows differ in shape"):
        make_dataset([[1, 2], [3]], [0, 1])
    with pytest.raises(DataError, match=r"label 'a' in row 0 .* is not among the classes"):
        make_dataset(ROWS, ["a", "b"] * 5, classes=("x", "y"))
    with pytest.raises(DataError, match="a label is missing, in row 1"):
        make_dataset(ROWS, np.ma.masked_array([0, 1] * 5, [False, True] + [False] * 8))
    with pytest.raises(DataError, match=r"x: cannot be converted to a NumPy array \(on the GPU\)"):
        make_dataset(Tensor(ROWS, RuntimeError("on the GPU")), [0, 1] * 5)
    with pytest.raises(
        DataError, match=r"x: the sparse matrix of shape \(1000000, 1000000\) would take more than 2 GB"
    ):
        make_dataset(sparse.csr_array((10**6, 10**6)), [0, 1])
    with pytest.raises(DataError, match="the examples hold texts or Python objects"):
        make_dataset([["a", 1], [None, 2]] * 5, [0, 1] * 5)
