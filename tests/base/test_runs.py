"""The vocabulary of runs: histories are read by name and cannot be changed."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.base import HISTORY_COLUMNS, History


def test_a_history_is_as_long_as_its_columns() -> None:
    history = History({name: np.arange(4.0) for name in HISTORY_COLUMNS})
    assert len(history) == 4
    assert len(History({})) == 0
    np.testing.assert_array_equal(history["validation_loss"], np.arange(4.0))


def test_a_history_keeps_its_own_columns() -> None:
    columns = {"penalty": np.zeros(1)}
    history = History(columns)
    columns["penalty"] = np.ones(1)
    assert history["penalty"].tolist() == [0.0]
    with pytest.raises(TypeError):
        history.columns["penalty"] = np.ones(1)  # type: ignore[index]


def test_columns_have_distinct_names() -> None:
    assert len(set(HISTORY_COLUMNS)) == len(HISTORY_COLUMNS)
