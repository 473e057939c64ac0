"""Predictions in NumPy archives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predictions import ACCURACIES, CLASSES, EXAMPLES, LABELS, all_values, archives, probabilities
from wellfit.data.predictions.archives import is_archive, read_archives
from wellfit.data.predictions.read import read_predictions
from wellfit.errors import DataError


def test_a_folder_of_archives(tmp_path: Path):
    found = read_predictions([archives(tmp_path / "runs")])
    assert found.variants == dict.fromkeys(sorted(ACCURACIES), (0, 1, 2))
    assert (found.classes, found.source) == (("0", "1", "2"), "runs")
    np.testing.assert_array_equal(found.labels, LABELS)
    run = next(run for run in found.runs if (run.variant, run.seed) == ("l2", 1))
    assert run.values().tobytes() == probabilities("l2", 1).tobytes()
    assert is_archive(Path("a.NPZ"))


def save(folder: Path, **files: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, arrays in files.items():
        np.savez(folder / f"{name.replace('_', '.')}.npz", **arrays)
    return folder


P = probabilities("l2", 0, 6)
Y = LABELS[:6]
ROWS = np.arange(6)


def test_rows_of_folds_are_put_in_order(tmp_path: Path):
    order = np.array([4, 0, 2])
    save(
        tmp_path,
        a_0={"probabilities": P[order], "rows": order, "labels": Y[order]},
        a_1={"probabilities": P[[1, 3, 5]], "rows": np.array([1, 3, 5]), "labels": Y[[1, 3, 5]]},
    )
    first = read_predictions([tmp_path]).runs[0]
    assert first.rows is not None
    assert first.rows.tolist() == [0, 2, 4]
    np.testing.assert_array_equal(first.values(), P[[0, 2, 4]])


def test_classes_alone_and_their_names(tmp_path: Path):
    names = np.array(["cat", "dog", "eel"])
    save(tmp_path, a_0={"predictions": names[P.argmax(axis=1)], "labels": names[Y]})
    found = read_predictions([tmp_path])
    assert set(found.classes) <= set(names.tolist())
    known = np.array(found.classes)
    np.testing.assert_array_equal(known[found.runs[0].values()], names[P.argmax(axis=1)])
    save(tmp_path / "one", a_0={"arr_0": P.argmax(axis=1), "labels": Y})
    assert read_predictions([tmp_path / "one"]).runs[0].values().ndim == 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": {"probabilities": P, "labels": Y}}, "a.npz: a name without variant and seed"),
        ({"a_0": {"probabilities": P}}, "a.0.npz: has no labels; add them once as labels.npz"),
        ({"a_0": {"logits": P, "labels": Y}}, "holds logits; give --softmax"),
        ({"a_0": {"probabilities": P[:4], "labels": Y}}, "4 predictions for 6 labels"),
        ({"a_0": {"u": P, "v": P, "labels": Y}}, "has the arrays u, v, labels; give each run as"),
        (
            {"a_0": {"probabilities": P, "labels": Y}, "b_0": {"probabilities": P, "labels": (Y + 1) % CLASSES}},
            "b.0.npz: example 0 has the label .*, but . in another file .*a.0.npz",
        ),
        (
            {"a_0": {"probabilities": P, "labels": Y}, "b_0": {"probabilities": P, "labels": Y[:5]}},
            "b.0.npz: 5 labels, but others have 6; give the same examples",
        ),
        (
            {"a_0": {"probabilities": P, "labels": Y}, "b_0": {"probabilities": P[:, :2], "labels": Y}},
            "b.0.npz: probabilities of 2 classes, but .*a.0.npz has 3",
        ),
        (
            {"a_0": {"probabilities": P, "labels": Y}, "b_0": {"predictions": Y, "labels": Y}},
            "b.0.npz: only classes, but .*a.0.npz has probabilities",
        ),
        (
            {
                "a_0": {"probabilities": P, "labels": Y, "classes": np.array(["a", "b", "c"])},
                "b_0": {"probabilities": P, "labels": Y, "classes": np.array(["b", "a", "c"])},
            },
            "b.0.npz: classes in the order b, a, c, but a, b, c in .*a.0.npz",
        ),
        ({"a_0": {"probabilities": P, "labels": Y, "rows": np.zeros(6, int)}}, "example 0 is there twice"),
        ({"a_0": {"probabilities": P, "labels": Y, "rows": np.arange(6) - 1}}, "give the position of each example"),
        ({"a_0": {"probabilities": P, "labels": Y, "rows": np.arange(5)}}, "6 labels for 5 rows"),
        (
            {"a_0": {"probabilities": P, "labels": Y, "rows": np.arange(6) + 1}},
            "a.0.npz: row 6, but there are 6 labels; number the rows from 0",
        ),
        (
            {"a_0": {"probabilities": P, "labels": Y, "rows": np.array([0, 1, 2, 3, 4, 10**12])}},
            "a.0.npz: row 1000000000000, but there are 6 labels",
        ),
        (
            {"a_0": {"probabilities": P, "labels": Y}, "b_0": {"probabilities": P, "labels": Y, "rows": ROWS + 2}},
            "b.0.npz: row 7, but there are 6 labels",
        ),
        (
            {
                "a_0": {"probabilities": P[[0, 1, 3]], "labels": Y[[0, 1, 3]], "rows": np.array([0, 1, 3])},
                "a_1": {"probabilities": P[[0, 1, 4]], "labels": Y[[0, 1, 4]], "rows": np.array([0, 1, 4])},
            },
            "example 2 has no label in any file; number the rows from 0",
        ),
        (
            {"a_0": {"probabilities": P, "rows": ROWS + 1}, "labels": {"labels": Y}},
            "a.0.npz: row 6, but there are 6 labels; number the rows from 0",
        ),
        (
            {"a_0": {"probabilities": P, "labels": Y[::-1]}, "labels": {"labels": Y}},
            "a.0.npz: other labels than .*labels.npz; give the same examples in the same order",
        ),
        (
            {"a_0": {"probabilities": P, "labels": Y, "rows": ROWS[::-1]}, "labels": {"labels": Y}},
            "a.0.npz: other labels than .*labels.npz",
        ),
        (
            {
                "a_0": {"probabilities": P, "classes": np.array(["b", "a", "c"])},
                "labels": {"labels": Y, "classes": np.array(["a", "b", "c"])},
            },
            "a.0.npz: classes in the order b, a, c, but a, b, c in .*labels.npz",
        ),
        (
            {"a_0": {"probabilities": P, "labels": Y, "groups": Y}},
            "a.0.npz: groups without the labels of all examples; put labels and groups in labels.npz",
        ),
        ({"a_0": {"predictions": Y, "labels": np.array(["x", "y", "z"])[Y]}}, "a.0.npz: predicts 0.*none of which"),
        ({"a_0": {"probabilities": np.array([None] * 6), "labels": Y}}, "Python objects"),
    ],
)
def test_archives_that_cannot_be_are_one_line(tmp_path: Path, files: dict[str, dict[str, Any]], message: str):
    folder = save(tmp_path / "runs", **files)
    with pytest.raises(DataError, match=message) as caught:
        all_values(read_predictions([folder]))
    assert "\n" not in str(caught.value)


def test_labels_in_a_file_of_their_own(tmp_path: Path):
    np.savez(tmp_path / "a.0.npz", probabilities=P)
    np.savez(tmp_path / "truth.npz", y=Y, groups=np.array(list("aabbcc")))
    found = read_archives([tmp_path / "a.0.npz"], "here", labels=tmp_path / "truth.npz")
    assert found.groups is not None
    assert found.groups.tolist() == [0, 0, 1, 1, 2, 2]
    assert EXAMPLES > len(found.labels) == 6


def test_all_rows_in_another_order_and_names_of_the_label_file(tmp_path: Path):
    order = np.array([4, 0, 2, 5, 1, 3])
    save(
        tmp_path,
        a_0={"probabilities": P[order], "rows": order, "labels": Y[order]},
        labels={"labels": Y, "classes": np.array(["cat", "dog", "eel"])},
    )
    found = read_predictions([tmp_path])
    assert found.classes == ("cat", "dog", "eel")
    np.testing.assert_array_equal(found.labels, Y)
    np.testing.assert_array_equal(found.runs[0].values(), P)


def test_labels_that_are_numbers_in_one_file_and_text_in_another_are_the_same_numbers(tmp_path: Path):
    """Sorted as text, the columns of 12 classes would be in another order."""
    labels = np.arange(48) % 12
    probabilities = np.eye(12)[labels] * 0.9 + 0.1 / 12
    for variant, kind in (("a", int), ("b", str)):
        np.savez(tmp_path / f"{variant}.0.npz", probabilities=probabilities, labels=labels.astype(kind))
    given = read_predictions([tmp_path])
    assert given.classes == tuple(map(str, range(12)))
    for run in given.runs:
        np.testing.assert_array_equal(run.values().argmax(axis=1), given.labels)
