"""Columns by which rows may belong together are said, unless the user has decided about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from wellfit.base import Reading
from wellfit.data.tables.columns import Features, features
from wellfit.data.tables.parse import parse_text

N, FACT = 60, "rows that may belong together"
A = np.random.default_rng(0).normal(size=N).round(3)


def read(name: str, values: Any, taken: tuple[int, ...] = (), **settings: Any) -> Features:
    text = pd.DataFrame({"a": A, name: values}).to_csv(index=False)
    return features([parse_text(text.encode(), Reading(), "t")], list(taken), Reading(**settings))


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("patient_id", np.arange(N) % 30, "patient_id (30 values in 60 rows)"),
        ("patient_id", np.arange(N) % 8 * 1.0, "patient_id (8 values in 60 rows)"),
        ("speaker", [f"s{n % 6}" for n in range(N)], "speaker (6 values in 60 rows)"),
        ("patient_id", np.arange(N) % 4, ""),
        ("patient_id", np.arange(N) % 31, ""),
        ("patient_id", np.arange(N) % 7 + 0.5, ""),
        ("age", np.arange(N) % 8, ""),
    ],
)
def test_rows_that_may_belong_together_are_said(name: str, values: Any, said: str) -> None:
    found = dict(read(name, values).facts).get(FACT, "")
    assert found == (f'{said}: [data] group = "{name}", so that no set divides them' if said else "")
    assert FACT not in dict(read(name, values, (1,), group=name).facts)
    assert FACT not in dict(read(name, values, columns=("a", name)).facts)
