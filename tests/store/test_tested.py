"""What is kept of a run's answers comes back as it was, or is refused as damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saved_runs import opened, probabilities, record
from wellfit.errors import StoreUnreadableError
from wellfit.store import tested as kept


def test_the_examples_of_a_fold_come_back(tmp_path: Path) -> None:
    labels, rows = np.arange(10, 20), np.array([0, 2, 3, 7, 9])
    with opened(tmp_path / "s") as store:
        store.runs.save([record("l2", 0), record("l2", 1)])
        store.runs.save_test("l2", 0, probabilities(0), 0.5, 0.7, rows)
        store.runs.save_test("l2", 1, probabilities(1), 0.5, 0.7)
        tested, everything = store.runs.tested("l2", 0), store.runs.tested("l2", 1)
    assert tested.rows is not None
    assert (tested.rows.dtype, tested.rows.tolist()) == (np.int64, rows.tolist())
    assert tested.of(labels).tolist() == [10, 12, 13, 17, 19]
    assert everything.rows is None
    assert everything.of(labels) is labels


@pytest.mark.parametrize(
    "rows",
    [
        [0, 2, 3, 7],  # one too few
        [0, 2, 3, 7, 10],  # there are ten
        [-1, 2, 3, 7, 9],
        [0, 2, 2, 7, 9],  # one twice
        [0, 3, 2, 7, 9],  # not in order
        [[0, 2, 3, 7, 9]],
    ],
)
def test_rows_that_do_not_fit_the_test_examples_are_damage(rows: list[Any]) -> None:
    with pytest.raises(StoreUnreadableError, match="test rows that are not those of its test examples"):
        kept.Tested(probabilities(0), np.array(rows)).of(np.arange(10))


def test_the_answers_to_validation_examples_come_back(tmp_path: Path) -> None:
    right, numbers, groups = np.array([True, False, True]), np.array([0, 7, 300]), np.array([4, 4, 9])
    with opened(tmp_path / "s") as store:
        store.runs.save([record("l2", 0), record("l2", 1), record("baseline", 0)])
        store.runs.save_test("l2", 0, probabilities(0), 0.5, 0.7, None, kept.Validated(right, numbers, groups))
        store.runs.save_test("l2", 1, probabilities(1), 0.5, 0.7, None, kept.Validated(right, numbers))
        store.runs.save_test("baseline", 0, probabilities(1), 0.5, 0.7)
        both = [store.runs.tested("l2", seed).validated for seed in (0, 1)]
        assert store.runs.tested("baseline", 0).validated is None  # as in a directory of version 0.1
    for found in both:
        assert found is not None
        assert found.right.dtype == np.bool_
        assert (found.right.tolist(), found.numbers.tolist()) == (right.tolist(), numbers.tolist())
    assert [None if of is None or of.groups is None else of.groups.tolist() for of in both] == [[4, 4, 9], None]


@pytest.mark.parametrize("validation", [np.zeros((2, 1)), np.zeros(2, np.uint8), np.zeros((3, 1), np.uint8)])
def test_validation_answers_of_another_shape_are_damage(validation: np.ndarray) -> None:
    with pytest.raises(StoreUnreadableError, match="validation answers of another shape than two rows of bits"):
        kept.Validated.unpacked({"validation": validation})


@pytest.mark.parametrize("groups", [np.zeros(2, np.int64), np.zeros(1), np.zeros((1, 1), np.int64)])
def test_groups_of_other_validation_examples_are_damage(groups: np.ndarray) -> None:
    packed = kept.Validated(np.ones(1, bool), np.array([3])).packed()
    with pytest.raises(StoreUnreadableError, match="groups that are not those of the validation examples"):
        kept.Validated.unpacked({**packed, "validation_groups": groups})
